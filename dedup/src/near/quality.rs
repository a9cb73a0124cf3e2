//! How many of the pairs a run found, an estimate from the edges that it verified; and of the files that it removed, how
//! many are as alike as asked for, a count.
//!
//! ```text
//!   a pair of Jaccard index J meets in a bucket with the chance p(J) of the collision curve
//!   an edge that was found           stands for 1 / p pairs, so for (1 − p) / p that were missed       Σ = missed
//!   95% interval of what was missed  all M with (Σ − M)² <= t² · (variance / Σ) · M                    whole pairs, outwards
//!   variance: the largest of
//!     each pair on its own           Σ (1 − p) / p²
//!     jackknife, a band at a time    (bands − 1) / bands · Σ (pairs lost without the band − mean)²
//!     if few are missed, 64 times    Σ · 8 · mean of (edges of an eighth of the bands alone − expected)² / expected
//! ```
//! Pairs that are alike enough and met nowhere are so counted by those that did (Horvitz and Thompson 1952). Pairs of one
//! family are found or missed together, so they are no draws of their own; bands are, whatever hangs together: hence a
//! jackknife (Tukey 1958) over bands. Where 99% are found, hardly an edge hangs on one band: there, runs without an
//! eighth of the bands show in what lots pairs are missed; eight times, as they differ from the whole by an eighth of what
//! draws differ. What is missed comes in few, uneven lots, so its variance is taken to grow with it, as in Wilson's
//! interval (1927).
//!
//! The interval is about the draw of this seed: in 95 of 100 runs of other seeds it holds the share that each of them
//! found. Pairs are those that a run compares: equal sets with the first of them alone. What the curve does not know is in
//! neither: buckets over `bucket-limit`, where not all are compared. Sums are whole numbers, so they do not depend on who
//! counted what in which order, and take less than a kilobyte. More than 64 bands are taken in 64 groups.

use arrow_array::{Array, RecordBatch};
use serde::{Deserialize, Serialize};
use stackmill_schemas::{Outcome, Result, columns, fingerprint};

use super::planner::{Banding, probability};
use super::verify::MET;

