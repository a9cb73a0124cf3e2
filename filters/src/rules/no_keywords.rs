//! Drops files in which no function, class or loop begins.
//!
//! # Why
//! Python without any of them is data, settings or a list of calls.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::no_keywords::Config};
//!
//! assert!(Sample::text("x = [1, 2, 3]\n").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("for x in y:\n    print(x)\n").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! CodeParrot (Tunstall et al. 2022, *Natural Language Processing with Transformers*), `preprocessing.py`: none of
//! "def ", "class ", "for " and "while ", in any case; seven of ten such files are dropped, at random (`drop-share =
//! 0.7`, by hash).

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `no-keywords`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// One of them must be there, in any case, anywhere.
    pub keywords: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            keywords: rule::words(&["def ", "class ", "for ", "while "]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "no-keywords";
    const SUMMARY: &'static str = "drops files in which no function, class or loop begins";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::filled("keywords", &self.keywords)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let text = file.text().to_lowercase();
        match self
            .keywords
            .iter()
            .any(|keyword| text.contains(&keyword.to_lowercase()))
        {
            true => Verdict::Keep,
            false => Verdict::Drop(Reason::entry("none of the keywords")),
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
            ("DEF f():", "C", true),
            ("undef x", "C", true),
            ("defend", "C", false),
            ("", "C", false),
        ];
        for (text, language, kept) in cases {
            let reason = Sample::text(text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
