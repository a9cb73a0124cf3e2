//! One process of a cluster engine: it runs single tasks as they are given to it, wherever the engine places them.
//!
//! ```text
//!   driver     begin ─► while a stage has a next step: tasks somewhere ─► finish(step) ─► … ─► publish
//!   worker     join ─► run(step, task, segments that came) ─► segments that go, each with its partition
//! ```
//! The engine carries the segments of the exchanges in [`CARRIED`]; everything else lies where all
//! processes see it. A task may be run twice, at once or one after the other: it writes the same files, leaves the same
//! report under one name, and hands on the same segments.

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use stackmill_schemas::context::Batches;
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, ErrorKind, Result};

use crate::claim::Claim;
use crate::console::{Board, Console};
use crate::exchange::{Carriage, Carrier, Files, SpillWriter, Target, segment_rows, segments};
use crate::graph::{self, Graph};
use crate::identity::Identity;
use crate::interrupt::Signals;
use crate::job::{Job, Options};
use crate::local::LocalFolder;
use crate::output::Output;
use crate::place::Place;
use crate::publish;
use crate::ranks;
use crate::recipe::Recipe;
use crate::run::{Start, join, start};
use crate::runner::{Engine, done, run_task, step_marker, task_marker, threads};
use crate::stages::Stages;
use crate::workdir::Workdir;

/// Exchanges of small rows. Shingle sets on their way to be compared (`near-verify`) and tokens (`pack`) are large, and
/// stay in spill files; so do edges, of which nobody knows where they go before all were counted.
pub const CARRIED: [&str; 3] = ["exact", "near-buckets", "near-attach"];

/// The name in scratch of an error that trying again does not mend.
const FAILED: &str = "failed";

/// Rows of a spill file on their way, encoded.
pub type Segment = Vec<u8>;

/// The driver's side of a run.
pub struct Driver {
    job: Box<Job>,
    identity: Box<Identity>,
    graph: Graph,
    _claim: Claim,
}

/// A run to be driven, or one that is complete.
pub enum Begun {
    /// There is nothing to do.
    Complete(Box<Manifest>),
    /// Steps are to be run.
    Driver(Box<Driver>),
}

impl Driver {
    /// Locks the sources, makes the folders, or finds what an earlier attempt left.
    pub fn begin(recipe: Recipe, options: Options) -> Result<Begun> {
        threads(&options)?;
        let recipe = recipe.keeping_artefacts(&options.cache);
        let stages = Stages::build(&recipe)?;
        let out = Output::new(options.out.clone(), recipe.stores.clone());
        let place = Place::shared(&out, options.scratch.as_ref())?;
        let claim = Claim::take(&options.out, place.local())?;
        let engine = Engine::new(&place, &options, Signals::none(), Console::new(true));
        let (job, identity) = match start(recipe, stages, options, (&place, &engine), Carriage::Engine)? {
            Start::Complete(manifest) => return Ok(Begun::Complete(manifest)),
            Start::Begun(job, identity) => (job, identity),
        };
        // What was wrong may have been mended since.
        job.workdir.discard(FAILED)?;
        Ok(Begun::Driver(Box::new(Self {
            job,
            identity,
            graph: Graph::default(),
            _claim: claim,
        })))
    }

    /// The stages in order, cut where all tasks of one have to be done before the next is begun: inside a chain, the
    /// engine carries what a step scatters to the tasks of the next.
    pub fn chains(&self) -> Vec<Vec<&'static str>> {
        let mut chains: Vec<Vec<&'static str>> = Vec::new();
        for stage in graph::steps(&self.job.stages) {
            match chains.last_mut() {
                Some(chain) if CARRIED.contains(&stage) => chain.push(stage),
                _ => chains.push(vec![stage]),
            }
        }
        chains
    }

    /// The step of a stage that is to be run, once the stages before it have none left.
    pub fn next(&self, stage: &str) -> Option<String> {
        self.graph.next(&self.job, stage)
    }

    /// Number of tasks of a step, once those before it are finished.
    pub fn tasks(&self, step: &str) -> Result<u32> {
        Ok(self.graph.step(&self.job, step)?.tasks())
    }

    /// Whether all tasks of a step are done, from an earlier attempt or this one.
    pub fn is_done(&self, step: &str) -> Result<bool> {
        ranks::is_done(&self.job, step, self.tasks(step)?)
    }

    /// Gathers the reports of a step whose tasks have all been run; one that left none is named. The error of a task that
    /// was not worth trying again is raised here.
    pub fn finish(&mut self, step: &str) -> Result<()> {
        if let Some(failure) = self.job.workdir.load::<Failure>(FAILED)? {
            return Err(failure.raised());
        }
        let (tasks, spent) = {
            let step = self.graph.step(&self.job, step)?;
            (step.tasks(), step.spent())
        };
        let workdir = &self.job.workdir;
        let reports = ranks::reports(&self.job, (step, step), tasks, 1)?;
        publish::check_files(workdir, reports.iter().flat_map(|report| &report.published))?;
        workdir.save(&step_marker(step), &reports)?;
        workdir.discard_reports((0..tasks).map(|task| task_marker(step, task)))?;
        spent.iter().try_for_each(|folder| workdir.discard(folder))?;
        ranks::learn(&mut self.graph, &self.job, step, reports)
    }

    /// Checks the sums and puts the manifest in place; `engine` is what `run.json` says.
    pub fn publish(self, engine: &'static str, seconds: f64) -> Result<Manifest> {
        ranks::publish(&self.job, &self.identity, 1, (engine, seconds))
    }
}

