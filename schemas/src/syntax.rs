//! What a parse tells: plain facts, never a tree, so that parsing can happen in another process.

use serde::{Deserialize, Serialize};

/// Facts of one parsed file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SyntaxFacts {
    /// Length of what was parsed, in bytes.
    pub bytes: u64,
    /// Bytes inside ERROR nodes, each counted once, plus one for each missing token.
    pub error_bytes: u64,
    /// Named nodes of the tree.
    pub nodes: u64,
    /// Functions, methods, classes, structs, traits and the like.
    pub definitions: u64,
}

/// How a parse ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Parsed {
    /// With facts.
    Facts(SyntaxFacts),
    /// No grammar for the language.
    NoGrammar,
    /// The declared work budget was used up: `(steps, limit)`.
    OverBudget(u64, u64),
    /// The parser's process died or was stopped, twice: in words.
    Crashed(String),
}
