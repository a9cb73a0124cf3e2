//! Every path of a commit, without contents.
//!
//! ```text
//!   paths   src/lib.rssrc/main.rs…       one run of bytes; a node knows its range
//!   nodes   (range, mode, id, trouble)   sorted by path bytes, as `git ls-tree -r` lists them
//! ```

use std::ops::Range;

use gix::ObjectId;
use gix::objs::tree::EntryKind;
use gix::objs::{Kind, TreeRefIter};
use stackmill_schemas::{Error, Result, TaskContext};

use super::super::SourceConfig;
use super::super::listing::mode;
use super::objects::{HASH, Objects};

/// Deepest folder that is entered.
const DEEPEST: u32 = 64;

/// Most bytes that the paths of one tree may take together, for each entry that it may have.
const PATH_BYTES_PER_ENTRY: u64 = 256;

/// One path.
#[derive(Clone, Debug)]
pub(super) struct Node {
    path: Range<usize>,
    /// Git file mode; that of a folder only where it cannot be entered.
    pub(super) mode: u32,
    /// Blob, link, commit of a submodule, or tree.
    pub(super) id: ObjectId,
    /// Why there is more or less here than there seems.
    pub(super) trouble: Option<&'static str>,
}

/// The paths of a commit.
pub(super) struct Tree {
    paths: Vec<u8>,
    nodes: Vec<Node>,
}

/// A folder that is still to be entered.
struct Folder {
    path: Range<usize>,
    id: ObjectId,
    depth: u32,
}

/// The walk: what was found, what is left, and how much of the limit is spent.
struct Walk<'a> {
    tree: Tree,
    left: Vec<Folder>,
    entries: u64,
    config: &'a SourceConfig,
}

impl Tree {
    /// Walks the tree of `commit`. A folder that cannot be entered is a node with trouble; a commit that cannot be
    /// read, or more entries than the limit, is an error.
    pub(super) fn walk(
        objects: &mut Objects,
        commit: ObjectId,
        config: &SourceConfig,
        cx: &TaskContext,
    ) -> Result<Self> {
        let root = Folder {
            path: 0..0,
            id: objects.tree_of(&commit)?,
            depth: 0,
        };
        let mut walk = Walk {
            tree: Self {
                paths: Vec::new(),
                nodes: Vec::new(),
            },
            left: vec![root],
            entries: 0,
            config,
        };
        let mut buffer = Vec::new();
        while let Some(folder) = walk.left.pop() {
            cx.check()?;
            match objects.object(&folder.id, &mut buffer) {
                Ok(Some(Kind::Tree)) => walk.enter(&folder, &buffer)?,
                _ if folder.depth == 0 => return Err(Error::input(format!("tree {} is missing or broken", folder.id))),
                Ok(Some(_)) => walk.refuse(folder, "the object is not a tree"),
                Ok(None) => walk.refuse(folder, "the tree is missing"),
                Err(_) => walk.refuse(folder, "the tree is broken"),
            }
        }
        Ok(walk.tree.sorted())
    }

    /// The nodes, sorted by path.
    pub(super) fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The path of a node.
    pub(super) fn path(&self, node: &Node) -> &[u8] {
        &self.paths[node.path.clone()]
    }

    fn sorted(mut self) -> Self {
        let paths = &self.paths;
        self.nodes
            .sort_by(|a, b| paths[a.path.clone()].cmp(&paths[b.path.clone()]));
        self
    }

    /// Writes `folder/name` behind the other paths.
    fn push_path(&mut self, folder: &Range<usize>, name: &[u8]) -> Range<usize> {
        let start = self.paths.len();
        if !folder.is_empty() {
            self.paths.extend_from_within(folder.clone());
            self.paths.push(b'/');
        }
        self.paths.extend_from_slice(name);
        start..self.paths.len()
    }
}

impl Walk<'_> {
    /// Notes every entry of a folder.
    fn enter(&mut self, folder: &Folder, data: &[u8]) -> Result<()> {
        for entry in TreeRefIter::from_bytes(data, HASH) {
            let Ok(entry) = entry else {
                self.refuse_path(folder.path.clone(), folder.id, "the tree is broken");
                return Ok(());
            };
            self.spend(entry.filename.len())?;
            let path = self.tree.push_path(&folder.path, entry.filename);
            let trouble = entry
                .filename
                .contains(&b'/')
                .then_some("the name of an entry holds a slash");
            let mode = match entry.mode.kind() {
                EntryKind::Tree => {
                    self.descend(folder, path, entry.oid.to_owned());
                    continue;
                }
                EntryKind::Blob => mode::FILE,
                EntryKind::BlobExecutable => mode::EXECUTABLE,
                EntryKind::Link => mode::SYMLINK,
                EntryKind::Commit => mode::SUBMODULE,
            };
            let id = entry.oid.to_owned();
            self.tree.nodes.push(Node {
                path,
                mode,
                id,
                trouble,
            });
        }
        Ok(())
    }

    fn descend(&mut self, folder: &Folder, path: Range<usize>, id: ObjectId) {
        if folder.depth == DEEPEST {
            return self.refuse_path(path, id, "the folder lies too deep");
        }
        let depth = folder.depth + 1;
        self.left.push(Folder { path, id, depth });
    }

    fn refuse(&mut self, folder: Folder, trouble: &'static str) {
        self.refuse_path(folder.path, folder.id, trouble);
    }

    fn refuse_path(&mut self, path: Range<usize>, id: ObjectId, trouble: &'static str) {
        let mode = mode::FOLDER;
        let trouble = Some(trouble);
        self.tree.nodes.push(Node {
            path,
            mode,
            id,
            trouble,
        });
    }

    fn spend(&mut self, name_bytes: usize) -> Result<()> {
        self.entries += 1;
        let most = self.config.max_entries;
        let path_bytes = (self.tree.paths.len() + name_bytes) as u64;
        if self.entries > most || path_bytes > most.saturating_mul(PATH_BYTES_PER_ENTRY).max(1 << 20) {
            return Err(Error::input(format!("the tree has more than {most} entries"))
                .hint("raise `max-entries` of the source if it is not hostile"));
        }
        Ok(())
    }
}
