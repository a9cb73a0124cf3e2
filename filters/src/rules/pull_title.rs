//! Drops pull requests with a very short title, or one that speaks of dependencies or releases.
//!
//! # Why
//! Updates of dependencies and releases are opened by the thousand, mostly by programs that are not called bots.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::pull_title::Config};
//!
//! let pull = |title| Sample { told: vec![("pull_title", title)], ..Sample::default() };
//! assert!(pull("Fix a bug").dropped_by(Config::default())?.is_some());
//! assert!(pull("Update Dependencies").dropped_by(Config::default())?.is_some());
//! assert!(pull("Fix the bug").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder2 (Lozhkov et al. 2024, arXiv 2402.19173), section 2.3, and `pull_requests_and_issues/render.py` of
//! the-stack-v2: 10 characters; `dependencies`, `dependency`, `depend`, `release` anywhere, in any case.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Reason, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `pull-title`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest characters.
    pub minimum: u64,
    /// What a title must not hold, in any case.
    pub forbid: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 10,
            forbid: rule::words(&["depend", "release"]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "pull-title";
    const SUMMARY: &'static str = "drops pull requests with a very short title, or one about dependencies or releases";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[columns::PULL_TITLE];
    type Check = Self;

    fn build(self) -> Result<Self> {
        match self.forbid.iter().any(String::is_empty) {
            true => Err(Error::config("`forbid` has an empty entry, which every title holds")),
            false => Ok(Self {
                forbid: self.forbid.iter().map(|part| part.to_lowercase()).collect(),
                ..self
            }),
        }
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let Some(title) = file.words(columns::PULL_TITLE) else {
            return Verdict::Keep;
        };
        let lower = title.to_lowercase();
        let found = self.forbid.iter().find(|part| lower.contains(*part));
        let held = found.map_or(Verdict::Keep, |part| Verdict::Drop(Reason::entry(part)));
        rule::first([rule::below(title.chars().count() as u64, self.minimum), held])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn the_limit_itself_is_kept() {
        let config = Config {
            minimum: 3,
            forbid: rule::words(&["Xy"]),
        };
        for (title, kept) in [
            ("", false),
            ("éé", false),
            ("ééé", true),
            ("a xY b", false),
            ("x y", true),
        ] {
            let pull = Sample {
                told: vec![(columns::PULL_TITLE, title)],
                ..Sample::default()
            };
            let reason = pull.dropped_by(config.clone()).expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{title:?}");
        }
        let empty = Config {
            forbid: vec![String::new()],
            ..config
        };
        assert!(empty.build().is_err());
    }
}
