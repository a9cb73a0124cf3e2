//! Drops files whose lines are long on average.
//!
//! # Why
//! Written code keeps its lines short; a mean of over a hundred characters is data, minified code or generated tables,
//! even where no single line stands out.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::line_mean::Config};
//!
//! let wide = format!("{}\n", "x".repeat(101)).repeat(5);
//! assert!(Sample::text(&wide).language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text(&wide).language("TeX").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173): mean line length above 100 characters, except
//! HTML, JSON, Markdown, Roff, Roff Manpage, SMT, TeX, Text and XML. CodeParrot, SantaCoder and StarCoder have 100 too.
//! OpenCoder's `code_filter_config.py` adds a minimum of 5.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Result, Verdict};

use super::line_max::LONG_LINES;
use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `line-mean`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most characters of a line on average, line ends not counted.
    pub limit: f64,
    /// Fewest characters of a line on average.
    pub minimum: f64,
    /// Languages that the rule leaves alone, as Linguist names them.
    pub exempt_languages: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 100.0,
            minimum: 0.0,
            exempt_languages: rule::words(&LONG_LINES),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "line-mean";
    const SUMMARY: &'static str = "drops files whose lines are long on average";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        match self.limit > 0.0 {
            true => Ok(self),
            false => Err(Error::config(format!("`limit` is {}", self.limit)).hint("give a number above 0")),
        }
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        match rule::on_list(&self.exempt_languages, file.language()) {
            true => Verdict::Keep,
            false => {
                let mean = facts.line_mean();
                rule::first([rule::above(mean, self.limit), rule::below(mean, self.minimum)])
            }
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
            ("", "C", true),
            ("123456789\n12345678901", "C", true),
            ("1234567890\n12345678901", "C", false),
            ("12345678901", "XML", true),
        ];
        for (text, language, kept) in cases {
            let config = Config {
                limit: 10.0,
                ..Config::default()
            };
            let reason = Sample::text(text)
                .language(language)
                .dropped_by(config)
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
        for (text, kept) in [("12345", true), ("1234\n1234", false)] {
            let config = Config {
                minimum: 5.0,
                ..Config::default()
            };
            let reason = Sample::text(text).dropped_by(config).expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?}");
        }
        assert!(
            Config {
                limit: f64::NAN,
                ..Config::default()
            }
            .build()
            .is_err()
        );
    }
}
