//! Drops files that a tokenizer cuts into very short tokens.
//!
//! # Why
//! Few characters a token mean text that the tokenizer has never seen the like of: encoded data, numbers, broken
//! encodings.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::characters_per_token::Config};
//!
//! let file = |token_count| Sample { token_count, ..Sample::text("0123456789") };
//! let config = Config { limit: 2.5, ..Config::default() };
//! assert!(file(Some(4)).dropped_by(config.clone())?.is_none());
//! assert!(file(Some(5)).dropped_by(config)?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! CodeParrot (Tunstall et al. 2022, *Natural Language Processing with Transformers*), `preprocessing.py`: below 1.5
//! characters a token of CodeParrot's tokenizer. SantaCoder tried 2.5 for Python, 2.9 for Java and 2.6 for JavaScript
//! with its own. Both call it fertility. Neither tokenizer ships; one of those that do counts here.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `characters-per-token`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest characters a token, on average.
    pub limit: f64,
    /// The tokenizer that counts, as `[tokenize]` names it.
    pub tokenizer: String,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 1.5,
            tokenizer: "o200k_base".to_owned(),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "characters-per-token";
    const SUMMARY: &'static str = "drops files that a tokenizer cuts into very short tokens";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["token_count"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        match self.limit > 0.0 {
            true => Ok(self),
            false => Err(Error::config(format!("`limit` is {}", self.limit)).hint("give a number above 0")),
        }
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        match file.token_count() {
            Some(tokens) if tokens > 0 => rule::below(rule::ratio(facts.characters(), tokens), self.limit),
            _ => Verdict::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [("abc", "", true), ("ab", "", false), ("", "", false)];
        for (text, language, kept) in cases {
            let reason = Sample {
                token_count: Some(2),
                ..Sample::text(text)
            }
            .dropped_by(Config::default())
            .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
