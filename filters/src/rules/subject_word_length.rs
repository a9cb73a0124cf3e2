//! Drops commits whose message has very long words, or none.
//!
//! # Why
//! Ids, hashes and addresses are no sentences. A message of no words says nothing.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::subject_word_length::Config};
//!
//! assert!(Sample::subject("https://example.org/a/b/c").dropped_by(Config::default())?.is_some());
//! assert!(Sample::subject("").dropped_by(Config::default())?.is_some());
//! assert!(Sample::subject("see https://example.org/a/b/c").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder (Li et al. 2023, arXiv 2305.06161), `preprocessing/filtering_git_commits.ipynb` of bigcode-dataset: more than
//! 20 characters a word, spaces counted; no words; one word behind a space.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `subject-word-length`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most characters a word: all characters of the first line of the message, over its words.
    pub limit: f64,
    /// Whether one word behind a space is dropped.
    pub lone: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 20.0,
            lone: true,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "subject-word-length";
    const SUMMARY: &'static str = "drops commits whose message has very long words, or none";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[columns::CHANGE_SUBJECT];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
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
        if words == 0 {
            return Verdict::Drop(Reason::entry("no words"));
        }
        if self.lone && words == 1 && subject.starts_with(' ') {
            return Verdict::Drop(Reason::entry("one word behind a space"));
        }
        rule::above(rule::ratio(subject.chars().count() as u64, words), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn the_limit_itself_is_kept() {
        for (subject, kept) in [
            ("", false),
            (" ", false),
            ("abc", true),
            ("abcd", false),
            ("abc d", true),
            (" a", false),
            ("\ta", true),
            ("ééé", true),
        ] {
            let reason = Sample::subject(subject)
                .dropped_by(Config { limit: 3.0, lone: true })
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{subject:?}");
        }
        let lone = Config {
            limit: 3.0,
            lone: false,
        };
        assert!(
            Sample::subject(" a")
                .dropped_by(lone)
                .expect("valid settings")
                .is_none()
        );
    }
}
