//! Object stores: every input and output that is named by a URI goes through here, by plain blocking calls.
//!
//! ```text
//!   uri       s3:// gs:// az:// http(s):// file:// and paths        clients   one a store, credentials by the vendor's chain
//!   read      front to back, or by ranges as Parquet is read        http      retries, refusals, Retry-After
//!   put       once: what is there already must be the same          trouble   errors without secrets
//! ```
//!
//! - **Retries.** Statuses 408, 429, 500, 502, 503 and 504, connections that fail or break and time-outs are tried again
//!   with exponential backoff up to [`Settings::attempts`] times; `Retry-After` in seconds is obeyed. After that the
//!   error is transient.
//! - **The same object throughout.** An [`Object`] knows its ETag and length; every answer is held against them.
//! - **One name, one content.** [`Stores::put_file`] writes only where nothing is. Where something is, its length and
//!   SHA-256 decide: the same is success (an answer got lost, or another machine was faster), anything else an error.

mod clients;
mod http;
mod put;
mod read;
#[cfg(test)]
mod tests;
mod trouble;
mod uri;

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::path::Path as Key;
use object_store::{
    Attribute, Attributes, GetOptions, GetRange, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt as _,
};
use stackmill_schemas::path::escape;
use stackmill_schemas::{Error, Result, ResultExt as _};
use tokio::runtime::{Builder, Runtime};

pub use clients::Settings;
pub use put::Put;
pub use read::{Chunks, Reader};
pub use trouble::ours;
pub use uri::{Location, Scheme, Uri};

/// Most objects of one listing.
const MOST_OBJECTS: usize = 1_000_000;

/// Key of the metadata that holds a file's SHA-256.
const SHA256: &str = "sha256";

/// Something that can be read, as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    /// Where it is.
    pub uri: Uri,
    /// Length in bytes.
    pub length: u64,
    /// What the store says stands for the content, without quotes.
    etag: Option<String>,
    /// Seconds since 1970 at its last change; 0 where the store does not tell.
    modified: i64,
}

impl Object {
    fn new(uri: Uri, meta: &ObjectMeta) -> Self {
        Self {
            uri,
            length: meta.size,
            etag: meta
                .e_tag
                .as_ref()
                .map(|etag| escape(etag.trim_matches('"').as_bytes())),
            modified: meta.last_modified.timestamp(),
        }
    }

    /// Stands for the content: the same as long as nobody writes the object again. ETag and length; where a server has no
    /// ETags, time of the last change and length.
    pub fn revision(&self) -> String {
        match &self.etag {
            Some(etag) => format!("{etag}-{}", self.length),
            None => format!("modified-{}-{}", self.modified, self.length),
        }
    }

    /// Refuses an answer that belongs to another content.
    fn check(&self, meta: &ObjectMeta) -> Result<()> {
        match Self::new(self.uri.clone(), meta).revision() == self.revision() {
            true => Ok(()),
            false => Err(trouble::changed(&self.uri)),
        }
    }
}

/// All stores of a run; cheap to clone. One client for each bucket, one runtime for all.
#[derive(Clone, Default)]
pub struct Stores(Arc<Inner>);

#[derive(Default)]
struct Inner {
    settings: Settings,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    runtime: Option<Arc<Runtime>>,
    clients: BTreeMap<(Scheme, String), Arc<dyn ObjectStore>>,
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stores")
    }
}

/// A place in a store, with what it takes to work on it.
struct At {
    uri: Uri,
    key: Key,
    client: Arc<dyn ObjectStore>,
    runtime: Arc<Runtime>,
}

impl At {
    fn wait<T>(&self, work: impl Future<Output = object_store::Result<T>>) -> object_store::Result<T> {
        self.runtime.block_on(work)
    }

    fn get(&self, options: GetOptions) -> object_store::Result<GetResult> {
        self.wait(self.client.get_opts(&self.key, options))
    }

