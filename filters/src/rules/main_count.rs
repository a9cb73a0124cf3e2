//! Drops files with several `main` functions.
//!
//! # Why
//! A C file has one entry; several are exercises pasted together.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::main_count::Config};
//!
//! assert!(Sample::text("int main() {}\nint main(void) {}\n").language("C").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("int main() {}\nint domain() {}\n").language("C").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: more than one `main(…) {`
//! in the code, in C and C++.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `main-count`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most definitions of a function called `main`.
    pub limit: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self { limit: 1 }
    }
}

impl Rule for Config {
    const NAME: &'static str = "main-count";
    const SUMMARY: &'static str = "drops files with several `main` functions";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::positive("limit", self.limit)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let source = facts.source(file.language());
        let mains = source
            .code
            .match_indices("main")
            .filter(|(at, _)| is_definition(&source.code, *at));
        rule::above(mains.count() as u64, self.limit)
    }
}

/// Whether `main` at `at` is a whole word, and parentheses and an opening brace follow.
fn is_definition(code: &str, at: usize) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let inside = |rest: &str| Some(rest.trim_start().strip_prefix('(')?.len());
    let rest = &code[at + 4..];
    let Some(length) = inside(rest) else { return false };
    let parameters = &rest[rest.len() - length..];
    let near = &parameters[..parameters.floor_char_boundary(LONGEST_PARAMETERS)];
    let body = near
        .split_once(')')
        .is_some_and(|(_, after)| after.trim_start().starts_with('{'));
    body && !code[..at].ends_with(is_word)
}

/// Most bytes of parameters that are looked through.
const LONGEST_PARAMETERS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("int main() {}\nmain (a) ;\n", "C", true),
            ("main() {}\nint main( int a,\n int b )\n{}", "C", false),
            ("// main() {} main() {}", "C", true),
            ("domain() {} main() {}", "C", true),
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
