//! Where files go: written under a temporary name, synced, then put at their one final name; scratch is counted.
//!
//! ```text
//!   OUT/corpus ledger clusters tokens commits   published; real only once OUT/manifest.json is there
//!   OUT/sources.lock                    what every source meant
//!   OUT/.lock                           held while a run works here, gone when it ends
//!   WORK                                OUT/.work, or a place of our own below --scratch; may be in an object store
//!   WORK/run                            fingerprint and resolved recipe of what is in here
//!   WORK/done/STEP-NNNNN                a task is done: its report
//!   WORK/done/STEP                      all tasks of a step are done: their reports
//!   WORK/world/STEP                     with how many ranks a step was last begun
//!   WORK/<step>/…                       tables between steps, deleted after their last reader
//!   LOCAL/spool/…                       files on their way to an object store; LOCAL is WORK, if that is a folder
//! ```
//! Where OUT is in an object store, a file is whole and hashed in the spool before it is uploaded to its one name, which
//! it gets once: other bytes under that name are an error. Programs of one machine exclude each other by `WORK.lock`;
//! those of several machines that make the same data set put the same bytes to the same names, which is no conflict.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use stackmill_schemas::ids::hex;
use stackmill_schemas::manifest::FileEntry;
use stackmill_schemas::{Error, Result, ResultExt};

use xxhash_rust::xxh3::{Xxh3Default, xxh3_64};

use crate::budget::Budget;
use crate::local::process_digits;
use crate::table::{CHANGED, damaged};
use stackmill_ingest::store::{Put, Stores, Uri};

use crate::output::Output;
use crate::place::Place;

/// What stands between a file's name and the process that is writing it.
const TEMPORARY: &str = ".tmp-";
/// Folder of scratch for files on their way to an object store.
const SPOOL: &str = "spool";
/// How often a folder is deleted again because somebody has put a file there meanwhile: the second attempt of a task,
/// which nobody waits for.
const STRAGGLERS: u32 = 100;
/// What to do about scratch that is not as it was left.
pub const START_OVER: &str = "run again with --replace to start over";

/// Folders of the data set that are ours alone.
pub const TABLES: [&str; 7] = ["corpus", "ledger", "clusters", "blocks", "tokens", "commits", "index"];

/// The two places of a run.
#[derive(Clone, Debug)]
pub struct Workdir {
    /// The data set.
    pub out: Output,
    /// Scratch.
    pub place: Place,
    budget: Arc<Budget>,
    /// Whether others made the folders, and may delete them.
    joined: bool,
}

impl Workdir {
    /// As [`Workdir::of`], for a data set on this machine.
    pub fn create(out: &Path, work: &Path, budget: u64) -> Result<Self> {
        let out = Output::new(Uri::Local(out.to_owned()), Stores::default());
        Self::of(out, &Place::folder(work), budget)
    }

    /// Makes the folder of scratch, which holds unredacted text, so nobody else may read it; `out` is claimed already.
    /// What a killed attempt left half written is deleted.
    pub fn of(out: Output, place: &Place, budget: u64) -> Result<Self> {
        let work = place.local();
        if place.store().is_some() {
            remove(work)?;
        }
        make_private(work)?;
        remove(&work.join(SPOOL))?;
        let folders = fs::read_dir(work).with_context(|| work.display().to_string())?;
        let folders = folders.flatten().map(|entry| entry.path());
        let local = out.folder().into_iter();
        let published = local.flat_map(|out| TABLES.iter().map(|table| out.join(table)).chain([out.to_owned()]));
        for folder in folders.chain(published).chain([work.to_owned()]) {
            sweep(&folder)?;
        }
        let this = Self {
            out,
            place: place.clone(),
            budget: Arc::new(Budget::new(budget)),
            joined: false,
        };
        this.budget.grow(folder_bytes(work))?;
        Ok(this)
    }

