//! Objects of one repository: where they are stored, how long they are, what they hold.
//!
//! Packs are opened directly, so that reading can follow the order in which they are stored; whatever no pack index
//! knows (loose objects, packs that another pack completes) is left to the object database.

use std::path::{Path, PathBuf};

use gix::objs::Kind;
use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use gix::odb::pack::{Bundle, data, index};
use gix::prelude::{Find, Header};
use gix::zlib::Inflate;
use gix::{ObjectId, oid};
use stackmill_schemas::{Error, Result};

use super::repository::{MOST_OBJECT_BYTES, words};

/// Bytes of decoded objects that are kept because others may be stored as their differences.
const CACHE_BYTES: usize = 64 << 20;

/// Most packs of one repository that are opened directly.
const MOST_PACKS: usize = 1024;

/// Only repositories of SHA-1 ids are read.
pub(super) const HASH: gix::hash::Kind = gix::hash::Kind::Sha1;

/// The objects of one repository.
pub(super) struct Objects {
    database: gix::odb::Handle,
    packs: Vec<Bundle>,
    cache: MemoryCappedHashmap,
    inflate: Inflate,
}

impl Objects {
    /// Opens a folder of objects and those that it borrows from.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let broken = |words: String| Error::input(format!("the objects of the repository cannot be read: {words}"));
        let options = gix::odb::store::init::Options {
            alloc_limit_bytes: Some(MOST_OBJECT_BYTES),
            ..Default::default()
        };
        let mut database =
            gix::odb::at_opts(folder, HASH, [], options).map_err(|error| broken(error.kind().to_string()))?;
        database.refresh_never();
        let borrowed = database
            .store_ref()
            .alternate_db_paths()
            .map_err(|error| broken(words(&error, folder)))?;
        let packs = std::iter::once(folder.to_owned())
            .chain(borrowed)
            .flat_map(|folder| packs(&folder))
            .collect();
        Ok(Self {
            database,
            packs,
            cache: MemoryCappedHashmap::new(CACHE_BYTES),
            inflate: Inflate::default(),
        })
    }

    /// Pack and offset of an object; none where it is not in a pack that was opened.
    pub(super) fn place(&self, id: &oid) -> Option<(usize, u64)> {
        self.packs.iter().enumerate().find_map(|(i, pack)| {
            let entry = pack.index.lookup(id)?;
            Some((i, pack.index.pack_offset_at_index(entry)))
        })
    }

    /// Length of a blob, from its header alone, or why there is none.
    pub(super) fn blob_length(&self, id: &oid) -> Result<u64, &'static str> {
        match self.database.try_header(id) {
            Ok(Some(header)) if header.kind() == Kind::Blob => Ok(header.size()),
            Ok(Some(_)) => Err("the object is not a blob"),
            Ok(None) => Err("the blob is missing"),
            Err(_) => Err("the blob is broken"),
        }
    }

    /// Puts a blob into `buffer`, or says why there is none.
    pub(super) fn blob(&mut self, id: &oid, buffer: &mut Vec<u8>) -> Result<(), &'static str> {
        match self.object(id, buffer) {
            Ok(Some(Kind::Blob)) => Ok(()),
            Ok(Some(_)) => Err("the object is not a blob"),
            Ok(None) => Err("the blob is missing"),
            Err(_) => Err("the blob is broken"),
        }
    }

    /// Puts an object into `buffer`; none where there is no such object.
    pub(super) fn object(&mut self, id: &oid, buffer: &mut Vec<u8>) -> gix::Result<Option<Kind>> {
        for pack in &self.packs {
            let Some(entry) = pack.index.lookup(id) else { continue };
            let found = pack.get_object_by_index(entry, buffer, &mut self.inflate, &mut self.cache);
            if let Ok((object, _)) = found {
                return Ok(Some(object.kind));
            }
            break;
        }
        Ok(self.database.try_find(id, buffer)?.map(|object| object.kind))
    }

    /// The tree of a commit.
    pub(super) fn tree_of(&mut self, commit: &oid) -> Result<ObjectId> {
        let broken = || Error::input(format!("commit {commit} is missing or broken"));
        let mut buffer = Vec::new();
        match self.object(commit, &mut buffer) {
            Ok(Some(Kind::Commit)) => {
                let mut fields = gix::objs::CommitRefIter::from_bytes(&buffer, HASH);
                fields.tree_id().map_err(|_| broken())
            }
            _ => Err(broken()),
        }
    }
}

/// The packs in a folder of objects, by name; those that cannot be opened are left to the database.
fn packs(folder: &Path) -> Vec<Bundle> {
    let entries = std::fs::read_dir(folder.join("pack")).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "idx"));
    paths.sort_unstable();
    paths.truncate(MOST_PACKS);
    paths.iter().filter_map(|path| bundle(path)).collect()
}

fn bundle(path: &Path) -> Option<Bundle> {
    let pack = data::File::at(path.with_extension("pack"), HASH).ok()?;
    Some(Bundle {
        pack: pack.with_alloc_limit_bytes(Some(MOST_OBJECT_BYTES)),
        index: index::File::at(path, HASH).ok()?,
    })
}
