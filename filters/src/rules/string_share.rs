//! Drops files that are mostly text between quotes.
//!
//! # Why
//! A file of strings is a translation table, a word list or embedded data.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::string_share::Config};
//!
//! assert!(Sample::text("x = ['alpha and beta', 'gamma and delta']").language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("total = sum(price for price in prices) + 'x'").language("Python").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: characters between quotes
//! above .6 of the code. As in the original, quotes pair as they come, without escapes.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `string-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of the characters of code, 0 to 1; comments are left out.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.6 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "string-share";
    const SUMMARY: &'static str = "drops files that are mostly text between quotes";
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
        let inside: usize = source.strings(false).iter().map(|text| text.chars().count()).sum();
        rule::above(
            rule::ratio(inside as u64, source.code.chars().count() as u64),
            self.limit,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("\"aaaaaa\"xx".to_owned(), "C", true),
            ("\"aaaaaa\"x".to_owned(), "C", false),
            (String::new(), "C", true),
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
