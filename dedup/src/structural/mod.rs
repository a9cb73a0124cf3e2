//! Structural near-duplicates: files that are the same but for names, values, comments and layout.
//!
//! ```text
//!   Sketch (Map)    text ► tokens ► shingles ► sketch ► band hashes         the shingles alone are not those of `near`
//!   Buckets … Keepers                                                       as in `near`, as `structural-…`
//! ```
//! It looks at what near-duplicates have left. With `action = "report"` files go on and are told as members of a cluster;
//! with `"drop"` a file is removed as a near-duplicate is.
//!
//! **What looks alike anyway** must not be removed: a class of nothing but getters, a table of numbers, a test of three
//! lines. Names are gone, so such files have few *distinct* shingles however long they are: those with fewer than
//! `minimum-shingles` are not compared.

mod keepers;
mod shingle;
mod stage;

pub use keepers::Keepers;
pub use shingle::Shingler;
pub use stage::Sketch;

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, Result, ResultExt};

use crate::near::{self, Components, NearConfig};
use crate::renamed::Renamed;

/// Name of the stage.
const STAGE: &str = "structural";
/// Tokens of a shingle at most.
const NGRAM_MAX: u32 = 64;

/// What becomes of the files of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// They go on; the cluster is a column and rows of `clusters`.
    Report,
    /// All but the keeper are dropped.
    Drop,
}

/// Settings of the stage `structural`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct StructuralConfig {
    /// What becomes of the files of a cluster. Default `report`.
    pub action: Action,
    /// Jaccard index of sets of structural shingles from which on two files are the same; above 0, at most 1.
    /// Default 0.7, as `near`.
    pub threshold: f64,
    /// Tokens of a shingle. Default 10: measured on clones.
    pub ngram: u32,
    /// Share of the pairs at the threshold that have to be found; above 0, below 1. Default 0.99.
    pub recall: f64,
    /// Files of fewer distinct shingles are not compared. Default 100: measured on clones and on unrelated files.
    pub minimum_shingles: u32,
    /// Verified edges about which one task decides, as in `near`. Default 1,048,576.
    pub edges_at_once: u64,
    /// Seed of sketch and buckets. Default 42.
    pub seed: u64,
}

impl Default for StructuralConfig {
    fn default() -> Self {
        Self {
            action: Action::Report,
            threshold: 0.7,
            ngram: 10,
            recall: 0.99,
            minimum_shingles: 100,
            edges_at_once: 1 << 20,
            seed: 42,
        }
    }
}

/// The parts of the stage, all built from one [`StructuralConfig`], in running order.
#[derive(Clone, Debug)]
pub struct Structural {
    /// Adds `bands` and `shingles`.
    pub sketch: Sketch,
    /// Finds candidate pairs.
    pub buckets: Renamed<near::Buckets>,
    /// Attaches the set of the first file of each pair.
    pub attach: Renamed<near::Attach>,
    /// Compares it with the set of the second.
    pub verify: Renamed<near::Verify>,
    /// Shares edges out, should there be too many for one task.
    pub components: Components,
    /// Decides who is kept.
    pub keepers: Keepers,
    /// The same for one of several partitions that are decided at once.
    pub several_keepers: Keepers,
}

impl StructuralConfig {
    /// The parts of the stage, or why the settings make no sense.
    pub fn build(&self) -> Result<Structural> {
        let near = self.comparison()?;
        let banding = near.validate().context("stage `structural`")?;
        let parts = near.build().context("stage `structural`")?;
        Ok(Structural {
            sketch: Sketch::new(self, banding),
            buckets: Renamed::new("structural-buckets", parts.buckets),
            attach: Renamed::new("structural-attach", parts.attach),
            verify: Renamed::new("structural-verify", parts.verify),
            components: parts.components,
            keepers: Keepers::new(self.action, parts.keepers),
            several_keepers: Keepers::new(self.action, parts.several_keepers),
        })
    }

    /// The comparison of near-duplicates that these settings ask for.
    fn comparison(&self) -> Result<NearConfig> {
        let refuse =
            |message: &str, hint: &str| Err(Error::config(format!("stage `structural`: {message}")).hint(hint));
        if !(self.threshold > 0.0 && self.threshold <= 1.0) {
            return refuse(
                "`threshold` is not in (0, 1]",
                "0.7 finds renamed, formatted and commented copies",
            );
        }
        if !(self.recall > 0.0 && self.recall < 1.0) {
            return refuse(
                "`recall` is not in (0, 1)",
                "0.99 finds 99 of 100 pairs at the threshold",
            );
        }
        if !(1..=NGRAM_MAX).contains(&self.ngram) {
            return refuse(
                "`ngram` is not in 1 to 64",
                "shorter ones find more files that only look alike",
            );
        }
        if self.minimum_shingles == 0 || self.edges_at_once == 0 {
            return refuse("`minimum-shingles` or `edges-at-once` is 0", "use 1 or more");
        }
        Ok(NearConfig {
            threshold: self.threshold,
            recall: self.recall,
            minimum_shingles: self.minimum_shingles,
            edges_at_once: self.edges_at_once,
            seed: self.seed,
            ..NearConfig::default()
        })
    }
}
