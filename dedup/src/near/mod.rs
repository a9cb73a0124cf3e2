//! Near duplicates: files that share most of their word n-grams, each removed only because of an exactly verified edge.
//!
//! ```text
//!   Sketch (Map)    text ► shingles (sorted set, 64-bit hashes) ► sketch ► band hashes
//!   Buckets         band hash ► (bucket, rank, set hash)      gather: files of one bucket ► candidate pairs
//!   Attach          pair ► home of a                          gather: + the set of a, once per home of b
//!   Verify          set of a, ranks b ► home of b             gather: true Jaccard index ► edges
//!   Components      edge ► its component, should one task not hold all edges
//!   Keepers         edge ► one partition a component          gather: greedy in rank order ► decisions
//! ```
//! In rank order a file is removed iff an earlier **kept** file is joined to it by a verified edge; its keeper is the
//! earliest such file. The sketch may reject a candidate, never accept one: bands only decide which pairs are compared.
//!
//! **Equal sets** (files that differ in blanks or punctuation alone) are compared with the first of them only. Nothing
//! is lost: what is exactly equal to a removed file has that file's keeper, at that file's similarity. A family of n
//! equal sets so costs n − 1 pairs instead of n².
//!
//! Short files have no sketch: fewer than `minimum-shingles` shingles are no evidence, so such files are kept.

mod bands;
pub mod components;
mod edges;
mod keeper;
pub mod kernel;
mod order;
pub mod planner;
pub mod quality;
pub mod shingle;
pub mod sketch;
mod stage;
pub mod verify;
mod words;

#[cfg(test)]
mod tests;

pub use bands::Buckets;
pub use components::Components;
pub use edges::Attach;
pub use keeper::Keepers;
pub use stage::Sketch;
pub use verify::Verify;

use serde::{Deserialize, Serialize};
use stackmill_schemas::file::Place;
use stackmill_schemas::{Error, Result};

use planner::{Banding, Cost, Means};
use quality::Curve;
use words::Alphabet;

/// Where the decisions are taken.
const PLACE: Place<'static> = Place {
    stage: "near",
    rule: "near-duplicate",
};
/// Largest n-gram that may be asked for.
const NGRAM_MAX: u32 = 64;

/// Settings of the stage `near`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NearConfig {
    /// Jaccard index of shingle sets from which on two files are near duplicates; above 0, at most 1.
    /// Default 0.7 (SantaCoder, The Stack v2).
    pub threshold: f64,
    /// Words of a shingle. Default 5 (SantaCoder, The Stack v2).
    pub ngram: u32,
    /// What words are. Default `folded`.
    pub words: Words,
    /// Share of the pairs at the threshold that have to be found when `bands` and `rows` are left to the planner;
    /// above 0, below 1. Default 0.99.
    pub recall: f64,
    /// Bands of a sketch; together with `rows`, or neither. Default: planned (42 for the default threshold).
    pub bands: Option<u32>,
    /// Rows of a band; together with `bands`, or neither. Default: planned (6 for the default threshold).
    pub rows: Option<u32>,
    /// Files of fewer distinct shingles are not compared. Default 6: 10 words at 5 a shingle, as in SantaCoder.
    pub minimum_shingles: u32,
    /// Files of distinct sets in one bucket up to which each is compared with each. Default 1024.
    pub bucket_limit: u32,
    /// In larger buckets each file is compared with this many, the first in rank order. Default 64.
    pub bucket_first: u32,
    /// Whether a pair that meets in a bucket must be as alike as `threshold` says. Default `true`; `false` reproduces
    /// publications that took every such pair, and removes files that are unlike their keeper.
    pub verify: bool,
    /// Who is kept of files that hang together. Default `greedy`.
    pub keep: Keep,
    /// Verified edges about which one task decides; beyond that, components are found first, and shared out. Changes no
    /// decision. At least 1. Default 1,048,576: 360 MiB, should no two edges have a file in common.
    pub edges_at_once: u64,
    /// Whether an index is published, from which a later run knows what this one has read and compared. Default `false`; on
    /// with `previous`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub index: bool,
    /// An earlier release with an index, made by the same settings: its files are read again only where they have to be.
    /// A folder or the address of a store. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Seed of sketch and buckets. Another seed misses other pairs. Default 42.
    pub seed: u64,
}

impl Default for NearConfig {
    fn default() -> Self {
        Self {
            threshold: 0.7,
            ngram: 5,
            words: Words::Folded,
            recall: 0.99,
            bands: None,
            rows: None,
            minimum_shingles: 6,
            bucket_limit: 1024,
            bucket_first: 64,
            verify: true,
            keep: Keep::Greedy,
            edges_at_once: 1 << 20,
            index: false,
            previous: None,
            seed: 42,
        }
    }
}

