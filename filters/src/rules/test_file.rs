//! Drops files whose name says that they are tests.
//!
//! # Why
//! Tests repeat the shape of what they test; a corpus may want fewer of them.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::test_file::Config};
//!
//! assert!(Sample::path("pkg/a_test.go").dropped_by(Config::default())?.is_some());
//! assert!(Sample::path("pkg/a.go").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! OpenCoder (Huang et al. 2024, arXiv 2411.04905), `code_filter_config.py` of the release: Go files whose name ends
//! with `_test.go`, in any case; eight of ten are dropped, at random (`drop-share = 0.8`, by hash).

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `test-file`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Endings of names that are dropped, in any case.
    pub endings: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            endings: rule::words(&["_test.go"]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "test-file";
    const SUMMARY: &'static str = "drops files whose name says that they are tests";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &["path"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::filled("endings", &self.endings)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let name = file.file_name().to_lowercase();
        match self
            .endings
            .iter()
            .find(|ending| name.ends_with(&ending.to_lowercase()))
        {
            Some(ending) => Verdict::Drop(Reason::entry(ending)),
            None => Verdict::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [("a/B_Test.GO", "", false), ("a_test.go/b", "", true)];
        for (text, language, kept) in cases {
            let reason = Sample::path(text)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
