//! The Exchange `near-buckets`: files that are equal in one band meet in a bucket and become candidate pairs.
//!
//! ```text
//!   scatter   8 bucket │ 16 rank │ 4 set hash      one row a band and file, to the partition by bucket
//!   gather    sort by (bucket, rank)
//!             ├─ equal set hash:  (first of them, file), in the bucket of band 0 alone
//!             └─ first of each set: up to `bucket-limit` of them each with each, else each with the first few
//! ```
//! Every pair goes to a bounded buffer, where repetitions from other buckets of the partition are dropped. Memory of a
//! gather: 32 bytes a row of the partition (near 128 MiB) and 64 MiB of pairs. All files of one bucket are in one
//! partition, so a band that very many files share makes its partition larger; its pairs grow by `bucket-first` a file.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Error, Result, TaskContext, columns};

use super::NearConfig;
use super::edges::{self, Pairs};
use super::planner::Banding;
use crate::rows::{FixedColumn, partition_of, rank_array, read_u64s};

/// Most rows of one partition: near 128 MiB in gather.
const ROWS_PER_PARTITION: u64 = 4 << 20;
/// Fewest rows that are worth a partition of their own, up to [`FEW_PARTITIONS`]: small corpora keep several threads busy.
const FEWEST_ROWS: u64 = 512 << 10;
const FEW_PARTITIONS: u64 = 16;
/// Files scattered at once.
const FILES_AT_ONCE: usize = 4096;

/// Finds candidate pairs: reads `bands` and `rank`, emits `rank_a` < `rank_b`. A pair may come out of more than one
/// partition. Rows whose `bands` are null take no part.
#[derive(Clone, Debug)]
pub struct Buckets {
    bands: u32,
    limit: usize,
    first: usize,
}

impl Buckets {
    pub(super) fn new(config: &NearConfig, banding: Banding) -> Self {
        Self {
            bands: banding.bands,
            limit: config.bucket_limit as usize,
            first: config.bucket_first as usize,
        }
    }
}

/// One band of one file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    bucket: u64,
    /// High and low half: a u128 would pad the entry to 48 bytes.
    rank: [u64; 2],
    set: u32,
}

impl Entry {
    fn new(bucket: u64, rank: u128, set: u32) -> Self {
        let rank = [(rank >> 64) as u64, rank as u64];
        Self { bucket, rank, set }
    }

    fn rank(&self) -> u128 {
        u128::from(self.rank[0]) << 64 | u128::from(self.rank[1])
    }

    /// Whether the bucket is one of band 0, as the sketch marks it.
    fn is_first_band(&self) -> bool {
        self.bucket & 1 == 1
    }
}

impl Exchange for Buckets {
    fn name(&self) -> &str {
        "near-buckets"
    }

    fn keyed(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("bucket", DataType::UInt64, false),
            Field::new("rank", DataType::FixedSizeBinary(16), false),
            Field::new("set", DataType::UInt32, false),
        ]))
    }

    fn schema(&self) -> SchemaRef {
        edges::pair_schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        let rows = size.files.saturating_mul(u64::from(self.bands));
        let few = rows.div_ceil(FEWEST_ROWS).clamp(1, FEW_PARTITIONS);
        u32::try_from(rows.div_ceil(ROWS_PER_PARTITION).max(few)).unwrap_or(u32::MAX)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, cx: &TaskContext) -> Result<()> {
        for start in (0..batch.num_rows()).step_by(FILES_AT_ONCE) {
            cx.check()?;
            let entries = self.entries(&batch.slice(start, FILES_AT_ONCE.min(batch.num_rows() - start)))?;
            let partitions: Vec<u32> = entries.iter().map(|e| partition_of(e.bucket, to.partitions)).collect();
            let columns: Vec<ArrayRef> = vec![
                Arc::new(UInt64Array::from_iter_values(entries.iter().map(|e| e.bucket))),
                rank_array(entries.iter().map(Entry::rank))?,
                Arc::new(UInt32Array::from_iter_values(entries.iter().map(|e| e.set))),
            ];
            to.send(RecordBatch::try_new(self.keyed(), columns)?, &partitions)?;
        }
        Ok(())
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut entries = gathered(partition, cx)?;
        entries.sort_unstable();
        let mut bucket = Bucket::default();
        let mut pairs = Pairs::default();
        for group in entries.chunk_by(|a, b| a.bucket == b.bucket) {
            cx.check()?;
            bucket.load(group);
            bucket.pairs(self.limit, self.first, &mut |a, b| pairs.push_or_emit(a, b, emit))?;
        }
        pairs.emit_all(emit)
    }
}

