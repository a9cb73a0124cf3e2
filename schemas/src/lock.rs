//! `sources.lock`: what every source meant at the time of the first plan.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Version of the lock's layout.
pub const VERSION: u32 = 1;

/// The units of all sources, in (repo_name, revision_id, location) order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// Layout version.
    pub version: u32,
    /// Fingerprint of the recipe's `[[source]]` tables that were resolved; a lock of other ones is not used.
    #[serde(default)]
    pub sources: String,
    /// Share of the repositories that was taken, 0 to 1.
    pub sample: f64,
    /// What is read.
    pub units: Vec<Unit>,
}

/// One repository at one revision, one archive, one folder, or one row group of a table: the least that is listed
/// at once, and what fails alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// The source's name in the recipe.
    pub source: String,
    /// Repository name; for tables, the file and row group.
    pub repo_name: String,
    /// Commit id, or the sha256 or listing hash that stands for it; empty when the unit could not be resolved.
    pub revision_id: String,
    /// Where it is, relative to the source's own root, so that a lock holds on another machine.
    pub location: String,
    /// Estimate of the bytes to read.
    pub length_bytes: u64,
    /// Repository metadata that rides along: `stars`, `forks`, `license`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// Permanent trouble found while resolving: the unit becomes one ledger row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Unit {
    /// A metadata value that should be a whole number.
    pub fn count(&self, key: &str) -> Option<i64> {
        self.metadata.get(key).and_then(|text| text.parse().ok())
    }
}

/// A run of units that one listing task reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Split {
    /// Number of the split: high half of its file ids, number of its ledger part.
    pub index: u32,
    /// First unit in the lock.
    pub first: usize,
    /// One past the last unit.
    pub end: usize,
}
