//! The only place that parses: in worker processes, with counted budgets, telling facts and never a tree.
//!
//! ```text
//!   Parse (this process)                                      parse-worker (a process that may die)
//!   rows ─► requests of several files ─► TaskContext.isolate ─► Worker: one parser a grammar ─► answers
//!        ◄─ columns syntax_*  ◄────────────────────────────────── one answer a file
//! ```
//! Grammars are C code fed by strangers: an assertion in a scanner ends the process. A request that holds several files
//! is then sent again file by file, so that one file is lost and no more. Work is bounded by bytes (`max-bytes`) and by
//! steps, a step being one call of tree-sitter's progress callback (100 parse operations): what a file may take grows
//! with its length, and steps inside syntax errors, where each costs more than the one before, are counted apart. So a
//! verdict depends on the file alone and never on the machine.
//!
//! A parse is asked for a set of facts: those that a rule reads and those that the recipe publishes. The worker walks the
//! tree once for all of them; for errors alone it visits only what has some.

mod facts;
mod grammars;
mod meanings;
mod parse;
mod refused;
#[cfg(test)]
mod samples;
mod tree;
mod wire;
mod worker;

pub(crate) use facts::SyntaxColumns;
pub use facts::{
    CALLS, COMMENTS, DEFINITION_SPANS, DEFINITIONS, DOCSTRINGS, ERROR_BYTES, FUNCTION_BYTES, FUNCTION_LINES, Fact,
    FactSet, IMPORTS, NESTING, NODES, REFUSED,
};
pub use grammars::{Grammar, grammars};
pub use parse::{Parse, ParseConfig};
pub use worker::{Worker, serve};
