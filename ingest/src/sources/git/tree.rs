//! Every path of a commit, without contents, sorted as `git ls-tree -r` lists them.

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, TreeRefIter};
use stackmill_schemas::{Error, Result, TaskContext};

use super::super::SourceConfig;
use super::super::listing::{blob_of, mode};
use super::super::paths::{self, FolderId, Found, Paths, TooLarge, Trouble};
use super::objects::{HASH, Missing, Objects};

/// Deepest folder that is entered.
pub(super) const DEEPEST: u32 = 64;

/// Longest tree that is read (32 MiB): about 700,000 files in one folder. A tree that is stored as a difference takes
/// up to three times its length while it is put together.
pub(super) const LONGEST_TREE: u64 = 32 << 20;

/// Bytes of the id of a blob, a link, a submodule's commit, or a tree.
pub(super) type Id = [u8; 20];

/// A folder that is still to be entered.
struct Folder {
    folder: FolderId,
    id: ObjectId,
    depth: u32,
}

/// The walk: what was found, what is left, and how much of the limit is spent.
struct Walk<'a> {
    paths: Paths<Id>,
    left: Vec<Folder>,
    entries: u64,
    config: &'a SourceConfig,
}

/// Walks the tree of `commit`; lengths are those that object headers say. A folder that cannot be entered is an entry
/// with trouble; a commit that cannot be read, or more entries than the limit, is an error.
pub(super) fn walk(
    objects: &mut Objects,
    commit: ObjectId,
    config: &SourceConfig,
    cx: &TaskContext,
) -> Result<Paths<Id>> {
    let root = Folder {
        folder: paths::ROOT,
        id: objects.tree_of(&commit)?,
        depth: 0,
    };
    let mut walk = Walk {
        paths: Paths::new(config),
        left: vec![root],
        entries: 0,
        config,
    };
    let mut buffer = Vec::new();
    while let Some(folder) = walk.left.pop() {
        cx.check()?;
        walk.visit(&folder, objects, &mut buffer)?;
    }
    drop(buffer);
    let mut paths = walk.paths;
    paths.sort();
    lengths(&mut paths, objects, cx)?;
    Ok(paths)
}

/// Looks up the length of every file and link.
fn lengths(paths: &mut Paths<Id>, objects: &mut Objects, cx: &TaskContext) -> Result<()> {
    for (i, entry) in paths.entries_mut().iter_mut().enumerate() {
        if i % 4096 == 0 {
            cx.check()?;
        }
        if matches!(entry.mode(), mode::SUBMODULE | mode::FOLDER) {
            continue;
        }
        match objects.blob_length(&ObjectId::from(entry.more))? {
            Ok(length) => entry.set_bytes(length),
            Err(trouble) => entry.refuse(trouble),
        }
    }
    Ok(())
}

impl Walk<'_> {
    fn visit(&mut self, folder: &Folder, objects: &mut Objects, buffer: &mut Vec<u8>) -> Result<()> {
        let trouble = match objects.object(&folder.id, LONGEST_TREE, buffer)? {
            Ok(Kind::Tree) => return self.enter(folder, buffer),
            Ok(_) => Trouble::NotTree,
            Err(Missing::Gone) => Trouble::TreeMissing,
            Err(Missing::Broken) => Trouble::TreeBroken,
            Err(Missing::TooLong) => Trouble::TreeTooLarge,
        };
        match folder.depth {
            0 => Err(Error::input(format!("tree {}: {}", folder.id, trouble.words()))),
            _ => self.refuse(folder, trouble),
        }
    }

    /// Notes every entry of a folder.
    fn enter(&mut self, folder: &Folder, data: &[u8]) -> Result<()> {
        for entry in TreeRefIter::from_bytes(data, HASH) {
            let Ok(entry) = entry else {
                return self.refuse(folder, Trouble::TreeBroken);
            };
            self.spend()?;
            let mode = match entry.mode.kind() {
                EntryKind::Tree => {
                    self.descend(folder, entry.filename, entry.oid.to_owned())?;
                    continue;
                }
                EntryKind::Blob => mode::FILE,
                EntryKind::BlobExecutable => mode::EXECUTABLE,
                EntryKind::Link => mode::SYMLINK,
                EntryKind::Commit => mode::SUBMODULE,
            };
            let trouble = entry.filename.contains(&b'/').then_some(Trouble::NameHasSlash);
            let found = found(mode, entry.oid, trouble);
            let pushed = self.paths.push(folder.folder, entry.filename, found);
            pushed.map_err(|TooLarge| self.too_many())?;
        }
        Ok(())
    }

    fn descend(&mut self, folder: &Folder, name: &[u8], id: ObjectId) -> Result<()> {
        if folder.depth == DEEPEST {
            let found = found(mode::FOLDER, &id, Some(Trouble::FolderTooDeep));
            let pushed = self.paths.push(folder.folder, name, found);
            return pushed.map_err(|TooLarge| self.too_many());
        }
        let inner = self.paths.folder(folder.folder, name);
        self.left.push(Folder {
            folder: inner.map_err(|TooLarge| self.too_many())?,
            id,
            depth: folder.depth + 1,
        });
        Ok(())
    }

    fn refuse(&mut self, folder: &Folder, trouble: Trouble) -> Result<()> {
        let found = found(mode::FOLDER, &folder.id, Some(trouble));
        let pushed = self.paths.refuse(folder.folder, found);
        pushed.map_err(|TooLarge| self.too_many())
    }

    fn spend(&mut self) -> Result<()> {
        self.entries += 1;
        match self.entries > self.config.max_entries {
            true => Err(self.too_many()),
            false => Ok(()),
        }
    }

    fn too_many(&self) -> Error {
        Error::input(format!("the tree has more than {} entries", self.config.max_entries))
            .hint("raise `max-entries` of the source if it is not hostile")
    }
}

fn found(mode: u32, id: &gix::oid, trouble: Option<Trouble>) -> Found<Id> {
    Found {
        mode,
        bytes: 0,
        trouble,
        more: blob_of(id).0,
    }
}
