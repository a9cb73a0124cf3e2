//! What people see while a run goes on: bars with rate and ETA on a terminal, one line a step elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use stackmill_schemas::context::Progress;

use crate::clock::Stopwatch;
use crate::units::{bytes_text, count_text};

/// How far a step has come.
#[derive(Debug, Default)]
pub struct Board {
    step: String,
    tasks: u32,
    done: AtomicU32,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Board {
    /// The board of a step.
    pub fn new(step: &str, tasks: u32) -> Self {
        Self {
            step: step.to_owned(),
            tasks,
            ..Self::default()
        }
    }

    /// Name of the step.
    pub fn step(&self) -> &str {
        &self.step
    }

    /// How far it has come: tasks done, tasks, files, bytes.
    pub fn counts(&self) -> [u64; 4] {
        let (done, tasks) = (self.done.load(Ordering::Relaxed), self.tasks);
        let (files, bytes) = (self.files.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        [done.into(), tasks.into(), files, bytes]
    }

    /// One more task is done.
    pub fn task_done(&self) {
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

impl Progress for Board {
    fn advance(&self, files: u64, bytes: u64) {
        self.files.fetch_add(files, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// For a host that runs the engine inside itself: it looks at the steps, and asks the run to stop.
#[derive(Debug, Default)]
pub struct Watch {
    boards: Mutex<Vec<Arc<Board>>>,
    /// Raised: tasks under way finish, none is begun.
    pub stop: Arc<AtomicBool>,
    /// Raised: tasks under way end at the next batch.
    pub stop_now: Arc<AtomicBool>,
}

impl Watch {
    /// The steps so far, the current one last.
    pub fn boards(&self) -> Vec<Arc<Board>> {
        self.boards.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Standard error, as people or as a log sees it; or a host that watches.
#[derive(Clone, Debug)]
pub struct Console {
    terminal: bool,
    quiet: bool,
    watch: Option<Arc<Watch>>,
}

impl Console {
    /// Looks at what standard error is.
    pub fn new(quiet: bool) -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            quiet,
            watch: None,
        }
    }

    /// Says nothing; `watch` is told.
    pub fn watched(watch: Arc<Watch>) -> Self {
        Self {
            terminal: false,
            quiet: true,
            watch: Some(watch),
        }
    }

    /// The host, if there is one.
    pub fn watch(&self) -> Option<&Watch> {
        self.watch.as_deref()
    }

    /// A line for people.
    pub fn say(&self, line: &str) {
        if !self.quiet {
            // A closed standard error is no reason to fail.
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }

    /// Shows a board until [`Shown::end`].
    pub fn show(&self, board: Arc<Board>) -> Shown {
        if let Some(watch) = &self.watch {
            let mut boards = watch.boards.lock().unwrap_or_else(PoisonError::into_inner);
            boards.push(board.clone());
        }
        let bar = (self.terminal && !self.quiet).then(|| Bar::start(board.clone()));
        Shown {
            console: self.clone(),
            board,
            bar,
            watch: Stopwatch::start(),
        }
    }
}

/// A step being shown.
pub struct Shown {
    console: Console,
    board: Arc<Board>,
    bar: Option<Bar>,
    watch: Stopwatch,
}

impl Shown {
    /// Takes the bar away and leaves one line, if the step was done.
    pub fn end(self, done: bool) {
        if let Some(bar) = self.bar {
            bar.stop();
        }
        let board = &self.board;
        if !done {
            return;
        }
        let (files, bytes) = (board.files.load(Ordering::Relaxed), board.bytes.load(Ordering::Relaxed));
        let read = match files {
            0 => String::new(),
            files => format!(", {} files, {}", count_text(files), bytes_text(bytes)),
        };
        let seconds = self.watch.seconds();
        self.console.say(&format!(
            "{:<14} {} tasks{read}, {seconds:.1} s",
            board.step, board.tasks
        ));
    }
}

struct Bar {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Bar {
    fn start(board: Arc<Board>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = stop.clone();
        let thread = std::thread::spawn(move || draw(&board, &seen));
        Self {
            stop,
            thread: Some(thread),
        }
    }

    fn stop(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn draw(board: &Board, stop: &AtomicBool) {
    let template = "{prefix:<14} [{wide_bar}] {pos}/{len} tasks {msg} ETA {eta}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(u64::from(board.tasks))
        .with_style(style)
        .with_prefix(board.step.clone());
    let watch = Stopwatch::start();
    while !stop.load(Ordering::SeqCst) {
        bar.set_position(u64::from(board.done.load(Ordering::Relaxed)));
        let bytes = board.bytes.load(Ordering::Relaxed);
        let rate = (bytes as f64 / watch.seconds().max(0.001)) as u64;
        bar.set_message(format!(
            "{} files, {}/s",
            count_text(board.files.load(Ordering::Relaxed)),
            bytes_text(rate)
        ));
        std::thread::sleep(Duration::from_millis(100));
    }
    bar.finish_and_clear();
}
