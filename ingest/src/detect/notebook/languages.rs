//! The languages of kernels, and how a line of each is made a comment.

use crate::detect::language::by_alias;

/// Names of kernels that are not names of their languages.
const KERNELS: &[(&str, &str)] = &[
    ("ijavascript", "JavaScript"),
    ("ipython", "Python"),
    ("ir", "R"),
    ("irkernel", "R"),
    ("ispark", "Scala"),
    ("pyspark", "Python"),
    ("pysparkkernel", "Python"),
    ("sagemath", "Sage"),
    ("sparkkernel", "Scala"),
    ("toree", "Scala"),
    ("tslab", "TypeScript"),
    ("xcpp", "C++"),
];

/// What makes a line a comment, by language; `#` for all others.
const COMMENTS: &[(&str, &[&str])] = &[
    (
        "//",
        &[
            "C",
            "C#",
            "C++",
            "D",
            "Dart",
            "F#",
            "Go",
            "Groovy",
            "Java",
            "JavaScript",
            "Kotlin",
            "Objective-C",
            "PHP",
            "Q#",
            "Rust",
            "Scala",
            "Scilab",
            "Stan",
            "Swift",
            "TypeScript",
            "Zig",
        ],
    ),
    (
        "--",
        &[
            "Ada",
            "Elm",
            "Haskell",
            "Idris",
            "Lean",
            "Lua",
            "PLSQL",
            "PLpgSQL",
            "PureScript",
            "SQL",
        ],
    ),
    ("%", &["Erlang", "MATLAB", "Prolog", "TeX"]),
    (";", &["Clojure", "Common Lisp", "Emacs Lisp", "Racket", "Scheme"]),
    ("!", &["Fortran", "Fortran Free Form"]),
    ("*", &["SAS", "Stata"]),
];

/// Linguist's name of a language or a kernel.
pub(super) fn named(name: &str) -> Option<&'static str> {
    let lower = name.trim().to_lowercase();
    // Versions are written behind: `python3`, `julia-1.9`, `scala212`.
    let bare = lower.trim_end_matches(|last: char| last.is_ascii_digit() || matches!(last, '.' | '-'));
    let kernel = KERNELS
        .iter()
        .find(|(kernel, _)| *kernel == bare)
        .map(|(_, language)| *language);
    by_alias(&lower).or(kernel).or_else(|| by_alias(bare))
}

/// What a comment begins with.
pub(super) fn comment(language: Option<&str>) -> &'static str {
    let language = language.unwrap_or_default();
    let found = COMMENTS.iter().find(|(_, languages)| languages.contains(&language));
    found.map_or("#", |(comment, _)| comment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_have_languages() {
        for (name, language) in [
            ("python3", Some("Python")),
            ("Python", Some("Python")),
            ("julia-1.9", Some("Julia")),
            ("ir", Some("R")),
            ("scala212", Some("Scala")),
            ("xcpp17", Some("C++")),
            ("csharp", Some("C#")),
            ("conda-env-base-py", None),
            ("", None),
        ] {
            assert_eq!(named(name), language, "{name}");
        }
    }

    #[test]
    fn every_language_of_the_table_is_one() {
        let kernels = KERNELS.iter().map(|(_, language)| *language);
        let comments = COMMENTS.iter().flat_map(|(_, languages)| languages.iter().copied());
        for language in kernels.chain(comments) {
            assert_eq!(by_alias(language), Some(language));
        }
    }
}
