//! Drops files of repositories with few stars.
//!
//! # Why
//! Stars are a crude sign of somebody having looked at the code. SantaCoder found that filtering by them makes a
//! model worse: most good code has none.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::stars::Config};
//!
//! let file = |stars| Sample { stars, ..Sample::default() };
//! assert!(file(Some(6)).dropped_by(Config::default())?.is_none());
//! assert!(file(Some(5)).dropped_by(Config::default())?.is_some());
//! assert!(file(None).dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! SantaCoder (Ben Allal et al. 2023, arXiv 2301.03988): at least 5 stars in the paper; its `filtering.py` wants more
//! than 5, and takes repositories whose stars are not known for such of 0.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `stars`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest stars of the repository.
    pub minimum: u64,
    /// Whether files of repositories whose stars are not known are kept.
    pub keep_unknown: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 6,
            keep_unknown: false,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "stars";
    const SUMMARY: &'static str = "drops files of repositories with few stars";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &["stars"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        match file.stars() {
            None if self.keep_unknown => Verdict::Keep,
            stars => rule::below(u64::try_from(stars.unwrap_or(0)).unwrap_or(0), self.minimum),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [("6", "", true), ("5", "", false), ("-1", "", false)];
        for (text, language, kept) in cases {
            let reason = Sample {
                stars: text.parse().ok(),
                ..Sample::default()
            }
            .dropped_by(Config::default())
            .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
