//! Plain folders: every file below one is a row, whatever git would think of it.
//!
//! A folder's revision is a hash over (mode, path, length) of everything in it, sorted by path: cheap to take, and
//! enough to notice that a lock is out of date. Contents are checked against their blob ids when they are read.
//! Symlinks are recorded and never followed, `.git` folders are passed over, also where the folder is itself a clone.

mod walk;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::path::unescape;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{BlobId, Error, Result, TaskContext};

use self::walk::Folder;
use super::Setup;
use super::contents::{Contents, Wanted};
use super::listing::{BlobHasher, Evidence, Listing, Owner, mode};
use super::paths::{Entry, Trouble};
use super::place::{
    changed_since_lock, expand, found_or_trouble, name_of, not_there, path_from, path_of, trouble_of, trouble_with,
};

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
        let (mut path, mut buffer) = (Vec::new(), vec![0; 1 << 16]);
        for entry in folder.0.entries() {
            let path = folder.0.path(entry, &mut path);
            let mut row = folder.0.row(entry, path);
            if row.trouble.is_none() {
                (row.blob, row.trouble) = match trouble_of(hash(&place(&root, path), entry, &mut buffer))? {
                    Ok(blob) => (Some(blob), None),
                    Err(trouble) => (None, Some(trouble)),
                };
            }
            listing.push(Owner::of(unit), row, &evidence.inherited(path))?;
        }
        listing.finish()
    }

    fn read(&self, unit: &Unit, wanted: &RecordBatch, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let root = path_of(&self.setup.folder, &unit.location);
        let wanted = Wanted::new(wanted)?;
        let mut contents = Contents::new(&self.setup.config, emit, cx);
        let mut buffer = Vec::new();
        for i in 0..wanted.len() {
            let path = root.join(path_from(unescape(wanted.path(i))));
            let most = self.setup.config.max_entry_bytes;
            match trouble_of(content(&path, wanted.mode(i), most, &mut buffer))? {
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
            found_or_trouble(walked.map(|folder| (folder.revision_id(), folder.length_bytes())))?;
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
    let (mut path, mut buffer) = (Vec::new(), Vec::new());
    for entry in folder.0.entries() {
        let path = folder.0.path(entry, &mut path);
        if entry.trouble().is_some() || !evidence.wants(path, entry.mode(), entry.bytes()) {
            continue;
        }
        let read = content(&place(root, path), entry.mode(), entry.bytes(), &mut buffer);
        if trouble_of(read)?.is_ok() {
            evidence.add(path, &buffer);
        }
    }
    Ok(evidence)
}

/// Where a path of a folder is.
fn place(root: &Path, path: &[u8]) -> PathBuf {
    root.join(OsStr::from_bytes(path))
}

/// The blob id of a file or link, or why there is none.
fn hash(path: &Path, entry: &Entry<()>, buffer: &mut [u8]) -> Result<BlobId> {
    let mut hasher = BlobHasher::new(entry.bytes());
    let mut left = entry.bytes();
    if entry.mode() == mode::SYMLINK {
        let target = std::fs::read_link(path).map_err(|error| trouble_with(&error))?;
        hasher.update(target.as_os_str().as_bytes());
        left = left.wrapping_sub(target.as_os_str().len() as u64);
    } else {
        let mut file = open_regular(path)?;
        loop {
            let count = file.read(buffer).map_err(|error| trouble_with(&error))?;
            if count == 0 || count as u64 > left {
                left = left.wrapping_sub(count as u64);
                break;
            }
            hasher.update(&buffer[..count]);
            left -= count as u64;
        }
    }
    match left {
        0 => hasher.finish().map_err(|_| Error::input(Trouble::Collision.words())),
        _ => Err(Error::input(Trouble::ChangedMeanwhile.words())),
    }
}

/// Puts the content of a file or link into `buffer`, or says why there is none.
fn content(path: &Path, mode: u32, most: u64, buffer: &mut Vec<u8>) -> Result<()> {
    buffer.clear();
    if mode == mode::SYMLINK {
        let target = std::fs::read_link(path).map_err(|error| trouble_with(&error))?;
        buffer.extend_from_slice(target.as_os_str().as_bytes());
        return Ok(());
    }
    let file = open_regular(path)?;
    let too_long = || Error::input(format!("longer than {most} bytes"));
    if file.metadata().map_err(|error| trouble_with(&error))?.len() > most {
        return Err(too_long());
    }
    file.take(most + 1)
        .read_to_end(buffer)
        .map_err(|error| trouble_with(&error))?;
    match buffer.len() as u64 > most {
        true => Err(too_long()),
        false => Ok(()),
    }
}

/// Opens a regular file; neither a link nor a pipe that took its place meanwhile.
fn open_regular(path: &Path) -> Result<File> {
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let file = File::options()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(|error| trouble_with(&error))?;
    match file.metadata().is_ok_and(|metadata| metadata.is_file()) {
        true => Ok(file),
        false => Err(Error::input("it is not a regular file any more")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    use super::super::SourceConfig;
    use super::super::testing::{config, context, git, list, list_batch, opened, read, rows, write};
    use super::*;

    fn folder() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("tempdir");
        let files: [(&str, &[u8]); 6] = [
            ("one/b/a.txt", b"a"),
            ("one/b.txt", b""),
            ("one/b-c", b"\x00\xff"),
            ("one/.git/config", b"[core]"),
            ("one/b/.git/HEAD", b"ref"),
            ("two/x", b"x"),
        ];
        for (path, content) in files {
            write(&root.path().join(path), content);
        }
        std::os::unix::fs::symlink("../two/x", root.path().join("one/link")).expect("a link");
        root
    }

    #[test]
    fn everything_but_git_folders_is_listed_as_git_would_hash_it() {
        let root = folder();
        let odd = root
            .path()
            .join("one")
            .join(std::ffi::OsStr::from_bytes(b"not\xffutf8"));
        write(&odd, b"odd");
        assert!(
            Command::new("chmod")
                .arg("755")
                .arg(&odd)
                .status()
                .expect("chmod")
                .success()
        );
        assert!(
            Command::new("mkfifo")
                .arg(root.path().join("one/pipe"))
                .status()
                .expect("mkfifo")
                .success()
        );
        let (source, units) = opened(root.path(), "directory", "*");
        let names: Vec<_> = units
            .iter()
            .map(|unit| (unit.repo_name.as_str(), unit.location.as_str()))
            .collect();
        assert_eq!(names, [("one", "one"), ("two", "two")]);
        let cx = context(root.path());
        let batch = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
        let found: Vec<_> = rows(&batch)
            .into_iter()
            .map(|row| (row.path, row.mode, row.length, row.trouble))
            .collect();
        let row = |path: &str, mode, length| (path.to_owned(), mode, length, None);
        assert_eq!(
            found,
            [
                row("b-c", mode::FILE, 2),
                row("b.txt", mode::FILE, 0),
                row("b/a.txt", mode::FILE, 1),
                row("link", mode::SYMLINK, 8),
                row("not\\xffutf8", mode::EXECUTABLE, 3),
                ("pipe".into(), 0o010000, 0, Some("it is not a regular file".into())),
            ]
        );
        for (row, content) in rows(&batch).iter().zip(read(source.as_ref(), &units[0], &batch, &cx)) {
            let Some(id) = &row.blob else {
                assert!(content.is_err());
                continue;
            };
            write(&root.path().join("raw"), &content.expect("readable"));
            assert_eq!(
                git(root.path(), &["hash-object", "--no-filters", "raw"]).trim_ascii(),
                id.as_bytes()
            );
        }
    }

    #[test]
    fn a_changed_folder_is_not_what_the_lock_says() {
        let root = folder();
        let (source, units) = opened(root.path(), "directory", "one");
        let cx = context(root.path());
        let batch = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
        write(&root.path().join("one/b/a.txt"), b"b");
        let contents = read(source.as_ref(), &units[0], &batch, &cx);
        assert_eq!(contents[2], Err("its content is not the listed one".into()));
        write(&root.path().join("one/b/a.txt"), b"longer");
        assert_eq!(
            read(source.as_ref(), &units[0], &batch, &cx)[2],
            Err("its length is not the listed one".into())
        );
        std::fs::remove_file(root.path().join("one/b/a.txt")).expect("removed");
        assert!(
            read(source.as_ref(), &units[0], &batch, &cx)[2]
                .as_ref()
                .is_err_and(|e| e.contains("cannot be read"))
        );
        std::os::unix::fs::symlink("/etc/passwd", root.path().join("one/b/a.txt")).expect("a link");
        assert!(
            read(source.as_ref(), &units[0], &batch, &cx)[2]
                .as_ref()
                .is_err_and(|e| e.contains("cannot be read"))
        );
        let error = list(source.as_ref(), &units[0], &cx).expect_err("changed");
        assert!(error.message().contains("changed since the lock") && error.hint_text().is_some());
    }

    #[test]
    fn folders_that_are_missing_or_too_large_are_refused() {
        let root = folder();
        let resolve = |config: &SourceConfig| {
            super::super::open(config, root.path()).and_then(|source| source.resolve(&context(root.path())))
        };
        assert!(resolve(&config("directory", "missing")).is_err());
        assert!(resolve(&config("directory", "two/x")).is_err());
        let mut limited = config("directory", "one");
        limited.max_entries = 5;
        let units = resolve(&limited).expect("resolved");
        assert_eq!(
            units[0].trouble.as_deref(),
            Some("the folder holds more than 5 entries")
        );
        limited.max_entries = 7;
        assert_eq!(resolve(&limited).expect("resolved")[0].trouble, None);
    }

    #[test]
    fn settings_name_the_repository_and_limit_its_files() {
        let root = folder();
        let mut config = config("directory", "one");
        config.repo_name = Some("me/mine".into());
        config.max_entry_bytes = 1;
        let source = super::super::open(&config, root.path()).expect("valid");
        let cx = context(root.path());
        let units = source.resolve(&cx).expect("resolved");
        assert_eq!(units[0].repo_name, "me/mine");
        let batch = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
        let contents = read(source.as_ref(), &units[0], &batch, &cx);
        assert_eq!(contents[0], Err("longer than 1 bytes".into()));
        assert_eq!(contents[2], Ok(b"a".to_vec()));
    }

    #[test]
    fn a_deep_folder_is_not_entered() {
        let root = tempfile::tempdir().expect("tempdir");
        write(&root.path().join("one").join("d/".repeat(64)).join("file"), b"x");
        write(&root.path().join("two").join("d/".repeat(65)).join("file"), b"x");
        let (source, units) = opened(root.path(), "directory", "*");
        let troubles = |unit| {
            let rows = list(source.as_ref(), unit, &context(root.path())).expect("listed");
            rows.into_iter().map(|row| row.trouble).collect::<Vec<_>>()
        };
        assert_eq!(troubles(&units[0]), [None]);
        assert_eq!(troubles(&units[1]), [Some("the folder lies too deep".into())]);
    }
}
