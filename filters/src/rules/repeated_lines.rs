//! Drops files that consist of lines which they repeat.
//!
//! # Why
//! What was copied line by line is learnt from its first copy.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::repeated_lines::Config};
//!
//! assert!(Sample::text(&"call(x);\n".repeat(9)).language("C").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("a();\nb();\nc();\n").language("C").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: lines of code that occur
//! twice or more, white space taken out, above .7 of the lines; lines of one character and `},` are not held against
//! a file. Text documents: lines of any kind above .6, or their characters above .5.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stackmill_schemas::fingerprint::seeded;
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `repeated-lines`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of repeated lines, 0 to 1; blank lines are left out.
    pub limit: f64,
    /// Largest share of the characters in repeated lines, 0 to 1.
    pub characters: f64,
    /// Whether comments, and lines of one character, count too: for texts that are no code.
    pub whole_text: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 0.7,
            characters: 1.0,
            whole_text: false,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "repeated-lines";
    const SUMMARY: &'static str = "drops files that consist of lines which they repeat";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        rule::share("characters", self.characters)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let source = facts.source(file.language());
        let text = if self.whole_text { file.text() } else { &source.code };
        let repeated = Repeated::of(text, self.whole_text);
        rule::first([
            rule::above(rule::ratio(repeated.lines.0, repeated.lines.1), self.limit),
            rule::above(
                rule::ratio(repeated.characters.0, repeated.characters.1),
                self.characters,
            ),
        ])
    }
}

/// Lines that occur twice or more, and all lines; their characters, and all characters.
struct Repeated {
    lines: (u64, u64),
    characters: (u64, u64),
}

impl Repeated {
    fn of(text: &str, whole: bool) -> Self {
        let blank = |line: &&str| !line.trim().is_empty();
        let mut counts: BTreeMap<u64, (u64, u64, bool)> = BTreeMap::new();
        for line in text.split('\n').filter(blank) {
            let line: String = match whole {
                true => line.trim().to_owned(),
                false => line.split_whitespace().collect(),
            };
            let length = line.chars().count() as u64;
            let counted = whole || !(length == 1 || line == "},");
            counts
                .entry(seeded(0, line.as_bytes()))
                .or_insert((0, length, counted))
                .0 += 1;
        }
        let mut repeated = Self {
            lines: (0, 0),
            characters: (0, 0),
        };
        for (count, length, counted) in counts.into_values() {
            let again = u64::from(counted && count > 1);
            repeated.lines = (repeated.lines.0 + again * count, repeated.lines.1 + count);
            let characters = count * length;
            repeated.characters = (
                repeated.characters.0 + again * characters,
                repeated.characters.1 + characters,
            );
        }
        repeated
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("ab\n".repeat(7) + "c\nd\ne\n", "C", true),
            ("ab\n".repeat(8) + "c\nd\ne\n", "C", false),
            ("}\n".repeat(9), "C", true),
            ("} ,\n".repeat(9), "C", true),
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
