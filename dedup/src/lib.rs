//! What is the same, or too near, or a benchmark's.

pub mod contamination;
pub mod exact;
pub mod near;
