//! Pairs that an earlier release has compared are not compared again; contents of old files are read for the others alone.
//!
//! ```text
//!   near-buckets ─► near-attach/ ─► near-named ─► near-named/ ─► near-recall ─┬► near-known/    similarity is known
//!   pairs, home of a                + blob of a   home of b                   ├► near-pairs/    to be compared, home of a
//!                                                                             └► near-wanted/   old files b whose set is missing
//!   near-sets   side/ + sets of old files in near-pairs/ and near-wanted/ ─► near-sets/
//! ```
//! A pair of files that are both in the index has a similarity there, unless it has never met: in a bucket over
//! `bucket-limit`, or because another file had the same set. Memory of a task: 64 bytes a pair of the home; of `near-sets`
//! the sets of the home, as in `near-verify`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use arrow_array::builder::FixedSizeBinaryBuilder;
use arrow_array::{Array, BooleanArray, FixedSizeBinaryArray, Float64Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::filter::filter_record_batch;
use arrow_select::interleave::interleave_record_batch;
use stackmill_schemas::manifest::Tally;
use stackmill_schemas::{Error, FileBatch, FileId, Result, TaskContext, columns};

use super::comparison::{NEAR, Targets};
use super::content::{Reader, chunk_name};
use super::cut::Layout;
use super::index::{self, Entry, State, file_of};
use super::left::{project, side_schema};
use super::{Meter, Step, TaskReport, finish};
use crate::exchange::{SpillWriter, Spills};
use crate::job::Job;
use crate::table::TableWriter;

/// The steps in order.
pub const STEPS: [&str; 3] = ["near-named", "near-recall", "near-sets"];
/// Folder of pairs that are to be compared.
pub const PAIRS: &str = "near-pairs";
/// Folder of edges that are known.
pub const KNOWN: &str = "near-known";
const WANTED: &str = "near-wanted";
/// Rows of a merged batch of sets.
const MERGED_ROWS: usize = 1024;

/// All three steps: a task a home.
pub struct Recall<'a> {
    /// The run.
    pub job: &'a Job,
    /// What the cut left.
    pub layout: &'a Layout,
    /// The exchanges of near-duplicates.
    pub targets: Targets<'a>,
    /// Which step it is.
    pub place: usize,
}

impl Step for Recall<'_> {
    fn name(&self) -> &'static str {
        STEPS[self.place]
    }

    fn tasks(&self) -> u32 {
        self.layout.homes.count()
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let meter = Meter::default();
        let mut report = TaskReport::default();
        meter.charge(self.name(), 0, || match self.place {
            0 => self.name_first(task, cx),
            1 => self.recall(task, cx),
            _ => self.sets(task, cx).map(|read| report.reread = read),
        })?;
        report.costs = meter.costs();
        Ok(report)
    }

    fn spent(&self) -> Vec<String> {
        let spent: &[&str] = match self.place {
            0 => &[self.targets.attach.exchange.name()],
            1 => &[STEPS[0]],
            _ => &[WANTED, NEAR.side],
        };
        spent.iter().map(ToString::to_string).collect()
    }
}

fn rank(name: &str) -> Field {
    Field::new(name, DataType::FixedSizeBinary(16), false)
}

fn named_schema() -> SchemaRef {
    let blob = Field::new("blob_a", DataType::FixedSizeBinary(20), true);
    Arc::new(Schema::new(vec![rank("rank_a"), rank("rank_b"), blob]))
}

fn wanted_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new(columns::FILE_ID, DataType::UInt64, false)]))
}

/// Files of a home that an earlier release has compared.
fn compared(job: &Job, home: u32) -> Result<HashMap<FileId, Entry>> {
    let known = index::known(job, home)?.into_iter();
    let compared = known.filter(|entry| entry.state != State::Decided && entry.bands.is_some());
    Ok(compared.map(|entry| (entry.file_id, entry)).collect())
}

