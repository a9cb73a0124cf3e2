//! RefineCode, the corpus of OpenCoder: some thirty signals, by group of languages.

use serde_json::{Value, json};

use super::{Preset, Quirk};

pub(super) const PRESET: Preset = Preset {
    name: "refinecode",
    summary: "RefineCode, the corpus of OpenCoder",
    source: "Huang et al. 2024, arXiv 2411.04905, and `pipeline/code_filter_config.py` with `quality_signals/` of \
             opc_data_filtering",
    missing: &[
        "Python, JavaScript and HTML must parse: add `parse-error-share`, which allows for errors, and asks another parser, and for Python `refused-syntax`",
        "Chinese texts have limits of their own (`read-more-lines` .3, `word-length` from 1.3, `bracket-words` .1): which \
         language a text is in is not told, and all are taken for English",
        "digits, repeated n-grams and the like are counted without rewriting full-width and compatibility characters",
        "duplicates, copyright headers and personal information are stages",
    ],
    quirks: &[
        Quirk {
            rules: "line-max, line-mean",
            words: "the code counts the line end to a line, so that its limits are one character lower",
        },
        Quirk {
            rules: "assert-lines, import-lines, pass-lines, print-lines",
            words: "the code looks for a word anywhere in a line, in any case: `passed` and `important` count",
        },
        Quirk {
            rules: "preprocessor-lines",
            words: "the code takes every line that holds `struct` or `using` for a directive",
        },
        Quirk {
            rules: "no-logic, test-file",
            words: "the code drops eight of ten files that break these rules, at random; here by hash, and without `compat` \
                    all of them",
        },
        Quirk {
            rules: "no-variables",
            words: "in C# and Go the code compares a list with a number, so that the rule never holds",
        },
        Quirk {
            rules: "long-string-lines",
            words: "a text in single quotes goes on over lines: everything between two stray quotes is one",
        },
    ],
    table,
};

/// Languages of the group `data`, without those that are excluded.
const DATA: &str = "\
    abnf, asn.1, adobe font metrics, altium designer, ant build system, apacheconf, avro idl, bibtex, \
    browserslist, c-objdump, cil, codeowners, cson, css, cabal config, caddyfile, cartocss, cloud firestore \
    security rules, conll-u, cpp-objdump, cue sheet, d-objdump, dns zone, darcs patch, debian package \
    control file, dotenv, ebnf, eagle, easybuild, ecere projects, editorconfig, edje data collection, figlet \
    font, formatted, gedcom, gn, gemfile.lock, git attributes, git config, glyph bitmap distribution format, \
    go checksums, go module, go workspace, godot resource, gradle, gradle kotlin dsl, graph modeling \
    language, graphql, graphviz (dot), haproxy, hocon, http, hxml, hosts file, ini, ignore list, jar \
    manifest, json, json with comments, json5, jsonld, java properties, jest snapshot, kickstart, kusto, \
    ltspice symbol, lark, linker script, maven pom, miniyaml, neon, nl, npm config, nginx, ninja, \
    oasv2-json, oasv2-yaml, oasv3-json, oasv3-yaml, objdump, object data instance notation, openapi \
    specification v2, openapi specification v3, openstep property list, opentype feature file, option list, \
    pip requirements, plantuml, postcss, prisma, proguard, protocol buffer, protocol buffer text format, \
    python traceback, rbs, ron, rpm spec, readline config, record jar, redirect rules, regular expression, \
    scss, selinux policy, sparql, ssh config, star, ston, shellcheck config, simple file verification, \
    soong, spline font database, toml, textgrid, textmate properties, turtle, type language, valve data \
    format, wavefront material, web ontology language, webassembly interface type, wget config, win32 \
    message file, windows registry entries, world of warcraft addon data, x bitmap, x font directory index, \
    xcompose, xml, xml property list, xpages, yaml, yang, curl config, crontab, desktop, dircolors, edn, \
    nanorc";

/// Languages of the group `text`.
const TEXT: &str = "\
    asciidoc, creole, gemini, gettext catalog, mdx, markdown, muse, org, pod, pod 6, rdoc, rmarkdown, rich \
    text format, roff, srecode template, sweave, tex, texinfo, text, textile, vim help file, wikitext, \
    restructuredtext";

/// Languages that are dropped.
const EXCLUDED: &str = "\
    2-dimensional array, adblock filter list, ags script, bicep, checksums, collada, csv, directx 3d file, \
    e-mail, g-code, gerber image, git revision list, gnuplot, irc log, jupyter notebook, kicad layout, kicad \
    legacy layout, kicad schematic, lasso, linux kernel module, max, microsoft developer studio project, \
    microsoft visual studio solution, pic, pickle, postscript, pov-ray sdl, public key, pure data, \
    purebasic, raw token data, robots.txt, roff manpage, stl, subrip text, svg, tsv, unity3d asset, \
    wavefront object, webvtt, x pixmap";

/// C, C++ and the like, where functions, variables and logic are looked for.
const CODE: &str = "C, C++, C#, Go, Java, JavaScript, Python";

/// Entries of `by-language`: `false` for those in which a rule of code is off.
fn off(more: &[&str]) -> Value {
    let mut entries = json!({ DATA: false, TEXT: false });
    more.iter()
        .for_each(|languages| entries[*languages] = Value::Bool(false));
    entries
}

fn only(languages: &str) -> Value {
    json!({ "*": false, languages: true })
}

fn table(compat: bool) -> Value {
    let mut table = json!({});
    for part in [characters(compat), words(), lines(compat), code(compat)] {
        if let (Value::Object(table), Value::Object(part)) = (&mut table, part) {
            table.extend(part);
        }
    }
    table
}

