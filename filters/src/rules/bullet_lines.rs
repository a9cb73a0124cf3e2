//! Drops texts that are lists from end to end.
//!
//! # Why
//! A text of nothing but points is a table of contents, a menu or a change log.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::bullet_lines::Config};
//!
//! assert!(Sample::text("- one\n- two\n").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("Two things:\n- one\n- two\n").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: lines that begin with a
//! bullet above .9 of all lines of a text.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `bullet-lines`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of all lines, 0 to 1.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.9 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "bullet-lines";
    const SUMMARY: &'static str = "drops texts that are lists from end to end";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let lines = file
            .text()
            .lines()
            .filter(|line| line.trim_start().starts_with(BULLETS))
            .count();
        rule::above(rule::ratio(lines as u64, facts.lines()), self.limit)
    }
}

/// Signs that begin a point of a list.
const BULLETS: [char; 13] = ['-', '*', '+', '•', '‣', '▶', '◀', '◦', '■', '□', '▪', '▫', '–'];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("- a\n".repeat(9) + "x\n", "C", true),
            ("* a\n".repeat(10) + "x\n", "C", false),
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
