//! Where files go: written under a temporary name, synced, then put at their one final name; scratch is counted.
//!
//! ```text
//!   OUT/corpus ledger clusters tokens   published; real only once OUT/manifest.json is there
//!   OUT/sources.lock                    what every source meant
//!   WORK/run                            fingerprint and resolved recipe of what is in here
//!   WORK/done/STEP-NNNNN                a task is done: its report
//!   WORK/done/STEP                      all tasks of a step are done: their reports
//!   WORK/<step>/…                       tables between steps, deleted after their last reader
//! ```

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use stackmill_schemas::ids::hex;
use stackmill_schemas::manifest::FileEntry;
use stackmill_schemas::{Error, Result, ResultExt};

use crate::units::bytes_text;

/// Bytes that may lie in scratch at once.
#[derive(Debug)]
pub struct Budget {
    limit: u64,
    used: AtomicU64,
    most: AtomicU64,
}

impl Budget {
    /// At most `limit` bytes; `u64::MAX` for no limit.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            used: AtomicU64::new(0),
            most: AtomicU64::new(0),
        }
    }

    fn grow(&self, bytes: u64) -> io::Result<()> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.most.fetch_max(used, Ordering::Relaxed);
        if used > self.limit {
            let limit = bytes_text(self.limit);
            return Err(io::Error::new(
                io::ErrorKind::QuotaExceeded,
                format!("scratch budget of {limit} is used up"),
            ));
        }
        Ok(())
    }

    fn shrink(&self, bytes: u64) {
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            Some(used.saturating_sub(bytes))
        });
    }

    /// The most that was used at once, in bytes.
    pub fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}

/// The two folders of a run.
#[derive(Clone, Debug)]
pub struct Workdir {
    /// The data set.
    pub out: PathBuf,
    /// Scratch.
    pub work: PathBuf,
    budget: Arc<Budget>,
}

impl Workdir {
    /// Makes both folders; scratch holds unredacted text, so nobody else may read it.
    pub fn create(out: &Path, work: &Path, budget: u64) -> Result<Self> {
        for folder in [out, work] {
            fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        }
        private(work).map_err(|error| cannot_write(work, &error))?;
        let probe = out.join(".stackmill-probe");
        File::create(&probe)
            .and_then(|_| fs::remove_file(&probe))
            .map_err(|error| cannot_write(out, &error))?;
        let this = Self {
            out: out.to_owned(),
            work: work.to_owned(),
            budget: Arc::new(Budget::new(budget)),
        };
        this.budget.grow(folder_bytes(work))?;
        Ok(this)
    }

    /// The most scratch that was used at once, in bytes.
    pub fn scratch_most(&self) -> u64 {
        self.budget.most()
    }

    /// A new file of the data set; hashed while written.
    pub fn publish(&self, path: &str) -> Result<NewFile> {
        NewFile::create(&self.out, path, None)
    }

    /// A new file in scratch; counted while written.
    pub fn scratch(&self, path: &str) -> Result<NewFile> {
        NewFile::create(&self.work, path, Some(Arc::clone(&self.budget)))
    }

    /// Writes a small JSON document into scratch.
    pub fn save<T: Serialize>(&self, path: &str, value: &T) -> Result<()> {
        let json = serde_json::to_vec(value).map_err(|error| Error::bug(error.to_string()))?;
        let mut file = self.scratch(path)?;
        file.write_all(&json)?;
        file.commit()?;
        Ok(())
    }

    /// Reads a small JSON document from scratch; `None` if it is not there.
    pub fn load<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        load_json(&self.work.join(path))
    }

    /// Deletes a folder or file of scratch; what is not there is deleted already.
    pub fn discard(&self, path: &str) -> Result<()> {
        let full = self.work.join(path);
        let bytes = folder_bytes(&full);
        let removed = if full.is_dir() {
            fs::remove_dir_all(&full)
        } else {
            fs::remove_file(&full)
        };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::from(error)).with_context(|| full.display().to_string())
            }
            _ => {
                self.budget.shrink(bytes);
                Ok(())
            }
        }
    }
}

/// Writes a file that is no part of a run, whole or not at all.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut file = NewFile::create(folder, &name, None)?;
    file.write_all(bytes)?;
    file.commit().map(drop)
}

/// Reads a JSON document; `None` if it is not there.
pub fn load_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(Error::from(error)).with_context(|| path.display().to_string()),
    };
    let value = serde_json::from_slice(&bytes).map_err(|error| {
        Error::input(format!("not what stackmill wrote: {error}")).context(path.display().to_string())
    });
    Ok(Some(value?))
}

fn cannot_write(folder: &Path, error: &io::Error) -> Error {
    let kind = stackmill_schemas::ErrorKind::Io;
    Error::new(kind, format!("cannot write to {}: {error}", folder.display()))
        .hint("choose a folder that you may write to with --out or --scratch")
}

fn private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

fn folder_bytes(path: &Path) -> u64 {
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

/// A file under its temporary name; gone again unless committed.
#[derive(Debug)]
pub struct NewFile {
    name: String,
    temporary: PathBuf,
    target: PathBuf,
    file: Option<BufWriter<File>>,
    sha256: Sha256,
    length: u64,
    budget: Option<Arc<Budget>>,
}

impl NewFile {
    fn create(root: &Path, name: &str, budget: Option<Arc<Budget>>) -> Result<Self> {
        let target = root.join(name);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
        }
        let file_name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let temporary = target.with_file_name(format!(".{file_name}.tmp-{}", std::process::id()));
        let file = File::create(&temporary).map_err(|error| cannot_write(&temporary, &error))?;
        let file = Some(BufWriter::with_capacity(1 << 16, file));
        Ok(Self {
            name: name.to_owned(),
            temporary,
            target,
            file,
            sha256: Sha256::new(),
            length: 0,
            budget,
        })
    }

    /// Syncs the file and gives it its final name.
    pub fn commit(mut self) -> Result<FileEntry> {
        let place = self.target.display().to_string();
        let mut writer = self
            .file
            .take()
            .ok_or_else(|| Error::bug("a file was committed twice"))?;
        writer.flush().context(&*place)?;
        writer.get_ref().sync_data().context(&*place)?;
        fs::rename(&self.temporary, &self.target).context(&*place)?;
        let sha256 = hex(&std::mem::take(&mut self.sha256).finalize());
        Ok(FileEntry {
            path: self.name.clone(),
            rows: None,
            length_bytes: self.length,
            sha256,
        })
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.budget {
            Some(budget) => budget.grow(bytes.len() as u64)?,
            None => self.sha256.update(bytes),
        }
        self.length += bytes.len() as u64;
        let Some(file) = &mut self.file else {
            return Err(io::Error::other("file is closed"));
        };
        file.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // The error that led here is the one worth telling.
            let _ = fs::remove_file(&self.temporary);
            if let Some(budget) = &self.budget {
                budget.shrink(self.length);
            }
        }
    }
}
