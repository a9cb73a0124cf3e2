//! Drops files in very deep folders.
//!
//! # Why
//! Folders in folders without end are unpacked archives, caches, or links that were followed in circles.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::path_depth::Config};
//!
//! assert!(Sample::path("src/a.rs").dropped_by(Config::default())?.is_none());
//! assert!(Sample::path(&format!("{}a.rs", "d/".repeat(65))).dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173): folders are walked to a depth of 64.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `path-depth`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most folders above a file.
    pub limit: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 64 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "path-depth";
    const SUMMARY: &'static str = "drops files in very deep folders";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &["path"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::positive("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        rule::above(file.path().matches('/').count() as u64, self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [("d/".repeat(64) + "a", "", true), ("d/".repeat(65) + "a", "", false)];
        for (text, language, kept) in cases {
            let reason = Sample::path(&text)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
