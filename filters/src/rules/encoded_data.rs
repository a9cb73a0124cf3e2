//! Drops files that are mostly, or hold a long run of, encoded data: base64, hexadecimal bytes, `\u` escapes.
//!
//! # Why
//! An embedded image or font is noise to a model, and thousands of tokens of it.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::encoded_data::Config};
//!
//! let bytes = format!("int main(void);\nchar logo[] = {{{}}};\n", "0x4f,".repeat(205));
//! assert!(Sample::text(&bytes).dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("int main(void) { return 0x4f; }\n").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173): three expressions for base64, hexadecimal and
//! Unicode escapes; a match above 1024 characters, or matches above 50 % of the file. OpenCoder's
//! `quality_signals/code.py` has the same.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `encoded-data`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Most characters of one match.
    pub longest: u64,
    /// Largest share of the file's characters that all matches together may be, 0 to 1.
    pub share: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            longest: 1024,
            share: 0.5,
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "encoded-data";
    const SUMMARY: &'static str = "drops files that are mostly, or hold a long run of, encoded data";
    const NEEDS: Needs = Needs::Content;
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("share", self.share)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, _file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let encoded = facts.encoded();
        if encoded.longest > self.longest {
            return Verdict::Drop(Reason::measured(encoded.longest, self.longest));
        }
        if encoded.total == 0 {
            return Verdict::Keep;
        }
        rule::above(encoded.total as f64 / facts.characters() as f64, self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn both_limits_themselves_are_kept() {
        let cases = [
            (String::new(), true),
            (format!("{}{}", "A".repeat(1024), "-".repeat(1024)), true),
            (format!("{}{}", "A".repeat(1025), "-".repeat(2000)), false),
            (format!("{}{}", "A".repeat(100), "-".repeat(99)), false),
            (format!("{}{}", "A".repeat(63), "-"), true),
            (format!("{}{}", "\\u00e9".repeat(10), "é".repeat(60)), true),
            (format!("{}{}", "\\u00e9".repeat(10), "é".repeat(59)), false),
        ];
        for (text, kept) in cases {
            let reason = Sample::text(&text)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text}");
        }
    }
}
