//! The contracts. They are all that an engine knows; nothing else may depend on where a stage runs.
//!
//! ```text
//!   Source     lock ► units; list a unit (no contents); read the survivors of a unit
//!   Map        record-local; adjacent Maps are fused into one pass over batches in memory
//!   Exchange   scatter small keyed rows to partitions ► gather one whole partition
//! ```

use std::path::Path;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use crate::context::{Batches, Homes, TaskContext};
use crate::error::Result;
use crate::file::FileBatch;
use crate::lock::Unit;

/// Where a task's rows go.
pub struct Emit<'a>(pub &'a mut dyn FnMut(RecordBatch) -> Result<()>);

impl Emit<'_> {
    /// Hands a batch on.
    pub fn emit(&mut self, batch: RecordBatch) -> Result<()> {
        (self.0)(batch)
    }
}

/// Reads the outside world. Splits are cut by the planner from the lock's units, by bytes and number of units,
/// never by the number of workers.
pub trait Source: Send + Sync {
    /// Resolves the source to units (any order). Trouble with one unit is `Unit::trouble`; `Err` means that the source
    /// as a whole cannot be resolved. Transient trouble is marked so.
    fn resolve(&self, cx: &TaskContext) -> Result<Vec<Unit>>;

    /// Emits every path of the unit as [`crate::columns::listed`], in path order (tables: row order); no contents.
    /// `Err` that is not transient becomes the unit's one row with a null path.
    fn list(&self, unit: &Unit, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()>;

    /// Emits the contents of `wanted` (listing rows of this unit, in file order) as [`crate::columns::contents`], in
    /// any order, each row once. A blob that is not what the listing said is that row's `trouble`.
    fn read(&self, unit: &Unit, wanted: &RecordBatch, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()>;

    /// Whether commits are asked for: [`Source::commits`] is called for every unit that can be listed.
    fn has_commits(&self) -> bool {
        false
    }

    /// Emits the commits of the unit as [`crate::columns::commits`], oldest first.
    fn commits(&self, _unit: &Unit, _emit: &mut Emit<'_>, _cx: &TaskContext) -> Result<()> {
        Ok(())
    }

    /// Whether [`Source::read`] emits rows in the order of `wanted`. It is then asked for many at once, so that a file
    /// which can only be read from its start is not read over and over; else for as few as fit into memory.
    fn reads_in_order(&self) -> bool {
        false
    }
}

/// Record-local work: adds columns or masks rows, keeps order.
pub trait Map: Send + Sync {
    /// Name of the stage, as in the recipe and the ledger.
    fn name(&self) -> &str;

    /// The columns after this Map, or why it cannot run on these.
    fn schema(&self, input: &Schema) -> Result<SchemaRef>;

    /// Opened once per task: parsers, tables, caches.
    fn open(&self, cx: &TaskContext) -> Result<Box<dyn MapTask>>;
}

/// A Map inside one task; an engine may move it between threads, never share it.
pub trait MapTask: Send {
    /// Works on one batch. Rows that are masked already are left alone (their values may be anything).
    fn map(&mut self, batch: FileBatch) -> Result<FileBatch>;
}

/// How large the input of an Exchange is; partitions are counted from it alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InputSize {
    /// Files that are scattered.
    pub files: u64,
    /// Their bytes of content.
    pub bytes: u64,
    /// Homes (tasks) that they live in.
    pub homes: u32,
}

/// Takes rows on their way to partitions.
pub struct Scatter<'a> {
    /// `send(rows, partition of each row)`.
    pub send: &'a mut dyn FnMut(RecordBatch, &[u32]) -> Result<()>,
    /// Number of partitions.
    pub partitions: u32,
    /// Where files live, for Exchanges that route rows home.
    pub homes: &'a Homes,
}

impl Scatter<'_> {
    /// Sends each row of `rows` to the partition named beside it.
    pub fn send(&mut self, rows: RecordBatch, partitions: &[u32]) -> Result<()> {
        (self.send)(rows, partitions)
    }
}

/// One whole partition, in any order.
pub struct Partition<'a> {
    /// Its number.
    pub index: u32,
    /// Its rows.
    pub batches: Batches<'a>,
}

/// Work that needs all rows: scatter in every task, then gather each partition alone.
pub trait Exchange: Send + Sync {
    /// Name, for places on disk and in messages.
    fn name(&self) -> &str;

    /// The columns that travel from scatter to gather.
    fn keyed(&self) -> SchemaRef;

    /// The columns that gather emits.
    fn schema(&self) -> SchemaRef;

    /// Number of partitions.
    fn partitions(&self, size: InputSize) -> u32;

    /// Sends small keyed rows to partitions.
    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, cx: &TaskContext) -> Result<()>;

    /// Sees one whole partition. May not assume an order: it sorts.
    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()>;
}

/// What a source needs to know of the recipe's surroundings: relative paths start at the recipe's folder.
#[derive(Clone, Copy, Debug)]
pub struct Base<'a> {
    /// The recipe's folder.
    pub folder: &'a Path,
}
