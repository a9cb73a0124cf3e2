//! Drops commits to very long files, and those that leave a file empty.
//!
//! # Why
//! A change in a file of megabytes cannot be read in context, and a file that is deleted teaches nothing about edits.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::change_size::Config};
//!
//! let commit = |old, new| Sample {
//!     numbers: vec![("change_old_characters", old), ("change_new_characters", new)],
//!     ..Sample::default()
//! };
//! assert!(commit(99_999, 1).dropped_by(Config::default())?.is_none());
//! assert!(commit(100_000, 1).dropped_by(Config::default())?.is_some());
//! assert!(commit(10, 0).dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder (Li et al. 2023, arXiv 2305.06161), `preprocessing/filtering_git_commits.ipynb` of bigcode-dataset: fewer
//! than 100,000 characters before, some after. CommitPackFT (Muennighoff et al. 2023, arXiv 2308.07124): fewer than 50,000.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `change-size`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most characters of the file before the commit.
    pub maximum: i64,
    /// Fewest characters of the file after the commit.
    pub minimum: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            maximum: 99_999,
            minimum: 1,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "change-size";
    const SUMMARY: &'static str = "drops commits to very long files, and those that leave a file empty";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[columns::CHANGE_OLD_CHARACTERS, columns::CHANGE_NEW_CHARACTERS];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let (old, new) = (
            file.number(columns::CHANGE_OLD_CHARACTERS),
            file.number(columns::CHANGE_NEW_CHARACTERS),
        );
        rule::first([
            old.map_or(Verdict::Keep, |old| rule::above(old, self.maximum)),
            new.map_or(Verdict::Keep, |new| rule::below(new, self.minimum)),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let config = Config { maximum: 5, minimum: 2 };
        for (old, new, kept) in [(5, 2, true), (6, 2, false), (5, 1, false), (0, 9, true)] {
            let numbers = vec![
                (columns::CHANGE_OLD_CHARACTERS, old),
                (columns::CHANGE_NEW_CHARACTERS, new),
            ];
            let commit = Sample {
                numbers,
                ..Sample::default()
            };
            let reason = commit.dropped_by(config.clone()).expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{old} {new}");
        }
    }
}
