//! The embedded engine: steps in order, tasks on one pool, resumed from whatever an earlier attempt left.

use std::collections::BTreeMap;
use std::path::Path;

use stackmill_ingest::store::Put;
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, Result, TaskContext};

use crate::claim::Claim;
use crate::clock::Stopwatch;
use crate::console::Console;
use crate::exchange::Carriage;
use crate::graph::{self, Graph};
use crate::identity::{Identity, already_done, check_carriage, identify, is_identified};
use crate::interrupt::Signals;
use crate::job::{Job, Options};
use crate::output::Output;
use crate::passes::{Cost, Step, TaskReport};
use crate::place::Place;
use crate::recipe::Recipe;
use crate::runner::{Engine, Runner, step_marker, task_marker, threads};
use crate::stages::Stages;
use crate::workdir::{TABLES, Workdir};
use crate::{lock, publish};

/// What a finished run says of itself.
pub struct Outcome {
    /// The manifest.
    pub manifest: Manifest,
    /// Whether it was there already.
    pub was_done: bool,
}

/// A run that can go on, or one that is complete.
pub enum Start {
    /// This very run is complete.
    Complete(Box<Manifest>),
    /// Everything is built, and its folders are there.
    Begun(Box<Job>, Box<Identity>),
}

/// Runs `recipe` into `options.out`, or finishes what an earlier run began.
pub fn run(recipe: Recipe, options: Options, console: &Console) -> Result<Outcome> {
    // Said before anything is built.
    threads(&options)?;
    let recipe = recipe.keeping_artefacts(&options.cache);
    let stages = Stages::build(&recipe)?;
    let out = Output::new(options.out.clone(), recipe.stores.clone());
    let place = Place::of(&out, options.scratch.as_ref())?;
    if let Some(manifest) = finished(&recipe, &stages, &options, &out)?
        && !place.is_there()?
    {
        return Ok(Outcome {
            manifest,
            was_done: true,
        });
    }
    let _claim = Claim::take(out.uri(), place.local())?;
    let engine = Engine::new(&place, &options, Signals::install(console.clone())?, console.clone());
    let replace = options.replace;
    let (job, identity) = match start(recipe, stages, options, (&place, &engine), Carriage::Files)? {
        Start::Begun(job, identity) => (job, identity),
        Start::Complete(manifest) => {
            return Ok(Outcome {
                manifest: *manifest,
                was_done: true,
            });
        }
    };
    let run = Run {
        job: &job,
        engine: &engine,
        runner: Runner::new(&job, &engine)?,
        costs: BTreeMap::new(),
    };
    let manifest = run.all(&identity).map_err(|error| resumable(error, replace))?;
    Ok(Outcome {
        manifest,
        was_done: false,
    })
}

/// Locks the sources and makes the folders of a run; `options.out` is claimed already.
pub fn start(
    recipe: Recipe,
    stages: Stages,
    options: Options,
    (place, engine): (&Place, &Engine),
    carriage: Carriage,
) -> Result<Start> {
    if carriage == Carriage::Engine && stages.previous.is_some() {
        return Err(
            Error::config("stage `near`: `previous` is for `stackmill run` and `stackmill task`")
                .hint("leave it out: a cluster engine reads all files"),
        );
    }
    let out = Output::new(options.out.clone(), recipe.stores.clone());
    let lock = lock::load_or_resolve(&recipe, &options, &engine.context())?;
    lock::check_resolved(&lock, &recipe.run)?;
    let identity = Identity::new(stages.config(&recipe)?, &lock)?;
    if options.replace {
        clear(&out, place)?;
    } else if let Some(manifest) = already_done(&out, &identity)? {
        // Killed after the manifest and before the last clean-up.
        place.remove_all()?;
        return Ok(Start::Complete(Box::new(manifest)));
    }
    let workdir = Workdir::of(out, place, options.scratch_budget)?;
    identify(&workdir, &identity, carriage)?;
    // Whoever did not ask for another lock must not take an earlier one away from a run elsewhere.
    let may_replace = options.update || options.replace;
    publish::sources(&workdir, &lock, if may_replace { Put::Over } else { Put::IfAbsent })?;
    let job = Job::new(recipe, (lock, stages), workdir, options)?;
    Ok(Start::Begun(Box::new(job), Box::new(identity)))
}

