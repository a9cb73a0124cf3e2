//! Drops C and C++ files that are mostly directives.
//!
//! # Why
//! A file of `#define` and `#include` is a table of constants or a list of headers.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::preprocessor_lines::Config};
//!
//! assert!(Sample::text("#define A 1\n#define B 2\n").language("C").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("#define A 1\nint a;\n").language("C").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: directives above .8 of
//! the lines of code, in C and C++, headers excepted. Its code counts lines that hold "struct" or "using" as well
//! (`words`).

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `preprocessor-lines`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of the lines of code, 0 to 1; blank lines and comments are left out.
    pub limit: f64,
    /// Words that make a line count although no `#` begins it.
    pub words: Vec<String>,
    /// Extensions that the rule leaves alone, in lower case.
    pub exempt_extensions: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 0.8,
            words: Vec::new(),
            exempt_extensions: rule::words(&["h", "hpp", "hxx", "hh", "h++"]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "preprocessor-lines";
    const SUMMARY: &'static str = "drops C and C++ files that are mostly directives";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language", "path"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let extension = file.extension().to_lowercase();
        if self.exempt_extensions.contains(&extension) {
            return Verdict::Keep;
        }
        let source = facts.source(file.language());
        let counts =
            |line: &str| line.trim_start().starts_with('#') || self.words.iter().any(|word| line.contains(word));
        rule::above(source.line_share(counts), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("#if 1\n".repeat(4) + "x\n", "C", true),
            ("# if 1\n".repeat(5) + "x\n", "C", false),
            ("// #if\n".to_owned(), "C", true),
        ];
        for (text, language, kept) in cases {
            let reason = Sample::text(&text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