/// What stands for one in the sums: 2^20.
const UNIT: f64 = 1_048_576.0;
/// The most that one edge stands for: 2^20 pairs.
const MOST: f64 = UNIT;
/// Chance of a pair at the threshold to be found below which those that were found say too little of those that were not.
const LEAST_CHANCE: f64 = 0.05;
/// Groups of bands at most: bits of the column `met`.
const GROUPS: u32 = u64::BITS;
/// Parts of the bands, each without one in [`PART`], that are looked at.
const PARTS: u64 = 64;
/// Share of pairs missed below which hardly an edge hangs on one band alone.
const FEW: f64 = 0.01;
/// One in so many groups of bands is left out of a part.
const PART: u32 = 8;
/// 97.5% points of Student's t, by degrees of freedom from 1 on.
const STUDENT: [f64; 30] = [
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/// The collision curve of a run, by which found edges are weighed.
#[derive(Clone, Copy, Debug)]
pub struct Curve {
    banding: Banding,
    threshold: f64,
}

impl Curve {
    pub(super) fn new(banding: Banding, threshold: f64) -> Self {
        Self { banding, threshold }
    }

    /// Counts edges, as `near-verify` emits them, into `found`; those below the threshold, where they are let through, not.
    pub fn count(self, edges: &RecordBatch, found: &mut Found) -> Result<()> {
        let similarities = columns::f64s(edges, "similarity")?.values();
        let met = columns::u64s(edges, MET)?;
        let parts = self.parts();
        found.lost.resize(self.groups() as usize, 0);
        found.parts.resize(parts.len(), 0);
        let wanted = (0..edges.num_rows()).filter(|row| similarities[*row] >= self.threshold);
        for row in wanted {
            let similarity = similarities[row];
            let chance = self.chance(similarity, self.banding.bands);
            let missed = (1.0 - chance) / chance;
            found.pairs += 1;
            add(&mut found.missed, missed);
            add(&mut found.variance, missed / chance);
            if met.is_valid(row) {
                self.mark((similarity, met.value(row)), &parts, found);
            }
        }
        Ok(())
    }

    /// Counts what had been lost of an edge with fewer bands.
    fn mark(self, (similarity, met): (f64, u64), parts: &[u64], found: &mut Found) {
        let (bands, groups) = (self.banding.bands, self.groups());
        if groups > 1 && met.count_ones() == 1 {
            let less = self.chance(similarity, bands - bands / groups);
            add(&mut found.lost[met.trailing_zeros() as usize], 1.0 / less);
        }
        let left = self.chance(similarity, bands * self.left() / groups);
        add(&mut found.expected, 1.0 - left / self.chance(similarity, bands));
        for (sum, part) in found.parts.iter_mut().zip(parts) {
            *sum += u64::from(met & part == 0);
        }
    }

    fn groups(self) -> u32 {
        self.banding.bands.min(GROUPS)
    }

    /// Groups of a part.
    fn left(self) -> u32 {
        self.groups() - self.groups().div_ceil(PART)
    }

    /// Parts of the groups, by hashes of their numbers.
    fn parts(self) -> Vec<u64> {
        let part = |number: u64| {
            let mut groups: Vec<u32> = (0..self.groups()).collect();
            groups.sort_by_key(|group| fingerprint::seeded(number, &group.to_le_bytes()));
            let left = &groups[..self.left() as usize];
            left.iter().fold(0, |bits, group| bits | 1 << group)
        };
        (0..PARTS).map(part).collect()
    }

    /// Counts what `near-keepers` decides: files removed, and those of them whose similarity reaches the threshold. That is
    /// the similarity to the keeper, where files that only hang together are not removed.
    pub fn judge(self, decisions: &RecordBatch, found: &mut Found) -> Result<()> {
        let outcomes = columns::strings(decisions, "outcome")?.iter();
        let similarities = columns::f64s(decisions, "similarity")?.values();
        let removed = outcomes
            .zip(similarities)
            .filter(|(outcome, _)| *outcome == Some(Outcome::Dropped.as_str()));
        for (_, similarity) in removed {
            found.removed += 1;
            found.removed_alike += u64::from(*similarity >= self.threshold);
        }
        Ok(())
    }

    fn chance(self, similarity: f64, bands: u32) -> f64 {
        probability(similarity, bands, self.banding.rows).max(1.0 / MOST)
    }

    /// The share of the pairs that was found, by estimate; none where no pair was found, and where those that were say
    /// nothing about others: with one band alone, or if hardly any pair at the threshold is ever found.
    pub fn recall(self, found: &Found) -> Option<Recall> {
        let bands = self.banding.bands;
        let is_blind = self.chance(self.threshold, bands) < LEAST_CHANCE;
        if found.pairs == 0 || bands < 2 || is_blind {
            return None;
        }
        let missed = found.missed as f64 / UNIT;
        let pairs = found.pairs as f64;
        let share = |missed: f64| (pairs / (pairs + missed) * 1e6).round() as u64;
        let [least, most] = found.interval(missed);
        Some(Recall {
            estimate: share(missed),
            low: share(most.ceil()),
            high: share(least.floor()),
        })
    }
}

fn add(sum: &mut u64, value: f64) {
    *sum = sum.saturating_add((value * UNIT).round() as u64);
}

/// A share with both ends of its 95% interval, in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recall {
    /// The estimate.
    pub estimate: u64,
    /// The lower end.
    pub low: u64,
    /// The upper end.
    pub high: u64,
}

/// Verified edges, and the pairs they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// Edges.
    pub pairs: u64,
    /// Pairs that were missed, by these edges; in 2^-20.
    pub missed: u64,
    /// Variance of pairs there are, were each found or missed on its own; in 2^-20.
    pub variance: u64,
    /// By group of bands: pairs that edges which meet there alone stand for in a run without it; in 2^-20.
    pub lost: Vec<u64>,
    /// By part of the bands: edges that meet in none of them.
    pub parts: Vec<u64>,
    /// How many these were, if each edge met on its own; in 2^-20.
    pub expected: u64,
    /// Files removed.
    pub removed: u64,
    /// Of these, files that are as alike as asked for.
    pub removed_alike: u64,
}

