//! Where a data set is: a folder of this machine, or a place in an object store. Reading is the same in both.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use stackmill_ingest::store::{Object, Put, Stores, Uri};
use stackmill_schemas::manifest::FileEntry;
use stackmill_schemas::{Error, Result, ResultExt};

use crate::workdir::{read_if_there, remove};
use crate::{environment, failpoint};

/// Longest document that is read: 1 GiB; locks of millions of repositories are shorter.
const LONGEST_DOCUMENT: u64 = 1 << 30;

/// So many files are looked at one by one; more are listed by folder.
const FEW_FILES: usize = 3;

/// A data set's place.
#[derive(Clone, Debug)]
pub struct Output {
    uri: Uri,
    stores: Stores,
}

impl Output {
    /// The data set at `uri`.
    pub fn new(uri: Uri, stores: Stores) -> Self {
        Self { uri, stores }
    }

    /// The data set that an argument names, reached as the environment says.
    pub fn named(argument: &Path) -> Result<Self> {
        Ok(Self::new(Uri::of_path(argument)?, environment::stores()?))
    }

    /// Where it is.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// Its folder, if it is on this machine.
    pub fn folder(&self) -> Option<&Path> {
        self.uri.local()
    }

    /// For messages.
    pub fn place(&self) -> String {
        self.uri.to_string()
    }

    /// What reads its files.
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// One of its files; `None` where it is not there.
    pub fn find(&self, name: &str) -> Result<Option<Object>> {
        self.stores.find(&self.uri.join(name))
    }

    /// Names, from the data set's root, and lengths of the files right in `folder`, sorted.
    pub fn files(&self, folder: &str) -> Result<Vec<(String, u64)>> {
        let below = self.uri.join(folder);
        let name = |object: Object| match folder.is_empty() {
            true => (object.uri.file_name(), object.length),
            false => (format!("{folder}/{}", object.uri.file_name()), object.length),
        };
        Ok(self.stores.files(&below)?.into_iter().map(name).collect())
    }

    /// Reads a JSON document; `None` if it is not there.
    pub fn load<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let Some(bytes) = self.read(name)? else { return Ok(None) };
        let value = serde_json::from_slice(&bytes);
        value.map(Some).map_err(|error| {
            Error::input(format!("not what stackmill wrote: {error}")).context(self.uri.join(name).to_string())
        })
    }

    /// Reads a document; `None` if it is not there.
    pub fn read(&self, name: &str) -> Result<Option<Vec<u8>>> {
        match &self.uri.join(name) {
            // Not every document is a plain file: whatever can be read counts.
            Uri::Local(path) => read_if_there(path),
            uri @ Uri::Store(_) => self.stores.get(uri, LONGEST_DOCUMENT),
        }
    }

    /// Deletes a file or, on this machine, a folder; what is not there is deleted already.
    pub fn remove(&self, name: &str) -> Result<()> {
        match self.uri.join(name) {
            Uri::Local(path) => remove(&path),
            Uri::Store(location) => self.stores.delete(&location),
        }
    }

    /// Deletes all below a folder of a store.
    pub fn remove_below(&self, folder: &str) -> Result<()> {
        match self.uri.join(folder) {
            Uri::Local(_) => Err(Error::bug("a folder of this machine is removed as a whole")),
            Uri::Store(location) => self.stores.delete_below(&location),
        }
    }

    /// Deletes all files of a table.
    pub fn remove_table(&self, table: &str) -> Result<()> {
        if self.folder().is_some() {
            return self.remove(table);
        }
        self.files(table)?.iter().try_for_each(|(name, _)| self.remove(name))
    }

    /// The first of `files` that is not there any more, by its length.
    pub fn missing<'a>(&self, files: &[&'a FileEntry]) -> Result<Option<&'a FileEntry>> {
        let mut listed: Option<Vec<(String, u64)>> = None;
        for file in files {
            let length = match self.folder() {
                Some(folder) => fs::metadata(folder.join(&file.path)).ok().map(|there| there.len()),
                None if files.len() <= FEW_FILES => self.find(&file.path)?.map(|object| object.length),
                None => {
                    if listed.is_none() {
                        listed = Some(self.listed()?);
                    }
                    let listed = listed.as_deref().unwrap_or_default();
                    let at = listed.binary_search_by(|(name, _)| name.cmp(&file.path)).ok();
                    at.map(|at| listed[at].1)
                }
            };
            if length != Some(file.length_bytes) {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }

    /// All files of all tables, sorted by name.
    fn listed(&self) -> Result<Vec<(String, u64)>> {
        let mut listed = Vec::new();
        for table in crate::workdir::TABLES {
            listed.extend(self.files(table)?);
        }
        listed.sort();
        Ok(listed)
    }

    /// Uploads a file of this machine to its one final name.
    pub fn upload(&self, path: &Path, file: &FileEntry, put: Put) -> Result<()> {
        let Uri::Store(location) = self.uri.join(&file.path) else {
            return Err(Error::bug("a file of this machine is not uploaded"));
        };
        failpoint::reach("upload", "before");
        // A first interrupt lets tasks finish their uploads; a second ends the program at once.
        let sent = self.stores.put_file(path, &file.sha256, (&location, put), &|| Ok(()));
        sent.with_context(|| format!("uploading {}", file.path))?;
        failpoint::reach("upload", "after");
        Ok(())
    }
}
