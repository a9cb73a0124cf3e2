//! The keep policy as one number per file: of duplicates, the one of the lowest rank is kept.
//!
//! ```text
//!   127 126      125 124            105 104            85 84      64 63                              0
//!   ┌──────┬─────────────┬─────────────┬─────────────────┬──────────┬────────────────────────────────┐
//!   │ 0    │ license (2) │ stars (20)  │ forks (20)      │ further  │ file_id = listing order (64)   │
//!   └──────┴─────────────┴─────────────┴─────────────────┴──────────┴────────────────────────────────┘
//! ```
//! Criteria come in the policy's order (the picture shows the default), each once, in 64 bits together: a policy that needs
//! more is refused; a hash takes all that are left. The file id makes ranks unique and stands for the criterion `path`, because ids follow (repo_name,
//! revision_id, path).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::fingerprint::seeded;
use crate::ids::FileId;
use crate::license::LicenseType;
use crate::text::nearest;

/// Bits for all criteria together.
pub const BITS: u32 = 64;
const COUNT_BITS: u32 = 20;
const DEPTH_BITS: u32 = 5;
const NUMBER_BITS: u32 = 24;
const DAY_BITS: u32 = 16;
/// Bits that a hash has at least.
const HASH_BITS: u32 = 32;
/// Seed of the hashes of [`Criterion::Hash`].
const HASH_SEED: u64 = u64::from_le_bytes(*b"keephash");

/// One criterion of a keep policy: in a recipe one word, or the name of a column and `asc` or `desc`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
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
    /// Files that are no third party's copy first.
    Vendored,
    /// Files in fewer folders first.
    Depth,
    /// A column of the listing: `asc` has the least first, `desc` the greatest. Rows without a value come last.
    Column {
        /// Its name.
        name: String,
        /// The greatest first.
        is_descending: bool,
    },
    /// A hash of the blob id, then one of repository and path: an order that is the files' own, whatever comes first. It
    /// takes all bits that are left, at least 32.
    Hash,
    /// Order of the listing; always the last tie-breaker, named or not. In a table, that is the order of rows.
    Path,
}

const WORDS: [(Criterion, &str); 9] = [
    (Criterion::License, "license"),
    (Criterion::Stars, "stars"),
    (Criterion::Forks, "forks"),
    (Criterion::Archived, "archived"),
    (Criterion::Fork, "fork"),
    (Criterion::Vendored, "vendored"),
    (Criterion::Depth, "depth"),
    (Criterion::Hash, "hash"),
    (Criterion::Path, "path"),
];

impl TryFrom<String> for Criterion {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        if let Some((criterion, _)) = WORDS.iter().find(|(_, word)| *word == text) {
            return Ok(criterion.clone());
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            [name, order @ ("asc" | "desc")] => Ok(Self::Column {
                name: (*name).to_owned(),
                is_descending: *order == "desc",
            }),
            _ => {
                let known = WORDS.map(|(_, word)| format!("`{word}`")).join(", ");
                let near = nearest(&text, WORDS.map(|(_, word)| word));
                let near = near.map_or(String::new(), |near| format!("did you mean `{near}`? "));
                Err(Error::config(format!(
                    "unknown criterion `{text}`; {near}expected {known}, or a column and `asc` or `desc`"
                )))
            }
        }
    }
}

impl From<Criterion> for String {
    fn from(criterion: Criterion) -> Self {
        criterion.to_string()
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Column { name, is_descending } => {
                write!(to, "{name} {}", if *is_descending { "desc" } else { "asc" })
            }
            word => {
                let found = WORDS.iter().find(|(criterion, _)| criterion == word);
                to.write_str(found.map_or("", |(_, word)| word))
            }
        }
    }
}

/// The default policy: license, stars, forks, path.
pub fn default_policy() -> Vec<Criterion> {
    vec![Criterion::License, Criterion::Stars, Criterion::Forks, Criterion::Path]
}

/// What a file has in a column.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// A number; compared to one part in 4,096, whole ones up to 4,096 exactly.
    Number(Option<f64>),
    /// Yes or no.
    Flag(Option<bool>),
    /// A day, as a text that begins with `YYYY-MM-DD`; other texts count as missing.
    Day(Option<&'a str>),
}

impl Value<'_> {
    /// Bits that it takes.
    pub fn bits(&self) -> u32 {
        match self {
            Self::Number(_) => NUMBER_BITS,
            Self::Flag(_) => 2,
            Self::Day(_) => DAY_BITS,
        }
    }

    /// Its place in the order: below all bits set, which is for what is missing.
    fn place(&self, is_descending: bool) -> u64 {
        let most = (1 << self.bits()) - 1;
        let place = match self {
            Self::Number(number) => number.filter(|number| !number.is_nan()).map(ordered),
            Self::Flag(flag) => flag.map(u64::from),
            Self::Day(text) => text.and_then(day),
        };
        match place {
            None => most,
            Some(place) if is_descending => most - 1 - place.min(most - 1),
            Some(place) => place.min(most - 1),
        }
    }
}

