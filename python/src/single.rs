//! Single stages over tables.

use arrow_array::{RecordBatch, RecordBatchReader};
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;
use stackmill::Recipe;
use stackmill::frames::{Column, Names, Single, Tables};
use stackmill::stages::Stages;
use stackmill_schemas::{Error, Result};

use crate::context::detached;

type Reader = Box<dyn RecordBatchReader + Send>;

/// What columns of the table are called: contents, paths.
pub(crate) fn names((content, path): (String, String)) -> Names {
    Names { content, path }
}

/// The stages that `settings`, a recipe's tables as JSON, describe.
fn stages(settings: &str) -> Result<Stages> {
    let settings = serde_json::from_str(settings).map_err(|error| Error::config(format!("settings: {error}")))?;
    Stages::build(&Recipe::of_stages(&settings)?)
}

fn next(reader: &mut Reader) -> Option<Result<RecordBatch>> {
    let batch = reader.next()?;
    Some(batch.map_err(|error| Error::input(format!("the table cannot be read: {error}"))))
}

/// `annotate(table, names, (settings, stages, columns, verdicts))`: the table with `columns`, (name, shown as) each, of
/// the Maps named `stages`, and verdicts if `verdicts`.
#[pyfunction]
pub(crate) fn annotate(
    py: Python<'_>,
    table: AnyRecordBatch,
    columns: (String, String),
    what: (String, Vec<String>, Vec<(String, String)>, bool),
) -> PyResult<PyTable> {
    let mut reader = table.into_reader()?;
    let (settings, wanted, shown, verdicts) = what;
    let shown = shown.into_iter().map(|(name, shown)| Column { name, shown }).collect();
    let (batches, schema) = detached(py, move |cx| {
        let stages = stages(&settings)?;
        let mut single = Single::open(&stages, names(columns), &wanted, verdicts, cx.clone())?.showing(shown, verdicts);
        let schema = single.schema(&reader.schema())?;
        let mut batches = Vec::new();
        while let Some(batch) = next(&mut reader) {
            batches.extend(single.apply(&batch?)?);
        }
        Ok((batches, schema))
    })?;
    PyTable::try_new(batches, schema)
}

/// `duplicates(table, names, settings)`: the table with clusters and verdicts of exact or near duplicates.
#[pyfunction]
pub(crate) fn duplicates(
    py: Python<'_>,
    table: AnyRecordBatch,
    columns: (String, String),
    settings: String,
) -> PyResult<PyTable> {
    let mut reader = table.into_reader()?;
    let found = detached(py, move |cx| {
        let schema = reader.schema();
        let batches = std::iter::from_fn(|| next(&mut reader)).collect::<Result<_>>()?;
        stackmill::frames::duplicates(&stages(&settings)?, names(columns), &Tables { schema, batches }, cx)
    })?;
    PyTable::try_new(found.batches, found.schema)
}