impl Found {
    /// Adds what another task found.
    pub fn add(&mut self, other: &Self) {
        self.pairs += other.pairs;
        self.removed += other.removed;
        self.removed_alike += other.removed_alike;
        for (sum, of) in [
            (&mut self.missed, other.missed),
            (&mut self.variance, other.variance),
            (&mut self.expected, other.expected),
        ] {
            *sum = sum.saturating_add(of);
        }
        for (sums, of) in [(&mut self.lost, &other.lost), (&mut self.parts, &other.parts)] {
            sums.resize(sums.len().max(of.len()), 0);
            sums.iter_mut()
                .zip(of)
                .for_each(|(sum, of)| *sum = sum.saturating_add(*of));
        }
    }

    /// Both ends of the pairs missed.
    fn interval(&self, missed: f64) -> [f64; 2] {
        if missed == 0.0 {
            return [0.0; 2];
        }
        let variance = self.jackknife().max(self.variance as f64 / UNIT);
        let spread = match missed < FEW * self.pairs as f64 {
            true => (variance / missed).max(self.lots()),
            false => variance / missed,
        };
        let t = student(self.lost.len() - 1);
        let half = t * t * spread / 2.0;
        let width = (t * t * spread * missed + half * half).sqrt();
        [missed + half - width, missed + half + width]
    }

    /// The variance of pairs there are, by what they are without each group of bands.
    fn jackknife(&self) -> f64 {
        let bands = self.lost.len() as f64;
        let lost = || self.lost.iter().map(|lost| *lost as f64 / UNIT);
        let mean = lost().sum::<f64>() / bands;
        let squares: f64 = lost().map(|lost| (lost - mean) * (lost - mean)).sum();
        (bands - 1.0) / bands * squares
    }

    /// How much more draws differ than parts of one draw do.
    fn apart(&self) -> f64 {
        let groups = self.lost.len() as u32;
        f64::from(groups) / f64::from(groups.div_ceil(PART))
    }

    /// The variance of what parts of the bands miss, by the pair, as it were between draws.
    fn lots(&self) -> f64 {
        let expected = self.expected as f64 / UNIT;
        let squares = self
            .parts
            .iter()
            .map(|lost| (*lost as f64 - expected).powi(2))
            .sum::<f64>();
        match expected > 0.0 {
            true => self.apart() * squares / self.parts.len() as f64 / expected,
            false => 0.0,
        }
    }
}

