//! Drops files that consist of tiny definitions: stubs, interfaces' copies, lists of getters.
//!
//! # Why
//! A file with a definition every few lines declares much and computes nothing; most are generated bindings and mocks.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::definitions_per_line::Config};
//! use stackmill_schemas::syntax::SyntaxFacts;
//!
//! let parsed = |definitions| SyntaxFacts {
//!     bytes: 200,
//!     definitions: Some(definitions),
//!     ..SyntaxFacts::default()
//! };
//! let text = "pass\n".repeat(40);
//! let file = |definitions| Sample { syntax: Some(parsed(definitions)), ..Sample::text(&text) };
//! assert!(file(8).dropped_by(Config::default())?.is_none());
//! assert!(file(9).dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: more than .2 functions a
//! line, for Python, C, C++, C#, Java, Go and JavaScript. Here classes, structs and traits count beside functions, over
//! all lines, in every language that has a grammar; files of fewer than 10 lines, which OpenCoder drops anyway, are
//! left alone, because one function of four lines is no stub.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};
use crate::syntax;

/// Settings of `definitions-per-line`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most definitions a line, on average.
    pub limit: f64,
    /// Fewest lines of a file that the rule looks at.
    pub minimum_lines: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 0.2,
            minimum_lines: 10,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "definitions-per-line";
    const SUMMARY: &'static str = "drops files that consist of tiny definitions";
    const NEEDS: Needs = Needs::Syntax;
    const COLUMNS: &'static [&'static str] = &[syntax::DEFINITIONS];
    type Check = Self;

    fn build(self) -> Result<Self> {
        match self.limit >= 0.0 {
            true => Ok(self),
            false => Err(Error::config(format!("`limit` is {}", self.limit)).hint("give 0 or a number above")),
        }
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let lines = facts.lines();
        match facts.syntax().and_then(|syntax| syntax.definitions) {
            Some(definitions) if lines >= self.minimum_lines.max(1) => {
                rule::above(definitions as f64 / lines as f64, self.limit)
            }
            _ => Verdict::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;
    use stackmill_schemas::syntax::SyntaxFacts;

    #[test]
    fn the_limit_itself_is_kept_and_so_are_short_files() {
        let cases = [
            (10, Some(2), true),
            (10, Some(3), false),
            (9, Some(9), true),
            (10, None, true),
            (0, Some(1), true),
        ];
        for (lines, definitions, kept) in cases {
            let text = "x\n".repeat(lines);
            let syntax = definitions.map(|definitions| SyntaxFacts {
                definitions: Some(definitions),
                ..SyntaxFacts::default()
            });
            let reason = Sample {
                syntax,
                ..Sample::text(&text)
            }
            .dropped_by(Config::default())
            .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{lines} {definitions:?}");
        }
    }
}
