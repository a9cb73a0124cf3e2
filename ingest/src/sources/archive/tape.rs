//! The entries of a tar file, one after the other, under counted limits.
//!
//! ```text
//!   [g: pax keys]                                   of the archive: git notes the commit in `comment`
//!   [x: pax keys] [L: long name] [K: long target]   headers that say more about the entry behind them
//!   [header 512 bytes][content, padded to 512]      an entry
//! ```
//! Headers are read one by one here, since a hostile one may announce a name of gigabytes.

use std::borrow::Cow;
use std::io::Read;

use stackmill_schemas::{Error, Result, TaskContext};
use tar::{EntryType, PaxExtensions};

use super::super::SourceConfig;
use super::super::inflate::{Inflated, Limits, broken};
use super::super::paths::Trouble;
use super::super::place::Input;
use super::entry::{Entry, Kind, Visit, too_many, without_dots};
use super::origin::Origin;

/// Longest name or target that is read; the rest of a longer one is passed over. Beyond what a path may have.
const LONGEST_NAME: u64 = 8192;

/// Longest set of pax keys that is read: 1 MiB.
const LONGEST_KEYS: u64 = 1 << 20;

/// Headers in front of the first entry that are looked at.
const MOST_AHEAD: usize = 8;

/// What headers in front of an entry say about it.
#[derive(Default)]
struct Ahead {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    length: Option<u64>,
    is_sparse: bool,
}

fn limits(config: &SourceConfig) -> Limits {
    Limits {
        bytes: config.max_archive_bytes,
        ratio: config.max_ratio,
    }
}

/// Visits the entries of an archive until `visit` says that it is enough; what stands for the file, if all were visited.
pub(super) fn scan(input: &Input, config: &SourceConfig, cx: &TaskContext, visit: &mut Visit<'_>) -> Result<String> {
    let archive = entries(Inflated::open(input, limits(config))?, config, cx, visit)?;
    archive.map_or(Ok(String::new()), |archive| archive.finish(cx))
}

/// As [`scan`], for entries that the visitor holds against ids: what stands for the file is not asked for.
pub(super) fn read(input: &Input, config: &SourceConfig, cx: &TaskContext, visit: &mut Visit<'_>) -> Result<()> {
    entries(Inflated::unhashed(input, limits(config))?, config, cx, visit).map(drop)
}

/// The rest of the file behind its entries; none where `visit` had enough.
fn entries(file: Inflated, config: &SourceConfig, cx: &TaskContext, visit: &mut Visit<'_>) -> Result<Option<Inflated>> {
    let mut archive = tar::Archive::new(file);
    let mut spent = Spent::default();
    let mut ahead = Ahead::default();
    let mut number = 0;
    for entry in archive.entries().map_err(|error| broken(&error))?.raw(true) {
        cx.check()?;
        let mut entry = entry.map_err(|error| broken(&error))?;
        spent.header(config)?;
        if ahead.take_note(&mut entry)? {
            continue;
        }
        let described = std::mem::take(&mut ahead).describe(&entry, number)?;
        Spent::entry(&described, config)?;
        number += 1;
        if !visit(described, &mut entry)? {
            return Ok(None);
        }
    }
    Ok(Some(archive.into_inner()))
}

/// What git noted in front of the first entry, and that entry's path.
pub(super) fn origin(input: &Input, config: &SourceConfig) -> Result<Origin> {
    let mut archive = tar::Archive::new(Inflated::open(input, limits(config))?);
    let (mut ahead, mut commit) = (Ahead::default(), None);
    for entry in archive
        .entries()
        .map_err(|error| broken(&error))?
        .raw(true)
        .take(MOST_AHEAD)
    {
        let mut entry = entry.map_err(|error| broken(&error))?;
        match entry.header().entry_type() {
            EntryType::XGlobalHeader => commit = comment(&keys(&mut entry)?)?,
            _ if ahead.take_note(&mut entry)? => {}
            _ => return Ok(Origin::new(commit, &ahead.describe(&entry, 0)?.path)),
        }
    }
    Ok(Origin::default())
}

