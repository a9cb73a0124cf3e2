//! Drops commits whose message has few words, or very many.
//!
//! # Why
//! "fix" and "cleanup" say nothing of the change behind them. Usually only a share is dropped (`drop-share`).
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::subject_words::Config};
//!
//! assert!(Sample::subject("fix the build again").dropped_by(Config::default())?.is_some());
//! assert!(Sample::subject("fix the build on Windows").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder (Li et al. 2023, arXiv 2305.06161), `preprocessing/filtering_git_commits.ipynb` of bigcode-dataset: of those
//! with fewer than 5 words every second is kept. CommitPackFT (Muennighoff et al. 2023, arXiv 2308.07124): 5 to 999.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `subject-words`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest words, cut at white space, of the first line of the message.
    pub minimum: u64,
    /// Most words.
    pub maximum: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 5,
            maximum: 999,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "subject-words";
    const SUMMARY: &'static str = "drops commits whose message has few words, or very many";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[columns::CHANGE_SUBJECT];
    type Check = Self;

    fn build(self) -> Result<Self> {
        match self.minimum <= self.maximum {
            true => Ok(self),
            false => Err(Error::config(
                "`minimum` is above `maximum`, which would drop every commit",
            )),
        }
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        file.words(columns::CHANGE_SUBJECT)
            .map_or(Verdict::Keep, |subject| self.judge(subject))
    }
}

impl Config {
    fn judge(&self, subject: &str) -> Verdict {
        let words = rule::cut_at_space(subject).count() as u64;
        rule::first([rule::below(words, self.minimum), rule::above(words, self.maximum)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        for (subject, kept) in [
            ("", false),
            ("a", false),
            (" a  b ", true),
            ("a b\tc", true),
            ("a b c d", false),
        ] {
            let reason = Sample::subject(subject)
                .dropped_by(Config { minimum: 2, maximum: 3 })
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{subject:?}");
        }
        assert!(Config { minimum: 2, maximum: 1 }.build().is_err());
    }
}
