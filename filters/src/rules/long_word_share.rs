//! Drops files with much of their code in very long words between quotes.
//!
//! # Why
//! A word of dozens of characters in a string is a key, a hash or encoded data, if it is no address.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::long_word_share::Config};
//!
//! let key = "k".repeat(21);
//! assert!(Sample::text(&format!("x = '{key}'")).language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("x = 'a short word'").language("Python").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: words of more than 20
//! characters between quotes, but for those with an http address, above .4 of the code.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `long-word-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of the characters of code, 0 to 1; comments are left out.
    pub limit: f64,
    /// Longest word, in characters, that is not counted.
    pub length: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.4, length: 20 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "long-word-share";
    const SUMMARY: &'static str = "drops files with much of their code in very long words between quotes";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let source = facts.source(file.language());
        let words = source.strings(false).into_iter().flat_map(str::split_whitespace);
        let lengths = words
            .filter(|word| !is_address(word))
            .map(|word| word.chars().count() as u64);
        let long: u64 = lengths.filter(|length| *length > self.length).sum();
        rule::above(rule::ratio(long, source.code.chars().count() as u64), self.limit)
    }
}

/// Whether an address with something behind its slashes is inside.
fn is_address(word: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| word.split_once(scheme).is_some_and(|(_, rest)| !rest.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            (format!("\"{}\"{}", "k".repeat(22), "x".repeat(31)), "C", true),
            (format!("\"{}\"{}", "k".repeat(22), "x".repeat(30)), "C", false),
            (format!("\"{}\"", "k".repeat(20)), "C", true),
            (format!("\"https://{}\"", "k".repeat(20)), "C", true),
        ];
        for (text, language, kept) in cases {
            let reason = Sample::text(&text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
