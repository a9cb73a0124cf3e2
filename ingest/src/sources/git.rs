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

mod objects;
mod remote;
mod repositories;
mod repository;
#[cfg(test)]
mod tests;
mod tree;

use std::path::PathBuf;

use arrow_array::RecordBatch;
use gix::ObjectId;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{Error, ErrorKind, Result, TaskContext};

use self::objects::Objects;
use self::repositories::Repository;
use self::tree::{Node, Tree};
use super::contents::{Contents, Wanted};
use super::listing::{Evidence, Listing, Owner, Row, blob_of, mode};
use super::place::path_of;
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
        let tree = Tree::walk(&mut objects, commit_of(unit)?, &self.setup.config, cx)?;
        let lengths = Lengths::of(&tree, &objects, cx)?;
        let evidence = evidence(unit, &tree, &lengths, &mut objects)?;
        let mut listing = Listing::new(&self.setup.config, emit, cx);
        for (i, node) in tree.nodes().iter().enumerate() {
            let path = tree.path(node);
            let row = row(node, path, lengths.0[i]);
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
            match blob(&mut objects, &wanted, i, &self.setup.config, &mut buffer) {
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
        let (revision_id, length_bytes, trouble) = match resolved {
            Ok((commit, length_bytes)) => (commit.to_string(), length_bytes, None),
            Err(error) if is_permanent(&error) => (String::new(), 0, Some(error.message().to_owned())),
            Err(error) => return Err(error.context(repository.location)),
        };
        Ok(Unit {
            source: self.setup.config.name().to_owned(),
            repo_name: self
                .setup
                .config
                .repo_name
                .clone()
                .unwrap_or_else(|| repository.repo_name(&self.setup.folder)),
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

fn is_permanent(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Input | ErrorKind::Source) && !error.is_transient()
}

fn commit_of(unit: &Unit) -> Result<ObjectId> {
    ObjectId::from_hex(unit.revision_id.as_bytes()).map_err(|_| {
        Error::input(format!("`{}` is not the id of a commit", unit.revision_id))
            .hint("run with `--update` to write a new lock")
    })
}

/// Length of every node of a tree, or its trouble.
struct Lengths(Vec<Result<u64, &'static str>>);

impl Lengths {
    fn of(tree: &Tree, objects: &Objects, cx: &TaskContext) -> Result<Self> {
        let mut lengths = Vec::with_capacity(tree.nodes().len());
        for (i, node) in tree.nodes().iter().enumerate() {
            if i % 4096 == 0 {
                cx.check()?;
            }
            lengths.push(match node.mode {
                mode::SUBMODULE | mode::FOLDER => Ok(0),
                _ => objects.blob_length(&node.id),
            });
        }
        Ok(Self(lengths))
    }
}

fn evidence(unit: &Unit, tree: &Tree, lengths: &Lengths, objects: &mut Objects) -> Result<Evidence> {
    let mut evidence = Evidence::new(unit);
    let mut buffer = Vec::new();
    for (node, length) in tree.nodes().iter().zip(&lengths.0) {
        let path = tree.path(node);
        let wanted = length.is_ok_and(|length| Evidence::wants(path, node.mode, length));
        if wanted && objects.blob(&node.id, &mut buffer).is_ok() {
            evidence.add(path, &buffer)?;
        }
    }
    Ok(evidence)
}

fn row<'a>(node: &Node, path: &'a [u8], length: Result<u64, &'static str>) -> Row<'a> {
    let trouble = node.trouble.or(length.err());
    Row {
        path,
        mode: node.mode,
        length: length.unwrap_or_default(),
        blob: (node.mode != mode::SUBMODULE).then(|| blob_of(&node.id)),
        locator: 0,
        trouble: trouble.map(str::to_owned),
    }
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
) -> Result<(), String> {
    let Some(blob) = wanted.blob(i) else {
        return Err("it has no blob".to_owned());
    };
    if wanted.length(i) > config.max_entry_bytes {
        return Err(format!("longer than {} bytes", config.max_entry_bytes));
    }
    objects.blob(&ObjectId::from(blob.0), buffer).map_err(str::to_owned)
}
