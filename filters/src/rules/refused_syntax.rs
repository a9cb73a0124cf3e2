//! Drops files that a grammar takes and their language's compiler refuses. Told of Python alone.
//!
//! # Why
//! A grammar for editors is lenient and remembers old versions: Python's takes `print "x"`, blocks without a statement,
//! `return` outside functions, indented statements that are in no block. `parse-error-share` sees none of these.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::refused_syntax::Config};
//! use stackmill_schemas::syntax::SyntaxFacts;
//!
//! let parsed = |refused| SyntaxFacts { bytes: 100, refused, ..SyntaxFacts::default() };
//! let file = |refused| Sample { syntax: Some(parsed(refused)), ..Sample::default() };
//! assert!(file(Some(1)).dropped_by(Config::default())?.is_some());
//! assert!(file(Some(0)).dropped_by(Config::default())?.is_none());
//! assert!(file(None).dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder2 (Lozhkov et al. 2024, arXiv 2402.19173), whose code asks Python's `compile` about Kaggle's notebooks; OpenCoder
//! (Huang et al. 2024, arXiv 2411.04905) asks `ast` about Python. None may be there by either.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};
use crate::syntax;

/// Settings of `refused-syntax`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most places of a file that its compiler would refuse.
    pub limit: u64,
}

impl Rule for Config {
    const NAME: &'static str = "refused-syntax";
    const SUMMARY: &'static str = "drops files that their language's compiler refuses, though a grammar takes them";
    const NEEDS: Needs = Needs::Syntax;
    const COLUMNS: &'static [&'static str] = &[syntax::REFUSED];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let refused = facts.syntax().and_then(|syntax| syntax.refused);
        refused.map_or(Verdict::Keep, |refused| rule::above(refused, self.limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;
    use stackmill_schemas::syntax::SyntaxFacts;

    #[test]
    fn the_limit_itself_is_kept_and_so_is_what_was_not_told() {
        for (refused, limit, kept) in [(Some(2), 2, true), (Some(3), 2, false), (None, 0, true)] {
            let facts = SyntaxFacts {
                bytes: 9,
                refused,
                ..SyntaxFacts::default()
            };
            let sample = Sample {
                syntax: Some(facts),
                ..Sample::default()
            };
            let reason = sample.dropped_by(Config { limit }).expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{refused:?} {limit}");
        }
    }
}
