//! Which edges hang together, found by star contraction when there are more edges than one task can hold.
//!
//! ```text
//!   small star   rows by b        u, and its neighbours before u   ► to the earliest of them
//!   large star   rows by a and b  the neighbours after u           ► to the earliest neighbour, or u itself
//!   in turns, until every component is one star: its earliest file is a, each of its other files is b of one row
//! ```
//! Kiveris et al. 2014, "Connected Components in MapReduce and Beyond": the number of turns grows with the logarithm of
//! the number of files. A row is `rank_a`, `rank_b`, a before b; a turn makes one row of each, and drops repetitions that
//! are near each other. Rows of a partition are read twice, first to find the earliest neighbours, then to be turned, so
//! memory is near 60 bytes a file of the partition and 64 MiB of rows, however many neighbours a file has.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use stackmill_schemas::stage::{Emit, Scatter};
use stackmill_schemas::{Error, Result};

use super::edges::Pairs;
pub use super::edges::pair_batch;
pub(crate) use super::edges::{attached_schema, pair_schema};
use super::sketch::mix;
use super::verify::edge_schema;
use crate::rows::{FixedColumn, RANK_BYTES, partition_of};

/// Key of the hash that finds a file in a table: digits of pi.
pub(super) const FILE_KEY: u64 = 0xC0AC_29B7_C97C_50DD;
/// Key of the hash that finds a file's partition; another one, or tables would be filled unevenly.
const PARTITION_KEY: u64 = 0x3F84_D5B5_B547_0917;

/// When components are needed, and how they are shared out.
#[derive(Clone, Copy, Debug)]
pub struct Components {
    at_once: u64,
}

impl Components {
    pub(super) fn new(edges_at_once: u64) -> Self {
        Self { at_once: edges_at_once }
    }

    /// Whether one task can decide about so many edges.
    pub fn fit(&self, edges: u64) -> bool {
        edges <= self.at_once
    }

    /// Partitions of edges and stars, for so many files: a table of files costs more than as many edges.
    pub fn partitions(&self, files: u64) -> u32 {
        count(files.div_ceil((self.at_once / 2).max(1)))
    }

    /// Partitions of `near-keepers`, for so many edges: 1 if they fit, else as many as leave room for unequal shares.
    pub fn deciders(&self, edges: u64) -> u32 {
        match self.fit(edges) {
            true => 1,
            false => count(edges.div_ceil((self.at_once / 2).max(1))),
        }
    }

    /// The columns of edges, as `near-verify` emits them.
    pub fn edge_schema(&self) -> SchemaRef {
        edge_schema()
    }

    /// The columns of stars: `rank_a`, `rank_b`.
    pub fn star_schema(&self) -> SchemaRef {
        pair_schema()
    }
}

fn count(partitions: u64) -> u32 {
    u32::try_from(partitions.max(1)).unwrap_or(u32::MAX)
}

/// Hash of a rank.
pub(super) fn rank_hash(rank: u128, key: u64) -> u64 {
    mix((rank >> 64) as u64 ^ mix(rank as u64, key), key)
}

fn place(rank: u128, partitions: u32) -> u32 {
    partition_of(rank_hash(rank, PARTITION_KEY), partitions)
}

/// Both ends of all rows of edges or stars.
fn ends(rows: &RecordBatch) -> Result<impl Iterator<Item = Result<(u128, u128)>>> {
    let a = FixedColumn::<RANK_BYTES>::of(rows, "rank_a")?;
    let b = FixedColumn::<RANK_BYTES>::of(rows, "rank_b")?;
    Ok((0..rows.num_rows()).map(move |i| {
        let (a, b) = (a.rank(i)?, b.rank(i)?);
        match a < b {
            true => Ok((a, b)),
            false => Err(Error::bug("an edge does not go forward in rank order")),
        }
    }))
}

/// What a turn does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A file and its earlier neighbours go to the earliest of them.
    Small,
    /// The later neighbours of a file go to its earliest.
    Large,
}

impl Turn {
    /// Sends rows where this turn is going to read them: [`Turn::Small`] wants all rows of a file b in one partition,
    /// [`Turn::Large`] all rows of a file, so a row goes to two partitions, or once to one.
    pub fn scatter(self, rows: &RecordBatch, to: &mut Scatter<'_>) -> Result<()> {
        let partitions = to.partitions;
        let ends: Vec<(u128, u128)> = ends(rows)?.collect::<Result<_>>()?;
        let of_b: Vec<u32> = ends.iter().map(|(_, b)| place(*b, partitions)).collect();
        to.send(rows.clone(), &of_b)?;
        if self == Self::Large {
            let of_a = ends.iter().map(|ends| (*ends, place(ends.0, partitions)));
            let apart = of_a.zip(&of_b).filter(|((_, a), b)| a != *b);
            let (ends, of_a): (Vec<_>, Vec<u32>) = apart.map(|(row, _)| row).unzip();
            to.send(pair_batch(&ends)?, &of_a)?;
        }
        Ok(())
    }
}

