//! The Exchange `repository-verify`: what share of one repository's blobs another one has, counted blob by blob.
//!
//! ```text
//!   scatter   rank_a │ blob_a │ shingles_a │ ranks_b   to the home of the repositories b, as `repository-attach` emits it
//!   gather    hold the home's sets, stream the attached sets, compare
//!   emit      rank_a │ rank_b │ share │ same │ name_a
//! ```
//! Memory of a gather: the sets of one home, 24 bytes a blob.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Result, TaskContext, columns, rank};

use super::set::Set;
use crate::meeting::{send_home, side_row};
use crate::near::components::attached_schema;
use crate::rows::{FixedColumn, rank_array};

/// Bytes of a rank.
const RANK: usize = 16;

/// Compares pairs of repositories: emits those of which the first has enough of the second. Its partitions are the homes
/// of repositories.
#[derive(Clone, Debug)]
pub struct Containment {
    threshold: f64,
    minimum_files: usize,
}

/// A repository and an earlier one that has enough of its blobs.
struct Edge {
    a: u128,
    b: u128,
    share: f64,
    is_same: bool,
    name: String,
}

impl Containment {
    pub(super) fn new(threshold: f64, minimum_files: usize) -> Self {
        Self {
            threshold,
            minimum_files,
        }
    }

    fn edge(&self, (a, set_a): (u128, &Set<'_>), (b, set_b): (u128, &Set<'_>)) -> Option<Edge> {
        let is_same = set_b.is(set_a);
        let is_large = set_b.blobs.len() >= self.minimum_files;
        let share = if is_large || is_same {
            set_b.share_in(set_a)
        } else {
            0.0
        };
        (share >= self.threshold).then(|| Edge {
            a,
            b,
            share,
            is_same,
            name: String::from_utf8_lossy(set_a.name).into_owned(),
        })
    }
}

impl Exchange for Containment {
    fn name(&self) -> &'static str {
        "repository-verify"
    }

    fn keyed(&self) -> SchemaRef {
        attached_schema()
    }

    fn schema(&self) -> SchemaRef {
        edge_schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        size.homes.max(1)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, _: &TaskContext) -> Result<()> {
        send_home(batch, to)
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut batches = partition.batches.peekable();
        if batches.peek().is_none() {
            return Ok(());
        }
        let home = cx.side.shingles(partition.index)?.collect::<Result<Vec<_>>>()?;
        for batch in batches {
            cx.check()?;
            emit.emit(edge_batch(&self.compare(&batch?, &home)?)?)?;
        }
        Ok(())
    }
}

impl Containment {
    fn compare(&self, batch: &RecordBatch, home: &[RecordBatch]) -> Result<Vec<Edge>> {
        let ranks_a = FixedColumn::<RANK>::of(batch, "rank_a")?;
        let sets_a = columns::binaries(batch, "shingles_a")?;
        let ranks_b = columns::binaries(batch, "ranks_b")?;
        let mut edges = Vec::new();
        for row in 0..batch.num_rows() {
            let a = (ranks_a.rank(row)?, &Set::read(sets_a.value(row))?);
            let (ranks, _) = ranks_b.value(row).as_chunks::<RANK>();
            for b in ranks.iter().map(|rank| u128::from_be_bytes(*rank)) {
                let (table, at) = side_row(home, rank::file_of(b))?;
                let set = Set::read(columns::binaries(table, columns::SHINGLES)?.value(at))?;
                edges.extend(self.edge(a, (b, &set)));
            }
        }
        Ok(edges)
    }
}

/// The columns of edges between repositories.
pub(super) fn edge_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("rank_a", DataType::FixedSizeBinary(16), false),
        Field::new("rank_b", DataType::FixedSizeBinary(16), false),
        Field::new("share", DataType::Float64, false),
        Field::new("same", DataType::Boolean, false),
        Field::new("name_a", DataType::Utf8, false),
    ]))
}

fn edge_batch(edges: &[Edge]) -> Result<RecordBatch> {
    let mut names = StringBuilder::new();
    edges.iter().for_each(|edge| names.append_value(&edge.name));
    let columns: Vec<ArrayRef> = vec![
        rank_array(edges.iter().map(|edge| edge.a))?,
        rank_array(edges.iter().map(|edge| edge.b))?,
        Arc::new(Float64Array::from_iter_values(edges.iter().map(|edge| edge.share))),
        Arc::new(BooleanArray::from_iter(edges.iter().map(|edge| Some(edge.is_same)))),
        Arc::new(names.finish()),
    ];
    Ok(RecordBatch::try_new(edge_schema(), columns)?)
}
