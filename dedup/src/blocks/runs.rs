//! The Exchange `block-runs`: the lines that a file has in common with earlier ones.
//!
//! ```text
//!   scatter   rank_a │ blob_a │ shingles_a │ ranks_b   to the home of the files b, as `block-attach` emits it
//!   gather    hold the home's lines, stream the attached ones, compare
//!   emit      file_id │ blob_id │ start_line │ end_line │ other_file_id │ other_blob_id │ other_start_line │ lines
//! ```
//! Runs are as long as they can be. Of those of one file each is reported whose lines are not all in the ones before it,
//! the earliest other file first. Memory of a gather: 8 bytes a line of the home, and 80 bytes a run.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{BlobId, FileId, Result, TaskContext, columns, rank};

use super::lines::windows;
use crate::meeting::{send_home, side_row};
use crate::near::components::attached_schema;
use crate::rows::{FixedColumn, read_u64s};

/// Runs of one emitted batch.
const ROWS: usize = 16_384;

/// Compares pairs of files: emits the runs of lines that they have in common. Its partitions are the homes of files.
#[derive(Clone, Debug)]
pub struct Runs {
    lines: usize,
}

impl Runs {
    pub(super) fn new(lines: usize) -> Self {
        Self { lines }
    }
}

/// Lines `start..end` of b are those of a from `other`, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    b: FileId,
    a: u128,
    start: u32,
    end: u32,
    other: u32,
    blobs: [Option<[u8; 20]>; 2],
}

/// The columns of the report; lines are counted from 1, and `end_line` is the last of the block.
pub(super) fn run_schema() -> SchemaRef {
    let number = |name: &str, data_type| Field::new(name, data_type, false);
    let blob = |name: &str| Field::new(name, DataType::Utf8, true);
    Arc::new(Schema::new(vec![
        number(columns::FILE_ID, DataType::UInt64),
        blob(columns::BLOB_ID),
        number("start_line", DataType::UInt32),
        number("end_line", DataType::UInt32),
        number("other_file_id", DataType::UInt64),
        blob("other_blob_id"),
        number("other_start_line", DataType::UInt32),
        number("lines", DataType::UInt32),
    ]))
}

impl Exchange for Runs {
    fn name(&self) -> &'static str {
        "block-runs"
    }

    fn keyed(&self) -> SchemaRef {
        attached_schema()
    }

    fn schema(&self) -> SchemaRef {
        run_schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        size.homes.max(1)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, _: &TaskContext) -> Result<()> {
        send_home(batch, to)
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut batches = partition.batches.peekable();
        if batches.peek().is_none() {
            return Ok(());
        }
        let home = cx.side.shingles(partition.index)?.collect::<Result<Vec<_>>>()?;
        let mut runs = Vec::new();
        for batch in batches {
            cx.check()?;
            self.compare(&batch?, &home, &mut runs)?;
        }
        runs.sort_unstable();
        runs.dedup();
        let told = told(&runs);
        told.chunks(ROWS).try_for_each(|chunk| emit.emit(run_batch(chunk)?))
    }
}

impl Runs {
    fn compare(&self, batch: &RecordBatch, home: &[RecordBatch], runs: &mut Vec<Run>) -> Result<()> {
        let ranks_a = FixedColumn::<16>::of(batch, "rank_a")?;
        let blobs_a = FixedColumn::<20>::of(batch, "blob_a")?;
        let lines_a = columns::binaries(batch, "shingles_a")?;
        let ranks_b = columns::binaries(batch, "ranks_b")?;
        for row in 0..batch.num_rows() {
            let a = Indexed::new(numbers(lines_a.value(row))?, self.lines);
            let (ranks, _) = ranks_b.value(row).as_chunks::<16>();
            for b in ranks.iter().map(|rank| rank::file_of(u128::from_be_bytes(*rank))) {
                let (table, at) = side_row(home, b)?;
                let lines = numbers(columns::binaries(table, columns::SHINGLES)?.value(at))?;
                let blob_b = FixedColumn::<20>::of(table, columns::BLOB_ID)?.get(at);
                let found = a.runs(&lines);
                runs.extend(found.into_iter().map(|(start, end, other)| Run {
                    b,
                    a: ranks_a.rank(row).unwrap_or_default(),
                    start,
                    end,
                    other,
                    blobs: [blob_b, blobs_a.get(row)],
                }));
            }
        }
        Ok(())
    }
}

