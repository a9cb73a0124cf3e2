//! The references of rules and presets are generated from the rules and presets themselves, and every file is in its list.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;
use stackmill_filters::syntax::{Grammar, grammars};
use stackmill_filters::{Needs, PRESETS, Preset, RULES, RuleInfo};
use stackmill_tests::{root, skipped};

use super::none;
use super::source::files_below;

const PATH: &str = "docs/reference/rules.md";
const PRESETS_PATH: &str = "docs/reference/presets.md";
/// What the comparison with an independent reading counted, as its test wrote it.
const RECORD: &str = "tests/golden/record.json";
const GRAMMARS: &str = "docs/reference/grammars.md";

/// Mutation: take a word out of `rules! { … }`, or add an empty file to `filters/src/rules/`.
#[test]
fn every_rule_file_is_in_the_list() {
    let files = files_below(&root().join("filters/src/rules"));
    let stems = files
        .iter()
        .filter_map(|path| path.file_stem())
        .map(|stem| stem.to_string_lossy().replace('_', "-"));
    let mut files: Vec<String> = stems.filter(|stem| stem != "mod").collect();
    files.sort();
    let mut listed: Vec<String> = RULES.iter().map(|rule| rule.name.to_owned()).collect();
    listed.sort();
    assert_eq!(
        files, listed,
        "a rule is one file under filters/src/rules/, named as the rule, and one word in `rules!`"
    );
}

/// Mutation: rename `# Source` in any rule's file.
#[test]
fn every_rule_says_why_and_after_whom() {
    let mut findings = Vec::new();
    for rule in RULES {
        let documentation = rule.documentation();
        let missing = ["# Why", "# Example", "# Source"]
            .into_iter()
            .filter(|part| !documentation.contains(part));
        findings.extend(missing.map(|part| format!("{}: no `{part}`", rule.name)));
        let undocumented = rule.settings().into_iter().filter(|setting| setting.words.is_empty());
        findings.extend(undocumented.map(|setting| format!("{}: `{}` has no words", rule.name, setting.name)));
    }
    none(
        &findings,
        "a rule's file begins with what is dropped, `# Why`, `# Example`, `# Source`",
    );
}

/// Mutation: change a default in any rule without running this test with `STACKMILL_BLESS=1`.
#[test]
fn the_reference_is_up_to_date() {
    up_to_date(PATH, &reference());
}

/// Mutation: change a number in any preset, or the words of a quirk.
#[test]
fn the_reference_of_presets_is_up_to_date() {
    up_to_date(PRESETS_PATH, &presets());
}

/// Mutation: take a word out of `presets! { … }`.
#[test]
fn every_preset_file_is_in_the_list() {
    let files = files_below(&root().join("filters/src/presets"));
    let stems = files.iter().filter_map(|path| path.file_stem());
    let mut files: Vec<String> = stems.map(|stem| stem.to_string_lossy().replace('_', "-")).collect();
    files.retain(|stem| stem != "mod");
    files.sort();
    let mut listed: Vec<String> = PRESETS.iter().map(|preset| preset.name.to_owned()).collect();
    listed.sort();
    assert_eq!(
        files, listed,
        "a preset is one file, named as the preset, and one word in `presets!`"
    );
}

fn up_to_date(path: &str, fresh: &str) {
    let (name, path) = (path, root().join(path));
    if std::env::var_os("STACKMILL_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, fresh).expect("the reference can be written");
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == fresh,
        "{name} is stale: STACKMILL_BLESS=1 cargo test --release -p stackmill-tests reference"
    );
}

