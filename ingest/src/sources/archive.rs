//! Archives: tar files, compressed or not, and zip files; each is one unit, never unpacked to disk.
//!
//! ```text
//!   tape     tar: read from front to back         zip      by its central directory, each entry by itself
//!   record   of that directory
//!   entry    what both know of an entry           walk     what a listing finds
//!   origin   the repository and the commit that an archive of git says it was made from
//! ```
//!
//! - A folder that all entries share (as `name-version/` in a `.crate`) is no part of their paths. It is known once all
//!   entries were seen; since rows have to be sorted anyway, it is taken off then.
//! - Links of both kinds are recorded as symlinks whose content is their target; they are never followed.
//! - Of entries with the same path the last one counts, as when unpacking; the others are trouble.
//! - An archive in an archive is one file: it is not opened.
//! - The locator of a row is the number of its entry; in a zip file, where its record in the central directory starts.

mod entry;
mod origin;
mod record;
mod tape;
#[cfg(test)]
mod tests;
mod walk;
mod zip;

use std::io::Read;
use std::path::Path;

use arrow_array::RecordBatch;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{Result, TaskContext};

use self::entry::{Entry, Kind, Visit};
use self::origin::Origin;
use self::walk::{Walk, inherited};
use super::Setup;
use super::contents::{Contents, Wanted};
use super::inflate::broken;
use super::listing::{Evidence, Listing, Owner, Row};
use super::paths::Paths;
use super::place::{Input, expand, found_or_trouble};

/// Endings that are no part of an archive's name.
const ENDINGS: [&str; 14] = [
    ".tar.gz", ".tar.zst", ".tar.xz", ".tar.bz2", ".tgz", ".tzst", ".txz", ".tbz2", ".tbz", ".crate", ".tar", ".zip",
    ".whl", ".gz",
];

/// Key of the commit that an archive was made from, in the metadata of its unit.
const COMMIT: &str = "commit";

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
        let scanned = self.scan(&input, cx, &mut |entry, content| {
            walk.add(&entry, content)?;
            Ok(true)
        });
        let revision_id = input.settled(scanned)?;
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
            listing.push(owner(unit), row, &inherited(&walk.evidence, path, shared))?;
        }
        listing.finish()
    }

    fn read(&self, unit: &Unit, wanted: &RecordBatch, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let input = Input::of(&self.setup, &unit.location)?;
        let wanted = Wanted::new(wanted)?;
        let mut contents = Contents::new(&self.setup.config, emit, cx);
        match zip::is_zip(&input)? {
            true => zip::read(&input, &self.setup.config, &wanted, &mut contents)?,
            false => self.read_tape(&input, &wanted, &mut contents, cx)?,
        }
        contents.finish()
    }
}

impl Archives {
    /// Visits the entries of an archive; what stands for its file.
    fn scan(&self, input: &Input, cx: &TaskContext, visit: &mut Visit<'_>) -> Result<String> {
        match zip::is_zip(input)? {
            true => zip::scan(input, &self.setup.config, cx, visit),
            false => tape::scan(input, &self.setup.config, cx, visit),
        }
    }

    /// What git noted in an archive.
    fn origin(&self, input: &Input) -> Result<Origin> {
        match zip::is_zip(input)? {
            true => zip::origin(input, &self.setup.config),
            false => tape::origin(input, &self.setup.config),
        }
    }

    fn read_tape(
        &self,
        input: &Input,
        wanted: &Wanted<'_>,
        contents: &mut Contents<'_, '_>,
        cx: &TaskContext,
    ) -> Result<()> {
        let mut left = wanted.by_locator().into_iter().peekable();
        let mut buffer = Vec::new();
        tape::read(input, &self.setup.config, cx, &mut |entry, content| {
            while let Some(i) = left.next_if(|&i| wanted.locator(i) <= entry.number) {
                match wanted.locator(i) == entry.number {
                    true => {
                        fill(&mut buffer, &entry, content)?;
                        contents.checked(wanted, i, &buffer)?;
                    }
                    false => contents.trouble(wanted.file_id(i), entry::MISSING)?,
                }
            }
            Ok(left.peek().is_some())
        })?;
        left.try_for_each(|i| contents.trouble(wanted.file_id(i), entry::MISSING))
    }

    fn unit(&self, location: String, cx: &TaskContext) -> Result<Unit> {
        let input = Input::of(&self.setup, &location)?;
        let ((revision_id, length_bytes), trouble) = input.resolved(cx)?;
        // Trouble with its entries is what the listing will say.
        let (origin, _) = match trouble.is_some() {
            true => Default::default(),
            false => found_or_trouble(input.settled(self.origin(&input)))?,
        };
        let name = input.name();
        Ok(Unit {
            source: self.setup.config.name().to_owned(),
            repo_name: origin.repo_name().unwrap_or_else(|| stem(&name).to_owned()),
            revision_id,
            location,
            length_bytes,
            metadata: origin
                .commit
                .into_iter()
                .map(|commit| (COMMIT.to_owned(), commit))
                .collect(),
            trouble,
        })
    }
}

/// Whose the rows of a unit are: those of a commit, where git noted it.
fn owner(unit: &Unit) -> Owner<'_> {
    Owner {
        revision_id: unit.metadata.get(COMMIT).unwrap_or(&unit.revision_id),
        ..Owner::of(unit)
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
