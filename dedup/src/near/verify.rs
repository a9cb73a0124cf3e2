//! The true Jaccard index of two sets, and the Exchange `near-verify`: candidate pairs become edges or nothing.
//!
//! ```text
//!   scatter   rank_a │ blob_a │ shingles_a │ ranks_b   to the home of the files b
//!   gather    hold the home's sets, stream the attached sets, compare
//!   emit      rank_a │ rank_b │ blob_a │ similarity │ met      sorted by (rank_b, rank_a)
//! ```
//! `met` has bit *band* mod 64 set for each band in which both meet: by it [quality](super::quality) knows what a run of
//! fewer bands had found. It is no part of an edge, and null where nobody asks: for equal sets and for unlike ones.
//!
//! Memory of a gather: the shingle sets of one home (at most 2 bytes a byte of its text, near 0.4 in source code), one
//! batch of attached sets, 80 bytes an edge, and 8 bytes a band of each file b with an edge. Homes are cut by bytes, so
//! the bound does not grow with the corpus.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Float64Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Error, FileId, Result, TaskContext, columns, rank};

use super::edges::{self, Side};
use super::planner::Banding;
use super::sketch::Sketcher;
use crate::rows::{FixedColumn, RANK_BYTES, optional_fixed_array, rank_array, read_u32s};

/// Edges of one emitted batch.
const BATCH_ROWS: usize = 64 << 10;
/// The column of the bands in which a pair meets.
pub(super) const MET: &str = "met";
/// Elements compared between two looks at whether the threshold is still in reach.
const STRIDE: usize = 64;

/// Compares candidate pairs: reads what `near-attach` emits, emits `rank_a, rank_b, blob_a, similarity, met` of pairs at
/// or above the threshold; of all pairs if that is 0. Its partitions are the homes of files.
#[derive(Clone, Debug)]
pub struct Verify {
    threshold: f64,
    tells_all: bool,
    banding: Banding,
    seed: u64,
}

impl Verify {
    pub(super) fn new(threshold: f64, banding: Banding, seed: u64) -> Self {
        Self {
            threshold,
            tells_all: false,
            banding,
            seed,
        }
    }

    /// Emits pairs below the threshold, too, at similarity 0: for an index. They are no edges.
    pub fn tell_all(&mut self) {
        self.tells_all = true;
    }

    /// The similarity from which on a pair is an edge; 0 where all are.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }
}

/// Two files whose sets are as alike as asked for; `a` comes first in rank order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Edge {
    pub(super) a: u128,
    pub(super) b: u128,
    pub(super) blob_a: Option<[u8; 20]>,
    pub(super) similarity: f64,
}

/// The columns of a table of edges.
pub(super) fn edge_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("rank_a", DataType::FixedSizeBinary(16), false),
        Field::new("rank_b", DataType::FixedSizeBinary(16), false),
        Field::new("blob_a", DataType::FixedSizeBinary(20), true),
        Field::new("similarity", DataType::Float64, false),
    ]))
}

/// A table of edges.
pub(super) fn edge_batch(edges: &[Edge]) -> Result<RecordBatch> {
    let blobs: Vec<_> = edges.iter().map(|edge| edge.blob_a).collect();
    let columns = vec![
        rank_array(edges.iter().map(|edge| edge.a))?,
        rank_array(edges.iter().map(|edge| edge.b))?,
        optional_fixed_array(&blobs)?,
        Arc::new(Float64Array::from_iter_values(edges.iter().map(|edge| edge.similarity))),
    ];
    Ok(RecordBatch::try_new(edge_schema(), columns)?)
}

/// Edges, each with the bands in which its files meet: `near-verify` emits such tables.
pub(super) fn marked_batch(edges: &[(Edge, Option<u64>)]) -> Result<RecordBatch> {
    let plain: Vec<Edge> = edges.iter().map(|(edge, _)| *edge).collect();
    let mut columns = edge_batch(&plain)?.columns().to_vec();
    columns.push(Arc::new(UInt64Array::from_iter(edges.iter().map(|(_, met)| *met))));
    Ok(RecordBatch::try_new(marked_schema(), columns)?)
}

fn marked_schema() -> SchemaRef {
    let mut fields = edge_schema().fields().to_vec();
    fields.push(Arc::new(Field::new(MET, DataType::UInt64, true)));
    Arc::new(Schema::new(fields))
}

/// The columns of edges among those that `near-verify` emits.
pub fn plain(batch: &RecordBatch) -> Result<RecordBatch> {
    match batch.num_columns() {
        0..=4 => Ok(batch.clone()),
        _ => Ok(batch.project(&[0, 1, 2, 3])?),
    }
}

impl Exchange for Verify {
    fn name(&self) -> &str {
        "near-verify"
    }

