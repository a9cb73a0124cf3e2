//! Hashes into sorted sets. Hashes are even, so their leading bits say nearly where each belongs.
//!
//! ```text
//!   by digits   two passes over 2 · b leading bits, the lower digit first; then neighbours that are still wrong
//!   by runs     one pass by b leading bits, for vectors that settle runs of up to 16 in one register (`super::kernel`)
//! ```

/// Hashes that are remembered as seen; a power of two.
const RECENT: usize = 512;
/// Sets up to this size are sorted by comparison alone.
const SMALL: usize = 16;
/// Most bits of a digit: its counters stay in the first cache.
const DIGIT_MAX: u32 = 13;
/// Steps a hash that neighbours may take, on average, before hashes count as uneven: then they are compared.
const STEPS: usize = 8;

/// Room to sort in.
#[derive(Clone, Debug, Default)]
pub(super) struct Room {
    /// Hashes on their way.
    pub(super) spread: Vec<u32>,
    /// Ends of runs, or of digits.
    pub(super) ends: Vec<u32>,
}

/// Sorts small lists and drops repetitions; says whether it did.
pub(super) fn is_small(list: &mut Vec<u32>) -> bool {
    let small = list.len() <= SMALL;
    if small {
        list.sort_unstable();
        list.dedup();
    }
    small
}

/// Sorts a list by digits and drops repetitions.
pub(super) fn by_digits(list: &mut Vec<u32>, room: &mut Room) {
    let bits = (list.len().max(2).ilog2() + 7).div_ceil(2).min(DIGIT_MAX);
    let high = |hash: u32| (hash >> (32 - bits)) as usize;
    let low = |hash: u32| high(hash << bits);
    let Room { spread, ends } = room;
    ends.clear();
    ends.resize(2 << bits, 0);
    let (highs, lows) = ends.split_at_mut(1 << bits);
    for hash in &*list {
        highs[high(*hash)] += 1;
        lows[low(*hash)] += 1;
    }
    starts(highs);
    starts(lows);
    spread.resize(list.len(), 0);
    put(list, lows, spread, low);
    put(spread, highs, list, high);
    mend(list);
    list.dedup();
}

/// Counts become the places where the first of each is put.
fn starts(counts: &mut [u32]) {
    let mut start = 0;
    for count in counts {
        start += std::mem::replace(count, start);
    }
}

#[inline(always)]
fn put(from: &[u32], places: &mut [u32], to: &mut [u32], digit: impl Fn(u32) -> usize) {
    for hash in from {
        let place = &mut places[digit(*hash)];
        to[*place as usize] = *hash;
        *place += 1;
    }
}

/// Sorts a list that is nearly sorted. Hashes that were made to be uneven cost no more than a sort by comparison.
fn mend(list: &mut [u32]) {
    let mut steps = 0;
    for i in 1..list.len() {
        let value = list[i];
        let mut at = i;
        while at > 0 && list[at - 1] > value {
            list[at] = list[at - 1];
            at -= 1;
        }
        list[at] = value;
        steps += i - at;
        if steps > STEPS * list.len() {
            list.sort_unstable();
            return;
        }
    }
}

/// Puts the hashes of `list` into runs of 4 to 8 in `room`, by their leading bits. Few repetitions get there, as they would
/// make runs long.
pub(super) fn by_runs(list: &mut Vec<u32>, room: &mut Room) {
    let bits = (list.len() / 4).max(2).ilog2();
    let place = |hash: u32| (hash >> (32 - bits)) as usize;
    let Room { spread, ends } = room;
    ends.clear();
    ends.resize(1 << bits, 0);
    let (mut recent, mut count) = (Recent::new(), 0);
    for i in 0..list.len() {
        let hash = list[i];
        list[count] = hash;
        let is_new = recent.is_new(hash);
        count += usize::from(is_new);
        ends[place(hash)] += u32::from(is_new);
    }
    list.truncate(count);
    starts(ends);
    spread.resize(list.len(), 0);
    put(list, ends, spread, place);
}

/// Hashes of late.
struct Recent([u32; RECENT]);

impl Recent {
    fn new() -> Self {
        let mut hashes = [0; RECENT];
        // The hash 0 has place 0 and has not been seen.
        hashes[0] = 1;
        Self(hashes)
    }

    fn is_new(&mut self, hash: u32) -> bool {
        std::mem::replace(&mut self.0[hash as usize % RECENT], hash) != hash
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::kernel::{Kernel, Level};
    use super::*;

    fn sorted(level: Level, list: &[u32]) -> Vec<u32> {
        let (mut list, mut room) = (list.to_vec(), Room::default());
        Kernel::new(level).sort(&mut list, &mut room);
        list
    }

    proptest! {
        /// Mutation: leave `mend` or the second pass out.
        #[test]
        fn lists_become_sets(
            even in prop::collection::vec(any::<u32>(), 0..600),
            uneven in prop::collection::vec(0u32..50, 0..600),
            shift in 0u32..27,
        ) {
            let list: Vec<u32> = even.iter().copied().chain(uneven.iter().map(|hash| hash << shift)).chain(even.iter().copied()).collect();
            let mut expected = list.clone();
            expected.sort_unstable();
            expected.dedup();
            for level in [Level::Portable, Level::Avx512] {
                prop_assert_eq!(&sorted(level, &list), &expected);
            }
        }
    }

    #[test]
    fn uneven_hashes_are_sorted_too() {
        let list: Vec<u32> = (0..5000).rev().collect();
        let expected: Vec<u32> = (0..5000).collect();
        assert_eq!(sorted(Level::Portable, &list), expected);
        assert_eq!(sorted(Level::Avx512, &list), expected);
    }
}