    /// The folders of a run that others work in, too: nothing is deleted, and only what is written here is counted.
    pub fn join(out: Output, place: &Place, budget: u64) -> Result<Self> {
        if place.store().is_some() {
            make_private(place.local())?;
        }
        Ok(Self {
            out,
            place: place.clone(),
            budget: Arc::new(Budget::new(budget)),
            joined: true,
        })
    }

    /// A folder that one process has for itself, without a budget; nothing is published.
    pub fn scratch_only(work: &Path) -> Result<Self> {
        let nowhere = Output::new(Uri::Local(work.to_owned()), Stores::default());
        Self::join(nowhere, &Place::folder(work), u64::MAX)
    }

    /// The same, for scratch that only this process reads: it stays on this machine.
    #[must_use]
    pub fn here(&self) -> Self {
        Self {
            place: Place::folder(self.place.local()),
            ..self.clone()
        }
    }

    /// The most scratch that was used at once, in bytes.
    pub fn scratch_most(&self) -> u64 {
        self.budget.most()
    }

    /// A new file of the data set; hashed while written.
    pub fn publish(&self, path: &str) -> Result<NewFile> {
        self.publish_as(path, Put::IfAbsent)
    }

    /// As [`Workdir::publish`]; `put` says what happens in an object store where something has that name already.
    pub fn publish_as(&self, path: &str, put: Put) -> Result<NewFile> {
        let Some(folder) = self.out.folder() else {
            return self.spooled(path, Goes::Uploaded(self.out.clone(), put));
        };
        NewFile::create(folder, path, Goes::Published, None)
    }

    /// A new file in scratch; counted while written.
    pub fn scratch(&self, path: &str) -> Result<NewFile> {
        // A straggler must not make the folder anew that was deleted when the run ended without it.
        if self.joined && !self.place.is_there()? {
            return Err(Error::input("this run is over").context(self.place.name("")));
        }
        if let Some(store) = self.place.store() {
            return self.spooled(path, Goes::Shared(store.clone()));
        }
        NewFile::create(self.place.local(), path, Goes::Scratch, Some(Arc::clone(&self.budget)))
    }

    /// A new file that is on this machine until it is complete.
    fn spooled(&self, path: &str, goes: Goes) -> Result<NewFile> {
        let spool = self.place.local().join(SPOOL);
        NewFile::create(&spool, path, goes, Some(Arc::clone(&self.budget)))
    }

    /// Writes a small JSON document into scratch: a line, and a line with its hash.
    pub fn save<T: Serialize>(&self, path: &str, value: &T) -> Result<()> {
        let json = serde_json::to_vec(value).map_err(|error| Error::bug(error.to_string()))?;
        let mut file = self.scratch(path)?;
        file.write_all(&json)?;
        file.write_all(format!("\n{:016x}\n", xxh3_64(&json)).as_bytes())?;
        file.commit()?;
        Ok(())
    }

    /// Reads a small JSON document from scratch; `None` if it is not there.
    pub fn load<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let Some(bytes) = self.place.read(path)? else {
            return Ok(None);
        };
        let lines = std::str::from_utf8(&bytes).ok().and_then(|text| text.split_once('\n'));
        let whole = lines.filter(|(json, hash)| *hash == format!("{:016x}\n", xxh3_64(json.as_bytes())));
        whole
            .and_then(|(json, _)| serde_json::from_str(json).ok())
            .map(Some)
            .ok_or_else(|| damaged(&CHANGED).context(self.place.name(path)))
    }

    /// Makes the names of all published files durable: the manifest must not outlive one of them in a power cut.
    pub fn sync_names(&self) -> Result<()> {
        let Some(out) = self.out.folder() else { return Ok(()) };
        let tables = TABLES.iter().map(|table| out.join(table));
        for folder in tables.filter(|folder| folder.is_dir()).chain([out.to_owned()]) {
            sync_folder(&folder).with_context(|| folder.display().to_string())?;
        }
        Ok(())
    }

    /// Deletes the reports of single tasks behind a step whose own report is there. In a store they stay until all of
    /// scratch is deleted, which is one request for many.
    pub fn discard_reports(&self, mut names: impl Iterator<Item = String>) -> Result<()> {
        match self.place.store() {
            Some(_) => Ok(()),
            None => names.try_for_each(|name| self.discard(&name)),
        }
    }

    /// Deletes a folder or file of scratch; what is not there is deleted already.
    pub fn discard(&self, path: &str) -> Result<()> {
        self.budget.shrink(self.place.remove(path)?);
        Ok(())
    }
}

