//! Drops files with many long texts between quotes.
//!
//! # Why
//! Prose in strings is a translation table, a help text, or a data set in the shape of code.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::long_string_lines::Config};
//!
//! let prose = format!("x = '{}'", "word ".repeat(21));
//! assert!(Sample::text(&prose).language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("x = 'a word'").language("Python").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: lines of texts between
//! quotes with more than 20 words, above .2 of the lines of code. Words are runs of letters and digits, or of
//! punctuation.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `long-string-lines`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of the lines of code, 0 to 1; blank lines and comments are left out.
    pub limit: f64,
    /// Most words of a line between quotes that is not counted.
    pub words: u64,
    /// Whether a text between single quotes may go on over lines, as in the original, where two stray quotes make a
    /// text of everything between them.
    pub across_lines: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 0.2,
            words: 20,
            across_lines: false,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "long-string-lines";
    const SUMMARY: &'static str = "drops files with many long texts between quotes";
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
        let source = facts.source(file.language());
        let lines = source
            .strings(self.across_lines)
            .into_iter()
            .flat_map(|text| text.split('\n'));
        let long = lines
            .filter(|line| rule::word_runs(line).count() as u64 > self.words)
            .count();
        rule::above(rule::ratio(long as u64, source.code_lines().count() as u64), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            (format!("\"{}\"\n{}", "w ".repeat(21), "x\n".repeat(4)), "C", true),
            (format!("\"{}\"\n{}", "w ".repeat(21), "x\n".repeat(3)), "C", false),
            (format!("\"{}\"", "w ".repeat(20)), "C", true),
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
