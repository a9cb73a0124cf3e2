//! Sizes, documentation and wording of files; what the repository must and must not hold.

use std::collections::BTreeSet;
use std::fs;

use stackmill_tests::root;

use super::none;
use super::source::{self, Source, files_below, item_end};

/// Files that are one table of data.
const PURE_TABLES: [&str; 1] = ["ingest/src/detect/language/words.rs"];
/// Files that may hold `unsafe`: kernels with a safe twin that they are tested against.
const KERNELS: [&str; 3] = [
    "dedup/src/contamination/kernel.rs",
    "dedup/src/contamination/x86.rs",
    "dedup/src/near/kernel.rs",
];

/// Mutation: delete the first line of any file.
#[test]
fn every_file_says_what_it_is_for() {
    let silent = source::all()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "));
    none(
        &silent.map(|source| source.path).collect::<Vec<_>>(),
        "begin each file with `//!` and one sentence",
    );
}

/// Mutation: append 500 lines of code to `dedup/src/exact.rs`.
#[test]
fn files_are_short() {
    let wanted = source::shipped()
        .into_iter()
        .filter(|source| !PURE_TABLES.contains(&source.path.as_str()));
    let long = wanted
        .map(|source| (length_without_tests(&source), source))
        .filter(|(lines, _)| *lines > 500);
    let findings: Vec<String> = long
        .map(|(lines, source)| format!("{}: {lines} lines", source.path))
        .collect();
    none(
        &findings,
        "cut files over 500 lines by topic; only pure tables of data may be longer",
    );
}

/// Lines up to the file's own `mod tests`.
fn length_without_tests(source: &Source) -> usize {
    let lines: Vec<&str> = source.text.lines().collect();
    let tests = lines
        .windows(2)
        .position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests {"));
    tests.unwrap_or(lines.len())
}

/// Mutation: `#[allow(unsafe_code)] unsafe fn f() {}` in any file.
#[test]
fn unsafe_code_lives_in_named_kernels() {
    let used = |source: &Source| {
        source
            .code
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == "unsafe")
    };
    let findings: Vec<String> = source::all()
        .into_iter()
        .filter(|source| used(source) && !KERNELS.contains(&source.path.as_str()))
        .map(|source| source.path)
        .collect();
    none(
        &findings,
        "write it safely, or name the kernel here with its safe twin and a test that compares them",
    );
}

/// Mutation: `todo!()` in any function.
#[test]
fn nothing_is_left_for_later() {
    let mut findings = Vec::new();
    for source in source::all() {
        for (number, (code, text)) in source.code.lines().zip(source.text.lines()).enumerate() {
            let words = ["TODO", "FIXME", "PLACEHOLDER"];
            let left = code.contains("todo!") || code.contains("unimplemented!");
            let noted = source.krate != "tests" && words.iter().any(|word| text.contains(word));
            findings.extend((left || noted).then(|| format!("{}:{}: {}", source.path, number + 1, text.trim())));
        }
    }
    none(&findings, "finish it, or write an issue and take the words out");
}

/// Mutation: put 60 lines into every second function.
#[test]
fn functions_are_short() {
    let mut lengths: Vec<(usize, String)> = source::shipped().iter().flat_map(function_lengths).collect();
    lengths.sort();
    let at = |share: usize| &lengths[lengths.len() * share / 100];
    let summary = format!("{} functions: median {}, 95% {}", lengths.len(), at(50).0, at(95).0);
    assert!(
        at(50).0 <= 8,
        "{summary}: half of all functions should have at most 8 lines"
    );
    assert!(
        at(95).0 <= 50,
        "{summary}: 95% of all functions should have at most 50 lines"
    );
    let long: Vec<String> = lengths
        .iter()
        .filter(|(lines, _)| *lines > 80)
        .map(|(l, at)| format!("{at}: {l}"))
        .collect();
    none(&long, "cut functions over 80 lines");
}

/// Lines of every function with a body, and where it is.
fn function_lengths(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in source.code.match_indices("fn ") {
        let begins = !source.code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let named = source.code[at + 3..].starts_with(|c: char| c.is_alphabetic() || c == '_');
        let end = item_end(&source.code, at);
        if begins && named && source.code[at..end].ends_with('}') {
            let line = source.code[..at].lines().count();
            found.push((source.code[at..end].lines().count(), format!("{}:{line}", source.path)));
        }
    }
    found
}

/// Mutation: delete the line on `make test` from README.md.
#[test]
fn the_front_page_names_the_two_commands() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap_or_default();
    for command in ["make demo", "make test"] {
        assert!(readme.contains(command), "README.md must name `{command}`");
    }
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap_or_default();
    let lines = changelog.lines().filter(|line| line.starts_with("- ")).count();
    assert!(
        lines > 0,
        "CHANGELOG.md must have a line, `- …`, for each change that a user sees"
    );
}

/// Where things are downloaded from is the business of the machine, not of the repository.
/// Mutation: `--index-url https://example.com/simple` in `tests/requirements.txt`.
#[test]
fn no_registry_is_named() {
    let mut findings = Vec::new();
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap_or_default();
    let sources: BTreeSet<&str> = lock.lines().filter(|line| line.starts_with("source = ")).collect();
    let foreign = sources
        .iter()
        .filter(|line| sources.len() > 1 || !line.contains("\"registry+"));
    findings.extend(foreign.map(|line| format!("Cargo.lock: {line}")));
    for name in [".cargo/config.toml", ".cargo/config", "pip.conf", ".netrc", ".pypirc"] {
        findings.extend(root().join(name).exists().then(|| name.to_owned()));
    }
    for name in ["Makefile", "tests/requirements.txt", ".ci/run", "Cargo.toml"] {
        let text = fs::read_to_string(root().join(name)).unwrap_or_default();
        let hosts = text
            .split("://")
            .skip(1)
            .map(|rest| rest.split(['/', '"', ' ']).next().unwrap_or(rest));
        findings.extend(
            hosts
                .filter(|host| *host != "github.com")
                .map(|host| format!("{name}: {host}")),
        );
        findings.extend(text.contains("index-url").then(|| format!("{name}: index-url")));
    }
    none(&findings, "registries are set up outside of the repository");
}

/// Bytes of a pack that may hold its name, address and licence.
const HEADER: usize = 300;

/// Packs hold hashes and ids of items, no text of a benchmark.
/// Mutation: append the words `return the sum of two numbers` to a pack.
#[test]
fn packs_hold_no_benchmark_text() {
    let packs = files_below(&root().join("dedup/packs"));
    assert!(!packs.is_empty(), "packs are in dedup/packs");
    let mut findings = Vec::new();
    for pack in packs {
        let bytes = fs::read(&pack).expect("packs can be read");
        let is_prose = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b' ';
        // The header has a licence in words; ids have names of functions, but no two words.
        let runs = bytes[bytes.len().min(HEADER)..]
            .split(|byte| !is_prose(byte))
            .filter(|run| run.len() >= 14 && run.trim_ascii().contains(&b' '));
        findings.extend(runs.map(|run| format!("{}: {:?}", pack.display(), String::from_utf8_lossy(run))));
    }
    none(
        &findings,
        "build the pack anew with `stackmill benchmarks build`; only names, ids and hashes go in",
    );
}
