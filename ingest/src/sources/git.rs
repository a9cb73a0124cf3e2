//! Git repositories at one commit: a tree is listed without contents, blobs are read in the order of the packs.
//!
//! ```text
//!   pattern ─► repositories   paths, URLs, lists of both         ─► one unit each
//!   resolve    local: revision to commit       URL: ask the server for its references, clone nothing yet
//!   list       walk the commit's trees, sizes from object headers, inherited facts from a few small blobs
//!   read       ids ─► (pack, offset) ─► sorted ─► inflate, check, hand on
//! ```
//!
//! Nothing that a repository brings is executed or believed: no hooks, filters, replacements or settings of its own.
//! Alternates are followed, as shared clones need them, but objects are only ever asked for by the ids of the tree.

mod clones;
mod lists;
mod objects;
mod remote;
mod repositories;
mod repository;
#[cfg(test)]
mod tests;
mod transport;
mod tree;

use std::path::PathBuf;

use arrow_array::RecordBatch;
use gix::ObjectId;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{BlobId, Error, Result, ResultExt, TaskContext};

use self::objects::Objects;
use self::repositories::Repository;
use super::contents::{Contents, Wanted};
use super::listing::{Evidence, Listing, Owner, Row, mode};
use super::paths::{Paths, Trouble};
use super::place::{found_or_trouble, path_of};
use super::{Setup, SourceConfig};

/// Bytes that a repository elsewhere is taken for until it is cloned: an ordinary one at depth 1.
const UNKNOWN_BYTES: u64 = 8 << 20;

/// The source behind `git = …`.
pub(super) struct Git {
    setup: Setup,
}

/// Opens the source; nothing is read yet.
pub(super) fn open(setup: Setup) -> Result<Git> {
    match setup.patterns.iter().find(|pattern| repositories::is_ssh(pattern)) {
        Some(pattern) => Err(
            Error::config(format!("source: `{pattern}` needs ssh, which is not supported"))
                .hint("use the https URL of the repository"),
        ),
        None => Ok(Git { setup }),
    }
}

impl Source for Git {
    fn resolve(&self, cx: &TaskContext) -> Result<Vec<Unit>> {
        let repositories = repositories::named(&self.setup)?;
        repositories
            .into_iter()
            .map(|repository| self.unit(repository, cx))
            .collect()
    }

    fn list(&self, unit: &Unit, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut objects = self.objects(unit, cx)?;
        let paths = tree::walk(&mut objects, commit_of(unit)?, &self.setup.config, cx)?;
        let evidence = evidence(unit, &paths, &mut objects)?;
        drop(objects);
        let mut listing = Listing::new(&self.setup.config, emit, cx);
        let mut buffer = Vec::new();
        for entry in paths.entries() {
            let path = paths.path(entry, &mut buffer);
            let row = Row {
                blob: (entry.mode() != mode::SUBMODULE).then_some(BlobId(entry.more)),
                ..paths.row(entry, path)
            };
            listing.push(Owner::of(unit), row, &evidence.inherited(path))?;
        }
        listing.finish()
    }

    fn read(&self, unit: &Unit, wanted: &RecordBatch, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let wanted = Wanted::new(wanted)?;
        let mut objects = self.objects(unit, cx)?;
        let mut contents = Contents::new(&self.setup.config, emit, cx);
        let mut buffer = Vec::new();
        for i in storage_order(&wanted, &objects) {
            match blob(&mut objects, &wanted, i, &self.setup.config, &mut buffer)? {
                Ok(()) => contents.checked(&wanted, i, &buffer)?,
                Err(trouble) => contents.trouble(wanted.file_id(i), &trouble)?,
            }
        }
        contents.finish()
    }
}

impl Git {
    /// The unit of one repository; permanent trouble with it is the unit's.
    fn unit(&self, repository: Repository, cx: &TaskContext) -> Result<Unit> {
        cx.check()?;
        let revision = repository
            .revision
            .as_deref()
            .or(self.setup.config.revision.as_deref())
            .unwrap_or("HEAD");
        let resolved = match repository.is_remote() {
            true => remote::commit(&repository.location, revision, &self.setup.config, cx)
                .map(|commit| (commit, UNKNOWN_BYTES)),
            false => repository::commit(&path_of(&self.setup.folder, &repository.location), revision),
        };
        let resolved = resolved.map(|(commit, length_bytes)| (commit.to_string(), length_bytes));
        let ((revision_id, length_bytes), trouble) =
            found_or_trouble(resolved).with_context(|| repository.location.clone())?;
        let repo_name = match &self.setup.config.repo_name {
            Some(name) => name.clone(),
            None => repository.repo_name(&self.setup.folder)?,
        };
        Ok(Unit {
            source: self.setup.config.name().to_owned(),
            repo_name,
            revision_id,
            location: repository.location,
            length_bytes,
            metadata: repository.metadata,
            trouble,
        })
    }

    /// The objects of a unit; a repository elsewhere is cloned unless the cache has it.
    fn objects(&self, unit: &Unit, cx: &TaskContext) -> Result<Objects> {
        Objects::open(&self.folder(unit, cx)?)
    }

    fn folder(&self, unit: &Unit, cx: &TaskContext) -> Result<PathBuf> {
        match repositories::is_url(&unit.location) {
            true => remote::cloned(&unit.location, commit_of(unit)?, &self.setup.config, cx),
            false => repository::objects_of(&path_of(&self.setup.folder, &unit.location)),
        }
    }
}

fn commit_of(unit: &Unit) -> Result<ObjectId> {
    ObjectId::from_hex(unit.revision_id.as_bytes()).map_err(|_| {
        Error::input(format!("`{}` is not the id of a commit", unit.revision_id))
            .hint("run with `--update` to write a new lock")
    })
}

fn evidence(unit: &Unit, paths: &Paths<tree::Id>, objects: &mut Objects) -> Result<Evidence> {
    let mut evidence = Evidence::new(unit);
    let (mut path, mut buffer) = (Vec::new(), Vec::new());
    for entry in paths.entries() {
        let path = paths.path(entry, &mut path);
        // A name with a slash is no less a license.
        let has_blob = matches!(entry.trouble(), None | Some(Trouble::NameHasSlash));
        let wanted = has_blob && evidence.wants(path, entry.mode(), entry.bytes());
        if wanted
            && objects
                .blob(&ObjectId::from(entry.more), entry.bytes(), &mut buffer)?
                .is_ok()
        {
            evidence.add(path, &buffer);
        }
    }
    Ok(evidence)
}

/// Rows in the order in which their objects are stored.
fn storage_order(wanted: &Wanted<'_>, objects: &Objects) -> Vec<usize> {
    let mut rows: Vec<_> = (0..wanted.len())
        .map(|i| {
            let place = wanted.blob(i).and_then(|blob| objects.place(&ObjectId::from(blob.0)));
            (place.unwrap_or((usize::MAX, 0)), i)
        })
        .collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, i)| i).collect()
}

fn blob(
    objects: &mut Objects,
    wanted: &Wanted<'_>,
    i: usize,
    config: &SourceConfig,
    buffer: &mut Vec<u8>,
) -> Result<Result<(), String>> {
    let Some(blob) = wanted.blob(i) else {
        return Ok(Err("it has no blob".to_owned()));
    };
    if wanted.length(i) > config.max_entry_bytes {
        return Ok(Err(format!("longer than {} bytes", config.max_entry_bytes)));
    }
    let found = objects.blob(&ObjectId::from(blob.0), config.max_entry_bytes, buffer)?;
    Ok(found.map_err(Trouble::words))
}
