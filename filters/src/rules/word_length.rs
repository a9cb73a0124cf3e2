//! Drops files whose words are very short or very long on average.
//!
//! # Why
//! Words of one letter are tables and formulas, words of dozens are keys and encoded data; names that people write
//! lie between.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::word_length::Config};
//!
//! assert!(Sample::text("a b c d").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("let total = price").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: a mean below 2 or above
//! 10 characters; text documents below 3 (Chinese 1.3) or above 10.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `word-length`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Smallest mean length of a word, in characters.
    pub minimum: f64,
    /// Largest mean length.
    pub maximum: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 2.0,
            maximum: 10.0,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "word-length";
    const SUMMARY: &'static str = "drops files whose words are very short or very long on average";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let words = facts.vocabulary();
        match rule::below(words.mean_length(), self.minimum) {
            Verdict::Keep => rule::above(words.mean_length(), self.maximum),
            dropped => dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("ab cd", "C", true),
            ("a bc", "C", false),
            ("0123456789", "C", true),
            ("0123456789a", "C", false),
            ("", "C", false),
        ];
        for (text, language, kept) in cases {
            let reason = Sample::text(text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
