//! Drops files of few words.
//!
//! # Why
//! A file of a few words is a stub: it says nothing that its name does not say.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::word_count::Config};
//!
//! assert!(Sample::text("export default config;").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text(&"word ".repeat(30)).dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: fewer than 30 words; text
//! documents fewer than 50. Words are cut after lower-casing, ASCII punctuation separates them.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `word-count`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest words.
    pub minimum: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { minimum: 30 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "word-count";
    const SUMMARY: &'static str = "drops files of few words";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let words = facts.vocabulary();
        rule::below(words.count(), self.minimum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [("w ".repeat(30), "C", true), ("w ".repeat(29), "C", false)];
        for (text, language, kept) in cases {
            let reason = Sample::text(&text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
