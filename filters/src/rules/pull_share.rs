//! Drops a share of the pull requests of repositories that have many, chosen by hash.
//!
//! # Why
//! A few repositories have a hundred thousand pull requests, which are much alike.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::pull_share::Config};
//!
//! let pull = |count| Sample { numbers: vec![("pull_siblings", count)], ..Sample::default() };
//! assert!(pull(1_000_000_000).dropped_by(Config::default())?.is_some());
//! let all = Config { first: 1.0, last: 1.0, limit: u64::MAX };
//! assert!(pull(1000).dropped_by(all)?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder2 (Lozhkov et al. 2024, arXiv 2402.19173), section 2.3, and `pull_requests_and_issues/render.py` of
//! the-stack-v2: 0.8 of a repository's only pull request, falling evenly to 0.1 at 1000, then as many as that.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Reason, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};
use crate::variants;

/// Settings of `pull-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Share that is kept where a repository has one.
    pub first: f64,
    /// Share that is kept where a repository has as many as `limit`; between the two the share changes evenly.
    pub last: f64,
    /// Pull requests of a repository from which on as many are kept as of this number.
    pub limit: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            first: 0.8,
            last: 0.1,
            limit: 1000,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "pull-share";
    const SUMMARY: &'static str = "drops a share of the pull requests of repositories that have many";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[columns::PULL_SIBLINGS];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("first", self.first)?;
        rule::share("last", self.last)?;
        match self.limit > 1 {
            true => Ok(self),
            false => Err(Error::config("`limit` is not above 1").hint("it is a number of pull requests, as 1000")),
        }
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let count = file
            .number(columns::PULL_SIBLINGS)
            .and_then(|count| u64::try_from(count).ok());
        let Some(share) = count.map(|count| self.share(count)) else {
            return Verdict::Keep;
        };
        match variants::chance("pull-share", file) < share {
            true => Verdict::Keep,
            false => Verdict::Drop(Reason::measured(count.unwrap_or_default(), self.limit)),
        }
    }
}

impl Config {
    /// The share that is kept of `count` pull requests.
    fn share(&self, count: u64) -> f64 {
        let (count, limit) = (count.max(1) as f64, self.limit as f64);
        match count <= limit {
            true => self.first + (self.last - self.first) * (count - 1.0) / (limit - 1.0),
            false => self.last * limit / count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn shares_fall_evenly_and_then_counts_stay() {
        let config = Config::default();
        for (count, share) in [(0, 0.8), (1, 0.8), (1000, 0.1), (2000, 0.05), (100_000, 0.001)] {
            assert!((config.share(count) - share).abs() < 1e-12, "{count}");
        }
        // The code's line is -0.0007 n + 0.8007.
        assert!((config.share(500) - 0.4507).abs() < 1e-3);
        let odd = Config { limit: 1, ..config };
        assert!(odd.build().is_err());
    }

    #[test]
    fn the_hash_of_the_content_decides() {
        let kept = |count| {
            let texts: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
            let dropped = |text: &&String| {
                let pull = Sample {
                    numbers: vec![(columns::PULL_SIBLINGS, count)],
                    ..Sample::text(text)
                };
                pull.dropped_by(Config::default()).expect("valid settings").is_some()
            };
            1000 - texts.iter().filter(dropped).count()
        };
        assert!((760..840).contains(&kept(1)) && (70..130).contains(&kept(1000)) && (30..70).contains(&kept(2000)));
    }
}
