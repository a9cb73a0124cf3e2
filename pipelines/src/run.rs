//! The embedded engine: steps in order, tasks on one pool, resumed from whatever an earlier attempt left.

use std::collections::BTreeMap;
use std::path::Path;

use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, Result, TaskContext};

use crate::clock::Stopwatch;
use crate::console::Console;
use crate::graph::{self, Graph};
use crate::identity::{Identity, already_done, identify};
use crate::interrupt::Signals;
use crate::job::{Job, Options, Stages};
use crate::passes::{Cost, Step, TaskReport};
use crate::recipe::Recipe;
use crate::runner::{Engine, Runner, step_marker, task_marker, threads};
use crate::workdir::{Claim, TABLES, Workdir, remove, work_folder};
use crate::{lock, publish};

/// What a finished run says of itself.
pub struct Outcome {
    /// The manifest.
    pub manifest: Manifest,
    /// Whether it was there already.
    pub was_done: bool,
}

/// Runs `recipe` into `options.out`, or finishes what an earlier run began.
pub fn run(recipe: Recipe, options: Options, console: &Console) -> Result<Outcome> {
    // Said before anything is built.
    threads(&options)?;
    let stages = Stages::build(&recipe)?;
    let _claim = Claim::take(&options.out)?;
    let work = work_folder(&options.out, options.scratch.as_deref())?;
    let signals = Signals::install(*console)?;
    let engine = Engine::new(&work, &options, signals, console);
    let lock = lock::load_or_resolve(&recipe, &options, &engine.context())?;
    lock::check_resolved(&lock, &recipe.run)?;
    let identity = Identity::new(stages.config(&recipe)?, &lock)?;
    if options.replace {
        clear(&options.out, &work)?;
    } else if let Some(manifest) = already_done(&options.out, &identity)? {
        // Killed after the manifest and before the last clean-up.
        Workdir::discard_all(&work)?;
        return Ok(Outcome {
            manifest,
            was_done: true,
        });
    }
    let workdir = Workdir::create(&options.out, &work, options.scratch_budget)?;
    identify(&workdir, &identity)?;
    publish::sources(&workdir, &lock)?;
    let replace = options.replace;
    let job = Job::new(recipe, (lock, stages), workdir, options)?;
    let runner = Runner::new(&job, &engine)?;
    let run = Run {
        job: &job,
        engine: &engine,
        runner,
        costs: BTreeMap::new(),
    };
    let manifest = run.all(&identity).map_err(|error| resumable(error, replace))?;
    Ok(Outcome {
        manifest,
        was_done: false,
    })
}

/// `--replace` said again would start over again: whoever is told to repeat the command must leave it out.
fn resumable(error: Error, replace: bool) -> Error {
    let same = "run the same command again";
    match error.hint_text() {
        Some(hint) if replace && hint.contains(same) => {
            let hint = hint.replace(same, &format!("{same}, without --replace,"));
            error.hint(hint)
        }
        _ => error,
    }
}

/// Deletes the data set and its scratch: reports of tasks first, then the manifest, so that nothing looks finished
/// that is not whole.
fn clear(out: &Path, work: &Path) -> Result<()> {
    remove(&work.join("done"))?;
    for name in [publish::MANIFEST, publish::RUN, publish::CARD]
        .into_iter()
        .chain(TABLES)
    {
        remove(&out.join(name))?;
    }
    remove(work)
}

/// A context without a run: enough to resolve sources. Signals end the program as usual.
pub fn bare_context(options: &Options) -> TaskContext {
    let console = Console::new(true);
    Engine::new(Path::new(""), options, Signals::none(), &console).context()
}

struct Run<'a> {
    job: &'a Job,
    engine: &'a Engine<'a>,
    runner: Runner<'a>,
    costs: BTreeMap<String, Cost>,
}

impl Run<'_> {
    fn all(mut self, identity: &Identity) -> Result<Manifest> {
        let watch = Stopwatch::start();
        let job = self.job;
        let mut graph = Graph::default();
        for name in graph::steps(&job.stages) {
            let reports = self.step(graph.step(job, name)?.as_ref(), &graph)?;
            graph.learn(job, name, reports).or_else(|error| {
                // The next attempt does it again: by then the sources may have been mended.
                job.workdir.discard(&step_marker(name))?;
                Err(error)
            })?;
        }
        if let Some(parse) = self.costs.get_mut("parse") {
            parse.seconds += self.engine.workers.processor_seconds();
        }
        let timing = publish::Timing {
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
        publish::unchanged(workdir, &reports)?;
        for task in 0..step.tasks() {
            workdir.discard(&task_marker(step.name(), task))?;
        }
        step.spent().iter().try_for_each(|folder| workdir.discard(folder))?;
        self.account(&reports);
        Ok(reports)
    }

    fn account(&mut self, reports: &[TaskReport]) {
        for (stage, cost) in reports.iter().flat_map(|report| &report.costs) {
            let sum = self.costs.entry(stage.clone()).or_default();
            sum.seconds += cost.seconds;
            sum.bytes += cost.bytes;
        }
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
