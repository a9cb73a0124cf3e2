//! A benchmark item as its reader hands it to the pack builder: fields kept apart.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a part of an item is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Field {
    /// What the model is shown: signature and docstring, or the task in words.
    Prompt,
    /// The task in words alone: without code, without examples.
    Docstring,
    /// Declarations that the solution has to match: the heads of functions and classes.
    Signature,
    /// A solution: the reference, a rewritten or a deliberately broken one.
    Solution,
    /// The tests.
    Tests,
    /// Pairs of input and output that the task or its tests give, one a line.
    Examples,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Prompt => "prompt",
            Self::Docstring => "docstring",
            Self::Signature => "signature",
            Self::Solution => "solution",
            Self::Tests => "tests",
            Self::Examples => "examples",
        })
    }
}

/// One problem of a benchmark.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BenchmarkItem {
    /// The item's id, as its publisher spells it: `HumanEval/12`.
    pub id: String,
    /// The problem that this item is, or was made from: `HumanEval/12` for each of its translations and rewritings;
    /// its own id where it stems from no other.
    pub family: String,
    /// Programming language of its code, as the language detector calls it; none where it has no code.
    pub language: Option<String>,
    /// Its fields; of a kind there may be several, as solutions that were rewritten.
    pub fields: Vec<(Field, String)>,
}

/// A field of a benchmark's item that was found in a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// Name of the benchmark.
    pub benchmark: String,
    /// Id of the item.
    pub item: String,
    /// The problem that the item is, or was made from.
    pub family: String,
    /// The field.
    pub field: Field,
    /// What kind of copy it is: `verbatim`, `normalised`, `derivative`, `common`, `too_short`.
    pub tier: String,
    /// Share of the field that was found, 0 to 1.
    pub score: f64,
    /// First line that holds any of it, from 1.
    pub start_line: u64,
    /// Last line that holds any of it.
    pub end_line: u64,
}
