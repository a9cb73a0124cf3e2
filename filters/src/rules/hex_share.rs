//! Drops files with much of their code in hexadecimal numbers.
//!
//! # Why
//! Tables of `0x…` are firmware, fonts and look-up tables.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::hex_share::Config};
//!
//! assert!(Sample::text("{0x4f, 0x50, 0x51}").language("C").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("int mask = flags & 0xff;").language("C").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: words that begin with
//! `0x` above .4 of the code; in text documents of the whole text.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `hex-share`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Largest share of the characters of code, 0 to 1; comments are left out.
    pub limit: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 0.4 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "hex-share";
    const SUMMARY: &'static str = "drops files with much of their code in hexadecimal numbers";
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
        let source = facts.source(file.language());
        let words = source
            .code
            .split(|character: char| !(character.is_alphanumeric() || character == '_'));
        let hexadecimal: usize = words.filter(|word| is_hexadecimal(word)).map(str::len).sum();
        rule::above(
            rule::ratio(hexadecimal as u64, source.code.chars().count() as u64),
            self.limit,
        )
    }
}

fn is_hexadecimal(word: &str) -> bool {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("0x1f-+-+-+".to_owned(), "C", true),
            ("0x1f-+-+-".to_owned(), "C", false),
            ("0x1fg".to_owned(), "C", true),
            ("a0x1f".to_owned(), "C", true),
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
