//! An Exchange under another name: the same work over other rows, in a place of its own.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Result, TaskContext};

/// Does what `exchange` does, as `name`.
#[derive(Clone, Debug)]
pub struct Renamed<E> {
    name: &'static str,
    exchange: E,
}

impl<E> Renamed<E> {
    pub(crate) fn new(name: &'static str, exchange: E) -> Self {
        Self { name, exchange }
    }
}

impl<E: Exchange> Exchange for Renamed<E> {
    fn name(&self) -> &str {
        self.name
    }

    fn keyed(&self) -> SchemaRef {
        self.exchange.keyed()
    }

    fn schema(&self) -> SchemaRef {
        self.exchange.schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        self.exchange.partitions(size)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, cx: &TaskContext) -> Result<()> {
        self.exchange.scatter(batch, to, cx)
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        self.exchange.gather(partition, emit, cx)
    }
}
