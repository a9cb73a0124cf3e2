//! Where a document goes: its partition, and its place in the shuffle of that partition.
//!
//! ```text
//!   partition   hash(seed, repo_name, shard, block, "route") mod partitions       block = row / repository-block,
//!   place       hash(seed, repo_name, shard, row,   "order"), then shard, row     or the row itself if it is large
//! ```
//! Both are functions of the row alone, so no task has to know how large a repository is: rows of a repository stand
//! together in the corpus, so a repository of up to `repository-block` rows falls into one or two blocks, and a larger
//! one into many that no partition has to hold together.

use stackmill_schemas::fingerprint::seeded;

/// Tokens above which a document is a block of its own.
pub const LARGE_DOCUMENT: usize = 1 << 16;

/// Seed and block length of a run.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Seed of both hashes.
    pub seed: u64,
    /// Rows in a block.
    pub repository_block: u32,
}

/// A document as the corpus names it.
#[derive(Clone, Copy, Debug)]
pub struct Position<'a> {
    /// The repository.
    pub repo_name: &'a str,
    /// The corpus part.
    pub shard: u32,
    /// The row in that part.
    pub row: u32,
}

impl Order {
    /// The partition of a document of `tokens` tokens; `partitions` is at least 1.
    pub fn partition(&self, at: Position<'_>, tokens: usize, partitions: u32) -> u32 {
        let (block, kind) = if tokens > LARGE_DOCUMENT {
            (at.row, b"alone")
        } else {
            (at.row / self.repository_block, b"route")
        };
        (self.hash(at, block, kind) % u64::from(partitions)) as u32
    }

    /// The place of a document in the shuffle; ties are broken by shard and row.
    pub fn place(&self, at: Position<'_>) -> u64 {
        self.hash(at, at.row, b"order")
    }

    fn hash(&self, at: Position<'_>, number: u32, kind: &[u8; 5]) -> u64 {
        let mut key = Vec::with_capacity(at.repo_name.len() + 13);
        key.extend_from_slice(at.repo_name.as_bytes());
        key.extend_from_slice(&at.shard.to_le_bytes());
        key.extend_from_slice(&number.to_le_bytes());
        key.extend_from_slice(kind);
        seeded(self.seed, &key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: Order = Order {
        seed: 7,
        repository_block: 256,
    };

    fn at(repo_name: &str, row: u32) -> Position<'_> {
        Position {
            repo_name,
            shard: 3,
            row,
        }
    }

    #[test]
    fn rows_of_a_block_travel_together_and_blocks_do_not() {
        let partition = |row| ORDER.partition(at("a/b", row), LARGE_DOCUMENT, 1 << 20);
        assert_eq!(partition(0), partition(255));
        assert_ne!(partition(255), partition(256));
    }

    #[test]
    fn a_large_document_travels_alone() {
        let partition = |row, tokens| ORDER.partition(at("a/b", row), tokens, 1 << 20);
        assert_ne!(partition(1, LARGE_DOCUMENT + 1), partition(2, LARGE_DOCUMENT + 1));
        assert_ne!(partition(1, LARGE_DOCUMENT), partition(1, LARGE_DOCUMENT + 1));
    }

    #[test]
    fn one_repository_of_many_rows_fills_partitions_evenly() {
        let mut rows = [0u32; 16];
        (0..1 << 18).for_each(|row| rows[ORDER.partition(at("linux", row), 100, 16) as usize] += 1);
        let even = (1u32 << 18) / 16;
        assert!(
            rows.iter().all(|count| (even / 2..even * 2).contains(count)),
            "{rows:?}"
        );
    }

    #[test]
    fn places_depend_on_every_part_of_the_key() {
        let place = ORDER.place(at("a/b", 1));
        let other_shard = Position {
            shard: 4,
            ..at("a/b", 1)
        };
        let other_seed = Order { seed: 8, ..ORDER };
        for other in [
            ORDER.place(at("a/b", 2)),
            ORDER.place(at("a/c", 1)),
            ORDER.place(other_shard),
            other_seed.place(at("a/b", 1)),
        ] {
            assert_ne!(place, other);
        }
    }
}