/// The earliest neighbour of each file.
#[derive(Default)]
struct Earliest(HashTable<(u128, u128)>);

impl Earliest {
    fn see(&mut self, file: u128, neighbour: u128) {
        let hash = |found: &(u128, u128)| rank_hash(found.0, FILE_KEY);
        match self.0.entry(rank_hash(file, FILE_KEY), |found| found.0 == file, hash) {
            Entry::Occupied(mut found) => {
                let earliest = &mut found.get_mut().1;
                *earliest = neighbour.min(*earliest);
            }
            Entry::Vacant(free) => {
                free.insert((file, neighbour));
            }
        }
    }

    fn of(&self, file: u128) -> Result<u128> {
        let found = self.0.find(rank_hash(file, FILE_KEY), |found| found.0 == file);
        let found = found.ok_or_else(|| Error::bug("a file has an edge and no component"))?;
        Ok(found.1)
    }
}

/// One partition of a turn: [`see`](Self::see) every row, then [`turn`](Self::turn) every row.
pub struct Star {
    turn: Turn,
    /// The partition, and the number of them.
    here: (u32, u32),
    earliest: Earliest,
    pairs: Pairs,
    moved: u64,
}

impl Star {
    /// For partition `index` of `partitions`.
    pub fn new(turn: Turn, index: u32, partitions: u32) -> Self {
        Self {
            turn,
            here: (index, partitions),
            earliest: Earliest::default(),
            pairs: Pairs::default(),
            moved: 0,
        }
    }

    fn is_here(&self, file: u128) -> bool {
        place(file, self.here.1) == self.here.0
    }

    /// Takes note of the neighbours of files.
    pub fn see(&mut self, rows: &RecordBatch) -> Result<()> {
        for ends in ends(rows)? {
            let (a, b) = ends?;
            if self.turn == Turn::Small || self.is_here(b) {
                self.earliest.see(b, a);
            }
            if self.turn == Turn::Large && self.is_here(a) {
                self.earliest.see(a, a);
            }
        }
        Ok(())
    }

    /// Emits what becomes of rows, once all were seen.
    pub fn turn(&mut self, rows: &RecordBatch, emit: &mut Emit<'_>) -> Result<()> {
        for ends in ends(rows)? {
            let (a, b) = ends?;
            match self.turn {
                Turn::Small => self.small(a, b, emit)?,
                Turn::Large => self.large(a, b, emit)?,
            }
        }
        Ok(())
    }

    fn small(&mut self, a: u128, b: u128, emit: &mut Emit<'_>) -> Result<()> {
        let earliest = self.earliest.of(b)?;
        let (earliest, file) = if a == earliest { (a, b) } else { (earliest, a) };
        self.pairs.push_or_emit(earliest, file, emit)
    }

    fn large(&mut self, a: u128, b: u128, emit: &mut Emit<'_>) -> Result<()> {
        if self.is_here(b) {
            self.moved += u64::from(self.earliest.of(b)? != a);
        }
        if self.is_here(a) {
            let earliest = self.earliest.of(a)?;
            self.moved += u64::from(earliest != a);
            self.pairs.push_or_emit(earliest, b, emit)?;
        }
        Ok(())
    }

    /// Emits the last rows. Gives the number of rows that were not those of a star around the earliest file of its
    /// component: once a large star finds none in any partition, components are known.
    pub fn finish(mut self, emit: &mut Emit<'_>) -> Result<u64> {
        self.pairs.emit_all(emit)?;
        Ok(self.moved)
    }
}

/// The component of each file b of a partition: what the last large star emitted, by file b.
#[derive(Default)]
pub struct Labels(Earliest);

impl Labels {
    /// Takes note of rows of stars.
    pub fn see(&mut self, stars: &RecordBatch) -> Result<()> {
        for ends in ends(stars)? {
            let (earliest, file) = ends?;
            self.0.see(file, earliest);
        }
        Ok(())
    }

