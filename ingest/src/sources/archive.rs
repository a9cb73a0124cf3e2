//! Archives: tar files, compressed or not; each is one unit, read from front to back and never unpacked to disk.
//!
//! - A folder that all entries share (as `name-version/` in a `.crate`) is no part of their paths. It is known once all
//!   entries were seen; since rows have to be sorted anyway, it is taken off then.
//! - Links of both kinds are recorded as symlinks whose content is their target; they are never followed.
//! - Of entries with the same path the last one counts, as when unpacking; the others are trouble.
//! - The locator of a row is the number of its entry.

mod tape;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use arrow_array::RecordBatch;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::path::{escape, hostile};
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{BlobId, Error, Result, TaskContext};

use self::tape::{Entry, Kind, scan};
use super::Setup;
use super::contents::{Contents, Wanted};
use super::inflate::broken;
use super::listing::{BlobHasher, Evidence, Inherited, Listing, Owner, Row, mode};
use super::place::{Input, expand, trouble_of};

/// Endings that are no part of an archive's name.
const ENDINGS: [&str; 7] = [".tar.gz", ".tar.zst", ".tgz", ".tzst", ".crate", ".tar", ".gz"];

/// The source behind `archives = …`.
pub(super) struct Archives {
    setup: Setup,
}

/// Opens the source; nothing is read yet.
pub(super) fn open(setup: Setup) -> Result<Archives> {
    Ok(Archives { setup })
}

impl Source for Archives {
    fn resolve(&self, cx: &TaskContext) -> Result<Vec<Unit>> {
        let locations = expand(&self.setup, Path::is_file)?;
        locations.into_iter().map(|location| self.unit(location, cx)).collect()
    }

    fn list(&self, unit: &Unit, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let input = Input::of(&self.setup, &unit.location)?;
        let mut found = Found {
            files: Vec::new(),
            evidence: Evidence::new(unit),
        };
        let revision_id = scan(&input, &self.setup.config, cx, &mut |entry, content| {
            found.add(entry, content)?;
            Ok(true)
        })?;
        if revision_id != unit.revision_id {
            return Err(input.changed());
        }
        let shared = found.finish();
        let mut listing = Listing::new(&self.setup.config, emit, cx);
        for file in &found.files {
            let inherited = file.inherited(&found.evidence, shared);
            listing.push(Owner::of(unit), file.row(shared), &inherited)?;
        }
        listing.finish()
    }

    fn read(&self, unit: &Unit, wanted: &RecordBatch, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let input = Input::of(&self.setup, &unit.location)?;
        let wanted = Wanted::new(wanted)?;
        let mut left = wanted.by_locator().into_iter().peekable();
        let mut contents = Contents::new(&self.setup.config, emit, cx);
        let mut buffer = Vec::new();
        scan(&input, &self.setup.config, cx, &mut |entry, content| {
            while let Some(i) = left.next_if(|&i| wanted.locator(i) <= entry.number) {
                match wanted.locator(i) == entry.number {
                    true => {
                        fill(&mut buffer, &entry, content)?;
                        contents.checked(&wanted, i, &buffer)?;
                    }
                    false => contents.trouble(wanted.file_id(i), "the archive has no such entry")?,
                }
            }
            Ok(left.peek().is_some())
        })?;
        for i in left {
            contents.trouble(wanted.file_id(i), "the archive has no such entry")?;
        }
        contents.finish()
    }
}

impl Archives {
    fn unit(&self, location: String, cx: &TaskContext) -> Result<Unit> {
        let input = Input::of(&self.setup, &location)?;
        input.look()?;
        let ((revision_id, length_bytes), trouble) = trouble_of(input.revision(cx))?;
        Ok(Unit {
            source: self.setup.config.name().to_owned(),
            repo_name: stem(&input.name()).to_owned(),
            revision_id,
            location,
            length_bytes,
            metadata: BTreeMap::new(),
            trouble,
        })
    }
}

/// The name of an archive without its ending.
fn stem(name: &str) -> &str {
    let stem = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    stem.filter(|stem| !stem.is_empty()).unwrap_or(name)
}

/// Puts the content that the listing hashed into `buffer`.
fn fill(buffer: &mut Vec<u8>, entry: &Entry, content: &mut dyn Read) -> Result<()> {
    buffer.clear();
    match entry.kind {
        Kind::Link => buffer.extend_from_slice(&entry.link),
        _ => {
            content.read_to_end(buffer).map_err(|error| broken(&error))?;
        }
    }
    Ok(())
}

