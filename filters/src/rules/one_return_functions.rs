//! Drops Python files of functions that only return something.
//!
//! # Why
//! Getters and constants in the shape of functions are an interface without what lies behind it.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::one_return_functions::Config};
//!
//! assert!(Sample::text("def f():\n    return 1\n").language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("def f():\n    x = 1\n    return x\n").language("Python").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: functions whose body is a
//! single `return` above .1 of the lines of code, in Python. The original parses; here a line that returns right
//! after the line that defines counts.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `one-return-functions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most such functions by lines of code, 0 to 1.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.1 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "one-return-functions";
    const SUMMARY: &'static str = "drops Python files of functions that only return something";
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
        rule::above(rule::ratio(outline.one_return_functions, outline.lines), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("def f():\n  return 1\n".to_owned() + &"x\n".repeat(8), "Python", true),
            ("def f():\n  return 1\n".to_owned() + &"x\n".repeat(7), "Python", false),
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
