//! A run in shares: a scheduler starts `world` processes for each stage, on any machines that see the same folders.
//!
//! ```text
//!   prepare     1 rank      lock, identity, clean scratch
//!   STEP        any ranks   rank i of n runs the tasks i, i + n, i + 2n, …; each leaves its report in scratch
//!   publish     1 rank      sums are checked, manifest last
//! ```
//! `near-components` is one step each time that it is run: it does nothing where one task can hold all edges, or once all
//! of its steps are done; while some are left, `near-keepers` says so. All other stages are one step.
//!
//! A stage begins by reading the reports of the stages before it: a task that is not done is named with its rank. Which
//! machine or rank ran a task, and in how many stages, does not show in the output.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, Result};

use crate::console::Console;
use crate::graph::{self, Graph, LIST};
use crate::interrupt::Signals;
use crate::job::{Job, Options, Stages};
use crate::passes::{Cost, TaskReport};
use crate::publish;
use crate::recipe::Recipe;
use crate::run::{Start, join, start};
use crate::runner::{Engine, Runner, step_marker, task_marker, threads};
use crate::workdir::{Claim, work_folder};

/// The stage before the first step.
pub const PREPARE: &str = "prepare";
/// The stage after the last.
pub const PUBLISH: &str = "publish";
/// Tasks that are named when they are missing.
const NAMED: usize = 10;

/// Which share of a stage.
#[derive(Clone, Copy, Debug)]
pub struct Rank {
    /// Number of the rank, from 0.
    pub rank: u32,
    /// Number of ranks.
    pub world: u32,
}

impl Rank {
    /// The tasks of this share.
    fn tasks(self, all: u32) -> Vec<u32> {
        (self.rank..all).step_by(self.world as usize).collect()
    }
}

/// What a share has done.
pub enum Shared {
    /// These many tasks of a stage are done.
    Tasks(usize),
    /// The data set is complete.
    Complete(Box<Manifest>),
}

/// Runs one share of one stage.
pub fn task(recipe: Recipe, options: Options, stage: &str, rank: Rank, console: &Console) -> Result<Shared> {
    threads(&options)?;
    if rank.rank >= rank.world {
        return Err(
            Error::config(format!("there is no rank {} of {}", rank.rank, rank.world))
                .hint("ranks are counted from 0 to --world minus 1"),
        );
    }
    let stages = Stages::build(&recipe)?;
    check_stage(stage, &stages)?;
    let single = [PREPARE, PUBLISH].contains(&stage);
    if single && rank.rank > 0 {
        return Ok(Shared::Tasks(0));
    }
    let _claim = match single {
        true => Claim::take(&options.out)?,
        false => Claim::share(&options.out)?,
    };
    let work = work_folder(&options.out, options.scratch.as_deref())?;
    let engine = Engine::new(&work, &options, Signals::install(console.clone())?, console.clone());
    let started = match stage {
        PREPARE => start(recipe, stages, options, &engine)?,
        _ => join(recipe, stages, options, &work)?,
    };
    let (job, identity) = match started {
        Start::Complete(manifest) => return Ok(Shared::Complete(manifest)),
        Start::Begun(job, identity) => (job, identity),
    };
    match stage {
        PREPARE => Ok(Shared::Tasks(1)),
        PUBLISH => {
            let (parts, costs) = all_parts(&job, rank.world)?;
            let timing = publish::Timing {
                engine: "ranks",
                seconds: 0.0,
                costs,
            };
            publish::publish(&job, &identity, parts, &timing).map(|manifest| Shared::Complete(Box::new(manifest)))
        }
        step => share(&job, &engine, step, rank).map(Shared::Tasks),
    }
}

fn check_stage(stage: &str, stages: &Stages) -> Result<()> {
    let known = names(stages);
    if known.contains(&stage) {
        return Ok(());
    }
    Err(Error::config(format!("the recipe has no stage `{stage}`")).hint(format!("one of {}", known.join(", "))))
}

/// All stages of a recipe, in order.
pub fn names(stages: &Stages) -> Vec<&'static str> {
    let mut names = graph::steps(stages);
    names.insert(0, PREPARE);
    names.push(PUBLISH);
    names
}

fn share(job: &Job, engine: &Engine, stage: &str, rank: Rank) -> Result<usize> {
    let mut graph = Graph::default();
    for earlier in graph::steps(&job.stages).into_iter().take_while(|step| *step != stage) {
        while let Some(name) = graph.next(job, earlier) {
            pass(&mut graph, job, (earlier, &name), rank)?;
        }
    }
    while let Some(name) = graph.next(job, stage) {
        // Of a stage of many steps, the first that is not done is the one meant.
        let is_over = graph::is_again(stage) && is_done(job, &name, graph.step(job, &name)?.tasks());
        if !is_over {
            return share_of(job, engine, (&graph, &name), rank);
        }
        pass(&mut graph, job, (stage, &name), rank)?;
    }
    Ok(0)
}

fn share_of(job: &Job, engine: &Engine, (graph, name): (&Graph, &str), rank: Rank) -> Result<usize> {
    job.workdir.save(&world_marker(name), &rank.world)?;
    let step = graph.step(job, name)?;
    let wanted = rank.tasks(step.tasks());
    let runner = Runner::new(job, engine)?;
    let reports = runner.tasks(step.as_ref(), graph.layout(), &wanted)?;
    publish::unchanged(&job.workdir, &reports)?;
    Ok(reports.len())
}

