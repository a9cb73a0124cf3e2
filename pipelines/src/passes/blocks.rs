//! Blocks of lines that stand in several files: a table of the data set, and lines to cut if the recipe says so.
//!
//! ```text
//!   block-sketch ─► block-anchors ─► block-attach ─► block-runs ─► blocks/
//!   a chunk         partition        a home          a home    └─► block-cuts/ ─► `syntax`
//! ```

use std::sync::Arc;

use arrow_array::RecordBatch;
use stackmill_dedup::blocks::{Cuts, Sketch};
use stackmill_schemas::stage::{Emit, Exchange, Partition};
use stackmill_schemas::{Result, TaskContext};

use super::cut::Layout;
use super::gather::Reads;
use super::{Meter, Step, TaskReport};
use crate::exchange::Target;
use crate::job::{Job, partitions};
use crate::runner::SideSets;
use crate::shard::ShardWriter;
use crate::table::TableWriter;

/// The steps in order.
pub const STEPS: [&str; 4] = ["block-sketch", "block-anchors", "block-attach", "block-runs"];
/// Folder of lines.
pub const SIDE: &str = "block-lines";
/// Folder of what is to be cut.
pub const CUTS: &str = "block-cuts";

/// The exchanges of blocks.
#[derive(Clone, Copy)]
pub struct Targets<'a> {
    /// What hashes lines.
    pub sketch: &'a Sketch,
    /// Anchors.
    pub anchors: Target<'a>,
    /// Pairs, to the home of the first.
    pub attach: Target<'a>,
    /// Pairs with lines, to the home of the second.
    pub runs: Target<'a>,
}

impl Job {
    /// Where the rows of blocks go, if the stage is on.
    pub fn blocks<'a>(&'a self, layout: &'a Layout) -> Option<Targets<'a>> {
        let stage = self.stages.blocks.as_ref()?;
        let homes = layout.homes.as_ref();
        let target = |exchange: &'a dyn Exchange, feeders| Target {
            exchange,
            partitions: partitions(exchange, layout.size),
            homes,
            feeders,
        };
        let anchors = target(&stage.anchors, homes.count());
        let attach = target(&stage.attach, anchors.partitions);
        Some(Targets {
            sketch: &stage.sketch,
            anchors,
            attach,
            runs: target(&stage.runs, attach.partitions),
        })
    }
}

/// What tasks read that compare lines.
pub fn reads(job: &Job, layout: &Layout) -> Reads {
    Reads {
        side: Arc::new(SideSets::new(&job.workdir.place, &layout.chunks, SIDE)),
        homes: layout.homes.clone(),
    }
}

fn cuts(job: &Job) -> bool {
    job.stages.blocks.as_ref().is_some_and(|stage| stage.cut.is_some())
}

fn cuts_name(task: u32) -> String {
    format!("{CUTS}/{task:05}")
}

/// What is to be cut out of a chunk's files, if the recipe cuts.
pub fn load_cuts(job: &Job, task: u32) -> Result<Option<Cuts>> {
    if !cuts(job) {
        return Ok(None);
    }
    let mut found = Cuts::default();
    for batch in job.workdir.place.table(&cuts_name(task))? {
        found.add(&batch?)?;
    }
    Ok(Some(found))
}

/// The table: one task a home.
pub struct Report<'a> {
    /// The run.
    pub job: &'a Job,
    /// What the cut left.
    pub layout: &'a Layout,
    /// The exchange.
    pub target: Target<'a>,
}

impl Step for Report<'_> {
    fn name(&self) -> &'static str {
        STEPS[3]
    }

    fn tasks(&self) -> u32 {
        // Where nothing was left there is nobody to tell of.
        self.layout.homes.count()
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let exchange = self.target.exchange;
        let cx = reads(self.job, self.layout).within(cx);
        let partition = Partition {
            index: task,
            batches: self.job.gathered(self.target, task)?,
        };
        let path = format!("blocks/part-{task:05}.parquet");
        let mut shard: Option<ShardWriter> = None;
        let mut cuts = match cuts(self.job) {
            true => Some(TableWriter::create(
                &self.job.workdir,
                &cuts_name(task),
                &exchange.schema(),
            )?),
            false => None,
        };
        let mut emit = |batch: RecordBatch| {
            cuts.as_mut().map_or(Ok(()), |cuts| cuts.write(&batch))?;
            let shard = match &mut shard {
                Some(shard) => shard,
                None => shard.insert(ShardWriter::create(&self.job.workdir, &path, &batch.schema())?),
            };
            shard.write(&batch)
        };
        let meter = Meter::default();
        meter.charge("blocks", 0, || exchange.gather(partition, &mut Emit(&mut emit), &cx))?;
        cuts.map(TableWriter::commit).transpose()?;
        Ok(TaskReport {
            published: shard.map(ShardWriter::commit).transpose()?.into_iter().collect(),
            costs: meter.costs(),
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        vec![self.name().to_owned(), SIDE.to_owned()]
    }
}
