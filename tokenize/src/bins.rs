//! Best-fit-decreasing: pieces of given lengths into as few bins of one capacity as that heuristic finds.
//!
//! After Ding et al. 2024, "Fewer Truncations Improve Language Modeling": the longest piece first, each into the fullest
//! bin that still has room for it, else into a new one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// For each bin the indices of its pieces, ascending; no length is over `capacity`.
///
/// A piece that fits nowhere opens a bin. Of equally full bins the one filled last is taken, of equally long pieces the
/// first, so the outcome is a function of `lengths` alone.
pub(crate) fn best_fit(lengths: &[usize], capacity: usize) -> Vec<Vec<usize>> {
    let mut longest_first: Vec<usize> = (0..lengths.len()).collect();
    longest_first.sort_unstable_by_key(|piece| (Reverse(lengths[*piece]), *piece));
    let mut bins: Vec<Vec<usize>> = Vec::new();
    let mut by_room: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for piece in longest_first {
        let length = lengths[piece];
        let (bin, room) = take(&mut by_room, length).unwrap_or_else(|| {
            bins.push(Vec::new());
            (bins.len() - 1, capacity)
        });
        bins[bin].push(piece);
        if room > length {
            by_room.entry(room - length).or_default().push(bin);
        }
    }
    bins.iter_mut().for_each(|bin| bin.sort_unstable());
    bins
}

/// Takes out the bin with the least room that is at least `length`, and says how much that is.
fn take(by_room: &mut BTreeMap<usize, Vec<usize>>, length: usize) -> Option<(usize, usize)> {
    let mut entry = by_room.range_mut(length..);
    let (&room, bins) = entry.next()?;
    let bin = bins.pop()?;
    if bins.is_empty() {
        by_room.remove(&room);
    }
    Some((bin, room))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pieces_go_into_the_fullest_bin_with_room() {
        assert_eq!(best_fit(&[], 10), Vec::<Vec<usize>>::new());
        assert_eq!(best_fit(&[10, 9, 1, 1], 10), [vec![0], vec![1, 2], vec![3]]);
        assert_eq!(best_fit(&[2, 7, 3, 8], 10), [vec![0, 3], vec![1, 2]]);
    }

    proptest! {
        #[test]
        fn every_piece_is_in_one_bin_and_bins_are_at_most_a_bin_away_from_half_full(
            lengths in prop::collection::vec(1usize..=50, 0..200),
        ) {
            let bins = best_fit(&lengths, 50);
            let mut pieces: Vec<usize> = bins.concat();
            pieces.sort_unstable();
            prop_assert_eq!(pieces, (0..lengths.len()).collect::<Vec<_>>());
            let fills: Vec<usize> = bins.iter().map(|bin| bin.iter().map(|piece| lengths[*piece]).sum()).collect();
            prop_assert!(fills.iter().all(|fill| *fill <= 50));
            prop_assert!(fills.iter().filter(|fill| **fill <= 25).count() <= 1);
        }
    }
}
