//! The Exchange `repository-keepers`: edges become decisions about repositories, greedily in rank order.
//!
//! One task holds all edges: near 150 bytes each, of which a repository has as many as it has earlier copies, at most 144.
//! A keeper's name travels with the edge, so that the ledger of any file of a removed repository can say it.

use std::collections::BTreeSet;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Because, Decision, Error, Outcome, Reason, Result, TaskContext, columns, rank};

use super::containment::edge_schema;
use super::{DUPLICATE, NEAR};
use crate::rows::FixedColumn;

/// Decisions of one emitted batch.
const ROWS: usize = 16_384;
/// Edges that are held at most: near 2.4 GB.
const EDGES_MAX: usize = 16 << 20;

/// Decides who is kept: emits a decision for each removed repository, as if it were a file.
#[derive(Clone, Debug)]
pub struct Keepers {
    threshold: f64,
}

impl Keepers {
    pub(super) fn new(threshold: f64) -> Self {
        Self { threshold }
    }

    fn decision(&self, edge: Edge) -> Decision {
        let rule = if edge.is_same { DUPLICATE } else { NEAR.rule };
        Decision {
            file_id: rank::file_of(edge.b),
            outcome: Outcome::Dropped,
            stage: NEAR.stage.to_owned(),
            rule: rule.to_owned(),
            reason: Reason {
                value: Some(edge.share.into()),
                limit: Some(self.threshold.into()),
                because: Some(Because::Entry(edge.name)),
                trouble: None,
            },
        }
    }
}

/// In the order in which they are decided about.
#[derive(PartialEq, PartialOrd)]
struct Edge {
    b: u128,
    a: u128,
    share: f64,
    is_same: bool,
    name: String,
}

impl Exchange for Keepers {
    fn name(&self) -> &'static str {
        "repository-keepers"
    }

    fn keyed(&self) -> SchemaRef {
        edge_schema()
    }

    fn schema(&self) -> SchemaRef {
        Decision::schema()
    }

    fn partitions(&self, _: InputSize) -> u32 {
        1
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, _: &TaskContext) -> Result<()> {
        to.send(batch.clone(), &vec![0; batch.num_rows()])
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut edges = Vec::new();
        for batch in partition.batches {
            cx.check()?;
            read(&batch?, &mut edges)?;
        }
        edges.sort_unstable_by_key(|edge| (edge.b, edge.a));
        let mut removed = BTreeSet::new();
        // The earliest kept one that has enough of it; one with the same tree if there is one.
        let mut found: Vec<Edge> = Vec::new();
        for edge in edges {
            if removed.contains(&edge.a) {
                continue;
            }
            match found.last_mut().filter(|last| last.b == edge.b) {
                Some(last) if edge.is_same && !last.is_same => *last = edge,
                Some(_) => {}
                None => {
                    removed.insert(edge.b);
                    found.push(edge);
                }
            }
        }
        let mut decisions: Vec<Decision> = found.into_iter().map(|edge| self.decision(edge)).collect();
        decisions.sort_unstable_by_key(|decision| decision.file_id);
        decisions
            .chunks(ROWS)
            .try_for_each(|chunk| emit.emit(Decision::to_record(chunk)?))
    }
}

fn read(batch: &RecordBatch, into: &mut Vec<Edge>) -> Result<()> {
    let ranks_a = FixedColumn::<16>::of(batch, "rank_a")?;
    let ranks_b = FixedColumn::<16>::of(batch, "rank_b")?;
    let (shares, names) = (columns::f64s(batch, "share")?, columns::strings(batch, "name_a")?);
    let same = columns::booleans(batch, "same")?;
    if into.len() + batch.num_rows() > EDGES_MAX {
        return Err(Error::resource(format!(
            "over {EDGES_MAX} pairs of repositories are copies, too many to hold"
        ))
        .hint("raise `threshold` under [repositories], or leave forks out of the sources"));
    }
    for row in 0..batch.num_rows() {
        into.push(Edge {
            b: ranks_b.rank(row)?,
            a: ranks_a.rank(row)?,
            share: shares.value(row),
            is_same: same.value(row),
            name: names.value(row).to_owned(),
        });
    }
    Ok(())
}
