//! Drops files with few equals signs.
//!
//! # Why
//! Code that assigns next to nothing is a list of calls or a stub.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::few_assignments::Config};
//!
//! assert!(Sample::text("f(1)\ng(2)\n").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("a = 1\nb = 2\nc = 3\nd = a == b\n").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! CodeParrot (Tunstall et al. 2022, *Natural Language Processing with Transformers*), `preprocessing.py`: at most
//! four equals signs, those of comparisons included.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `few-assignments`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest equals signs.
    pub minimum: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { minimum: 5 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "few-assignments";
    const SUMMARY: &'static str = "drops files with few equals signs";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        rule::below(
            memchr::memchr_iter(b'=', file.text().as_bytes()).count() as u64,
            self.minimum,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [("=====", "C", true), ("====", "C", false)];
        for (text, language, kept) in cases {
            let reason = Sample::text(text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
