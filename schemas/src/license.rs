//! License types: what a policy makes of an SPDX expression.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The three types of The Stack v2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LicenseType {
    /// Some way to satisfy the expression uses permissive licenses alone.
    Permissive,
    /// No license was found.
    NoLicense,
    /// Copyleft, non-commercial, proprietary or unknown terms.
    NonPermissive,
}

impl LicenseType {
    /// The word used in every table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Permissive => "permissive",
            Self::NoLicense => "no_license",
            Self::NonPermissive => "non_permissive",
        }
    }

    /// Place in a keep policy: 0 is kept first.
    pub fn preference(self) -> u64 {
        self as u64
    }
}

impl fmt::Display for LicenseType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
