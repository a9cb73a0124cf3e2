//! Drops a share of files, chosen by hash: all alike, or by language and extension.
//!
//! # Why
//! Some languages have far more files than a model needs of them, and are cut to a budget. Copies share their fate, and the
//! same files are kept in every run.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::sample::Config};
//!
//! let file = Sample::text("x = 1");
//! assert!(file.dropped_by(Config { keep: 0.0 })?.is_some());
//! assert!(file.dropped_by(Config { keep: 1.0 })?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder2 (Lozhkov et al. 2024, arXiv 2402.19173) cut Java and JavaScript to 200 GB, HTML to 100 GB, and JSON, XML and
//! YAML to 8 GB each. By default all are kept: the share is the budget divided by what there is.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};
use crate::variants;

/// Settings of `sample`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Share that is kept, 0 to 1.
    pub keep: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { keep: 1.0 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "sample";
    const SUMMARY: &'static str = "drops a share of files, chosen by hash";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("keep", self.keep)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let chance = variants::chance("sample", file);
        match chance < self.keep {
            true => Verdict::Keep,
            false => Verdict::Drop(Reason::measured(chance, self.keep)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn the_share_is_kept_and_smaller_shares_are_part_of_larger_ones() {
        let kept = |keep: f64| {
            let texts = (0..1000).filter(|number| {
                let text = number.to_string();
                let file = Sample::text(&text);
                file.dropped_by(Config { keep }).expect("valid settings").is_none()
            });
            texts.collect::<Vec<_>>()
        };
        let (few, many) = (kept(0.1), kept(0.4));
        assert!((70..130).contains(&few.len()) && (360..440).contains(&many.len()));
        assert!(few.iter().all(|number| many.contains(number)));
        assert!(Config { keep: 1.1 }.build().is_err());
    }
}