/// Takes part in a run that [`start`] has begun, here or on another machine; the flag says that `options.out` is claimed,
/// not shared.
pub fn join(recipe: Recipe, stages: Stages, options: Options, at: (&Place, bool), carriage: Carriage) -> Result<Start> {
    let (place, alone) = at;
    let out = Output::new(options.out.clone(), recipe.stores.clone());
    let begun = || {
        let hint = match carriage {
            Carriage::Files => "run the stage `prepare` first, with the same --out and --scratch",
            Carriage::Engine => "--out and --scratch have to be places that the driver and every worker see",
        };
        Error::input("no run of this recipe has begun here")
            .context(options.out.to_string())
            .hint(hint)
    };
    let lock = lock::load_begun(&out, &options)?.ok_or_else(begun)?;
    let identity = Identity::new(stages.config(&recipe)?, &lock)?;
    if let Some(manifest) = already_done(&out, &identity)? {
        if alone {
            place.remove_all()?;
        }
        return Ok(Start::Complete(Box::new(manifest)));
    }
    let mut workdir = Workdir::join(out.clone(), place, options.scratch_budget)?;
    if !is_identified(&workdir, &identity)? {
        return Err(begun());
    }
    check_carriage(&workdir, carriage)?;
    if alone {
        // Nobody else is writing: what looks half written is.
        workdir = Workdir::of(out, place, options.scratch_budget)?;
    }
    let job = Job::new(recipe, (lock, stages), workdir, options)?;
    Ok(Start::Begun(Box::new(job), Box::new(identity)))
}

/// The manifest, if nothing is left to do and nothing has to be resolved to know it: then nothing is written, so that a
/// data set on a read-only disk can be asked for, too.
fn finished(recipe: &Recipe, stages: &Stages, options: &Options, out: &Output) -> Result<Option<Manifest>> {
    if options.replace || out.find(publish::MANIFEST)?.is_none() {
        return Ok(None);
    }
    match lock::load(recipe, options)? {
        Some(lock) => already_done(out, &Identity::new(stages.config(recipe)?, &lock)?),
        None => Ok(None),
    }
}

/// `--replace` said again would start over again: whoever is told to repeat the command must leave it out.
fn resumable(error: Error, replace: bool) -> Error {
    let same = "run the same command again";
    match replace {
        true => error.map_hint(|hint| hint.replace(same, &format!("{same}, without --replace,"))),
        false => error,
    }
}

/// Deletes the data set and its scratch: reports of tasks first, then the manifest, so that nothing looks finished
/// that is not whole.
fn clear(out: &Output, place: &Place) -> Result<()> {
    place.remove("done")?;
    for name in [publish::MANIFEST, publish::RUN, publish::CLONES, publish::CARD] {
        out.remove(name)?;
    }
    TABLES.iter().try_for_each(|table| out.remove_table(table))?;
    place.remove_all()
}

/// A context without a run: enough to resolve sources. Signals end the program as usual.
pub fn bare_context(options: &Options) -> TaskContext {
    Engine::new(
        &Place::folder(Path::new("")),
        options,
        Signals::none(),
        Console::new(true),
    )
    .context()
}

struct Run<'a> {
    job: &'a Job,
    engine: &'a Engine,
    runner: Runner<'a>,
    costs: BTreeMap<String, Cost>,
}

impl Run<'_> {
    fn all(mut self, identity: &Identity) -> Result<Manifest> {
        let watch = Stopwatch::start();
        let job = self.job;
        let mut graph = Graph::default();
        for stage in graph::steps(&job.stages) {
            while let Some(name) = graph.next(job, stage) {
                let reports = self.step(graph.step(job, &name)?.as_ref(), &graph)?;
                graph.learn(job, &name, reports).or_else(|error| {
                    // The next attempt does it again: by then the sources may have been mended.
                    job.workdir.discard(&step_marker(&name))?;
                    Err(error)
                })?;
            }
        }
        if let Some(parse) = self.costs.get_mut("parse") {
            parse.seconds += self.engine.workers.processor_seconds();
        }
        let timing = publish::Timing {
            engine: "embedded",
            seconds: watch.seconds(),
            costs: self.costs,
        };
        publish::publish(job, identity, graph.parts(), &timing)
    }

    /// Runs the tasks of a step that are not done yet; gives the reports of all.
    fn step(&mut self, step: &dyn Step, graph: &Graph) -> Result<Vec<TaskReport>> {
        let workdir = &self.job.workdir;
        let marker = step_marker(step.name());
        let reports: Vec<TaskReport> = match workdir.load(&marker)? {
            Some(reports) => reports,
            None => {
                let all: Vec<u32> = (0..step.tasks()).collect();
                let reports = self.runner.tasks(step, graph.layout(), &all)?;
                workdir.save(&marker, &reports)?;
                reports
            }
        };
        publish::check_files(workdir, reports.iter().flat_map(|report| &report.published))?;
        workdir.discard_reports((0..step.tasks()).map(|task| task_marker(step.name(), task)))?;
        step.spent().iter().try_for_each(|folder| workdir.discard(folder))?;
        reports.iter().for_each(|report| report.add_costs(&mut self.costs));
        Ok(reports)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_started_over_is_not_told_to_start_over_again() {
        let error = || Error::resource("full").hint("make room, then run the same command again to resume");
        let hint = |replace| resumable(error(), replace).hint_text().map(str::to_owned);
        assert_eq!(
            hint(true).as_deref(),
            Some("make room, then run the same command again, without --replace, to resume")
        );
        assert_eq!(hint(false).as_deref(), error().hint_text());
        assert_eq!(resumable(Error::bug("x"), true).hint_text(), None);
    }
}
