//! Components of edges: turns of star contraction, and the edges of each component to the partition that decides it.
//!
//! ```text
//!   near-verify ─► near-edges/ ─► near-star-1 ─► near-star-2/ ─► near-star-2 ─► … ─► near-components ─► near-keepers/
//!                  by file b      small star     by both files   large star          joined by file b   by component
//! ```
//! There are as many turns as it takes; a large star that moves no row was the last.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use stackmill_dedup::near::Components;
use stackmill_dedup::near::components::{Labels, Star, Turn};
use stackmill_schemas::context::{Batches, Homes};
use stackmill_schemas::manifest::Tally;
use stackmill_schemas::stage::{Emit, Exchange, Scatter};
use stackmill_schemas::{Result, TaskContext};

use super::comparison::Names;
use super::{Meter, Step, TaskReport};
use crate::exchange::{SpillWriter, Spills};
use crate::job::Job;

/// Odd turns are small stars: edges lie by file b already.
fn turn_kind(turn: u32) -> Turn {
    match turn % 2 {
        1 => Turn::Small,
        _ => Turn::Large,
    }
}

/// What a step of components needs.
#[derive(Clone, Copy)]
pub struct Component<'a> {
    /// The run.
    pub job: &'a Job,
    /// The comparison's steps and folders.
    pub names: &'static Names,
    /// When components are needed.
    pub components: &'a Components,
    /// Who decides about the edges of a component.
    pub keepers: &'a dyn Exchange,
    /// Partitions of edges and of stars.
    pub partitions: u32,
    /// Tasks that wrote edges.
    pub verified: u32,
}

impl Component<'_> {
    /// All edges.
    pub fn edges(&self) -> Spills {
        Spills::new(&self.job.workdir, self.names.edges, self.verified)
    }

    /// What is there to read for a turn.
    fn stars(&self, turn: u32) -> Spills {
        match turn {
            1 => self.edges(),
            _ => Spills::new(&self.job.workdir, &self.names.turn_name(turn), self.partitions),
        }
    }
}

/// Rows on their way to a turn.
pub struct Turning {
    spill: SpillWriter,
    turn: Turn,
    partitions: u32,
}

impl Turning {
    /// Edges of task `task`, for the first turn.
    pub fn edges(to: Component<'_>, task: u32) -> Result<Self> {
        Self::create(to, (to.names.edges, 1), task, to.components.edge_schema())
    }

    fn stars(to: Component<'_>, turn: u32, task: u32) -> Result<Self> {
        Self::create(to, (&to.names.turn_name(turn), turn), task, to.components.star_schema())
    }

    fn create(to: Component<'_>, (folder, turn): (&str, u32), task: u32, schema: SchemaRef) -> Result<Self> {
        Ok(Self {
            spill: SpillWriter::create(&to.job.workdir, folder, task, schema)?,
            turn: turn_kind(turn),
            partitions: to.partitions,
        })
    }

    /// Sends rows on.
    pub fn send(&mut self, rows: &RecordBatch) -> Result<()> {
        let turn = self.turn;
        routed(&mut self.spill, self.partitions, |to| turn.scatter(rows, to))
    }

    /// Completes the file.
    pub fn commit(self) -> Result<()> {
        self.spill.commit()
    }
}

fn routed(
    spill: &mut SpillWriter,
    partitions: u32,
    scatter: impl FnOnce(&mut Scatter<'_>) -> Result<()>,
) -> Result<()> {
    let homes = Homes::default();
    scatter(&mut Scatter {
        send: &mut |rows, to| spill.send(rows, to),
        partitions,
        homes: &homes,
    })
}

fn each(batches: Batches<'_>, cx: &TaskContext, mut work: impl FnMut(&RecordBatch) -> Result<()>) -> Result<u64> {
    let mut rows = 0;
    for batch in batches {
        cx.check()?;
        let batch = batch?;
        rows += batch.num_rows() as u64;
        work(&batch)?;
    }
    Ok(rows)
}

/// One turn: a task a partition.
pub struct TurnStep<'a> {
    /// What all steps of components need.
    pub component: Component<'a>,
    /// Its name.
    pub name: String,
    /// Its number.
    pub turn: u32,
}

impl Step for TurnStep<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn tasks(&self) -> u32 {
        self.component.partitions
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let meter = Meter::default();
        let stage = self.component.names.components();
        let (files, moved) = meter.charge(stage, 0, || self.contract(task, cx))?;
        Ok(TaskReport {
            input: Tally { files, bytes: 0 },
            moved,
            costs: meter.costs(),
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        // Edges are wanted again, once components are known.
        (self.turn > 1).then(|| self.name.clone()).into_iter().collect()
    }
}

impl TurnStep<'_> {
    /// Rows that went in, and how many were moved.
    fn contract(&self, task: u32, cx: &TaskContext) -> Result<(u64, u64)> {
        let rows = self.component.stars(self.turn);
        let mut star = Star::new(turn_kind(self.turn), task, self.component.partitions);
        let seen = each(rows.partition(task), cx, |rows| star.see(rows))?;
        let mut to = Turning::stars(self.component, self.turn + 1, task)?;
        let mut send = |rows: RecordBatch| to.send(&rows);
        each(rows.partition(task), cx, |rows| star.turn(rows, &mut Emit(&mut send)))?;
        let moved = star.finish(&mut Emit(&mut send))?;
        to.commit()?;
        Ok((seen, moved))
    }
}

/// Edges go where those of their component are decided: a task a partition.
pub struct Share<'a> {
    /// What all steps of components need.
    pub component: Component<'a>,
    /// Number of turns that it took.
    pub turns: u32,
    /// Partitions of `near-keepers`.
    pub deciders: u32,
}

impl Step for Share<'_> {
    fn name(&self) -> &str {
        self.component.names.components()
    }

    fn tasks(&self) -> u32 {
        self.component.partitions
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let meter = Meter::default();
        let files = meter.charge(self.name(), 0, || self.share(task, cx))?;
        Ok(TaskReport {
            input: Tally { files, bytes: 0 },
            costs: meter.costs(),
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        let names = self.component.names;
        vec![names.edges.to_owned(), names.turn_name(self.turns + 1)]
    }
}

impl Share<'_> {
    fn share(&self, task: u32, cx: &TaskContext) -> Result<u64> {
        let Component { job, keepers, .. } = self.component;
        let mut labels = Labels::default();
        let stars = self.component.stars(self.turns + 1);
        each(stars.partition(task), cx, |rows| labels.see(rows))?;
        let mut spill = SpillWriter::create(&job.workdir, keepers.name(), task, keepers.keyed())?;
        let edges = each(self.component.edges().partition(task), cx, |edges| {
            routed(&mut spill, self.deciders, |to| labels.scatter(edges, to))
        })?;
        spill.commit()?;
        Ok(edges)
    }
}
