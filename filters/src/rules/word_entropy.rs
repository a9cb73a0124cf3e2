//! Drops texts whose words are distributed without surprise.
//!
//! # Why
//! A text in which a few words make up everything is a list, a log or a template.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::word_entropy::Config};
//!
//! assert!(Sample::text(&"yes no ".repeat(50)).dropped_by(Config::default())?.is_some());
//! let words: Vec<String> = (0..30).map(|i| format!("word{i}")).collect();
//! assert!(Sample::text(&words.join(" ")).dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: entropy of the
//! distribution of words below 3 nats, in text documents.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `word-entropy`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Smallest entropy of the distribution of words, in nats.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 3.0 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "word-entropy";
    const SUMMARY: &'static str = "drops texts whose words are distributed without surprise";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let words = facts.vocabulary();
        rule::below(words.entropy(), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ((0..21).map(|i| format!("w{i} ")).collect(), "C", true),
            ((0..20).map(|i| format!("w{i} ")).collect::<String>(), "C", false),
            (String::new(), "C", false),
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
