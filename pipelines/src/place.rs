//! Where scratch lies: a folder that all tasks see, or a place in an object store with a folder of this machine beside it.
//!
//! ```text
//!   a folder     written where it is read                                          one machine, or a shared file system
//!   a store      LOCAL/spool ─► put: the same stays, another is replaced            machines that share nothing else
//!                tables ─► a file without a name in LOCAL ─► read; spill files ─► ranges of them
//! ```
//! Nothing else knows the difference. What is read out of a store is held against the same hashes as on a disk.

use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use stackmill_ingest::store::{Object, Stores, Uri, ours};
use stackmill_schemas::context::Batches;
use stackmill_schemas::{Error, Result, ResultExt as _, fingerprint};

use crate::local::nameless_file;
use crate::output::Output;
use crate::table::{self, CHANGED, damaged};
use crate::workdir::{folder_bytes, make, remove};

/// Scratch inside a data set.
const INSIDE: &str = ".work";
/// The document that is in scratch as long as a run is.
pub const RUN: &str = "run";

/// Where scratch of one run lies.
#[derive(Clone, Debug)]
pub struct Place {
    /// What tasks write for each other.
    top: Output,
    /// A folder of this machine: the same, or one for files on their way.
    local: PathBuf,
}

impl Place {
    /// A folder.
    pub fn folder(path: &Path) -> Self {
        Self {
            top: Output::new(Uri::Local(path.to_owned()), Stores::default()),
            local: path.to_owned(),
        }
    }

    /// Scratch of the data set at `out`, for one machine unless `scratch` says otherwise: never a folder that may hold
    /// anything else, so that it can be deleted.
    pub fn of(out: &Output, scratch: Option<&Uri>) -> Result<Self> {
        Ok(match (out.uri(), scratch) {
            (Uri::Local(out), None) => Self::folder(&out.join(INSIDE)),
            (Uri::Store(_), None) => Self::folder(&here().join(own_name(out.uri())?)),
            (_, Some(Uri::Local(scratch))) => Self::folder(&scratch.join(own_name(out.uri())?)),
            (_, Some(scratch)) => Self::remote(out, scratch.join(&own_name(out.uri())?))?,
        })
    }

    /// As [`Place::of`], for machines that work together: inside a data set in a store, if nothing is said.
    pub fn shared(out: &Output, scratch: Option<&Uri>) -> Result<Self> {
        match (out.uri(), scratch) {
            (Uri::Store(_), None) => Self::remote(out, out.uri().join(INSIDE)),
            _ => Self::of(out, scratch),
        }
    }

    fn remote(out: &Output, top: Uri) -> Result<Self> {
        Ok(Self {
            top: Output::new(top, out.stores().clone()),
            local: here().join(format!("{}.staging", own_name(out.uri())?)),
        })
    }

    /// A folder of this machine, for what only this machine reads.
    pub fn local(&self) -> &Path {
        &self.local
    }

    /// The place in a store, if scratch is in one.
    pub fn store(&self) -> Option<&Output> {
        self.top.folder().is_none().then_some(&self.top)
    }

    /// For messages.
    pub fn name(&self, path: &str) -> String {
        self.top.uri().join(path).to_string()
    }

    /// Whether a run has left something there.
    pub fn is_there(&self) -> Result<bool> {
        match self.top.folder() {
            Some(folder) => Ok(folder.is_dir()),
            None => self.holds(RUN),
        }
    }

    /// Whether a file is there.
    pub fn holds(&self, path: &str) -> Result<bool> {
        match self.top.folder() {
            Some(folder) => Ok(folder.join(path).exists()),
            None => Ok(self.top.find(path)?.is_some()),
        }
    }

    /// Names of the files right in `folder`, sorted.
    pub fn files(&self, folder: &str) -> Result<Vec<String>> {
        let name = |path: String| path.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(self
            .top
            .files(folder)?
            .into_iter()
            .map(|(path, _)| name(path))
            .collect())
    }

    /// All of a small file; `None` if it is not there.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        self.top.read(path)
    }

    /// A file that an earlier task has left.
    pub fn stored(&self, path: &str) -> Result<Stored> {
        let gone = || damaged(&"a file is gone").context(self.name(path));
        let Some(folder) = self.top.folder() else {
            let object = self.top.find(path)?.ok_or_else(gone)?;
            return Ok(Stored::Object(object, self.clone()));
        };
        let path = folder.join(path);
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(gone()),
            file => Ok(Stored::File(file.with_context(|| path.display().to_string())?, path)),
        }
    }

    /// The batches of a table that an earlier task has left.
    pub fn table(&self, path: &str) -> Result<Batches<'static>> {
        let stored = self.stored(path)?;
        let name = stored.name();
        table::read(stored.whole()?, name)
    }

    /// Deletes a file or a folder, and gives the bytes that it took on this machine; what is not there is deleted
    /// already.
    pub fn remove(&self, path: &str) -> Result<u64> {
        if let Some(folder) = self.top.folder() {
            let full = folder.join(path);
            let bytes = folder_bytes(&full);
            return remove(&full).map(|()| bytes);
        }
        self.top.remove(path)?;
        self.top.remove_below(path)?;
        Ok(0)
    }

    /// Deletes all of scratch, reports first: a table without its report is written again, never the other way round.
    pub fn remove_all(&self) -> Result<()> {
        self.remove("done")?;
        if self.store().is_some() {
            self.top.remove_below("")?;
        }
        remove(&self.local)
    }
}

