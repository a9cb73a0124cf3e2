//! The Exchange `near-keepers`: edges become decisions, greedily in rank order.
//!
//! ```text
//!   edges by (b, a):   a1─b1  a2─b1  a1─b2 …     every a comes before its b in rank order
//!   b is removed       iff some a is kept (or a equals b exactly and is removed itself)
//!   its keeper         the earliest such a (or that one's keeper)
//! ```
//! Decisions about one component owe nothing to another one, so edges may be shared out by [component](super::components):
//! each whole component to one partition. Edges may come in any order and more than once; more of them than fit into the
//! memory of a partition are refused.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Decision, Error, Result, TaskContext, columns, rank};

use super::components::{FILE_KEY, rank_hash};
use super::verify::{edge_schema, plain};
use super::{Keep, PLACE};
use crate::duplicate::{Duplicate, emit_decisions};
use crate::rows::{FixedColumn, RANK_BYTES};

/// Memory of an edge while the list of edges grows, in bytes.
const EDGE_BYTES: u64 = 40;
/// Memory of a file with an edge, with its fate and its decision, in bytes.
const FILE_BYTES: u64 = 160;
/// Memory where nobody has said how much there is: that of 64 Mi edges.
const USUAL_BYTES: u64 = (64 << 20) * EDGE_BYTES;

/// Decides who is kept: reads edges, emits a decision for each removed file and a note for each keeper.
#[derive(Clone, Debug)]
pub struct Keepers {
    threshold: f64,
    keep: Keep,
    bytes_max: u64,
}

impl Keepers {
    pub(super) fn new(threshold: f64, keep: Keep) -> Self {
        Self {
            threshold,
            keep,
            bytes_max: USUAL_BYTES,
        }
    }

    /// Lets edges take `bytes` of memory.
    pub fn within(&mut self, bytes: u64) {
        self.bytes_max = bytes;
    }
}

impl Exchange for Keepers {
    fn name(&self) -> &str {
        "near-keepers"
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
        to.send(plain(batch)?, &vec![0; batch.num_rows()])
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut graph = Graph::default();
        for batch in partition.batches {
            cx.check()?;
            graph.add(&batch?)?;
            self.check_size(&graph)?;
        }
        emit_decisions(graph.decide(self.keep), PLACE, Some(self.threshold), emit)
    }
}

impl Keepers {
    fn check_size(&self, graph: &Graph) -> Result<()> {
        let (edges, files) = (graph.edges.len() as u64, graph.files.len() as u64);
        let bytes = edges * EDGE_BYTES + files * FILE_BYTES;
        // Files are numbered in 32 bits.
        if bytes <= self.bytes_max && files < u64::from(u32::MAX) {
            return Ok(());
        }
        let message = format!(
            "near duplicates that hang together have {edges} edges among {files} files or more, too many to hold"
        );
        Err(Error::resource(message).hint(format!(
            "they take over {} MiB: raise --memory or `threshold`, or drop generated files before `near`",
            self.bytes_max >> 20
        )))
    }
}

/// A verified edge between two files, by their numbers in [`Graph::files`].
#[derive(Clone, Copy)]
struct Edge {
    a: u32,
    b: u32,
    similarity: f64,
}

/// Files with at least one edge, in order of appearance, and the edges between them.
#[derive(Default)]
struct Graph {
    /// Numbers of files, found by rank; never walked.
    numbers: HashTable<u32>,
    files: Vec<File>,
    edges: Vec<Edge>,
}

#[derive(Clone, Copy)]
struct File {
    rank: u128,
    /// Known of files that come first in an edge, as every keeper does.
    blob: Option<[u8; 20]>,
}

/// What became of a file: its keeper (itself when it is kept) and the similarity to it.
#[derive(Clone, Copy)]
struct Fate {
    keeper: u32,
    similarity: f64,
    /// Whether another file was removed because of it.
    is_cluster: bool,
}

