//! Drops files without a variable.
//!
//! # Why
//! Code that names no value is a list of declarations, or no code.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::no_variables::Config};
//!
//! assert!(Sample::text("def f():\n    return 1\n").language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("def f(x):\n    return 1\n").language("Python").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: no assignment, loop
//! variable or parameter, in Python, Java, JavaScript, C# and Go (in the last two its code compares a list with a
//! number, so that the rule never holds). The original reads Python with its parser, JavaScript with another, the
//! rest with regular expressions; here lines are told apart by their words (`facts::Outline`), in C, C++, C#, Go,
//! Java, JavaScript, TypeScript and Python. Other languages are left alone.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `no-variables`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest variables.
    pub minimum: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { minimum: 1 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "no-variables";
    const SUMMARY: &'static str = "drops files without a variable";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::positive("minimum", self.minimum)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let Some(outline) = facts.outline(file.language()) else {
            return Verdict::Keep;
        };
        rule::below(outline.variables, self.minimum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("x = 1", "Python", true),
            ("f(1)", "Python", false),
            ("f(1)", "Ruby", true),
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
