//! Content: survivors are read, decoded, annotated, filtered and sketched; what is left waits in a work shard.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BinaryArray, BooleanArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use arrow_select::filter::filter_record_batch;
use arrow_select::interleave::interleave;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::manifest::Tally;
use stackmill_schemas::stage::{Emit, Map, Source};
use stackmill_schemas::{FileBatch, FileId, Result, ResultExt, TaskContext, columns};

use super::comparison::NEAR;
use super::cut::Layout;
use super::index::{self, Entry, Keys, State};
use super::left::{
    drop_content, notes, notes_schema, project, read_schema, shard_columns, side_schema, without_content,
};
use super::listing::{RANK, UNIT, rank_field};
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
            let known = index::known(self.job, task)?;
            work.survivors(&concat_batches(&first.schema(), &batches)?, &known)?;
        }
        work.commit(chunk)
    }

    fn spent(&self) -> Vec<String> {
        // Old files may have to be read later on.
        let is_read = self.job.stages.previous.is_none();
        is_read.then(|| "survivors".to_owned()).into_iter().collect()
    }
}

/// Reads files and sends them through the Maps of the content pass.
pub struct Reader<'a> {
    job: &'a Job,
    cx: &'a TaskContext,
    maps: Fused,
    meter: Rc<Meter>,
}

/// Where files go that came through the Maps.
type Files<'a> = dyn FnMut(FileBatch) -> Result<()> + 'a;

struct Task<'a> {
    reader: Reader<'a>,
    out: Out<'a>,
}

struct Out<'a> {
    cx: &'a TaskContext,
    meter: Rc<Meter>,
    carries_content: bool,
    shard: TableWriter,
    notes: TableWriter,
    decisions: DecisionWriter,
    near: Option<Near<'a>>,
    index: Option<Sketched>,
}

/// What goes to the index.
struct Sketched {
    keys: Keys,
    table: TableWriter,
}

struct Near<'a> {
    side: TableWriter,
    buckets: Scattering<'a>,
}

impl<'a> Task<'a> {
    fn open(step: &Content<'a>, task: u32, cx: &'a TaskContext) -> Result<Self> {
        let (job, layout) = (step.job, step.layout);
        let workdir = &job.workdir;
        let carries_content = job.stages.carries_content();
        let schema = match (job.stages.content_schema()?, carries_content) {
            (schema, true) => schema,
            (schema, false) => without_content(&schema),
        };
        let name = chunk_name(&layout.chunks[task as usize]);
        let shard = Arc::new(schema.project(&shard_columns(&schema))?);
        let near = match job.compared(&NEAR, layout) {
            Some(targets) => Some(Near {
                side: TableWriter::create(workdir, &format!("{}/{name}", NEAR.side), &side_schema())?,
                buckets: job.scatter(targets.buckets, task)?,
            }),
            None => None,
        };
        let index = match job.stages.has_index() {
            true => Some(Sketched {
                keys: Keys::new(&job.stages)?,
                table: TableWriter::create(
                    workdir,
                    &format!("{}/{name}", index::SKETCHED),
                    &index::scratch_schema(),
                )?,
            }),
            false => None,
        };
        let reader = Reader::open(job, cx)?;
        let meter = Rc::clone(&reader.meter);
        let out = Out {
            cx,
            meter,
            carries_content,
            shard: TableWriter::create(workdir, &format!("work/{name}"), &shard)?,
            notes: TableWriter::create(workdir, &format!("notes/{name}"), &notes_schema())?,
            decisions: DecisionWriter::create(workdir, "content-decisions", task)?,
            near,
            index,
        };
        Ok(Self { reader, out })
    }

    /// Reads those of a chunk's survivors that no earlier release knows.
    fn survivors(&mut self, survivors: &RecordBatch, known: &[Entry]) -> Result<()> {
        let ids = columns::u64s(survivors, columns::FILE_ID)?.values();
        let is_known = |id: &u64| known.binary_search_by_key(id, |entry| entry.file_id.0).is_ok();
        let is_new: BooleanArray = ids.iter().map(|id| Some(!is_known(id))).collect();
        let is_known: BooleanArray = ids.iter().map(|id| Some(is_known(id))).collect();
        self.out.known(&filter_record_batch(survivors, &is_known)?, known)?;
        let Self { reader, out } = self;
        reader.read(&filter_record_batch(survivors, &is_new)?, &mut |files| out.batch(files))
    }

    fn commit(self, chunk: &Chunk) -> Result<TaskReport> {
        self.out.commit(chunk)
    }
}

impl<'a> Reader<'a> {
    /// With the Maps opened for one task.
    pub fn open(job: &'a Job, cx: &'a TaskContext) -> Result<Self> {
        Ok(Self {
            job,
            cx,
            maps: Fused::open(&job.stages.content, cx)?,
            meter: Rc::default(),
        })
    }

    /// Reads survivors of a chunk, unit by unit.
    pub fn read(&mut self, survivors: &RecordBatch, to: &mut Files<'_>) -> Result<()> {
        let units = columns::u32s(survivors, UNIT)?;
        let lengths = columns::u64s(survivors, columns::LENGTH_BYTES)?;
        let mut start = 0;
        while start < survivors.num_rows() {
            let unit = &self.job.lock.units[units.value(start) as usize];
            let source = Arc::clone(self.job.source(&unit.source)?);
            let most = if source.reads_in_order() { u64::MAX } else { READ_BYTES };
            let end = read_end(units, lengths, start, most);
            self.unit((source.as_ref(), unit), &survivors.slice(start, end - start), to)
                .with_context(|| format!("repository {}", unit.repo_name))?;
            start = end;
        }
        Ok(())
    }

