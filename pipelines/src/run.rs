//! The embedded engine: steps in order, tasks on one pool, resumed from whatever an earlier attempt left.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use stackmill_ingest::store::Put;
use stackmill_schemas::context::{Batches, Homes, SideFiles};
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, ErrorKind, FileId, Result, ResultExt, TaskContext};

use crate::clock::Stopwatch;
use crate::console::{Board, Console};
use crate::identity::{Identity, already_done, identify};
use crate::interrupt::Signals;
use crate::isolate::Workers;
use crate::job::{EXACT_DECISIONS, Job, NEAR_DECISIONS, Options, Stages};
use crate::output::Output;
use crate::passes::gather::{Gather, Next};
use crate::passes::{Chunk, Cost, Step, TaskReport, content, cut, ledger, listing, syntax};
use crate::publish;
use crate::recipe::Recipe;
use crate::workdir::{Claim, TABLES, Workdir, remove, work_folder};
use crate::{failpoint, lock, table};

/// Memory of the process before its first task: tables of tokenizers, languages and licenses.
const BASE_BYTES: u64 = 128 << 20;
/// Memory of one task with its parse worker.
const TASK_BYTES: u64 = 384 << 20;

/// What a finished run says of itself.
pub struct Outcome {
    /// The manifest.
    pub manifest: Manifest,
    /// Whether it was there already.
    pub was_done: bool,
}

/// Runs `recipe` into `options.out`, or finishes what an earlier run began.
pub fn run(recipe: Recipe, options: Options, console: &Console) -> Result<Outcome> {
    let threads = threads(&options)?;
    let stages = Stages::build(&recipe)?;
    let out = Output::new(options.out.clone(), recipe.stores.clone());
    let work = work_folder(out.uri(), options.scratch.as_deref())?;
    if let Some(manifest) = finished(&recipe, &stages, &options, &out)?.filter(|_| !work.exists()) {
        return Ok(Outcome {
            manifest,
            was_done: true,
        });
    }
    let _claim = Claim::of(out.uri(), &work)?;
    let signals = Signals::install(*console)?;
    let engine = Engine::new(&work, &options, signals, console)?;
    let cx = engine.context(Arc::default());
    let lock = lock::load_or_resolve(&recipe, &options, &cx)?;
    let failed = lock
        .units
        .iter()
        .filter_map(|unit| Some((unit.repo_name.as_str(), unit.trouble.as_deref()?)));
    lock::check_failures(failed, lock.units.len(), recipe.run.max_failed_repositories.0)?;
    let identity = Identity::new(stages.config(&recipe)?, &lock)?;
    if options.replace {
        clear(&out, &work)?;
    } else if let Some(manifest) = already_done(&out, &identity)? {
        // Killed after the manifest and before the last clean-up.
        Workdir::discard_all(&work)?;
        return Ok(Outcome {
            manifest,
            was_done: true,
        });
    }
    let workdir = Workdir::of(out, &work, options.scratch_budget)?;
    identify(&workdir, &identity)?;
    // Whoever did not ask for another lock must not take an earlier one away from a run elsewhere.
    let may_replace = options.update || options.replace;
    publish::sources(&workdir, &lock, if may_replace { Put::Over } else { Put::IfAbsent })?;
    let replace = options.replace;
    let job = Job::new(recipe, (lock, stages), workdir, options)?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::resource(format!("cannot start threads: {error}")))?;
    let manifest = Run {
        job: &job,
        engine: &engine,
        pool: &pool,
        identity: &identity,
        costs: Mutex::default(),
    }
    .all()
    .map_err(|error| resumable(error, replace))?;
    Ok(Outcome {
        manifest,
        was_done: false,
    })
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
    match error.hint_text() {
        Some(hint) if replace && hint.contains(same) => {
            let hint = hint.replace(same, &format!("{same}, without --replace,"));
            error.hint(hint)
        }
        _ => error,
    }
}

/// As many threads as asked for, or as the memory budget allows.
fn threads(options: &Options) -> Result<usize> {
    let fit = options.memory.saturating_sub(BASE_BYTES) / TASK_BYTES;
    if fit == 0 {
        let least = crate::units::bytes_text(BASE_BYTES + TASK_BYTES);
        return Err(
            Error::resource(format!("--memory is under {least}, which one task needs"))
                .hint(format!("give at least --memory {}M", (BASE_BYTES + TASK_BYTES) >> 20)),
        );
    }
    Ok(options.threads.clamp(1, usize::try_from(fit).unwrap_or(usize::MAX)))
}

/// Deletes the data set and its scratch: reports of tasks first, then the manifest, so that nothing looks finished
/// that is not whole.
fn clear(out: &Output, work: &Path) -> Result<()> {
    remove(&work.join("done"))?;
    for name in [publish::MANIFEST, publish::RUN, publish::CARD] {
        out.remove(name)?;
    }
    TABLES.iter().try_for_each(|table| out.remove_table(table))?;
    remove(work)
}

