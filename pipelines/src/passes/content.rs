//! Content: survivors are read, decoded, annotated, filtered and sketched; what is left waits in a work shard.

use std::rc::Rc;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::interleave::interleave;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::manifest::Tally;
use stackmill_schemas::stage::{Emit, Map, Source};
use stackmill_schemas::{FileBatch, Result, ResultExt, TaskContext, columns};

use super::comparison::NEAR;
use super::cut::Layout;
use super::listing::{SURVIVES, UNIT};
use super::{Chunk, DecisionWriter, Fused, Meter, Step, TaskReport, finish};
use crate::exchange::Scattering;
use crate::job::Job;
use crate::table::TableWriter;

/// A source that does not read in order is asked for at most this much at once.
const READ_BYTES: u64 = 16 << 20;
/// A batch holds at most this much content; a larger file is alone in its batch.
const BATCH_BYTES: u64 = 8 << 20;

/// One task a chunk.
pub struct Content<'a> {
    /// The run.
    pub job: &'a Job,
    /// What the cut left.
    pub layout: &'a Layout,
}

/// The name of a chunk's tables.
pub fn chunk_name(chunk: &Chunk) -> String {
    format!("{:05}-{:05}", chunk.split, chunk.part)
}

/// The columns of survivors with their contents, as the first content Map sees them.
pub fn read_schema(survivors: &Schema) -> SchemaRef {
    let mut fields: Vec<_> = survivors
        .fields()
        .iter()
        .filter(|field| ![columns::TROUBLE, SURVIVES].contains(&field.name().as_str()))
        .cloned()
        .collect();
    fields.push(Arc::new(Field::new(columns::CONTENT, DataType::Binary, true)));
    fields.push(Arc::new(Field::new(columns::TROUBLE, DataType::Utf8, true)));
    Arc::new(Schema::new(fields))
}

/// What the work shard holds: everything but what has gone elsewhere.
fn shard_columns(schema: &Schema) -> Vec<usize> {
    let elsewhere = [
        columns::BANDS,
        columns::SHINGLES,
        columns::TROUBLE,
        columns::LOCATOR,
        UNIT,
    ];
    (0..schema.fields().len())
        .filter(|&i| !elsewhere.contains(&schema.field(i).name().as_str()))
        .collect()
}

/// The columns of the side file of shingle sets.
pub fn side_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(columns::FILE_ID, DataType::UInt64, false),
        Field::new(columns::BLOB_ID, DataType::FixedSizeBinary(20), true),
        Field::new(columns::SHINGLES, DataType::Binary, true),
    ]))
}

/// What the ledger says of a file beyond its listing.
pub fn notes_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(columns::FILE_ID, DataType::UInt64, false),
        Field::new(columns::LANGUAGE, DataType::Utf8, true),
        Field::new(columns::LICENSE_TYPE, DataType::Utf8, true),
    ]))
}

impl Step for Content<'_> {
    fn name(&self) -> &'static str {
        "content"
    }

    fn tasks(&self) -> u32 {
        self.layout.chunks.len() as u32
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let chunk = &self.layout.chunks[task as usize];
        let mut work = Task::open(self, task, cx)?;
        // At most `CHUNK_FILES` rows without contents.
        let table = self
            .job
            .workdir
            .place
            .table(&format!("survivors/{}", chunk_name(chunk)))?;
        let batches = table.collect::<Result<Vec<_>>>()?;
        if let Some(first) = batches.first() {
            work.survivors(&concat_batches(&first.schema(), &batches)?)?;
        }
        work.commit(chunk)
    }

    fn spent(&self) -> Vec<String> {
        vec!["survivors".to_owned()]
    }
}

struct Task<'a> {
    job: &'a Job,
    cx: &'a TaskContext,
    maps: Fused,
    meter: Rc<Meter>,
    shard: TableWriter,
    notes: TableWriter,
    decisions: DecisionWriter,
    near: Option<Near<'a>>,
}

struct Near<'a> {
    side: TableWriter,
    buckets: Scattering<'a>,
}

impl<'a> Task<'a> {
    fn open(step: &Content<'a>, task: u32, cx: &'a TaskContext) -> Result<Self> {
        let (job, layout) = (step.job, step.layout);
        let workdir = &job.workdir;
        let schema = job.stages.content_schema()?;
        let name = chunk_name(&layout.chunks[task as usize]);
        let shard = Arc::new(schema.project(&shard_columns(&schema))?);
        let near = match job.compared(&NEAR, layout) {
            Some(targets) => Some(Near {
                side: TableWriter::create(workdir, &format!("{}/{name}", NEAR.side), &side_schema())?,
                buckets: job.scatter(targets.buckets, task)?,
            }),
            None => None,
        };
        Ok(Self {
            job,
            cx,
            maps: Fused::open(&job.stages.content, cx)?,
            meter: Rc::default(),
            shard: TableWriter::create(workdir, &format!("work/{name}"), &shard)?,
            notes: TableWriter::create(workdir, &format!("notes/{name}"), &notes_schema())?,
            decisions: DecisionWriter::create(workdir, "content-decisions", task)?,
            near,
        })
    }

    /// Reads a chunk's survivors, unit by unit.
    fn survivors(&mut self, survivors: &RecordBatch) -> Result<()> {
        let units = columns::u32s(survivors, UNIT)?;
        let lengths = columns::u64s(survivors, columns::LENGTH_BYTES)?;
        let mut start = 0;
        while start < survivors.num_rows() {
            let unit = &self.job.lock.units[units.value(start) as usize];
            let source = Arc::clone(self.job.source(&unit.source)?);
            let most = if source.reads_in_order() { u64::MAX } else { READ_BYTES };
            let end = read_end(units, lengths, start, most);
            self.read(source.as_ref(), unit, &survivors.slice(start, end - start))
                .with_context(|| format!("repository {}", unit.repo_name))?;
            start = end;
        }
        Ok(())
    }

