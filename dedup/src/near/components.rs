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

use super::edges::{Pairs, pair_batch, pair_schema};
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