    /// What is there, with its metadata; `None` where nothing is.
    fn look(&self) -> Result<Option<(Object, Attributes)>> {
        let options = GetOptions {
            head: true,
            ..GetOptions::default()
        };
        match self.get(options) {
            Ok(found) => Ok(Some((Object::new(self.uri.clone(), &found.meta), found.attributes))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.explained(&error)),
        }
    }

    fn explained(&self, error: &object_store::Error) -> Error {
        trouble::explained(&self.uri, error)
    }
}

impl Stores {
    /// Stores that are reached with `settings`; nothing is opened yet.
    pub fn new(settings: Settings) -> Self {
        let open = Mutex::default();
        Self(Arc::new(Inner { settings, open }))
    }

    fn at(&self, location: &Location) -> Result<At> {
        let uri = Uri::Store(location.clone());
        let key = match location.scheme.is_web() {
            true => Key::from_url_path(&location.key),
            false => Key::parse(&location.key),
        };
        let key = key.map_err(|_| {
            Error::config(format!("`{uri}` has a key that no store can hold"))
                .hint("write plain parts between single `/`")
        })?;
        let mut open = self.0.open.lock().unwrap_or_else(PoisonError::into_inner);
        let runtime = match &open.runtime {
            Some(runtime) => runtime.clone(),
            None => {
                let runtime = Builder::new_current_thread().enable_all().build();
                let runtime = Arc::new(runtime.context("starting the runtime of the network")?);
                open.runtime.insert(runtime).clone()
            }
        };
        let name = (location.scheme, location.bucket.clone());
        let client = match open.clients.get(&name) {
            Some(client) => client.clone(),
            None => {
                let client = self.0.settings.client(location)?;
                open.clients.insert(name, client.clone());
                client
            }
        };
        Ok(At {
            uri,
            key,
            client,
            runtime,
        })
    }

    /// What is at `uri`; `None` where nothing is, or a folder.
    pub fn find(&self, uri: &Uri) -> Result<Option<Object>> {
        match uri {
            Uri::Store(location) => Ok(self.at(location)?.look()?.map(|(object, _)| object)),
            Uri::Local(path) => Ok(std::fs::metadata(path)
                .ok()
                .filter(std::fs::Metadata::is_file)
                .map(|metadata| Object {
                    uri: uri.clone(),
                    length: metadata.len(),
                    etag: None,
                    modified: 0,
                })),
        }
    }

    /// As [`Stores::find`], for what must be there.
    pub fn head(&self, uri: &Uri) -> Result<Object> {
        self.find(uri)?.ok_or_else(|| trouble::not_there(uri))
    }

    /// All of a small file, which must not be longer than `limit` bytes; `None` where nothing is.
    pub fn get(&self, uri: &Uri, limit: u64) -> Result<Option<Vec<u8>>> {
        let Some(object) = self.find(uri)? else { return Ok(None) };
        if object.length > limit {
            return Err(Error::input(format!("`{uri}` is longer than {limit} bytes")));
        }
        match uri {
            Uri::Store(_) => self
                .get_range(&object, 0..object.length)
                .map(|bytes| Some(bytes.into())),
            Uri::Local(path) => std::fs::read(path).map(Some).with_context(|| uri.to_string()),
        }
    }

    /// Bytes of an object in a store; the range must lie inside.
    pub fn get_range(&self, object: &Object, range: Range<u64>) -> Result<Bytes> {
        let Uri::Store(location) = &object.uri else {
            return Err(Error::bug("ranges of local files are read by `chunks`"));
        };
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let at = self.at(location)?;
        let mut left = self.0.settings.attempts.max(1);
        loop {
            left -= 1;
            match at.range(object, range.clone()) {
                // The client goes on by itself where a body breaks, but only under an ETag.
                Err(error) if error.is_transient() && object.etag.is_none() && left > 0 => {}
                done => return done,
            }
        }
    }

