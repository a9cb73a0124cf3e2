//! Drops files in which few characters are letters or digits.
//!
//! # Why
//! Code is mostly names; a file of punctuation, box drawings or blanks is art, a table or a mistake.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::alnum_fraction::Config};
//!
//! assert!(Sample::text("+--+--+--+ a").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("let a = 1;").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! CodeParrot, SantaCoder (Ben Allal et al. 2023, arXiv 2301.03988) and StarCoder (Li et al. 2023, arXiv 2305.06161):
//! share of alphanumeric characters below .25. `Facts` says how the count differs from Python's beyond ASCII.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `alnum-fraction`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Smallest share of alphanumeric characters, 0 to 1; an empty file has 0.
    pub limit: f64,
    /// Languages that the rule leaves alone, as Linguist names them.
    pub exempt_languages: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 0.25,
            exempt_languages: Vec::new(),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "alnum-fraction";
    const SUMMARY: &'static str = "drops files in which few characters are letters or digits";
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
        match rule::on_list(&self.exempt_languages, file.language()) {
            true => Verdict::Keep,
            false => rule::below(facts.alphanumeric_share(), self.limit),
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
            ("", false),
            ("a---", true),
            ("1---", true),
            ("é---", true),
            ("a----", false),
            ("中文--", true),
        ];
        for (text, kept) in cases {
            let reason = Sample::text(text)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text}");
        }
        let exempt = Config {
            exempt_languages: vec!["Brainfuck".into()],
            ..Config::default()
        };
        let reason = Sample::text("+++")
            .language("Brainfuck")
            .dropped_by(exempt)
            .expect("valid settings");
        assert_eq!(reason, None);
    }
}
