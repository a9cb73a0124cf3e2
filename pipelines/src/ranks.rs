//! A run in shares: a scheduler starts `world` processes for each stage, on any machines that see the same folders, or the same object store.
//!
//! ```text
//!   prepare     1 rank      lock, identity, clean scratch
//!   STEP        any ranks   rank i of n runs the tasks i, i + n, i + 2n, …; each leaves its report in scratch
//!   publish     1 rank      sums are checked, manifest last
//! ```
//! `near-components` is as many steps as it takes, all run by rank 0, or none where one task can hold all edges.
//!
//! A stage begins by reading the reports of the stages before it: a task that is not done is named with its rank. Which
//! machine or rank ran a task, and in how many stages, does not show in the output.
//!
//! Ranks never talk. Two attempts at one task may run at once, where a scheduler takes a rank for lost that is not: both
//! put the same bytes at the same names. Rank 0 alone tidies up behind finished stages, and nobody depends on it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::text::nearest;
use stackmill_schemas::{Error, Result};

use crate::claim::Claim;
use crate::console::Console;
use crate::exchange::Carriage;
use crate::graph::{self, Graph, LIST};
use crate::identity::Identity;
use crate::interrupt::Signals;
use crate::job::{Job, Options};
use crate::output::Output;
use crate::passes::TaskReport;
use crate::place::Place;
use crate::publish;
use crate::recipe::Recipe;
use crate::run::{Start, join, start};
use crate::runner::{Engine, Runner, step_marker, task_marker, threads};
use crate::stages::Stages;

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

    fn check(self) -> Result<()> {
        if self.rank < self.world {
            return Ok(());
        }
        let message = format!("there is no rank {} of {}", self.rank, self.world);
        Err(Error::config(message).hint("ranks are counted from 0 to --world minus 1"))
    }
}

/// What a share has done.
pub enum Shared {
    /// These many tasks of a stage are done.
    Tasks(usize),
    /// The data set is complete by now.
    Published(Box<Manifest>),
    /// The data set was complete before.
    Nothing,
}

/// Runs one share of one stage.
pub fn task(recipe: Recipe, mut options: Options, stage: &str, rank: Rank, console: &Console) -> Result<Shared> {
    threads(&options)?;
    rank.check()?;
    let recipe = recipe.keeping_artefacts(&options.cache);
    let stages = Stages::build(&recipe)?;
    check_stage(stage, &stages)?;
    let alone = [PREPARE, PUBLISH].contains(&stage);
    if alone && rank.rank > 0 {
        return Ok(Shared::Tasks(0));
    }
    let out = Output::new(options.out.clone(), recipe.stores.clone());
    let place = Place::shared(&out, options.scratch.as_ref())?;
    let _claim = if alone {
        // The budget is for what one rank writes; these would count what all have left.
        options.scratch_budget = u64::MAX;
        Claim::take(&options.out, place.local())?
    } else {
        Claim::share(&options.out, place.local())?
    };
    let engine = Engine::new(&place, &options, Signals::install(console.clone())?, console.clone());
    let started = match stage {
        PREPARE => start(recipe, stages, options, (&place, &engine), Carriage::Files)?,
        _ => join(recipe, stages, options, (&place, alone), Carriage::Files)?,
    };
    let (job, identity) = match started {
        Start::Complete(_) => return Ok(Shared::Nothing),
        Start::Begun(job, identity) => (job, identity),
    };
    match stage {
        PREPARE => Ok(Shared::Tasks(1)),
        PUBLISH => {
            publish(&job, &identity, rank.world, ("ranks", 0.0)).map(|manifest| Shared::Published(Box::new(manifest)))
        }
        step => share(&job, &engine, step, rank).map(Shared::Tasks),
    }
}

fn check_stage(stage: &str, stages: &Stages) -> Result<()> {
    let known = names(stages);
    if known.contains(&stage) {
        return Ok(());
    }
    let hint = match nearest(stage, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of {}", known.join(", ")),
    };
    Err(Error::config(format!("the recipe has no stage `{stage}`")).hint(hint))
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
            pass(&mut graph, job, engine, (earlier, &name), rank)?;
        }
    }
    if !graph::is_again(stage) {
        return share_of(job, engine, (&graph, stage), rank);
    }
    let mut tasks = 0;
    // The steps of such a stage wait for each other, so one rank runs all of them.
    while let Some(name) = graph.next(job, stage).filter(|_| rank.rank == 0) {
        let alone = Rank { rank: 0, world: 1 };
        tasks += share_of(job, engine, (&graph, &name), alone)?;
        pass(&mut graph, job, engine, (stage, &name), alone)?;
    }
    Ok(tasks)
}

