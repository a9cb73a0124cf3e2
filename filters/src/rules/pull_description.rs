//! Drops pull requests with a very short description, or one that a service wrote.
//!
//! # Why
//! Without a description, what a change is for has to be guessed. Quoted mail and hidden comments, as templates have them, do not
//! count: the source has taken them out.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::pull_description::Config};
//!
//! let pull = |text| Sample { told: vec![("pull_description", text)], ..Sample::default() };
//! assert!(pull("Fixes a bug.").dropped_by(Config::default())?.is_some());
//! assert!(pull("Found by Qwiet, which is a service.").dropped_by(Config::default())?.is_some());
//! assert!(pull("The parser failed on empty files.").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder2 (Lozhkov et al. 2024, arXiv 2402.19173), section 2.3, and `pull_requests_and_issues/render.py` of
//! the-stack-v2: 20 characters; `Qwiet` anywhere, in this case.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Reason, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `pull-description`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest characters.
    pub minimum: u64,
    /// What a description must not hold.
    pub forbid: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 20,
            forbid: rule::words(&["Qwiet"]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "pull-description";
    const SUMMARY: &'static str = "drops pull requests with a very short description, or one that a service wrote";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[columns::PULL_DESCRIPTION];
    type Check = Self;

    fn build(self) -> Result<Self> {
        match self.forbid.iter().any(String::is_empty) {
            true => Err(Error::config("`forbid` has an empty entry, which every text holds")),
            false => Ok(self),
        }
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let Some(text) = file.words(columns::PULL_DESCRIPTION) else {
            return Verdict::Keep;
        };
        let found = self.forbid.iter().find(|part| text.contains(*part));
        let held = found.map_or(Verdict::Keep, |part| Verdict::Drop(Reason::entry(part)));
        rule::first([rule::below(text.chars().count() as u64, self.minimum), held])
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
        for (text, kept) in [
            ("", false),
            ("éé", false),
            ("ééé", true),
            ("a Xy b", false),
            ("a xy b", true),
        ] {
            let pull = Sample {
                told: vec![(columns::PULL_DESCRIPTION, text)],
                ..Sample::default()
            };
            let reason = pull.dropped_by(config.clone()).expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?}");
        }
        let empty = Config {
            forbid: vec![String::new()],
            ..config
        };
        assert!(empty.build().is_err());
    }
}
