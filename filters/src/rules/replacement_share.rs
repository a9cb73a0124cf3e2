//! Drops files with many replacement characters.
//!
//! # Why
//! U+FFFD stands where a decoder understood nothing: the file was converted from the wrong encoding before it was
//! committed, and its text is lost.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::replacement_share::Config};
//!
//! assert!(Sample::text("caf\u{fffd}").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("café").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: above .01 of the
//! characters.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `replacement-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of the characters that may be U+FFFD, 0 to 1.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.01 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "replacement-share";
    const SUMMARY: &'static str = "drops files with many replacement characters";
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
        rule::above(rule::ratio(signs.replacements, signs.characters), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("\u{fffd}".to_owned() + &"x".repeat(99), "C", true),
            ("\u{fffd}".to_owned() + &"x".repeat(98), "C", false),
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