/// The 97.5% point of Student's t of so many degrees of freedom, at least 1.
fn student(freedom: usize) -> f64 {
    let listed = STUDENT.get(freedom.saturating_sub(1));
    listed.copied().unwrap_or(1.96 + 2.5 / freedom as f64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::NearConfig;
    use super::super::sketch::Sketcher;
    use super::super::verify::{Edge, jaccard_at_least, marked_batch};
    use super::*;

    const BANDING: Banding = Banding { bands: 20, rows: 8 };

    fn curve() -> Curve {
        Curve::new(BANDING, 0.5)
    }

    fn found(edges: &[(f64, Option<u64>)]) -> Found {
        let edge = |(similarity, met): &(f64, Option<u64>)| {
            let edge = Edge {
                a: 1,
                b: 2,
                blob_a: None,
                similarity: *similarity,
            };
            (edge, *met)
        };
        let mut found = Found::default();
        let edges: Vec<_> = edges.iter().map(edge).collect();
        let batch = marked_batch(&edges).expect("edges");
        curve().count(&batch, &mut found).expect("counted");
        found
    }

    #[test]
    fn pairs_that_always_meet_are_all_found_and_none_say_nothing() {
        let all = Recall {
            estimate: 1_000_000,
            low: 1_000_000,
            high: 1_000_000,
        };
        assert_eq!(curve().recall(&found(&[(1.0, None); 2])), Some(all));
        assert_eq!(curve().recall(&found(&[])), None);
        assert_eq!(curve().recall(&found(&[(0.4, None)])), None, "below the threshold");
    }

    #[test]
    fn what_hardly_ever_meets_has_no_estimate() {
        let found = found(&[(0.9, None)]);
        assert!(curve().recall(&found).is_some());
        let of = |bands, rows, threshold| Curve::new(Banding { bands, rows }, threshold).recall(&found);
        assert_eq!([of(1, 4, 0.7), of(1, 64, 0.7), of(8, 32, 0.7)], [None; 3]);
    }

    #[test]
    fn one_pair_more_may_always_be_missing() {
        let recall = curve().recall(&found(&[(0.8, None)])).expect("a pair");
        assert!(recall.high == 1_000_000 && recall.low <= 500_000 && recall.estimate > 970_000);
    }

    #[test]
    fn counts_add_up_in_any_order() {
        let [a, b, c] = [(0.7, Some(1 << 3)), (0.9, None), (0.75, Some(1 << 19 | 2))];
        let mut sum = found(&[c]);
        sum.add(&found(&[a, b]));
        assert_eq!(sum, found(&[c, a, b]));
        let mut none = Found::default();
        none.add(&sum);
        assert_eq!(none, sum);
    }

    /// Families of 4 to 40 files, each a parent of 60 shingles with a few of its own in place of some.
    fn families() -> Vec<Vec<Vec<u32>>> {
        let family = |number: u64| {
            let of = |at: u64| (super::super::sketch::mix(number << 32 | at, 0x9E37_79B9_7F4A_7C15) >> 32) as u32;
            let file = |file: u64| {
                let own = 4 + file % 7;
                let set: BTreeSet<u32> = (0..60)
                    .map(|at| {
                        of(if (at + file) % 60 < own {
                            at + 100 * (file + 1)
                        } else {
                            at
                        })
                    })
                    .collect();
                set.into_iter().collect()
            };
            (0..4 + number % 37).map(file).collect()
        };
        (0..60).map(family).collect()
    }

    fn pairs(family: &[Vec<u32>]) -> Vec<(usize, usize, f64)> {
        let bytes = |set: &Vec<u32>| set.iter().map(|element| element.to_le_bytes()).collect::<Vec<_>>();
        let sets: Vec<_> = family.iter().map(bytes).collect();
        let all = (0..sets.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        all.filter_map(|(a, b)| Some((a, b, jaccard_at_least(&sets[a], &sets[b], 0.5)?)))
            .collect()
    }

    /// The edges that a seed finds, with the bands where they meet.
    fn met(
        families: &[Vec<Vec<u32>>],
        there: &[Vec<(usize, usize, f64)>],
        config: &NearConfig,
    ) -> Vec<(f64, Option<u64>)> {
        let mut sketcher = Sketcher::new(BANDING, config.seed);
        let mut out = Vec::new();
        for (family, pairs) in families.iter().zip(there) {
            let mut bands = |set: &Vec<u32>| {
                let mut bands = Vec::new();
                sketcher.bands(set, &mut bands);
                bands
            };
            let bands: Vec<Vec<u64>> = family.iter().map(&mut bands).collect();
            for (a, b, similarity) in pairs {
                let both = bands[*a][..20].iter().zip(&bands[*b][..20]);
                let met = (0u32..).zip(both).filter(|(_, (a, b))| a == b);
                let met = met.fold(0u64, |bits, (band, _)| bits | 1 << band);
                out.extend((met != 0).then_some((*similarity, Some(met))));
            }
        }
        out
    }

    /// Mutation: take pairs for draws of their own, by the sum of their variances alone.
    #[test]
    fn the_interval_holds_what_sketches_of_families_find() {
        let families = families();
        let there: Vec<_> = families.iter().map(|family| pairs(family)).collect();
        let all: usize = there.iter().map(Vec::len).sum();
        let (mut held, mut held_alone, runs) = (0, 0, 100);
        for seed in 0..runs {
            let config = NearConfig {
                seed,
                ..NearConfig::default()
            };
            let found = found(&met(&families, &there, &config));
            let recall = curve().recall(&found).expect("pairs");
            let truth = (found.pairs as f64 / all as f64 * 1e6) as u64;
            held += u32::from((recall.low..=recall.high).contains(&truth));
            let alone = Found {
                lost: vec![0; 20],
                expected: 0,
                ..found
            };
            let alone = curve().recall(&alone).expect("pairs");
            held_alone += u32::from((alone.low..=alone.high).contains(&truth));
        }
        assert!(held >= 90, "{held} of {runs}");
        assert!(
            held_alone < 70,
            "{held_alone} of {runs} by pairs on their own: the test proves nothing"
        );
    }
}
