//! Blocks: many lines in a row that stand in several files, told line by line.
//!
//! ```text
//!   Sketch (Map)   text ► a hash a line ► anchors           windows of lines, of which neighbours choose the same
//!   Anchors        anchor ► (anchor, rank)                  gather: files that share one ► pairs
//!   Attach         as in `near`, with the lines' hashes
//!   Runs           lines of a, ranks b ► home of b          gather: runs that b has in common with earlier files
//!   Cut (Map)      text without them, if the recipe cuts
//! ```
//! Whatever `lines` lines or more a file has in common with an earlier one in rank order is found, if the anchors in it
//! are not shared by over 64 files before it: two files choose the same anchors inside the same lines (winnowing,
//! Schleimer, Wilkerson and Aiken 2003). Lines are compared as 64-bit hashes without their ends, so a run that is reported
//! is the same text but for a chance of 1 in 10^19 a line.

mod anchors;
mod cut;
mod lines;
mod runs;
#[cfg(test)]
mod tests;

pub use anchors::Anchors;
pub use cut::{Cut, Cuts};
pub use lines::Sketch;
pub use runs::Runs;

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, Result};

use crate::near::{Attach, NearConfig};
use crate::renamed::Renamed;

/// Name of the stage.
const STAGE: &str = "blocks";
/// Fewest lines of a block: fewer are everywhere.
const LINES_MIN: u32 = 4;
/// Most lines that a block may be asked to have.
const LINES_MAX: u32 = 100_000;

/// What becomes of a block in the files that come later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It stays; the table `blocks` tells of it.
    Report,
    /// Its lines are taken out, too.
    Cut,
}

/// Settings of the stage `blocks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct BlocksConfig {
    /// Lines that a block has at least; 4 or more. Default 100: longer than a license header or a list of imports.
    pub lines: u32,
    /// What becomes of blocks. Default `report`.
    pub action: Action,
}

impl Default for BlocksConfig {
    fn default() -> Self {
        Self {
            lines: 100,
            action: Action::Report,
        }
    }
}

/// The parts of the stage, in running order.
#[derive(Clone, Debug)]
pub struct Blocks {
    /// Adds `bands` (anchors) and `shingles` (a hash a line).
    pub sketch: Sketch,
    /// Finds pairs of files.
    pub anchors: Anchors,
    /// Attaches the lines of the first of each pair.
    pub attach: Renamed<Attach>,
    /// Compares them with the lines of the second.
    pub runs: Runs,
    /// Takes the runs out of texts, if the recipe asks for it.
    pub cut: Option<Cut>,
}

impl BlocksConfig {
    /// The parts of the stage, or why the settings make no sense.
    pub fn build(&self) -> Result<Blocks> {
        if !(LINES_MIN..=LINES_MAX).contains(&self.lines) {
            let message = format!("stage `{STAGE}`: `lines` is not in {LINES_MIN} to {LINES_MAX}");
            return Err(Error::config(message).hint("100 lines are more than a license header"));
        }
        let lines = self.lines as usize;
        Ok(Blocks {
            sketch: Sketch::new(lines),
            anchors: Anchors::new(),
            attach: Renamed::new("block-attach", NearConfig::default().build()?.attach),
            runs: Runs::new(lines),
            cut: (self.action == Action::Cut).then_some(Cut),
        })
    }
}
