//! Reading objects: from front to back a stretch at a time, or here and there as Parquet is read.
//!
//! ```text
//!   Reader   ├── 8 MiB ──┼── 8 MiB ──┼─…        each a request of its own, tried again by itself
//!   Chunks   aligned blocks of 2 MiB; the 12 used last are kept, one for each column that is being read
//! ```

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf as _, Bytes};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use stackmill_schemas::{Error, Result, ResultExt as _};

use super::trouble::{carried, copy};
use super::{Object, Stores, Uri};

/// Bytes that a sequential reader asks for at once.
const STRETCH: u64 = 8 << 20;

/// Bytes of a block of a Parquet file.
const BLOCK: u64 = 2 << 20;

/// Blocks that are kept: tables have fewer columns of ours.
const BLOCKS: usize = 12;

impl Stores {
    /// Reads an object from front to back. Trouble of a store comes out of [`super::ours`].
    pub fn reader(&self, object: &Object) -> Result<Reader> {
        Ok(match &object.uri {
            Uri::Local(path) => Reader::Local(File::open(path).with_context(|| object.uri.to_string())?),
            Uri::Store(_) => Reader::Store(Box::new(Stretches {
                stores: self.clone(),
                object: object.clone(),
                next: 0,
                ahead: Bytes::new(),
            })),
        })
    }

    /// Reads ranges of a Parquet file.
    pub fn chunks(&self, object: &Object) -> Result<Chunks> {
        Ok(match &object.uri {
            Uri::Local(path) => File::open(path)
                .and_then(Chunks::of_file)
                .with_context(|| object.uri.to_string())?,
            Uri::Store(_) => Chunks::Store(Blocks(Arc::new(Inner {
                stores: self.clone(),
                object: object.clone(),
                recent: Mutex::default(),
                trouble: Mutex::default(),
            }))),
        })
    }
}

/// A file or an object, from front to back.
pub enum Reader {
    /// A file of this machine.
    Local(File),
    /// An object of a store.
    Store(Box<Stretches>),
}

/// What was asked for and not read yet.
pub struct Stretches {
    stores: Stores,
    object: Object,
    next: u64,
    ahead: Bytes,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Local(file) => file.read(buffer),
            Self::Store(stretches) => stretches.read(buffer),
        }
    }
}

impl Read for Stretches {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ahead.is_empty() && self.next < self.object.length {
            let end = self.object.length.min(self.next + STRETCH);
            self.ahead = self.stores.get_range(&self.object, self.next..end).map_err(carried)?;
            self.next = end;
        }
        let count = self.ahead.len().min(buffer.len());
        self.ahead.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// A file or an object, here and there; clones share their blocks.
#[derive(Clone)]
pub enum Chunks {
    /// A file of this machine.
    Local(Offsets),
    /// An object of a store.
    Store(Blocks),
}

/// A file that is read at offsets: it takes one descriptor, however many pages are read at once.
#[derive(Clone)]
pub struct Offsets {
    file: Arc<File>,
    length: u64,
}

impl Offsets {
    fn get(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        within(self.length, start, length)?;
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// What lies in a file from an offset on.
pub struct Onward {
    file: Arc<File>,
    at: u64,
}

impl Read for Onward {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

/// The end of a part, which lies within `whole` bytes; a footer may promise more than any memory holds.
fn within(whole: u64, start: u64, length: usize) -> Result<u64, ParquetError> {
    let end = start.checked_add(length as u64).filter(|end| *end <= whole);
    end.ok_or_else(|| ParquetError::EOF(format!("{length} bytes at {start} are beyond the end")))
}

/// Blocks of an object.
#[derive(Clone)]
pub struct Blocks(Arc<Inner>);

struct Inner {
    stores: Stores,
    object: Object,
    /// Number and bytes of blocks, that used last first.
    recent: Mutex<Vec<(u64, Bytes)>>,
    /// The last trouble of the store: Parquet readers keep no more than its words.
    trouble: Mutex<Option<Error>>,
}

impl Chunks {
    /// Of a file of this machine.
    pub fn of_file(file: File) -> std::io::Result<Self> {
        let length = file.metadata()?.len();
        let file = Arc::new(file);
        Ok(Self::Local(Offsets { file, length }))
    }

    /// What the store itself said, if it was to blame for an error of reading.
    pub fn trouble(&self) -> Option<Error> {
        match self {
            Self::Local(_) => None,
            Self::Store(blocks) => blocks.0.trouble.lock().unwrap_or_else(PoisonError::into_inner).take(),
        }
    }
}

impl Blocks {
    /// The bytes from `start` to the end of its block.
    fn from(&self, start: u64) -> Result<Bytes, ParquetError> {
        let number = start / BLOCK;
        // Held while asking: whoever needs the same block gets it without a request.
        let mut recent = self.0.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let block = match recent.iter().position(|(kept, _)| *kept == number) {
            Some(at) => recent.remove(at).1,
            None => {
                let end = self.0.object.length.min((number + 1) * BLOCK);
                let asked = self.0.stores.get_range(&self.0.object, number * BLOCK..end);
                asked.map_err(|error| self.note(error))?
            }
        };
        recent.insert(0, (number, block.clone()));
        recent.truncate(BLOCKS);
        Ok(block.slice((start - number * BLOCK) as usize..))
    }

    fn note(&self, error: Error) -> ParquetError {
        let told = carried(copy(&error));
        *self.0.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        told.into()
    }

    fn get(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let end = within(self.0.object.length, start, length)?;
        if length as u64 > BLOCK {
            let asked = self.0.stores.get_range(&self.0.object, start..end);
            return asked.map_err(|error| self.note(error));
        }
        let first = if length == 0 { Bytes::new() } else { self.from(start)? };
        if first.len() >= length {
            return Ok(first.slice(..length));
        }
        let rest = self.from(start + first.len() as u64)?;
        Ok([&first[..], &rest[..length - first.len()]].concat().into())
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        match self {
            Self::Local(file) => file.length,
            Self::Store(blocks) => blocks.0.object.length,
        }
    }
}

impl ChunkReader for Chunks {
    type T = ChunkRead;

    fn get_read(&self, start: u64) -> Result<ChunkRead, ParquetError> {
        match self {
            Self::Local(file) => Ok(ChunkRead::Local(BufReader::new(Onward {
                file: file.file.clone(),
                at: start,
            }))),
            Self::Store(blocks) => Ok(ChunkRead::Store(blocks.clone(), start)),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match self {
            Self::Local(file) => file.get(start, length),
            Self::Store(blocks) => blocks.get(start, length),
        }
    }
}

/// A place in a file or an object, from where on is read.
pub enum ChunkRead {
    /// A file of this machine.
    Local(BufReader<Onward>),
    /// Blocks of an object, and where to go on.
    Store(Blocks, u64),
}

impl Read for ChunkRead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Local(file) => file.read(buffer),
            Self::Store(blocks, at) if *at >= blocks.0.object.length => Ok(0),
            Self::Store(blocks, at) => {
                let bytes = blocks.from(*at).map_err(std::io::Error::other)?;
                let count = bytes.len().min(buffer.len());
                buffer[..count].copy_from_slice(&bytes[..count]);
                *at += count as u64;
                Ok(count)
            }
        }
    }
}
