//! Detectors: each annotates files with what it finds, one file a detector.

pub mod encoding;
pub mod flags;
pub mod language;
pub mod license;