fn reference() -> String {
    let mut out = String::from(
        "# Rules\n\nEvery rule that `[rules]` of a recipe may name, in running order. `stackmill explain RULE` shows the \
         same.\n\nThis file is generated from the rules' own files; a test fails when it is stale.\n",
    );
    out.push_str(COMMON);
    for needs in Needs::ALL {
        let sees = match needs {
            Needs::Listing => "They see path and length alone; nothing has been read.",
            Needs::Content => "They see the decoded text, its language and its license.",
            Needs::Syntax => "They see what a parse told, in languages that are parsed.",
        };
        let _ = write!(out, "\n## Phase `{}`\n\n{sees}\n", needs.as_str());
        RULES
            .iter()
            .filter(|rule| rule.needs == needs)
            .for_each(|rule| chapter(rule, &mut out));
    }
    out
}

/// What the table of every rule may hold.
const COMMON: &str = "\n## Settings of every rule\n\n| key | default | meaning |\n|---|---|---|\n\
    | `by-extension` | none | by extension (several with commas; `\"\"` for none, `\"*\"` for all others): a table put over \
    the rule's settings, `true` for those as they are, `false` for off |\n\
    | `by-language` | none | the same by language, as Linguist names them, in any case; not for rules of the phase \
    `listing`. A named extension goes before a named language, both before `\"*\"` |\n\
    | `drop-share` | `1` | share of the files that break the rule which are dropped, chosen by a hash of the git blob id and \
    the rule's name: the same in every run |\n";

fn presets() -> String {
    let record = fs::read_to_string(root().join(RECORD)).unwrap_or_default();
    let record: Value = serde_json::from_str(&record).unwrap_or_default();
    let mut out = String::from(
        "# Presets\n\nRules of published recipes, for `[rules] preset = \"…\"`; `compat = true` adds the quirks. Single rules are \
         changed beside it. `stackmill list presets --json` shows every number.\n\n\
         Each preset was compared with a second reading of the publication, written independently in Python \
         (`tests/golden/originals.py`), over source files of the crates and packages that `Cargo.lock` and \
         `tests/requirements.txt` pin, with `compat`. `make test` does it again; here is what it counted last. Sizes, \
         depths, extensions, licenses and generated files are compared over files made to lie on the limits \
         (`tests/golden/detected.py`): a license by the ledger's SPDX expression, the Blue Oak Council's list and ScanCode's \
         categories; generated files by what go-enry calls so. Lists of binary formats, and shares of which chance decides, are \
         not compared. Issues, pull requests and commits are rows (`tests/golden/social.py`): the former two are made up of messages of this repository's \
         history, commits are that history, and its changes again under made-up messages. Over 4,000 newest changes each of \
         fmtlib/fmt, apache/arrow-rs, kamyu104/LeetCode-Solutions and backdrop/backdrop (`STACKMILL_HISTORIES`), and as many under \
         made-up messages, 30,138 of 30,140 commits had the same end. Notebooks (`tests/golden/notebooks.py`) are drawn out of \
         those sources and texts; of 2,103 real ones, most of them Kaggle's (`STACKMILL_NOTEBOOKS`), 2,054 had the same end, 38 \
         of the others being too old for the original, and 1,737 of 1,745 scripts were the same. This file is generated; a test fails when it is stale.\n",
    );
    PRESETS
        .iter()
        .for_each(|preset| preset_chapter(preset, &record[preset.name], &mut out));
    out
}