    /// Sends edges where the others of their component go.
    pub fn scatter(&self, edges: &RecordBatch, to: &mut Scatter<'_>) -> Result<()> {
        let places = ends(edges)?.map(|ends| Ok(place(self.0.of(ends?.1)?, to.partitions)));
        let places: Vec<u32> = places.collect::<Result<_>>()?;
        to.send(edges.clone(), &places)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use stackmill_schemas::context::Homes;
    use stackmill_schemas::stage::{Exchange, Partition};
    use stackmill_schemas::{Decision, fingerprint};

    use super::*;
    use crate::harness::{World, decisions_of};
    use crate::near::Keepers;
    use crate::near::verify::{Edge, edge_batch};

    /// The rows of each partition.
    type Spilled = Vec<Vec<RecordBatch>>;

    fn spill(partitions: u32, scatter: impl FnOnce(&mut Scatter<'_>) -> Result<()>) -> Spilled {
        let mut spilled = vec![Vec::new(); partitions as usize];
        let homes = Homes::default();
        let mut send = |rows: RecordBatch, to: &[u32]| {
            assert_eq!(rows.num_rows(), to.len());
            (0..)
                .zip(to)
                .for_each(|(i, to)| spilled[*to as usize].push(rows.slice(i, 1)));
            Ok(())
        };
        let (send, homes) = (&mut send, &homes);
        let mut to = Scatter {
            send,
            partitions,
            homes,
        };
        scatter(&mut to).expect("scattered");
        spilled
    }

    /// One turn of all partitions: what goes to the next, and the number of rows moved.
    fn turned(turn: Turn, next: Turn, spilled: &Spilled) -> (Spilled, u64) {
        let partitions = spilled.len() as u32;
        let mut moved = 0;
        let next = spill(partitions, |to| {
            for (index, rows) in (0..).zip(spilled) {
                let mut star = Star::new(turn, index, partitions);
                rows.iter().try_for_each(|rows| star.see(rows))?;
                let mut send = |rows: RecordBatch| next.scatter(&rows, to);
                rows.iter().try_for_each(|rows| star.turn(rows, &mut Emit(&mut send)))?;
                moved += star.finish(&mut Emit(&mut send))?;
            }
            Ok(())
        });
        (next, moved)
    }

    /// Stars by file b, and the number of turns.
    fn contracted(edges: &Spilled) -> (Spilled, u32) {
        let mut stars = edges.clone();
        for turns in (2..).step_by(2) {
            let (large, _) = turned(Turn::Small, Turn::Large, &stars);
            let (small, moved) = turned(Turn::Large, Turn::Small, &large);
            if moved == 0 {
                return (small, turns);
            }
            stars = small;
        }
        unreachable!("turns come to an end")
    }

    fn by_b(edges: &[Edge], partitions: u32) -> Spilled {
        let rows = edge_batch(edges).expect("edges");
        spill(partitions, |to| Turn::Small.scatter(&rows, to))
    }

    /// What is decided component by component, shared out to `deciders`.
    fn apart(edges: &[Edge], partitions: u32, deciders: u32) -> Vec<Decision> {
        let spilled = by_b(edges, partitions);
        let (stars, _) = contracted(&spilled);
        let shares = spill(deciders, |to| {
            for (stars, edges) in stars.iter().zip(&spilled) {
                let mut labels = Labels::default();
                stars.iter().try_for_each(|stars| labels.see(stars))?;
                edges.iter().try_for_each(|edges| labels.scatter(edges, to))?;
            }
            Ok(())
        });
        decided(&shares)
    }

    fn decided(shares: &[Vec<RecordBatch>]) -> Vec<Decision> {
        let mut out = Vec::new();
        for (index, rows) in (0..).zip(shares) {
            let batches = Box::new(rows.clone().into_iter().map(Ok));
            let mut emit = |batch: RecordBatch| {
                out.push(batch);
                Ok(())
            };
            let partition = Partition { index, batches };
            let cx = World::default().context();
            let decided = Keepers::new(0.5, super::super::Keep::Greedy).gather(partition, &mut Emit(&mut emit), &cx);
            decided.expect("decided");
        }
        decisions_of(&out)
    }

    fn together(edges: &[Edge]) -> Vec<Decision> {
        decided(&[vec![edge_batch(edges).expect("edges")]])
    }

    /// The earliest file of each file's component, by painting neighbours until nothing changes.
    fn painted(edges: &[Edge]) -> BTreeMap<u128, u128> {
        let mut colours: BTreeMap<u128, u128> =
            edges.iter().flat_map(|edge| [edge.a, edge.b]).map(|f| (f, f)).collect();
        loop {
            let before = colours.clone();
            for edge in edges {
                let colour = colours[&edge.a].min(colours[&edge.b]);
                colours.extend([(edge.a, colour), (edge.b, colour)]);
            }
            if colours == before {
                return colours;
            }
        }
    }

    /// The rank of file `file`: its order among others is shuffled by `seed`, 0 leaves it.
    fn rank(file: u64, seed: u64) -> u128 {
        let standing = match seed {
            0 => 0,
            seed => fingerprint::seeded(seed, &file.to_le_bytes()) >> 32,
        };
        u128::from(standing) << 64 | u128::from(file)
    }

    fn edge(x: u64, y: u64, seed: u64, similarity: f64) -> Edge {
        let (x, y) = (rank(x, seed), rank(y, seed));
        let a = x.min(y);
        Edge {
            a,
            b: x.max(y),
            blob_a: Some([a as u8; 20]),
            similarity,
        }
    }

    #[derive(Clone, Debug)]
    struct Shape {
        edges: Vec<(u64, u64)>,
    }

    /// Pairs at random, chains, stars and cliques; several of them side by side.
    fn graphs() -> impl Strategy<Value = Vec<Edge>> {
        let piece = (0u8..4, 2u64..14, prop::collection::vec((0u64..14, 0u64..14), 0..20));
        let shape = |(kind, size, random): (u8, u64, Vec<(u64, u64)>)| {
            let all = (0..size).flat_map(|y| (0..y).map(move |x| (x, y)));
            let edges = match kind {
                0 => all.filter(|(x, y)| x + 1 == *y).collect(),
                1 => all.filter(|(x, _)| *x == size / 2).collect(),
                2 => all.collect(),
                _ => random.into_iter().filter(|(x, y)| x != y).collect(),
            };
            Shape { edges }
        };
        let pieces = prop::collection::vec(piece.prop_map(shape), 1..6);
        (pieces, 0u64..1000, any::<u64>()).prop_map(|(pieces, seed, similar)| {
            // Equal pairs are equally alike.
            let similarity =
                |x: u64, y: u64| [1.0, 0.9, 0.75, 0.5][(similar.rotate_left((x * 5 + y * 3) as u32) & 3) as usize];
            let mut edges = Vec::new();
            for (piece, first) in pieces.iter().zip((0..).step_by(14)) {
                let ordered = piece.edges.iter().map(|(x, y)| (first + x.min(y), first + x.max(y)));
                edges.extend(ordered.map(|(x, y)| edge(x, y, seed, similarity(x, y))));
            }
            edges
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Mutations: route edges by the label of nobody's component (`place(b)`); end when a small star moves nothing;
        /// forget in `large` to look at rows of file b.
        #[test]
        fn components_apart_are_decided_as_together(edges in graphs(), partitions in 1u32..6, deciders in 1u32..6) {
            prop_assert_eq!(apart(&edges, partitions, deciders), together(&edges));
        }

        #[test]
        fn stars_are_around_the_earliest_file(edges in graphs(), partitions in 1u32..6) {
            let (stars, _) = contracted(&by_b(&edges, partitions));
            let rows = stars.iter().flatten().flat_map(|rows| ends(rows).expect("stars"));
            let found: BTreeMap<u128, u128> = rows.map(|ends| ends.expect("ranks")).map(|(a, b)| (b, a)).collect();
            let expected = painted(&edges).into_iter().filter(|(file, earliest)| file != earliest);
            prop_assert_eq!(found, expected.collect::<BTreeMap<_, _>>());
        }
    }

    #[test]
    fn turns_grow_with_the_logarithm_of_a_chain() {
        for seed in [0, 7] {
            let edges: Vec<Edge> = (0..10_000).map(|i| edge(i, i + 1, seed, 0.8)).collect();
            let (stars, turns) = contracted(&by_b(&edges, 3));
            assert_eq!(stars.iter().flatten().map(RecordBatch::num_rows).sum::<usize>(), 10_000);
            assert!(turns <= 2 * 16, "{turns} turns with seed {seed}");
        }
    }

    #[test]
    fn partitions_follow_the_number_of_files_and_edges() {
        let components = Components::new(2 << 20);
        assert_eq!(
            [0, 1 << 20, (1 << 20) + 1].map(|files| components.partitions(files)),
            [1, 1, 2]
        );
        assert_eq!(
            [0, 2 << 20, (2 << 20) + 1].map(|edges| components.deciders(edges)),
            [1, 1, 3]
        );
        assert_eq!(Components::new(1).partitions(5), 5);
    }

    #[test]
    fn an_edge_back_in_rank_order_is_refused() {
        let edge = Edge {
            a: 2,
            b: 1,
            blob_a: None,
            similarity: 0.8,
        };
        let rows = edge_batch(&[edge]).expect("edges");
        assert!(Star::new(Turn::Small, 0, 1).see(&rows).is_err());
    }
}
