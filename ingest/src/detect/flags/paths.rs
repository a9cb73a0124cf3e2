//! Vendored and documentation files, by their paths alone.

use std::sync::LazyLock;

use linguist::definitions::VENDOR;
use regex::{Regex, RegexBuilder};

/// Linguist's patterns of third parties' copies as one expression: one pass over a path, whatever their number.
static VENDORED: LazyLock<Option<Regex>> = LazyLock::new(|| one_of(VENDOR.iter().map(String::as_str)));

fn one_of<'a>(patterns: impl Iterator<Item = &'a str>) -> Option<Regex> {
    let parts: Vec<String> = patterns.map(|pattern| format!("(?:{pattern})")).collect();
    RegexBuilder::new(&parts.join("|")).unicode(true).build().ok()
}

/// Whether the file at `path` is a third party's copy. Source: Linguist, `vendor.yml`.
pub fn is_vendored(path: &str) -> bool {
    VENDORED.as_ref().is_some_and(|regex| regex.is_match(path))
}

/// Folders of documentation at the root of a repository, in lower case with either case of the first letter.
const ROOT_FOLDERS: &[&str] = &["doc", "docs", "man", "examples", "demo", "demos", "sample", "samples"];
/// Folders of documentation anywhere, likewise.
const FOLDERS: &[&str] = &["documentation", "groovydoc", "javadoc"];
/// Names of documentation files, alone or before a dot.
const FILES: &[&str] = &[
    "CHANGE",
    "CHANGES",
    "CHANGELOG",
    "CONTRIBUTING",
    "COPYING",
    "INSTALL",
    "LICENSE",
    "LICENCE",
    "License",
    "Licence",
    "license",
    "licence",
    "README",
    "Readme",
    "readme",
];
/// Names of citation files.
const CITATIONS: &[&str] = &[
    "CITATION",
    "CITATION.cff",
    "CITATION.bib",
    "CITATION.md",
    "CITATIONS",
    "CITATIONS.bib",
    "CITATIONS.md",
];

/// Whether the file at `path` is documentation: what Linguist leaves out of statistics as such.
/// Source: the conventions that Linguist's `documentation.yml` lists.
pub fn is_documentation(path: &str) -> bool {
    let (folders, file_name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = file_name.split('.').next().unwrap_or(file_name);
    if FILES.contains(&stem) || CITATIONS.contains(&file_name) {
        return true;
    }
    let mut components = folders.split('/');
    let root = components.next().unwrap_or_default();
    let is_in = |folder: &str, list: &[&str]| list.contains(&uncapitalised(folder).as_str());
    is_in(root, ROOT_FOLDERS)
        || folders.split('/').any(|folder| is_in(folder, FOLDERS))
        || folders == "inst/doc"
        || folders.ends_with("/inst/doc")
        || folders.starts_with("inst/doc/")
        || folders.contains("/inst/doc/")
}

/// `Docs` is `docs`; `DOCS` is not.
fn uncapitalised(word: &str) -> String {
    let mut characters = word.chars();
    let first = characters.next().map(|first| first.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_is_in() {
        assert!(VENDOR.len() > 100);
        for pattern in VENDOR.iter() {
            assert!(Regex::new(pattern).is_ok(), "{pattern}");
        }
        assert!(VENDORED.is_some());
    }

    #[test]
    fn third_parties_copies() {
        for path in [
            "node_modules/react/index.js",
            "a/vendor/b.rb",
            "third_party/x.c",
            "web/jquery-3.1.min.js",
            "configure",
            "types/index.d.ts",
            ".github/workflows/ci.yml",
            "ext/Extern/x.c",
            "web/react-dom.js",
        ] {
            assert!(is_vendored(path), "{path}");
        }
        for path in [
            "src/main.rs",
            "vendored.rs",
            "src/configure.ac",
            "",
            "lib/min.js.txt",
            "reacts.jsx",
        ] {
            assert!(!is_vendored(path), "{path}");
        }
    }

    #[test]
    fn documentation() {
        for path in [
            "docs/a.md",
            "Doc/a.py",
            "x/Documentation/b.txt",
            "README",
            "x/readme.md",
            "CITATION.cff",
            "inst/doc/x.R",
            "a/inst/doc/b/x.R",
            "LICENSE-MIT.md",
            "Samples/x.c",
        ] {
            assert_eq!(is_documentation(path), path != "LICENSE-MIT.md", "{path}");
        }
        for path in [
            "src/docs/a.rs",
            "DOCS/a.md",
            "READMEX",
            "doc.rs",
            "examples.rs",
            "doc",
            "Citation.bib",
            "",
        ] {
            assert!(!is_documentation(path), "{path}");
        }
    }
}
