//! Drops files in which few of the visible characters are letters.
//!
//! # Why
//! Indentation is no argument against code: among the characters that can be seen, at least half are letters where
//! somebody wrote names and words.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::letter_share::Config};
//!
//! assert!(Sample::text("        x = f(1, 2)").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("        total = sum(prices)").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: letters below .5 of the
//! characters that are not white space. `alpha-fraction` counts over all characters.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `letter-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Smallest share of letters among the characters that are not white space, 0 to 1; a blank file has 0.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.5 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "letter-share";
    const SUMMARY: &'static str = "drops files in which few of the visible characters are letters";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        rule::below(rule::ratio(facts.alphabetic(), facts.signs().visible()), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("a-  ".to_owned(), "C", true),
            ("a--".to_owned(), "C", false),
            (String::new(), "C", false),
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
