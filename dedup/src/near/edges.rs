//! Candidate pairs as rows, and the Exchange `near-attach`: the set of a pair's first file travels to the second.
//!
//! ```text
//!   scatter   rank_a │ rank_b                         to the home of a
//!   gather    sort by file, drop repetitions, walk the home's sets in file order
//!   emit      rank_a │ blob_a │ shingles_a │ ranks_b  one row per (a, home of b): the set travels once to each home
//! ```
//! Memory of a gather: 32 bytes a pair of the home, twice while repetitions are being dropped, and one batch of sets.

use std::sync::Arc;

use arrow_array::{Array, BinaryArray, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Error, FileId, Result, TaskContext, columns, rank};

use crate::rows::{BinaryColumn, FixedColumn, RANK_BYTES, optional_fixed_array, rank_array};

/// Pairs that the buffer of a bucket partition holds: 64 MiB.
const BUFFERED: usize = 2 << 20;
/// Pairs of one emitted batch.
const BATCH_ROWS: usize = 64 << 10;
/// Bytes of sets and ranks of one emitted batch; it may grow beyond by one row.
const BATCH_BYTES: usize = 8 << 20;
/// Files that one attached set is compared with.
const RANKS_PER_ROW: usize = 64 << 10;

/// `rank_a` < `rank_b`.
pub(crate) fn pair_schema() -> SchemaRef {
    let field = |name| Field::new(name, DataType::FixedSizeBinary(RANK_BYTES as i32), false);
    Arc::new(Schema::new(vec![field("rank_a"), field("rank_b")]))
}

/// What `near-attach` hands to `near-verify`.
pub(crate) fn attached_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("rank_a", DataType::FixedSizeBinary(16), false),
        Field::new("blob_a", DataType::FixedSizeBinary(20), true),
        Field::new("shingles_a", DataType::Binary, true),
        Field::new("ranks_b", DataType::Binary, true),
    ]))
}

/// A table of pairs, each first file before the second in rank order: `rank_a`, `rank_b`.
pub fn pair_batch(pairs: &[(u128, u128)]) -> Result<RecordBatch> {
    let columns = vec![
        rank_array(pairs.iter().map(|pair| pair.0))?,
        rank_array(pairs.iter().map(|pair| pair.1))?,
    ];
    Ok(RecordBatch::try_new(pair_schema(), columns)?)
}

/// Pairs without repetitions.
#[derive(Default)]
pub(super) struct Pairs {
    pairs: Vec<(u128, u128)>,
    /// Distinct pairs at the last look.
    distinct: usize,
}

impl Pairs {
    /// Adds a pair; when the buffer is full of distinct pairs, all go out.
    pub(super) fn push_or_emit(&mut self, a: u128, b: u128, emit: &mut Emit<'_>) -> Result<()> {
        self.pairs.push((a, b));
        if self.pairs.len() >= BUFFERED {
            self.compact();
            if self.pairs.len() > BUFFERED / 2 {
                self.emit_all(emit)?;
            }
        }
        Ok(())
    }

    /// Emits and forgets all pairs, in order.
    pub(super) fn emit_all(&mut self, emit: &mut Emit<'_>) -> Result<()> {
        self.compact();
        for chunk in self.pairs.chunks(BATCH_ROWS) {
            emit.emit(pair_batch(chunk)?)?;
        }
        self.pairs.clear();
        Ok(())
    }

    /// Adds a pair, for a partition that has to be held as a whole.
    fn push(&mut self, a: u128, b: u128) {
        self.pairs.push((a, b));
        if self.pairs.len() >= BUFFERED.max(2 * self.distinct) {
            self.compact();
        }
    }

    /// Sorts by file of a, then by file of b: the order in which sets are attached. What comes in runs of that order is
    /// merged.
    fn compact(&mut self) {
        self.pairs.sort_by_key(|(a, b)| (rank::file_of(*a), rank::file_of(*b)));
        self.pairs.dedup();
        self.distinct = self.pairs.len();
    }

