//! Drops files that are too short to teach anything, before they are read.
//!
//! # Why
//! Empty packages' `__init__.py`, one-line re-exports and placeholders are a large share of all files and nearly none
//! of all bytes.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::minimum_size::Config};
//!
//! assert!(Sample::text("import os\n").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text(&"x = 1\n".repeat(9)).dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: fewer than 50 characters
//! are dropped. Bytes are what a listing knows; a file has at least as many of them as characters, so this rule drops
//! nothing that the original keeps.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `minimum-size`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest bytes of a file, as stored in the repository.
    pub limit: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 50 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "minimum-size";
    const SUMMARY: &'static str = "drops files that are too short, before they are read";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &["length_bytes"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        rule::below(file.length_bytes(), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn the_limit_itself_is_kept() {
        for (text, kept) in [
            ("", false),
            ("123456789", false),
            ("1234567890", true),
            ("12345678901", true),
        ] {
            let reason = Sample::text(text)
                .dropped_by(Config { limit: 10 })
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text}");
        }
    }
}
