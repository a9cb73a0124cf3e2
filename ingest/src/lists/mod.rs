//! What a user keeps about repositories and files in small tables: metadata to join, and who has opted out.
//!
//! ```text
//!   sheet      CSV, TSV, JSON lines, Parquet, text ─► rows of texts
//!   metadata   repository ─► stars, forks, license, further columns      joined where files are listed
//!   riding     what a list of repositories says of each                  joined where files are listed
//!   opt_out    users, repositories, paths, blobs ─► decisions            before anything else is decided
//! ```
//! Tables are held in memory as a whole, once a process, under limits that their settings name; look-ups are by 128-bit
//! hashes in sorted order.

pub mod metadata;
pub mod opt_out;
pub mod riding;
mod sheet;
#[cfg(test)]
mod testing;

pub use metadata::{Kind, Metadata, MetadataConfig};
pub use opt_out::{OptOut, OptOutConfig};
pub use riding::Riding;

use xxhash_rust::xxh3::xxh3_128;

use crate::store::{Stores, Uri};

/// A table or list that a recipe names.
#[derive(Clone, Debug)]
pub struct Named {
    /// As the recipe names it.
    pub name: String,
    /// Where it is.
    pub uri: Uri,
}

/// Where the tables of a recipe are, and what reads them.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The tables, in the recipe's order.
    pub tables: &'a [Named],
    /// What reads those in object stores.
    pub stores: &'a Stores,
}

/// A look-up key: 16 bytes of hash and 8 of value, sorted by hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    hash: [u64; 2],
    list: u32,
    row: u32,
}

/// Bytes of a [`Key`] in memory.
const KEY_BYTES: u64 = size_of::<Key>() as u64;

/// The hash of a name; `kind` tells apart what may have equal names.
fn hash(kind: u8, name: &[u8]) -> [u64; 2] {
    let mut bytes = Vec::with_capacity(name.len() + 1);
    bytes.push(kind);
    bytes.extend_from_slice(name);
    let hash = xxh3_128(&bytes);
    [(hash >> 64) as u64, hash as u64]
}

/// Sorts keys, the first naming of each first, and drops those that were named before; gives how many.
fn settle(keys: &mut Vec<Key>) -> u64 {
    let before = keys.len();
    keys.sort_unstable();
    keys.dedup_by_key(|key| key.hash);
    keys.shrink_to_fit();
    (before - keys.len()) as u64
}

/// The key of a hash, in sorted keys.
fn find(keys: &[Key], hash: [u64; 2]) -> Option<&Key> {
    keys.binary_search_by_key(&hash, |key| key.hash)
        .ok()
        .map(|at| &keys[at])
}

/// A repository's name as it is compared: without scheme, host and `.git`, and in lower case (ASCII), because on the hosts
/// that most lists are about, `Owner/Name` and `owner/name` are one.
fn repository_key(name: &str) -> String {
    let path = match name.trim().split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => name.trim(),
    };
    let path = path.trim_matches('/');
    path.strip_suffix(".git").unwrap_or(path).to_ascii_lowercase()
}
