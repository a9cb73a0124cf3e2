//! The entries of a zip file, by its central directory, under counted limits.
//!
//! ```text
//!   [local header 30 bytes + name + extra][data] …                         entries
//!   [record 46 bytes + name + extra + comment] …                           central directory
//!   [zip64 end 56 bytes …][locator 20 bytes]                               where 32 bits are too few
//!   [end 22 bytes + comment]                                               git notes the commit in the comment
//! ```
//! What the central directory says counts. Before anything is inflated, the lengths that it announces are held against
//! the limits, and no entry may begin before the one in front of it ends: data that two entries share makes bombs of
//! small files. No entry gives more than it announces, so these checks bound the work.
//!
//! Source: APPNOTE.TXT 6.3.10, PKWARE.

use bytes::Bytes;
use flate2::{Crc, Decompress, FlushDecompress, Status};
use parquet::file::reader::{ChunkReader as _, Length as _};
use stackmill_schemas::{Error, Result, ResultExt as _, TaskContext};

use super::super::SourceConfig;
use super::super::contents::{Contents, Wanted};
use super::super::inflate::JUDGED_FROM;
use super::super::paths::Trouble;
use super::super::place::Input;
use super::entry::{self, Entry, Kind, Visit, too_many};
use super::origin::Origin;
use super::record::{RECORD_BYTES, Record, number};
use crate::store::Chunks;

/// Bytes of a local header, and of the end record, without what varies.
const LOCAL_BYTES: u64 = 30;
const END_BYTES: u64 = 22;

/// Longest comment of an archive.
const LONGEST_COMMENT: u64 = 0xffff;

/// Longest target of a link that is read.
const LONGEST_TARGET: u64 = 8192;

/// Most bytes that one byte of a deflate stream can become.
const DEFLATE_RATIO: u64 = 1032;

/// Whether a file begins as a zip file does; other archives are tar files.
pub(super) fn is_zip(input: &Input) -> Result<bool> {
    let (chunks, _) = input.chunks()?;
    let start = bytes(&chunks, 0, chunks.len().min(4) as usize)?;
    Ok(matches!(&start[..], b"PK\x03\x04" | b"PK\x05\x06"))
}

/// Visits the entries in the order of the central directory until `visit` says that it is enough; what stands for the
/// file.
pub(super) fn scan(input: &Input, config: &SourceConfig, cx: &TaskContext, visit: &mut Visit<'_>) -> Result<String> {
    let (revision_id, _) = input.revision(cx)?;
    let mut zip = Zip::open(input, config).with_context(|| input.to_string())?;
    zip.check(cx).with_context(|| input.to_string())?;
    let mut at = 0;
    while let Some((record, next)) = zip.record(at)? {
        cx.check()?;
        let entry = zip.entry(at, record)?;
        if !visit(entry, &mut &zip.content[..])? {
            break;
        }
        at = next;
    }
    Ok(revision_id)
}

/// Reads the contents of the entries that are wanted.
pub(super) fn read(
    input: &Input,
    config: &SourceConfig,
    wanted: &Wanted<'_>,
    contents: &mut Contents<'_, '_>,
) -> Result<()> {
    let mut zip = Zip::open(input, config).with_context(|| input.to_string())?;
    for i in wanted.by_locator() {
        let record = match wanted.locator(i) < zip.directory_bytes {
            true => zip.record(wanted.locator(i)).or_else(permanent)?,
            false => None,
        };
        let Some((record, _)) = record else {
            contents.trouble(wanted.file_id(i), entry::MISSING)?;
            continue;
        };
        match zip.entry(wanted.locator(i), record)?.kind {
            Kind::Refused(trouble) => contents.trouble(wanted.file_id(i), &trouble.words())?,
            _ => contents.checked(wanted, i, &zip.content)?,
        }
    }
    Ok(())
}

/// Nothing, where an error is permanent trouble of the file.
fn permanent<T>(error: Error) -> Result<Option<T>> {
    match error.is_permanent_trouble() {
        true => Ok(None),
        false => Err(error),
    }
}

/// What git noted in the comment, and the path of the first entry.
pub(super) fn origin(input: &Input, config: &SourceConfig) -> Result<Origin> {
    let mut zip = Zip::open(input, config)?;
    let first = zip.record(0)?.map(|(record, _)| record.path).unwrap_or_default();
    Ok(Origin::new(Some(std::mem::take(&mut zip.comment)), &first))
}

/// Bytes of a file, which must be there.
fn bytes(chunks: &Chunks, start: u64, length: usize) -> Result<Bytes> {
    let found = chunks.get_bytes(start, length);
    found.map_err(|error| chunks.trouble().unwrap_or_else(|| broken(&error.to_string())))
}

fn broken(words: &str) -> Error {
    Error::input(format!("the zip file is broken: {words}"))
}

