//! Vendored and generated files, as Linguist and `.gitattributes` see them.

mod attributes;

pub use attributes::{Attributes, FileAttributes};
