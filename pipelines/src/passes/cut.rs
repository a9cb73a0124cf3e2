//! Cutting read tasks: survivors of the listing phase and of exact duplicates, in chunks of about equal bytes.

use std::collections::HashSet;
use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use stackmill_schemas::{Outcome, Result, TaskContext, columns};

use super::{Chunk, Step, TaskReport, listing, read_decisions};
use crate::job::Job;
use crate::table::{self, TableWriter};

/// Whether exact copies of the file were removed: internal to scratch.
pub const HAS_COPIES: &str = "has_copies";

/// One task a split.
pub struct Cut<'a> {
    /// The run.
    pub job: &'a Job,
}

impl Step for Cut<'_> {
    fn name(&self) -> &'static str {
        "cut"
    }

    fn tasks(&self) -> u32 {
        self.job.splits.len() as u32
    }

    fn run(&self, split: u32, cx: &TaskContext) -> Result<TaskReport> {
        let mut gone: HashSet<u64> = listing::decisions(self.job, split)?
            .iter()
            .map(|d| d.file_id.0)
            .collect();
        let mut copied = HashSet::new();
        for decision in read_decisions(self.job.exact_decisions().partition(split))? {
            match decision.outcome {
                Outcome::Kept => copied.insert(decision.file_id.0),
                _ => gone.insert(decision.file_id.0),
            };
        }
        let mut chunks = Chunks::new(self.job, split);
        for batch in table::read(&self.job.workdir.work.join(format!("listing/{split:05}")))? {
            cx.check()?;
            chunks.add(&survivors(&batch?, &gone, &copied)?)?;
        }
        chunks.commit()
    }

    fn spent(&self) -> Vec<String> {
        Vec::new()
    }
}

fn survivors(batch: &RecordBatch, gone: &HashSet<u64>, copied: &HashSet<u64>) -> Result<RecordBatch> {
    let ids = columns::u64s(batch, columns::FILE_ID)?.values();
    let copies: BooleanArray = ids.iter().map(|id| Some(copied.contains(id))).collect();
    let mut arrays = batch.columns().to_vec();
    arrays.push(Arc::new(copies));
    let all = RecordBatch::try_new(with_copies(&batch.schema()), arrays)?;
    let mask: BooleanArray = ids.iter().map(|id| Some(!gone.contains(id))).collect();
    Ok(filter_record_batch(&all, &mask)?)
}

/// The columns of survivors.
pub fn with_copies(schema: &SchemaRef) -> SchemaRef {
    let mut fields = schema.fields().to_vec();
    fields.push(Arc::new(Field::new(HAS_COPIES, DataType::Boolean, false)));
    Arc::new(Schema::new(fields))
}

/// Survivors on their way into chunks: a chunk is full once it holds `task-bytes`.
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
            let bytes = self.open.as_ref().map_or(0, |(_, chunk)| chunk.bytes);
            if bytes >= self.job.recipe.run.task_bytes {
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