/// Where this machine keeps what one run alone needs.
fn here() -> PathBuf {
    crate::environment::cache_folder().join("work")
}

/// A name that no other data set's scratch has.
fn own_name(out: &Uri) -> Result<String> {
    let place = match out {
        Uri::Local(out) => {
            // However it is spelled; a folder that is not there yet has no other name.
            let place = fs::canonicalize(out).or_else(|_| std::path::absolute(out));
            let place = place.with_context(|| out.display().to_string())?;
            place.into_os_string().into_encoded_bytes()
        }
        Uri::Store(location) => location.to_string().into_bytes(),
    };
    Ok(format!("stackmill-{:016x}", fingerprint::seeded(0, &place)))
}

/// A file of scratch that can be read.
pub enum Stored {
    /// On this machine, or a file system that it sees.
    File(File, PathBuf),
    /// In an object store.
    Object(Object, Place),
}

impl Stored {
    /// For messages.
    pub fn name(&self) -> String {
        match self {
            Self::File(_, path) => path.display().to_string(),
            Self::Object(object, _) => object.uri.to_string(),
        }
    }

    /// Length in bytes.
    pub fn length(&self) -> Result<u64> {
        match self {
            Self::File(file, path) => Ok(file.metadata().with_context(|| path.display().to_string())?.len()),
            Self::Object(object, _) => Ok(object.length),
        }
    }

    /// Bytes from `start` on; a file that ends before them was changed.
    pub fn range(&self, start: u64, length: u64) -> Result<Vec<u8>> {
        let changed = || damaged(&CHANGED).context(self.name());
        let end = start.checked_add(length).ok_or_else(changed)?;
        if end > self.length()? {
            return Err(changed());
        }
        match self {
            Self::File(file, path) => {
                let mut bytes = vec![0; usize::try_from(length).map_err(|_| changed())?];
                let read = file.read_exact_at(&mut bytes, start);
                read.with_context(|| path.display().to_string()).map(|()| bytes)
            }
            Self::Object(object, place) => Ok(place.top.stores().get_range(object, start..end)?.into()),
        }
    }

    /// The file itself; that of a store is fetched, and gone from this machine when it is closed.
    pub fn whole(self) -> Result<File> {
        let (object, place) = match self {
            Self::File(file, _) => return Ok(file),
            Self::Object(object, place) => (object, place),
        };
        make(&place.local)?;
        let context = || place.local.display().to_string();
        let mut file = nameless_file(&place.local)?;
        let mut reader = place.top.stores().reader(&object)?;
        io::copy(&mut reader, &mut file)
            .map_err(|error| ours(&error).unwrap_or_else(|| Error::from(error)))
            .with_context(|| object.uri.to_string())?;
        file.rewind().with_context(context)?;
        Ok(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(place: &str) -> Output {
        Output::new(Uri::parse(place).expect("a place"), Stores::default())
    }

    #[test]
    fn scratch_elsewhere_is_a_place_of_our_own() {
        let fast = Uri::Local("/fast".into());
        let below = |place: &str| Place::of(&out(place), Some(&fast)).expect("a path").local;
        let here = std::env::current_dir().expect("a current folder");
        let here = here.to_str().expect("tests run in a folder that can be written down");
        assert_eq!(below(here).parent(), Some(Path::new("/fast")));
        assert_eq!(below(here), below("./"));
        assert_ne!(below(here), below(".."));
        assert_eq!(
            Place::of(&out("a"), None).expect("a path").local,
            PathBuf::from("a/.work")
        );
    }

    #[test]
    fn scratch_is_in_a_store_where_it_is_named_there_or_where_machines_share_nothing_else() {
        let name = |place: Result<Place>| place.expect("a place").store().map(Output::place);
        let bucket = Uri::parse("s3://b/scratch").expect("a place");
        assert_eq!(name(Place::of(&out("s3://b/out"), None)), None);
        assert_eq!(
            name(Place::shared(&out("s3://b/out"), None)).as_deref(),
            Some("s3://b/out/.work")
        );
        assert_eq!(name(Place::shared(&out("a"), None)), None);
        for out in [out("s3://b/out"), out("a")] {
            let place = name(Place::of(&out, Some(&bucket)));
            assert!(place.is_some_and(|place| place.starts_with("s3://b/scratch/stackmill-")));
        }
    }
}
