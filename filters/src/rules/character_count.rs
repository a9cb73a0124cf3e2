//! Drops files of too few or too many characters.
//!
//! # Why
//! A data file of a few characters is a stub, one of thousands a table: StarCoder looked at samples of JSON and YAML
//! and kept what lies between.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::character_count::Config};
//!
//! let config = Config { minimum: 2, maximum: 3 };
//! assert!(Sample::text("é").dropped_by(config.clone())?.is_some());
//! assert!(Sample::text("aé").dropped_by(config)?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! DeepSeek-Coder (Guo et al. 2024, arXiv 2401.14196): JSON and YAML of 50 to 5000 characters; StarCoder has the same
//! in its paper, and 100 to 5000 in its code. OpenCoder (Huang et al. 2024, arXiv 2411.04905),
//! `code_filter_config.py` of the release: fewer than 50, and more than 5000 in data. The default keeps files of any
//! length from 50 on.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `character-count`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest characters.
    pub minimum: u64,
    /// Most characters.
    pub maximum: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 50,
            maximum: u64::MAX,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "character-count";
    const SUMMARY: &'static str = "drops files of too few or too many characters";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        match rule::below(facts.characters(), self.minimum) {
            Verdict::Keep => rule::above(facts.characters(), self.maximum),
            dropped => dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("é".repeat(50), "C", true),
            ("é".repeat(49), "C", false),
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
