//! Drops files whose license type is not wanted.
//!
//! # Why
//! What may be trained on or published is a matter of policy; the type of the license is what published corpora decide
//! by.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::license::Config};
//!
//! let file = |license_type| Sample { license_type: Some(license_type), ..Sample::default() };
//! assert!(file("permissive").dropped_by(Config::default())?.is_none());
//! assert!(file("no_license").dropped_by(Config::default())?.is_none());
//! assert!(file("non_permissive").dropped_by(Config::default())?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173): permissively licensed and unlicensed files are
//! kept.

use serde::{Deserialize, Serialize};
use stackmill_schemas::license::LicenseType;
use stackmill_schemas::{Error, FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{Check, Needs, Rule};

/// Settings of `license`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// License types that are kept: `permissive`, `no_license`, `non_permissive`.
    pub allow: Vec<LicenseType>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow: vec![LicenseType::Permissive, LicenseType::NoLicense],
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "license";
    const SUMMARY: &'static str = "drops files whose license type is not wanted";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["license_type"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        if self.allow.is_empty() {
            return Err(Error::config("`allow` is empty, which would drop every file")
                .hint("name at least one of permissive, no_license, non_permissive"));
        }
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let found = file.license_type().unwrap_or(LicenseType::NoLicense.as_str());
        if self.allow.iter().any(|allowed| allowed.as_str() == found) {
            return Verdict::Keep;
        }
        let allowed: Vec<&str> = self.allow.iter().map(|allowed| allowed.as_str()).collect();
        Verdict::Drop(Reason::measured(found, allowed.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn only_listed_types_are_kept() {
        let only_permissive = Config {
            allow: vec![LicenseType::Permissive],
        };
        let cases = [
            (Some("permissive"), true, true),
            (Some("no_license"), true, false),
            (None, true, false),
            (Some("non_permissive"), false, false),
        ];
        for (license_type, by_default, strictly) in cases {
            let sample = Sample {
                license_type,
                ..Sample::default()
            };
            let kept = |config: Config| sample.dropped_by(config).expect("valid settings").is_none();
            assert_eq!(
                (kept(Config::default()), kept(only_permissive.clone())),
                (by_default, strictly),
                "{license_type:?}"
            );
        }
        assert!(Config { allow: Vec::new() }.build().is_err());
    }
}