/// The leading bits of a number, so that they are ordered as numbers are.
fn ordered(number: f64) -> u64 {
    // Zero has two signs.
    let bits = (number + 0.0).to_bits();
    let bits = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
    bits >> (64 - NUMBER_BITS)
}

/// Days since 1970, of a text that begins with `YYYY-MM-DD`; earlier ones are none.
fn day(text: &str) -> Option<u64> {
    let date = text
        .get(..10)
        .filter(|date| date.as_bytes()[4] == b'-' && date.as_bytes()[7] == b'-')?;
    let number = |range: std::ops::Range<usize>| date.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || year < 1970 {
        return None;
    }
    // Years begin in March, so that a leap day is the last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days.checked_sub(719_468)
}

/// What a rank is made from.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
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
    /// Whether the file is a third party's copy.
    pub vendored: bool,
    /// Folders that the file lies in.
    pub depth: usize,
    /// What it has in the columns that the policy names, in its order.
    pub columns: Vec<Value<'a>>,
    /// By which the hash orders; its default where the policy has none.
    pub identity: Identity<'a>,
}

/// What a file is, wherever its listing puts it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Identity<'a> {
    /// Its repository.
    pub repository: &'a str,
    /// Its path.
    pub path: &'a str,
    /// Its blob id; empty where it is not known.
    pub blob: &'a [u8],
}

impl Identity<'_> {
    /// The leading half of `bits` is the blob's, so that rows without a name of their own have an order, too.
    fn place(&self, bits: u32) -> u64 {
        let lower = bits / 2;
        let blob = seeded(HASH_SEED, self.blob) >> (64 - (bits - lower));
        let name = seeded(seeded(HASH_SEED, self.repository.as_bytes()), self.path.as_bytes());
        blob << lower | name >> (64 - lower)
    }
}

