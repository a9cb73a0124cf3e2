//! A benchmark item as its reader hands it to the pack builder: fields kept apart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a part of an item is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// What the model is shown: signature and docstring, or the task in words.
    Prompt,
    /// The reference solution.
    Solution,
    /// The tests.
    Tests,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prompt => "prompt",
            Self::Solution => "solution",
            Self::Tests => "tests",
        })
    }
}

/// One problem of a benchmark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BenchmarkItem {
    /// The item's id, as its publisher spells it: `HumanEval/12`.
    pub id: String,
    /// Its fields, each at most once.
    pub fields: Vec<(Field, String)>,
}
