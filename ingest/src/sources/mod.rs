//! Where files come from: one file a kind, one word in the table below.
//!
//! ```text
//!   git         a repository at one commit: local clone, or cloned once into the cache
//!   directory   a plain folder
//!   archive     a tar file, compressed or not
//!   table       a row group of a Parquet file, or a JSON-lines file
//!
//!   config      the `[[source]]` table of a recipe       place     wildcards, paths as text, hashes of files
//!   listing     rows without contents, inherited facts   contents  batches of contents
//!   inflate     compressed files, with limits             paths     what a walk found, a few dozen bytes an entry
//! ```

mod config;
mod contents;
mod inflate;
mod listing;
mod paths;
mod place;
#[cfg(test)]
mod testing;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use stackmill_schemas::stage::Source;
use stackmill_schemas::{BlobId, Error, Result};

pub use config::{Patterns, SourceConfig};

/// What every source is built from.
#[derive(Clone, Debug)]
struct Setup {
    config: SourceConfig,
    /// The recipe's folder.
    folder: PathBuf,
    /// The key that says what to read.
    key: &'static str,
    /// Its strings.
    patterns: Vec<String>,
}

macro_rules! sources {
    ($($module:ident: $($key:literal)|+;)*) => {
        $(mod $module;)*

        /// The keys of a `[[source]]` that say what to read.
        pub const KEYS: &[&str] = &[$($($key),+),*];

        fn build(setup: Setup) -> Result<Arc<dyn Source>> {
            match setup.key {
                $($($key)|+ => Ok(Arc::new($module::open(setup)?)),)*
                other => Err(Error::bug(format!("no source reads `{other}`"))),
            }
        }
    };
}
sources! {
    git: "git";
    directory: "directory";
    archive: "archives";
    table: "parquet" | "jsonl";
}

/// Opens the source that `config` describes; relative paths start at `folder`, the recipe's folder.
///
/// Nothing is read yet. Settings that make no sense are an [`Error::config`] that names the key.
pub fn open(config: &SourceConfig, folder: &Path) -> Result<Arc<dyn Source>> {
    let (key, patterns) = config.kind()?;
    build(Setup {
        config: config.clone(),
        folder: folder.to_owned(),
        key,
        patterns: patterns.to_vec(),
    })
}

/// The git blob id of `content`; an input error where the hash shows a collision attack.
pub fn blob_id(content: &[u8]) -> Result<BlobId> {
    listing::blob_id(content).map_err(|error| Error::input(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_source() {
        for key in KEYS {
            let config: SourceConfig = serde_json::from_str(&format!("{{\"{key}\": \"x\"}}")).expect("valid");
            assert!(open(&config, Path::new(".")).is_ok(), "{key}");
            assert_eq!(config.name(), *key);
        }
        assert!(open(&SourceConfig::default(), Path::new(".")).is_err());
    }
}