/// Bits that a policy needs; `columns` as in [`Standing`]. A hash takes all that are left, if these are enough.
pub fn bits(policy: &[Criterion], columns: &[Value<'_>]) -> u32 {
    let others = other_bits(policy, columns);
    match policy.contains(&Criterion::Hash) {
        true => BITS.max(others + HASH_BITS),
        false => others,
    }
}

/// Bits of all criteria but a hash.
fn other_bits(policy: &[Criterion], columns: &[Value<'_>]) -> u32 {
    let of_columns: u32 = columns.iter().map(Value::bits).sum();
    let of_words = policy.iter().map(|criterion| match criterion {
        Criterion::License => 2,
        Criterion::Stars | Criterion::Forks => COUNT_BITS,
        Criterion::Archived | Criterion::Fork | Criterion::Vendored => 1,
        Criterion::Depth => DEPTH_BITS,
        Criterion::Column { .. } | Criterion::Hash | Criterion::Path => 0,
    });
    of_columns + of_words.sum::<u32>()
}

/// The rank of a file under `policy`; lower is kept. The low 64 bits are the file id.
pub fn rank(policy: &[Criterion], standing: &Standing<'_>, file_id: FileId) -> u128 {
    let mut high: u64 = 0;
    let mut columns = standing.columns.iter();
    for criterion in policy {
        let (bits, value) = match criterion {
            Criterion::License => (2, standing.license.preference()),
            Criterion::Stars => (COUNT_BITS, more_first(standing.stars)),
            Criterion::Forks => (COUNT_BITS, more_first(standing.forks)),
            Criterion::Archived => (1, u64::from(standing.archived)),
            Criterion::Fork => (1, u64::from(standing.fork)),
            Criterion::Vendored => (1, u64::from(standing.vendored)),
            Criterion::Depth => (DEPTH_BITS, (standing.depth as u64).min((1 << DEPTH_BITS) - 1)),
            Criterion::Column { is_descending, .. } => columns
                .next()
                .map_or((0, 0), |value| (value.bits(), value.place(*is_descending))),
            Criterion::Hash => {
                let left = BITS
                    .saturating_sub(other_bits(policy, &standing.columns))
                    .max(HASH_BITS);
                (left, standing.identity.place(left))
            }
            Criterion::Path => break,
        };
        // A hash may be all there is.
        high = high.checked_shl(bits).unwrap_or(0) | value;
    }
    u128::from(high) << 64 | u128::from(file_id.0)
}

/// The file id inside a rank.
pub fn file_of(rank: u128) -> FileId {
    FileId(rank as u64)
}

fn more_first(count: Option<i64>) -> u64 {
    let most = (1u64 << COUNT_BITS) - 1;
    most - u64::try_from(count.unwrap_or(0)).unwrap_or(0).min(most)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn standing(license: LicenseType, stars: i64) -> Standing<'static> {
        Standing {
            license,
            stars: Some(stars),
            forks: None,
            archived: false,
            fork: false,
            vendored: false,
            depth: 0,
            columns: Vec::new(),
            identity: Identity::default(),
        }
    }

    fn ranked(license: LicenseType, stars: i64, row: u32) -> u128 {
        rank(&default_policy(), &standing(license, stars), FileId::new(0, row))
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
    fn criteria_decide_in_their_order_up_to_64_bits() {
        use Criterion::{Archived, Depth, Fork, Forks, License, Stars};
        let pushed = Criterion::try_from("pushed_at desc".to_owned()).expect("a column");
        let policy = [Fork, pushed, License, Archived, Stars, Depth, Forks];
        let day = |text| vec![Value::Day(Some(text))];
        assert_eq!(bits(&policy, &day("2024-01-01")), 65);
        let policy = &policy[..6];
        let ranked = |fork, archived, depth, columns| {
            let standing = Standing {
                fork,
                archived,
                depth,
                columns,
                ..standing(LicenseType::Permissive, 3)
            };
            rank(policy, &standing, FileId::new(0, 0))
        };
        let (old, new) = (|| day("2023-12-31T23:00:00Z"), || day("2024-01-01"));
        assert!(ranked(false, true, 9, old()) < ranked(true, false, 0, new()));
        assert!(ranked(false, true, 9, new()) < ranked(false, false, 0, old()));
        assert!(ranked(false, false, 9, new()) < ranked(false, true, 0, new()));
        assert!(ranked(false, false, 1, new()) < ranked(false, false, 2, new()));
        assert!(
            ranked(false, false, 99, old()) < ranked(false, false, 0, vec![Value::Day(None)]),
            "missing is last"
        );
    }

    #[test]
    fn a_hash_takes_the_bits_that_are_left_and_32_at_least() {
        use Criterion::{Forks, Hash, License, Path, Stars};
        assert_eq!(bits(&[Hash], &[]), 64);
        assert_eq!(bits(&[License, Stars, Hash, Path], &[]), 64);
        assert_eq!(bits(&[License, Stars, Forks, Hash], &[]), 74, "22 are too few");
    }

    /// Mutation: hash the path alone.
    #[test]
    fn a_hash_orders_by_blob_then_by_name_whatever_the_row() {
        use Criterion::{Hash, License};
        let ranked = |policy: &[Criterion], blob: &[u8], path, row| {
            let identity = Identity {
                repository: "a/b",
                path,
                blob,
            };
            let standing = Standing {
                identity,
                ..standing(LicenseType::Permissive, 3)
            };
            rank(policy, &standing, FileId::new(0, row))
        };
        for policy in [&[Hash][..], &[License, Hash]] {
            let blobs: Vec<[u8; 1]> = (0..200).map(|blob| [blob]).collect();
            let order = |row: fn(u32) -> u32| {
                let mut order: Vec<u32> = (0..200).collect();
                order.sort_by_key(|at| ranked(policy, &blobs[*at as usize], "p", row(*at)));
                order
            };
            assert_eq!(order(|at| at), order(|at| 200 - at));
            assert_ne!(order(|at| at), (0..200).collect::<Vec<_>>());
            let same = |path| ranked(policy, &[7], path, 0) >> 64;
            assert_ne!(same("x"), same("y"));
            let half = if policy.len() == 1 { 96 } else { 95 };
            assert_eq!(
                ranked(policy, &[7], "x", 0) >> half,
                ranked(policy, &[7], "y", 0) >> half
            );
        }
    }

    #[test]
    fn huge_or_negative_counts_saturate() {
        assert!(ranked(LicenseType::NoLicense, i64::MAX, 0) < ranked(LicenseType::NoLicense, 0, 0));
        assert_eq!(
            ranked(LicenseType::NoLicense, -5, 0),
            ranked(LicenseType::NoLicense, 0, 0)
        );
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (text, days) in [
            ("1970-01-01", Some(0)),
            ("2000-02-29T12:00", Some(11_016)),
            ("2024-03-01", Some(19_783)),
            ("1969-12-31", None),
            ("2024-13-01", None),
            ("yesterday", None),
            ("2024-1-01x", None),
        ] {
            assert_eq!(day(text), days, "{text}");
        }
    }

    #[test]
    fn criteria_are_written_as_they_are_read() {
        for text in ["license", "depth", "hash", "pushed_at desc", "size asc"] {
            let criterion = Criterion::try_from(text.to_owned()).expect("known");
            assert_eq!(criterion.to_string(), text);
        }
        for text in ["stars up", "", "pushed_at", "a b asc"] {
            assert!(Criterion::try_from(text.to_owned()).is_err(), "{text}");
        }
    }

    proptest! {
        /// Mutation: take the sign bit for a part of the number.
        #[test]
        fn columns_order_as_their_numbers_do(a in -1e9f64..1e9, b in -1e9f64..1e9) {
            let place = |number, is_descending| Value::Number(Some(number)).place(is_descending);
            let missing = Value::Number(None).place(false);
            prop_assert_eq!(missing, Value::Number(None).place(true));
            let (low, high) = (a.min(b), a.max(b));
            prop_assert!(place(low, false) <= place(high, false) && place(high, false) < missing);
            prop_assert!(place(high, true) <= place(low, true) && place(low, true) < missing);
            if high - low > (low.abs().max(high.abs())) / 1024.0 {
                prop_assert!(place(low, false) < place(high, false));
            }
        }
    }
}