/// A zip file, and the content of the entry that was read last.
struct Zip<'a> {
    config: &'a SourceConfig,
    chunks: Chunks,
    /// Bytes in front of the archive, by which all places are off.
    base: u64,
    directory: u64,
    directory_bytes: u64,
    records: u64,
    comment: Vec<u8>,
    inflate: Decompress,
    content: Vec<u8>,
}

impl<'a> Zip<'a> {
    /// Finds the central directory.
    fn open(input: &Input, config: &'a SourceConfig) -> Result<Self> {
        let (chunks, _) = input.chunks()?;
        let length = chunks.len();
        let tail = length.min(END_BYTES + LONGEST_COMMENT);
        let last = bytes(&chunks, length - tail, tail as usize)?;
        let end = find_end(&last).ok_or_else(|| broken("it has no end record, or is cut short"))?;
        let at = length - tail + end as u64;
        let comment = last[end + END_BYTES as usize..].to_vec();
        let Totals {
            at,
            records,
            directory_bytes,
            offset,
        } = totals(&chunks, &last[end..], at)?;
        let directory = at.checked_sub(directory_bytes);
        let base = directory.and_then(|directory| directory.checked_sub(offset));
        let (Some(directory), Some(base)) = (directory, base) else {
            return Err(broken("its central directory lies elsewhere"));
        };
        Ok(Self {
            config,
            chunks,
            base,
            directory,
            directory_bytes,
            records,
            comment,
            inflate: Decompress::new(false),
            content: Vec::new(),
        })
    }

    /// The record at `at` in the central directory, and where the next one is; none at its end.
    fn record(&self, at: u64) -> Result<Option<(Record, u64)>> {
        if at == self.directory_bytes {
            return Ok(None);
        }
        let left = self.directory_bytes.saturating_sub(at);
        if left < RECORD_BYTES {
            return Err(broken("its central directory is cut short"));
        }
        let fixed = bytes(&self.chunks, self.directory + at, RECORD_BYTES as usize)?;
        let varying = Record::varying(&fixed).ok_or_else(|| broken("a record of its central directory"))?;
        if left - RECORD_BYTES < varying {
            return Err(broken("its central directory is cut short"));
        }
        let rest = bytes(&self.chunks, self.directory + at + RECORD_BYTES, varying as usize)?;
        let record = Record::parse(&fixed, &rest).ok_or_else(|| broken("a record of its central directory"))?;
        Ok(Some((record, at + RECORD_BYTES + varying)))
    }

    /// Holds what the whole directory announces against the limits.
    fn check(&self, cx: &TaskContext) -> Result<()> {
        if self.records > self.config.max_entries || self.directory_bytes > u64::from(u32::MAX) {
            return Err(too_many(self.config));
        }
        let (mut places, mut announced, mut at) = (Vec::new(), 0_u64, 0);
        while let Some((record, next)) = self.record(at)? {
            cx.check()?;
            if places.len() as u64 == self.config.max_entries {
                return Err(too_many(self.config));
            }
            let end = record
                .offset
                .saturating_add(LOCAL_BYTES + record.name_bytes)
                .saturating_add(record.stored);
            places.push((record.offset, end));
            // What is too large is not inflated.
            if record.length <= self.config.max_entry_bytes {
                announced = announced.saturating_add(record.length);
            }
            at = next;
        }
        self.check_announced(announced)?;
        places.sort_unstable();
        let is_shared = places.windows(2).any(|pair| pair[0].1 > pair[1].0);
        let beyond = places
            .last()
            .is_some_and(|(_, end)| self.base.saturating_add(*end) > self.directory);
        match is_shared || beyond {
            true => Err(Error::input(
                "archive bomb: entries share their data, or lie beyond the file",
            )),
            false => Ok(()),
        }
    }

    fn check_announced(&self, announced: u64) -> Result<()> {
        let (most, ratio) = (self.config.max_archive_bytes, self.config.max_ratio);
        let too_dense = announced > JUDGED_FROM && announced / ratio > self.chunks.len();
        let words = match announced > most {
            true => format!("archive bomb: more than {most} bytes"),
            false if too_dense => format!("archive bomb: more than {ratio} bytes for each byte of the file"),
            false => return Ok(()),
        };
        Err(Error::input(words).hint("raise the limits of the source if it is not hostile"))
    }

    /// The entry of a record; its content is read, where it can be.
    fn entry(&mut self, at: u64, record: Record) -> Result<Entry> {
        let kind = match record.kind {
            Kind::Folder | Kind::Refused(_) => record.kind,
            Kind::Link if record.length > LONGEST_TARGET => Kind::Refused(Trouble::EntryTooLarge),
            kind => match self.fill(&record)? {
                None => kind,
                Some(trouble) => Kind::Refused(trouble),
            },
        };
        let link = match kind {
            Kind::Link => self.content.clone(),
            _ => Vec::new(),
        };
        Ok(Entry {
            number: at,
            path: record.path,
            kind,
            is_executable: record.is_executable,
            length: record.length,
            link,
        })
    }

