//! Contents that are not in a table: brought from a file or an object whose name the row knows.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use stackmill_schemas::{Error, Result};

use super::super::super::Setup;
use super::super::super::contents::Wanted;
use crate::store::{Stores, Uri};

/// What stands for the row's key in the setting.
const KEY: &str = "{blob_id}";

/// Where contents are.
#[derive(Clone, Debug)]
pub(super) struct Elsewhere {
    stores: Stores,
    base: Uri,
    place: String,
    most: u64,
}

impl Elsewhere {
    /// Contents at `place`, in which `{blob_id}` stands for the row's key; relative paths start at the recipe's folder.
    pub(super) fn new(setup: &Setup, place: &str) -> Result<Self> {
        if place.matches(KEY).count() != 1 {
            return Err(
                Error::config(format!("source: `contents = \"{place}\"` does not name `{KEY}` once"))
                    .hint("as in `contents = \"s3://bucket/content/{blob_id}\"`"),
            );
        }
        let base = Uri::Local(setup.folder.clone());
        base.resolve(&place.replace(KEY, "0"))?;
        Ok(Self {
            stores: setup.stores.clone(),
            base,
            place: place.to_owned(),
            most: setup.config.max_entry_bytes,
        })
    }

    /// The content of a row, or its trouble. What is there may be compressed with gzip: where it is not the listed blob
    /// itself, it is inflated.
    pub(super) fn bring(&self, key: &[u8], wanted: &Wanted<'_>, i: usize) -> Result<Result<Vec<u8>, String>> {
        let Some(key) = std::str::from_utf8(key).ok().filter(|key| is_plain(key)) else {
            return Ok(Err("its id is not hexadecimal".to_owned()));
        };
        if wanted.length(i) > self.most {
            return Ok(Err(format!("longer than {} bytes", self.most)));
        }
        let uri = self.base.resolve(&self.place.replace(KEY, key))?;
        // A little more is what gzip writes around what does not shrink.
        let limit = wanted.length(i) + (wanted.length(i) >> 8) + 1024;
        let stored = match self.stores.get(&uri, limit) {
            Ok(Some(stored)) => stored,
            Ok(None) => return Ok(Err("its content is not where `contents` says".to_owned())),
            Err(error) if error.is_permanent_trouble() => return Ok(Err(error.message().to_owned())),
            Err(error) => return Err(error),
        };
        if !stored.starts_with(&[0x1f, 0x8b]) || wanted.mismatch(i, &stored).is_none() {
            return Ok(Ok(stored));
        }
        let mut content = Vec::new();
        let inflated = MultiGzDecoder::new(&stored[..])
            .take(wanted.length(i) + 1)
            .read_to_end(&mut content);
        Ok(inflated
            .map(|_| content)
            .map_err(|_| "its gzip stream is broken".to_owned()))
    }
}

/// Whether a key can be part of a path without leading anywhere else.
fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.len() <= 128 && key.bytes().all(|byte| byte.is_ascii_hexdigit())
}
