//! Drops files that consist of n-grams of words which they repeat.
//!
//! # Why
//! What was copied and pasted inside a file, record after record, is learnt from its first copy.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::repeated_ngrams::Config};
//!
//! assert!(Sample::text(&"one two three four five six ".repeat(20)).dropped_by(Config::default())?.is_some());
//! let words: Vec<String> = (0..30).map(|i| format!("word{i}")).collect();
//! assert!(Sample::text(&words.join(" ")).dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release, after RedPajama v2:
//! characters of words in n-grams that occur twice or more, overlaps counted once, above .80 for n of 5, .70 for 6 to
//! 9 and .60 for 10; HTML and text documents .60 for all.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `repeated-ngrams`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest shares of the characters of all words, for n-grams of 5, 6, 7, 8, 9 and 10 words in this order.
    pub limits: Vec<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limits: vec![0.8, 0.7, 0.7, 0.7, 0.7, 0.6],
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "repeated-ngrams";
    const SUMMARY: &'static str = "drops files that consist of n-grams of words which they repeat";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        if self.limits.len() > 6 {
            return Err(
                Error::config("`limits` has more than six shares").hint("they are for n-grams of 5 to 10 words")
            );
        }
        self.limits.iter().try_for_each(|limit| rule::share("limits", *limit))?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let words = facts.vocabulary();
        let shares = (SHORTEST..).zip(&self.limits);
        rule::first(shares.map(|(n, limit)| rule::above(words.repeated_share(n), *limit)))
    }
}

/// Words of the shortest n-gram.
const SHORTEST: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("aa b c d e f aa b c d e gg", "C", true),
            ("aa b c d e f aa b c d e g", "C", false),
            ("", "C", true),
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