/// A process that runs tasks.
pub struct Worker {
    job: Box<Job>,
    engine: Engine,
    graph: Graph,
    carried: Arc<Carried>,
}

impl Worker {
    /// Takes part in a run that a [`Driver`] has begun.
    pub fn join(recipe: Recipe, options: Options) -> Result<Self> {
        let recipe = recipe.keeping_artefacts(&options.cache);
        let stages = Stages::build(&recipe)?;
        let out = Output::new(options.out.clone(), recipe.stores.clone());
        let place = Place::shared(&out, options.scratch.as_ref())?;
        let engine = Engine::new(&place, &options, Signals::none(), Console::new(true));
        let carried = Arc::new(Carried::default());
        match join(recipe, stages, options, (&place, false), Carriage::Engine)? {
            Start::Complete(_) => Err(Error::input("this run is complete")),
            Start::Begun(job, _) => Ok(Self {
                job: Box::new(job.carried_by(Box::new(Arc::clone(&carried)))),
                engine,
                graph: Graph::default(),
                carried,
            }),
        }
    }

    /// Runs one task. `came`: the segments of its partition, if the engine carries what it gathers. Gives the segments
    /// that it scatters into an exchange that the engine carries.
    ///
    /// An error that trying again does not mend is left in scratch for the driver, for an engine would try again. From
    /// then on no task is run: what came to it may not be all.
    pub fn run(&mut self, name: &str, task: u32, came: Vec<Segment>) -> Result<Outgoing> {
        let workdir = self.job.workdir.clone();
        if workdir.place.holds(FAILED)? {
            return Ok(Outgoing::none());
        }
        self.attempt(name, task, came).or_else(|error| {
            // A second attempt that comes too late finds what it reads deleted: nobody waits for it.
            if workdir.place.holds(&step_marker(name))? {
                return Err(error);
            }
            let failure = Failure::of(&error).ok_or(error)?;
            workdir.save(FAILED, &failure)?;
            Ok(Outgoing::none())
        })
    }

    fn attempt(&mut self, name: &str, task: u32, came: Vec<Segment>) -> Result<Outgoing> {
        self.learn_before(name)?;
        self.carried.put(came);
        // Another attempt was here before. Where it has handed rows on, they are gone, and have to be made again.
        if !self.hands_on(name) && done(&self.job, name, task)?.is_some() {
            return self.carried.take_outgoing();
        }
        let step = self.graph.step(&self.job, name)?;
        let before = self.engine.workers.processor_seconds();
        let cx = self
            .engine
            .context_with(Arc::new(Board::new(name, 1)), self.graph.layout());
        let mut report = run_task(&self.job, step.as_ref(), task, &cx)?;
        if let Some(parse) = report.costs.get_mut("parse") {
            parse.seconds += self.engine.workers.processor_seconds() - before;
        }
        self.job.workdir.save(&task_marker(name, task), &report)?;
        self.carried.take_outgoing()
    }

    /// Whether the engine carries what this step scatters.
    fn hands_on(&self, name: &str) -> bool {
        let steps = graph::steps(&self.job.stages);
        let after = steps.iter().skip_while(|step| **step != name).nth(1);
        after.is_some_and(|step| CARRIED.contains(step))
    }

