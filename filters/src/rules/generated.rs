//! Drops files that a program wrote: protobuf stubs, lock files, compiled CoffeeScript.
//!
//! # Why
//! Generated code repeats its generator's template; a model that reads it learns the template a million times.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::generated::Config};
//!
//! let file = Sample { is_generated: true, ..Sample::path("api_pb2.py") };
//! assert!(file.dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173): files for which go-enry's `IsGenerated` is true.
//! The column `is_generated` is that of Linguist, which go-enry ports, and heeds `linguist-generated`.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{Check, Needs, Rule};

/// Settings of `generated`: none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {}

impl Rule for Config {
    const NAME: &'static str = "generated";
    const SUMMARY: &'static str = "drops files that a program wrote, as Linguist sees it";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["is_generated"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        match file.is_generated() {
            true => Verdict::Drop(Reason::entry("is_generated")),
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
        for is_generated in [false, true] {
            let sample = Sample {
                is_generated,
                ..Sample::text("// code")
            };
            let reason = sample.dropped_by(Config::default()).expect("valid settings");
            assert_eq!(reason.is_some(), is_generated);
        }
    }
}
