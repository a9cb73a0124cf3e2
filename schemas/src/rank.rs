//! The keep policy as one number per file: of duplicates, the one of the lowest rank is kept.
//!
//! ```text
//!   127 126      125 124            94 93             64 63                              0
//!   ┌──────┬─────────────┬─────────────┬─────────────────┬────────────────────────────────┐
//!   │ 0    │ license (2) │ stars (30)  │ forks (30)      │ file_id = listing order (64)   │
//!   └──────┴─────────────┴─────────────┴─────────────────┴────────────────────────────────┘
//! ```
//! Criteria come in the policy's order (the picture shows the default), each once; `archived` and `fork` have a bit each,
//! so that all fit; those left out are zero. The file id makes
//! ranks unique and stands for the criterion `path`, because ids follow (repo_name, revision_id, path).

use serde::{Deserialize, Serialize};

use crate::ids::FileId;
use crate::license::LicenseType;

/// One criterion of a keep policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// `permissive` before `no_license` before `non_permissive`.
    License,
    /// More stars first; unknown counts as none.
    Stars,
    /// More forks first; unknown counts as none.
    Forks,
    /// Repositories that are not archived first; unknown counts as not.
    Archived,
    /// Repositories that are no forks first; unknown counts as none.
    Fork,
    /// Order of the listing; always the last tie-breaker, named or not.
    Path,
}

/// The default policy: license, stars, forks, path.
pub fn default_policy() -> Vec<Criterion> {
    vec![Criterion::License, Criterion::Stars, Criterion::Forks, Criterion::Path]
}

/// What a rank is made from.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// License type known at listing.
    pub license: LicenseType,
    /// Stars of the repository.
    pub stars: Option<i64>,
    /// Forks of the repository.
    pub forks: Option<i64>,
    /// Whether it is archived.
    pub archived: bool,
    /// Whether it is a fork.
    pub fork: bool,
}

/// The rank of a file under `policy`; lower is kept. The low 64 bits are the file id.
pub fn rank(policy: &[Criterion], standing: Standing, file_id: FileId) -> u128 {
    let mut high: u64 = 0;
    for criterion in policy {
        let (bits, value) = match criterion {
            Criterion::License => (2, standing.license.preference()),
            Criterion::Stars => (30, more_first(standing.stars, 30)),
            Criterion::Forks => (30, more_first(standing.forks, 30)),
            Criterion::Archived => (1, u64::from(standing.archived)),
            Criterion::Fork => (1, u64::from(standing.fork)),
            Criterion::Path => break,
        };
        high = high << bits | value;
    }
    u128::from(high) << 64 | u128::from(file_id.0)
}

/// The file id inside a rank.
pub fn file_of(rank: u128) -> FileId {
    FileId(rank as u64)
}

fn more_first(count: Option<i64>, bits: u32) -> u64 {
    let most = (1u64 << bits) - 1;
    most - u64::try_from(count.unwrap_or(0)).unwrap_or(0).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked(license: LicenseType, stars: i64, row: u32) -> u128 {
        rank(
            &default_policy(),
            Standing {
                license,
                stars: Some(stars),
                forks: None,
                archived: false,
                fork: false,
            },
            FileId::new(0, row),
        )
    }

    #[test]
    fn license_beats_stars_beats_path() {
        use LicenseType::{NonPermissive, Permissive};
        assert!(ranked(Permissive, 0, 9) < ranked(NonPermissive, 1_000, 0));
        assert!(ranked(Permissive, 10, 9) < ranked(Permissive, 9, 0));
        assert!(ranked(Permissive, 10, 0) < ranked(Permissive, 10, 1));
        assert_eq!(file_of(ranked(Permissive, 10, 7)), FileId::new(0, 7));
    }

    #[test]
    fn all_criteria_fit_and_decide_in_their_order() {
        use Criterion::{Archived, Fork, Forks, License, Stars};
        let standing = |archived, fork, stars| Standing {
            license: LicenseType::NonPermissive,
            stars: Some(stars),
            forks: Some(0),
            archived,
            fork,
        };
        let policy = [Fork, License, Archived, Stars, Forks];
        let ranked = |archived, fork, stars| rank(&policy, standing(archived, fork, stars), FileId::new(0, 0));
        assert!(ranked(true, false, 0) < ranked(false, true, 9));
        assert!(ranked(false, false, 0) < ranked(true, false, 9));
        assert!(ranked(true, true, 9) < ranked(true, true, 8));
        assert!(ranked(true, true, 0) >> 127 == 1, "64 bits, none of them lost");
    }

    #[test]
    fn huge_or_negative_counts_saturate() {
        assert!(ranked(LicenseType::NoLicense, i64::MAX, 0) < ranked(LicenseType::NoLicense, 0, 0));
        assert_eq!(
            ranked(LicenseType::NoLicense, -5, 0),
            ranked(LicenseType::NoLicense, 0, 0)
        );
    }
}