fn numbers(bytes: &[u8]) -> Result<Vec<u64>> {
    Ok(read_u64s(bytes)?
        .iter()
        .map(|number| u64::from_le_bytes(*number))
        .collect())
}

/// The lines of a file, found by any `count` of them in a row.
struct Indexed {
    lines: Vec<u64>,
    count: usize,
    /// Hash of a window, and where it is first; never walked.
    windows: HashTable<(u64, u32)>,
}

impl Indexed {
    fn new(lines: Vec<u64>, count: usize) -> Self {
        let mut found = HashTable::new();
        for (place, hash) in (0u32..).zip(windows(&lines, count)) {
            if let Entry::Vacant(free) = found.entry(hash, |known: &(u64, u32)| known.0 == hash, |known| known.0) {
                free.insert((hash, place));
            }
        }
        Self {
            lines,
            count,
            windows: found,
        }
    }

    /// Runs of `count` lines or more that `other` has in common: its lines `start..end`, and where they are here.
    fn runs(&self, other: &[u64]) -> Vec<(u32, u32, u32)> {
        let mut runs = Vec::new();
        let (hashes, mut at) = (windows(other, self.count), 0);
        while at < hashes.len() {
            let known = self.windows.find(hashes[at], |known| known.0 == hashes[at]);
            let place = known.map(|known| known.1 as usize);
            let common = place.map_or(0, |place| {
                let pairs = self.lines[place..].iter().zip(&other[at..]);
                pairs.take_while(|(here, there)| here == there).count()
            });
            if let Some(place) = place.filter(|_| common >= self.count) {
                runs.push((at as u32, (at + common) as u32, place as u32));
                // The next run may begin inside of this one, but not with a window of it.
                at += common - self.count;
            }
            at += 1;
        }
        runs
    }
}

/// Those whose lines are not all told by the ones before them, in the order of files and lines.
fn told(runs: &[Run]) -> Vec<Run> {
    let mut told: Vec<Run> = Vec::new();
    for of_file in runs.chunk_by(|x, y| x.b == y.b) {
        let first = told.len();
        let mut covered: Vec<(u32, u32)> = Vec::new();
        for run in of_file {
            if !covers(&covered, run.start, run.end) {
                told.push(*run);
                covered.push((run.start, run.end));
                covered = joined(covered);
            }
        }
        told[first..].sort_unstable_by_key(|run| (run.start, run.end, run.a));
    }
    told
}

fn covers(covered: &[(u32, u32)], start: u32, end: u32) -> bool {
    covered.iter().any(|span| span.0 <= start && end <= span.1)
}

/// Spans in order, those that touch as one.
fn joined(mut spans: Vec<(u32, u32)>) -> Vec<(u32, u32)> {
    spans.sort_unstable();
    let mut joined: Vec<(u32, u32)> = Vec::new();
    for span in spans {
        match joined.last_mut().filter(|last| span.0 <= last.1) {
            Some(last) => last.1 = last.1.max(span.1),
            None => joined.push(span),
        }
    }
    joined
}

fn run_batch(runs: &[Run]) -> Result<RecordBatch> {
    let blobs = |i: usize| {
        let texts = runs.iter().map(|run| run.blobs[i].map(|blob| BlobId(blob).to_string()));
        Arc::new(texts.collect::<StringArray>()) as ArrayRef
    };
    let numbers = |of: fn(&Run) -> u32| Arc::new(UInt32Array::from_iter_values(runs.iter().map(of))) as ArrayRef;
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt64Array::from_iter_values(runs.iter().map(|run| run.b.0))),
        blobs(0),
        numbers(|run| run.start + 1),
        numbers(|run| run.end),
        Arc::new(UInt64Array::from_iter_values(
            runs.iter().map(|run| rank::file_of(run.a).0),
        )),
        blobs(1),
        numbers(|run| run.other + 1),
        numbers(|run| run.end - run.start),
    ];
    Ok(RecordBatch::try_new(run_schema(), columns)?)
}
