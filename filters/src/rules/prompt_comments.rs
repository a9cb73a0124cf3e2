//! Drops files whose comments ask for code.
//!
//! # Why
//! "Your code here" is an exercise without its answer; a file full of things to do is a plan.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::prompt_comments::Config};
//!
//! assert!(Sample::text("int f() {\n// FixMe: this\n}\n").language("C").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("int f() {\n// one\n}\n").language("C").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: lines of comments that
//! hold "your code here", "fixme" or "todo", in any case, above .01 of all lines.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `prompt-comments`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of all lines, 0 to 1.
    pub limit: f64,
    /// What counts, in any case.
    pub phrases: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            limit: 0.01,
            phrases: rule::words(&["your code here", "fixme", "todo"]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "prompt-comments";
    const SUMMARY: &'static str = "drops files whose comments ask for code";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        rule::filled("phrases", &self.phrases)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let source = facts.source(file.language());
        let asks = |line: &str| rule::mentions(line, &self.phrases, true);
        let asking = source.comment_lines().filter(|line| asks(line)).count();
        rule::above(rule::ratio(asking as u64, facts.lines()), self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("// ToDo\n".to_owned() + &"x\n".repeat(99), "C", true),
            ("// ToDo\n".to_owned() + &"x\n".repeat(98), "C", false),
            ("todo();\n".to_owned(), "C", true),
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
