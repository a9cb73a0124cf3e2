//! Drops files that call themselves a test or a configuration, or are about nothing else.
//!
//! # Why
//! Tests and settings repeat the shape of other files and compute little.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::config_or_test::Config};
//!
//! assert!(Sample::text("# Unit tests of the parser\nx = 1\n").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("a = config['x']\n").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("a = read()\n").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! CodeParrot (Tunstall et al. 2022, *Natural Language Processing with Transformers*), `preprocessing.py`: "unit
//! tests", "test file" or "configuration file" in the first 5 lines, or "config" or "test" more than once in 20
//! lines, as a part of other words too; seven of ten such files are dropped, at random (`drop-share = 0.7`, by hash).

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `config-or-test`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// What the first lines must not hold, in any case.
    pub phrases: Vec<String>,
    /// Number of lines from the start in which phrases count.
    pub lines: u64,
    /// Words that are counted in the whole file, in any case.
    pub words: Vec<String>,
    /// Most occurrences of any one of the words by lines.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            phrases: rule::words(&["unit tests", "test file", "configuration file"]),
            lines: 5,
            words: rule::words(&["config", "test"]),
            limit: 0.05,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "config-or-test";
    const SUMMARY: &'static str = "drops files that call themselves a test or a configuration";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::filled("phrases", &self.phrases)?;
        rule::filled("words", &self.words)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let head = facts
            .head(usize::try_from(self.lines).unwrap_or(usize::MAX))
            .to_lowercase();
        if let Some(phrase) = self.phrases.iter().find(|phrase| head.contains(&phrase.to_lowercase())) {
            return Verdict::Drop(Reason::entry(phrase));
        }
        let (text, lines) = (file.text().to_lowercase(), facts.lines());
        let count = |word: &String| text.matches(&word.to_lowercase()).count() as u64;
        rule::first(
            self.words
                .iter()
                .map(|word| rule::above(count(word), (self.limit * lines as f64) as u64)),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("Unit Tests\n".to_owned(), "C", false),
            ("\n".repeat(5) + "unit tests\n" + &"\n".repeat(20), "C", true),
            ("Testing\n".to_owned() + &"x\n".repeat(19), "C", true),
            ("Testing\n".to_owned() + &"x\n".repeat(18), "C", false),
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
