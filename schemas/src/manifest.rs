//! `manifest.json`: what makes a data set real. Deterministic facts only.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Version of the manifest's layout.
pub const VERSION: u32 = 1;

/// The list of files with their hashes, what was asked for, and what became of the rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Layout version.
    pub version: u32,
    /// Name of the recipe.
    pub recipe: String,
    /// Fingerprint of recipe, lock and stage versions.
    pub fingerprint: String,
    /// Version of the columns.
    pub columns: u32,
    /// The recipe with every default filled in.
    pub config: serde_json::Value,
    /// Every published file but the manifest and `run.json`, sorted by path.
    pub files: Vec<FileEntry>,
    /// Rows by stage and rule.
    pub funnel: Vec<FunnelRow>,
    /// Totals: `listed`, `kept`, `dropped`, `failed`, `repositories`, `repositories_failed`, ….
    pub totals: BTreeMap<String, u64>,
    /// Kept files and their bytes by language.
    pub languages: BTreeMap<String, Tally>,
    /// Kept files and their bytes by license type.
    pub licenses: BTreeMap<String, Tally>,
    /// Files that were left out because of each opt-out list, by the list's name in the recipe.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub opt_outs: BTreeMap<String, u64>,
}

/// One published file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path relative to the data set, with `/`.
    pub path: String,
    /// Rows, where the file is a table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Length in bytes.
    pub length_bytes: u64,
    /// SHA-256 in hexadecimal digits.
    pub sha256: String,
}

/// What one rule of one stage did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunnelRow {
    /// The stage.
    pub stage: String,
    /// The rule.
    pub rule: String,
    /// Files that came to the rule.
    pub files_in: u64,
    /// Files it dropped.
    pub dropped: u64,
    /// Files that failed in it.
    pub failed: u64,
    /// The first file in listing order that it dropped or failed, as `repo: path (value v, limit l)`.
    pub example: Option<String>,
}

/// A count of files and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Files.
    pub files: u64,
    /// Bytes of content.
    pub bytes: u64,
}