/// Learns a step all of whose tasks have to be done.
fn pass(graph: &mut Graph, job: &Job, (stage, name): (&str, &str), rank: Rank) -> Result<()> {
    let step = graph.step(job, name)?;
    let reports = reports(job, (stage, name), step.tasks(), rank.world)?;
    let spent = step.spent();
    drop(step);
    learn(graph, job, name, reports)?;
    // All tasks of that step are done, so nobody reads this any more.
    if rank.rank == 0 {
        spent.iter().try_for_each(|folder| job.workdir.discard(folder))?;
    }
    Ok(())
}

/// Whether all tasks of a step have left their reports.
pub fn is_done(job: &Job, step: &str, tasks: u32) -> bool {
    let reported = |task| job.workdir.holds_scratch(&task_marker(step, task));
    job.workdir.holds_scratch(&step_marker(step)) || (0..tasks).all(reported)
}

/// Takes note of reports; where too many repositories have failed, their tasks are to be done again.
pub fn learn(graph: &mut Graph, job: &Job, step: &str, reports: Vec<TaskReport>) -> Result<()> {
    let count = reports.len() as u32;
    graph.learn(job, step, reports).or_else(|error| {
        if step == LIST {
            (0..count).try_for_each(|task| job.workdir.discard(&task_marker(step, task)))?;
        }
        Err(error)
    })
}

/// What a manifest is made of, from the reports of all steps; and what they cost.
pub fn all_parts(job: &Job, world: u32) -> Result<(publish::Parts, BTreeMap<String, Cost>)> {
    let mut graph = Graph::default();
    let mut costs = BTreeMap::new();
    for stage in graph::steps(&job.stages) {
        while let Some(name) = graph.next(job, stage) {
            let tasks = graph.step(job, &name)?.tasks();
            let reports = reports(job, (stage, &name), tasks, world)?;
            publish::unchanged(&job.workdir, &reports)?;
            reports.iter().for_each(|report| report.add_costs(&mut costs));
            learn(&mut graph, job, &name, reports)?;
        }
    }
    Ok((graph.parts(), costs))
}

fn world_marker(step: &str) -> String {
    format!("world/{step}")
}

/// The reports of all tasks of a step of a stage, or which of them are missing.
pub fn reports(job: &Job, (stage, step): (&str, &str), tasks: u32, world: u32) -> Result<Vec<TaskReport>> {
    if let Some(reports) = job.workdir.load(&step_marker(step))? {
        return Ok(reports);
    }
    let mut reports = Vec::new();
    let mut missing = Vec::new();
    for task in 0..tasks {
        match job.workdir.load(&task_marker(step, task))? {
            Some(report) => reports.push(report),
            None => missing.push(task),
        }
    }
    if missing.is_empty() {
        return Ok(reports);
    }
    let world = job.workdir.load(&world_marker(step))?.unwrap_or(world);
    Err(unfinished((stage, step), &missing, tasks, world))
}

fn unfinished((stage, step): (&str, &str), missing: &[u32], tasks: u32, world: u32) -> Error {
    let ranks: BTreeSet<u32> = missing.iter().map(|task| task % world).collect();
    let list = |numbers: &mut dyn Iterator<Item = u32>| {
        let mut named: Vec<String> = numbers.take(NAMED + 1).map(|number| number.to_string()).collect();
        if named.len() > NAMED {
            named[NAMED] = "…".to_owned();
        }
        named.join(", ")
    };
    let message = format!(
        "stage `{stage}`{}: {} of {tasks} tasks are not done (tasks {}), of ranks {} of {world}",
        if stage == step {
            String::new()
        } else {
            format!(", step `{step}`")
        },
        missing.len(),
        list(&mut missing.iter().copied()),
        list(&mut ranks.into_iter())
    );
    Error::source(message).transient().hint(format!(
        "run those ranks again: stackmill task … --stage {stage} --rank RANK --world {world}"
    ))
}

/// The stages with what each waits for; numbers of tasks as far as they are known before anything was read.
pub fn plan(stages: &Stages, splits: u64, recipe: &Path) -> Value {
    let names = names(stages);
    let listed = ["list", "keys", "cut", "ledger"];
    let stage = |(at, name): (usize, &&str)| {
        let tasks = match *name {
            PREPARE | PUBLISH => json!(1),
            name if listed.contains(&name) => json!(splits),
            _ => Value::Null,
        };
        let after: Vec<&str> = at.checked_sub(1).map(|before| names[before]).into_iter().collect();
        let ranks = match *name {
            PREPARE | PUBLISH => "--rank 0 --world 1",
            _ => "--rank RANK --world WORLD",
        };
        let command = format!("stackmill task {} --out OUT --stage {name} {ranks}", recipe.display());
        let mut planned = json!({"stage": name, "tasks": tasks, "after": after, "command": command});
        if graph::is_again(name) {
            planned["again"] = json!(true);
        }
        planned
    };
    Value::Array(names.iter().enumerate().map(stage).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_share_all_tasks() {
        let shares = |world| (0..world).map(|rank| Rank { rank, world }.tasks(7)).collect::<Vec<_>>();
        assert_eq!(shares(1), [[0, 1, 2, 3, 4, 5, 6]]);
        assert_eq!(shares(3), [vec![0, 3, 6], vec![1, 4], vec![2, 5]]);
        assert_eq!(shares(16).concat(), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn missing_tasks_are_named_with_their_ranks() {
        let error = unfinished(("content", "content"), &[3, 7, 8], 9, 4);
        assert_eq!(
            error.message(),
            "stage `content`: 3 of 9 tasks are not done (tasks 3, 7, 8), of ranks 0, 3 of 4"
        );
        assert!(
            unfinished(("list", "list"), &(0..40).collect::<Vec<_>>(), 40, 40)
                .message()
                .contains("8, 9, …)")
        );
    }
}
