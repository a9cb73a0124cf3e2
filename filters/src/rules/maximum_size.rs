//! Drops files that are too long, before they are read.
//!
//! # Why
//! Very long files are mostly data, generated code or concatenated libraries; a handful of them outweighs thousands of
//! written ones, and each later step pays for every byte.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::maximum_size::Config};
//!
//! let file = |length_bytes| Sample { length_bytes: Some(length_bytes), ..Sample::default() };
//! assert!(file(1_048_576).dropped_by(Config::default())?.is_none());
//! assert!(file(1_048_577).dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v1 (Kocetkov et al. 2022, arXiv 2211.15533): files larger than 1 MB are left out.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `maximum-size`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most bytes of a file, as stored in the repository.
    pub limit: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 1 << 20 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "maximum-size";
    const SUMMARY: &'static str = "drops files that are too long, before they are read";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &["length_bytes"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::positive("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        rule::above(file.length_bytes(), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn the_limit_itself_is_kept() {
        for (length, kept) in [(0, true), (10, true), (11, false), (u64::MAX, false)] {
            let sample = Sample {
                length_bytes: Some(length),
                ..Sample::default()
            };
            let reason = sample.dropped_by(Config { limit: 10 }).expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{length}");
        }
        assert!(Config { limit: 0 }.build().is_err());
    }
}
