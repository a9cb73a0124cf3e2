//! Repositories that are copies of others, as a whole: decided before any single file is.
//!
//! ```text
//!   Gathering    rows of the listing ► (repository)      gather: its set of blob ids, its tree, its rank
//!   Anchors      blob ids ► (blob id)                    gather: pairs of repositories that share an anchor
//!   Attach       as in `near`, with sets of blob ids
//!   Containment  set of a, ranks b ► home of b           gather: the share of b's blobs that a has ► edges
//!   Keepers      edges ► one partition                   gather: greedy in rank order ► decisions about repositories
//! ```
//! In rank order a repository is removed iff an earlier **kept** one has at least `threshold` of its distinct blobs: so
//! what is removed is nearly all kept elsewhere, and a large repository is never removed for a small one inside it. A
//! library that an application has copied is not removed for it unless the application comes first in rank order; the
//! copies of its files are then exact duplicates.
//!
//! **Anchors** are the blobs of a repository whose ids have the smallest hashes, and its tree. A pair is compared if
//! the later one has an anchor that the earlier one has as a blob, however large that is. Sets are compared blob by blob.

mod anchors;
mod containment;
mod gathering;
mod keepers;
mod set;
#[cfg(test)]
mod tests;

pub use anchors::Anchors;
pub use containment::Containment;
pub use gathering::{FILES, Gathering};
pub use keepers::Keepers;

use serde::{Deserialize, Serialize};
use stackmill_schemas::file::Place;
use stackmill_schemas::{Error, Result};

use crate::near::{Attach, NearConfig};
use crate::renamed::Renamed;

/// Where the decisions are taken; a copy of the whole tree has a rule of its own.
const NEAR: Place<'static> = Place {
    stage: "repositories",
    rule: "near-repository",
};
/// The rule of equal trees.
const DUPLICATE: &str = "duplicate-repository";

/// What makes a repository come before another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Criterion {
    /// Those that are no forks first; unknown counts as none.
    Fork,
    /// Those that are not archived first; unknown counts as not.
    Archived,
    /// More stars first; unknown counts as none.
    Stars,
    /// More forks first; unknown counts as none.
    Forks,
    /// More files first.
    Files,
}

/// Settings of the stage `repositories`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RepositoriesConfig {
    /// Share of a repository's distinct blobs that another one must have; above 0, at most 1. Default 0.9 (ours).
    pub threshold: f64,
    /// Repositories of fewer distinct blobs are compared by their trees alone. Default 5 (ours).
    pub minimum_files: u32,
    /// Which of the copies is kept: criteria in order, the order of a hash of their names last. Default: fork, archived,
    /// stars, forks, files.
    pub keep: Vec<Criterion>,
}

impl Default for RepositoriesConfig {
    fn default() -> Self {
        use Criterion::{Archived, Files, Fork, Forks, Stars};
        Self {
            threshold: 0.9,
            minimum_files: 5,
            keep: vec![Fork, Archived, Stars, Forks, Files],
        }
    }
}

/// The parts of the stage, in running order.
#[derive(Clone, Debug)]
pub struct Repositories {
    /// Files become repositories.
    pub gathering: Gathering,
    /// Finds pairs.
    pub anchors: Anchors,
    /// Attaches the set of the first of each pair.
    pub attach: Renamed<Attach>,
    /// Compares it with the set of the second.
    pub containment: Containment,
    /// Decides who is kept.
    pub keepers: Keepers,
}

impl RepositoriesConfig {
    /// The parts of the stage, or why the settings make no sense.
    pub fn build(&self) -> Result<Repositories> {
        let refuse =
            |message: &str, hint: &str| Err(Error::config(format!("stage `repositories`: {message}")).hint(hint));
        if !(self.threshold > 0.0 && self.threshold <= 1.0) {
            return refuse(
                "`threshold` is not in (0, 1]",
                "0.9 removes what another one has nine tenths of",
            );
        }
        if self.minimum_files == 0 {
            return refuse("`minimum-files` is 0", "use 1 or more");
        }
        if (1..self.keep.len()).any(|i| self.keep[..i].contains(&self.keep[i])) {
            return refuse(
                "`keep` names a criterion twice",
                "each of fork, archived, stars, forks and files may be named once",
            );
        }
        Ok(Repositories {
            gathering: Gathering::new(&self.keep),
            anchors: Anchors::new(self.minimum_files as usize),
            attach: Renamed::new("repository-attach", NearConfig::default().build()?.attach),
            containment: Containment::new(self.threshold, self.minimum_files as usize),
            keepers: Keepers::new(self.threshold),
        })
    }
}
