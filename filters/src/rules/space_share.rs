//! Drops files that are mostly white space.
//!
//! # Why
//! Half a file of blanks is a table laid out by hand, a drawing, or an empty form.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::space_share::Config};
//!
//! assert!(Sample::text("a    b").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("a bc d").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: above .5 of the
//! characters.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `space-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of white space among all characters, 0 to 1.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.5 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "space-share";
    const SUMMARY: &'static str = "drops files that are mostly white space";
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
        rule::above(rule::ratio(signs.spaces, signs.characters), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("x ".to_owned(), "C", true),
            ("x  ".to_owned(), "C", false),
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
