//! Drops files of which a large part does not parse.
//!
//! # Why
//! Merge conflicts, templates, fragments and files under a wrong extension do not parse as the language they are taken
//! for. A file with one error may still be good: grammars lag behind languages, and macros bend any grammar.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::parse_error_share::Config};
//! use stackmill_schemas::syntax::SyntaxFacts;
//!
//! let parsed = |error_bytes| SyntaxFacts {
//!     bytes: 1000,
//!     error_bytes: Some(error_bytes),
//!     ..SyntaxFacts::default()
//! };
//! let file = |error_bytes| Sample { syntax: Some(parsed(error_bytes)), ..Sample::default() };
//! assert!(file(100).dropped_by(Config::default())?.is_none());
//! assert!(file(101).dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! Seed-Coder (2025, arXiv 2506.03524) drops every file in which tree-sitter finds a syntax error, which is `limit = 0`.
//! The default is ours: of 14,600 Rust, JavaScript and Python files that compile or run (crates, npm, CPython's library;
//! 214 MB), a tenth have an error, nearly all from macros and attributes, and the worst has 4.9 % of its bytes in them;
//! .1 is twice that.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};
use crate::syntax;

/// Settings of `parse-error-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of a file's bytes that may lie inside syntax errors, 0 to 1; 0 drops every file with an error.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.1 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "parse-error-share";
    const SUMMARY: &'static str = "drops files of which a large part does not parse";
    const NEEDS: Needs = Needs::Syntax;
    const COLUMNS: &'static [&'static str] = &[syntax::ERROR_BYTES];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let told = facts.syntax().filter(|syntax| syntax.bytes > 0);
        match told.and_then(|syntax| Some((syntax.error_bytes?, syntax.bytes))) {
            Some((errors, bytes)) => rule::above(errors as f64 / bytes as f64, self.limit),
            None => Verdict::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;
    use stackmill_schemas::syntax::SyntaxFacts;

    #[test]
    fn the_limit_itself_is_kept_and_so_is_what_was_not_parsed() {
        let facts = |bytes, error_bytes| {
            Some(SyntaxFacts {
                bytes,
                error_bytes: Some(error_bytes),
                ..SyntaxFacts::default()
            })
        };
        let cases = [
            (facts(10, 1), 0.1, true),
            (facts(10, 2), 0.1, false),
            (facts(10, 0), 0.0, true),
            (facts(10, 1), 0.0, false),
            (facts(0, 0), 0.1, true),
            (None, 0.1, true),
        ];
        for (syntax, limit, kept) in cases {
            let sample = Sample {
                syntax: syntax.clone(),
                ..Sample::default()
            };
            assert_eq!(
                sample.dropped_by(Config { limit }).expect("valid settings").is_none(),
                kept,
                "{syntax:?} {limit}"
            );
        }
    }
}
