//! Drops files in which one n-gram of words makes up much of the text.
//!
//! # Why
//! A phrase that returns on every line is a template filled in, a table or a log.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::top_ngrams::Config};
//!
//! assert!(Sample::text(&"insert into t values ".repeat(20)).dropped_by(Config::default())?.is_some());
//! let words: Vec<String> = (0..30).map(|i| format!("word{i}")).collect();
//! assert!(Sample::text(&words.join(" ")).dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release, after RedPajama v2:
//! characters of the most frequent n-gram, all occurrences together, above .20, .18 and .16 of the characters of
//! words for n of 2, 3 and 4.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `top-ngrams`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share that the most frequent pair of words may be of the characters of all words.
    pub two: f64,
    /// The same for three words in a row.
    pub three: f64,
    /// The same for four.
    pub four: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            two: 0.2,
            three: 0.18,
            four: 0.16,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "top-ngrams";
    const SUMMARY: &'static str = "drops files in which one n-gram of words makes up much of the text";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        let limits = [("two", self.two), ("three", self.three), ("four", self.four)];
        limits
            .into_iter()
            .try_for_each(|(key, limit)| rule::share(key, limit))?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let words = facts.vocabulary();
        let limits = [(2, self.two), (3, self.three), (4, self.four)];
        let verdicts = limits.map(|(n, limit)| rule::above(words.top_share(n), limit));
        rule::first(verdicts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            (
                format!("ab cd ab cd {}", (10..26).map(|i| format!("{i} ")).collect::<String>()),
                "C",
                true,
            ),
            (
                format!("ab cd ab cd {}", (10..25).map(|i| format!("{i} ")).collect::<String>()),
                "C",
                false,
            ),
            (String::new(), "C", true),
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
