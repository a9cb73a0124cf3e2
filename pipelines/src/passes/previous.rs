//! What an earlier release knows meets the files of this run: by key, then home.
//!
//! ```text
//!   previous-keys   a task a chunk, a task a part of the index ─► key ─► previous-files/, previous-rows/
//!   previous        a task a partition                         ─► rows with this run's ids ─► known/, by home
//! ```
//! Memory of a task: the rows of a partition (near 65,536, of near 500 bytes) and the keys that look for them.

use std::collections::HashMap;

use arrow_array::{ArrayRef, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::take::take_record_batch;
use std::sync::Arc;

use arrow_array::{FixedSizeBinaryArray, UInt32Array};
use stackmill_schemas::manifest::Tally;
use stackmill_schemas::{Error, Result, TaskContext, columns};

use super::content::chunk_name;
use super::cut::Layout;
use super::index::{self, KNOWN, Keys};
use super::{Step, TaskReport};
use crate::exchange::{SpillWriter, Spills};
use crate::job::Job;
use crate::previous::Previous;

/// The steps in order.
pub const STEPS: [&str; 2] = ["previous-keys", "previous"];
const FILES: &str = "previous-files";
const ROWS: &str = "previous-rows";

/// A task a chunk, then a task a part of the index.
pub struct Scattered<'a> {
    /// The run.
    pub job: &'a Job,
    /// What the cut left.
    pub layout: &'a Layout,
    /// The release.
    pub previous: &'a Previous,
}

fn files_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(columns::FILE_ID, DataType::UInt64, false),
        Field::new("key", DataType::FixedSizeBinary(16), false),
    ]))
}

impl Step for Scattered<'_> {
    fn name(&self) -> &'static str {
        STEPS[0]
    }

    fn tasks(&self) -> u32 {
        self.layout.homes.count() + self.previous.parts()
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        match task.checked_sub(self.layout.homes.count()) {
            None => self.files(task, cx)?,
            Some(part) => self.rows(part, cx)?,
        }
        Ok(TaskReport::default())
    }

    fn spent(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Scattered<'_> {
    fn files(&self, task: u32, cx: &TaskContext) -> Result<()> {
        let workdir = &self.job.workdir;
        let keys = Keys::new(&self.job.stages)?;
        let mut spill = SpillWriter::create(workdir, FILES, task, files_schema())?;
        let name = chunk_name(&self.layout.chunks[task as usize]);
        for batch in workdir.place.table(&format!("survivors/{name}"))? {
            cx.check()?;
            let batch = batch?;
            let found = keys.of(&batch)?;
            let ids: ArrayRef = Arc::new(columns::u64s(&batch, columns::FILE_ID)?.clone());
            let bytes: Vec<u8> = found.iter().flatten().copied().collect();
            let array = FixedSizeBinaryArray::try_new(16, bytes.into(), None)?;
            let rows = RecordBatch::try_new(files_schema(), vec![ids, Arc::new(array)])?;
            self.send(&mut spill, rows)?;
        }
        spill.commit()
    }

    fn rows(&self, part: u32, cx: &TaskContext) -> Result<()> {
        let mut spill = SpillWriter::create(&self.job.workdir, ROWS, part, index::schema())?;
        for batch in self.previous.rows(part)? {
            cx.check()?;
            self.send(&mut spill, batch?)?;
        }
        spill.commit()
    }

    fn send(&self, spill: &mut SpillWriter, rows: RecordBatch) -> Result<()> {
        let partitions = self.previous.partitions();
        let keys = columns::fixed(&rows, "key")?;
        let to: Vec<u32> = (0..rows.num_rows())
            .map(|row| partition_of(keys.value(row), partitions))
            .collect();
        spill.send(rows, &to)
    }
}

fn partition_of(key: &[u8], partitions: u32) -> u32 {
    let first = key.first_chunk::<8>().copied().unwrap_or_default();
    ((u128::from(u64::from_be_bytes(first)) * u128::from(partitions)) >> 64) as u32
}

/// A task a partition of keys.
pub struct Meeting<'a> {
    /// The run.
    pub job: &'a Job,
    /// What the cut left.
    pub layout: &'a Layout,
    /// The release.
    pub previous: &'a Previous,
}

impl Step for Meeting<'_> {
    fn name(&self) -> &'static str {
        STEPS[1]
    }

    fn tasks(&self) -> u32 {
        self.previous.partitions()
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let workdir = &self.job.workdir;
        let wanted = self.wanted(task)?;
        let mut spill = SpillWriter::create(workdir, KNOWN, task, index::scratch_schema())?;
        let mut files = 0;
        for batch in Spills::new(workdir, ROWS, self.previous.parts()).partition(task) {
            cx.check()?;
            let known = met(&batch?, &wanted)?;
            files += known.num_rows() as u64;
            spill.send_home(known, &self.layout.homes)?;
        }
        spill.commit()?;
        let known = Tally { files, bytes: 0 };
        Ok(TaskReport {
            known,
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        vec![FILES.to_owned(), ROWS.to_owned()]
    }
}

impl Meeting<'_> {
    /// Files of this run by key; what two have in common is nobody's.
    fn wanted(&self, task: u32) -> Result<HashMap<[u8; 16], Option<u64>>> {
        let mut wanted = HashMap::new();
        for batch in Spills::new(&self.job.workdir, FILES, self.layout.homes.count()).partition(task) {
            let batch = batch?;
            let (ids, keys) = (columns::u64s(&batch, columns::FILE_ID)?, columns::fixed(&batch, "key")?);
            for row in 0..batch.num_rows() {
                let id = ids.value(row);
                let of = wanted.entry(key_at(keys, row)?).or_insert(Some(id));
                *of = of.filter(|of| *of == id);
            }
        }
        Ok(wanted)
    }
}

fn key_at(keys: &FixedSizeBinaryArray, row: usize) -> Result<[u8; 16]> {
    keys.value(row)
        .try_into()
        .map_err(|_| Error::bug("a key is not 16 bytes"))
}

/// The rows whose file is there, under its number in this run.
fn met(rows: &RecordBatch, wanted: &HashMap<[u8; 16], Option<u64>>) -> Result<RecordBatch> {
    let keys = columns::fixed(rows, "key")?;
    let (mut taken, mut ids) = (Vec::new(), Vec::new());
    for row in 0..rows.num_rows() {
        if let Some(Some(id)) = wanted.get(&key_at(keys, row)?) {
            taken.push(row as u32);
            ids.push(*id);
        }
    }
    let found = take_record_batch(rows, &UInt32Array::from(taken))?;
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(UInt64Array::from(ids))];
    arrays.extend(found.columns().iter().cloned());
    Ok(RecordBatch::try_new(index::scratch_schema(), arrays)?)
}
