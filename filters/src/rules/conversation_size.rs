//! Drops issues in which little was written.
//!
//! # Why
//! "Me too" and empty templates say nothing. Texts of bots and quoted mail do not count: the source has taken them out.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::conversation_size::Config};
//!
//! let issue = |characters| Sample { numbers: vec![("conversation_characters", characters)], ..Sample::default() };
//! assert!(issue(199).dropped_by(Config::default())?.is_some());
//! assert!(issue(200).dropped_by(Config::default())?.is_none());
//! assert!(Sample::text("no issue").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder (Li et al. 2023, arXiv 2305.06161), `preprocessing/filtering_issues.py` of bigcode-dataset: 200 characters.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `conversation-size`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest characters of all that people wrote.
    pub minimum: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self { minimum: 200 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "conversation-size";
    const SUMMARY: &'static str = "drops issues in which little was written";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[columns::CONVERSATION_CHARACTERS];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let characters = file.number(columns::CONVERSATION_CHARACTERS);
        characters.map_or(Verdict::Keep, |characters| rule::below(characters, self.minimum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn the_limit_itself_is_kept() {
        for (characters, kept) in [(0, false), (2, false), (3, true)] {
            let numbers = vec![(columns::CONVERSATION_CHARACTERS, characters)];
            let issue = Sample {
                numbers,
                ..Sample::default()
            };
            let reason = issue.dropped_by(Config { minimum: 3 }).expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{characters}");
        }
    }
}
