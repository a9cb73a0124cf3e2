//! Runs and commands inside the interpreter, and the program `stackmill` itself.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use pyo3::prelude::*;
use stackmill::console::{self, Console};
use stackmill::isolate::{self, WorkerCommand};
use stackmill::program;
use stackmill_schemas::Error;

use crate::errors::raised;

/// Looks at a run from another thread, and stops it.
#[pyclass(frozen, module = "stackmill._stackmill")]
pub(crate) struct Watch {
    inner: Arc<console::Watch>,
}

#[pymethods]
impl Watch {
    #[new]
    fn new() -> Self {
        Self { inner: Arc::default() }
    }

    /// Tasks under way finish, none is begun; with `now` they end at their next batch.
    fn stop(&self, now: bool) {
        self.inner.stop.store(true, Ordering::SeqCst);
        if now {
            self.inner.stop_now.store(true, Ordering::SeqCst);
        }
    }

    /// The steps so far: name; tasks done, tasks, files, bytes.
    fn steps(&self) -> Vec<(String, [u64; 4])> {
        let boards = self.inner.boards();
        boards
            .iter()
            .map(|board| (board.step().to_owned(), board.counts()))
            .collect()
    }
}

/// `run(arguments, watch)`: the command `run`, as its arguments say; gives the manifest as JSON, and whether it was there.
#[pyfunction]
pub(crate) fn run(py: Python<'_>, arguments: Vec<OsString>, watch: &Watch) -> PyResult<(String, bool)> {
    let console = Console::watched(watch.inner.clone());
    let ran = py.detach(|| {
        let outcome = program::run(arguments, &console)?;
        let manifest = serde_json::to_string(&outcome.manifest).map_err(|error| Error::bug(error.to_string()))?;
        Ok((manifest, outcome.was_done))
    });
    ran.map_err(|error: Error| raised(py, &error))
}

/// `command(arguments)`: any other command; gives what it would print.
#[pyfunction]
pub(crate) fn command(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<String> {
    py.detach(|| program::command(arguments))
        .map_err(|error| raised(py, &error))
}

/// `main(arguments)`: the whole program; gives the exit code.
#[pyfunction]
pub(crate) fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| program::main(arguments))
}

/// `set_worker(program, arguments)`: how parse workers are started; the first call counts.
#[pyfunction]
pub(crate) fn set_worker(program: PathBuf, arguments: Vec<String>) {
    WorkerCommand { program, arguments }.set();
}

/// A parse worker's whole life: answers requests on standard input until it closes.
#[pyfunction]
pub(crate) fn serve(py: Python<'_>) -> PyResult<()> {
    py.detach(isolate::serve).map_err(|error| raised(py, &error))
}
