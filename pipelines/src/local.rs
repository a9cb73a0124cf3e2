//! What one process of many has for itself: digits for names, and a folder.

use std::fs::File;
use std::path::Path;

use stackmill_schemas::{Result, ResultExt, fingerprint};

/// Digits that no other process has, on this machine or on another one that sees the same folders.
pub fn process_digits() -> String {
    let machine = fingerprint::seeded(0, rustix::system::uname().nodename().to_bytes());
    format!("{}{machine:020}", std::process::id())
}

/// A new file in `folder`, which has no name and is gone when closed.
pub fn nameless_file(folder: &Path) -> Result<File> {
    tempfile::tempfile_in(folder).with_context(|| folder.display().to_string())
}

/// A folder on this machine; gone when dropped.
#[derive(Debug)]
pub struct LocalFolder(tempfile::TempDir);

impl LocalFolder {
    /// A new one, where this machine keeps temporary files.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("stackmill-").tempdir();
        Ok(Self(folder.context("the folder for temporary files")?))
    }

    /// A new one inside `folder`.
    pub fn below(folder: &Path) -> Result<Self> {
        let made = tempfile::Builder::new().prefix("stackmill-").tempdir_in(folder);
        Ok(Self(made.with_context(|| folder.display().to_string())?))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