fn share_of(job: &Job, engine: &Engine, (graph, name): (&Graph, &str), rank: Rank) -> Result<usize> {
    job.workdir.save(&world_marker(name), &rank.world)?;
    let step = graph.step(job, name)?;
    let wanted = rank.tasks(step.tasks());
    // Whoever comes again after the stage was done must not do it again: what it reads may be deleted by now.
    if let Some(reports) = job.workdir.load::<Vec<TaskReport>>(&step_marker(name))? {
        return publish::check_files(&job.workdir, reports.iter().flat_map(|report| &report.published))
            .map(|()| wanted.len());
    }
    let runner = Runner::new(job, engine)?;
    let reports = runner.tasks(step.as_ref(), graph.layout(), &wanted)?;
    publish::check_files(&job.workdir, reports.iter().flat_map(|report| &report.published))?;
    Ok(reports.len())
}

/// Learns a step all of whose tasks have to be done.
fn pass(graph: &mut Graph, job: &Job, engine: &Engine, (stage, name): (&str, &str), rank: Rank) -> Result<()> {
    let step = graph.step(job, name)?;
    let reports = reports(job, (stage, name), step.tasks(), rank.world)?;
    let spent = step.spent();
    drop(step);
    let kept = (rank.rank == 0).then(|| reports.clone());
    learn(graph, job, name, reports)?;
    match kept {
        Some(reports) => tidy(job, engine, name, (&reports, &spent)),
        None => Ok(()),
    }
}

/// Behind a step whose tasks are all done: one document with all its reports, so that later ranks read one instead of
/// many, and what nobody reads any more is deleted. The single reports stay: another rank may be reading them.
fn tidy(job: &Job, engine: &Engine, step: &str, behind: (&[TaskReport], &[String])) -> Result<()> {
    let (reports, spent) = behind;
    let marker = step_marker(step);
    if !job.workdir.place.holds(&marker)? {
        job.workdir.save(&marker, &reports)?;
    }
    for folder in spent {
        // Files may still be open where a lost rank is not quite dead. Publishing deletes all of scratch anyway.
        if let Err(error) = job.workdir.place.remove(folder) {
            let words = error.message();
            engine
                .console
                .say(&format!("`{folder}` stays in scratch for now: {words}"));
        }
    }
    Ok(())
}

/// Whether all tasks of a step have left their reports.
pub fn is_done(job: &Job, step: &str, tasks: u32) -> Result<bool> {
    let place = &job.workdir.place;
    if place.holds(&step_marker(step))? {
        return Ok(true);
    }
    for task in 0..tasks {
        if !place.holds(&task_marker(step, task))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Takes note of reports; where too many repositories have failed, their tasks are to be done again.
pub fn learn(graph: &mut Graph, job: &Job, step: &str, reports: Vec<TaskReport>) -> Result<()> {
    let count = reports.len() as u32;
    graph.learn(job, step, reports).or_else(|error| {
        if step == LIST {
            job.workdir.discard(&step_marker(step))?;
            (0..count).try_for_each(|task| job.workdir.discard(&task_marker(step, task)))?;
        }
        Err(error)
    })
}

/// Puts the manifest in place, from the reports of all steps; `engine` and `seconds` are for `run.json`.
pub fn publish(job: &Job, identity: &Identity, world: u32, (engine, seconds): (&'static str, f64)) -> Result<Manifest> {
    let mut graph = Graph::default();
    let mut costs = BTreeMap::new();
    for stage in graph::steps(&job.stages) {
        while let Some(name) = graph.next(job, stage) {
            let tasks = graph.step(job, &name)?.tasks();
            let reports = reports(job, (stage, &name), tasks, world)?;
            publish::check_files(&job.workdir, reports.iter().flat_map(|report| &report.published))?;
            reports.iter().for_each(|report| report.add_costs(&mut costs));
            learn(&mut graph, job, &name, reports)?;
        }
    }
    let timing = publish::Timing { engine, seconds, costs };
    publish::publish(job, identity, graph.parts(), &timing)
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

/// Whether more than one rank finds nothing to do there.
fn is_single(stage: &str) -> bool {
    [PREPARE, PUBLISH].contains(&stage) || graph::is_again(stage)
}

/// The stages for a script, one a line: its name, a tab, and `1` where one rank does all of it, else `*`.
pub fn lines(stages: &Stages) -> String {
    let line = |stage: &str| format!("{stage}\t{}\n", if is_single(stage) { "1" } else { "*" });
    names(stages).into_iter().map(line).collect()
}

/// The stages with what each waits for; numbers of tasks as far as they are known before anything was read.
pub fn plan(stages: &Stages, splits: u64, recipe: &Path, out: Option<&Path>) -> Value {
    let names = names(stages);
    let listed = ["list", "repository-keys", "keys", "cut", "ledger"];
    let out = out.unwrap_or(Path::new("OUT")).display();
    let stage = |(at, name): (usize, &&str)| {
        let tasks = match *name {
            name if is_single(name) => json!(1),
            name if listed.contains(&name) => json!(splits),
            _ => Value::Null,
        };
        let after: Vec<&str> = at.checked_sub(1).map(|before| names[before]).into_iter().collect();
        let ranks = match is_single(name) {
            true => "--rank 0 --world 1",
            false => "--rank RANK --world WORLD",
        };
        let command = format!("stackmill task {} --out {out} --stage {name} {ranks}", recipe.display());
        json!({"stage": name, "tasks": tasks, "after": after, "command": command})
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