impl Buckets {
    fn entries(&self, batch: &RecordBatch) -> Result<Vec<Entry>> {
        let bands = columns::binaries(batch, columns::BANDS)?;
        let ranks = FixedColumn::<16>::of(batch, "rank")?;
        let mut entries = Vec::with_capacity(batch.num_rows() * self.bands as usize);
        for i in (0..batch.num_rows()).filter(|i| bands.is_valid(*i)) {
            let rank = ranks.rank(i)?;
            let Some((set, buckets)) = read_u64s(bands.value(i))?.split_last() else {
                return Err(Error::bug("a file has an empty list of bands"));
            };
            if buckets.len() != self.bands as usize {
                let (found, wanted) = (buckets.len(), self.bands);
                return Err(Error::schema(format!("a file has {found} bands instead of {wanted}"))
                    .hint("the column `bands` was written with other settings of stage `near`"));
            }
            let set = u64::from_le_bytes(*set) as u32;
            entries.extend(buckets.iter().map(|b| Entry::new(u64::from_le_bytes(*b), rank, set)));
        }
        Ok(entries)
    }
}

fn gathered(partition: Partition<'_>, cx: &TaskContext) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for batch in partition.batches {
        cx.check()?;
        let batch = batch?;
        let buckets = columns::u64s(&batch, "bucket")?;
        let ranks = FixedColumn::<16>::of(&batch, "rank")?;
        let sets = columns::u32s(&batch, "set")?;
        entries.reserve(batch.num_rows());
        for i in 0..batch.num_rows() {
            entries.push(Entry::new(buckets.value(i), ranks.rank(i)?, sets.value(i)));
        }
    }
    Ok(entries)
}

/// The files of one bucket, ready to be paired.
#[derive(Default)]
struct Bucket {
    /// (set, place in rank order), to find files of equal sets.
    by_set: Vec<(u32, usize)>,
    /// Ranks of the first file of each set, ascending.
    firsts: Vec<u128>,
    /// (first file of the set, another file of the set).
    equals: Vec<(u128, u128)>,
}

impl Bucket {
    /// `group`: the entries of one bucket in rank order.
    fn load(&mut self, group: &[Entry]) {
        self.firsts.clear();
        self.equals.clear();
        if group.len() < 2 {
            return;
        }
        self.by_set.clear();
        self.by_set
            .extend(group.iter().enumerate().map(|(i, entry)| (entry.set, i)));
        self.by_set.sort_unstable();
        for same in self.by_set.chunk_by(|a, b| a.0 == b.0) {
            let first = &group[same[0].1];
            self.firsts.push(first.rank());
            if first.is_first_band() {
                let others = same[1..].iter().map(|(_, i)| (first.rank(), group[*i].rank()));
                self.equals.extend(others);
            }
        }
        self.firsts.sort_unstable();
    }

    /// Hands on every pair, the lower rank first.
    fn pairs(&self, limit: usize, first: usize, to: &mut dyn FnMut(u128, u128) -> Result<()>) -> Result<()> {
        self.equals.iter().try_for_each(|(a, b)| to(*a, *b))?;
        let reach = if self.firsts.len() <= limit { limit } else { first };
        for (i, b) in self.firsts.iter().enumerate() {
            self.firsts[..i.min(reach)].iter().try_for_each(|a| to(*a, *b))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(entries: &[(u64, u128, u32)], limit: usize, first: usize) -> Vec<(u128, u128)> {
        let entries: Vec<Entry> = entries.iter().map(|(b, r, s)| Entry::new(*b, *r, *s)).collect();
        let (mut bucket, mut found) = (Bucket::default(), Vec::new());
        bucket.load(&entries);
        let outcome = bucket.pairs(limit, first, &mut |a, b| {
            found.push((a, b));
            Ok(())
        });
        assert!(outcome.is_ok());
        found
    }

    #[test]
    fn small_buckets_pair_each_with_each_and_large_ones_with_the_first() {
        let bucket: Vec<_> = (0..4u32).map(|i| (2, u128::from(i), i)).collect();
        assert_eq!(pairs(&bucket, 4, 1), [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]);
        assert_eq!(pairs(&bucket, 3, 1), [(0, 1), (0, 2), (0, 3)]);
        assert_eq!(pairs(&bucket[..1], 3, 1), []);
    }

    #[test]
    fn equal_sets_meet_their_first_file_alone_and_in_band_0_alone() {
        let bucket = |band: u64| [(band, 1, 7), (band, 2, 7), (band, 3, 9), (band, 4, 7)];
        assert_eq!(pairs(&bucket(5), 9, 9), [(1, 2), (1, 4), (1, 3)]);
        assert_eq!(pairs(&bucket(4), 9, 9), [(1, 3)]);
    }
}
