//! Claims on a data set's folder: one process alone, or many that share the work.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use stackmill_ingest::store::Uri;
use stackmill_schemas::{Error, ErrorKind, Result};

use crate::workdir::{cannot_write, make, remove};

/// A data set's folder that no other process works in until this is dropped, or only those that share the work.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    /// Holds the lock.
    _file: File,
    shared: bool,
}

impl Claim {
    /// Claims the data set at `out` with its scratch in `work`; a folder that is not there is made.
    pub fn take(out: &Uri, work: &Path) -> Result<Self> {
        Self::of(out, work, false)
    }

    /// As [`Claim::take`], together with others that share.
    pub fn share(out: &Uri, work: &Path) -> Result<Self> {
        Self::of(out, work, true)
    }

    fn of(out: &Uri, work: &Path, shared: bool) -> Result<Self> {
        match out {
            Uri::Local(folder) => Self::lock(folder, folder.join(".lock"), out, shared),
            Uri::Store(_) => {
                let folder = work.parent().unwrap_or(Path::new("."));
                Self::lock(folder, work.with_extension("lock"), out, shared)
            }
        }
    }

    fn lock(folder: &Path, path: PathBuf, out: &Uri, shared: bool) -> Result<Self> {
        make(folder)?;
        loop {
            // Read and write: where locks go over a network, shared ones need the first, exclusive ones the second.
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path);
            let file = opened.map_err(|error| cannot_write(folder, &error))?;
            let locked = match shared {
                true => file.try_lock_shared(),
                false => file.try_lock(),
            };
            match locked {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::resource("another stackmill is working in this folder")
                        .context(out.to_string())
                        .hint("wait for it, or choose another --out"));
                }
                Err(TryLockError::Error(error)) => return Err(cannot_lock(&path, &error)),
            }
            // Whoever had it may have deleted it between our opening and our locking: then it guards nothing.
            if same_file(&file, &path) {
                return Ok(Self {
                    path,
                    _file: file,
                    shared,
                });
            }
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // A shared one is left to whoever publishes. Still locked: nobody can have taken it.
        if !self.shared {
            let _ = remove(&self.path);
        }
    }
}

fn cannot_lock(path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("cannot lock {}: {error}", path.display()))
        .hint("--out must lie on a file system with locks: NFS with its lock service, Lustre mounted with `flock`")
}

fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
    let (open, there) = (file.metadata().map(identity), fs::metadata(path).map(identity));
    matches!((open, there), (Ok(open), Ok(there)) if open == there)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::LocalFolder;

    #[test]
    fn a_folder_is_claimed_once_and_free_again_afterwards() {
        let folder = LocalFolder::new().expect("there is a place for temporary files");
        let store = Uri::parse("s3://b/a").expect("a place");
        for (out, lock) in [(Uri::Local(folder.path().to_owned()), ".lock"), (store, "work.lock")] {
            let claim = || Claim::take(&out, &folder.path().join("work"));
            let first = claim().expect("nobody else is here");
            assert!(claim().is_err() && folder.path().join(lock).exists());
            drop(first);
            assert!(!folder.path().join(lock).exists());
            assert!(claim().is_ok());
        }
    }

    #[test]
    fn those_who_share_keep_others_out() {
        let folder = LocalFolder::new().expect("there is a place for temporary files");
        let out = Uri::Local(folder.path().to_owned());
        let (take, share) = (
            || Claim::take(&out, folder.path()),
            || Claim::share(&out, folder.path()),
        );
        let ranks = [share(), share()];
        assert!(ranks.iter().all(Result::is_ok) && take().is_err());
        drop(ranks);
        let alone = take().expect("all have ended");
        assert!(share().is_err());
        drop(alone);
        assert!(share().is_ok());
    }
}
