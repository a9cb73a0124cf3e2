//! What a repository is compared by, as bytes that travel.
//!
//! ```text
//!   0        16       20      24                       24 + 24 n
//!   ┌────────┬────────┬───────┬───────────────────────┬──────┐
//!   │ tree   │ n      │ 0     │ n × (blob id, length)  │ name │     numbers little endian; blobs ascending, each once
//!   └────────┴────────┴───────┴───────────────────────┴──────┘
//! ```
//! The tree is a hash of all paths, modes and blobs. Lengths are cut to 32 bits: they only guard the blob ids.

use stackmill_schemas::{Error, Result};

/// Bytes before the blobs.
const HEAD: usize = 24;
/// Bytes of a blob: id and length.
pub(super) const BLOB: usize = 24;

/// A blob with its length.
pub(super) type Blob = [u8; BLOB];

/// A set, read from its bytes.
#[derive(Clone, Copy)]
pub(super) struct Set<'a> {
    /// Hash of the tree.
    pub(super) tree: [u8; 16],
    /// The distinct blobs, ascending.
    pub(super) blobs: &'a [Blob],
    /// Name of the repository.
    pub(super) name: &'a [u8],
}

impl<'a> Set<'a> {
    /// Reads what [`write`] wrote.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        let torn = || Error::bug("a set of blobs is cut short");
        let (tree, rest) = bytes.split_first_chunk::<16>().ok_or_else(torn)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or_else(torn)?;
        let rest = rest.get(HEAD - 20..).ok_or_else(torn)?;
        let length = BLOB * u32::from_le_bytes(*count) as usize;
        let (blobs, name) = rest.split_at_checked(length).ok_or_else(torn)?;
        Ok(Self {
            tree: *tree,
            blobs: blobs.as_chunks().0,
            name,
        })
    }

    /// Whether all blobs and the tree are the same.
    pub(super) fn is(&self, other: &Set<'_>) -> bool {
        self.tree == other.tree && self.blobs == other.blobs
    }

    /// The share of this one's blobs that `other` has.
    pub(super) fn share_in(&self, other: &Set<'_>) -> f64 {
        let (mut i, mut j, mut common) = (0, 0, 0u64);
        while i < self.blobs.len() && j < other.blobs.len() {
            let order = self.blobs[i].cmp(&other.blobs[j]);
            common += u64::from(order.is_eq());
            i += usize::from(order.is_le());
            j += usize::from(order.is_ge());
        }
        common as f64 / self.blobs.len().max(1) as f64
    }
}

/// Appends a set; `blobs` ascending, each once.
pub(super) fn write(bytes: &mut Vec<u8>, tree: u128, blobs: &[Blob], name: &str) {
    bytes.extend(tree.to_le_bytes());
    bytes.extend((blobs.len() as u32).to_le_bytes());
    bytes.extend([0; HEAD - 20]);
    bytes.extend(blobs.as_flattened());
    bytes.extend(name.as_bytes());
}

/// A blob with its length, as it is compared.
pub(super) fn blob(id: [u8; 20], length: u64) -> Blob {
    let mut blob = [0; BLOB];
    blob[..20].copy_from_slice(&id);
    blob[20..].copy_from_slice(&(length as u32).to_le_bytes());
    blob
}
