//! Everything below a folder, without contents.

use std::fs::{DirEntry, Metadata};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use stackmill_schemas::ids::hex;
use stackmill_schemas::{Error, Result, TaskContext};

use super::super::SourceConfig;
use super::super::listing::mode;
use super::super::place::{path_from, unreadable};

/// Deepest folder that is entered.
const DEEPEST: usize = 64;

/// The part of a mode that tells files, links, pipes and devices apart.
const TYPE_BITS: u32 = 0o170000;

/// One path below a folder.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// Bytes of the path, relative to the folder.
    pub(super) path: Vec<u8>,
    /// Git file mode; type bits of what git does not know; that of a folder only where it cannot be entered.
    pub(super) mode: u32,
    /// Bytes of the file, or of the link's target.
    pub(super) length: u64,
    /// Why it cannot be read.
    pub(super) trouble: Option<String>,
}

impl Entry {
    fn new(path: Vec<u8>, metadata: &Metadata) -> Self {
        let kind = metadata.file_type();
        let (mode, trouble) = match (kind.is_file(), kind.is_symlink()) {
            (true, _) if metadata.mode() & 0o100 != 0 => (mode::EXECUTABLE, None),
            (true, _) => (mode::FILE, None),
            (_, true) => (mode::SYMLINK, None),
            _ => (metadata.mode() & TYPE_BITS, Some("it is not a regular file".to_owned())),
        };
        let length = if trouble.is_none() { metadata.len() } else { 0 };
        Self {
            path,
            mode,
            length,
            trouble,
        }
    }

    fn unreadable(path: Vec<u8>, mode: u32, trouble: String) -> Self {
        Self {
            path,
            mode,
            length: 0,
            trouble: Some(trouble),
        }
    }

    /// Where it is.
    pub(super) fn place(&self, root: &Path) -> PathBuf {
        root.join(path_from(self.path.clone()))
    }
}

/// Everything below a folder, sorted by path bytes.
pub(super) struct Folder {
    entries: Vec<Entry>,
}

impl Folder {
    /// Walks `root`. What cannot be read is an entry with trouble; more entries than the limit is an error.
    pub(super) fn walk(root: &Path, config: &SourceConfig, cx: &TaskContext) -> Result<Self> {
        let mut entries = Vec::new();
        let mut left = vec![(Vec::new(), 0)];
        let mut seen = 0;
        while let Some((folder, depth)) = left.pop() {
            cx.check()?;
            let children = match std::fs::read_dir(root.join(path_from(folder.clone()))) {
                Ok(children) => children,
                Err(error) if depth == 0 => return Err(unreadable(root, &error)),
                Err(error) => {
                    entries.push(Entry::unreadable(folder, mode::FOLDER, error.kind().to_string()));
                    continue;
                }
            };
            for child in children {
                seen += 1;
                if seen > config.max_entries {
                    return Err(too_many(root, config.max_entries));
                }
                match Child::of(&folder, depth, child) {
                    Child::Entry(entry) => entries.push(entry),
                    Child::Folder(path) => left.push((path, depth + 1)),
                    Child::PassedOver => {}
                }
            }
        }
        entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { entries })
    }

    /// The entries, sorted by path bytes.
    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Bytes of all files.
    pub(super) fn length_bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.length).sum()
    }

    /// Hexadecimal sha256 over mode, path and length of every entry.
    pub(super) fn revision_id(&self) -> String {
        let mut sha256 = Sha256::new();
        for entry in &self.entries {
            sha256.update(format!("{:o} {} {}\0", entry.mode, entry.length, entry.path.len()));
            sha256.update(&entry.path);
        }
        hex(sha256.finalize().as_slice())
    }
}

fn too_many(root: &Path, most: u64) -> Error {
    Error::input(format!("the folder holds more than {most} entries"))
        .hint("raise `max-entries` of the source")
        .context(root.display().to_string())
}

/// What a child of a folder is.
enum Child {
    Entry(Entry),
    Folder(Vec<u8>),
    PassedOver,
}

impl Child {
    fn of(folder: &[u8], depth: usize, child: std::io::Result<DirEntry>) -> Self {
        let child = match child {
            Ok(child) => child,
            Err(error) => {
                return Self::Entry(Entry::unreadable(
                    folder.to_vec(),
                    mode::FOLDER,
                    error.kind().to_string(),
                ));
            }
        };
        let name = child.file_name().into_vec();
        let is_git = name == b".git";
        let path = match folder.is_empty() {
            true => name,
            false => [folder, b"/", &name].concat(),
        };
        match child.metadata() {
            Ok(metadata) if metadata.is_dir() && is_git => Self::PassedOver,
            Ok(metadata) if metadata.is_dir() && depth == DEEPEST => Self::Entry(Entry::unreadable(
                path,
                mode::FOLDER,
                "the folder lies too deep".to_owned(),
            )),
            Ok(metadata) if metadata.is_dir() => Self::Folder(path),
            Ok(metadata) => Self::Entry(Entry::new(path, &metadata)),
            Err(error) => Self::Entry(Entry::unreadable(path, mode::FILE, error.kind().to_string())),
        }
    }
}