impl Recall<'_> {
    /// Adds the blobs of old files a.
    fn name_first(&self, task: u32, cx: &TaskContext) -> Result<()> {
        let known = compared(self.job, task)?;
        let mut spill = SpillWriter::create(&self.job.workdir, STEPS[0], task, named_schema())?;
        for batch in self.job.gathered(self.targets.attach, task)? {
            cx.check()?;
            let batch = batch?;
            let (a, b) = (columns::fixed(&batch, "rank_a")?, columns::fixed(&batch, "rank_b")?);
            let mut blobs = FixedSizeBinaryBuilder::with_capacity(batch.num_rows(), 20);
            let mut homes = Vec::with_capacity(batch.num_rows());
            for row in 0..batch.num_rows() {
                match known.get(&file_of(a.value(row))?).and_then(|entry| entry.blob) {
                    Some(blob) => blobs.append_value(blob)?,
                    None => blobs.append_null(),
                }
                homes.push(self.layout.homes.of(file_of(b.value(row))?));
            }
            let mut arrays = batch.columns().to_vec();
            arrays.push(Arc::new(blobs.finish()));
            spill.send(RecordBatch::try_new(named_schema(), arrays)?, &homes)?;
        }
        spill.commit()
    }

    /// Splits the pairs of files b: what is known, and what is to be compared.
    fn recall(&self, task: u32, cx: &TaskContext) -> Result<()> {
        let workdir = &self.job.workdir;
        let known = compared(self.job, task)?;
        let mut unknown = SpillWriter::create(workdir, PAIRS, task, self.targets.attach.exchange.keyed())?;
        let mut found = Found::default();
        for batch in Spills::new(workdir, STEPS[0], self.tasks()).partition(task) {
            cx.check()?;
            let batch = batch?;
            let left = found.take(&batch, &known)?;
            let left = project(
                &filter_record_batch(&batch, &left)?,
                &self.targets.attach.exchange.keyed(),
            )?;
            let a = columns::fixed(&left, "rank_a")?;
            let homes: Result<Vec<u32>> = (0..left.num_rows())
                .map(|row| Ok(self.layout.homes.of(file_of(a.value(row))?)))
                .collect();
            unknown.send(left.clone(), &homes?)?;
        }
        unknown.commit()?;
        let mut wanted = TableWriter::create(workdir, &format!("{WANTED}/{task:05}"), &wanted_schema())?;
        let ids = UInt64Array::from_iter_values(found.wanted.iter().map(|file| file.0));
        wanted.write(&RecordBatch::try_new(wanted_schema(), vec![Arc::new(ids)])?)?;
        wanted.commit()?;
        let schema = self.targets.verify.exchange.schema();
        let mut table = TableWriter::create(workdir, &format!("{KNOWN}/{task:05}"), &schema)?;
        table.write(&found.edges(&schema)?)?;
        table.commit().map(drop)
    }

    /// Old files in pairs that are to be compared are read; their sets are put between those of new files.
    fn sets(&self, task: u32, cx: &TaskContext) -> Result<Tally> {
        let workdir = &self.job.workdir;
        let name = chunk_name(&self.layout.chunks[task as usize]);
        let wanted = self.wanted(task)?;
        let mut sets: Vec<RecordBatch> = workdir
            .place
            .table(&format!("{}/{name}", NEAR.side))?
            .collect::<Result<_>>()?;
        let mut read = Tally::default();
        if !wanted.is_empty() {
            let mut reader = Reader::open(self.job, cx)?;
            read = reread(&mut reader, (self.job, &name), &wanted, &mut |files| {
                sets.push(project(&files, &side_schema())?);
                Ok(())
            })?;
        }
        merge(self.job, &format!("{STEPS}/{name}", STEPS = STEPS[2]), &sets)?;
        Ok(read)
    }

    fn wanted(&self, task: u32) -> Result<BTreeSet<FileId>> {
        let workdir = &self.job.workdir;
        let known = compared(self.job, task)?;
        let mut wanted = BTreeSet::new();
        for batch in workdir.place.table(&format!("{WANTED}/{task:05}"))? {
            wanted.extend(
                columns::u64s(&batch?, columns::FILE_ID)?
                    .values()
                    .iter()
                    .map(|id| FileId(*id)),
            );
        }
        for batch in Spills::new(workdir, PAIRS, self.tasks()).partition(task) {
            let batch = batch?;
            let a = columns::fixed(&batch, "rank_a")?;
            for row in 0..batch.num_rows() {
                let file = file_of(a.value(row))?;
                wanted.extend(known.contains_key(&file).then_some(file));
            }
        }
        Ok(wanted)
    }
}

/// Reads old files of the chunk `name` once more and gives them as the content pass leaves them.
pub fn reread(
    reader: &mut Reader<'_>,
    (job, name): (&Job, &str),
    wanted: &BTreeSet<FileId>,
    to: &mut dyn FnMut(RecordBatch) -> Result<()>,
) -> Result<Tally> {
    let mut read = Tally::default();
    for batch in job.workdir.place.table(&format!("survivors/{name}"))? {
        let batch = batch?;
        let ids = columns::u64s(&batch, columns::FILE_ID)?.values();
        let mask: BooleanArray = ids.iter().map(|id| Some(wanted.contains(&FileId(*id)))).collect();
        let files = filter_record_batch(&batch, &mask)?;
        read.files += files.num_rows() as u64;
        read.bytes += columns::u64s(&files, columns::LENGTH_BYTES)?
            .values()
            .iter()
            .sum::<u64>();
        reader.read(&files, &mut |files: FileBatch| match finish(files)? {
            (kept, decisions) if decisions.is_empty() => to(kept),
            (_, decisions) => Err(unreadable(&decisions[0])),
        })?;
    }
    Ok(read)
}

