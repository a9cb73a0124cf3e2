//! StarCoderData: The Stack v1.2 after somebody looked at samples of every extension.

use serde_json::{Value, json};

use super::{Preset, Quirk};

pub(super) const PRESET: Preset = Preset {
    name: "starcoderdata",
    summary: "StarCoderData, by extension",
    source: "Li et al. 2023, arXiv 2305.06161, and `preprocessing/filtering.py` with `visual_inspection.csv` of \
             bigcode-dataset",
    missing: &[
        "the list goes by language and extension, here by extension: only `cmake` is there twice, and CMake's row counts, \
         not Makefile's",
        "issues and commits have presets of their own; notebooks are a stage",
        "near-duplicates and personal information are stages",
    ],
    quirks: &[
        Quirk {
            rules: "character-count",
            words: "the code wants 100 to 5000 characters of JSON and YAML; the paper says 50 to 5000",
        },
        Quirk {
            rules: "html-visible",
            words: "the code wants more than 100 visible characters and more than 20 %; the paper says at least",
        },
        Quirk {
            rules: "xml-head",
            words: "the list excepts XSLT, but the code does not read that column: whole languages were run with the filter \
                    or without; with it, XSLT goes as well",
        },
    ],
    table,
};

/// Extensions that are kept: 267 of the 305 that were looked at. Files without one are Dockerfiles and Makefiles.
const INCLUDED: &str = "\
    1 3 _coffee a51 ada adb ado adp ads agda als applescript asd asm aug auk awk bas bash bat bats bbx bib \
    boot bsv builder bzl c c++ cake cbx cc cjsx clj cljc cljs cljx cmake cmd coffee command cp cpp cql cs csh \
    cshtml cson css ctp cu cuh cxx dart db2 ddl dfm do dockerfile doh dtx el eliom eliomi elm emacs erl es6 \
    escript ex exs f f03 f08 f90 f95 for fp fpp frag frm fs fsh fshader fsi fsx fun g4 gawk gemspec geom glsl \
    glslv go groovy gtpl gvy gyp h h++ hh hlean hpp hrl hs hsc htm html hxx iced idr inl ins ipp java jbuilder \
    jl js jsm json jsp ksh kt kts lagda lbx lean lhs lidr lisp litcoffee lpr lsp lua ma mak markdown mata \
    matah mathematica matlab mawk md mk mkd mkdn mkii mkiv mkvi ml ml4 mli mll mly mpl mt mustache nasm nawk \
    nb nse ny pac pas perl php phpt pkb pks pl plb plsql pm podspec prc prolog proto ps1 psd1 psgi psm1 py \
    pyde pyw r rabl rake rb rbw rd rmd ron rq rs rst rsx ru ruby sas sbt scala scm scpt scrbl sh shader sjs \
    sld sml sol sparql sps sql st stan sty sv svh t tcc tcl tcsh tex thor thrift thy tm tmux tool tpp ts tsx \
    txt udf vb vba vbhtml vbs veo vert vh vhd vhdl vhi vho vhw vsh vshader wl wlua xht xhtml xsjslib xsl xslt \
    y yacc yaml yap yml yrl zig zsh";

/// Extensions without a limit of lines, because the list has none, or no number.
const LONG_LINES: &str = "ado, asm, bbx, bib, bsv, cbx, cmake, do, dtx, frm, ins, json, lbx, ma, markdown, matlab, md, mkd, mkdn, mkii, \
    mkiv, mkvi, nb, r, rmd, ron, rst, sql, sty, tex";
/// Extensions in which letters and digits are not counted.
const NUMBERS: &str = "frm, ma, nb, sas";
/// Extensions in which a quarter must be letters, digits left out.
const LETTERS: &str = "ads, aug, bas, fp, ma, matlab, mpl, nb, prc, scm, sld, sps, sv, vhd, wl, y";
/// Extensions in which half must be letters.
const MORE_LETTERS: &str = "json, yaml, yml";

fn table(compat: bool) -> Value {
    let included: Vec<&str> = INCLUDED.split_whitespace().chain([""]).collect();
    let (visible, share) = match compat {
        true => (101, 0.2_f64.next_up()),
        false => (100, 0.2),
    };
    let exempt: &[&str] = if compat { &[] } else { &["XSLT"] };
    let shortest = if compat { 100 } else { 50 };
    json!({
        "allowed-extension": { "allow": included },
        "xml-head": { "exempt-languages": exempt },
        "line-max": {
            "limit": 1000, "relaxed-languages": [],
            "by-extension": { LONG_LINES: false, "fsh": { "limit": 500 } },
        },
        "line-mean": { "limit": 100.0, "exempt-languages": [], "by-extension": { LONG_LINES: false } },
        "character-count": { "by-language": { "*": false, "JSON, YAML": { "minimum": shortest, "maximum": 5000 } } },
        "alnum-fraction": { "limit": 0.25, "by-extension": { NUMBERS: false } },
        "alpha-fraction": {
            "limit": 0.25, "alnum-languages": [],
            "by-extension": { LETTERS: true, MORE_LETTERS: { "limit": 0.5 }, "*": false },
        },
        "html-visible": { "minimum": visible, "share": share },
    })
}
