//! The Exchange `block-anchors`: files that share an anchor become pairs.

use arrow_array::{Array as _, RecordBatch};
use arrow_schema::SchemaRef;
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Result, TaskContext, columns};

use crate::meeting::{self, Key};
use crate::rows::{FixedColumn, read_u64s};

/// Files that one is compared with because of one anchor: the first in rank order.
const FIRST: usize = 64;
/// Bytes of content for one partition: anchors are less than one in 25 lines, near 1 in 1,000 bytes.
const BYTES_PER_PARTITION: u64 = 4 << 30;

/// Finds pairs of files: reads `bands` and `rank`, emits `rank_a` < `rank_b`.
#[derive(Clone, Debug)]
pub struct Anchors(());

impl Anchors {
    pub(super) fn new() -> Self {
        Self(())
    }
}

impl Exchange for Anchors {
    fn name(&self) -> &'static str {
        "block-anchors"
    }

    fn keyed(&self) -> SchemaRef {
        meeting::key_schema()
    }

    fn schema(&self) -> SchemaRef {
        meeting::pair_schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        u32::try_from(size.bytes.div_ceil(BYTES_PER_PARTITION).max(1)).unwrap_or(u32::MAX)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, cx: &TaskContext) -> Result<()> {
        let anchors = columns::binaries(batch, columns::BANDS)?;
        let ranks = FixedColumn::<16>::of(batch, "rank")?;
        for row in (0..batch.num_rows()).filter(|row| anchors.is_valid(*row)) {
            cx.check()?;
            let rank = ranks.rank(row)?;
            let keys = read_u64s(anchors.value(row))?.iter().map(|key| Key {
                key: u64::from_le_bytes(*key),
                rank,
                asks: true,
            });
            meeting::send_keys(&keys.collect::<Vec<_>>(), to)?;
        }
        Ok(())
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        meeting::pairs(partition, FIRST, emit, cx)
    }
}