/// Makes a folder and those above it, where they are not there.
pub fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))
}

/// Deletes a folder or file; what is not there is deleted already.
pub fn remove(path: &Path) -> Result<()> {
    let delete = || match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    let crowded = |error: &io::Error| error.kind() == io::ErrorKind::DirectoryNotEmpty;
    let mut attempts = (0..STRAGGLERS).map(|_| delete());
    let removed = attempts.find(|removed| !removed.as_ref().is_err_and(crowded));
    let removed = removed.unwrap_or_else(delete);
    match removed {
        Err(error) if !is_absent(&error) => Err(Error::from(error)).with_context(|| path.display().to_string()),
        _ => Ok(()),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Deletes what a killed attempt left half written in `folder`.
fn sweep(folder: &Path) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if is_absent(&error) => return Ok(()),
        entries => entries.with_context(|| folder.display().to_string())?,
    };
    for entry in entries {
        let entry = entry.with_context(|| folder.display().to_string())?;
        if is_temporary(&entry.file_name().to_string_lossy()) {
            remove(&entry.path())?;
        }
    }
    Ok(())
}

/// A new file beside `target`, under a name that no other process has. Machine and process are not enough for that: in
/// containers, the attempt that takes over from a lost one may have the same name and number. So the file must be new.
fn temporary(target: &Path) -> io::Result<(PathBuf, File)> {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let mut attempt = 0_u64;
    loop {
        let path = target.with_file_name(format!(".{name}{TEMPORARY}{}{attempt}", process_digits()));
        match File::create_new(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => attempt += 1,
            file => return file.map(|file| (path, file)),
        }
    }
}

fn is_temporary(name: &str) -> bool {
    let process = name.strip_prefix('.').and_then(|rest| rest.rsplit_once(TEMPORARY));
    process.is_some_and(|(_, process)| !process.is_empty() && process.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A new file that is no part of a run, in place of what is there.
pub fn create_file(path: &Path) -> Result<File> {
    File::create(path).map_err(|error| cannot_write(path, &error))
}

/// Writes a file that is no part of a run, whole or not at all.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut file = NewFile::create(folder, &name, Goes::Published, None)?;
    file.write_all(bytes)?;
    file.commit().map(drop)
}

/// All of a file; `None` if it is not there.
pub fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(Error::from(error)).with_context(|| path.display().to_string()),
    }
}

/// Somebody may not write to `folder`, or it is full.
pub fn cannot_write(folder: &Path, error: &io::Error) -> Error {
    let kind = stackmill_schemas::ErrorKind::Io;
    Error::new(kind, format!("cannot write to {}: {error}", folder.display()))
        .hint("choose a folder that you may write to with --out or --scratch")
}

/// Makes a folder that nobody else may read.
fn make_private(folder: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    make(folder)?;
    let private = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    private.map_err(|error| cannot_write(folder, &error))
}

/// Bytes of a file, or of all files below a folder.
pub fn folder_bytes(path: &Path) -> u64 {
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return 0;
    };
    if !metadata.is_dir() {
        return metadata.len();
    }
    fs::read_dir(path).map_or(0, |entries| {
        entries.flatten().map(|entry| folder_bytes(&entry.path())).sum()
    })
}

/// What becomes of a file when it is complete.
enum Goes {
    /// It stays in scratch.
    Scratch,
    /// It is part of a data set on this machine.
    Published,
    /// It is uploaded, and no longer needed here.
    Uploaded(Output, Put),
    /// It is uploaded to scratch: every attempt of a task may write it, and puts the same rows there.
    Shared(Output),
}

