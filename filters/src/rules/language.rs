//! Drops files in languages that are not wanted, and files whose language is unknown.
//!
//! # Why
//! A corpus names its languages. A file that no detector can name is mostly data, a dump or a fragment.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::language::Config};
//!
//! let config = Config { allow: vec!["Python".into(), "Rust".into()], ..Config::default() };
//! assert!(Sample::text("").language("Rust").dropped_by(config.clone())?.is_none());
//! assert!(Sample::text("").language("CSV").dropped_by(config.clone())?.is_some());
//! assert!(Sample::text("").dropped_by(config)?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! Every published corpus has such a list: The Stack v2 keeps 619 languages as go-enry names them, StarCoderData 86.
//! The default keeps every language that has a name.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{Check, Needs, Rule, on_list};

/// Settings of `language`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Languages that are kept, as Linguist names them, in any case; empty: all.
    pub allow: Vec<String>,
    /// Languages that are dropped although they are allowed.
    pub deny: Vec<String>,
    /// Whether files without a language are kept.
    pub keep_unknown: bool,
}

impl Rule for Config {
    const NAME: &'static str = "language";
    const SUMMARY: &'static str = "drops files in languages that are not wanted or not known";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        match self.deny.iter().find(|denied| on_list(&self.allow, Some(denied))) {
            Some(both) => Err(Error::config(format!("`{both}` is both in `allow` and in `deny`"))),
            None => Ok(self),
        }
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let language = file.language();
        let wanted = match language {
            None => self.keep_unknown,
            _ => (self.allow.is_empty() || on_list(&self.allow, language)) && !on_list(&self.deny, language),
        };
        match wanted {
            true => Verdict::Keep,
            false => Verdict::Drop(Reason::entry(language.unwrap_or("unknown"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn lists_and_the_unknown() {
        let config = |allow: &[&str], deny: &[&str], keep_unknown| Config {
            allow: crate::rule::words(allow),
            deny: crate::rule::words(deny),
            keep_unknown,
        };
        let cases = [
            (Some("C"), config(&[], &[], false), true),
            (None, config(&[], &[], false), false),
            (None, config(&["C"], &[], true), true),
            (Some("C"), config(&["c"], &[], false), true),
            (Some("C++"), config(&["C"], &[], false), false),
            (Some("CSV"), config(&[], &["csv"], false), false),
        ];
        for (language, config, kept) in cases {
            let sample = Sample {
                language,
                ..Sample::default()
            };
            assert_eq!(
                sample.dropped_by(config.clone()).expect("valid settings").is_none(),
                kept,
                "{language:?} {config:?}"
            );
        }
        assert!(config(&["C"], &["c"], false).build().is_err());
    }
}
