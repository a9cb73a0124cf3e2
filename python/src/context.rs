//! Work without the interpreter's lock, which Control-C still reaches.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use stackmill_schemas::context::Interrupt;
use stackmill_schemas::{Result, TaskContext};

use crate::errors::raised;

/// Asks Python between batches whether a signal has come; keeps the exception that its handler raised.
#[derive(Default)]
pub(crate) struct Polled {
    caught: Mutex<Option<PyErr>>,
}

impl Polled {
    fn take(&self) -> Option<PyErr> {
        self.caught.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Interrupt for Polled {
    fn is_raised(&self) -> bool {
        #[expect(
            clippy::redundant_closure_for_method_calls,
            reason = "the method alone has one lifetime, not any"
        )]
        let signals = Python::attach(|py| py.check_signals());
        let mut caught = self.caught.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(exception) = signals {
            *caught = Some(exception);
        }
        caught.is_some()
    }
}

/// Runs `work` without the interpreter's lock; gives the exception of a signal's handler if one ended it.
pub(crate) fn detached<T: Send>(py: Python<'_>, work: impl FnOnce(&TaskContext) -> Result<T> + Send) -> PyResult<T> {
    let polled = Arc::new(Polled::default());
    let cx = stackmill::frames::context(polled.clone());
    py.detach(|| work(&cx))
        .map_err(|error| polled.take().unwrap_or_else(|| raised(py, &error)))
}
