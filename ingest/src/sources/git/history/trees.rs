//! Trees that are read more than once, and the names in them, each kept once.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::rc::Rc;

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, TreeRefIter};
use stackmill_schemas::{Error, Result, TaskContext};

use super::super::super::SourceConfig;
use super::super::super::listing::{blob_of, mode};
use super::super::super::paths::Trouble;
use super::super::objects::{HASH, Missing, Objects};
use super::super::tree::{Id, LONGEST_TREE};

/// Bytes of trees that are kept for the next commit (8 MiB), twice.
const KEPT_BYTES: usize = 8 << 20;

/// Entries of trees that may be looked at, for each file that a unit may have: repositories of the largest projects
/// take a few hundred.
const VISITS_PER_ENTRY: u64 = 2000;

/// Bytes that names may take together, for each file that a unit may have.
const NAME_BYTES_PER_ENTRY: u64 = 64;

/// Memory of a name beside its bytes.
const BYTES_OF_NAME: u64 = 80;

/// Longest name that is kept; beyond what any path may have.
const LONGEST_NAME: usize = 8192;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Side {
    pub(crate) mode: u32,
    pub(crate) id: Id,
}

/// An entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) mode: u32,
    pub(crate) id: Id,
    name: (u32, u32),
}

impl Entry {
    /// What it is, wherever it stands.
    pub(crate) fn side(&self) -> Side {
        Side {
            mode: self.mode,
            id: self.id,
        }
    }

    /// Whether it is a folder.
    pub(crate) fn is_tree(&self) -> bool {
        self.mode == mode::FOLDER
    }
}

/// A tree, its entries in git's order.
#[derive(Default)]
pub(crate) struct Tree {
    data: Vec<u8>,
    entries: Vec<Entry>,
}

impl Tree {
    fn parsed(data: Vec<u8>) -> Option<Self> {
        let mut entries = Vec::new();
        for entry in TreeRefIter::from_bytes(&data, HASH) {
            let entry = entry.ok()?;
            let mode = match entry.mode.kind() {
                EntryKind::Tree => mode::FOLDER,
                EntryKind::Blob => mode::FILE,
                EntryKind::BlobExecutable => mode::EXECUTABLE,
                EntryKind::Link => mode::SYMLINK,
                EntryKind::Commit => mode::SUBMODULE,
            };
            let start = entry.filename.as_ptr() as usize - data.as_ptr() as usize;
            let name = (start as u32, (start + entry.filename.len()) as u32);
            entries.push(Entry {
                mode,
                id: blob_of(entry.oid).0,
                name,
            });
        }
        let mut tree = Self {
            data,
            entries: Vec::new(),
        };
        // Hostile trees are in no order.
        if !entries.is_sorted_by(|a, b| tree.order(a, &tree, b).is_le()) {
            entries.sort_by(|a, b| tree.order(a, &tree, b));
        }
        tree.entries = entries;
        Some(tree)
    }

    /// The entries, in order.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The name of an entry.
    pub(crate) fn name(&self, entry: &Entry) -> &[u8] {
        &self.data[entry.name.0 as usize..entry.name.1 as usize]
    }

    /// Git's order of an entry of this tree and one of another: folders as if their names ended in a slash.
    pub(crate) fn order(&self, entry: &Entry, other: &Self, of_other: &Entry) -> Ordering {
        let slash = |entry: &Entry| entry.is_tree().then_some(&b'/');
        let ours = self.name(entry).iter().chain(slash(entry));
        ours.cmp(other.name(of_other).iter().chain(slash(of_other)))
            .then_with(|| entry.is_tree().cmp(&of_other.is_tree()))
    }

    fn bytes(&self) -> usize {
        self.data.len() + self.entries.len() * size_of::<Entry>()
    }
}

/// Reads trees, and keeps those that were read last.
pub(crate) struct Trees<'a> {
    pub(crate) objects: &'a mut Objects,
    cx: &'a TaskContext,
    fresh: HashMap<Id, Rc<Tree>>,
    stale: HashMap<Id, Rc<Tree>>,
    fresh_bytes: usize,
    visits: u64,
    most_entries: u64,
}

impl<'a> Trees<'a> {
    pub(crate) fn new(objects: &'a mut Objects, config: &SourceConfig, cx: &'a TaskContext) -> Self {
        Self {
            objects,
            cx,
            fresh: HashMap::new(),
            stale: HashMap::new(),
            fresh_bytes: 0,
            visits: config.max_entries.saturating_mul(VISITS_PER_ENTRY),
            most_entries: config.max_entries,
        }
    }