/// What a listing finds.
struct Found {
    files: Vec<FoundFile>,
    evidence: Evidence,
}

/// One entry that is no folder.
struct FoundFile {
    path: Vec<u8>,
    number: u64,
    mode: u32,
    length: u64,
    blob: Option<BlobId>,
    trouble: Option<&'static str>,
}

impl Found {
    fn add(&mut self, entry: Entry, content: &mut dyn Read) -> Result<()> {
        let (mode, trouble) = match entry.kind {
            Kind::Folder => return Ok(()),
            Kind::File if entry.is_executable => (mode::EXECUTABLE, None),
            Kind::File => (mode::FILE, None),
            Kind::Link => (mode::SYMLINK, None),
            Kind::Other => (mode::FILE, Some("the entry is not a regular file")),
            Kind::Sparse => (mode::FILE, Some("the entry is a sparse file")),
        };
        let (length, hash) = match entry.kind {
            Kind::Link => (
                entry.link.len() as u64,
                hash(entry.link.len() as u64, &mut &entry.link[..])?,
            ),
            Kind::File if Evidence::wants(&entry.path, mode, entry.length) => {
                (entry.length, self.evidence(&entry, content)?)
            }
            Kind::File => (entry.length, hash(entry.length, content)?),
            _ => (0, Hash::None),
        };
        let (blob, trouble) = match hash {
            Hash::Blob(blob) => (Some(blob), trouble),
            Hash::Collision => (None, Some("its hash shows a collision attack")),
            Hash::None => (None, trouble),
        };
        self.files.push(FoundFile {
            path: entry.path,
            number: entry.number,
            mode,
            length,
            blob,
            trouble,
        });
        Ok(())
    }

    fn evidence(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<Hash> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|error| broken(&error))?;
        if hostile(&entry.path).is_none() {
            self.evidence.add(&entry.path, &bytes)?;
        }
        hash(entry.length, &mut &bytes[..])
    }

    /// Sorts the files, marks those that later entries shadow, and returns the length of the shared folder.
    fn finish(&mut self) -> usize {
        self.files
            .sort_unstable_by(|a, b| a.path.cmp(&b.path).then(a.number.cmp(&b.number)));
        for i in 1..self.files.len() {
            if self.files[i - 1].path == self.files[i].path {
                self.files[i - 1].trouble = Some("shadowed by a later entry of the same path");
            }
        }
        self.shared()
    }

    /// Length of the folder that all paths share, with its slash; 0 where there is none.
    fn shared(&self) -> usize {
        let Some(first) = self.files.first() else { return 0 };
        let Some(end) = first.path.iter().position(|&byte| byte == b'/') else {
            return 0;
        };
        let folder = &first.path[..=end];
        let is_plain = !matches!(folder, b"/" | b"../" | b"./");
        match is_plain && self.files.iter().all(|file| file.path.starts_with(folder)) {
            true => folder.len(),
            false => 0,
        }
    }
}

impl FoundFile {
    fn row(&self, shared: usize) -> Row<'_> {
        Row {
            path: &self.path[shared..],
            mode: self.mode,
            length: self.length,
            blob: self.blob,
            locator: self.number,
            trouble: self.trouble.map(str::to_owned),
        }
    }

    fn inherited(&self, evidence: &Evidence, shared: usize) -> Inherited {
        let mut inherited = evidence.inherited(&self.path);
        let folder = escape(&self.path[..shared]);
        if let Some((_, place)) = &mut inherited.license
            && let Some(rest) = place.strip_prefix(&folder)
        {
            *place = rest.to_owned();
        }
        inherited
    }
}

enum Hash {
    Blob(BlobId),
    Collision,
    None,
}

/// Hashes a blob of `length` bytes; fewer are an error.
fn hash(length: u64, content: &mut dyn Read) -> Result<Hash> {
    let mut hasher = BlobHasher::new(length);
    let mut buffer = [0; 1 << 14];
    let mut left = length;
    while left > 0 {
        let count = content.read(&mut buffer).map_err(|error| broken(&error))?;
        if count == 0 {
            return Err(Error::input("the file is cut short"));
        }
        hasher.update(&buffer[..count]);
        left = left.saturating_sub(count as u64);
    }
    Ok(hasher.finish().map_or(Hash::Collision, Hash::Blob))
}
