//! What is the same, or too near, or a benchmark's.
//!
//! ```text
//!   repositories   sets of blob ids ► copies of whole repositories                  before any single file
//!   exact          (blob id, length) ► one keeper a group                          before any content is read
//!   near           shingles ► sketch ► buckets ► verified edges ► keepers          only keys, edges, decisions move
//!   structural     the same over tokens: names by where they came before          after near; lexer cuts the tokens
//!   blocks         lines ► runs of them that stand in several files
//!   contamination  benchmark items found in files: words, renamed code, literals, names
//! ```

pub mod blocks;
pub mod contamination;
mod duplicate;
pub mod exact;
#[cfg(test)]
mod harness;
pub mod lexer;
mod meeting;
pub mod near;
mod renamed;
pub mod repositories;
mod rows;
pub mod structural;
