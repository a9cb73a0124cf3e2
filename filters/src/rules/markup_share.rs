//! Drops texts that are mostly links and tags.
//!
//! # Why
//! A text of links is a directory, a text of tags a page that was saved as text.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::markup_share::Config};
//!
//! assert!(Sample::text("<p><b>a</b></p>").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("See [the page](https://a.b/c), which explains the rest.").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: `<…>` and `(http…)` above
//! .5 of the characters of a text.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `markup-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of the characters, 0 to 1.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.5 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "markup-share";
    const SUMMARY: &'static str = "drops texts that are mostly links and tags";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        rule::above(rule::ratio(marked(file.text()), facts.characters()), self.limit)
    }
}

/// Characters of `<…>` on one line, and of addresses in parentheses.
fn marked(text: &str) -> u64 {
    let lines = text.split('\n');
    lines
        .map(|line| between(line, '<', '>', |_| true) + between(line, '(', ')', is_address))
        .sum()
}

/// Characters from each `open` to the next `close`, both included, where `test` likes what lies between.
fn between(line: &str, open: char, close: char, test: fn(&str) -> bool) -> u64 {
    let (mut rest, mut found) = (line, 0);
    while let Some((_, after)) = rest.split_once(open) {
        let Some((inside, behind)) = after.split_once(close) else {
            break;
        };
        found += if test(inside) {
            2 + inside.chars().count() as u64
        } else {
            0
        };
        rest = if test(inside) { behind } else { after };
    }
    found
}

fn is_address(inside: &str) -> bool {
    let rest = inside
        .strip_prefix("http://")
        .or_else(|| inside.strip_prefix("https://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("<ab>xxxx", "C", true),
            ("<ab>xxx", "C", false),
            ("<a\nb>", "C", true),
            ("(http://a)xxxxxxxxx", "C", false),
            ("(http://)", "C", true),
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
