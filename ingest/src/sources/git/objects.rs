//! Objects of one repository: where they are stored, how long they are, what they hold.
//!
//! Packs are opened directly, so that reading can follow the order in which they are stored; whatever no pack index
//! knows (loose objects, packs that another pack completes) is left to the object database.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use gix::objs::Kind;
use gix::odb::pack::cache::lru::MemoryCappedHashmap;
use gix::odb::pack::{Bundle, data, index};
use gix::prelude::{Find, Header};
use gix::zlib::Inflate;
use gix::{ObjectId, oid};
use stackmill_schemas::{Error, Result};

use super::super::listing::blob_of;
use super::super::paths::Trouble;
use super::super::place::spare_descriptors;
use super::forest::{self, Deliver, Wish};
use super::repository::{MOST_OBJECT_BYTES, shortage, words};

/// Bytes of decoded objects that are kept because others may be stored as their differences (32 MiB): a part of what a
/// task may take, beside the paths of a listing, or the contents of a batch.
const CACHE_BYTES: usize = 32 << 20;

/// Longest commit that is read (16 MiB): signatures and messages may be long.
pub(super) const LONGEST_COMMIT: u64 = 16 << 20;

/// Most bytes that are read of the list of commits at which a clone was cut off (64 MiB).
const MOST_SHALLOW: u64 = 64 << 20;

/// Most packs of one repository that are opened directly.
const MOST_PACKS: usize = 1024;

/// Only repositories of SHA-1 ids are read.
pub(super) const HASH: gix::hash::Kind = gix::hash::Kind::Sha1;

/// The objects of one repository.
pub(super) struct Objects {
    folder: PathBuf,
    database: gix::odb::Handle,
    /// Whether the database was opened with descriptors to spare.
    is_sure: bool,
    packs: Vec<Bundle>,
    cache: MemoryCappedHashmap,
    inflate: Inflate,
}

impl Objects {
    /// Opens a folder of objects and those that it borrows from.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let database = database(folder)?;
        let borrowed = database.store_ref().alternate_db_paths();
        let borrowed = borrowed.map_err(|error| shortage(&error).unwrap_or_else(|| broken(&words(&error, folder))))?;
        let mut bundles = Vec::new();
        for folder in std::iter::once(folder.to_owned()).chain(borrowed) {
            bundles.extend(packs(&folder)?);
        }
        Ok(Self {
            folder: folder.to_owned(),
            database,
            is_sure: false,
            packs: bundles,
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

    /// Hands on the blobs of one pack that `wishes` (sorted) name; what cannot be read so is left out.
    pub(super) fn blobs(&self, pack: usize, wishes: &[Wish], deliver: Deliver<'_>) -> Result<()> {
        forest::walk(&self.packs[pack], wishes, deliver)
    }

    /// Length of a blob, from its header alone, or why there is none.
    pub(super) fn blob_length(&mut self, id: &oid) -> Result<Result<u64, Trouble>> {
        Ok(match self.header(id)? {
            Ok((Kind::Blob, length)) => Ok(length),
            Ok(_) => Err(Trouble::NotBlob),
            Err(missing) => Err(missing.blob()),
        })
    }

    /// Puts a blob of at most `most` bytes into `buffer`, or says why there is none.
    pub(super) fn blob(&mut self, id: &oid, most: u64, buffer: &mut Vec<u8>) -> Result<Result<(), Trouble>> {
        Ok(match self.object(id, most, buffer)? {
            Ok(Kind::Blob) => Ok(()),
            Ok(_) => Err(Trouble::NotBlob),
            Err(missing) => Err(missing.blob()),
        })
    }

    /// Puts an object of at most `most` bytes into `buffer`; a longer one is not even inflated.
    pub(super) fn object(&mut self, id: &oid, most: u64, buffer: &mut Vec<u8>) -> Result<Result<Kind, Missing>> {
        match self.header(id)? {
            Ok((_, length)) if length > most => return Ok(Err(Missing::TooLong)),
            Ok(_) => {}
            Err(missing) => return Ok(Err(missing)),
        }
        for pack in &self.packs {
            let Some(entry) = pack.index.lookup(id) else { continue };
            let found = pack.get_object_by_index(entry, buffer, &mut self.inflate, &mut self.cache);
            if let Ok((object, _)) = found {
                return Ok(Ok(object.kind));
            }
            break;
        }
        self.ask(|database| {
            let object = database.try_find(id, buffer)?;
            Ok(object.map(|object| object.kind))
        })
    }

    /// Kind and length of an object, from its header alone.
    fn header(&mut self, id: &oid) -> Result<Result<(Kind, u64), Missing>> {
        for pack in &self.packs {
            let Some(entry) = pack.index.lookup(id) else { continue };
            let offset = pack.index.pack_offset_at_index(entry);
            let entry = pack.pack.entry(offset);
            let header = entry.and_then(|entry| pack.pack.decode_header(entry, &mut self.inflate, &|_| Ok(None)));
            if let Ok(header) = header {
                return Ok(Ok((header.kind, header.object_size)));
            }
            break;
        }
        self.ask(|database| {
            let header = database.try_header(id)?;
            Ok(header.map(|header| (header.kind(), header.size())))
        })
    }

    /// What the object database knows, or why that is nothing. A pack that it cannot open is one that is not there to
    /// it: the first time that it misses something, it is opened anew, with descriptors to spare.
    fn ask<T>(
        &mut self,
        mut question: impl FnMut(&gix::odb::Handle) -> gix::Result<Option<T>>,
    ) -> Result<Result<T, Missing>> {
        let mut found = question(&self.database);
        if !self.is_sure && !matches!(found, Ok(Some(_))) {
            spare_descriptors()?;
            self.database = database(&self.folder)?;
            self.is_sure = true;
            found = question(&self.database);
        }
        match found {
            Ok(Some(found)) => Ok(Ok(found)),
            Ok(None) => Ok(Err(Missing::Gone)),
            Err(error) => shortage(&error).map_or(Ok(Err(Missing::Broken)), Err),
        }
    }

    /// The commits whose parents were left out when the repository was cloned.
    pub(super) fn shallow(&self) -> Result<HashSet<[u8; 20]>> {
        let path = self.folder.with_file_name("shallow");
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) => return Error::shortage(&error).map_or(Ok(HashSet::new()), Err),
        };
        let mut bytes = Vec::new();
        file.take(MOST_SHALLOW).read_to_end(&mut bytes)?;
        let ids = bytes
            .split(|&byte| byte == b'\n')
            .filter_map(|line| ObjectId::from_hex(line).ok());
        Ok(ids.map(|id| blob_of(&id).0).collect())
    }