fn characters(compat: bool) -> Value {
    let line_end = if compat { 1 } else { 0 };
    json!({
        "maximum-size": { "limit": 3_000_000 },
        "language": { "deny": EXCLUDED.split(", ").collect::<Vec<_>>() },
        "character-count": { "minimum": 50, "by-language": { DATA: { "maximum": 5000 } } },
        "line-count": { "minimum": 10, "limit": 100_000, "by-language": { TEXT: { "limit": u64::MAX } } },
        "line-max": {
            "limit": 1000 - line_end, "relaxed-languages": [], "by-language": { TEXT: false },
        },
        "line-mean": {
            "limit": 100.0 - f64::from(line_end), "minimum": 5.0 - f64::from(line_end), "exempt-languages": [],
            "by-language": { TEXT: false },
        },
        "letter-share": { "limit": 0.5 },
        "digit-share": { "limit": 0.2, "by-language": { "SQL": { "limit": 0.3 } } },
        "space-share": { "limit": 0.5 },
        "replacement-share": { "limit": 0.01 },
        "xml-head": { "exempt-languages": [], "by-language": { TEXT: false } },
        "encoded-data": { "by-language": { TEXT: false } },
        "html-visible": { "minimum": 100, "share": 0.2 },
        "hex-share": { "limit": 0.4 },
        "autogenerated": {
            "phrases": [
                "auto-generated", "autogenerated", "automatically generated", "generated automatically",
                "this file is generated", "generate", "autogen", "do not edit",
            ],
            "characters": 200,
            "by-language": { TEXT: false },
        },
    })
}

fn words() -> Value {
    json!({
        "word-count": { "minimum": 30, "by-language": { TEXT: { "minimum": 50 } } },
        "word-length": { "minimum": 2.0, "maximum": 10.0, "by-language": { TEXT: { "minimum": 3.0 } } },
        "unique-words": { "limit": 0.4, "by-language": only(DATA) },
        "word-entropy": { "limit": 3.0, "by-language": only(TEXT) },
        "top-ngrams": { "two": 0.2, "three": 0.18, "four": 0.16 },
        "repeated-ngrams": {
            "limits": [0.8, 0.7, 0.7, 0.7, 0.7, 0.6],
            "by-language": {
                "HTML": { "limits": [0.6, 0.6, 0.6, 0.6, 0.6, 0.6] },
                TEXT: { "limits": [0.6, 0.6, 0.6, 0.6, 0.6, 0.6] },
            },
        },
        "capital-words": { "limit": 0.5, "by-language": only(TEXT) },
        "sentence-count": { "limit": 2, "by-language": only(TEXT) },
        "markup-share": { "limit": 0.5, "by-language": only(TEXT) },
    })
}

fn lines(compat: bool) -> Value {
    json!({
        "repeated-lines": {
            "limit": 0.7,
            "by-language": { TEXT: { "limit": 0.6, "characters": 0.5, "whole-text": true } },
        },
        "read-more-lines": { "limit": 0.1, "by-language": only(TEXT) },
        "bullet-lines": { "limit": 0.9, "by-language": only(TEXT) },
        "import-lines": { "limit": 0.3, "anywhere": compat, "by-language": only("Python") },
        "pass-lines": { "limit": 0.05, "anywhere": compat, "by-language": only("Python") },
        "print-lines": { "limit": 0.4, "anywhere": compat, "by-language": prints(compat) },
        "assert-lines": { "limit": 0.4, "anywhere": compat, "by-language": off(&["Shell", "Go", "HTML"]) },
        "prompt-comments": { "limit": 0.01, "by-language": off(&["HTML"]) },
        "preprocessor-lines": {
            "limit": 0.8,
            "words": if compat { vec!["struct", "using"] } else { Vec::new() },
            "by-language": only("C, C++"),
        },
        "long-string-lines": { "limit": 0.2, "across-lines": compat, "by-language": off(&["Shell", "HTML"]) },
    })
}

/// What prints, in each language; whole words need every form.
fn prints(compat: bool) -> Value {
    let words = |part: &str, whole: &[&str]| match compat {
        true => json!({ "words": [part] }),
        false => json!({ "words": whole }),
    };
    json!({
        "*": false,
        "Python": words("print", &["print", "pprint"]),
        "C, C++": words("printf", &["printf", "fprintf", "sprintf", "snprintf"]),
        "Java": words("System.out.print", &["System.out.print", "System.out.println", "System.out.printf"]),
        "C#": words("Console.WriteLine", &["Console.WriteLine"]),
        "Go": words("fmt.Print", &["fmt.Print", "fmt.Println", "fmt.Printf"]),
        "JavaScript": words("console.log", &["console.log"]),
    })
}

fn code(compat: bool) -> Value {
    let share = if compat { 0.8 } else { 1.0 };
    let variables = match compat {
        true => "Python, Java, JavaScript",
        false => "Python, Java, JavaScript, C#, Go",
    };
    json!({
        "test-file": { "endings": ["_test.go"], "drop-share": share },
        "comment-share": { "minimum": 0.0, "maximum": 0.8, "by-language": { "HTML": false, TEXT: false } },
        "string-share": { "limit": 0.6, "by-language": off(&["Shell", "HTML"]) },
        "long-word-share": { "limit": 0.4, "by-language": { "HTML": false, TEXT: false } },
        "main-count": { "limit": 1, "by-language": only("C, C++") },
        "function-lines": { "limit": 0.2, "by-language": only(CODE) },
        "one-return-functions": { "limit": 0.1, "by-language": only("Python") },
        "no-variables": { "by-language": only(variables) },
        "no-logic": { "limit": 0.5, "drop-share": share, "by-language": only(CODE) },
    })
}
