//! Claims on a data set's folder: one process alone, or many that share the work.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

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
    /// Makes the folder if it is not there, and claims it.
    pub fn take(out: &Path) -> Result<Self> {
        Self::new(out, false)
    }

    /// As [`Claim::take`], together with others that share.
    pub fn share(out: &Path) -> Result<Self> {
        Self::new(out, true)
    }

    fn new(out: &Path, shared: bool) -> Result<Self> {
        make(out)?;
        let path = out.join(".lock");
        loop {
            // Read and write: where locks go over a network, shared ones need the first, exclusive ones the second.
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path);
            let file = opened.map_err(|error| cannot_write(out, &error))?;
            let locked = match shared {
                true => file.try_lock_shared(),
                false => file.try_lock(),
            };
            match locked {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::resource("another stackmill is working in this folder")
                        .context(out.display().to_string())
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

    /// A name for one test's folder, which is not there yet.
    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("stackmill-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        path
    }

    #[test]
    fn a_folder_is_claimed_once_and_free_again_afterwards() {
        let folder = folder("claim");
        let first = Claim::take(&folder).expect("nobody else is here");
        assert!(Claim::take(&folder).is_err());
        drop(first);
        assert!(!folder.join(".lock").exists());
        assert!(Claim::take(&folder).is_ok());
        fs::remove_dir_all(folder).expect("deleted");
    }

    #[test]
    fn those_who_share_keep_others_out() {
        let folder = folder("share");
        let ranks = [Claim::share(&folder), Claim::share(&folder)];
        assert!(ranks.iter().all(Result::is_ok) && Claim::take(&folder).is_err());
        drop(ranks);
        let alone = Claim::take(&folder).expect("all have ended");
        assert!(Claim::share(&folder).is_err());
        drop(alone);
        assert!(Claim::share(&folder).is_ok());
        fs::remove_dir_all(folder).expect("deleted");
    }
}