/// What outlives single steps: signals, workers, progress.
struct Engine<'a> {
    work: std::path::PathBuf,
    cache: std::path::PathBuf,
    signals: Arc<Signals>,
    workers: Arc<Workers>,
    console: &'a Console,
}

impl<'a> Engine<'a> {
    fn new(work: &Path, options: &Options, signals: Signals, console: &'a Console) -> Result<Self> {
        // Not its path: an upgrade may put another program there while this one runs.
        let program = "/proc/self/exe".into();
        let workers = Arc::new(Workers::new(program));
        let (work, cache) = (work.to_owned(), options.cache.clone());
        Ok(Self {
            work,
            cache,
            signals: Arc::new(signals),
            workers,
            console,
        })
    }

    fn context(&self, homes: Arc<Homes>) -> TaskContext {
        self.context_with(homes, Arc::new(Board::default()), Vec::new())
    }

    fn context_with(&self, homes: Arc<Homes>, board: Arc<Board>, chunks: Vec<Chunk>) -> TaskContext {
        let side = Side {
            work: self.work.clone(),
            chunks,
        };
        TaskContext {
            progress: board,
            interrupt: self.signals.clone(),
            isolate: self.workers.clone(),
            side: Arc::new(side),
            homes,
            cache: self.cache.clone(),
        }
    }
}

/// A context without a run: enough to resolve sources. Signals end the program as usual.
pub fn bare_context(options: &Options) -> Result<TaskContext> {
    let console = Console::new(true);
    let engine = Engine::new(Path::new(""), options, Signals::none(), &console)?;
    Ok(engine.context(Arc::default()))
}

struct Side {
    work: std::path::PathBuf,
    chunks: Vec<Chunk>,
}

impl SideFiles for Side {
    fn shingles(&self, home: u32) -> Result<Batches<'_>> {
        let chunk = self
            .chunks
            .get(home as usize)
            .ok_or_else(|| Error::bug(format!("there is no home {home}")))?;
        table::read(&self.work.join(format!("side/{}", content::chunk_name(chunk))))
    }
}

struct Run<'a> {
    job: &'a Job,
    engine: &'a Engine<'a>,
    pool: &'a rayon::ThreadPool,
    identity: &'a Identity,
    costs: Mutex<BTreeMap<String, Cost>>,
}

