//! Cutting read tasks: survivors of the listing phase and of exact duplicates, in chunks of about equal bytes.

use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use stackmill_schemas::context::Homes;
use stackmill_schemas::stage::InputSize;
use stackmill_schemas::{FileId, Result, TaskContext, columns};

use super::listing::{Listed, SURVIVES};
use super::verdicts::{Pages, Verdicts};
use super::{Chunk, Step, TaskReport, comparison};
use crate::job::Job;
use crate::table::TableWriter;

/// A chunk holds no more files than this, however short they are: what is decided about them is in memory at once.
const CHUNK_FILES: u64 = 1 << 16;
/// Whether exact copies of the file were removed: internal to scratch.
pub const HAS_COPIES: &str = "has_copies";

/// One task a split.
pub struct Cut<'a> {
    /// The run.
    pub job: &'a Job,
    /// What the listing found.
    pub listed: &'a Listed,
}

/// What the cut left: from here on, files live in chunks.
#[derive(Default)]
pub struct Layout {
    /// All chunks of all splits, in file order.
    pub chunks: Vec<Chunk>,
    /// The chunks, as homes of files.
    pub homes: Arc<Homes>,
    /// Survivors.
    pub size: InputSize,
    /// Verified edges of each comparison, once they were found.
    pub edges: [u64; comparison::COUNT],
}

impl Layout {
    /// From the reports of all cut tasks, in order.
    pub fn of(reports: Vec<TaskReport>) -> Self {
        let chunks: Vec<Chunk> = reports.into_iter().flat_map(|report| report.chunks).collect();
        let homes = Homes::new(chunks.iter().map(|chunk| FileId(chunk.first)).collect());
        let size = InputSize {
            files: chunks.iter().map(|chunk| chunk.files).sum(),
            bytes: chunks.iter().map(|chunk| chunk.bytes).sum(),
            homes: homes.count(),
        };
        Self {
            chunks,
            homes: Arc::new(homes),
            size,
            edges: [0; comparison::COUNT],
        }
    }
}

impl Step for Cut<'_> {
    fn name(&self) -> &'static str {
        "cut"
    }

    fn tasks(&self) -> u32 {
        self.job.splits.len() as u32
    }

    fn run(&self, split: u32, cx: &TaskContext) -> Result<TaskReport> {
        let mut pages = Pages::new(self.listed, self.job.exact_decisions(self.listed), split);
        let mut copies = Pages::new(self.listed, self.job.repository_decisions(self.listed), split);
        let mut verdicts = Verdicts::default();
        let mut chunks = Chunks::new(self.job, split);
        for batch in self.job.workdir.place.table(&format!("listing/{split:05}"))? {
            cx.check()?;
            let batch = batch?;
            if let Some(last) = columns::u64s(&batch, columns::FILE_ID)?.values().last() {
                pages.upto(FileId(*last), &mut verdicts)?;
                copies.upto(FileId(*last), &mut verdicts)?;
            }
            chunks.add(&survivors(&batch, &mut verdicts)?)?;
        }
        verdicts.finish()?;
        chunks.commit()
    }

    fn spent(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The rows that neither the listing nor exact duplicates have dropped.
fn survivors(batch: &RecordBatch, verdicts: &mut Verdicts) -> Result<RecordBatch> {
    let ids = columns::u64s(batch, columns::FILE_ID)?.values();
    let (mut gone, mut copied) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
    for &id in ids {
        let (verdict, keepers) = verdicts.take(FileId(id));
        gone.push(verdict.is_some());
        copied.push(!keepers.is_empty());
    }
    let listed = columns::booleans(batch, SURVIVES)?;
    let mask: BooleanArray = (0..ids.len())
        .map(|row| Some(listed.value(row) && !gone[row]))
        .collect();
    let mut arrays = batch.columns().to_vec();
    arrays.push(Arc::new(BooleanArray::from(copied)));
    let all = RecordBatch::try_new(with_copies(&batch.schema()), arrays)?;
    Ok(filter_record_batch(&all, &mask)?)
}

/// The columns of survivors.
pub fn with_copies(schema: &SchemaRef) -> SchemaRef {
    let mut fields = schema.fields().to_vec();
    fields.push(Arc::new(Field::new(HAS_COPIES, DataType::Boolean, false)));
    Arc::new(Schema::new(fields))
}

/// Survivors on their way into chunks: a chunk is full once it holds `task-bytes`, or 65,536 files.
struct Chunks<'a> {
    job: &'a Job,
    split: u32,
    open: Option<(TableWriter, Chunk)>,
    done: Vec<Chunk>,
}

impl<'a> Chunks<'a> {
    fn new(job: &'a Job, split: u32) -> Self {
        Self {
            job,
            split,
            open: None,
            done: Vec::new(),
        }
    }

    fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        let ids = columns::u64s(rows, columns::FILE_ID)?;
        let lengths = columns::u64s(rows, columns::LENGTH_BYTES)?;
        let mut start = 0;
        for row in 0..rows.num_rows() {
            if self.open.as_ref().is_some_and(|(_, chunk)| self.is_full(chunk)) {
                self.write(&rows.slice(start, row - start))?;
                start = row;
                self.close()?;
            }
            let chunk = self.chunk(ids.value(row), &rows.schema())?;
            chunk.files += 1;
            chunk.bytes += lengths.value(row);
        }
        self.write(&rows.slice(start, rows.num_rows() - start))
    }

    fn is_full(&self, chunk: &Chunk) -> bool {
        chunk.bytes >= self.job.recipe.run.task_bytes || chunk.files >= CHUNK_FILES
    }

    fn chunk(&mut self, first: u64, schema: &SchemaRef) -> Result<&mut Chunk> {
        if self.open.is_none() {
            let part = self.done.len() as u32;
            let path = format!("survivors/{:05}-{part:05}", self.split);
            let table = TableWriter::create(&self.job.workdir, &path, schema)?;
            self.open = Some((
                table,
                Chunk {
                    split: self.split,
                    part,
                    first,
                    files: 0,
                    bytes: 0,
                },
            ));
        }
        self.open
            .as_mut()
            .map(|(_, chunk)| chunk)
            .ok_or_else(|| stackmill_schemas::Error::bug("no chunk is open"))
    }

    fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        self.open.as_mut().map_or(Ok(()), |(table, _)| table.write(rows))
    }

    fn close(&mut self) -> Result<()> {
        if let Some((table, chunk)) = self.open.take() {
            table.commit()?;
            self.done.push(chunk);
        }
        Ok(())
    }

    fn commit(mut self) -> Result<TaskReport> {
        self.close()?;
        Ok(TaskReport {
            chunks: self.done,
            ..TaskReport::default()
        })
    }
}
