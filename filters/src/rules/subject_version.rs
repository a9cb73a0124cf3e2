//! Drops commits whose message begins with the number of a version.
//!
//! # Why
//! Releases change numbers and little else.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::subject_version::Config};
//!
//! for subject in ["v1.10.0", "1.2.3-beta is out", "2.0.10 is out"] {
//!     assert!(Sample::subject(subject).dropped_by(Config::default())?.is_some());
//! }
//! for subject in ["release 1.2.3", "1.2 is out", "1.2.3 is out"] {
//!     assert!(Sample::subject(subject).dropped_by(Config::default())?.is_none());
//! }
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder (Li et al. 2023, arXiv 2305.06161), `preprocessing/filtering_git_commits.ipynb` of bigcode-dataset, and
//! CommitPackFT. Their pattern wants the end or something other than white space behind the three numbers, and may leave
//! off a last digit to find it: `1.2.10 is out` goes, `1.2.3 is out` stays (`spaced` drops it, too).

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict, columns};

use crate::facts::{Facts, is_space};
use crate::rule::{Check, Needs, Rule};

/// Settings of `subject-version`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Whether a version with white space behind it is dropped whatever its last number.
    pub spaced: bool,
}

impl Rule for Config {
    const NAME: &'static str = "subject-version";
    const SUMMARY: &'static str = "drops commits whose message begins with the number of a version";
    const NEEDS: Needs = Needs::Listing;
    const COLUMNS: &'static [&'static str] = &[columns::CHANGE_SUBJECT];
    type Check = Self;

    fn build(self) -> Result<Self> {
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        file.words(columns::CHANGE_SUBJECT)
            .map_or(Verdict::Keep, |subject| self.judge(subject))
    }
}

impl Config {
    fn judge(&self, subject: &str) -> Verdict {
        match version(subject) {
            Some((version, last, rest)) if self.spaced || last > 1 || !rest.starts_with(is_space) => {
                Verdict::Drop(Reason::entry(version))
            }
            _ => Verdict::Keep,
        }
    }
}

/// Three numbers with dots between them, how many digits the last one has, and what follows.
fn version(subject: &str) -> Option<(&str, usize, &str)> {
    let bare = subject.strip_prefix(['v', 'V']).unwrap_or(subject);
    let number = |text: &str| text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
    let (mut rest, mut digits) = (bare, number(bare));
    for _ in 0..2 {
        rest = rest[digits..].strip_prefix('.').filter(|_| digits > 0)?;
        digits = number(rest);
    }
    let (version, _) = subject.split_at(subject.len() - rest.len() + digits);
    (digits > 0).then(|| (version, digits, &rest[digits..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn versions_at_the_front_are_found() {
        for (subject, kept) in [
            ("v1.2.3", false),
            ("V1.2.3", false),
            ("vv1.2.3", true),
            ("1.2.", true),
            ("1..3", true),
            (".1.2.3", true),
            ("1.2.3.4", false),
            ("1.2.3 a", true),
            ("1.2.34 a", false),
            ("", true),
        ] {
            let reason = Sample::subject(subject)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{subject:?}");
        }
        assert!(
            Sample::subject("1.2.3 a")
                .dropped_by(Config { spaced: true })
                .expect("valid settings")
                .is_some()
        );
    }
}
