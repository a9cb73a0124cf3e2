//! Drops commits that change a line or two, and those that change hundreds.
//!
//! # Why
//! Most commits bump a number; the largest ones reformat or import. Both drown what lies between. Usually only a share of
//! them is dropped (`drop-share`).
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::change_lines::Config};
//!
//! let commit = |first, last| Sample {
//!     numbers: vec![("change_first_line", first), ("change_last_line", last)],
//!     ..Sample::default()
//! };
//! assert!(commit(50, 52).dropped_by(Config::default())?.is_some());
//! assert!(commit(50, 53).dropped_by(Config::default())?.is_none());
//! assert!(commit(0, 199).dropped_by(Config::default())?.is_none());
//! assert!(commit(0, 200).dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder (Li et al. 2023, arXiv 2305.06161), `preprocessing/filtering_git_commits.ipynb` of bigcode-dataset: up to 2 lines, or 200
//! and more, from the first changed line to the last; one in ten of these is kept. The code compares the first changed line with 0, so
//! that its span begins at the top of the file (`from-top`).

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `change-lines`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest lines of the old file from the first changed one to the last.
    pub minimum: i64,
    /// Most of these lines.
    pub maximum: i64,
    /// Whether lines are counted from the top of the file.
    pub from_top: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 3,
            maximum: 199,
            from_top: false,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "change-lines";
    const SUMMARY: &'static str = "drops commits that change a line or two, and those that change hundreds";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[columns::CHANGE_FIRST_LINE, columns::CHANGE_LAST_LINE];
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
        let lines = (
            file.number(columns::CHANGE_FIRST_LINE),
            file.number(columns::CHANGE_LAST_LINE),
        );
        let (Some(first), Some(last)) = lines else {
            return Verdict::Keep;
        };
        let span = if self.from_top { last } else { last - first };
        rule::first([rule::below(span, self.minimum), rule::above(span, self.maximum)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        for (first, last, from_top, kept) in [
            (10, 13, false, true),
            (10, 12, false, false),
            (10, 17, false, true),
            (10, 18, false, false),
            (10, 12, true, false),
            (6, 7, true, true),
            (0, 0, false, false),
        ] {
            let config = Config {
                minimum: 3,
                maximum: 7,
                from_top,
            };
            let commit = Sample {
                numbers: vec![(columns::CHANGE_FIRST_LINE, first), (columns::CHANGE_LAST_LINE, last)],
                ..Sample::default()
            };
            let reason = commit.dropped_by(config).expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{first} {last} {from_top}");
        }
        let none = Config {
            minimum: 2,
            maximum: 1,
            from_top: false,
        };
        assert!(none.build().is_err());
    }
}
