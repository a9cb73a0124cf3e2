//! Drops files in which few characters are letters.
//!
//! # Why
//! Tables of numbers and dumps of digits look like code to a count of letters and digits, but not to one of letters.
//! Two assembly languages consist of numbers so much that digits count for them.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::alpha_fraction::Config};
//!
//! assert!(Sample::text("1, 2, 3, 4, 5, x").language("C").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("1, 2, 3, 4, 5, x").language("WebAssembly").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173): share of alphabetic characters below .25; for
//! Motorola 68K Assembly and WebAssembly, of alphanumeric ones. `Facts` says how the count differs from Python's beyond
//! ASCII.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `alpha-fraction`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Smallest share of alphabetic characters, 0 to 1; an empty file has 0.
    pub limit: f64,
    /// Languages in which digits count too, as Linguist names them.
    pub alnum_languages: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 0.25,
            alnum_languages: rule::words(&["Motorola 68K Assembly", "WebAssembly"]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "alpha-fraction";
    const SUMMARY: &'static str = "drops files in which few characters are letters";
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
        match rule::on_list(&self.alnum_languages, file.language()) {
            true => rule::below(facts.alphanumeric_share(), self.limit),
            false => rule::below(facts.alphabetic_share(), self.limit),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn the_limit_itself_is_kept() {
        let cases = [
            ("a123", "C", true),
            ("a1234", "C", false),
            ("é---", "C", true),
            ("", "C", false),
            ("1234", "Motorola 68K Assembly", true),
            ("1---", "WebAssembly", true),
            ("1----", "WebAssembly", false),
        ];
        for (text, language, kept) in cases {
            let reason = Sample::text(text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text} {language}");
        }
    }
}
