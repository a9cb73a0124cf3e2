//! Everything below a folder, without contents.

use std::ffi::OsStr;
use std::fs::{DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha2::{Digest, Sha256};
use stackmill_schemas::ids::hex;
use stackmill_schemas::{Error, Result, TaskContext};

use super::super::SourceConfig;
use super::super::listing::mode;
use super::super::paths::{self, Entry, FolderId, Found, Paths, TooLarge, Trouble};
use super::super::place::unreadable;

/// Deepest folder that is entered.
const DEEPEST: usize = 64;

/// The part of a mode that tells files, links, pipes and devices apart.
const TYPE_BITS: u32 = 0o170000;

/// Everything below a folder, sorted by path bytes.
pub(super) struct Folder(pub(super) Paths<()>);

/// The walk: what was found, and the folders that are still to be entered, with how deep they lie.
struct Walk<'a> {
    root: &'a Path,
    paths: Paths<()>,
    left: Vec<(FolderId, usize)>,
    seen: u64,
    most: u64,
}

impl Folder {
    /// Walks `root`. What cannot be read is an entry with trouble; more entries than the limit is an error, and so is
    /// a shortage of this machine.
    pub(super) fn walk(root: &Path, config: &SourceConfig, cx: &TaskContext) -> Result<Self> {
        let mut walk = Walk {
            root,
            paths: Paths::new(config),
            left: vec![(paths::ROOT, 0)],
            seen: 0,
            most: config.max_entries,
        };
        while let Some((folder, depth)) = walk.left.pop() {
            cx.check()?;
            walk.enter(folder, depth)?;
        }
        walk.paths.sort();
        Ok(Self(walk.paths))
    }

    /// Bytes of all files.
    pub(super) fn length_bytes(&self) -> u64 {
        self.0.entries().iter().map(Entry::bytes).sum()
    }

    /// Hexadecimal sha256 over mode, path and length of every entry.
    pub(super) fn revision_id(&self) -> String {
        let mut sha256 = Sha256::new();
        let mut buffer = Vec::new();
        for entry in self.0.entries() {
            let path = self.0.path(entry, &mut buffer);
            sha256.update(format!("{:o} {} {}\0", entry.mode(), entry.bytes(), path.len()));
            sha256.update(path);
        }
        hex(sha256.finalize().as_slice())
    }
}

impl Walk<'_> {
    /// Notes everything in a folder.
    fn enter(&mut self, folder: FolderId, depth: usize) -> Result<()> {
        let mut buffer = Vec::new();
        let path = self
            .root
            .join(OsStr::from_bytes(self.paths.folder_path(folder, &mut buffer)));
        let children = match std::fs::read_dir(path) {
            Ok(children) => children,
            Err(error) if depth == 0 => return Err(unreadable(self.root, &error)),
            Err(error) => return self.unreadable(folder, &error),
        };
        for child in children {
            self.seen += 1;
            if self.seen > self.most {
                return Err(self.too_large());
            }
            match child {
                Ok(child) => self.child(folder, depth, &child)?,
                Err(error) => self.unreadable(folder, &error)?,
            }
        }
        Ok(())
    }

    fn child(&mut self, folder: FolderId, depth: usize, child: &DirEntry) -> Result<()> {
        let name = child.file_name().into_vec();
        let found = match child.metadata() {
            Ok(metadata) if metadata.is_dir() && name == b".git" => return Ok(()),
            Ok(metadata) if metadata.is_dir() && depth == DEEPEST => refused(mode::FOLDER, Trouble::FolderTooDeep),
            Ok(metadata) if metadata.is_dir() => {
                let inner = self.paths.folder(folder, &name);
                self.left.push((inner.map_err(|TooLarge| self.too_large())?, depth + 1));
                return Ok(());
            }
            Ok(metadata) => described(&metadata),
            Err(error) => refused(mode::FILE, trouble_with(self.root, &error)?),
        };
        let pushed = self.paths.push(folder, &name, found);
        pushed.map_err(|TooLarge| self.too_large())
    }

    fn unreadable(&mut self, folder: FolderId, error: &io::Error) -> Result<()> {
        let found = refused(mode::FOLDER, trouble_with(self.root, error)?);
        let pushed = self.paths.refuse(folder, found);
        pushed.map_err(|TooLarge| self.too_large())
    }

    fn too_large(&self) -> Error {
        Error::input(format!("the folder holds more than {} entries", self.most))
            .hint("raise `max-entries` of the source")
            .context(self.root.display().to_string())
    }
}

fn described(metadata: &Metadata) -> Found<()> {
    let kind = metadata.file_type();
    let mode = match (kind.is_file(), kind.is_symlink()) {
        (true, _) if metadata.mode() & 0o100 != 0 => mode::EXECUTABLE,
        (true, _) => mode::FILE,
        (_, true) => mode::SYMLINK,
        _ => return refused(metadata.mode() & TYPE_BITS, Trouble::NotRegular),
    };
    Found {
        mode,
        bytes: metadata.len(),
        trouble: None,
        more: (),
    }
}

fn refused(mode: u32, trouble: Trouble) -> Found<()> {
    Found {
        mode,
        bytes: 0,
        trouble: Some(trouble),
        more: (),
    }
}

/// What is wrong with one entry, unless it is this machine.
fn trouble_with(root: &Path, error: &io::Error) -> Result<Trouble> {
    match Error::shortage(error) {
        Some(shortage) => Err(shortage.context(root.display().to_string())),
        None => Ok(Trouble::Unreadable(error.kind())),
    }
}