    /// Reads the content of an entry; its trouble, if it has any.
    fn fill(&mut self, record: &Record) -> Result<Option<Trouble>> {
        self.content.clear();
        let most = self.config.max_entry_bytes;
        // What does not shrink is stored; a little more is what compressors write around it.
        if record.length > most || record.stored > most + (most >> 8) + 1024 {
            return Ok(Some(Trouble::EntryTooLarge));
        }
        let Some(data) = self.data(record)? else {
            return Ok(Some(Trouble::EntryBroken));
        };
        let is_whole = match record.method {
            0 => self.store(&data),
            8 => self.inflate(&data, record.length),
            12 => self.decode(bzip2::bufread::BzDecoder::new(&data[..]), record.length),
            93 => match zstd::stream::read::Decoder::with_buffer(&data[..]) {
                Ok(decoder) => self.decode(decoder, record.length),
                Err(_) => false,
            },
            _ => return Ok(Some(Trouble::EntryMethod)),
        };
        let mut crc = Crc::new();
        crc.update(&self.content);
        let is_right = is_whole && self.content.len() as u64 == record.length && crc.sum() == record.crc;
        Ok((!is_right).then_some(Trouble::EntryBroken))
    }

    /// The stored bytes of an entry, behind its local header.
    fn data(&self, record: &Record) -> Result<Option<Bytes>> {
        let local = self.base + record.offset;
        if local.saturating_add(LOCAL_BYTES) > self.directory {
            return Ok(None);
        }
        let header = bytes(&self.chunks, local, LOCAL_BYTES as usize)?;
        if !header.starts_with(b"PK\x03\x04") {
            return Ok(None);
        }
        let start = local + LOCAL_BYTES + number(&header, 26, 2) + number(&header, 28, 2);
        match start.saturating_add(record.stored) > self.directory {
            true => Ok(None),
            false => bytes(&self.chunks, start, record.stored as usize).map(Some),
        }
    }

    fn store(&mut self, data: &[u8]) -> bool {
        self.content.extend_from_slice(data);
        true
    }

    /// Inflates a whole stream at once: nothing is reserved that it could not fill.
    fn inflate(&mut self, data: &[u8], length: u64) -> bool {
        if length > (data.len() as u64).saturating_mul(DEFLATE_RATIO) {
            return false;
        }
        self.inflate.reset(false);
        self.content.reserve_exact(length as usize);
        let mut at = 0;
        loop {
            let before = (self.inflate.total_in(), self.inflate.total_out());
            let done = self
                .inflate
                .decompress_vec(&data[at..], &mut self.content, FlushDecompress::Finish);
            at = self.inflate.total_in() as usize;
            match done {
                Ok(Status::StreamEnd) => return true,
                Ok(_) if (self.inflate.total_in(), self.inflate.total_out()) != before => {}
                _ => return false,
            }
        }
    }

    fn decode(&mut self, decoder: impl std::io::Read, length: u64) -> bool {
        use std::io::Read as _;
        decoder.take(length + 1).read_to_end(&mut self.content).is_ok()
    }
}

/// Where the end record begins: its comment reaches to the end of the file.
fn find_end(last: &[u8]) -> Option<usize> {
    let starts = memchr::memmem::rfind_iter(last, b"PK\x05\x06");
    starts
        .filter(|&at| at + END_BYTES as usize <= last.len())
        .find(|&at| number(last, at + 20, 2) == (last.len() - at) as u64 - END_BYTES)
}

/// What the end records say.
struct Totals {
    /// Where the first of them begins.
    at: u64,
    records: u64,
    directory_bytes: u64,
    offset: u64,
}

fn totals(chunks: &Chunks, end: &[u8], at: u64) -> Result<Totals> {
    let short = Totals {
        at,
        records: number(end, 10, 2),
        directory_bytes: number(end, 12, 4),
        offset: number(end, 16, 4),
    };
    if number(end, 4, 2) != number(end, 6, 2) || number(end, 8, 2) != short.records {
        return Err(broken("it is one of several volumes"));
    }
    let locator = match at.checked_sub(20) {
        Some(place) => bytes(chunks, place, 20)?,
        None => return Ok(short),
    };
    if !locator.starts_with(b"PK\x06\x07") {
        return Ok(short);
    }
    let place = number(&locator, 8, 8);
    if place.saturating_add(56) > at - 20 {
        return Err(broken("its zip64 end record lies elsewhere"));
    }
    let long = bytes(chunks, place, 56)?;
    match long.starts_with(b"PK\x06\x06") {
        true => Ok(Totals {
            at: place,
            records: number(&long, 32, 8),
            directory_bytes: number(&long, 40, 8),
            offset: number(&long, 48, 8),
        }),
        false => Err(broken("it has no zip64 end record")),
    }
}
