//! Rust sources as tidy checks read them: comments, texts and test modules blanked out, lines kept.

use std::fs;
use std::path::{Path, PathBuf};

use stackmill_tests::root;

/// The crates of the workspace by folder.
pub(super) const CRATES: [&str; 9] = [
    "schemas",
    "ingest",
    "filters",
    "dedup",
    "tokenize",
    "pipelines",
    "tests",
    "benches",
    "python",
];

/// One `.rs` file.
pub(super) struct Source {
    /// The crate's folder.
    pub(super) krate: &'static str,
    /// Path from the root, with `/`.
    pub(super) path: String,
    /// As it is.
    pub(super) text: String,
    /// Without comments, texts and test modules; lines are kept.
    pub(super) code: String,
    /// Whether it is compiled for tests alone.
    pub(super) is_test: bool,
}

/// Every `.rs` file of the workspace, sorted.
pub(super) fn all() -> Vec<Source> {
    let mut sources: Vec<Source> = CRATES.into_iter().flat_map(of_crate).collect();
    let tests: Vec<String> = sources.iter().flat_map(test_files).collect();
    for source in &mut sources {
        source.is_test = source.krate == "tests" || tests.contains(&source.path) || source.path.contains("/tests/");
    }
    sources
}

/// As [`all`], without files that only tests see.
pub(super) fn shipped() -> Vec<Source> {
    all().into_iter().filter(|source| !source.is_test).collect()
}

/// Files below `folder`, sorted; hidden ones and build output left out.
pub(super) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" || name == "out" {
            continue;
        }
        match entry.path().is_dir() {
            true => found.extend(files_below(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found.sort();
    found
}

fn of_crate(krate: &'static str) -> Vec<Source> {
    let root = root();
    let files = files_below(&root.join(krate))
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"));
    files
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let code = without_tests(&blanked(&text));
            let path = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
            Source {
                krate,
                path,
                text,
                code,
                is_test: false,
            }
        })
        .collect()
}

/// The files of `#[cfg(test)] mod name;`.
fn test_files(source: &Source) -> Vec<String> {
    let (folder, file) = source.path.rsplit_once('/').unwrap_or(("", &source.path));
    let stem = file.trim_end_matches(".rs");
    let below = if ["mod", "lib", "main"].contains(&stem) {
        folder.to_owned()
    } else {
        format!("{folder}/{stem}")
    };
    let lines: Vec<&str> = source.text.lines().map(str::trim).collect();
    let pairs = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let names = pairs.filter_map(|pair| pair[1].rsplit_once("mod ")?.1.strip_suffix(';'));
    names.map(|name| format!("{below}/{name}.rs")).collect()
}

/// The text with comments and the insides of texts and characters turned into blanks.
pub(super) fn blanked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = skipped_to(&chars, at);
        if end == at {
            out.push(chars[at]);
            at += 1;
            continue;
        }
        out.extend(chars[at..end].iter().map(|&c| if c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

/// Where what begins at `at` ends, if it is a comment, a text or a character; else `at`.
fn skipped_to(chars: &[char], at: usize) -> usize {
    let next = |ahead: usize| chars.get(at + ahead).copied();
    let find = |from: usize, what: &[char]| {
        (from..chars.len())
            .find(|&i| chars[i..].starts_with(what))
            .map_or(chars.len(), |i| i + what.len())
    };
    let in_word = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') && chars[at - 1] != 'b';
    match (chars[at], next(1)) {
        ('/', Some('/')) => find(at, &['\n']) - 1,
        ('/', Some('*')) => find(at, &['*', '/']),
        ('r', Some('"' | '#')) if !in_word => {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            if next(1 + hashes) != Some('"') {
                return at;
            }
            find(at + 2 + hashes, &[&['"'][..], &vec!['#'; hashes]].concat())
        }
        ('"', _) => closing(chars, at, '"'),
        ('\'', Some('\\')) => closing(chars, at, '\''),
        ('\'', Some(_)) if next(2) == Some('\'') => at + 3,
        _ => at,
    }
}

fn closing(chars: &[char], at: usize, quote: char) -> usize {
    let mut i = at + 1;
    while i < chars.len() && chars[i] != quote {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    (i + 1).min(chars.len())
}

/// Blanked code without items under `#[cfg(test)]`.
fn without_tests(code: &str) -> String {
    let mut out = code.to_owned();
    while let Some(start) = out.find("#[cfg(test)]") {
        let end = item_end(&out, start + "#[cfg(test)]".len());
        let blank: String = out[start..end]
            .chars()
            .map(|c| if c == '\n' { '\n' } else { ' ' })
            .collect();
        out.replace_range(start..end, &blank);
    }
    out
}

/// Where the item that begins behind `start` ends: at a `;` before any brace, or at its closing brace.
pub(super) fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_u32;
    for (i, c) in code[start..].char_indices() {
        match c {
            ';' if depth == 0 => return start + i + 1,
            '{' => depth += 1,
            '}' if depth <= 1 => return start + i + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    code.len()
}

#[test]
fn sources_are_read_as_meant() {
    let text = "a // \"b\n'\"' 'x \"c\\\"d\" r#\"e\"f\"# /* g */ h\n#[cfg(test)]\nmod t { fn k() { }\n }\nfn i() {}\n";
    let code = without_tests(&blanked(text));
    assert_eq!(
        code.split_whitespace().collect::<Vec<_>>(),
        ["a", "'x", "h", "fn", "i()", "{}"]
    );
    assert_eq!(code.lines().count(), text.lines().count());
}
