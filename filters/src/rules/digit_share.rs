//! Drops files in which many characters are digits.
//!
//! # Why
//! Tables, coordinates and dumps of numbers are digits more than anything else; code is not.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::digit_share::Config};
//!
//! assert!(Sample::text("x = 12345").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("let answer = 42;").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: above .2 of the
//! characters that are not white space, in SQL above .3.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `digit-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of digits among the characters that are not white space, 0 to 1.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.2 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "digit-share";
    const SUMMARY: &'static str = "drops files in which many characters are digits";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let signs = facts.signs();
        rule::above(rule::ratio(signs.digits, signs.visible()), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("1 xxxx".to_owned(), "C", true),
            ("1 xxx".to_owned(), "C", false),
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
