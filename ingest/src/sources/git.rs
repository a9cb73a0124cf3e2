//! Git repositories at one commit: a tree is listed without contents, blobs are read in the order of the packs.
//!
//! ```text
//!   pattern ─► repositories   paths, bundles, URLs, lists of these ─► one unit each
//!   resolve    local: revision to commit       URL: ask the server for its references, clone nothing yet
//!   list       walk the commit's trees, sizes from object headers, inherited facts from a few small blobs
//!   read       ids ─► (pack, offset) ─► delta trees, each object decoded once ─► check, hand on
//! ```
//!
//! A server that cannot be reached, after all attempts, is trouble of its repositories where they are resolved and
//! listed: one that is gone must not keep all others from being read. Where a clone was there once and contents are
//! read, it fails the task.
//!
//! Nothing that a repository brings is executed or believed: no hooks, filters, replacements or settings of its own.
//! Alternates are followed, as shared clones need them, but objects are only ever asked for by the ids of the tree.

mod bundle;
mod clones;
mod forest;
mod history;
mod lists;
mod objects;
mod remote;
mod report;
mod repositories;
mod repository;
mod session;
mod ssh;
#[cfg(test)]
mod tests;
mod transport;
mod tree;
mod web;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::RecordBatch;
use gix::ObjectId;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{BlobId, Error, Result, ResultExt, TaskContext};

use self::forest::Wish;
use self::objects::Objects;
use self::remote::Elsewhere;
pub use self::report::{Clone, clone_of, is_cloned};
use self::repositories::Repository;
use super::contents::{Contents, Wanted};
use super::listing::{Evidence, Listing, Owner, Row, mode};
use super::paths::{Paths, Trouble};
use super::place::{found_or_trouble, path_of};
use super::{History, Setup, SourceConfig};

/// Bytes that a repository elsewhere is taken for until it is cloned: more than most have at depth 1, so that clones are
/// spread over many listing tasks, which wait for servers at the same time.
const UNKNOWN_BYTES: u64 = 32 << 20;

/// Metadata of a unit: the commits that its history starts from, with a space between them, where these are several.
const TIPS: &str = "tips";

/// Whether a folder is a clone: a bare one, or one with a working tree.
pub(super) fn is_repository(folder: &Path) -> bool {
    let bare = ["HEAD", "objects", "refs"]
        .iter()
        .all(|name| folder.join(name).exists());
    bare || folder.join(".git").exists()
}

/// The source behind `git = …`.
pub(super) struct Git {
    setup: Setup,
}

/// Whether a string of the source is no path, as far as its looks go.
pub(super) fn is_url(text: &str) -> bool {
    text.contains("://") || repositories::is_elsewhere(text)
}

/// Opens the source; nothing is read yet.
pub(super) fn open(setup: Setup) -> Result<Git> {
    setup
        .patterns
        .iter()
        .try_for_each(|pattern| repositories::check_url(pattern))?;
    Ok(Git { setup })
}

impl Source for Git {
    fn resolve(&self, cx: &TaskContext) -> Result<Vec<Unit>> {
        let repositories = repositories::named(&self.setup)?;
        let units: Vec<_> = repositories.iter().map(|_| OnceLock::new()).collect();
        // After the first error the others need not be asked for.
        let is_over = AtomicBool::new(false);
        self.setup.network.each(repositories.len(), &|i| {
            if !is_over.load(Ordering::Relaxed) {
                let unit = self.unit(&repositories[i], cx);
                is_over.fetch_or(unit.is_err(), Ordering::Relaxed);
                let _ = units[i].set(unit);
            }
        })?;
        units.into_iter().filter_map(OnceLock::into_inner).collect()
    }

