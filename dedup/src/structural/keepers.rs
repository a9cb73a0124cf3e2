//! The Exchange `structural-keepers`: decides as `near` does, and says so in words of its own.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Decision, Outcome, Result, TaskContext};

use super::{Action, STAGE};
use crate::near;

/// Decides who is kept. Where the action is to report, a file that would be removed gets a note of its cluster instead.
#[derive(Clone, Debug)]
pub struct Keepers {
    action: Action,
    near: near::Keepers,
}

impl Keepers {
    pub(super) fn new(action: Action, near: near::Keepers) -> Self {
        Self { action, near }
    }

    /// Lets edges take `bytes` of memory.
    pub fn within(&mut self, bytes: u64) {
        self.near.within(bytes);
    }

    fn renamed(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let mut decisions = Decision::from_record(batch)?;
        for decision in &mut decisions {
            STAGE.clone_into(&mut decision.stage);
            "structural-duplicate".clone_into(&mut decision.rule);
            if self.action == Action::Report {
                decision.outcome = Outcome::Kept;
            }
        }
        Decision::to_record(&decisions)
    }
}

impl Exchange for Keepers {
    fn name(&self) -> &'static str {
        "structural-keepers"
    }

    fn keyed(&self) -> SchemaRef {
        self.near.keyed()
    }

    fn schema(&self) -> SchemaRef {
        self.near.schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        self.near.partitions(size)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, cx: &TaskContext) -> Result<()> {
        self.near.scatter(batch, to, cx)
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut renamed = |batch: RecordBatch| emit.emit(self.renamed(&batch)?);
        self.near.gather(partition, &mut Emit(&mut renamed), cx)
    }
}