fn preset_chapter(preset: &Preset, record: &Value, out: &mut String) {
    let _ = write!(
        out,
        "\n## `{}`\n\n{}: {}.\n",
        preset.name, preset.summary, preset.source
    );
    out.push_str("\nNot in it:\n\n");
    for words in preset.missing {
        let _ = writeln!(out, "- {words}");
    }
    out.push_str("\nQuirks of the original's code, with `compat`:\n\n");
    if preset.quirks.is_empty() {
        out.push_str("- none that is known\n");
    }
    for quirk in preset.quirks {
        let _ = writeln!(out, "- `{}`: {}", quirk.rules.replace(", ", "`, `"), quirk.words);
    }
    let whole = |key: &str| record["whole"][key].as_u64().unwrap_or(0);
    let _ = write!(
        out,
        "\nAll compared rules together: {} files, {} kept there, {} with the same end here.\n",
        whole("files"),
        whole("kept"),
        whole("same")
    );
    let _ = write!(
        out,
        "\n| rule | settings | files compared | same | dropped there | reasons of differences |\n|---|---|---|---|---|---|\n"
    );
    let settings = preset.rules(false);
    for rule in RULES.iter().filter(|rule| settings.contains_key(rule.name)) {
        let count = &record["rules"][rule.name];
        let number = |key: &str| count[key].as_u64().map_or("–".to_owned(), |number| number.to_string());
        let reasons = count["reasons"].as_object().into_iter().flatten();
        let reasons: Vec<String> = reasons.map(|(why, times)| format!("{times}: {why}")).collect();
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} | {} | {} | {} |",
            rule.name,
            shortened(&settings[rule.name].to_string()).replace('|', "\\|"),
            number("files"),
            number("same"),
            number("dropped"),
            reasons.join("; ")
        );
    }
}

fn chapter(rule: &RuleInfo, out: &mut String) {
    let _ = write!(out, "\n### `{}`\n\n", rule.name);
    let mut code = false;
    for line in rule.documentation().lines() {
        code ^= line.starts_with("```");
        match line.strip_prefix("# ").filter(|_| !code) {
            Some(title) => {
                let _ = writeln!(out, "#### {title}");
            }
            // Lines that only the compiler needs.
            None if code && (line == "#" || line.starts_with("# ")) => {}
            None if line == "```" && code => out.push_str("```rust\n"),
            None => {
                let _ = writeln!(out, "{line}");
            }
        }
    }
    let settings = rule.settings();
    if settings.is_empty() {
        return;
    }
    out.push_str("\n#### Settings\n\n| key | default | meaning |\n|---|---|---|\n");
    for setting in settings {
        let words = setting.words.replace('|', "\\|");
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {words} |",
            setting.name,
            shortened(&setting.default.to_string())
        );
    }
}

/// Long lists are cut: `stackmill explain` shows them whole.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(80) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Mutation: add a dialect to any grammar without running this test with `STACKMILL_BLESS=1`. Grammars behind the feature
/// `heavy-grammars` are in the page's text.
#[test]
fn the_list_of_grammars_is_up_to_date() {
    if grammars().any(|grammar| grammar.language == "OCaml") {
        return skipped(
            "the list of grammars",
            "it is written without the feature `heavy-grammars`",
        );
    }
    up_to_date(GRAMMARS, &grammar_page());
}

fn grammar_page() -> String {
    let mut out = "# Grammars\n\nGenerated from the rows in `filters/src/syntax/grammars`. Languages have Linguist's names; \
        a dialect is parsed with the grammar of its row. JSX is part of JavaScript, `.tsx` files are the language TSX. \
        Objective-C++ is parsed as Objective-C and has more errors for it. \
        A fact that a language does not know is null, never 0.\n\n\
        With the cargo feature `heavy-grammars` there are also F# (`.fsi` apart), OCaml (`.mli` apart), SystemVerilog and \
        Verilog.\n\n\
        | language | dialects | definitions | functions | calls | imports | comments | docstrings | nesting |\n\
        |---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    let mut all: Vec<&Grammar> = grammars().collect();
    all.sort_by_key(|grammar| grammar.language.to_lowercase());
    for grammar in all {
        let told = [
            grammar.tells_definitions(),
            grammar.tells_functions(),
            grammar.tells_calls(),
            grammar.tells_imports(),
            grammar.tells_comments(),
            grammar.tells_docstrings(),
            grammar.tells_nesting(),
        ];
        let cells: Vec<&str> = told.iter().map(|told| if *told { "yes" } else { "" }).collect();
        let _ = writeln!(
            out,
            "| {} | {} | {} |",
            grammar.language,
            grammar.dialects.join(", "),
            cells.join(" | ")
        );
    }
    out
}
