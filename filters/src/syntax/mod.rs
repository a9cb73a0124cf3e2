//! The only place that parses: in worker processes, with counted budgets, telling facts and never a tree.
//!
//! ```text
//!   Parse (this process)                                      parse-worker (a process that may die)
//!   rows ─► requests of several files ─► TaskContext.isolate ─► Worker: one parser a language ─► answers
//!        ◄─ columns syntax_*  ◄────────────────────────────────── one answer a file
//! ```
//! Grammars are C code fed by strangers: an assertion in a scanner ends the process. A request that holds several files
//! is then sent again file by file, so that one file is lost and no more. Work is bounded by bytes (`max-bytes`) and by
//! steps, a step being one call of tree-sitter's progress callback (100 parse operations): what a file may take grows
//! with its length, and steps inside syntax errors, where each costs more than the one before, are counted apart. So a
//! verdict depends on the file alone and never on the machine.

mod grammars;
mod parse;
mod wire;
mod worker;

pub use grammars::{GRAMMARS, Grammar};
pub use parse::{Parse, ParseConfig};
pub use worker::{Worker, serve};

/// UInt64, nullable: bytes inside syntax errors, plus one for each missing token; null where nothing was parsed.
pub const ERROR_BYTES: &str = "syntax_error_bytes";
/// UInt64, nullable: named nodes of the tree.
pub const NODES: &str = "syntax_nodes";
/// UInt64, nullable: functions, methods, classes and the like.
pub const DEFINITIONS: &str = "syntax_definitions";