    fn read(&mut self, source: &dyn Source, unit: &Unit, wanted: &RecordBatch) -> Result<()> {
        self.cx.check()?;
        let bytes = columns::u64s(wanted, columns::LENGTH_BYTES)?.values().iter().sum();
        let (cx, meter) = (self.cx, Rc::clone(&self.meter));
        let mut parts = Vec::new();
        let mut at = 0;
        let mut take = |part: RecordBatch| {
            if !source.reads_in_order() {
                parts.push(part);
                return Ok(());
            }
            let rows = part.num_rows().min(wanted.num_rows() - at);
            let files = join(&wanted.slice(at, rows), &[part])?;
            at += rows;
            self.files(&files)
        };
        meter.charge("read", bytes, || source.read(unit, wanted, &mut Emit(&mut take), cx))?;
        let left = wanted.slice(at, wanted.num_rows() - at);
        self.files(&join(&left, &parts)?)
    }

    fn files(&mut self, files: &RecordBatch) -> Result<()> {
        let lengths = columns::u64s(files, columns::LENGTH_BYTES)?.clone();
        let mut start = 0;
        while start < files.num_rows() {
            let end = batch_end(&lengths, start, self.job.options.batch_rows);
            self.batch(files.slice(start, end - start))?;
            start = end;
        }
        Ok(())
    }

    fn batch(&mut self, files: RecordBatch) -> Result<()> {
        let files = self.maps.map(FileBatch::new(files)?, &self.meter)?;
        self.notes.write(&project(files.record(), &notes_schema())?)?;
        let (kept, decisions) = finish(files)?;
        self.decisions.write(&decisions)?;
        if let Some(near) = &mut self.near {
            near.side.write(&project(&kept, &side_schema())?)?;
            self.meter.charge("near", 0, || near.buckets.scatter(&kept, self.cx))?;
        }
        let shard = kept.project(&shard_columns(&kept.schema()))?;
        self.meter.charge("work shard", 0, || self.shard.write(&shard))
    }

    fn commit(self, chunk: &Chunk) -> Result<TaskReport> {
        self.shard.commit()?;
        self.notes.commit()?;
        self.decisions.commit()?;
        if let Some(near) = self.near {
            near.side.commit()?;
            near.buckets.spill.commit()?;
        }
        let input = Tally {
            files: chunk.files,
            bytes: chunk.bytes,
        };
        Ok(TaskReport {
            input,
            costs: self.meter.costs(),
            ..TaskReport::default()
        })
    }
}

/// The columns of `schema`, by name.
pub fn project(record: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let at = |field: &Arc<Field>| record.schema().index_of(field.name());
    let indices = schema
        .fields()
        .iter()
        .map(at)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let columns = indices.iter().map(|&i| record.column(i).clone()).collect();
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}

fn read_end(units: &UInt32Array, lengths: &UInt64Array, start: usize, most: u64) -> usize {
    let mut bytes = 0;
    (start..units.len())
        .find(|&row| {
            bytes += lengths.value(row);
            let full = row > start && bytes > most;
            full || units.value(row) != units.value(start)
        })
        .unwrap_or(units.len())
}

fn batch_end(lengths: &UInt64Array, start: usize, most_rows: usize) -> usize {
    let mut bytes = 0;
    (start..lengths.len())
        .find(|&row| {
            bytes += lengths.value(row);
            row > start && bytes > BATCH_BYTES || row - start >= most_rows
        })
        .unwrap_or(lengths.len())
}

/// Puts contents, which came in storage order, beside their listing rows, in file order.
fn join(wanted: &RecordBatch, parts: &[RecordBatch]) -> Result<RecordBatch> {
    let ids = columns::u64s(wanted, columns::FILE_ID)?.values();
    // The first part stands for what never came: one null row.
    let mut contents: Vec<ArrayRef> = vec![Arc::new(BinaryArray::from(vec![None::<&[u8]>]))];
    let mut troubles: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec![Some("the source did not deliver it")]))];
    let mut places = vec![(0, 0); ids.len()];
    for (number, part) in parts.iter().enumerate() {
        contents.push(
            part.column_by_name(columns::CONTENT)
                .cloned()
                .unwrap_or_else(|| contents[0].clone()),
        );
        troubles.push(
            part.column_by_name(columns::TROUBLE)
                .cloned()
                .unwrap_or_else(|| troubles[0].clone()),
        );
        for (row, id) in columns::u64s(part, columns::FILE_ID)?.values().iter().enumerate() {
            let at = ids.binary_search(id).map_err(|_| {
                stackmill_schemas::Error::bug(format!("the source delivered file {id}, which nobody asked for"))
            })?;
            places[at] = (number + 1, row);
        }
    }
    let gather = |arrays: &[ArrayRef]| {
        let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        interleave(&arrays, &places)
    };
    let schema = read_schema(&wanted.schema());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        columns.push(match field.name().as_str() {
            columns::CONTENT => gather(&contents)?,
            columns::TROUBLE => gather(&troubles)?,
            name => wanted
                .column_by_name(name)
                .cloned()
                .ok_or_else(|| stackmill_schemas::Error::bug(name))?,
        });
    }
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// The schema after `maps`, or why one of them cannot run.
pub fn schema_after(maps: &[Box<dyn Map>], input: SchemaRef) -> Result<SchemaRef> {
    maps.iter().try_fold(input, |schema, map| {
        map.schema(&schema).with_context(|| format!("stage `{}`", map.name()))
    })
}
