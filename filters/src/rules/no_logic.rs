//! Drops files that declare and return, and compute nothing.
//!
//! # Why
//! Functions, imports, types, plain returns and plain declarations are the frame of code; a file that is mostly frame
//! has nothing inside.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::no_logic::Config};
//!
//! assert!(Sample::text("import a\nclass B:\n    def f():\n        return 1\n").language("Python").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("def f(x):\n    y = g(x)\n    h(y)\n").language("Python").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: functions, imports,
//! classes, simple returns and simple declarations above .5 of the lines of code; eight of ten such files are
//! dropped, at random (`drop-share = 0.8`, by hash). The original reads Python with its parser, JavaScript with
//! another, the rest with regular expressions; here lines are told apart by their words (`facts::Outline`), in C,
//! C++, C#, Go, Java, JavaScript, TypeScript and Python. Other languages are left alone.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `no-logic`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most declarations by lines of code, 0 to 1.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.5 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "no-logic";
    const SUMMARY: &'static str = "drops files that declare and return, and compute nothing";
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
        rule::above(outline.no_logic(), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("import a\nx\n", "Python", true),
            ("import a\nimport b\nx\n", "Python", false),
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
