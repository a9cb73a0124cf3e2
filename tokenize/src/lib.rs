//! From kept files to training sequences: exact token ids, a seeded shuffle, packing with provenance.
//!
//! ```text
//!   content ──► classes, split ──► pieces ──► cache ──hit──► ids ──► tokens (Binary, u32 little endian)   Map `tokenize`
//!                                               └──miss─► bpe ──┘
//!   (repo_name, shard, row, tokens) ──► order: partition, place in the shuffle ──► pack ──► sequences     Exchange `pack`
//! ```
//! Ids are those of tiktoken's `encode_ordinary`: what looks like a special token in a file is text.

mod bins;
mod cache;
mod classes;
pub mod config;
pub mod count;
#[cfg(test)]
mod oracle;
pub mod order;
pub mod pack;
mod sequences;
mod split;
#[cfg(test)]
mod testing;
pub mod tokenizer;
pub mod vocabulary;

pub use config::{Packing, TokenizeConfig};
pub use count::CountTokens;
pub use pack::Pack;
pub use tokenizer::{Encoder, Tokenize};
pub use vocabulary::Vocabulary;

/// Binary, nullable: token ids of one document, u32 little endian, without the end-of-document token.
pub const TOKENS: &str = "tokens";
/// UInt32: number of the corpus part that a document stands in.
pub const SHARD: &str = "shard";
/// UInt32: row of a document inside its corpus part.
pub const ROW: &str = "row";
