//! What is known of an entry, whatever the layout of its archive.

use std::io::Read;

use stackmill_schemas::{Error, Result};

use super::super::SourceConfig;
use super::super::paths::Trouble;

/// Trouble of a row whose entry is not there any more.
pub(super) const MISSING: &str = "the archive has no such entry";

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    /// A symbolic or hard link.
    Link,
    /// A device, a pipe, something encrypted, or something unknown.
    Refused(Trouble),
}

/// One entry.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Where it is found again.
    pub(super) number: u64,
    /// Its path, without `./` in front.
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) is_executable: bool,
    /// Bytes of its content.
    pub(super) length: u64,
    /// Target of a link.
    pub(super) link: Vec<u8>,
}

impl Entry {
    /// Bytes that a row shows of an entry that is not read.
    pub(super) fn refused_bytes(&self) -> u64 {
        match self.kind {
            Kind::Refused(
                Trouble::EntryEncrypted | Trouble::EntryBroken | Trouble::EntryMethod | Trouble::EntryTooLarge,
            ) => self.length,
            _ => 0,
        }
    }
}

/// Called with each entry and its content; whether to go on.
pub(super) type Visit<'a> = dyn FnMut(Entry, &mut dyn Read) -> Result<bool> + 'a;

/// Takes off what stands for the archive's own folder.
pub(super) fn without_dots(path: &mut Vec<u8>) {
    while path.starts_with(b"./") {
        path.drain(..2);
    }
}

/// The archive holds more than its limit.
pub(super) fn too_many(config: &SourceConfig) -> Error {
    Error::input(format!("archive bomb: more than {} entries", config.max_entries))
        .hint("raise `max-entries` of the source if it is not hostile")
}
