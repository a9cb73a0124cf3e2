//! The two halves of an Exchange over record batches.

use std::sync::Arc;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use pyo3::prelude::*;
use pyo3_arrow::input::AnyRecordBatch;
use pyo3_arrow::{PyRecordBatch, PySchema, PyTable};
use stackmill::frames::memory::{Scattered, Sets, gather, scatter, with_sets};
use stackmill::passes::left::project;
use stackmill::stages::Stages;
use stackmill_schemas::context::Homes;
use stackmill_schemas::stage::{Exchange as Contract, InputSize};
use stackmill_schemas::{FileId, Result, TaskContext};

use crate::context::detached;

/// The column that scatter adds: where the row has to go.
const PARTITION: &str = "partition";

/// One Exchange of a recipe.
#[pyclass(frozen, module = "stackmill._stackmill")]
pub(crate) struct Exchange {
    stages: Arc<Stages>,
    name: String,
    homes: Arc<Homes>,
}

impl Exchange {
    pub(crate) fn find<'a>(stages: &'a Stages, name: &str) -> Option<&'a dyn Contract> {
        stages.exchanges().into_iter().find(|exchange| exchange.name() == name)
    }

    /// `homes`: the first file id of each.
    pub(crate) fn new(stages: &Arc<Stages>, name: &str, homes: Vec<u64>) -> Option<Self> {
        Self::find(stages, name)?;
        Some(Self {
            stages: stages.clone(),
            name: name.to_owned(),
            homes: Arc::new(Homes::new(homes.into_iter().map(FileId).collect())),
        })
    }

    fn at_home(&self, cx: &TaskContext) -> TaskContext {
        TaskContext {
            homes: self.homes.clone(),
            ..cx.clone()
        }
    }

    fn contract(&self) -> &dyn Contract {
        Self::find(&self.stages, &self.name).expect("because `new` found it in the same stages")
    }
}

#[pymethods]
impl Exchange {
    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    /// The columns that travel from scatter to gather.
    #[getter]
    fn keyed(&self) -> PySchema {
        PySchema::new(self.contract().keyed())
    }

    /// The columns that gather gives.
    #[getter]
    fn schema(&self) -> PySchema {
        PySchema::new(self.contract().schema())
    }

    /// Number of partitions for an input of that size.
    fn partitions(&self, files: u64, bytes: u64, homes: u32) -> u32 {
        self.contract().partitions(InputSize { files, bytes, homes }).max(1)
    }

    /// `scatter(batch, partitions)`: keyed rows, and the column `partition`.
    fn scatter(&self, py: Python<'_>, batch: PyRecordBatch, partitions: u32) -> PyResult<PyRecordBatch> {
        let batch = batch.into_inner();
        let rows = detached(py, |cx| {
            let scattered = scatter(self.contract(), &batch, partitions.max(1), &self.at_home(cx))?;
            joined(&scattered, &self.contract().keyed())
        })?;
        Ok(PyRecordBatch::new(rows))
    }

    /// `gather(partition, rows, sets)`: what one whole partition amounts to; `sets` are the shingle sets of its home.
    fn gather(
        &self,
        py: Python<'_>,
        partition: u32,
        rows: AnyRecordBatch,
        sets: Option<AnyRecordBatch>,
    ) -> PyResult<PyTable> {
        let mut rows = rows.into_reader()?;
        let mut sets = sets.map(AnyRecordBatch::into_reader).transpose()?;
        let gathered = detached(py, |cx| {
            let keyed = self.contract().keyed();
            let rows = rows
                .by_ref()
                .map(|batch| project(&batch?, &keyed))
                .collect::<Result<_>>()?;
            let home = sets.is_some().then_some(partition);
            let batches = sets
                .iter_mut()
                .flatten()
                .map(|batch| Ok(batch?))
                .collect::<Result<_>>()?;
            let cx = with_sets(&self.at_home(cx), Sets { home, batches });
            gather(self.contract(), partition, rows, &cx)
        })?;
        PyTable::try_new(gathered, self.contract().schema())
    }
}

fn joined(scattered: &Scattered, keyed: &SchemaRef) -> Result<RecordBatch> {
    let rows = concat_batches(keyed, scattered.iter().map(|(rows, _)| rows))?;
    let partitions: UInt32Array = scattered
        .iter()
        .flat_map(|(_, to)| to.iter().copied().map(Some))
        .collect();
    let field = Arc::new(Field::new(PARTITION, DataType::UInt32, false));
    let fields: Vec<_> = keyed.fields().iter().cloned().chain([field]).collect();
    let mut arrays = rows.columns().to_vec();
    arrays.push(Arc::new(partitions));
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}
