//! Plain folders: every file below one is a row, whatever git would think of it.
//!
//! A folder's revision is a hash over (mode, path, length) of everything in it, sorted by path: cheap to take, and
//! enough to notice that a lock is out of date. Contents are checked against their blob ids when they are read.
//! Symlinks are recorded and never followed, `.git` folders are passed over, also where the folder is itself a clone.

mod walk;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use arrow_array::RecordBatch;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::path::unescape;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{BlobId, Result, TaskContext};

use self::walk::{Entry, Folder};
use super::contents::{Contents, Wanted};
use super::listing::{BlobHasher, Evidence, Listing, Owner, Row, mode};
use super::place::{changed_since_lock, expand, name_of, not_there, path_from, path_of, trouble_of};
use super::Setup;

/// The source behind `directory = …`.
pub(super) struct Directory {
    setup: Setup,
}

/// Opens the source; nothing is read yet.
pub(super) fn open(setup: Setup) -> Result<Directory> {
    Ok(Directory { setup })
}

impl Source for Directory {
    fn resolve(&self, cx: &TaskContext) -> Result<Vec<Unit>> {
        let locations = expand(&self.setup, Path::is_dir)?;
        locations.into_iter().map(|location| self.unit(location, cx)).collect()
    }

    fn list(&self, unit: &Unit, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let root = path_of(&self.setup.folder, &unit.location);
        let folder = Folder::walk(&root, &self.setup.config, cx)?;
        if folder.revision_id() != unit.revision_id {
            return Err(changed_since_lock(&root));
        }
        let evidence = evidence(unit, &root, &folder)?;
        let mut listing = Listing::new(&self.setup.config, emit, cx);
        let mut buffer = vec![0; 1 << 16];
        for entry in folder.entries() {
            let row = row(&root, entry, &mut buffer);
            listing.push(Owner::of(unit), row, &evidence.inherited(&entry.path))?;
        }
        listing.finish()
    }

    fn read(&self, unit: &Unit, wanted: &RecordBatch, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let root = path_of(&self.setup.folder, &unit.location);
        let wanted = Wanted::new(wanted)?;
        let mut contents = Contents::new(emit, cx);
        let mut buffer = Vec::new();
        for i in 0..wanted.len() {
            let path = root.join(path_from(unescape(wanted.path(i))));
            match content(&path, wanted.mode(i), self.setup.config.max_entry_bytes, &mut buffer) {
                Ok(()) => contents.checked(&wanted, i, &buffer)?,
                Err(trouble) => contents.trouble(wanted.file_id(i), &trouble)?,
            }
        }
        contents.finish()
    }
}

impl Directory {
    fn unit(&self, location: String, cx: &TaskContext) -> Result<Unit> {
        let root = path_of(&self.setup.folder, &location);
        if !root.is_dir() {
            return Err(not_there(&root, "a folder"));
        }
        let walked = Folder::walk(&root, &self.setup.config, cx);
        let ((revision_id, length_bytes), trouble) =
            trouble_of(walked.map(|folder| (folder.revision_id(), folder.length_bytes())))?;
        Ok(Unit {
            source: self.setup.config.name().to_owned(),
            repo_name: self.setup.config.repo_name.clone().unwrap_or_else(|| name_of(&root)),
            revision_id,
            location,
            length_bytes,
            metadata: BTreeMap::new(),
            trouble,
        })
    }
}

fn evidence(unit: &Unit, root: &Path, folder: &Folder) -> Result<Evidence> {
    let mut evidence = Evidence::new(unit);
    let mut buffer = Vec::new();
    for entry in folder.entries() {
        let wanted = entry.trouble.is_none() && Evidence::wants(&entry.path, entry.mode, entry.length);
        if wanted && content(&entry.place(root), entry.mode, entry.length, &mut buffer).is_ok() {
            evidence.add(&entry.path, &buffer)?;
        }
    }
    Ok(evidence)
}

fn row<'a>(root: &Path, entry: &'a Entry, buffer: &mut [u8]) -> Row<'a> {
    let hashed = match &entry.trouble {
        Some(trouble) => Err(trouble.clone()),
        None => hash(&entry.place(root), entry, buffer),
    };
    let (blob, trouble) = match hashed {
        Ok(blob) => (Some(blob), None),
        Err(trouble) => (None, Some(trouble)),
    };
    Row {
        path: &entry.path,
        mode: entry.mode,
        length: entry.length,
        blob,
        locator: 0,
        trouble,
    }
}

/// The blob id of a file or link, or why there is none.
fn hash(path: &Path, entry: &Entry, buffer: &mut [u8]) -> Result<BlobId, String> {
    let mut hasher = BlobHasher::new(entry.length);
    let mut left = entry.length;
    if entry.mode == mode::SYMLINK {
        let target = std::fs::read_link(path).map_err(|error| trouble(&error))?;
        hasher.update(target.as_os_str().as_bytes());
        left = left.wrapping_sub(target.as_os_str().len() as u64);
    } else {
        let mut file = open_regular(path)?;
        loop {
            let count = file.read(buffer).map_err(|error| trouble(&error))?;
            if count == 0 || count as u64 > left {
                left = left.wrapping_sub(count as u64);
                break;
            }
            hasher.update(&buffer[..count]);
            left -= count as u64;
        }
    }
    match left {
        0 => hasher.finish().map_err(|_| "its hash shows a collision attack".to_owned()),
        _ => Err("it changed while it was read".to_owned()),
    }
}

/// Puts the content of a file or link into `buffer`, or says why there is none.
fn content(path: &Path, mode: u32, most: u64, buffer: &mut Vec<u8>) -> Result<(), String> {
    buffer.clear();
    if mode == mode::SYMLINK {
        let target = std::fs::read_link(path).map_err(|error| trouble(&error))?;
        buffer.extend_from_slice(target.as_os_str().as_bytes());
        return Ok(());
    }
    let file = open_regular(path)?;
    file.take(most + 1).read_to_end(buffer).map_err(|error| trouble(&error))?;
    match buffer.len() as u64 > most {
        true => Err(format!("longer than {most} bytes")),
        false => Ok(()),
    }
}

/// Opens a regular file; neither a link nor a pipe that took its place meanwhile.
fn open_regular(path: &Path) -> Result<File, String> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(|error| trouble(&error))?;
    match file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        true => Ok(file),
        false => Err("it is not a regular file any more".to_owned()),
    }
}

/// An IO error in words that are the same on every machine.
fn trouble(error: &std::io::Error) -> String {
    format!("it cannot be read: {}", error.kind())
}
