//! Drops files to which somebody else's model gave a low score.
//!
//! # Why
//! What a corpus wants is often judged by a model outside of it: educational value, quality, kind. Its verdict comes
//! as a column of the input table.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::score::Config};
//!
//! let file = |score| Sample { score, ..Sample::default() };
//! let config = Config { minimum: 2.5, ..Config::default() };
//! assert!(file(Some(2.5)).dropped_by(config.clone())?.is_none());
//! assert!(file(Some(2.4)).dropped_by(config.clone())?.is_some());
//! assert!(file(None).dropped_by(config)?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! phi-1 (Gunasekar et al. 2023, arXiv 2306.11644) kept what a classifier trained on labels of GPT-4 found
//! educational; Seed-Coder (2025) dropped the lowest tenth by a model's score. Neither publishes its model. The
//! column is named in the source: `columns = { score = "…" }`.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `score`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Lowest score that is kept.
    pub minimum: f64,
    /// Highest score that is kept.
    pub maximum: f64,
    /// Whether files without a score are kept.
    pub keep_unknown: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 0.0,
            maximum: f64::MAX,
            keep_unknown: false,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "score";
    const SUMMARY: &'static str = "drops files to which somebody else's model gave a low score";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &["score"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        match self.minimum <= self.maximum {
            true => Ok(self),
            false => Err(Error::config(
                "`minimum` is above `maximum`, which would drop every file",
            )),
        }
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        match file.score() {
            None if self.keep_unknown => Verdict::Keep,
            None => Verdict::Drop(Reason::entry("no score")),
            Some(score) => rule::first([rule::below(score, self.minimum), rule::above(score, self.maximum)]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [("0", "", true), ("-0.1", "", false), ("", "", false)];
        for (text, language, kept) in cases {
            let reason = Sample {
                score: text.parse().ok(),
                ..Sample::default()
            }
            .dropped_by(Config::default())
            .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
