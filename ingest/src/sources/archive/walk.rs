//! What a listing of an archive finds: rows sorted by path, those that others shadow, and the folder that all share.

use std::io::Read;

use stackmill_schemas::path::{escape, hostile};
use stackmill_schemas::{BlobId, Error, Result};

use super::super::SourceConfig;
use super::super::inflate::broken;
use super::super::listing::{BlobHasher, Evidence, Inherited, mode};
use super::super::paths::{self, Found, Paths, TooLarge, Trouble};
use super::entry::{Entry, Kind, too_many};

/// What is known of an entry beside its path.
#[derive(Clone, Copy)]
pub(super) struct Stored {
    pub(super) number: u32,
    pub(super) blob: Option<BlobId>,
}

/// What a listing finds.
pub(super) struct Walk<'a> {
    pub(super) paths: Paths<Stored>,
    pub(super) evidence: Evidence,
    pub(super) config: &'a SourceConfig,
}

impl Walk<'_> {
    /// Takes note of one entry.
    pub(super) fn add(&mut self, entry: &Entry, content: &mut dyn Read) -> Result<()> {
        let (mode, trouble) = match entry.kind {
            Kind::Folder => return Ok(()),
            Kind::File if entry.is_executable => (mode::EXECUTABLE, None),
            Kind::File => (mode::FILE, None),
            Kind::Link => (mode::SYMLINK, None),
            Kind::Refused(trouble) => (mode::FILE, Some(trouble)),
        };
        let target = entry.link.len() as u64;
        let (bytes, hash) = match entry.kind {
            Kind::Link => (target, hash(target, &mut &entry.link[..])?),
            Kind::File if self.evidence.wants(&entry.path, mode, entry.length) => {
                (entry.length, self.evidence(entry, content)?)
            }
            Kind::File => (entry.length, hash(entry.length, content)?),
            _ => (entry.refused_bytes(), Hash::None),
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
    pub(super) fn finish(&mut self) -> usize {
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
pub(super) fn inherited(evidence: &Evidence, path: &[u8], shared: usize) -> Inherited {
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
