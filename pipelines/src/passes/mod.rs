//! The passes of a run: each is a step with tasks; between them lie tables and exchanges in scratch.
//!
//! ```text
//!   listing ─► keys ─► exact ─► cut ─► content ─► near-* ─► syntax ─► pack ─► ledger
//!   a split   a split partition a split  a chunk   …        a chunk   partition  a split
//! ```

pub mod blocks;
pub mod comparison;
pub mod components;
pub mod content;
pub mod cut;
pub mod gather;
pub mod index;
pub mod keys;
pub mod ledger;
pub mod left;
pub mod listing;
pub mod pack;
pub mod previous;
pub mod recall;
pub mod repositories;
pub mod sketch;
pub mod syntax;
pub mod verdicts;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_select::filter::filter_record_batch;
use serde::{Deserialize, Serialize};
use stackmill_dedup::near::quality::Found;
use stackmill_schemas::manifest::{FileEntry, Tally};
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Decision, Error, FileBatch, Result, ResultExt, TaskContext};

use crate::clock::thread_seconds;
use crate::table::TableWriter;
use crate::workdir::Workdir;

/// A barrier's worth of work: its tasks may run in any order, on any thread.
pub trait Step: Sync {
    /// Name, for progress, markers and messages.
    fn name(&self) -> &str;
    /// Number of tasks.
    fn tasks(&self) -> u32;
    /// Runs one task; its files are in place when this returns.
    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport>;
    /// Folders of scratch that nobody reads once this step is done.
    fn spent(&self) -> Vec<String>;
}

/// What a task leaves behind besides its files.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskReport {
    /// Files of the data set.
    pub published: Vec<FileEntry>,
    /// Chunks that later passes read.
    pub chunks: Vec<Chunk>,
    /// Files that went in and their bytes.
    pub input: Tally,
    /// Rows of stars that were not in their place yet.
    pub moved: u64,
    /// Repositories that could not be read: name and trouble.
    pub troubled: Vec<(String, String)>,
    /// Near-duplicates whose sets were compared.
    #[serde(default)]
    pub found: Found,
    /// Files that an earlier release knows.
    #[serde(default)]
    pub known: Tally,
    /// Such files whose contents were read all the same.
    #[serde(default)]
    pub reread: Tally,
    /// Such files that are kept, and whose text an earlier release has.
    #[serde(default)]
    pub held: Tally,
    /// Repositories that have opted out, and so were not cloned.
    pub left_out: u64,
    /// What the ledger counts.
    pub counts: Option<ledger::Counts>,
    /// Processor seconds and bytes by stage; for `run.json` alone.
    pub costs: BTreeMap<String, Cost>,
}

impl TaskReport {
    /// Adds what the task cost to `sums`.
    pub fn add_costs(&self, sums: &mut BTreeMap<String, Cost>) {
        for (stage, cost) in &self.costs {
            let sum = sums.entry(stage.clone()).or_default();
            sum.seconds += cost.seconds;
            sum.bytes += cost.bytes;
        }
    }
}

/// A run of surviving files of one split: what one content task reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    /// The split.
    pub split: u32,
    /// Number of the chunk inside its split.
    pub part: u32,
    /// The first file id.
    pub first: u64,
    /// Files.
    pub files: u64,
    /// Bytes of content.
    pub bytes: u64,
}

/// What a stage cost.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Processor seconds of the task's own thread.
    pub seconds: f64,
    /// Bytes of content that came in.
    pub bytes: u64,
}

/// Adds processor time to stages; work that is charged inside other work is charged once.
#[derive(Debug, Default)]
pub struct Meter {
    costs: RefCell<BTreeMap<String, Cost>>,
    charged: Cell<f64>,
}

impl Meter {
    /// Runs `work` on the account of `stage`.
    pub fn charge<T>(&self, stage: &str, bytes: u64, work: impl FnOnce() -> T) -> T {
        let outside = self.charged.replace(0.0);
        let start = thread_seconds();
        let result = work();
        let seconds = thread_seconds() - start;
        let inside = self.charged.replace(outside + seconds);
        let mut costs = self.costs.borrow_mut();
        let cost = costs.entry(stage.to_owned()).or_default();
        cost.seconds += seconds - inside;
        cost.bytes += bytes;
        result
    }

    /// The accounts.
    pub fn costs(&self) -> BTreeMap<String, Cost> {
        self.costs.take()
    }
}

/// Fused Maps inside one task.
pub struct Fused {
    maps: Vec<(String, Box<dyn MapTask>)>,
}

impl Fused {
    /// Opens every Map.
    pub fn open(maps: &[Box<dyn Map>], cx: &TaskContext) -> Result<Self> {
        Self::of(maps.iter().map(AsRef::as_ref), cx)
    }

    /// As [`Fused::open`], of Maps that are somebody else's.
    pub fn of<'a>(maps: impl IntoIterator<Item = &'a dyn Map>, cx: &TaskContext) -> Result<Self> {
        let opened = maps.into_iter().map(|map| Ok((map.name().to_owned(), map.open(cx)?)));
        Ok(Self {
            maps: opened.collect::<Result<_>>()?,
        })
    }

    /// Sends a batch through all Maps; every row that is masked on the way must have its decision.
    pub fn map(&mut self, mut batch: FileBatch, meter: &Meter) -> Result<FileBatch> {
        for (name, map) in &mut self.maps {
            let bytes = kept_bytes(&batch);
            let rows = batch.num_rows();
            batch = meter
                .charge(name, bytes, || map.map(batch))
                .with_context(|| format!("stage `{name}`"))?;
            let masked = batch.num_rows() - batch.kept_rows().count();
            if batch.num_rows() != rows || masked != batch.decisions().len() {
                let told = batch.decisions().len();
                return Err(Error::bug(format!(
                    "stage `{name}` lost rows: {masked} masked, {told} decisions"
                )));
            }
        }
        Ok(batch)
    }
}

fn kept_bytes(batch: &FileBatch) -> u64 {
    let Ok(lengths) = stackmill_schemas::columns::u64s(batch.record(), stackmill_schemas::columns::LENGTH_BYTES) else {
        return 0;
    };
    batch.kept_rows().map(|row| lengths.value(row)).sum()
}

/// The rows still kept, and what was decided about the others.
pub fn finish(batch: FileBatch) -> Result<(RecordBatch, Vec<Decision>)> {
    let mask = batch.kept_mask();
    let (record, _, decisions) = batch.into_parts();
    Ok((filter_record_batch(&record, &mask)?, decisions))
}

/// A table of decisions being written.
pub struct DecisionWriter {
    table: TableWriter,
}

impl DecisionWriter {
    /// The decisions of task `task` in folder `name`.
    pub fn create(workdir: &Workdir, name: &str, task: u32) -> Result<Self> {
        Ok(Self {
            table: TableWriter::create(workdir, &format!("{name}/{task:05}"), &Decision::schema())?,
        })
    }

    /// Appends decisions.
    pub fn write(&mut self, decisions: &[Decision]) -> Result<()> {
        self.table.write(&Decision::to_record(decisions)?)
    }

    /// Completes the table.
    pub fn commit(self) -> Result<u64> {
        self.table.commit()
    }
}
