//! Drops files with too small or too large a share of comments.
//!
//! # Why
//! A file without a comment explains nothing; one that is nearly all comment is a license, a manual or code that was
//! switched off.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::comment_share::Config};
//!
//! let dropped = |text: &str| Sample::text(text).language("C").dropped_by(Config::default());
//! assert!(dropped("/* nothing but this */")?.is_some());
//! assert!(dropped("int f(void) { return 1; } // one")?.is_none());
//! assert!(dropped("int f(void) { return 1; }")?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! SantaCoder (Ben Allal et al. 2023, arXiv 2301.03988), `filtering.py`: comments, in Python docstrings too, below
//! .01 or above .8 of the characters. OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the
//! release: above .8. The originals read Python with its own tokenizer and parser, others with Pygments; here a
//! scanner of comment marks and quotes reads all.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `comment-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Smallest share of the characters that comments may be, 0 to 1.
    pub minimum: f64,
    /// Largest share, 0 to 1.
    pub maximum: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 0.01,
            maximum: 0.8,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "comment-share";
    const SUMMARY: &'static str = "drops files with too small or too large a share of comments";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("minimum", self.minimum)?;
        rule::share("maximum", self.maximum)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let comments = facts.source(file.language()).comments.chars().count();
        let share = match facts.characters() {
            0 => 0.0,
            all => comments as f64 / all as f64,
        };
        match rule::below(share, self.minimum) {
            Verdict::Keep => rule::above(share, self.maximum),
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
            (format!("/*{}*/{}", "c".repeat(76), "x".repeat(20)), "C", true),
            (format!("/*{}*/{}", "c".repeat(77), "x".repeat(19)), "C", false),
            (format!("/**/{}", "x".repeat(396)), "C", true),
            (format!("/**/{}", "x".repeat(397)), "C", false),
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
