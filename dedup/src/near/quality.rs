//! How many of the pairs a run found: an estimate from the edges that it verified, and precision, which is exact.
//!
//! ```text
//!   a pair of Jaccard index J meets in a bucket with the chance p(J) of the collision curve
//!   an edge that was found                            stands for 1 / p(J) pairs           Σ = pairs there are
//!   its part of the estimate's variance               (1 − p) / p²                        Horvitz and Thompson 1952
//! ```
//! Pairs that are alike enough and met nowhere are so counted by those that did. Sums are whole numbers, so they do not
//! depend on who counted what in which order. What the curve does not know is not in the estimate: buckets over
//! `bucket-limit`, where not all are compared, and that pairs of one family are found or missed together.

use arrow_array::RecordBatch;
use serde::{Deserialize, Serialize};
use stackmill_schemas::{Result, columns};

use super::planner::{Banding, probability};

/// What stands for one in the sums: 2^20.
const UNIT: f64 = 1_048_576.0;
/// The most that one edge stands for: 2^20 pairs.
const MOST: f64 = UNIT;
/// Standard deviations to either side that hold 95 of 100 draws.
const DEVIATIONS: f64 = 1.96;

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
        let similarities = columns::f64s(edges, "similarity")?;
        let wanted = similarities
            .values()
            .iter()
            .filter(|similarity| **similarity >= self.threshold);
        wanted.for_each(|similarity| {
            let chance = probability(*similarity, self.banding.bands, self.banding.rows).max(1.0 / MOST);
            found.pairs += 1;
            found.stand_for = found.stand_for.saturating_add(whole(1.0 / chance));
            found.variance = found.variance.saturating_add(whole((1.0 - chance) / (chance * chance)));
        });
        Ok(())
    }
}

fn whole(value: f64) -> u64 {
    (value * UNIT).round() as u64
}

/// Verified edges, and the pairs they stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Edges.
    pub pairs: u64,
    /// Pairs that there are, by these edges; in 2^-20.
    pub stand_for: u64,
    /// Variance of that number; in 2^-20.
    pub variance: u64,
}

impl Found {
    /// Adds what another task found.
    pub fn add(&mut self, other: &Self) {
        self.pairs += other.pairs;
        self.stand_for = self.stand_for.saturating_add(other.stand_for);
        self.variance = self.variance.saturating_add(other.variance);
    }

    /// The share of the pairs that was found: estimate, and both ends of its 95% interval, in millionths. All are 1,000,000
    /// where no pair was found.
    pub fn recall(&self) -> [u64; 3] {
        let there = self.stand_for as f64 / UNIT;
        let spread = DEVIATIONS * (self.variance as f64 / UNIT).sqrt();
        let share = |there: f64| match self.pairs as f64 / there {
            share if share.is_finite() && there > 0.0 => (share.min(1.0) * 1e6).round() as u64,
            _ => 1_000_000,
        };
        [share(there), share(there + spread), share(there - spread)]
    }
}

#[cfg(test)]
mod tests {
    use super::super::verify::{Edge, edge_batch};
    use super::*;

    const BANDING: Banding = Banding { bands: 20, rows: 8 };

    fn found(similarities: &[f64]) -> Found {
        let edge = |similarity: &f64| Edge {
            a: 1,
            b: 2,
            blob_a: None,
            similarity: *similarity,
        };
        let mut found = Found::default();
        let edges: Vec<Edge> = similarities.iter().map(edge).collect();
        let batch = edge_batch(&edges).expect("edges");
        Curve::new(BANDING, 0.0).count(&batch, &mut found).expect("counted");
        found
    }

    #[test]
    fn pairs_that_always_meet_are_all_found() {
        assert_eq!(found(&[1.0, 1.0]).recall(), [1_000_000; 3]);
        assert_eq!(found(&[]).recall(), [1_000_000; 3]);
    }

    /// Mutation: weigh by `p` in place of `1 / p`.
    #[test]
    fn the_interval_holds_the_truth_of_drawn_pairs() {
        // 4,000 pairs at each similarity, met by the curve's chance, drawn by a counter.
        let (mut held, runs) = (0, 200);
        for run in 0..runs {
            let mut state = run + 1;
            let mut draw = || {
                state = u64::wrapping_add(
                    u64::wrapping_mul(state, 6_364_136_223_846_793_005),
                    1_442_695_040_888_963_407,
                );
                (state >> 11) as f64 / (1u64 << 53) as f64
            };
            let there: Vec<f64> = (0..4000).map(|i| 0.7 + f64::from(i % 30) / 100.0).collect();
            let met = there
                .iter()
                .filter(|similarity| draw() < probability(**similarity, 20, 8));
            let met: Vec<f64> = met.copied().collect();
            let truth = (met.len() as f64 / there.len() as f64 * 1e6) as u64;
            let [recall, low, high] = found(&met).recall();
            assert!(
                recall.abs_diff(truth) < 20_000 && recall < 1_000_000,
                "{recall} {truth}"
            );
            held += u32::from((low..=high).contains(&truth));
        }
        assert!(held >= 180, "{held} of {runs}");
    }

    #[test]
    fn counts_add_up_in_any_order() {
        let (a, b, both) = (found(&[0.7, 0.9]), found(&[0.75]), found(&[0.75, 0.7, 0.9]));
        let mut sum = b;
        sum.add(&a);
        assert_eq!(sum, both);
    }

    #[test]
    fn weights_are_bounded() {
        assert!(found(&[0.0; 3]).recall()[0] <= 1);
    }
}
