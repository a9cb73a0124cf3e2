//! Drops files that do little but assert.
//!
//! # Why
//! A test that is a table of expected values teaches the values.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::assert_lines::Config};
//!
//! assert!(Sample::text("assert a == b\nassert c == d\n").language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("a = f()\nb = g()\nassert a == b\n").language("Python").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: lines that hold "assert",
//! as a part of other words too, above .4 of the lines of code.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `assert-lines`.
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
            limit: 0.4,
            words: rule::words(&[
                "assert",
                "assert_eq",
                "assertEquals",
                "assertEqual",
                "assertThat",
                "assertTrue",
            ]),
            anywhere: false,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "assert-lines";
    const SUMMARY: &'static str = "drops files that do little but assert";
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
            ("assert a\n".repeat(2) + &"x\n".repeat(3), "Python", true),
            ("assert a\n".repeat(3) + &"x\n".repeat(4), "Python", false),
            ("assertion\n".repeat(9), "Python", true),
            ("# assert\n".repeat(9), "Python", true),
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