    fn keyed(&self) -> SchemaRef {
        edges::attached_schema()
    }

    fn schema(&self) -> SchemaRef {
        marked_schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        size.homes.max(1)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, _: &TaskContext) -> Result<()> {
        let ranks = columns::binaries(batch, "ranks_b")?;
        let homes: Result<Vec<u32>> = (0..batch.num_rows())
            .map(|i| {
                let first = ranks.value(i).first_chunk::<RANK_BYTES>();
                let first = first.ok_or_else(|| Error::bug("a set was attached for no file"))?;
                Ok(to.homes.of(rank::file_of(u128::from_be_bytes(*first))))
            })
            .collect();
        to.send(batch.clone(), &homes?)
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut batches = partition.batches.peekable();
        if batches.peek().is_none() {
            return Ok(());
        }
        let home = HomeSets::load(partition.index, cx)?;
        let mut found = Compared::new(self);
        for batch in batches {
            cx.check()?;
            self.compare(&batch?, &home, &mut found)?;
        }
        let mut edges = found.edges;
        edges.sort_unstable_by_key(|(edge, _)| (edge.b, edge.a));
        edges
            .chunks(BATCH_ROWS)
            .try_for_each(|chunk| emit.emit(marked_batch(chunk)?))
    }
}

impl Verify {
    fn compare(&self, batch: &RecordBatch, home: &HomeSets, found: &mut Compared) -> Result<()> {
        let ranks_a = FixedColumn::<RANK_BYTES>::of(batch, "rank_a")?;
        let blobs_a = FixedColumn::<20>::of(batch, "blob_a")?;
        let sets_a = columns::binaries(batch, "shingles_a")?;
        let ranks_b = columns::binaries(batch, "ranks_b")?;
        for i in 0..batch.num_rows() {
            let (a, blob_a) = (ranks_a.rank(i)?, blobs_a.get(i));
            let set_a = read_u32s(sets_a.value(i))?;
            let (ranks, rest) = ranks_b.value(i).as_chunks::<RANK_BYTES>();
            if !rest.is_empty() {
                return Err(Error::bug("`ranks_b` is no list of ranks"));
            }
            found.next();
            for b in ranks.iter().map(|rank| u128::from_be_bytes(*rank)) {
                let set_b = read_u32s(home.set(rank::file_of(b))?)?;
                let Some(similarity) = self.similarity(set_a, set_b) else {
                    continue;
                };
                let edge = Edge {
                    a,
                    b,
                    blob_a,
                    similarity,
                };
                found.push(edge, (set_a, set_b));
            }
        }
        Ok(())
    }
}

impl Verify {
    fn similarity(&self, a: &[[u8; 4]], b: &[[u8; 4]]) -> Option<f64> {
        match self.threshold {
            0.0 => Some(jaccard_at_least(a, b, f64::MIN_POSITIVE).unwrap_or(0.0)),
            threshold => jaccard_at_least(a, b, threshold).or(self.tells_all.then_some(0.0)),
        }
    }
}

/// Edges of one home, and the bands of their files.
struct Compared {
    edges: Vec<(Edge, Option<u64>)>,
    sketcher: Sketcher,
    /// Of the file a that is being compared; empty before its first edge.
    bands_a: Vec<u64>,
    /// Of files b at home; never walked.
    unsorted_bands_b: HashMap<u128, Box<[u64]>>,
}

impl Compared {
    fn new(verify: &Verify) -> Self {
        Self {
            edges: Vec::new(),
            sketcher: Sketcher::new(verify.banding, verify.seed),
            bands_a: Vec::new(),
            unsorted_bands_b: HashMap::new(),
        }
    }

    /// Another file a comes.
    fn next(&mut self) {
        self.bands_a.clear();
    }

    fn push(&mut self, edge: Edge, (a, b): (&[[u8; 4]], &[[u8; 4]])) {
        let met = match edge.similarity > 0.0 && edge.similarity < 1.0 {
            true => Some(self.met(edge.b, a, b)),
            false => None,
        };
        self.edges.push((edge, met));
    }

    fn met(&mut self, rank_b: u128, a: &[[u8; 4]], b: &[[u8; 4]]) -> u64 {
        let sketcher = &mut self.sketcher;
        let mut bands = |set: &[[u8; 4]], out: &mut Vec<u64>| {
            let set: Vec<u32> = set.iter().map(|element| u32::from_le_bytes(*element)).collect();
            sketcher.bands(&set, out);
            // The last one is the hash of the set.
            out.pop();
        };
        if self.bands_a.is_empty() {
            bands(a, &mut self.bands_a);
        }
        let bands_b = self.unsorted_bands_b.entry(rank_b).or_insert_with(|| {
            let mut out = Vec::new();
            bands(b, &mut out);
            out.into_boxed_slice()
        });
        let pairs = self.bands_a.iter().zip(bands_b.iter());
        let met = (0u32..).zip(pairs).filter(|(_, (a, b))| a == b);
        met.fold(0, |bits, (band, _)| bits | 1 << (band % u64::BITS))
    }
}