/// A file under its temporary name; gone again unless committed.
pub struct NewFile {
    name: String,
    temporary: PathBuf,
    target: PathBuf,
    file: BufWriter<File>,
    /// Of a published file.
    sha256: Sha256,
    /// Of a file in scratch.
    xxh3: Xxh3Default,
    length: u64,
    goes: Goes,
    budget: Option<Arc<Budget>>,
    committed: bool,
}

impl NewFile {
    fn create(root: &Path, name: &str, goes: Goes, budget: Option<Arc<Budget>>) -> Result<Self> {
        let target = root.join(name);
        if let Some(folder) = target.parent() {
            make(folder)?;
        }
        let (temporary, file) = temporary(&target).map_err(|error| cannot_write(&target, &error))?;
        let file = BufWriter::with_capacity(1 << 16, file);
        Ok(Self {
            name: name.to_owned(),
            temporary,
            target,
            file,
            sha256: Sha256::new(),
            xxh3: Xxh3Default::new(),
            length: 0,
            goes,
            budget,
            committed: false,
        })
    }

    /// Syncs the file and gives it its final name.
    pub fn commit(mut self) -> Result<FileEntry> {
        let sha256 = hex(&std::mem::take(&mut self.sha256).finalize());
        let entry = FileEntry {
            path: self.name.clone(),
            rows: None,
            length_bytes: self.length,
            sha256,
        };
        let place = self.target.display().to_string();
        let (output, put) = match &self.goes {
            Goes::Uploaded(output, put) => (output, *put),
            Goes::Shared(output) => (output, Put::Renew),
            Goes::Scratch | Goes::Published => return self.put().context(place).map(|()| entry),
        };
        // From under its temporary name, which no other process has: then it is gone from here.
        self.file.flush().context(place)?;
        output.upload(&self.temporary, &entry, put)?;
        Ok(entry)
    }

    /// Ends a file of scratch with the hash of what stands before.
    pub fn seal(mut self) -> Result<Self> {
        let hash = self.xxh3.digest();
        self.write_all(&hash.to_le_bytes())?;
        Ok(self)
    }

    fn put(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        // An attempt that died before its report was written may have put the same file there.
        let replaced = folder_bytes(&self.target);
        fs::rename(&self.temporary, &self.target)?;
        self.committed = true;
        if let Some(budget) = &self.budget {
            budget.shrink(replaced);
        }
        Ok(())
    }
}

