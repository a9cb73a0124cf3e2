//! Gathering: one task a partition of an exchange; what it emits is scattered again, or sent home as decisions.

use std::sync::Arc;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use stackmill_dedup::near::quality::Found;
use stackmill_dedup::near::verify::plain;
use stackmill_schemas::context::{Batches, Homes, SideFiles};
use stackmill_schemas::manifest::Tally;
use stackmill_schemas::stage::{Emit, Exchange as _, Partition};
use stackmill_schemas::{Decision, Result, TaskContext, columns};

use super::components::{Component, Turning};
use super::{Meter, Step, TaskReport, index, recall};
use crate::exchange::{Scattering, SpillWriter, Spills, Target};
use crate::job::Job;
use crate::table::TableWriter;

/// What becomes of gathered rows.
pub enum Next<'a> {
    /// They are scattered into another exchange.
    Exchange(Target<'a>),
    /// They are edges.
    Edges(Component<'a>),
    /// They are decisions, sent to the homes of their files in folder `name`.
    Decisions {
        /// The folder.
        name: &'a str,
        /// The homes.
        homes: &'a Homes,
    },
}

/// Sets of what is compared, and where those live that have them.
pub struct Reads {
    /// The sets.
    pub side: Arc<dyn SideFiles>,
    /// The homes.
    pub homes: Arc<Homes>,
}

impl Reads {
    /// The context of a task that reads them.
    pub fn within(&self, cx: &TaskContext) -> TaskContext {
        TaskContext {
            side: self.side.clone(),
            homes: self.homes.clone(),
            ..cx.clone()
        }
    }
}

/// Rows that are not where an exchange scatters them.
pub enum Elsewhere {
    /// All of them are those of the one partition.
    Whole(Spills),
    /// Partitions are those of the exchange.
    Parts(Spills),
}

/// One task a partition.
pub struct Gather<'a> {
    /// The run.
    pub job: &'a Job,
    /// The exchange.
    pub target: Target<'a>,
    /// Rows that lie elsewhere.
    pub elsewhere: Option<Elsewhere>,
    /// What becomes of the rows.
    pub next: Next<'a>,
    /// Folders, besides the exchange's own, that nobody reads afterwards.
    pub side: &'a [&'a str],
    /// Sets that it reads.
    pub reads: Option<Reads>,
}

impl Step for Gather<'_> {
    fn name(&self) -> &str {
        self.target.exchange.name()
    }

    fn tasks(&self) -> u32 {
        self.target.partitions
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let exchange = self.target.exchange;
        let cx = &self.reads.as_ref().map_or_else(|| cx.clone(), |reads| reads.within(cx));
        let partition = Partition {
            index: task,
            batches: match &self.elsewhere {
                Some(Elsewhere::Whole(spills)) => spills.whole(),
                Some(Elsewhere::Parts(spills)) => spills.partition(task),
                None => self.job.gathered(self.target, task)?,
            },
        };
        let mut sink = Sink::open(self, task)?;
        let meter = Meter::default();
        let mut rows = 0;
        let curve = match (&self.next, &self.job.stages.near) {
            (Next::Edges(_), Some(near)) if near.verify.name() == exchange.name() => Some(near.curve),
            _ => None,
        };
        let mut found = Found::default();
        let mut pairs = match curve {
            Some(_) => Pairs::open(self.job, task)?,
            None => None,
        };
        let mut emit = |batch: RecordBatch| {
            curve.map_or(Ok(()), |curve| curve.count(&batch, &mut found))?;
            if let (Next::Decisions { .. }, Some(near)) = (&self.next, &self.job.stages.near)
                && near.keepers.name() == exchange.name()
            {
                near.curve.judge(&batch, &mut found)?;
            }
            let batch = pairs.as_mut().map_or(Ok(batch.clone()), |pairs| pairs.edges(&batch))?;
            let batch = match &self.next {
                Next::Edges(_) => plain(&batch)?,
                _ => batch,
            };
            rows += batch.num_rows() as u64;
            sink.send(batch, cx)
        };
        meter.charge(self.name(), 0, || exchange.gather(partition, &mut Emit(&mut emit), cx))?;
        if curve.is_some() {
            recalled(self.job, task)?.try_for_each(|batch| emit(batch?))?;
        }
        pairs.map_or(Ok(()), Pairs::commit)?;
        sink.commit()?;
        let input = Tally { files: rows, bytes: 0 };
        Ok(TaskReport {
            input,
            found,
            costs: meter.costs(),
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        let own = [self.target.exchange.name()];
        own.iter().chain(self.side).map(ToString::to_string).collect()
    }
}

/// The similarities that an earlier release knows, of files b at home in `task`.
fn recalled(job: &Job, task: u32) -> Result<Batches<'static>> {
    match &job.stages.previous {
        Some(_) => job.workdir.place.table(&format!("{}/{task:05}", recall::KNOWN)),
        None => Ok(Box::new(std::iter::empty())),
    }
}

/// All pairs that were compared, for the index; those that are alike go on.
struct Pairs {
    table: TableWriter,
    threshold: f64,
}

impl Pairs {
    fn open(job: &Job, task: u32) -> Result<Option<Self>> {
        let Some(near) = job.stages.near.as_ref().filter(|_| job.stages.has_index()) else {
            return Ok(None);
        };
        let path = format!("{}/{task:05}", index::PAIRS);
        let table = TableWriter::create(&job.workdir, &path, &near.verify.schema())?;
        let threshold = near.verify.threshold();
        Ok(Some(Self { table, threshold }))
    }

    fn edges(&mut self, pairs: &RecordBatch) -> Result<RecordBatch> {
        self.table.write(pairs)?;
        let similarities = columns::f64s(pairs, "similarity")?.values().iter();
        let alike: BooleanArray = similarities
            .map(|similarity| Some(*similarity >= self.threshold))
            .collect();
        Ok(filter_record_batch(pairs, &alike)?)
    }

    fn commit(self) -> Result<()> {
        self.table.commit().map(drop)
    }
}

enum Sink<'a> {
    Exchange(Scattering<'a>),
    Edges(Turning),
    Decisions(SpillWriter, &'a Homes),
}

impl<'a> Sink<'a> {
    fn open(step: &Gather<'a>, task: u32) -> Result<Self> {
        Ok(match &step.next {
            Next::Exchange(target) => Self::Exchange(step.job.scatter(*target, task)?),
            Next::Edges(component) => Self::Edges(Turning::edges(*component, task)?),
            Next::Decisions { name, homes } => Self::Decisions(
                SpillWriter::create(&step.job.workdir, name, task, Decision::schema())?,
                homes,
            ),
        })
    }

    fn send(&mut self, batch: RecordBatch, cx: &TaskContext) -> Result<()> {
        match self {
            Self::Exchange(scattering) => scattering.scatter(&batch, cx),
            Self::Edges(turning) => turning.send(&batch),
            Self::Decisions(spill, homes) => spill.send_home(batch, homes),
        }
    }

    fn commit(self) -> Result<()> {
        match self {
            Self::Exchange(scattering) => scattering.spill.commit(),
            Self::Edges(turning) => turning.commit(),
            Self::Decisions(spill, _) => spill.commit(),
        }
    }
}