/// The sets of one home, found by file.
struct HomeSets(Vec<Side>);

impl HomeSets {
    fn load(home: u32, cx: &TaskContext) -> Result<Self> {
        let mut sides = Vec::new();
        for batch in cx.side.shingles(home)? {
            cx.check()?;
            let batch = batch?;
            // Every batch left has a last file, which the search below goes by.
            if batch.num_rows() > 0 {
                sides.push(Side::of(batch)?);
            }
        }
        Ok(Self(sides))
    }

    fn set(&self, file: FileId) -> Result<&[u8]> {
        let at = self.0.partition_point(|side| !side.reaches(file));
        let side = self.0.get(at).ok_or_else(|| edges::missing_set(file))?;
        Ok(side.set(file)?.0)
    }
}

/// The Jaccard index of two sorted sets of u32 (little endian) if it is at least `threshold`, else none.
///
/// Exact: the index is the nearest f64 to intersection / union, so a threshold of 0.7 takes 7 of 10. Gives up as soon as
/// the sizes, or what is left of the sets, put the threshold out of reach. Sizes within reach differ by a factor of at
/// most 1 / `threshold`, so a plain merge is the fastest walk: galloping pays for sizes that are far apart.
pub fn jaccard_at_least(a: &[[u8; 4]], b: &[[u8; 4]], threshold: f64) -> Option<f64> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    let total = a.len() + b.len();
    let needed = needed(total, threshold);
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        if common + (a.len() - i).min(b.len() - j) < needed {
            return None;
        }
        for _ in 0..STRIDE.min(a.len() - i).min(b.len() - j) {
            let (x, y) = (u32::from_le_bytes(a[i]), u32::from_le_bytes(b[j]));
            common += usize::from(x == y);
            i += usize::from(x <= y);
            j += usize::from(y <= x);
        }
    }
    let index = ratio(common, total);
    (index >= threshold).then_some(index)
}

fn ratio(common: usize, total: usize) -> f64 {
    common as f64 / (total - common) as f64
}

/// The least intersection with which two sets of `total` elements together reach `threshold`.
fn needed(total: usize, threshold: f64) -> usize {
    let about = (threshold * total as f64 / (1.0 + threshold)) as usize;
    let around = about.saturating_sub(1)..=about + 1;
    around
        .into_iter()
        .find(|common| *common <= total / 2 && ratio(*common, total) >= threshold)
        .unwrap_or(about + 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn bytes(set: &BTreeSet<u32>) -> Vec<[u8; 4]> {
        set.iter().map(|value| value.to_le_bytes()).collect()
    }

    fn compare(a: impl IntoIterator<Item = u32>, b: impl IntoIterator<Item = u32>, threshold: f64) -> Option<f64> {
        let [a, b] = [a.into_iter().collect(), b.into_iter().collect()];
        jaccard_at_least(&bytes(&a), &bytes(&b), threshold)
    }

    #[test]
    fn the_threshold_itself_is_reached() {
        assert_eq!(compare(0..10, 0..7, 0.7), Some(0.7));
        assert_eq!(compare(0..1000, 0..699, 0.7), None);
        assert_eq!(compare(0..17, 3..20, 0.7), Some(0.7));
        assert_eq!(compare(0..17, 3..20, 0.700_000_001), None);
        assert_eq!(compare(0..9, 0..9, 1.0), Some(1.0));
        assert_eq!(compare(0..9, 0..8, 1.0), None);
        assert_eq!(compare(0..0, 0..0, 0.1), None);
    }

    #[test]
    fn the_least_intersection_is_exact() {
        for total in 2..400 {
            for threshold in [0.05, 0.3, 0.5, 0.7, 0.85, 1.0] {
                let least = (0..=total / 2).find(|common| ratio(*common, total) >= threshold);
                assert_eq!(needed(total, threshold), least.unwrap_or(needed(total, threshold)));
                assert!(least.is_some() || needed(total, threshold) > total / 2);
            }
        }
    }

    proptest! {
        #[test]
        fn the_index_is_that_of_plain_sets(
            a in prop::collection::btree_set(0u32..300, 1..250),
            b in prop::collection::btree_set(0u32..300, 1..250),
            threshold in 0.01f64..1.0,
        ) {
            let truth = a.intersection(&b).count() as f64 / a.union(&b).count() as f64;
            let found = jaccard_at_least(&bytes(&a), &bytes(&b), threshold);
            prop_assert_eq!(found, (truth >= threshold).then_some(truth));
        }
    }
}