/// Makes the names in a folder durable, where the file system can do that.
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => Ok(()),
        done => done,
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(budget) = &self.budget {
            budget.grow(bytes.len() as u64)?;
        }
        if matches!(self.goes, Goes::Scratch | Goes::Shared(_)) {
            self.xxh3.update(bytes);
        }
        if !matches!(self.goes, Goes::Scratch) {
            self.sha256.update(bytes);
        }
        self.length += bytes.len() as u64;
        self.file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.committed {
            // The error that led here is the one worth telling.
            let _ = fs::remove_file(&self.temporary);
            if let Some(budget) = &self.budget {
                budget.shrink(self.length);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own for one test; gone when dropped.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("stackmill-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }

        fn workdir(&self, budget: u64) -> Workdir {
            Workdir::create(&self.0, &self.0.join(".work"), budget).expect("the temporary folder can be written to")
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn put(workdir: &Workdir, name: &str, bytes: &[u8]) -> Result<FileEntry> {
        let mut file = workdir.scratch(name)?;
        file.write_all(bytes)?;
        file.commit()
    }

    #[test]
    fn scratch_counts_what_lies_there_and_no_more() {
        let folder = Folder::new("budget");
        let workdir = folder.workdir(100);
        put(&workdir, "a/1", &[0; 60]).expect("60 of 100");
        assert!(put(&workdir, "a/2", &[0; 60]).is_err());
        put(&workdir, "a/2", &[0; 40]).expect("the refused file is not counted");
        workdir.discard("a/2").expect("deleted");
        put(&workdir, "a/1", &[0; 40]).expect("both are there for a moment");
        put(&workdir, "a/3", &[0; 60]).expect("the replaced file is not counted");
        assert!(put(&workdir, "a/4", &[0]).is_err());
        assert_eq!(folder_bytes(workdir.place.local()), 100);
        assert!(
            put(&folder.workdir(100), "a/4", &[0]).is_err(),
            "the next attempt counts, too"
        );
    }

    #[test]
    fn what_a_killed_attempt_left_half_written_is_deleted() {
        let folder = Folder::new("sweep");
        let workdir = folder.workdir(u64::MAX);
        for (root, name) in [
            (&workdir.place.local().to_owned(), "side/.00001.tmp-7"),
            (&folder.0, "corpus/.part.parquet.tmp-7"),
        ] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, "half").expect("written");
        }
        fs::write(folder.0.join(".mine.tmp-x"), "somebody else's").expect("written");
        let again = folder.workdir(u64::MAX);
        assert_eq!(folder_bytes(again.place.local()), 0);
        assert!(!folder.0.join("corpus/.part.parquet.tmp-7").exists() && folder.0.join(".mine.tmp-x").exists());
    }

    #[test]
    fn two_attempts_at_one_file_do_not_write_into_each_other() {
        let folder = Folder::new("twice");
        let workdir = folder.workdir(u64::MAX);
        let mut lost = workdir.scratch("a/1").expect("made");
        lost.write_all(b"the first half").expect("written");
        put(&workdir, "a/1", b"whole").expect("another attempt of the same name");
        assert_eq!(
            fs::read(workdir.place.local().join("a/1")).ok().as_deref(),
            Some(&b"whole"[..])
        );
        drop(lost);
        assert_eq!(
            fs::read_dir(workdir.place.local().join("a")).map(Iterator::count).ok(),
            Some(1)
        );
    }

    #[test]
    fn a_straggler_does_not_make_scratch_anew() {
        let folder = Folder::new("straggler");
        let first = folder.workdir(u64::MAX);
        let joined = Workdir::join(first.out.clone(), &first.place, u64::MAX).expect("nothing to make");
        put(&joined, "a/1", b"here").expect("the run goes on");
        let begun = joined.scratch("a/2").expect("the run goes on");
        first.place.remove_all().expect("deleted");
        assert!(begun.commit().is_err() && put(&joined, "a/3", b"late").is_err());
        assert!(!first.place.local().exists());
    }

    #[test]
    fn a_document_is_as_it_was_saved_or_refused() {
        let folder = Folder::new("save");
        let workdir = folder.workdir(u64::MAX);
        workdir.save("done/x", &vec![1, 20]).expect("saved");
        assert_eq!(workdir.load::<Vec<u32>>("done/x").ok(), Some(Some(vec![1, 20])));
        assert_eq!(workdir.load::<Vec<u32>>("done/y").ok(), Some(None));
        let path = workdir.place.local().join("done/x");
        let whole = fs::read(&path).expect("there");
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            for bytes in [&bent[..], &whole[..at]] {
                fs::write(&path, bytes).expect("written");
                assert!(workdir.load::<Vec<u32>>("done/x").is_err(), "byte {at}");
            }
        }
    }

    #[test]
    fn a_file_that_is_not_committed_leaves_nothing() {
        let folder = Folder::new("drop");
        let workdir = folder.workdir(100);
        let mut file = workdir.scratch("a/1").expect("made");
        file.write_all(&[0; 50]).expect("written");
        fs::create_dir_all(workdir.place.local().join("a/1/below")).expect("in the way of the rename");
        assert!(file.commit().is_err());
        fs::remove_dir_all(workdir.place.local().join("a/1")).expect("out of the way");
        assert_eq!(folder_bytes(workdir.place.local()), 0);
        put(&workdir, "a/1", &[0; 100]).expect("the whole budget is free again");
    }
}
