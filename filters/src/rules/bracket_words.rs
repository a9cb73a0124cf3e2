//! Drops texts with many full-width brackets.
//!
//! # Why
//! Pages that were torn from Chinese sites carry 【labels】 where the layout was.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::bracket_words::Config};
//!
//! assert!(Sample::text("【a】 b").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("a b c").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: `【` and `】` above .1 of
//! the words of a Chinese text. The original cuts words with a Chinese dictionary; here a run of letters is a word,
//! and each bracket is one.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `bracket-words`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of the words, 0 to 1.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.1 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "bracket-words";
    const SUMMARY: &'static str = "drops texts with many full-width brackets";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let brackets = file.text().matches(['【', '】']).count() as u64;
        let words = rule::word_runs(file.text())
            .filter(|word| word.contains(char::is_alphanumeric))
            .count() as u64;
        rule::above(rule::ratio(brackets, brackets + words), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("【a".to_owned() + &" w".repeat(8), "C", true),
            ("【a".to_owned() + &" w".repeat(7), "C", false),
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
