//! Tasks on one pool, one a thread; a task whose report is there already is not run again.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use stackmill_ingest::network::Crew;
use stackmill_schemas::context::{Batches, SideFiles};
use stackmill_schemas::{Error, ErrorKind, Result, ResultExt, TaskContext};

use crate::console::{Board, Console};
use crate::interrupt::Signals;
use crate::isolate::Workers;
use crate::job::{Job, Options};
use crate::passes::comparison::NEAR;
use crate::passes::cut::Layout;
use crate::passes::{Chunk, Step, TaskReport, content};
use crate::place::Place;
use crate::{failpoint, publish};

/// Memory of the process before its first task: tables of tokenizers, languages and licenses.
pub const BASE_BYTES: u64 = 128 << 20;
/// Memory of one task with its parse worker.
const TASK_BYTES: u64 = 384 << 20;

/// As many threads as asked for, or as the memory budget allows.
pub fn threads(options: &Options) -> Result<usize> {
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

/// What outlives single steps: signals, workers, progress.
pub struct Engine {
    place: Place,
    cache: PathBuf,
    signals: Arc<Signals>,
    /// The parse workers.
    pub workers: Arc<Workers>,
    /// Where people are told.
    pub console: Console,
}

impl Engine {
    /// For a run with its scratch in `place`.
    pub fn new(place: &Place, options: &Options, signals: Signals, console: Console) -> Self {
        Self {
            place: place.clone(),
            cache: options.cache.clone(),
            signals: Arc::new(signals),
            workers: Arc::new(Workers::hosted()),
            console,
        }
    }

    /// For work before there is a layout.
    pub fn context(&self) -> TaskContext {
        self.context_with(Arc::new(Board::default()), &Layout::default())
    }

    /// For tasks of a step.
    pub fn context_with(&self, board: Arc<Board>, layout: &Layout) -> TaskContext {
        let homes = layout.homes.clone();
        let side = SideSets::new(&self.place, &layout.chunks, NEAR.side);
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

/// Most threads that wait for servers at once while sources are resolved.
const WAITERS: usize = 16;

/// Threads that wait for servers, as long as there is something to wait for.
pub struct Waiters;

impl Crew for Waiters {
    fn each(&self, count: usize, work: &(dyn Fn(usize) + Sync)) -> Result<()> {
        let next = AtomicUsize::new(0);
        pool(count.min(WAITERS))?.broadcast(|_| {
            loop {
                let at = next.fetch_add(1, Ordering::SeqCst);
                if at >= count {
                    break;
                }
                work(at);
            }
        });
        Ok(())
    }
}

fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::resource(format!("cannot start threads: {error}")))
}

/// Sets of shingles in scratch, one table a home.
pub struct SideSets {
    place: Place,
    chunks: Vec<Chunk>,
    folder: &'static str,
}

impl SideSets {
    /// Those of `chunks` in `folder`.
    pub fn new(place: &Place, chunks: &[Chunk], folder: &'static str) -> Self {
        Self {
            place: place.clone(),
            chunks: chunks.to_vec(),
            folder,
        }
    }
}

impl SideFiles for SideSets {
    fn shingles(&self, home: u32) -> Result<Batches<'_>> {
        let chunk = self
            .chunks
            .get(home as usize)
            .ok_or_else(|| Error::bug(format!("there is no home {home}")))?;
        self.place
            .table(&format!("{}/{}", self.folder, content::chunk_name(chunk)))
    }
}

/// The name of a step's report in scratch, once all its tasks are done.
pub fn step_marker(step: &str) -> String {
    format!("done/{step}")
}

/// The name of a task's report in scratch.
pub fn task_marker(step: &str, task: u32) -> String {
    format!("done/{step}-{task:05}")
}

/// Runs tasks of steps.
pub struct Runner<'a> {
    job: &'a Job,
    engine: &'a Engine,
    pool: rayon::ThreadPool,
}

impl<'a> Runner<'a> {
    /// Starts the pool.
    pub fn new(job: &'a Job, engine: &'a Engine) -> Result<Self> {
        let pool = pool(threads(&job.options)?)?;
        Ok(Self { job, engine, pool })
    }

    /// Runs those of the `wanted` tasks that are not done yet; gives the reports of all of them, in order.
    ///
    /// After the first error that is not one task's own, or after an interrupt, no task is begun.
    pub fn tasks(&self, step: &dyn Step, layout: &Layout, wanted: &[u32]) -> Result<Vec<TaskReport>> {
        let board = Arc::new(Board::new(step.name(), wanted.len() as u32));
        let cx = self.engine.context_with(board.clone(), layout);
        let shown = self.engine.console.show(board.clone());
        let next = AtomicUsize::new(0);
        let done: Mutex<Vec<(u32, Result<TaskReport>)>> = Mutex::default();
        self.pool.broadcast(|_| {
            while let Some(&task) = wanted.get(next.fetch_add(1, Ordering::SeqCst)) {
                if self.engine.signals.raised() {
                    break;
                }
                let result = self.task(step, task, &cx);
                board.task_done();
                if result.as_ref().is_err_and(|error| !error.is_transient()) {
                    next.store(wanted.len(), Ordering::SeqCst);
                }
                done.lock().unwrap_or_else(PoisonError::into_inner).push((task, result));
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(task, _)| *task);
        let reports = collect(step.name(), wanted.len(), done);
        shown.end(reports.is_ok());
        reports
    }

    fn task(&self, step: &dyn Step, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        if let Some(report) = done(self.job, step.name(), task)? {
            return Ok(report);
        }
        let report = run_task(self.job, step, task, cx)?;
        failpoint::reach(step.name(), "written");
        self.job.workdir.save(&task_marker(step.name(), task), &report)?;
        failpoint::reach(step.name(), "done");
        Ok(report)
    }
}

/// The report of a task that is done, if what it published is still there.
pub fn done(job: &Job, step: &str, task: u32) -> Result<Option<TaskReport>> {
    let report = job.workdir.load::<TaskReport>(&task_marker(step, task))?;
    Ok(report.filter(|report| publish::check_files(&job.workdir, &report.published).is_ok()))
}

/// Runs one task; whatever goes wrong in it is an error that names it.
pub fn run_task(job: &Job, step: &dyn Step, task: u32, cx: &TaskContext) -> Result<TaskReport> {
    let place = || format!("recipe {}, step `{}`, task {task}", job.recipe.name, step.name());
    let run = || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| step.run(task, cx)));
    run()
        .unwrap_or_else(|_| Err(Error::bug("a task panicked")))
        .with_context(place)
}

/// All reports in order; or why not all tasks are done.
fn collect(step: &str, count: usize, done: Vec<(u32, Result<TaskReport>)>) -> Result<Vec<TaskReport>> {
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
        None if reports.len() < count => {
            let left = count - reports.len();
            Err(Error::new(
                ErrorKind::Interrupted,
                format!("interrupted with {left} tasks of step `{step}` left"),
            )
            .hint("run the same command again to resume"))
        }
        None => Ok(reports),
    }
}
