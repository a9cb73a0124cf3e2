//! Where files come from: one file a kind, one word in the table below.
//!
//! ```text
//!   git         a repository at one commit: local clone, or cloned once into the cache
//!   directory   a plain folder
//!   archive     a tar file, compressed or not, or a zip file
//!   table       a row group of a Parquet file, or a JSON-lines file
//!   warc        a file of a web crawl: code cut out of pages
//!
//!   config      the `[[source]]` table of a recipe       place     wildcards, paths as text, hashes of files
//!   listing     rows without contents, inherited facts   contents  batches of contents
//!   inflate     compressed files, with limits             paths     what a walk found, a few dozen bytes an entry
//!   guess       which kind a place is
//!   past        what a file's history adds to its row
//!   told        what a table of issues, pull requests or commits tells of each
//! ```

mod config;
mod contents;
mod guess;
mod inflate;
mod listing;
mod past;
mod paths;
mod place;
#[cfg(test)]
mod testing;
mod told;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::Source;
use stackmill_schemas::{BlobId, Error, Result};

use crate::network::Network;
use crate::store::{Chunks, Stores, Uri};

pub use config::{History, Patterns, SourceConfig};
pub use git::{Clone as CloneReport, clone_of, is_cloned};
pub use guess::guess;
pub use place::CHANGED;
pub use table::{Change, Conversation, Group, Packer, Rows, Text, copy_name};

/// What every source is built from.
#[derive(Clone, Debug)]
struct Setup {
    config: SourceConfig,
    /// The recipe's folder; where the recipe is in a store, no string is relative any more.
    folder: PathBuf,
    /// Where objects are read.
    stores: Stores,
    /// How servers of repositories are reached.
    network: Network,
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
    warc: "warc";
}

/// As [`open_at`], for a recipe on this machine whose stores need no settings.
pub fn open(config: &SourceConfig, folder: &Path) -> Result<Arc<dyn Source>> {
    open_at(
        config,
        &Uri::Local(folder.to_owned()),
        &Stores::default(),
        &Network::default(),
    )
}

/// Opens the source that `config` describes; relative paths start at `base`, the recipe's folder, and objects are read
/// through `stores`, repositories elsewhere through `network`.
///
/// Nothing is read yet. Settings that make no sense are an [`Error::config`] that names the key.
pub fn open_at(config: &SourceConfig, base: &Uri, stores: &Stores, network: &Network) -> Result<Arc<dyn Source>> {
    build(setup(config, base, stores, network)?)
}

/// The rows of a unit as its table has them; `None` where `config` is no table.
pub fn rows_at(config: &SourceConfig, base: &Uri, stores: &Stores, unit: &Unit) -> Result<Option<Rows>> {
    let setup = setup(config, base, stores, &Network::default())?;
    let is_table = matches!(setup.key, "parquet" | "jsonl");
    is_table.then(|| Rows::open(&setup, unit)).transpose()
}

fn setup(config: &SourceConfig, base: &Uri, stores: &Stores, network: &Network) -> Result<Setup> {
    let (key, patterns) = config.kind()?;
    let patterns = patterns.iter().map(|pattern| placed(key, pattern, base));
    let contents = config.contents.as_ref().map(|place| match base {
        Uri::Store(_) if !place.contains("://") => format!("{base}/{place}"),
        _ => place.clone(),
    });
    Ok(Setup {
        config: SourceConfig {
            contents,
            ..config.clone()
        },
        folder: base.local().map_or_else(|| PathBuf::from("."), PathBuf::from),
        stores: stores.clone(),
        network: network.clone(),
        key,
        patterns: patterns.collect::<Result<_>>()?,
    })
}

/// What stands for a table or a list: the SHA-256 of a file of this machine, or what its store says of it.
pub fn revision(uri: &Uri, stores: &Stores) -> Result<String> {
    let Some(path) = uri.local() else {
        return Ok(stores.head(uri)?.revision());
    };
    let mut hashing = place::Hashing::new(place::open_file(path)?);
    std::io::copy(&mut hashing, &mut std::io::sink()).map_err(|error| place::unreadable(path, &error))?;
    Ok(hashing.finish().0)
}

/// A table or a list without its compression, from front to back.
pub(crate) fn inflated(uri: &Uri, stores: &Stores) -> Result<impl Read + use<>> {
    let limits = inflate::Limits {
        bytes: u64::MAX,
        ratio: SourceConfig::default().max_ratio,
    };
    inflate::Inflated::open(&place::Input::at(uri, stores), limits)
}

/// A table by ranges of bytes.
pub(crate) fn ranged(uri: &Uri, stores: &Stores) -> Result<Chunks> {
    Ok(place::Input::at(uri, stores).chunks()?.0)
}

/// The git blob id of `content`; an input error where the hash shows a collision attack.
pub fn blob_id(content: &[u8]) -> Result<BlobId> {
    listing::blob_id(content).map_err(|error| Error::input(error.to_string()))
}

/// A string of a source as the source sees it: URIs of files are paths, and what is relative to a store is absolute.
fn placed(key: &'static str, pattern: &str, base: &Uri) -> Result<String> {
    if key == "git" && git::is_url(pattern) && !Uri::is_store(pattern, false) {
        return Ok(pattern.to_owned());
    }
    let place = base.resolve(pattern)?;
    match (&place, base) {
        (Uri::Store(_), _) if key == "directory" => Err(Error::config(format!(
            "source: `directory = \"{place}\"` is not on this machine"
        ))
        .hint("object stores hold tables (`parquet`, `jsonl`), `archives`, crawls (`warc`), and lists of repositories for `git`")),
        // Relative paths stay so: a lock that holds them can be used elsewhere.
        (Uri::Local(_), Uri::Local(_)) if !pattern.contains("://") => Ok(pattern.to_owned()),
        _ => Ok(place.to_string()),
    }
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

    fn here() -> Uri {
        Uri::Local(".".into())
    }

    #[test]
    fn strings_mean_places_on_this_machine_or_in_a_store() {
        let store = Uri::parse("s3://b/recipes").expect("a place");
        for (key, pattern, base, found) in [
            ("parquet", "a/*.parquet", here(), "a/*.parquet"),
            ("parquet", "file:///a/b%20c", here(), "/a/b c"),
            ("parquet", "../a/*.parquet", store.clone(), "s3://b/a/*.parquet"),
            ("jsonl", "https://h/x.jsonl", here(), "https://h/x.jsonl"),
            ("git", "https://h/o/n", store.clone(), "https://h/o/n"),
            ("git", "file:///srv/n.git", here(), "file:///srv/n.git"),
            ("git", "repos.txt", store.clone(), "s3://b/recipes/repos.txt"),
            ("git", "gs://b/repos.txt", here(), "gs://b/repos.txt"),
        ] {
            assert_eq!(placed(key, pattern, &base).expect("placed"), found, "{key} {pattern}");
        }
        for (key, pattern) in [("directory", "s3://b/x"), ("parquet", "ftp://b/x"), ("jsonl", "s3://")] {
            let error = placed(key, pattern, &here()).expect_err(pattern);
            assert_eq!(error.kind(), stackmill_schemas::ErrorKind::Config, "{pattern}");
        }
    }
}