impl Run<'_> {
    fn all(&self) -> Result<Manifest> {
        let watch = Stopwatch::start();
        let job = self.job;
        let none: Arc<Homes> = Arc::default();
        let listed = self.step(&listing::Listing { job }, &none, &[])?;
        let troubled = || listed.iter().flat_map(|report| &report.troubled);
        let failed = troubled().map(|(repo, trouble)| (repo.as_str(), trouble.as_str()));
        if let Err(error) = lock::check_failures(failed, job.lock.units.len(), job.recipe.run.max_failed_repositories.0)
        {
            // The next attempt lists again: by then the sources may have been mended.
            job.workdir.discard("done/list")?;
            return Err(error);
        }
        self.exact(&none)?;
        let cuts = self.step(&cut::Cut { job }, &none, &[])?;
        let chunks: Vec<Chunk> = cuts.into_iter().flat_map(|report| report.chunks).collect();
        let homes = Arc::new(Homes::new(chunks.iter().map(|chunk| FileId(chunk.first)).collect()));
        self.step(&content::Content { job, chunks: &chunks }, &homes, &chunks)?;
        self.near(&homes, &chunks)?;
        let kept = self.step(&syntax::Syntax { job, chunks: &chunks }, &homes, &chunks)?;
        let tokens = self.pack(&homes)?;
        let ledgers = self.step(&ledger::Ledger { job, chunks: &chunks }, &homes, &chunks)?;
        let mut costs = std::mem::take(&mut *self.costs.lock().unwrap_or_else(PoisonError::into_inner));
        if let Some(parse) = costs.get_mut("parse") {
            parse.seconds += self.engine.workers.processor_seconds();
        }
        let parts = publish::Parts {
            kept,
            tokens,
            ledgers,
            listed: listing::listed(&listed),
        };
        publish::publish(
            job,
            self.identity,
            parts,
            &publish::Timing {
                seconds: watch.seconds(),
                costs,
            },
        )
    }

    fn exact(&self, homes: &Arc<Homes>) -> Result<()> {
        let Some(target) = self.job.exact_target() else {
            return Ok(());
        };
        let next = Next::Decisions {
            name: EXACT_DECISIONS,
            homes: self.job.split_homes(),
        };
        let gather = Gather {
            job: self.job,
            target,
            next,
            side: &[],
        };
        self.step(&gather, homes, &[]).map(drop)
    }

    fn near(&self, homes: &Arc<Homes>, chunks: &[Chunk]) -> Result<()> {
        let Some(targets) = self.job.near_targets(homes) else {
            return Ok(());
        };
        let decisions = Next::Decisions {
            name: NEAR_DECISIONS,
            homes,
        };
        let chain: [(_, _, &[&str]); 4] = [
            (targets.buckets, Next::Exchange(targets.attach), &[]),
            (targets.attach, Next::Exchange(targets.verify), &[]),
            (targets.verify, Next::Exchange(targets.keepers), &["side"]),
            (targets.keepers, decisions, &[]),
        ];
        for (target, next, side) in chain {
            let gather = Gather {
                job: self.job,
                target,
                next,
                side,
            };
            self.step(&gather, homes, chunks)?;
        }
        Ok(())
    }

    fn pack(&self, homes: &Arc<Homes>) -> Result<Vec<TaskReport>> {
        match self.job.pack_target(homes) {
            Some(target) => self.step(&crate::passes::pack::Packing { job: self.job, target }, homes, &[]),
            None => Ok(Vec::new()),
        }
    }

    /// Runs the tasks of a step that are not done yet; gives the reports of all.
    fn step(&self, step: &dyn Step, homes: &Arc<Homes>, chunks: &[Chunk]) -> Result<Vec<TaskReport>> {
        let workdir = &self.job.workdir;
        let marker = format!("done/{}", step.name());
        let reports: Vec<TaskReport> = match workdir.load(&marker)? {
            Some(reports) => reports,
            None => {
                let board = Arc::new(Board::new(step.name(), step.tasks()));
                let cx = self.engine.context_with(homes.clone(), board.clone(), chunks.to_vec());
                let shown = self.engine.console.show(board.clone());
                let reports = self.tasks(step, &cx, &board);
                shown.end(reports.is_ok());
                let reports = reports?;
                workdir.save(&marker, &reports)?;
                reports
            }
        };
        publish::check_files(workdir, reports.iter().flat_map(|report| &report.published))?;
        for task in 0..step.tasks() {
            workdir.discard(&format!("{marker}-{task:05}"))?;
        }
        step.spent().iter().try_for_each(|folder| workdir.discard(folder))?;
        self.account(&reports);
        Ok(reports)
    }

    fn account(&self, reports: &[TaskReport]) {
        let mut costs = self.costs.lock().unwrap_or_else(PoisonError::into_inner);
        for (stage, cost) in reports.iter().flat_map(|report| &report.costs) {
            let sum = costs.entry(stage.clone()).or_default();
            sum.seconds += cost.seconds;
            sum.bytes += cost.bytes;
        }
    }

    /// One task a thread. After the first error that is not one task's own, or after an interrupt, no task is begun.
    fn tasks(&self, step: &dyn Step, cx: &TaskContext, board: &Board) -> Result<Vec<TaskReport>> {
        let count = step.tasks();
        let next = AtomicU32::new(0);
        let done: Mutex<Vec<(u32, Result<TaskReport>)>> = Mutex::default();
        self.pool.broadcast(|_| {
            loop {
                let task = next.fetch_add(1, Ordering::SeqCst);
                if task >= count || self.engine.signals.raised() {
                    break;
                }
                let result = self.task(step, task, cx);
                board.task_done();
                if result.as_ref().is_err_and(|error| !error.is_transient()) {
                    next.store(count, Ordering::SeqCst);
                }
                done.lock().unwrap_or_else(PoisonError::into_inner).push((task, result));
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(task, _)| *task);
        collect(step.name(), count, done)
    }

    fn task(&self, step: &dyn Step, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let marker = format!("done/{}-{task:05}", step.name());
        let workdir = &self.job.workdir;
        if let Some(report) = workdir.load::<TaskReport>(&marker)?
            && workdir
                .out
                .missing(&report.published.iter().collect::<Vec<_>>())?
                .is_none()
        {
            return Ok(report);
        }
        let place = || format!("recipe {}, step `{}`, task {task}", self.job.recipe.name, step.name());
        let run = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| step.run(task, cx)));
        let report = run()
            .unwrap_or_else(|_| Err(Error::bug("a task panicked")))
            .with_context(place)?;
        failpoint::reach(step.name(), "written");
        workdir.save(&marker, &report)?;
        failpoint::reach(step.name(), "done");
        Ok(report)
    }
}

/// All reports in order; or why not all tasks are done.
fn collect(step: &str, count: u32, done: Vec<(u32, Result<TaskReport>)>) -> Result<Vec<TaskReport>> {
    let mut reports = Vec::with_capacity(done.len());
    let (mut failed, mut first) = (0, None);
    for (_, result) in done {
        match result {
            Ok(report) => reports.push(report),
            Err(error) => {
                failed += 1;
                // An error that is not transient says more than one that is.
                if first
                    .as_ref()
                    .is_none_or(|first: &Error| first.is_transient() && !error.is_transient())
                {
                    first = Some(error);
                }
            }
        }
    }
    match first {
        Some(error) if failed > 1 => Err(error.context(format!("{failed} tasks of step `{step}`, the first"))),
        Some(error) => Err(error),
        None if reports.len() < count as usize => {
            let left = count as usize - reports.len();
            Err(Error::new(
                ErrorKind::Interrupted,
                format!("interrupted with {left} tasks of step `{step}` left"),
            )
            .hint("run the same command again to resume"))
        }
        None => Ok(reports),
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