    fn list(&self, unit: &Unit, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut objects = self.objects(unit, cx).map_err(Error::settled)?;
        let mut paths = tree::walk(&mut objects, commit_of(unit)?, &self.setup.config, cx)?;
        if repositories::is_elsewhere(&unit.location) {
            leave_out_large(&mut paths, &self.setup.config);
        }
        let evidence = evidence(unit, &paths, &mut objects)?;
        if self.setup.config.history.is_some() {
            drop(paths);
            return history::list(unit, (&self.setup.config, &evidence), &mut objects, emit, cx);
        }
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

    fn has_commits(&self) -> bool {
        self.setup.config.commits
    }

    fn commits(&self, unit: &Unit, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut objects = self.objects(unit, cx).map_err(Error::settled)?;
        history::list_commits(unit, &self.setup.config, &mut objects, emit, cx)
    }

    fn read(&self, unit: &Unit, wanted: &RecordBatch, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let wanted = Wanted::new(wanted)?;
        let mut objects = self.objects(unit, cx)?;
        let mut contents = Contents::new(&self.setup.config, emit, cx);
        let mut is_done = vec![false; wanted.len()];
        for (pack, wishes) in by_pack(&wanted, &objects, self.setup.config.max_entry_bytes) {
            let mut deliver = |i: usize, content: &[u8]| {
                is_done[i] = true;
                contents.checked(&wanted, i, content)
            };
            objects.blobs(pack, &wishes, &mut deliver)?;
        }
        let mut buffer = Vec::new();
        for i in (0..wanted.len()).filter(|&i| !is_done[i]) {
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
    fn unit(&self, repository: &Repository, cx: &TaskContext) -> Result<Unit> {
        cx.check()?;
        let revision = repository
            .revision
            .as_deref()
            .or(self.setup.config.revision.as_deref())
            .unwrap_or("HEAD");
        let resolved = match repository.is_remote() {
            true => self.there(&repository.location, revision, cx),
            false => self.here(&repository.location, revision, cx),
        };
        let (found, trouble) = found_or_trouble(resolved).with_context(|| repository.location.clone())?;
        let repo_name = match &self.setup.config.repo_name {
            Some(name) => name.clone(),
            None => repository.repo_name(&self.setup.folder)?,
        };
        let mut metadata = repository.metadata.clone();
        metadata.extend(found.tips.map(|tips| (TIPS.to_owned(), tips)));
        Ok(Unit {
            source: self.setup.config.name().to_owned(),
            repo_name,
            revision_id: found.commit,
            location: repository.location.clone(),
            length_bytes: found.length_bytes,
            metadata,
            trouble,
        })
    }

    /// What a revision means in a repository elsewhere.
    fn there(&self, url: &str, revision: &str, cx: &TaskContext) -> Result<Resolved> {
        let config = &self.setup.config;
        if config.history == Some(History::References) {
            return Err(Error::input("of a repository elsewhere, only the history of one revision is cloned")
                .hint("set `history = \"revision\"` and `depth = 0`, or clone it (`git clone --mirror URL`) and name the folder"));
        }
        if (config.history.is_some() || config.commits) && config.depth == 1 {
            // In one sentence: the trouble of a repository has no hints.
            return Err(Error::input(
                "a repository elsewhere is cloned without its history, unless `depth = 0` asks for all of it, or says how \
                 many commits back",
            ));
        }
        let commit = self.elsewhere(url, cx).commit(revision).map_err(Error::settled)?;
        Ok(Resolved {
            commit: commit.to_string(),
            length_bytes: UNKNOWN_BYTES,
            tips: None,
        })
    }

    /// What a revision means in a repository on this machine.
    fn here(&self, location: &str, revision: &str, cx: &TaskContext) -> Result<Resolved> {
        let path = self.path(location, cx)?;
        let (commit, length_bytes) = repository::commit(&path, revision)?;
        let tips = match self.setup.config.history {
            Some(History::References) => Some(repository::tips(&path, commit)?),
            Some(History::Revision) | None => None,
        };
        Ok(Resolved {
            commit: commit.to_string(),
            length_bytes,
            tips,
        })
    }

    /// The objects of a unit; a repository elsewhere is cloned unless the cache has it.
    fn objects(&self, unit: &Unit, cx: &TaskContext) -> Result<Objects> {
        Objects::open(&self.folder(unit, cx)?)
    }

    fn elsewhere<'a>(&'a self, url: &'a str, cx: &'a TaskContext) -> Elsewhere<'a> {
        Elsewhere {
            url,
            config: &self.setup.config,
            network: &self.setup.network,
            cx,
        }
    }

    fn folder(&self, unit: &Unit, cx: &TaskContext) -> Result<PathBuf> {
        match repositories::is_elsewhere(&unit.location) {
            true => self.elsewhere(&unit.location, cx).cloned(commit_of(unit)?),
            false => repository::objects_of(&self.path(&unit.location, cx)?),
        }
    }

    /// The folder of a repository on this machine; a bundle is unpacked unless the cache has it.
    fn path(&self, location: &str, cx: &TaskContext) -> Result<PathBuf> {
        let path = path_of(&self.setup.folder, location);
        match bundle::is_bundle(&path)? {
            true => bundle::unpacked(&path, &self.setup.config, cx),
            false => Ok(path),
        }
    }
}

/// What a revision of a repository means now.
#[derive(Default)]
struct Resolved {
    commit: String,
    length_bytes: u64,
    /// The further commits that its history starts from.
    tips: Option<String>,
}

fn commit_of(unit: &Unit) -> Result<ObjectId> {
    ObjectId::from_hex(unit.revision_id.as_bytes()).map_err(|_| {
        Error::input(format!("`{}` is not the id of a commit", unit.revision_id))
            .hint("run with `--update` to write a new lock")
    })
}

/// Files that a server was asked not to send are the same trouble where it sent them nevertheless. What it did not send
/// has no known length.
fn leave_out_large(paths: &mut Paths<tree::Id>, config: &SourceConfig) {
    for entry in paths.entries_mut() {
        let is_missing = entry.trouble() == Some(Trouble::BlobMissing);
        if is_missing || entry.bytes() > config.max_entry_bytes {
            entry.replace_trouble(Trouble::NotCloned);
            entry.set_bytes(0);
        }
    }
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

/// Rows that packs hold, by pack and place in it.
fn by_pack(wanted: &Wanted<'_>, objects: &Objects, longest: u64) -> BTreeMap<usize, Vec<Wish>> {
    let mut packs: BTreeMap<usize, Vec<Wish>> = BTreeMap::new();
    for i in (0..wanted.len()).filter(|&i| wanted.length(i) <= longest) {
        let place = wanted.blob(i).and_then(|blob| objects.place(&ObjectId::from(blob.0)));
        if let Some((pack, offset)) = place {
            packs.entry(pack).or_default().push((offset, i));
        }
    }
    packs.values_mut().for_each(|wishes| wishes.sort_unstable());
    packs
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
