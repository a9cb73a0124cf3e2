//! Drops texts of which many lines end as if there were more.
//!
//! # Why
//! Lines that end in dots or "more" are teasers cut from somewhere else.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::read_more_lines::Config};
//!
//! assert!(Sample::text("News of today ...\nWeather\n").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("News of today\nWeather\n").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `doc.py` and `code_filter_config.py` of the release: lines that
//! end in dots or one of ten words for "more", closing brackets left out, above .1 of all lines of a text; Chinese
//! .3.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `read-more-lines`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of all lines, 0 to 1.
    pub limit: f64,
    /// Endings that count.
    pub endings: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 0.1,
            endings: rule::words(&[
                "...",
                "…",
                "全文",
                "详情",
                "详细",
                "更多",
                "المزيد",
                "تفاصيل",
                "もっと",
                "詳細",
                "もっと読む",
            ]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "read-more-lines";
    const SUMMARY: &'static str = "drops texts of which many lines end as if there were more";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        rule::filled("endings", &self.endings)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let lines = file
            .text()
            .lines()
            .filter(|line| {
                self.endings
                    .iter()
                    .any(|ending| line.trim_end().trim_end_matches(BRACKETS).ends_with(ending.as_str()))
            })
            .count();
        rule::above(rule::ratio(lines as u64, facts.lines()), self.limit)
    }
}

/// Closing brackets, which are left out.
const BRACKETS: [char; 5] = [']', '】', ')', '>', '》'];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("a...\n".to_owned() + &"x\n".repeat(9), "C", true),
            ("a…)\n".to_owned() + &"x\n".repeat(8), "C", false),
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
