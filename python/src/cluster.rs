//! A run whose tasks an engine places: the driver's side, and a process that runs tasks.

use std::ffi::OsString;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use stackmill::program;
use stackmill::worker::{self, Begun, Segment};
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, Result};

use crate::errors::raised;

/// The driver's side of a run.
#[pyclass(frozen, module = "stackmill._stackmill")]
pub(crate) struct Driver {
    /// None once it was published.
    inner: Mutex<Option<Box<worker::Driver>>>,
}

impl Driver {
    fn with<T>(&self, work: impl FnOnce(&mut worker::Driver) -> Result<T>) -> Result<T> {
        let mut inner = locked(&self.inner);
        let driver = inner.as_mut().ok_or_else(|| Error::bug("this run is published"))?;
        work(driver)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn json(manifest: &Manifest) -> Result<String> {
    serde_json::to_string(manifest).map_err(|error| Error::bug(error.to_string()))
}

#[pymethods]
impl Driver {
    /// `begin(arguments)`, those of the command `run`: a driver, or the manifest of a complete run as JSON.
    #[staticmethod]
    fn begin(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<(Option<Self>, Option<String>)> {
        let begun = py.detach(|| {
            let (recipe, options) = program::settings(arguments)?;
            worker::Driver::begin(recipe, options)
        });
        match begun.map_err(|error| raised(py, &error))? {
            Begun::Complete(manifest) => {
                let manifest = json(&manifest).map_err(|error| raised(py, &error))?;
                Ok((None, Some(manifest)))
            }
            Begun::Driver(driver) => {
                let inner = Mutex::new(Some(driver));
                Ok((Some(Self { inner }), None))
            }
        }
    }

    /// The stages in order, those together that one job of the engine runs.
    fn chains(&self, py: Python<'_>) -> PyResult<Vec<Vec<&'static str>>> {
        self.with(|driver| Ok(driver.chains()))
            .map_err(|error| raised(py, &error))
    }

    /// The step of a stage that is to be run, if it has one left and the stages before it have none.
    fn next(&self, py: Python<'_>, stage: &str) -> PyResult<Option<String>> {
        self.with(|driver| Ok(driver.next(stage)))
            .map_err(|error| raised(py, &error))
    }

    /// Number of tasks of a step, once those before it are finished.
    fn tasks(&self, py: Python<'_>, step: &str) -> PyResult<u32> {
        self.with(|driver| driver.tasks(step))
            .map_err(|error| raised(py, &error))
    }

    /// Whether an earlier attempt has finished a step.
    fn is_done(&self, py: Python<'_>, step: &str) -> PyResult<bool> {
        // It may ask a store, which takes its time.
        py.detach(|| self.with(|driver| driver.is_done(step)))
            .map_err(|error| raised(py, &error))
    }

    /// Gathers the reports of a step's tasks; one that left none is named in the error.
    fn finish(&self, py: Python<'_>, step: &str) -> PyResult<()> {
        py.detach(|| self.with(|driver| driver.finish(step)))
            .map_err(|error| raised(py, &error))
    }

    /// Gives the folder free for others; what is done stays done.
    fn close(&self) {
        drop(locked(&self.inner).take());
    }

    /// Puts the manifest in place; gives it as JSON.
    fn publish(&self, py: Python<'_>, seconds: f64) -> PyResult<String> {
        py.detach(|| {
            let driver = locked(&self.inner).take();
            let driver = driver.ok_or_else(|| Error::bug("this run is published"))?;
            json(&driver.publish("spark", seconds)?)
        })
        .map_err(|error| raised(py, &error))
    }
}

/// A process that runs tasks.
#[pyclass(frozen, module = "stackmill._stackmill")]
pub(crate) struct Worker {
    inner: Mutex<worker::Worker>,
}

#[pymethods]
impl Worker {
    /// `Worker(arguments)`, those of the command `run` that the driver was begun with.
    #[new]
    fn join(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<Self> {
        let joined = py.detach(|| {
            let (recipe, options) = program::settings(arguments)?;
            worker::Worker::join(recipe, options)
        });
        let inner = Mutex::new(joined.map_err(|error| raised(py, &error))?);
        Ok(Self { inner })
    }

    /// `run(step, task, came)`: runs one task over the segments that came; gives those that go.
    fn run(&self, py: Python<'_>, step: &str, task: u32, came: Vec<Segment>) -> PyResult<Outgoing> {
        let going = py.detach(|| locked(&self.inner).run(step, task, came));
        let inner = Mutex::new(going.map_err(|error| raised(py, &error))?);
        Ok(Outgoing { inner })
    }
}

/// Segments on their way: pairs of partition and bytes.
#[pyclass(frozen, module = "stackmill._stackmill")]
pub(crate) struct Outgoing {
    inner: Mutex<worker::Outgoing>,
}

#[pymethods]
impl Outgoing {
    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<(u32, Bound<'py, PyBytes>)>> {
        let next = py.detach(|| locked(&self.inner).next().transpose());
        let next = next.map_err(|error| raised(py, &error))?;
        Ok(next.map(|(partition, segment)| (partition, PyBytes::new(py, &segment))))
    }
}