    /// A tree, or why there is none.
    pub(crate) fn tree(&mut self, id: &Id) -> Result<Result<Rc<Tree>, Trouble>> {
        self.cx.check()?;
        let known = self.fresh.get(id).cloned();
        let tree = match known.or_else(|| self.stale.get(id).cloned()) {
            Some(tree) => tree,
            None => match self.read(id)? {
                Ok(tree) => tree,
                Err(trouble) => return Ok(Err(trouble)),
            },
        };
        let visits = self.visits.checked_sub(tree.entries.len() as u64 + 1);
        self.visits = visits.ok_or_else(|| {
            Error::input(format!(
                "the history takes more steps than one of {} files should",
                self.most_entries
            ))
            .hint("raise `max-entries` of the source if it is not hostile")
        })?;
        if self.fresh_bytes >= KEPT_BYTES {
            self.stale = std::mem::take(&mut self.fresh);
            self.fresh_bytes = 0;
        }
        if self.fresh.insert(*id, Rc::clone(&tree)).is_none() {
            self.fresh_bytes += tree.bytes();
        }
        Ok(Ok(tree))
    }

    fn read(&mut self, id: &Id) -> Result<Result<Rc<Tree>, Trouble>> {
        let mut data = Vec::new();
        let trouble = match self.objects.object(&ObjectId::from(*id), LONGEST_TREE, &mut data)? {
            Ok(Kind::Tree) => match Tree::parsed(data) {
                Some(tree) => return Ok(Ok(Rc::new(tree))),
                None => Trouble::TreeBroken,
            },
            Ok(_) => Trouble::NotTree,
            Err(Missing::Gone) => Trouble::TreeMissing,
            Err(Missing::Broken) => Trouble::TreeBroken,
            Err(Missing::TooLong) => Trouble::TreeTooLarge,
        };
        Ok(Err(trouble))
    }
}

/// Number of the folder that a repository is.
pub(crate) const ROOT: u32 = 0;

/// Paths as chains of names: a path that thousands of commits have is kept once.
pub(crate) struct Names {
    /// Four bytes of the folder's number, then the name.
    names: Vec<Rc<[u8]>>,
    places: HashMap<Rc<[u8]>, u32>,
    key: Vec<u8>,
    bytes: u64,
    most_bytes: u64,
}

impl Names {
    pub(crate) fn new(config: &SourceConfig) -> Self {
        Self {
            names: vec![Rc::from(&[0; 4][..])],
            places: HashMap::new(),
            key: Vec::new(),
            bytes: 0,
            most_bytes: config.max_entries.saturating_mul(NAME_BYTES_PER_ENTRY).max(1 << 20),
        }
    }

    /// The path `name` in `folder`.
    pub(crate) fn inner(&mut self, folder: u32, name: &[u8]) -> Result<u32> {
        self.key.clear();
        self.key.extend(folder.to_le_bytes());
        self.key.extend_from_slice(&name[..name.len().min(LONGEST_NAME)]);
        if let Some(&place) = self.places.get(&self.key[..]) {
            return Ok(place);
        }
        self.bytes += self.key.len() as u64 + BYTES_OF_NAME;
        if self.bytes > self.most_bytes {
            return Err(Error::input(format!(
                "the paths of the history take more than {} bytes",
                self.most_bytes
            ))
            .hint("raise `max-entries` of the source if it is not hostile"));
        }
        let (key, place) = (Rc::<[u8]>::from(&self.key[..]), self.names.len() as u32);
        self.names.push(Rc::clone(&key));
        self.places.insert(key, place);
        Ok(place)
    }

    /// Number of paths and folders.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The last component of a path.
    pub(crate) fn name(&self, path: u32) -> &[u8] {
        &self.names[path as usize][4..]
    }

    /// The path that a number stands for.
    pub(crate) fn path(&self, path: u32) -> Vec<u8> {
        let mut parts = Vec::new();
        let mut at = path;
        while at != ROOT {
            parts.push(self.name(at));
            let folder = &self.names[at as usize][..4];
            at = u32::from_le_bytes([folder[0], folder[1], folder[2], folder[3]]);
        }
        parts.reverse();
        parts.join(&b'/')
    }
}
