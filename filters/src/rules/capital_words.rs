//! Drops texts in which many words are in capitals.
//!
//! # Why
//! Text that shouts is a banner, a license or spam.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::capital_words::Config};
//!
//! assert!(Sample::text("READ THIS now").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("Read this NOW").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: words all in capitals
//! above .5 of the words of an English text. Words are runs of letters, digits and `_`, or of punctuation.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `capital-words`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of the words, 0 to 1.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.5 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "capital-words";
    const SUMMARY: &'static str = "drops texts in which many words are in capitals";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let (mut capitals, mut words) = (0, 0);
        for word in rule::word_runs(file.text()) {
            words += 1;
            let has = |test: fn(char) -> bool| word.chars().any(test);
            capitals += u64::from(has(char::is_uppercase) && !has(char::is_lowercase));
        }
        rule::above(rule::ratio(capitals, words), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [("AB C1 d !", "C", true), ("AB C d", "C", false), ("", "C", true)];
        for (text, language, kept) in cases {
            let reason = Sample::text(text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