    /// The pairs by file of a, then by file of b, each once.
    fn into_file_order(mut self) -> Vec<(u128, u128)> {
        self.compact();
        self.pairs
    }
}

/// Attaches the shingle set of file a to each candidate pair: reads `rank_a, rank_b`, emits `rank_a, blob_a, shingles_a,
/// ranks_b`. Its partitions are the homes of files.
#[derive(Clone, Debug)]
pub struct Attach(());

impl Attach {
    pub(super) fn new() -> Self {
        Self(())
    }
}

impl Exchange for Attach {
    fn name(&self) -> &str {
        "near-attach"
    }

    fn keyed(&self) -> SchemaRef {
        pair_schema()
    }

    fn schema(&self) -> SchemaRef {
        attached_schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        size.homes.max(1)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, _: &TaskContext) -> Result<()> {
        let ranks = FixedColumn::<RANK_BYTES>::of(batch, "rank_a")?;
        let homes: Result<Vec<u32>> = (0..batch.num_rows())
            .map(|i| Ok(to.homes.of(rank::file_of(ranks.rank(i)?))))
            .collect();
        to.send(batch.clone(), &homes?)
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let home = partition.index;
        let pairs = gathered(partition, cx)?;
        if pairs.is_empty() {
            return Ok(());
        }
        let mut groups = pairs.chunk_by(|x, y| x.0 == y.0).peekable();
        let mut attached = Attached::default();
        for batch in cx.side.shingles(home)? {
            cx.check()?;
            let side = Side::of(batch?)?;
            while let Some(group) = groups.next_if(|group| side.reaches(rank::file_of(group[0].0))) {
                attached.push(&side, group, cx, emit)?;
            }
        }
        match groups.next() {
            Some(group) => Err(missing_set(rank::file_of(group[0].0))),
            None => attached.emit(emit),
        }
    }
}

/// The error of a pair whose file has no set on its side file.
pub(super) fn missing_set(file: FileId) -> Error {
    Error::bug(format!(
        "file {file} is in a candidate pair but has no shingle set at its home"
    ))
}

fn gathered(partition: Partition<'_>, cx: &TaskContext) -> Result<Vec<(u128, u128)>> {
    let mut pairs = Pairs::default();
    for batch in partition.batches {
        cx.check()?;
        let batch = batch?;
        let a = FixedColumn::<RANK_BYTES>::of(&batch, "rank_a")?;
        let b = FixedColumn::<RANK_BYTES>::of(&batch, "rank_b")?;
        for i in 0..batch.num_rows() {
            pairs.push(a.rank(i)?, b.rank(i)?);
        }
    }
    Ok(pairs.into_file_order())
}

/// One batch of a side file: sets of files, in file order.
pub(super) struct Side {
    files: UInt64Array,
    blobs: RecordBatch,
    sets: BinaryArray,
}

impl Side {
    /// `batch` has the columns `file_id`, `blob_id` and `shingles`.
    pub(super) fn of(batch: RecordBatch) -> Result<Self> {
        let files = columns::u64s(&batch, columns::FILE_ID)?.clone();
        let sets = columns::binaries(&batch, columns::SHINGLES)?.clone();
        FixedColumn::<20>::of(&batch, columns::BLOB_ID)?;
        Ok(Self {
            files,
            blobs: batch,
            sets,
        })
    }

    /// Whether `file` is in this batch or would have been in one before it.
    pub(super) fn reaches(&self, file: FileId) -> bool {
        self.files.values().last().is_some_and(|last| *last >= file.0)
    }

    /// The set of `file` and its row, or the error that it has none.
    pub(super) fn set(&self, file: FileId) -> Result<(&[u8], usize)> {
        match self.files.values().binary_search(&file.0) {
            Ok(i) if self.sets.is_valid(i) => Ok((self.sets.value(i), i)),
            _ => Err(missing_set(file)),
        }
    }

    fn blob(&self, i: usize) -> Result<Option<[u8; 20]>> {
        Ok(FixedColumn::of(&self.blobs, columns::BLOB_ID)?.get(i))
    }
}

