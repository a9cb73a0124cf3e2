//! Drops copies of other people's code: `node_modules`, `vendor`, bundled jQuery.
//!
//! # Why
//! The same library sits in thousands of repositories, in hundreds of versions. Exact and near-duplicate removal find
//! most of it, but only after it was read; its path gives it away for nothing.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::vendored::Config};
//!
//! let file = Sample { is_vendor: true, ..Sample::path("node_modules/left-pad/index.js") };
//! assert!(file.dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! GitHub Linguist, `vendor.yml` and the `linguist-vendored` attribute, read into the column `is_vendor`. The Stack v2
//! publishes the same column and leaves the choice to its readers.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{Check, Needs, Rule};

/// Settings of `vendored`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

impl Rule for Config {
    const NAME: &'static str = "vendored";
    const SUMMARY: &'static str = "drops copies of other people's code, by path";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &["is_vendor"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        match file.is_vendor() {
            true => Verdict::Drop(Reason::entry("is_vendor")),
            false => Verdict::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn the_flag_decides() {
        for is_vendor in [false, true] {
            let sample = Sample {
                is_vendor,
                ..Sample::path("vendor/a.go")
            };
            let reason = sample.dropped_by(Config::default()).expect("valid settings");
            assert_eq!(reason.is_some(), is_vendor);
        }
    }
}