    fn unit(&mut self, (source, unit): (&dyn Source, &Unit), wanted: &RecordBatch, to: &mut Files<'_>) -> Result<()> {
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
            self.files(&files, to)
        };
        meter.charge("read", bytes, || source.read(unit, wanted, &mut Emit(&mut take), cx))?;
        let left = wanted.slice(at, wanted.num_rows() - at);
        self.files(&join(&left, &parts)?, to)
    }

    fn files(&mut self, files: &RecordBatch, to: &mut Files<'_>) -> Result<()> {
        let lengths = columns::u64s(files, columns::LENGTH_BYTES)?.clone();
        let mut start = 0;
        while start < files.num_rows() {
            let end = batch_end(&lengths, start, self.job.options.batch_rows);
            let files = FileBatch::new(files.slice(start, end - start))?;
            to(self.maps.map(files, &self.meter)?)?;
            start = end;
        }
        Ok(())
    }
}

impl Out<'_> {
    /// What an earlier release knows of files, `known`, stands for reading them; `survivors`: their rows.
    fn known(&mut self, survivors: &RecordBatch, known: &[Entry]) -> Result<()> {
        if known.is_empty() {
            return Ok(());
        }
        let texts = |get: fn(&Entry) -> Option<&str>| known.iter().map(get).collect::<StringArray>();
        let ids = columns::u64s(survivors, columns::FILE_ID)?.clone();
        let notes: [ArrayRef; 3] = [
            Arc::new(ids),
            Arc::new(texts(|entry| entry.language.as_deref())),
            Arc::new(texts(|entry| entry.license.as_deref())),
        ];
        self.notes
            .write(&RecordBatch::try_new(notes_schema(), notes.to_vec())?)?;
        let decided = known.iter().filter(|entry| entry.state == State::Decided);
        let decisions: Vec<_> = decided.filter_map(|entry| entry.decision.clone()).collect();
        self.decisions.write(&decisions)?;
        let Some(near) = &mut self.near else { return Ok(()) };
        let bands: BinaryArray = known.iter().map(|entry| entry.bands.as_deref()).collect();
        let rank = survivors.schema().index_of(RANK)?;
        let fields = vec![rank_field(), Field::new(columns::BANDS, DataType::Binary, true)];
        let arrays: Vec<ArrayRef> = vec![survivors.column(rank).clone(), Arc::new(bands)];
        let rows = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        near.buckets.scatter(&rows, self.cx)
    }

    fn batch(&mut self, files: FileBatch) -> Result<()> {
        if let Some(index) = &mut self.index {
            index.table.write(&sketched(&files, &index.keys)?)?;
        }
        self.notes.write(&notes(files.record())?)?;
        let (kept, decisions) = finish(files)?;
        self.decisions.write(&decisions)?;
        if let Some(near) = &mut self.near {
            near.side.write(&project(&kept, &side_schema())?)?;
            self.meter.charge("near", 0, || near.buckets.scatter(&kept, self.cx))?;
        }
        let kept = match self.carries_content {
            true => kept,
            false => drop_content(&kept)?,
        };
        let shard = kept.project(&shard_columns(&kept.schema()))?;
        self.meter.charge("work shard", 0, || self.shard.write(&shard))
    }

    fn commit(self, chunk: &Chunk) -> Result<TaskReport> {
        self.shard.commit()?;
        self.notes.commit()?;
        self.decisions.commit()?;
        self.index.map(|index| index.table.commit()).transpose()?;
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

/// What the index is told of files that came through the Maps.
fn sketched(files: &FileBatch, keys: &Keys) -> Result<RecordBatch> {
    let record = files.record();
    let (ids, keys) = (columns::u64s(record, columns::FILE_ID)?, keys.of(record)?);
    let blobs = columns::fixed(record, columns::BLOB_ID)?;
    let told = notes(record)?;
    let (languages, licenses) = (
        columns::strings(&told, columns::LANGUAGE)?,
        columns::strings(&told, columns::LICENSE_TYPE)?,
    );
    let bands = columns::binaries(record, columns::BANDS)?;
    let text = |array: &StringArray, row: usize| array.is_valid(row).then(|| array.value(row).to_owned());
    let decisions: HashMap<_, _> = files
        .decisions()
        .iter()
        .map(|decision| (decision.file_id, decision))
        .collect();
    let entry = |row: usize| {
        let file_id = FileId(ids.value(row));
        let decision = decisions.get(&file_id).map(|decision| (*decision).clone());
        let bands = bands.is_valid(row).then(|| bands.value(row).to_vec());
        Entry {
            file_id,
            key: keys[row],
            blob: blobs.is_valid(row).then(|| blobs.value(row).try_into().ok()).flatten(),
            state: if decision.is_some() {
                State::Decided
            } else {
                State::Near
            },
            bands: bands.filter(|_| decision.is_none()),
            decision,
            language: text(languages, row),
            license: text(licenses, row),
            compared: index::Compared::default(),
            text_bytes: 0,
        }
    };
    index::to_record(&mut (0..files.num_rows()).map(entry).collect::<Vec<_>>())
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
