//! The Exchange `repository-anchors`: repositories that share an anchor become pairs.
//!
//! ```text
//!   scatter   8 key │ 16 rank │ 1 is it an anchor        a row a blob, and one for the tree; partition by key
//!   gather    sort by (key, rank); whose anchor it is: a pair with each of the first few before it
//! ```
//! Of a repository that has nine tenths of its blobs in another one, no anchor being there has a chance of 1 in 10^8.
//! Memory of a gather: 32 bytes a row (near 128 MiB), and 64 MiB of pairs.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Result, TaskContext, columns, fingerprint};

use super::set::Set;
use crate::meeting::{self, Key};
use crate::rows::FixedColumn;

/// Blobs of a repository that are anchors.
const ANCHORS: usize = 8;
/// Repositories that one is compared with because of one anchor: the first in rank order.
const FIRST: usize = 16;
/// Rows of one partition.
const ROWS_PER_PARTITION: u64 = 4 << 20;
/// Seeds of the keys of blobs and of trees.
const BLOB_SEED: u64 = u64::from_le_bytes(*b"blobs   ");
const TREE_SEED: u64 = u64::from_le_bytes(*b"trees   ");

/// Finds pairs of repositories: reads what `repositories` emits, emits `rank_a` < `rank_b`.
#[derive(Clone, Debug)]
pub struct Anchors {
    minimum_files: usize,
}

impl Anchors {
    pub(super) fn new(minimum_files: usize) -> Self {
        Self { minimum_files }
    }

    /// The keys of a repository; anchors ask for pairs.
    fn keys(&self, set: &Set<'_>, rank: u128) -> Vec<Key> {
        let key = |key, asks| Key { key, rank, asks };
        let blobs = set.blobs.iter();
        let mut keys: Vec<Key> = blobs
            .map(|blob| key(fingerprint::seeded(BLOB_SEED, blob), false))
            .collect();
        keys.sort_unstable();
        if set.blobs.len() >= self.minimum_files {
            keys.iter_mut().take(ANCHORS).for_each(|key| key.asks = true);
        }
        keys.push(key(fingerprint::seeded(TREE_SEED, &set.tree), true));
        keys
    }
}

impl Exchange for Anchors {
    fn name(&self) -> &'static str {
        "repository-anchors"
    }

    fn keyed(&self) -> SchemaRef {
        meeting::key_schema()
    }

    fn schema(&self) -> SchemaRef {
        meeting::pair_schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        u32::try_from(size.files.div_ceil(ROWS_PER_PARTITION).max(1)).unwrap_or(u32::MAX)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, cx: &TaskContext) -> Result<()> {
        let sets = columns::binaries(batch, columns::SHINGLES)?;
        let ranks = FixedColumn::<16>::of(batch, "rank")?;
        for row in 0..batch.num_rows() {
            cx.check()?;
            let set = Set::read(sets.value(row))?;
            // What has no files with contents is nobody's copy.
            if set.blobs.is_empty() {
                continue;
            }
            meeting::send_keys(&self.keys(&set, ranks.rank(row)?), to)?;
        }
        Ok(())
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        meeting::pairs(partition, FIRST, emit, cx)
    }
}
