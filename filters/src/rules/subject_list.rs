//! Drops commits whose message is on a list, or holds what is on another.
//!
//! # Why
//! Programs and web forms write the same few messages over millions of changes.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::subject_list::Config};
//!
//! for subject in ["Update README.md", "Auto commit of today"] {
//!     assert!(Sample::subject(subject).dropped_by(Config::default())?.is_some());
//! }
//! assert!(Sample::subject("Update README.md again").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder (Li et al. 2023, arXiv 2305.06161), `preprocessing/filtering_git_commits.ipynb` of bigcode-dataset.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Reason, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `subject-list`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// First lines of messages, in any case.
    pub whole: Vec<String>,
    /// Parts of them, in any case.
    pub parts: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            whole: rule::words(&[
                "readme",
                "update",
                "dummy",
                "updated",
                "debug",
                "test",
                "update readme",
                "update readme.md",
                "updated readme.md",
                "updated readme",
            ]),
            parts: rule::words(&["auto commit", "update contributing", "<?xml"]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "subject-list";
    const SUMMARY: &'static str = "drops commits whose message is on a list";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[columns::CHANGE_SUBJECT];
    type Check = Self;

    fn build(self) -> Result<Self> {
        match self.parts.iter().any(String::is_empty) {
            true => Err(Error::config("`parts` has an empty entry, which every message holds")),
            false => Ok(Self {
                whole: lower(&self.whole),
                parts: lower(&self.parts),
            }),
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
        let subject = subject.to_lowercase();
        let whole = self.whole.iter().find(|entry| **entry == subject);
        let found = whole.or_else(|| self.parts.iter().find(|entry| subject.contains(*entry)));
        found.map_or(Verdict::Keep, |entry| Verdict::Drop(Reason::entry(entry)))
    }
}

fn lower(list: &[String]) -> Vec<String> {
    list.iter().map(|entry| entry.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn wholes_are_whole_and_parts_anywhere() {
        for (subject, kept) in [
            ("Up", false),
            ("up ", true),
            ("ups", true),
            ("a BCD", false),
            ("b", true),
            ("", true),
        ] {
            let reason = Sample::subject(subject)
                .dropped_by(Config {
                    whole: rule::words(&["uP"]),
                    parts: rule::words(&["bC"]),
                })
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{subject:?}");
        }
        assert!(
            Config {
                parts: vec![String::new()],
                ..Config::default()
            }
            .build()
            .is_err()
        );
    }
}
