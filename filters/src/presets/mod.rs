//! Rules of published recipes: which rules, with which numbers. One file and one word each.
//!
//! ```text
//!   presets/<preset>.rs ──► PRESET { name, summary, source, quirks, table(compat) } ──► PRESETS ──► RuleSet
//! ```
//! A table holds the published numbers and nothing that a rule's default says already. `compat` adds what the original's
//! code does beside, or against, what was published: its quirks, each with its words.

use std::collections::BTreeMap;

use serde_json::Value;

use stackmill_schemas::text::nearest;
use stackmill_schemas::{Error, Result};

/// A published recipe.
#[derive(Clone, Copy)]
pub struct Preset {
    /// Name in `[rules] preset = "…"`.
    pub name: &'static str,
    /// What it reproduces, in one line without a full stop.
    pub summary: &'static str,
    /// Where its numbers are published.
    pub source: &'static str,
    /// What of the publication is not a rule over one file, or could not be had.
    pub missing: &'static [&'static str],
    /// What `compat` adds, one by one.
    pub quirks: &'static [Quirk],
    table: fn(bool) -> Value,
}

/// Something that the original's code does beside, or against, what was published.
#[derive(Clone, Copy)]
pub struct Quirk {
    /// The rules that it is about, separated by commas.
    pub rules: &'static str,
    /// What the original does, and what this preset does without `compat`.
    pub words: &'static str,
}

impl Preset {
    /// Settings by rule name; settings that are not there have the rule's default. `compat` keeps the quirks.
    pub fn rules(&self, compat: bool) -> BTreeMap<String, Value> {
        match (self.table)(compat) {
            Value::Object(table) => table.into_iter().collect(),
            _ => BTreeMap::new(),
        }
    }
}

macro_rules! presets {
    ($($preset:ident)*) => {
        $(mod $preset;)*

        /// Every preset, oldest publication first.
        pub static PRESETS: &[Preset] = &[$($preset::PRESET,)*];
    };
}

presets! {
    codeparrot
    stack_v1
    santacoder
    starcoderdata
    starcoderdata_issues
    starcoderdata_commits
    deepseek_coder
    stack_v2
    stack_v2_issues
    stack_v2_pull_requests
    stack_v2_kaggle
    refinecode
}

/// The preset called `name`.
pub fn find(name: &str) -> Result<&'static Preset> {
    PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
        let error = Error::config(format!("unknown preset `{name}`"));
        let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
        match nearest(name, names.iter().copied()) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint(format!("there are: {}", names.join(", "))),
        }
    })
}
