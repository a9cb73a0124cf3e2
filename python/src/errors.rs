//! Our errors as Python's exceptions: one class a kind, in `stackmill/errors.py`.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use stackmill_schemas::{Error, ErrorKind};

/// The exception for `error`; if even that cannot be made, the exception that says why.
pub(crate) fn raised(py: Python<'_>, error: &Error) -> PyErr {
    made(py, error).unwrap_or_else(|other| other)
}

fn made(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let class = py.import("stackmill.errors")?.getattr(class_of(error.kind()))?;
    let about = PyDict::new(py);
    about.set_item("kind", error.kind().as_str())?;
    about.set_item("hint", error.hint_text())?;
    about.set_item("context", error.places())?;
    about.set_item("transient", error.is_transient())?;
    about.set_item("exit_code", stackmill::exit::code(error))?;
    Ok(PyErr::from_value(class.call((error.message(),), Some(&about))?))
}

fn class_of(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Config => "ConfigError",
        ErrorKind::Schema => "SchemaError",
        ErrorKind::Input => "InputError",
        ErrorKind::Source => "SourceError",
        ErrorKind::Io => "IoError",
        ErrorKind::Resource => "ResourceError",
        ErrorKind::Interrupted => "Interrupted",
        ErrorKind::Bug => "BugError",
    }
}