/// How a text is cut into words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Words {
    /// Runs of ASCII letters, digits, `_` and bytes of other characters, ASCII case folded. Ours.
    #[default]
    Folded,
    /// Runs of ASCII letters, digits and `_`, as they stand (CodeParrot, SantaCoder, The Stack v1).
    Ascii,
    /// Between any two characters that are no letter, digit or `_`, in small letters, empty words too (The Stack v2).
    Unicode,
}

/// Who is kept of files that hang together by edges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// In keep order, each file that no kept file is joined to.
    #[default]
    Greedy,
    /// The first of each component, whatever lies between it and the others (SantaCoder, The Stack v2).
    OnePerComponent,
}

impl Words {
    fn alphabet(self) -> Alphabet {
        match self {
            Self::Folded => Alphabet::FOLDED,
            Self::Ascii | Self::Unicode => Alphabet::ASCII,
        }
    }
}

/// The parts of the stage, all built from one [`NearConfig`], in running order.
#[derive(Clone, Debug)]
pub struct Near {
    /// Adds `bands` and `shingles`.
    pub sketch: Sketch,
    /// Finds candidate pairs.
    pub buckets: Buckets,
    /// Attaches the set of the first file of each pair.
    pub attach: Attach,
    /// Compares it with the set of the second.
    pub verify: Verify,
    /// Weighs the edges that were found.
    pub curve: Curve,
    /// Shares edges out, should there be too many for one task.
    pub components: Components,
    /// Decides who is kept.
    pub keepers: Keepers,
    /// The same for one of several partitions that are decided at once, in less memory each.
    pub several_keepers: Keepers,
}

impl NearConfig {
    /// The parts of the stage, or why the settings make no sense.
    pub fn build(&self) -> Result<Near> {
        let banding = self.validate()?;
        Ok(Near {
            sketch: Sketch::new(self, banding),
            buckets: Buckets::new(self, banding),
            attach: Attach::new(),
            verify: Verify::new(if self.verify { self.threshold } else { 0.0 }, banding, self.seed),
            curve: Curve::new(banding, self.threshold),
            components: Components::new(self.edges_at_once),
            keepers: Keepers::new(self.threshold, self.keep),
            several_keepers: Keepers::new(self.threshold, self.keep),
        })
    }

    /// Whether an index is published.
    pub fn has_index(&self) -> bool {
        self.index || self.previous.is_some()
    }

    /// The bands and rows that these settings mean, or a config error that names the key.
    pub fn validate(&self) -> Result<Banding> {
        let refuse = |message: &str, hint: &str| Err(Error::config(format!("stage `near`: {message}")).hint(hint));
        if !(self.threshold > 0.0 && self.threshold <= 1.0) {
            return refuse("`threshold` is not in (0, 1]", "papers use 0.7 to 0.85");
        }
        if !(self.recall > 0.0 && self.recall < 1.0) {
            return refuse(
                "`recall` is not in (0, 1)",
                "0.99 finds 99 of 100 pairs at the threshold",
            );
        }
        if !(1..=NGRAM_MAX).contains(&self.ngram) {
            return refuse("`ngram` is not in 1 to 64", "papers use 5");
        }
        if self.minimum_shingles == 0 {
            return refuse(
                "`minimum-shingles` is 0",
                "a file without shingles cannot be compared: use 1 or more",
            );
        }
        if self.bucket_limit < 2 || self.bucket_first == 0 || self.bucket_first > self.bucket_limit {
            return refuse(
                "`bucket-limit` and `bucket-first` do not fit together",
                "1 <= bucket-first <= bucket-limit, and bucket-limit >= 2",
            );
        }
        if self.edges_at_once == 0 {
            return refuse("`edges-at-once` is 0", "leave it out, or use 1 or more");
        }
        planner::banding(self)
    }

    /// What near-duplicates cost in a corpus of so many bytes, of which a task reads `task_bytes`; or why the settings make
    /// no sense.
    pub fn cost(&self, content_bytes: u64, task_bytes: u64) -> Result<Cost> {
        Ok(Cost::new(self, self.validate()?, content_bytes, task_bytes))
    }

    /// Refuses what cannot be had, with a hint at what could be.
    pub fn fits(&self, cost: &Cost, means: Means) -> Result<()> {
        cost.check(self, means)
    }

    /// What the settings amount to, in a line or two for `plan`; of settings that make no sense, why they do not.
    pub fn summary(&self) -> String {
        match self.validate() {
            Ok(banding) => planner::summary(self, banding),
            Err(error) => error.message().to_owned(),
        }
    }
}