    /// Every object below `folder`, at any depth, sorted by name.
    pub fn list(&self, folder: &Location) -> Result<Vec<Object>> {
        let at = self.at(folder)?;
        let listing = at
            .client
            .list(Some(&at.key))
            .try_fold(Vec::new(), |mut found, meta| async move {
                found.push(meta);
                match found.len() > MOST_OBJECTS {
                    true => Err(object_store::Error::NotSupported {
                        source: "too many objects".into(),
                    }),
                    false => Ok(found),
                }
            });
        let found = at.wait(listing).map_err(|error| match error {
            object_store::Error::NotSupported { .. } => Error::input(format!(
                "`{folder}` cannot be listed, or holds more than {MOST_OBJECTS} objects"
            ))
            .hint("name a folder below, or single objects"),
            error => at.explained(&error),
        })?;
        Ok(objects(folder, &found))
    }

    /// The files right in `folder`, sorted by name; none where it is not there.
    pub fn files(&self, folder: &Uri) -> Result<Vec<Object>> {
        let location = match folder {
            Uri::Store(location) => location,
            Uri::Local(path) => return self.local_files(path),
        };
        let at = self.at(location)?;
        let listed = at.wait(at.client.list_with_delimiter(Some(&at.key)));
        let listed = listed.map_err(|error| at.explained(&error))?;
        Ok(objects(location, &listed.objects))
    }

    fn local_files(&self, folder: &Path) -> Result<Vec<Object>> {
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let entry = entry.with_context(|| folder.display().to_string())?;
            files.extend(self.find(&Uri::Local(entry.path()))?);
        }
        files.sort_by(|a, b| a.uri.cmp(&b.uri));
        Ok(files)
    }

    /// Deletes every object below `folder`, at any depth; many a request where the store can do that.
    pub fn delete_below(&self, folder: &Location) -> Result<()> {
        let at = self.at(folder)?;
        let listed = at.client.list(Some(&at.key)).map_ok(|meta| meta.location);
        let deleted = at.client.delete_stream(listed.boxed());
        let deleted = deleted.try_for_each(|_| std::future::ready(Ok(())));
        match at.wait(deleted) {
            // Somebody else is deleting, too; a bucket that is not there holds nothing.
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(at.explained(&error)),
        }
    }

    /// Deletes an object of a store; what is not there is deleted already.
    pub fn delete(&self, location: &Location) -> Result<()> {
        self.at(location)?.remove()
    }
}

impl At {
    fn remove(&self) -> Result<()> {
        match self.wait(self.client.delete(&self.key)) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.explained(&error)),
        }
    }

    fn range(&self, object: &Object, range: Range<u64>) -> Result<Bytes> {
        let length = range.end - range.start;
        let options = GetOptions {
            range: Some(GetRange::Bounded(range)),
            ..GetOptions::default()
        };
        let found = self.get(options).map_err(|error| self.explained(&error))?;
        object.check(&found.meta)?;
        let bytes = self.wait(found.bytes()).map_err(|error| self.explained(&error))?;
        match bytes.len() as u64 == length {
            true => Ok(bytes),
            false => Err(Error::source(format!("`{}`: the answer is cut short", self.uri)).transient()),
        }
    }
}

/// Listed objects, sorted; keys are those of the store, percent-encoding undone.
fn objects(folder: &Location, found: &[ObjectMeta]) -> Vec<Object> {
    let mut objects: Vec<Object> = found
        .iter()
        .map(|meta| {
            let key = meta.location.to_string();
            Object::new(Uri::Store(Location { key, ..folder.clone() }), meta)
        })
        .collect();
    objects.sort_by(|a, b| a.uri.cmp(&b.uri));
    objects
}

/// The SHA-256 that was noted when an object was put.
fn noted_sha256(attributes: &Attributes) -> Option<&str> {
    attributes.get(&Attribute::Metadata(SHA256.into())).map(AsRef::as_ref)
}
