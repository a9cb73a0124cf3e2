//! Drops issues in which one user writes much, or often.
//!
//! # Why
//! A conversation has two sides. One user alone writes diaries, logs and lists of tasks; short ones are reports of bugs that
//! nobody has answered yet, and stay.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::conversation_users::Config};
//!
//! let issue = |users, characters, events| Sample {
//!     numbers: vec![
//!         ("conversation_users", users),
//!         ("conversation_characters", characters),
//!         ("conversation_events", events),
//!     ],
//!     ..Sample::default()
//! };
//! assert!(issue(2, 9000, 20).dropped_by(Config::default())?.is_none());
//! assert!(issue(1, 7000, 10).dropped_by(Config::default())?.is_none());
//! assert!(issue(1, 7001, 10).dropped_by(Config::default())?.is_some());
//! assert!(issue(1, 7000, 11).dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder (Li et al. 2023, arXiv 2305.06161), `utils_issues.py` of bigcode-dataset: two users, or up to 7000
//! characters and 10 events; the paper says fewer than 7000 characters.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `conversation-users`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest users of an issue of any length.
    pub minimum: i64,
    /// Of issues with fewer users, most characters.
    pub characters: i64,
    /// Of issues with fewer users, most events.
    pub events: i64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 2,
            characters: 7000,
            events: 10,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "conversation-users";
    const SUMMARY: &'static str = "drops issues in which one user writes much, or often";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[
        columns::CONVERSATION_USERS,
        columns::CONVERSATION_CHARACTERS,
        columns::CONVERSATION_EVENTS,
    ];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let number = |column| file.number(column);
        match number(columns::CONVERSATION_USERS) {
            Some(users) if users < self.minimum => {}
            _ => return Verdict::Keep,
        }
        let most = |column, limit| number(column).map_or(Verdict::Keep, |value| rule::above(value, limit));
        rule::first([
            most(columns::CONVERSATION_CHARACTERS, self.characters),
            most(columns::CONVERSATION_EVENTS, self.events),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn only_issues_of_few_users_are_measured() {
        let config = Config {
            minimum: 2,
            characters: 5,
            events: 3,
        };
        for (users, characters, events, kept) in [
            (1, 5, 3, true),
            (1, 6, 3, false),
            (1, 5, 4, false),
            (0, 6, 0, false),
            (2, 6, 4, true),
        ] {
            let issue = Sample {
                numbers: vec![
                    (columns::CONVERSATION_USERS, users),
                    (columns::CONVERSATION_CHARACTERS, characters),
                    (columns::CONVERSATION_EVENTS, events),
                ],
                ..Sample::default()
            };
            let reason = issue.dropped_by(config.clone()).expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{users} {characters} {events}");
        }
    }
}
