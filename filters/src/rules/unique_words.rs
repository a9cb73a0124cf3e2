//! Drops files that repeat few words.
//!
//! # Why
//! Data of records says the same keys over and over: its variety of words is small, and so is what a model can learn
//! from it.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::unique_words::Config};
//!
//! assert!(Sample::text("id name id name id name").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("each word once").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: distinct words below .4
//! of all words, in data.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `unique-words`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Smallest share of distinct words, 0 to 1; a file without words has 0.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.4 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "unique-words";
    const SUMMARY: &'static str = "drops files that repeat few words";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let words = facts.vocabulary();
        rule::below(words.unique_share(), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [("a a a b b", "C", true), ("a a a a b b", "C", false)];
        for (text, language, kept) in cases {
            let reason = Sample::text(text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