fn unreadable(decision: &stackmill_schemas::Decision) -> Error {
    let trouble = decision.reason.trouble.clone().unwrap_or_else(|| decision.rule.clone());
    Error::input(format!(
        "file {}, which the previous release has read, cannot be read any more: {trouble}",
        decision.file_id
    ))
    .hint("leave `previous` out: a clean run decides about it anew")
}

/// Writes sets in file order.
fn merge(job: &Job, path: &str, sets: &[RecordBatch]) -> Result<()> {
    let mut order = Vec::new();
    for (number, batch) in sets.iter().enumerate() {
        let ids = columns::u64s(batch, columns::FILE_ID)?.values().iter().enumerate();
        order.extend(ids.map(|(row, id)| (*id, number, row)));
    }
    order.sort_unstable();
    let mut table = TableWriter::create(&job.workdir, path, &side_schema())?;
    let batches: Vec<&RecordBatch> = sets.iter().collect();
    for rows in order.chunks(MERGED_ROWS) {
        let places: Vec<(usize, usize)> = rows.iter().map(|(_, number, row)| (*number, *row)).collect();
        table.write(&interleave_record_batch(&batches, &places)?)?;
    }
    table.commit().map(drop)
}

/// (rank b, rank a), blob of a, similarity and the bands in which they meet.
type Edge = ([[u8; 16]; 2], [u8; 20], (f64, u64));

/// What a home finds out about its files b.
#[derive(Default)]
struct Found {
    edges: Vec<Edge>,
    wanted: BTreeSet<FileId>,
}

impl Found {
    /// Takes the pairs that are known; gives which rows are left.
    fn take(&mut self, pairs: &RecordBatch, known: &HashMap<FileId, Entry>) -> Result<BooleanArray> {
        let (a, b) = (columns::fixed(pairs, "rank_a")?, columns::fixed(pairs, "rank_b")?);
        let blobs = columns::fixed(pairs, "blob_a")?;
        let mut left = Vec::with_capacity(pairs.num_rows());
        for row in 0..pairs.num_rows() {
            let file = file_of(b.value(row))?;
            let entry = known.get(&file);
            let blob = blobs.is_valid(row).then(|| blobs.value(row).try_into().ok()).flatten();
            let similarity = blob
                .zip(entry)
                .and_then(|(blob, entry)| Some((blob, entry.compared.find(&blob)?)));
            left.push(similarity.is_none());
            match similarity {
                Some((blob, similarity)) => self.edges.push((ranks(b, a, row)?, blob, similarity)),
                None => self.wanted.extend(entry.map(|_| file)),
            }
        }
        Ok(BooleanArray::from(left))
    }

    fn edges(mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        self.edges.sort_unstable_by_key(|edge| edge.0);
        self.edges.dedup_by_key(|edge| edge.0);
        let fixed = |bytes: Vec<u8>, width| FixedSizeBinaryArray::try_new(width, bytes.into(), None);
        let of = |at: usize| fixed(self.edges.iter().flat_map(|edge| edge.0[at]).collect(), 16);
        let blobs = fixed(self.edges.iter().flat_map(|edge| edge.1).collect(), 20)?;
        let similarities = Float64Array::from_iter_values(self.edges.iter().map(|edge| edge.2.0));
        let met = self.edges.iter().map(|edge| (edge.2.1 != 0).then_some(edge.2.1));
        let arrays: [Arc<dyn Array>; 5] = [
            Arc::new(of(1)?),
            Arc::new(of(0)?),
            Arc::new(blobs),
            Arc::new(similarities),
            Arc::new(met.collect::<UInt64Array>()),
        ];
        Ok(RecordBatch::try_new(schema.clone(), arrays.to_vec())?)
    }
}

fn ranks(b: &FixedSizeBinaryArray, a: &FixedSizeBinaryArray, row: usize) -> Result<[[u8; 16]; 2]> {
    let of = |array: &FixedSizeBinaryArray| array.value(row).try_into();
    match (of(b), of(a)) {
        (Ok(b), Ok(a)) => Ok([b, a]),
        _ => Err(Error::bug("a rank is not 16 bytes")),
    }
}
