//! The words and shapes that two crates of stackmill must agree on: no IO, no algorithm.
//!
//! ```text
//!   ids, file, columns     what a row is               verdict, decision   what became of it
//!   stage                  Source, Map, Exchange       context             what a task may reach
//!   lock, manifest         what went in, what came out error, fingerprint  how it fails, when it may be skipped
//! ```
#![deny(missing_docs)]

pub mod benchmark;
pub mod columns;
pub mod context;
pub mod error;
pub mod file;
pub mod fingerprint;
pub mod ids;
pub mod license;
pub mod lock;
pub mod manifest;
pub mod path;
pub mod rank;
pub mod stage;
pub mod syntax;
pub mod text;
pub mod verdict;

pub use context::TaskContext;
pub use error::{Error, ErrorKind, Result, ResultExt};
pub use file::{FileBatch, FileColumns, FileRow};
pub use ids::{BlobId, ContentHash, FileId};
pub use verdict::{Because, Decision, Measure, Outcome, Reason, Verdict};