impl Graph {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let ranks_a = FixedColumn::<RANK_BYTES>::of(batch, "rank_a")?;
        let ranks_b = FixedColumn::<RANK_BYTES>::of(batch, "rank_b")?;
        let blobs = FixedColumn::<20>::of(batch, "blob_a")?;
        let similarities = columns::f64s(batch, "similarity")?;
        for i in 0..batch.num_rows() {
            let (rank_a, rank_b) = (ranks_a.rank(i)?, ranks_b.rank(i)?);
            if rank_a >= rank_b {
                return Err(Error::bug("an edge does not go forward in rank order"));
            }
            let (a, b) = (self.number(rank_a), self.number(rank_b));
            self.files[a as usize].blob = blobs.get(i);
            let similarity = similarities.value(i);
            self.edges.push(Edge { a, b, similarity });
        }
        Ok(())
    }

    fn number(&mut self, rank: u128) -> u32 {
        let files = &mut self.files;
        let equal = |number: &u32| files[*number as usize].rank == rank;
        let hash = |number: &u32| rank_hash(files[*number as usize].rank, FILE_KEY);
        match self.numbers.entry(rank_hash(rank, FILE_KEY), equal, hash) {
            Entry::Occupied(found) => *found.get(),
            Entry::Vacant(place) => {
                let number = files.len() as u32;
                place.insert(number);
                files.push(File { rank, blob: None });
                number
            }
        }
    }

    /// Renumbers files by rank, so that numbers can be compared in their place.
    fn sort(&mut self) {
        self.numbers = HashTable::new();
        let mut order: Vec<u32> = (0..self.files.len() as u32).collect();
        order.sort_unstable_by_key(|file| self.files[*file as usize].rank);
        let mut place = vec![0; order.len()];
        for (new, old) in (0u32..).zip(&order) {
            place[*old as usize] = new;
        }
        self.files.sort_unstable_by_key(|file| file.rank);
        for edge in &mut self.edges {
            (edge.a, edge.b) = (place[edge.a as usize], place[edge.b as usize]);
        }
        self.edges.sort_unstable_by_key(|edge| (edge.b, edge.a));
    }

    fn decide(mut self, keep: Keep) -> Vec<Duplicate> {
        self.sort();
        let fates = match keep {
            Keep::Greedy => self.greedy(),
            Keep::OnePerComponent => self.components(),
        };
        self.edges = Vec::new();
        self.duplicates(&fates)
    }

    /// Every file, kept.
    fn kept(&self) -> Vec<Fate> {
        let kept = |keeper| Fate {
            keeper,
            similarity: 1.0,
            is_cluster: false,
        };
        (0..self.files.len() as u32).map(kept).collect()
    }

    /// The earliest file of each component is kept. Edges hold the similarity of neighbours, not to the keeper; a removed
    /// file is said to be as alike as it is to its earliest neighbour.
    fn components(&self) -> Vec<Fate> {
        let mut fates = self.kept();
        let root = |fates: &mut Vec<Fate>, mut file: u32| {
            while fates[file as usize].keeper != file {
                let above = fates[fates[file as usize].keeper as usize].keeper;
                fates[file as usize].keeper = above;
                file = above;
            }
            file
        };
        for edge in &self.edges {
            let (a, b) = (root(&mut fates, edge.a), root(&mut fates, edge.b));
            fates[a.max(b) as usize].keeper = a.min(b);
        }
        for file in 0..fates.len() as u32 {
            let keeper = root(&mut fates, file);
            fates[file as usize].keeper = keeper;
            fates[keeper as usize].is_cluster |= keeper != file;
        }
        for edge in self.edges.iter().rev() {
            for file in [edge.a, edge.b] {
                let fate = &mut fates[file as usize];
                if fate.keeper != file {
                    fate.similarity = edge.similarity;
                }
            }
        }
        fates
    }

    fn greedy(&self) -> Vec<Fate> {
        let mut fates = self.kept();
        for edges in self.edges.chunk_by(|x, y| x.b == y.b) {
            // An edge to a removed file says nothing, unless the two sets are equal: then its keeper is as near to b.
            let found = edges.iter().filter_map(|edge| {
                let fate = &fates[edge.a as usize];
                match fate.keeper == edge.a {
                    true => Some((edge.a, edge.similarity)),
                    false => (edge.similarity == 1.0).then_some((fate.keeper, fate.similarity)),
                }
            });
            if let Some((keeper, similarity)) = found.min_by_key(|(keeper, _)| *keeper) {
                fates[keeper as usize].is_cluster = true;
                let fate = &mut fates[edges[0].b as usize];
                (fate.keeper, fate.similarity) = (keeper, similarity);
            }
        }
        fates
    }

    fn duplicates(&self, fates: &[Fate]) -> Vec<Duplicate> {
        let told = |(file, fate): &(u32, &Fate)| fate.keeper != *file || fate.is_cluster;
        let numbered = || (0u32..).zip(fates).filter(told);
        // A list that grows would for a moment be there twice.
        let mut duplicates = Vec::with_capacity(numbered().count());
        duplicates.extend(numbered().map(|(file, fate)| {
            let keeper = &self.files[fate.keeper as usize];
            Duplicate {
                file: rank::file_of(self.files[file as usize].rank),
                keeper: rank::file_of(keeper.rank),
                blob: keeper.blob,
                similarity: fate.similarity,
            }
        }));
        duplicates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(u128, u128, f64)]) -> Graph {
        let mut graph = Graph::default();
        for (a, b, similarity) in edges {
            let (a, b) = (graph.number(*a), graph.number(*b));
            graph.files[a as usize].blob = Some([graph.files[a as usize].rank as u8; 20]);
            let similarity = *similarity;
            graph.edges.push(Edge { a, b, similarity });
        }
        graph
    }

    /// (file, keeper, similarity) of every decision.
    fn decide(edges: &[(u128, u128, f64)]) -> Vec<(u64, u64, f64)> {
        let duplicates = graph(edges).decide(Keep::Greedy);
        assert!(duplicates.iter().all(|d| d.blob == Some([d.keeper.0 as u8; 20])));
        duplicates
            .iter()
            .map(|d| (d.file.0, d.keeper.0, d.similarity))
            .collect()
    }

    #[test]
    fn a_chain_loses_every_second_link() {
        // Mutation: removing a file because of a removed one takes 3 as well.
        let chain = [(3, 4, 0.8), (1, 2, 0.7), (2, 3, 0.9)];
        assert_eq!(decide(&chain), [(1, 1, 1.0), (2, 1, 0.7), (3, 3, 1.0), (4, 3, 0.8)]);
    }

    #[test]
    fn the_keeper_is_the_earliest_kept_neighbour_not_the_nearest() {
        assert_eq!(decide(&[(2, 3, 0.9), (1, 3, 0.7)]), [(1, 1, 1.0), (3, 1, 0.7)]);
    }

    #[test]
    fn what_equals_a_removed_file_has_its_keeper_and_similarity() {
        let edges = [(2, 4, 1.0), (1, 2, 0.75), (3, 4, 0.9)];
        assert_eq!(decide(&edges), [(1, 1, 1.0), (2, 1, 0.75), (4, 1, 0.75)]);
    }

    /// Mutation: `root` without its loop.
    #[test]
    fn one_per_component_keeps_the_earliest_alone() {
        let edges = [(3, 4, 0.8), (1, 2, 0.7), (2, 3, 0.9), (8, 9, 0.75), (5, 9, 1.0)];
        let decided = graph(&edges).decide(Keep::OnePerComponent);
        let decided: Vec<_> = decided.iter().map(|d| (d.file.0, d.keeper.0, d.similarity)).collect();
        let chain = [(1, 1, 1.0), (2, 1, 0.7), (3, 1, 0.9), (4, 1, 0.8)];
        assert_eq!(decided[..4], chain);
        assert_eq!(decided[4..], [(5, 5, 1.0), (8, 5, 0.75), (9, 5, 1.0)]);
    }

    #[test]
    fn repeated_edges_change_nothing() {
        assert_eq!(decide(&[(1, 2, 0.8), (1, 2, 0.8)]), decide(&[(1, 2, 0.8)]));
        assert_eq!(decide(&[]), []);
    }

    #[test]
    fn too_many_edges_or_files_are_refused() {
        let mut keepers = Keepers::new(0.7, Keep::Greedy);
        keepers.within(2 * EDGE_BYTES + 3 * FILE_BYTES);
        assert!(keepers.check_size(&graph(&[(1, 2, 0.8), (2, 3, 0.8)])).is_ok());
        assert!(
            keepers
                .check_size(&graph(&[(1, 2, 0.8), (2, 3, 0.8), (1, 3, 0.8)]))
                .is_err()
        );
        assert!(keepers.check_size(&graph(&[(1, 2, 0.8), (3, 4, 0.8)])).is_err());
    }
}
