//! Keys that meet: whoever has a key is paired with the first few who have it, too.
//!
//! ```text
//!   8 key │ 16 rank │ 1 does it ask for a pair        a row travels to the partition of its key
//! ```
//! Memory of a partition: 32 bytes a row, and 64 MiB of pairs.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::context::Homes;
use stackmill_schemas::stage::{Emit, Partition, Scatter};
use stackmill_schemas::{Error, FileId, Result, TaskContext, columns, rank};

use crate::near::components::pair_batch;
pub(crate) use crate::near::components::pair_schema;
use crate::rows::{FixedColumn, partition_of, rank_array};

/// Pairs that wait before repetitions are dropped, and pairs of one emitted batch.
const PAIRS: usize = 2 << 20;
const BATCH_ROWS: usize = 64 << 10;

/// One key of somebody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// A hash, evenly spread.
    pub(crate) key: u64,
    /// Whose it is.
    pub(crate) rank: u128,
    /// Whether it asks for a pair, or is only there to be found.
    pub(crate) asks: bool,
}

/// The columns of keys.
pub(crate) fn key_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("key", DataType::UInt64, false),
        Field::new("rank", DataType::FixedSizeBinary(16), false),
        Field::new("asks", DataType::Boolean, false),
    ]))
}

/// Sends keys to their partitions.
pub(crate) fn send_keys(keys: &[Key], to: &mut Scatter<'_>) -> Result<()> {
    let partitions: Vec<u32> = keys.iter().map(|key| partition_of(key.key, to.partitions)).collect();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from_iter_values(keys.iter().map(|key| key.key))),
        rank_array(keys.iter().map(|key| key.rank))?,
        Arc::new(BooleanArray::from_iter(keys.iter().map(|key| Some(key.asks)))),
    ];
    to.send(RecordBatch::try_new(key_schema(), columns)?, &partitions)
}

/// Emits pairs of those who have a key: each that asks, with up to `first` of those before it in rank order.
pub(crate) fn pairs(partition: Partition<'_>, first: usize, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
    let mut keys = Vec::new();
    for batch in partition.batches {
        cx.check()?;
        read(&batch?, &mut keys)?;
    }
    keys.sort_unstable();
    keys.dedup();
    let mut pairs = Vec::new();
    for group in keys.chunk_by(|a, b| a.key == b.key) {
        for (place, b) in group.iter().enumerate().filter(|(_, b)| b.asks) {
            let before = group[..place.min(first)].iter().filter(|a| a.rank < b.rank);
            pairs.extend(before.map(|a| (a.rank, b.rank)));
            if pairs.len() >= PAIRS {
                cx.check()?;
                emit_pairs(&mut pairs, emit)?;
            }
        }
    }
    emit_pairs(&mut pairs, emit)
}

fn read(batch: &RecordBatch, into: &mut Vec<Key>) -> Result<()> {
    let keys = columns::u64s(batch, "key")?;
    let ranks = FixedColumn::<16>::of(batch, "rank")?;
    let asks = columns::booleans(batch, "asks")?;
    for row in 0..batch.num_rows() {
        into.push(Key {
            key: keys.value(row),
            rank: ranks.rank(row)?,
            asks: asks.value(row),
        });
    }
    Ok(())
}

/// Emits pairs, each once, and forgets them.
fn emit_pairs(pairs: &mut Vec<(u128, u128)>, emit: &mut Emit<'_>) -> Result<()> {
    pairs.sort_unstable();
    pairs.dedup();
    pairs
        .chunks(BATCH_ROWS)
        .try_for_each(|chunk| emit.emit(pair_batch(chunk)?))?;
    pairs.clear();
    Ok(())
}

/// Sends attached rows to the homes of their later ones.
pub(crate) fn send_home(attached: &RecordBatch, to: &mut Scatter<'_>) -> Result<()> {
    let homes = (0..attached.num_rows()).map(|row| home_of(attached, row, to.homes));
    let homes = homes.collect::<Result<Vec<u32>>>()?;
    to.send(attached.clone(), &homes)
}

/// The home of the later ones of an attached row; all of a row live in one.
fn home_of(attached: &RecordBatch, row: usize, homes: &Homes) -> Result<u32> {
    let ranks = columns::binaries(attached, "ranks_b")?;
    let first = ranks.value(row).first_chunk::<16>();
    let first = first.ok_or_else(|| Error::bug("a set was attached for nobody"))?;
    Ok(homes.of(rank::file_of(u128::from_be_bytes(*first))))
}

/// The row of `id` in the tables of its home.
pub(crate) fn side_row(home: &[RecordBatch], id: FileId) -> Result<(&RecordBatch, usize)> {
    for table in home {
        let ids = columns::u64s(table, columns::FILE_ID)?.values();
        if let Ok(row) = ids.binary_search(&id.0) {
            return Ok((table, row));
        }
    }
    Err(Error::bug(format!("{id} is in a pair but has no set at its home")))
}
