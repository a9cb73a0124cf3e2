//! Drops files with too many or too few lines.
//!
//! # Why
//! Nobody writes a hundred thousand lines into one file: these are dumps, tables and machine output. A file of a few
//! lines is a stub, a re-export or a version number.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::line_count::Config};
//!
//! assert!(Sample::text(&"\n".repeat(100_000)).dropped_by(Config::default())?.is_none());
//! assert!(Sample::text(&"\n".repeat(100_001)).dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173): more than 100 000 lines. OpenCoder's `code_filter_config.py` adds a
//! minimum of 10.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `line-count`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most lines of a file.
    pub limit: u64,
    /// Fewest lines of a file.
    pub minimum: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 100_000,
            minimum: 0,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "line-count";
    const SUMMARY: &'static str = "drops files with too many or too few lines";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::positive("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let lines = facts.lines();
        rule::first([rule::above(lines, self.limit), rule::below(lines, self.minimum)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn the_limit_itself_is_kept() {
        for (text, kept) in [
            ("", true),
            ("a\nb\nc\n", true),
            ("a\nb\nc\nd", false),
            ("\r\n\r\n\r\n", true),
        ] {
            let reason = Sample::text(text)
                .dropped_by(Config { limit: 3, minimum: 0 })
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?}");
        }
        for (text, kept) in [("a\n", false), ("a\nb", true)] {
            let reason = Sample::text(text)
                .dropped_by(Config { limit: 3, minimum: 2 })
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?}");
        }
    }
}