/// The commit in the keys of an archive.
fn comment(bytes: &[u8]) -> Result<Option<Vec<u8>>> {
    for key in PaxExtensions::new(bytes) {
        let key = key.map_err(|error| broken(&error))?;
        if key.key_bytes() == b"comment" {
            return Ok(Some(key.value_bytes().to_vec()));
        }
    }
    Ok(None)
}

/// The bytes of pax keys.
fn keys<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry
        .take(LONGEST_KEYS + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| broken(&error))?;
    match bytes.len() as u64 > LONGEST_KEYS {
        true => Err(Error::input(format!(
            "archive bomb: more than {LONGEST_KEYS} bytes about one entry"
        ))),
        false => Ok(bytes),
    }
}

/// What was read so far.
#[derive(Default)]
struct Spent {
    headers: u64,
}

impl Spent {
    fn header(&mut self, config: &SourceConfig) -> Result<()> {
        self.headers += 1;
        match self.headers > config.max_entries.saturating_mul(4) {
            true => Err(too_many(config)),
            false => Ok(()),
        }
    }

    fn entry(entry: &Entry, config: &SourceConfig) -> Result<()> {
        if entry.number >= config.max_entries {
            return Err(too_many(config));
        }
        match entry.length > config.max_entry_bytes {
            true => Err(Error::input(format!(
                "archive bomb: an entry of more than {} bytes",
                config.max_entry_bytes
            ))
            .hint("raise `max-entry-bytes` of the source if it is not hostile")),
            false => Ok(()),
        }
    }
}

impl Ahead {
    /// Takes note of a header that speaks of the next entry; whether it was one.
    fn take_note<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>) -> Result<bool> {
        match entry.header().entry_type() {
            EntryType::GNULongName => self.path = Some(name(entry)?),
            EntryType::GNULongLink => self.link = Some(name(entry)?),
            EntryType::XHeader => self.keys(entry)?,
            EntryType::XGlobalHeader => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn keys<R: Read>(&mut self, entry: &mut tar::Entry<'_, R>) -> Result<()> {
        let bytes = keys(entry)?;
        for key in PaxExtensions::new(&bytes) {
            let key = key.map_err(|error| broken(&error))?;
            let value = key.value_bytes();
            match key.key_bytes() {
                b"path" => self.path = Some(value[..value.len().min(LONGEST_NAME as usize)].to_vec()),
                b"linkpath" => self.link = Some(value[..value.len().min(LONGEST_NAME as usize)].to_vec()),
                b"size" => self.length = key.value().ok().and_then(|digits| digits.parse().ok()),
                other => self.is_sparse |= other.starts_with(b"GNU.sparse."),
            }
        }
        Ok(())
    }

    /// The entry behind the headers.
    fn describe<R: Read>(self, entry: &tar::Entry<'_, R>, number: u64) -> Result<Entry> {
        let header = entry.header();
        let length = header.entry_size().map_err(|error| broken(&error))?;
        if self.length.is_some_and(|announced| announced != length) {
            return Err(Error::input("the file is broken: an entry has two lengths"));
        }
        let mut path = self.path.unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = match header.entry_type() {
            _ if self.is_sparse => Kind::Refused(Trouble::EntrySparse),
            EntryType::Regular | EntryType::Continuous if path.ends_with(b"/") => Kind::Folder,
            EntryType::Regular | EntryType::Continuous => Kind::File,
            EntryType::Directory => Kind::Folder,
            EntryType::Link | EntryType::Symlink => Kind::Link,
            EntryType::GNUSparse => Kind::Refused(Trouble::EntrySparse),
            _ => Kind::Refused(Trouble::EntryNotRegular),
        };
        without_dots(&mut path);
        Ok(Entry {
            number,
            path,
            kind,
            is_executable: header.mode().is_ok_and(|mode| mode & 0o100 != 0),
            length,
            link: self
                .link
                .or_else(|| header.link_name_bytes().map(Cow::into_owned))
                .unwrap_or_default(),
        })
    }
}

/// A long name: the content of its entry up to the first zero byte.
fn name<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry
        .take(LONGEST_NAME)
        .read_to_end(&mut bytes)
        .map_err(|error| broken(&error))?;
    if let Some(end) = bytes.iter().position(|&byte| byte == 0) {
        bytes.truncate(end);
    }
    Ok(bytes)
}
