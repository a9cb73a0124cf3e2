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

use self::tape::{Entry, Kind, scan, too_many};
use super::contents::{Contents, Wanted};
use super::inflate::broken;
use super::listing::{BlobHasher, Evidence, Inherited, Listing, Owner, Row, mode};
use super::paths::{self, Found, Paths, TooLarge, Trouble};
use super::place::{Input, expand, found_or_trouble};
use super::{Setup, SourceConfig};

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
        let mut walk = Walk {
            paths: Paths::new(&self.setup.config),
            evidence: Evidence::new(unit),
            config: &self.setup.config,
        };
        let revision_id = scan(&input, &self.setup.config, cx, &mut |entry, content| {
            walk.add(&entry, content)?;
            Ok(true)
        })?;
        if revision_id != unit.revision_id {
            return Err(input.changed());
        }
        let shared = walk.finish();
        let mut listing = Listing::new(&self.setup.config, emit, cx);
        let mut buffer = Vec::new();
        for entry in walk.paths.entries() {
            let path = walk.paths.path(entry, &mut buffer);
            let row = Row {
                blob: entry.more.blob,
                locator: entry.more.number.into(),
                ..walk.paths.row(entry, &path[shared..])
            };
            listing.push(Owner::of(unit), row, &inherited(&walk.evidence, path, shared))?;
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
        let ((revision_id, length_bytes), trouble) = found_or_trouble(input.revision(cx))?;
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

/// What is known of an entry beside its path.
#[derive(Clone, Copy)]
struct Stored {
    number: u32,
    blob: Option<BlobId>,
}

/// What a listing finds.
struct Walk<'a> {
    paths: Paths<Stored>,
    evidence: Evidence,
    config: &'a SourceConfig,
}

impl Walk<'_> {
    fn add(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<()> {
        let (mode, trouble) = match entry.kind {
            Kind::Folder => return Ok(()),
            Kind::File if entry.is_executable => (mode::EXECUTABLE, None),
            Kind::File => (mode::FILE, None),
            Kind::Link => (mode::SYMLINK, None),
            Kind::Other => (mode::FILE, Some(Trouble::EntryNotRegular)),
            Kind::Sparse => (mode::FILE, Some(Trouble::EntrySparse)),
        };
        let target = entry.link.len() as u64;
        let (bytes, hash) = match entry.kind {
            Kind::Link => (target, hash(target, &mut &entry.link[..])?),
            Kind::File if self.evidence.wants(&entry.path, mode, entry.length) => {
                (entry.length, self.evidence(entry, content)?)
            }
            Kind::File => (entry.length, hash(entry.length, content)?),
            _ => (0, Hash::None),
        };
        let (blob, trouble) = match hash {
            Hash::Blob(blob) => (Some(blob), trouble),
            Hash::Collision => (None, Some(Trouble::Collision)),
            Hash::None => (None, trouble),
        };
        // Limits of entries are below 2^32.
        let number = entry.number as u32;
        let more = Stored { number, blob };
        let found = Found {
            mode,
            bytes,
            trouble,
            more,
        };
        let pushed = self.paths.push_path(&entry.path, found);
        pushed.map_err(|TooLarge| too_many(self.config))
    }

    fn evidence(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<Hash> {
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map_err(|error| broken(&error))?;
        if hostile(&entry.path).is_none() {
            self.evidence.add(&entry.path, &bytes);
        }
        hash(entry.length, &mut &bytes[..])
    }

    /// Sorts the files, marks those that later entries shadow, and returns the length of the shared folder.
    fn finish(&mut self) -> usize {
        self.paths.sort();
        let is_shadowed = |pair: &[paths::Entry<Stored>]| self.paths.compare(&pair[0], &pair[1]).is_eq();
        let pairs = self.paths.entries().windows(2).enumerate();
        let shadowed: Vec<usize> = pairs.filter(|(_, pair)| is_shadowed(pair)).map(|(i, _)| i).collect();
        for i in shadowed {
            self.paths.entries_mut()[i].replace_trouble(Trouble::Shadowed);
        }
        self.shared()
    }

    /// Length of the folder that all paths share, with its slash; 0 where there is none.
    fn shared(&self) -> usize {
        let (mut first, mut other) = (Vec::new(), Vec::new());
        let mut entries = self.paths.entries().iter();
        let Some(entry) = entries.next() else { return 0 };
        let first = self.paths.path(entry, &mut first);
        let Some(end) = first.iter().position(|&byte| byte == b'/') else {
            return 0;
        };
        let folder = &first[..=end];
        let is_plain = !matches!(folder, b"/" | b"../" | b"./");
        match is_plain && entries.all(|entry| self.paths.path(entry, &mut other).starts_with(folder)) {
            true => folder.len(),
            false => 0,
        }
    }
}

/// What the entry at `path` inherits; the shared folder is no part of where it was found.
fn inherited(evidence: &Evidence, path: &[u8], shared: usize) -> Inherited {
    let mut inherited = evidence.inherited(path);
    let folder = escape(&path[..shared]);
    if let Some((_, place)) = &mut inherited.license
        && let Some(rest) = place.strip_prefix(&folder)
    {
        *place = rest.to_owned();
    }
    inherited
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
