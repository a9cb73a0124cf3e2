//! Drops files that are lists of tiny functions.
//!
//! # Why
//! A file with a function every few lines declares much and computes nothing; most are bindings and mocks.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::function_lines::Config};
//!
//! assert!(Sample::text("def f():\n    return 1\n").language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text(&format!("def f():\n{}", "    x += 1\n".repeat(4))).language("Python").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: functions above .2 of the
//! lines of code. The original reads Python with its parser, JavaScript with another, the rest with regular
//! expressions; here lines are told apart by their words (`facts::Outline`), in C, C++, C#, Go, Java, JavaScript,
//! TypeScript and Python. Other languages are left alone.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `function-lines`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most functions by lines of code, 0 to 1; blank lines and comments are left out.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.2 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "function-lines";
    const SUMMARY: &'static str = "drops files that are lists of tiny functions";
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
        let Some(outline) = facts.outline(file.language()) else {
            return Verdict::Keep;
        };
        rule::above(outline.function_share(), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("def f():\n".to_owned() + &"x\n".repeat(4), "Python", true),
            ("def f():\n".to_owned() + &"x\n".repeat(3), "Python", false),
            ("def f():\n".to_owned(), "Ruby", true),
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