/// The batch of attached sets in the making.
#[derive(Default)]
struct Attached {
    ranks_a: Vec<u128>,
    blobs_a: Vec<Option<[u8; 20]>>,
    shingles_a: BinaryColumn,
    ranks_b: BinaryColumn,
}

impl Attached {
    /// Adds the rows of one file a; `group`: its pairs by file of b, so that homes of b stand together.
    fn push(&mut self, side: &Side, group: &[(u128, u128)], cx: &TaskContext, emit: &mut Emit<'_>) -> Result<()> {
        let rank_a = group[0].0;
        let (set, row) = side.set(rank::file_of(rank_a))?;
        let home = |pair: &(u128, u128)| cx.homes.of(rank::file_of(pair.1));
        let rows = group.chunk_by(|x, y| home(x) == home(y));
        for pairs in rows.flat_map(|row| row.chunks(RANKS_PER_ROW)) {
            self.ranks_a.push(rank_a);
            self.blobs_a.push(side.blob(row)?);
            self.shingles_a.push_with(|bytes| bytes.extend_from_slice(set))?;
            self.ranks_b
                .push_with(|bytes| bytes.extend(pairs.iter().flat_map(|pair| pair.1.to_be_bytes())))?;
            if self.shingles_a.len_bytes() + self.ranks_b.len_bytes() >= BATCH_BYTES {
                std::mem::take(self).emit(emit)?;
            }
        }
        Ok(())
    }

    fn emit(self, emit: &mut Emit<'_>) -> Result<()> {
        if self.ranks_a.is_empty() {
            return Ok(());
        }
        let columns = vec![
            rank_array(self.ranks_a.iter().copied())?,
            optional_fixed_array(&self.blobs_a)?,
            self.shingles_a.finish()?,
            self.ranks_b.finish()?,
        ];
        emit.emit(RecordBatch::try_new(attached_schema(), columns)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::harness::World;
    use stackmill_schemas::context::Homes;

    fn emitted(fill: impl FnOnce(&mut Pairs, &mut Emit<'_>) -> Result<()>) -> Vec<usize> {
        let mut rows = Vec::new();
        let mut emit = |batch: RecordBatch| {
            rows.push(batch.num_rows());
            Ok(())
        };
        let (mut pairs, mut emit) = (Pairs::default(), Emit(&mut emit));
        let outcome = fill(&mut pairs, &mut emit).and_then(|()| pairs.emit_all(&mut emit));
        assert!(outcome.is_ok());
        rows
    }

    #[test]
    fn repetitions_stay_in_the_buffer_and_batches_are_bounded() {
        assert_eq!(
            emitted(|pairs, emit| (0..9).try_for_each(|_| pairs.push_or_emit(1, 2, emit))),
            [1]
        );
        let repeated = |pairs: &mut Pairs, emit: &mut Emit<'_>| {
            (0..3 * BUFFERED as u128).try_for_each(|i| pairs.push_or_emit(i % 5, 9, emit))
        };
        assert_eq!(emitted(repeated), [5]);
        let many = |pairs: &mut Pairs, emit: &mut Emit<'_>| {
            (0..=BATCH_ROWS as u128).try_for_each(|i| pairs.push_or_emit(i, u128::MAX, emit))
        };
        assert_eq!(emitted(many), [BATCH_ROWS, 1]);
    }

    #[test]
    fn a_pair_without_a_set_is_a_bug_not_a_silence() {
        let world = World {
            homes: Homes::new(vec![FileId(0)]),
            sides: vec![Vec::new()],
        };
        let batches = Box::new(std::iter::once(pair_batch(&[(1, 2)])));
        let mut emit = |_| Ok(());
        let partition = Partition { index: 0, batches };
        let outcome = Attach::new().gather(partition, &mut Emit(&mut emit), &world.context());
        assert!(outcome.is_err_and(|error| error.message().contains("no shingle set")));
    }
}
