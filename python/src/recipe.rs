//! Recipes for engines: every Map and every Exchange that a recipe asks for.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;
use stackmill::frames::Rows;
use stackmill::stages::Stages;
use stackmill_schemas::stage::Exchange as Contract;
use stackmill_schemas::{Error, FileId, Result};

use crate::context::detached;
use crate::errors::raised;
use crate::exchange::Exchange;
use crate::map::{Map, Pass};
use crate::single::names;

/// `Recipe(path, changes)`: a recipe with all stages built and checked.
#[pyclass(frozen, module = "stackmill._stackmill")]
pub(crate) struct Recipe {
    recipe: stackmill::Recipe,
    stages: Arc<Stages>,
}

#[pymethods]
impl Recipe {
    #[new]
    #[pyo3(signature = (path, changes = Vec::new()))]
    fn new(py: Python<'_>, path: PathBuf, changes: Vec<String>) -> PyResult<Self> {
        let built = move || -> Result<Self> {
            let recipe = stackmill::Recipe::read(&path, &changes)?;
            let stages = Stages::build(&recipe).map_err(|error| error.context(path.display().to_string()))?;
            Ok(Self {
                recipe,
                stages: Arc::new(stages),
            })
        };
        py.detach(built).map_err(|error| raised(py, &error))
    }

    /// The recipe's name.
    #[getter]
    fn name(&self) -> &str {
        &self.recipe.name
    }

    /// Every setting with defaults filled in, as JSON.
    fn config(&self, py: Python<'_>) -> PyResult<String> {
        let config = self.stages.config(&self.recipe).map_err(|error| raised(py, &error))?;
        Ok(config.to_string())
    }

    /// The Maps of a pass, in order.
    fn maps(&self, py: Python<'_>, pass: &str) -> PyResult<Vec<Map>> {
        let pass = Pass::named(pass).map_err(|error| raised(py, &error))?;
        let count = pass.maps(&self.stages).len();
        Ok((0..count)
            .map(|at| Map::new(self.stages.clone(), pass, at..at + 1))
            .collect())
    }

    /// All Maps of a pass as one.
    fn fused(&self, py: Python<'_>, pass: &str) -> PyResult<Map> {
        let pass = Pass::named(pass).map_err(|error| raised(py, &error))?;
        let count = pass.maps(&self.stages).len();
        Ok(Map::new(self.stages.clone(), pass, 0..count))
    }

    /// Names of the Exchanges that are on, in running order.
    fn exchanges(&self) -> Vec<&str> {
        let exchanges = self.stages.exchanges();
        exchanges.into_iter().map(Contract::name).collect()
    }

    /// The Exchange called `name`; `homes` has the first file id of each.
    fn exchange(&self, py: Python<'_>, name: &str, homes: Vec<u64>) -> PyResult<Exchange> {
        Exchange::new(&self.stages, name, homes).ok_or_else(|| {
            let error = Error::config(format!("the recipe has no exchange `{name}`"));
            raised(py, &error.hint(format!("it has {}", self.exchanges().join(", "))))
        })
    }

    /// `rows(table, names, first)`: the table as rows for the Maps, numbered from `first` on.
    fn rows(&self, py: Python<'_>, table: AnyRecordBatch, columns: (String, String), first: u64) -> PyResult<PyTable> {
        let mut reader = table.into_reader()?;
        let batches = detached(py, |cx| {
            let mut rows = Rows::new(names(columns), &self.stages, FileId(first), true);
            let mut batches = Vec::new();
            for batch in reader.by_ref() {
                cx.check()?;
                batches.extend(rows.of(&batch?)?);
            }
            Ok(batches)
        })?;
        PyTable::try_new(batches, Rows::schema())
    }
}
