//! Everything foreign is read here: sources, and detectors that annotate what they bring.
//!
//! ```text
//!   sources      where files come from: resolve ► list ► read
//!   select       what a listing alone refuses: symlinks, submodules, hostile paths, unreadable entries
//!   detect       encoding, language, license, flags: annotating Maps
//!   store        object stores and local files by their URIs
//!   network      what the ways to servers of repositories share
//!   benchmarks   readers of the benchmarks' own files
//! ```

pub mod benchmarks;
pub mod detect;
pub mod network;
pub mod select;
pub mod sources;
pub mod store;
