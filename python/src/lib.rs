//! The Python package's shared object: the engine, its stages and its command line, over Arrow's PyCapsule interface.
//!
//! ```text
//!   stackmill/*.py  ──►  _stackmill (this crate)  ──►  stackmill (pipelines)
//!   names, defaults      tables in and out             everything else
//!   exceptions           without copies, no GIL
//! ```

mod cluster;
mod context;
mod errors;
mod exchange;
mod map;
mod recipe;
mod run;
mod single;

use pyo3::prelude::*;

/// Functions and classes for `stackmill/*.py`; users import `stackmill`.
#[pymodule]
fn _stackmill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<recipe::Recipe>()?;
    module.add_class::<map::Map>()?;
    module.add_class::<exchange::Exchange>()?;
    module.add_class::<run::Watch>()?;
    module.add_class::<cluster::Driver>()?;
    module.add_class::<cluster::Worker>()?;
    module.add_class::<cluster::Outgoing>()?;
    module.add_function(wrap_pyfunction!(single::annotate, module)?)?;
    module.add_function(wrap_pyfunction!(single::duplicates, module)?)?;
    module.add_function(wrap_pyfunction!(run::run, module)?)?;
    module.add_function(wrap_pyfunction!(run::command, module)?)?;
    module.add_function(wrap_pyfunction!(run::main, module)?)?;
    module.add_function(wrap_pyfunction!(run::set_worker, module)?)?;
    module.add_function(wrap_pyfunction!(run::serve, module)?)
}
