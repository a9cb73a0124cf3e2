//! Drops data files with more lines than a person would write.
//!
//! # Why
//! A configuration file is short; a JSON, YAML or text file of thousands of lines is a data set, a fixture or a lock
//! file.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::data_lines::Config};
//!
//! let lines = "- 1\n".repeat(513);
//! assert!(Sample::text(&lines).language("YAML").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text(&lines).language("Python").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173): Text, JSON, YAML, Web Ontology Language and
//! Graphviz (DOT) files with more than 512 lines.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `data-lines`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most lines of a file.
    pub limit: u64,
    /// Languages that the rule looks at, as Linguist names them.
    pub languages: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        let languages = ["Text", "JSON", "YAML", "Web Ontology Language", "Graphviz (DOT)"];
        Self {
            limit: 512,
            languages: rule::words(&languages),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "data-lines";
    const SUMMARY: &'static str = "drops data files with more lines than a person would write";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::positive("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        match rule::on_list(&self.languages, file.language()) {
            true => rule::above(facts.lines(), self.limit),
            false => Verdict::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn the_limit_itself_is_kept_and_code_is_left_alone() {
        let cases = [
            (512, "JSON", true),
            (513, "JSON", false),
            (513, "Graphviz (DOT)", false),
            (513, "C", true),
        ];
        for (lines, language, kept) in cases {
            let text = "1\n".repeat(lines);
            let reason = Sample::text(&text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{lines} {language}");
        }
    }
}