    /// The tree of a commit.
    pub(super) fn tree_of(&mut self, commit: &oid) -> Result<ObjectId> {
        let broken = || Error::input(format!("commit {commit} is missing or broken"));
        let mut buffer = Vec::new();
        match self.object(commit, LONGEST_COMMIT, &mut buffer)? {
            Ok(Kind::Commit) => {
                let mut fields = gix::objs::CommitRefIter::from_bytes(&buffer, HASH);
                fields.tree_id().map_err(|_| broken())
            }
            _ => Err(broken()),
        }
    }
}

/// Why there is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Gone,
    Broken,
    TooLong,
}

impl Missing {
    /// What that means for a blob.
    fn blob(self) -> Trouble {
        match self {
            Self::Gone => Trouble::BlobMissing,
            Self::Broken => Trouble::BlobBroken,
            Self::TooLong => Trouble::BlobTooLarge,
        }
    }
}

/// What no pack index knows.
fn database(folder: &Path) -> Result<gix::odb::Handle> {
    let options = gix::odb::store::init::Options {
        alloc_limit_bytes: Some(MOST_OBJECT_BYTES),
        ..Default::default()
    };
    let mut database = gix::odb::at_opts(folder, HASH, [], options)
        .map_err(|error| Error::shortage(&error).unwrap_or_else(|| broken(&error.kind().to_string())))?;
    database.refresh_never();
    Ok(database)
}

fn broken(words: &str) -> Error {
    Error::input(format!("the objects of the repository cannot be read: {words}"))
}

/// The packs in a folder of objects, by name; those that are broken are left to the database.
fn packs(folder: &Path) -> Result<Vec<Bundle>> {
    let entries = match std::fs::read_dir(folder.join("pack")) {
        Ok(entries) => entries,
        Err(error) => return Error::shortage(&error).map_or(Ok(Vec::new()), Err),
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "idx"));
    paths.sort_unstable();
    paths.truncate(MOST_PACKS);
    paths.iter().filter_map(|path| bundle(path).transpose()).collect()
}

fn bundle(path: &Path) -> Result<Option<Bundle>> {
    let opened =
        data::File::at(path.with_extension("pack"), HASH).and_then(|pack| Ok((pack, index::File::at(path, HASH)?)));
    match opened {
        Ok((pack, index)) => Ok(Some(Bundle {
            pack: pack.with_alloc_limit_bytes(Some(MOST_OBJECT_BYTES)),
            index,
        })),
        Err(error) => shortage(&error).map_or(Ok(None), Err),
    }
}
