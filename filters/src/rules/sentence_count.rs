//! Drops texts of a single sentence.
//!
//! # Why
//! One sentence is a caption, a title or a broken page.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::sentence_count::Config};
//!
//! assert!(Sample::text("Just this.").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("Just this. And that.").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: exactly one sentence, in
//! text documents; sentences end with `.`, `!`, `?` or their like, so that a text without words, which has none, is
//! left to other rules.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `sentence-count`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest sentences; a text of none is left alone.
    pub limit: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 2 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "sentence-count";
    const SUMMARY: &'static str = "drops texts of a single sentence";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::positive("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let parts = file.text().split(ENDS);
        let sentences = parts
            .filter(|part| part.contains(|c: char| c.is_alphanumeric() || c == '_'))
            .count() as u64;
        match sentences {
            0 => Verdict::Keep,
            _ => rule::below(sentences, self.limit),
        }
    }
}

/// Signs that end a sentence.
const ENDS: [char; 7] = ['.', '!', '?', '。', '！', '？', '؟'];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("a. b", "C", true),
            ("a b", "C", false),
            ("", "C", true),
            ("...!", "C", true),
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
