//! Drops pull requests that bots opened or discussed alone, that nobody accepted, or whose base or files are not there.
//!
//! # Why
//! A change that was merged or approved is one that somebody wanted. Without its files there is nothing to read, and after a
//! change of the base the files are others.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::pull_state::Config};
//!
//! let pull = |accepted, comments| Sample {
//!     numbers: vec![("pull_accepted", accepted), ("pull_comments", comments)],
//!     ..Sample::default()
//! };
//! assert!(pull(1, 1).dropped_by(Config::default())?.is_none());
//! assert!(pull(0, 1).dropped_by(Config::default())?.is_some());
//! assert!(pull(1, 0).dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder2 (Lozhkov et al. 2024, arXiv 2402.19173), section 2.3, and `pull_requests_and_issues/render.py` of
//! the-stack-v2: not opened by a bot, a comment or review of a person, merged or approved, one base, files left.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Measure, Reason, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{Check, Needs, Rule};

/// Settings of `pull-state`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether pull requests that a bot opened are kept.
    pub bots: bool,
    /// Whether those are kept that were neither merged nor approved.
    pub refused: bool,
    /// Most changes of the base.
    pub rebases: i64,
    /// Fewest comments and reviews of people.
    pub comments: i64,
    /// Fewest changed files that are written.
    pub files: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            bots: false,
            refused: false,
            rebases: 0,
            comments: 1,
            files: 1,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "pull-state";
    const SUMMARY: &'static str =
        "drops pull requests of bots, those that nobody accepted, and those without comments or files";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[
        columns::PULL_BY_BOT,
        columns::PULL_ACCEPTED,
        columns::PULL_REBASES,
        columns::PULL_COMMENTS,
        columns::PULL_FILES,
    ];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let limits = [
            (columns::PULL_BY_BOT, i64::MIN, i64::from(self.bots)),
            (columns::PULL_ACCEPTED, i64::from(!self.refused), i64::MAX),
            (columns::PULL_REBASES, i64::MIN, self.rebases),
            (columns::PULL_COMMENTS, self.comments, i64::MAX),
            (columns::PULL_FILES, self.files, i64::MAX),
        ];
        let broken = limits.into_iter().find_map(|(column, least, most)| {
            let value = file.number(column).filter(|value| !(least..=most).contains(value))?;
            let limit = if value < least { least } else { most };
            let reason = Reason {
                value: Some(Measure::Number(value as f64)),
                limit: Some(Measure::Number(limit as f64)),
                ..Reason::entry(column)
            };
            Some(Verdict::Drop(reason))
        });
        broken.unwrap_or(Verdict::Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn every_limit_counts_alone() {
        let dropped = |column, value, config| {
            let pull = Sample {
                numbers: vec![(column, value)],
                ..Sample::default()
            };
            pull.dropped_by(config).expect("valid settings").is_some()
        };
        for (column, kept, gone) in [
            (columns::PULL_BY_BOT, 0, 1),
            (columns::PULL_ACCEPTED, 1, 0),
            (columns::PULL_REBASES, 0, 1),
            (columns::PULL_COMMENTS, 1, 0),
            (columns::PULL_FILES, 1, 0),
        ] {
            assert!(!dropped(column, kept, Config::default()), "{column}");
            assert!(dropped(column, gone, Config::default()), "{column}");
        }
        let all = Config {
            bots: true,
            refused: true,
            ..Config::default()
        };
        assert!(!dropped(columns::PULL_BY_BOT, 1, all.clone()) && !dropped(columns::PULL_ACCEPTED, 0, all));
    }
}
