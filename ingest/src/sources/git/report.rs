//! What clones took: one small file each in the cache, one line each in a data set's `clones.jsonl`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use stackmill_schemas::lock::Unit;
use stackmill_schemas::{Error, Result};

use super::super::SourceConfig;
use super::remote;
use super::repositories::{host_of, is_elsewhere};

/// The folder of reports in the cache.
pub(super) const FOLDER: &str = "reports";

/// What was spent on a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Spent {
    /// Attempts.
    pub(super) attempts: u32,
    /// Bytes received in all of them.
    pub(super) bytes: u64,
}

/// One repository elsewhere: what its clone took, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clone {
    /// Its URL.
    pub url: String,
    /// The host in the URL.
    pub host: String,
    /// The commit; empty where it could not be found out.
    pub commit: String,
    /// `cloned`, `failed`, `opted-out` where nobody was asked for a clone, or `unknown` where the cache has nothing about
    /// it.
    pub outcome: String,
    /// Why it failed; the list and line that it has opted out by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How often the server was asked, by the run that made the clone.
    pub attempts: u32,
    /// Bytes of bodies that the server sent in all attempts, as they are after HTTP's own compression.
    pub bytes_received: u64,
}

impl Clone {
    pub(super) fn new(url: &str, commit: &str, spent: Spent, error: Option<&Error>) -> Self {
        Self {
            url: url.to_owned(),
            host: host_of(url).to_owned(),
            commit: commit.to_owned(),
            outcome: error.map_or("cloned", |_| "failed").to_owned(),
            reason: error.map(|error| error.message().to_owned()),
            attempts: spent.attempts,
            bytes_received: spent.bytes,
        }
    }

    /// Of a repository that was left alone, and the entry of a list that says so.
    pub fn opted_out(self, entry: String) -> Self {
        Self {
            outcome: "opted-out".to_owned(),
            reason: Some(entry),
            attempts: 0,
            bytes_received: 0,
            ..self
        }
    }

    pub(super) fn json(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::bug(error.to_string()))
    }
}

/// The name of a report in its folder.
pub(super) fn file_name(name: &str) -> String {
    format!("{name}.json")
}

/// Whether a unit is a repository that has to be cloned.
pub fn is_cloned(unit: &Unit, config: &SourceConfig) -> bool {
    config.git.is_some() && is_elsewhere(&unit.location)
}

/// What the cache knows about the clone of a unit; none for what is not cloned at all.
pub fn clone_of(unit: &Unit, config: &SourceConfig, cache: &Path) -> Option<Clone> {
    if !is_cloned(unit, config) {
        return None;
    }
    let name = file_name(&remote::name(&unit.location, &unit.revision_id, config));
    let text = std::fs::read(cache.join(FOLDER).join(name)).ok();
    let found = text.and_then(|text| serde_json::from_slice::<Clone>(&text).ok());
    let unknown = || Clone {
        outcome: "unknown".to_owned(),
        reason: unit.trouble.clone(),
        ..Clone::new(&unit.location, &unit.revision_id, Spent::default(), None)
    };
    Some(found.unwrap_or_else(unknown))
}
