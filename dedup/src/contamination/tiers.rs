//! How sure a finding is, and of what: the tier that policy decides by.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What kind of copy a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// The field stands there word for word.
    Verbatim,
    /// The field stands there with another layout, other names, or inside another text.
    Normalised,
    /// A part of the field, or a translation or rewriting of the item.
    Derivative,
    /// Code that everybody writes so: most of what agrees is also found where the item is not.
    Common,
    /// The field agrees, but is too short to tell a copy from a coincidence.
    TooShort,
}

impl Tier {
    /// The tiers that speak of a copy, strongest first.
    pub const COPIES: [Self; 3] = [Self::Verbatim, Self::Normalised, Self::Derivative];

    /// Its name in recipes and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verbatim => "verbatim",
            Self::Normalised => "normalised",
            Self::Derivative => "derivative",
            Self::Common => "common",
            Self::TooShort => "too_short",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_settings_and_copies_come_first() {
        let all = [
            Tier::Verbatim,
            Tier::Normalised,
            Tier::Derivative,
            Tier::Common,
            Tier::TooShort,
        ];
        for tier in all {
            assert_eq!(serde_json::to_value(tier).ok(), Some(tier.name().into()));
        }
        assert!(all.is_sorted());
        assert_eq!(Tier::COPIES, all[..3]);
    }
}
