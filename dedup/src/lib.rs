//! What is the same, or too near, or a benchmark's.
//!
//! ```text
//!   exact          (blob id, length) ► one keeper a group                          before any content is read
//!   near           shingles ► sketch ► buckets ► verified edges ► keepers          only keys, edges, decisions move
//!   contamination  word n-grams of benchmark items found in files
//! ```

pub mod contamination;
mod duplicate;
pub mod exact;
#[cfg(test)]
mod harness;
pub mod near;
mod rows;
