//! N-grams of ordinary code: those that benchmarks share with repositories that have nothing to do with them.
//!
//! ```text
//!   packs/common.list     hashes of 40 bits, little endian, ascending, each once; nothing else
//! ```
//!
//! The list was made by `benches/leakage common` from packages of crates.io and PyPI and from collections of textbook
//! algorithms: an n-gram of a shipped pack is on it if three of these projects or more have it. A finding that rests on
//! such n-grams alone is of the tier *common*.

use std::sync::LazyLock;

use super::grams::HASH_BITS;

/// Bytes of one hash.
const HASH_BYTES: usize = HASH_BITS as usize / 8;

static BYTES: &[u8] = include_bytes!("../../packs/common.list");

static HASHES: LazyLock<Vec<u64>> = LazyLock::new(|| parse(BYTES));

fn parse(bytes: &[u8]) -> Vec<u64> {
    let hash = |chunk: &[u8]| chunk.iter().rev().fold(0, |hash, &byte| hash << 8 | u64::from(byte));
    bytes.chunks_exact(HASH_BYTES).map(hash).collect()
}

/// The bytes of a list of `hashes`, which ascend.
pub fn common_list(hashes: &[u64]) -> Vec<u8> {
    hashes
        .iter()
        .flat_map(|hash| hash.to_le_bytes().into_iter().take(HASH_BYTES))
        .collect()
}

/// Whether an n-gram is on the list.
pub(super) fn holds(hash: u64) -> bool {
    HASHES.binary_search(&hash).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sound_and_comes_back_as_it_went() {
        assert!(BYTES.len().is_multiple_of(HASH_BYTES));
        assert!(HASHES.len() > 1_000 && HASHES.is_sorted_by(|a, b| a < b));
        assert_eq!(common_list(&HASHES), BYTES);
        assert!(holds(HASHES[0]) && !holds(HASHES[0] + 1 + u64::from(holds(HASHES[0] + 1))));
    }
}
