//! Drops files whose extension is not on a list.
//!
//! # Why
//! Corpora that were inspected by hand name the extensions that were worth keeping; what nobody looked at stays out.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::allowed_extension::Config};
//!
//! let config = Config { allow: vec!["rs".into(), "py".into()], ..Config::default() };
//! assert!(Sample::path("src/main.rs").dropped_by(config.clone())?.is_none());
//! assert!(Sample::path("data.csv").dropped_by(config)?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder (Li et al. 2023, arXiv 2305.06161), `visual_inspection.csv` of the release: an extension that is not in
//! the list is dropped. The default list is empty, which drops nothing.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{Check, Needs, Rule};

/// Settings of `allowed-extension`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Extensions that are kept, without the leading dot, in any case; an empty text stands for files without one; an
    /// empty list keeps all.
    pub allow: Vec<String>,
    /// Ends of file names that are kept whatever their extension.
    pub names: Vec<String>,
}

impl Rule for Config {
    const NAME: &'static str = "allowed-extension";
    const SUMMARY: &'static str = "drops files whose extension is not on a list";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &["path"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        if let Some(entry) = self.allow.iter().find(|entry| entry.contains(['.', '/'])) {
            return Err(Error::config(format!("`allow`: `{entry}` is not an extension")).hint("write `rs`: no dot"));
        }
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let extension = file.extension();
        let is_named = || self.names.iter().any(|name| file.file_name().ends_with(name.as_str()));
        let is_allowed = || self.allow.iter().any(|allowed| allowed.eq_ignore_ascii_case(extension));
        match self.allow.is_empty() || is_allowed() || is_named() {
            true => Verdict::Keep,
            false => Verdict::Drop(Reason::entry(extension)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let names = Config {
            allow: vec!["b".to_owned()],
            names: vec!["file".to_owned()],
        };
        for (path, kept) in [
            ("a/Makefile", true),
            ("a/file.c", false),
            ("a.b", true),
            ("a.file", true),
        ] {
            let reason = Sample::path(path).dropped_by(names.clone()).expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{path}");
        }
        let cases = [("a.b", "", true)];
        for (text, language, kept) in cases {
            let reason = Sample::path(text)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
