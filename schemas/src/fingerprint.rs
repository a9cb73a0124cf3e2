//! When two things are the same for the purpose of skipping work: a hash over inputs, settings and versions.

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::error::{Error, Result};
use crate::ids::hex;

/// Hash of a value's JSON form. Maps must be ordered (`BTreeMap`), as the lint against hash maps in output demands.
pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let json = serde_json::to_vec(value).map_err(|error| Error::bug(format!("fingerprint: {error}")))?;
    Ok(hex(&xxh3_128(&json).to_be_bytes()))
}

/// A stable 64-bit hash for seeded choices: partitions, samples, shuffles. Never the engine's own.
pub fn seeded(seed: u64, bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(bytes, seed)
}