    /// Steps are learned once all their tasks are done; only a few say anything that tasks need.
    fn learn_before(&mut self, name: &str) -> Result<()> {
        for stage in graph::steps(&self.job.stages) {
            while let Some(step) = self.graph.next(&self.job, stage) {
                if step == name || self.graph.has_learned(name) {
                    return Ok(());
                }
                if !graph::is_telling(&step) {
                    self.graph.pass(&step);
                    continue;
                }
                let reports = self.job.workdir.load(&step_marker(&step))?;
                let reports = reports.ok_or_else(|| Error::bug(format!("step `{step}` is not finished")))?;
                self.graph.learn(&self.job, &step, reports)?;
            }
        }
        Ok(())
    }
}

/// An error that is the same wherever and however often the task is run.
#[derive(Serialize, Deserialize)]
struct Failure {
    kind: FailureKind,
    message: String,
    places: Vec<String>,
    hint: Option<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FailureKind {
    Config,
    Schema,
    Input,
}

impl Failure {
    /// None of an error that another attempt, or another machine, may not have: its disk, its memory, its network.
    fn of(error: &Error) -> Option<Self> {
        let kind = match error.kind() {
            ErrorKind::Config => FailureKind::Config,
            ErrorKind::Schema => FailureKind::Schema,
            ErrorKind::Input => FailureKind::Input,
            _ => return None,
        };
        (!error.is_transient()).then(|| Self {
            kind,
            message: error.message().to_owned(),
            places: error.places().to_vec(),
            hint: error.hint_text().map(str::to_owned),
        })
    }

    fn raised(self) -> Error {
        let kind = match self.kind {
            FailureKind::Config => ErrorKind::Config,
            FailureKind::Schema => ErrorKind::Schema,
            FailureKind::Input => ErrorKind::Input,
        };
        let error = self
            .places
            .into_iter()
            .rev()
            .fold(Error::new(kind, self.message), Error::context);
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// Segments that a task hands on, read one after the other; their file is deleted with this.
pub struct Outgoing {
    segments: Box<dyn Iterator<Item = Result<(u32, Segment)>> + Send>,
    /// Keeps the file until all is read.
    _file: Option<LocalFolder>,
}

impl Outgoing {
    fn none() -> Self {
        Self {
            segments: Box::new(std::iter::empty()),
            _file: None,
        }
    }
}

impl Iterator for Outgoing {
    type Item = Result<(u32, Segment)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.segments.next()
    }
}

/// Segments that came, and the local file of those that go.
#[derive(Default)]
struct Carried {
    came: Mutex<Vec<Segment>>,
    going: Mutex<Option<(LocalFolder, String)>>,
}

impl Carried {
    fn put(&self, came: Vec<Segment>) {
        *self.came.lock().unwrap_or_else(PoisonError::into_inner) = came;
        *self.going.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn take_outgoing(&self) -> Result<Outgoing> {
        let going = self.going.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(match going {
            Some((folder, path)) => Outgoing {
                segments: Box::new(segments(&Place::folder(folder.path()), &path)?),
                _file: Some(folder),
            },
            None => Outgoing::none(),
        })
    }
}

impl Carrier for Arc<Carried> {
    fn scatter(&self, workdir: &Workdir, target: Target<'_>, task: u32) -> Result<SpillWriter> {
        let exchange = target.exchange;
        if !CARRIED.contains(&exchange.name()) {
            return Files.scatter(workdir, target, task);
        }
        let folder = LocalFolder::new()?;
        let local = Workdir::scratch_only(folder.path())?;
        let spill = SpillWriter::create(&local, exchange.name(), task, exchange.keyed())?;
        let path = format!("{}/{task:05}", exchange.name());
        *self.going.lock().unwrap_or_else(PoisonError::into_inner) = Some((folder, path));
        Ok(spill)
    }

    fn gather(&self, workdir: &Workdir, target: Target<'_>, partition: u32) -> Result<Batches<'static>> {
        if !CARRIED.contains(&target.exchange.name()) {
            return Files.gather(workdir, target, partition);
        }
        let came = std::mem::take(&mut *self.came.lock().unwrap_or_else(PoisonError::into_inner));
        Ok(Box::new(came.into_iter().flat_map(|segment| {
            segment_rows(segment).unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_that_stay_are_kept_and_they_are_raised_as_they_were() {
        let error = || {
            Error::input("cut short")
                .context("b")
                .context("a")
                .hint("fetch it again")
        };
        let kept = Failure::of(&error()).map(|failure| failure.raised().to_string());
        assert_eq!(kept, Some(error().to_string()));
        let others = [
            error().transient(),
            Error::resource("full"),
            Error::bug("x"),
            Error::source("away"),
        ];
        assert!(others.iter().all(|error| Failure::of(error).is_none()));
    }
}
