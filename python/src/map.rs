//! A Map, or the fused Maps of a pass, over record batches.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3_arrow::{PyRecordBatch, PySchema};
use stackmill::passes::content::schema_after;
use stackmill::passes::{Fused, Meter, finish};
use stackmill::stages::Stages;
use stackmill_schemas::stage::Map as Stage;
use stackmill_schemas::{Decision, Error, FileBatch, Result};

use crate::context::detached;
use crate::errors::raised;

/// A run of fused Maps.
#[derive(Clone, Copy)]
pub(crate) enum Pass {
    Listing,
    Content,
    Syntax,
    Structural,
    Blocks,
}

impl Pass {
    pub(crate) fn named(name: &str) -> Result<Self> {
        match name {
            "listing" => Ok(Self::Listing),
            "content" => Ok(Self::Content),
            "syntax" => Ok(Self::Syntax),
            "structural" => Ok(Self::Structural),
            "blocks" => Ok(Self::Blocks),
            other => Err(Error::config(format!("no pass is called `{other}`"))
                .hint("there are listing, content, structural, blocks, syntax")),
        }
    }

    pub(crate) fn maps(self, stages: &Stages) -> &[Box<dyn Stage>] {
        match self {
            Self::Listing => &stages.listing,
            Self::Content => &stages.content,
            Self::Syntax => &stages.syntax,
            Self::Structural => &stages.sketches[0],
            Self::Blocks => &stages.sketches[1],
        }
    }
}

/// Some Maps that run as one; tables and caches are made at the first batch and kept.
#[pyclass(frozen, module = "stackmill._stackmill")]
pub(crate) struct Map {
    stages: Arc<Stages>,
    pass: Pass,
    at: Range<usize>,
    opened: Mutex<Option<Fused>>,
}

impl Map {
    pub(crate) fn new(stages: Arc<Stages>, pass: Pass, at: Range<usize>) -> Self {
        Self {
            stages,
            pass,
            at,
            opened: Mutex::new(None),
        }
    }

    fn maps(&self) -> &[Box<dyn Stage>] {
        &self.pass.maps(&self.stages)[self.at.clone()]
    }
}

#[pymethods]
impl Map {
    /// Names of the stages, in order.
    #[getter]
    fn names(&self) -> Vec<&str> {
        self.maps().iter().map(|map| map.name()).collect()
    }

    /// The columns after this Map.
    fn schema(&self, py: Python<'_>, input: PySchema) -> PyResult<PySchema> {
        let schema = schema_after(self.maps(), input.into_inner());
        schema.map(PySchema::new).map_err(|error| raised(py, &error))
    }

    /// The rows that are kept, with their new columns, and the decisions about the others.
    fn map(&self, py: Python<'_>, batch: PyRecordBatch) -> PyResult<(PyRecordBatch, PyRecordBatch)> {
        let batch = batch.into_inner();
        let (kept, decisions) = detached(py, |cx| {
            schema_after(self.maps(), batch.schema())?;
            let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            let fused = match &mut *opened {
                Some(fused) => fused,
                None => opened.insert(Fused::open(self.maps(), cx)?),
            };
            let (kept, decisions) = finish(fused.map(FileBatch::new(batch)?, &Meter::default())?)?;
            Ok((kept, Decision::to_record(&decisions)?))
        })?;
        Ok((PyRecordBatch::new(kept), PyRecordBatch::new(decisions)))
    }
}
