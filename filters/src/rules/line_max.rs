//! Drops files with a very long line.
//!
//! # Why
//! Lines of thousands of characters are minified code, embedded data or tables. Markup and data formats have long lines
//! for good reasons, so they have a limit of their own.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::line_max::Config};
//!
//! let long = "x".repeat(1001);
//! assert!(Sample::text(&long).language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text(&long).language("Markdown").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173): longest line above 1000 characters, except HTML,
//! JSON, Markdown, Roff, Roff Manpage, SMT, TeX, Text and XML, where it is 100 000. CodeParrot, SantaCoder and
//! StarCoder have 1000 too.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Languages of The Stack v2 in which long lines are ordinary.
pub const LONG_LINES: [&str; 9] = [
    "HTML",
    "JSON",
    "Markdown",
    "Roff",
    "Roff Manpage",
    "SMT",
    "TeX",
    "Text",
    "XML",
];

/// Settings of `line-max`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most characters of the longest line, its line end not counted.
    pub limit: u64,
    /// The same for `relaxed-languages`.
    pub relaxed_limit: u64,
    /// Languages in which long lines are ordinary, as Linguist names them.
    pub relaxed_languages: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 1000,
            relaxed_limit: 100_000,
            relaxed_languages: rule::words(&LONG_LINES),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "line-max";
    const SUMMARY: &'static str = "drops files with a very long line";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::positive("limit", self.limit)?;
        rule::positive("relaxed-limit", self.relaxed_limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        match rule::on_list(&self.relaxed_languages, file.language()) {
            true => rule::above(facts.line_max(), self.relaxed_limit),
            false => rule::above(facts.line_max(), self.limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn each_limit_itself_is_kept() {
        let cases = [
            (1000, "Python", true),
            (1001, "Python", false),
            (1001, "Roff Manpage", true),
            (100_000, "JSON", true),
            (100_001, "JSON", false),
        ];
        for (length, language, kept) in cases {
            let text = format!("short\n{}\r\nshort\n", "é".repeat(length));
            let reason = Sample::text(&text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{length} {language}");
        }
    }
}
