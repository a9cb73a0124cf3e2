//! Drops Python files with many empty bodies.
//!
//! # Why
//! `pass` stands where something is to be written: a file of such places is a sketch.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::pass_lines::Config};
//!
//! assert!(Sample::text("def f():\n    pass\n").language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("def f():\n    return passed\n").language("Python").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: lines that hold "pass",
//! as a part of other words too, above .05 of the lines of code, in Python.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `pass-lines`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of the lines of code, 0 to 1; blank lines and comments are left out.
    pub limit: f64,
    /// What counts, upper and lower case told apart.
    pub words: Vec<String>,
    /// Whether a word counts inside a longer one too, in any case (`assert` in `assertion`), as the original counts.
    pub anywhere: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 0.05,
            words: rule::words(&["pass"]),
            anywhere: false,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "pass-lines";
    const SUMMARY: &'static str = "drops Python files with many empty bodies";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        rule::filled("words", &self.words)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let source = facts.source(file.language());
        let share = source.line_share(|line| rule::mentions(line, &self.words, self.anywhere));
        rule::above(share, self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("pass\n".to_owned() + &"x\n".repeat(19), "Python", true),
            ("pass\n".to_owned() + &"x\n".repeat(18), "Python", false),
            ("passed\n".to_owned(), "Python", true),
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
