//! What chance alone would find: control items that were found, each standing for so many of its benchmark.
//!
//! ```text
//!   control items found ─► × items of the benchmark ÷ control items of it ─► summed over benchmarks, with an interval
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stackmill_dedup::contamination::{Pack, Tier};

use super::findings::{Finding, Row};
use super::summary::tier_of;
use crate::units::count_text;

/// Standard deviations of a normal distribution on either side of 95%.
const DEVIATIONS: f64 = 1.96;

/// The control items of a benchmark.
#[derive(Clone, Debug, Serialize)]
pub struct Controls {
    /// The benchmark of which they are made.
    pub benchmark: String,
    /// Items of the benchmark that have a field of their own: those that could be found.
    pub items: usize,
    /// Control items.
    pub control_items: usize,
    /// Control items that were found as a copy.
    pub found: usize,
    /// Items of the benchmark that would be found as a copy if it were nowhere.
    pub expected: f64,
    #[serde(skip)]
    seen: BTreeSet<String>,
}

/// Items that would be found as copies if none were there.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Chance {
    /// Control items of all benchmarks.
    pub control_items: usize,
    /// Control items that were found as a copy.
    pub found: usize,
    /// Items of benchmarks that would be found as a copy.
    pub expected: f64,
    /// Lower end of the interval of 95% around `expected`.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Files in which a control item was found as a copy.
    pub files: u64,
    /// By benchmark.
    pub benchmarks: Vec<Controls>,
    #[serde(skip)]
    names: BTreeMap<String, usize>,
}

impl Chance {
    /// For those of `packs` that are control items of others.
    pub fn of(packs: &[Pack]) -> Self {
        let mut this = Self::default();
        for pack in packs {
            let model = packs.iter().find(|other| Some(other.name()) == pack.control_of());
            let Some(model) = model else { continue };
            this.names.insert(pack.name().to_owned(), this.benchmarks.len());
            this.benchmarks.push(Controls {
                benchmark: model.name().to_owned(),
                items: model.own_items(),
                control_items: pack.own_items(),
                found: 0,
                expected: 0.0,
                seen: BTreeSet::new(),
            });
        }
        this
    }

    /// Whether a finding is one of a control item.
    pub fn has(&self, finding: &Finding<'_>) -> bool {
        self.names.contains_key(finding.benchmark)
    }

    /// Counts what was found of control items in a file. Where an item was found as a copy, a control item that has a piece
    /// of it proves nothing, and does not count.
    pub fn count(&mut self, row: &Row) {
        let (controls, items): (Vec<_>, Vec<_>) = row
            .findings()
            .filter(|finding| tier_of(finding.tier).is_some_and(|tier| Tier::COPIES.contains(&tier)))
            .partition(|finding| self.has(finding));
        let mut counts = false;
        for finding in controls {
            let touches =
                |item: &Finding<'_>| item.start_line <= finding.end_line && finding.start_line <= item.end_line;
            if !items.iter().any(touches) {
                counts = true;
                let place = self.names[finding.benchmark];
                self.benchmarks[place].seen.insert(finding.item.to_owned());
            }
        }
        self.files += u64::from(counts);
    }

    /// Sums up, when all are taken.
    pub fn finish(&mut self) {
        let mut most = 0.0f64;
        for controls in &mut self.benchmarks {
            let stands_for = controls.items as f64 / controls.control_items.max(1) as f64;
            controls.found = controls.seen.len();
            controls.expected = rounded(controls.found as f64 * stands_for);
            self.control_items += controls.control_items;
            self.found += controls.found;
            self.expected += controls.expected;
            most = most.max(stands_for);
        }
        // Where none was found, the one that stands for most bounds what may have been missed.
        let stands_for = match self.found {
            0 => most,
            found => self.expected / found as f64,
        };
        let (low, high) = poisson(self.found as f64);
        self.expected = rounded(self.expected);
        (self.low, self.high) = (rounded(low * stands_for), rounded(high * stands_for));
    }

    /// A line for people; nothing where there are no control items. `leaked`: items that were found.
    pub fn line(&self, leaked: usize) -> String {
        if self.control_items == 0 {
            return String::new();
        }
        let all = count_text(self.control_items as u64);
        let told = match self.found {
            0 => format!(
                "at most {:.0}, as none of {all} control items was found",
                self.high.ceil()
            ),
            found => format!(
                "about {:.0} ({:.0} to {:.0}), as {} of {all} control items were found",
                self.expected,
                self.low,
                self.high,
                count_text(found as u64)
            ),
        };
        format!(
            "{} items with a copy; by chance alone {told}\n",
            count_text(leaked as u64)
        )
    }
}

/// Tenths: what is beyond is no knowledge.
fn rounded(number: f64) -> f64 {
    (number * 10.0).round() / 10.0
}

/// The interval of 95% for the mean of a Poisson distribution of which `count` were seen: Byar's approximation.
fn poisson(count: f64) -> (f64, f64) {
    let cube =
        |mean: f64, sign: f64| mean * (1.0 - 1.0 / (9.0 * mean) + sign * DEVIATIONS / (3.0 * mean.sqrt())).powi(3);
    let low = if count > 0.0 { cube(count, -1.0) } else { 0.0 };
    (low, cube(count + 1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exact limits (Garwood 1936), from the quantiles of chi-square.
    #[test]
    fn intervals_are_near_the_exact_ones() {
        for (count, low, high) in [
            (0.0, 0.0, 3.689),
            (1.0, 0.0253, 5.572),
            (5.0, 1.623, 11.668),
            (20.0, 12.217, 30.888),
        ] {
            let (ours_low, ours_high) = poisson(count);
            assert!(
                (ours_low - low).abs() < 0.02 && (ours_high - high).abs() < 0.03,
                "{count}: {ours_low} {ours_high}"
            );
        }
    }
}
