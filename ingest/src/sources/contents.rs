//! Reading survivors: the rows that are wanted, and the batches of contents that answer them.

use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, StringBuilder, UInt64Builder};
use arrow_array::{Array, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array};
use stackmill_schemas::columns::{self, fixed, strings, u32s, u64s};
use stackmill_schemas::stage::Emit;
use stackmill_schemas::{BlobId, Result, TaskContext};

use xxhash_rust::xxh3::xxh3_64;

use super::SourceConfig;
use super::listing::blob_id;

/// A batch of contents is handed on when it holds this many bytes.
const BATCH_BYTES: usize = 16 << 20;

/// A batch of contents is handed on when it holds this many rows.
const BATCH_ROWS: usize = 4096;

const CHANGED: &str = "its content is not the listed one";

/// What tells a content from what was listed: 32 bits of its xxh3. A blob id, computed for a second time, would take
/// a tenth of all the time that near-duplicates of tables take.
pub(super) fn check(content: &[u8]) -> u32 {
    xxh3_64(content) as u32
}

/// Listing rows whose contents are wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    file_id: &'a UInt64Array,
    path: &'a StringArray,
    mode: &'a UInt32Array,
    length: &'a UInt64Array,
    blob: &'a FixedSizeBinaryArray,
    locator: &'a UInt64Array,
    has_checks: bool,
}

impl<'a> Wanted<'a> {
    pub(super) fn new(record: &'a RecordBatch) -> Result<Self> {
        Ok(Self {
            file_id: u64s(record, columns::FILE_ID)?,
            path: strings(record, columns::PATH)?,
            mode: u32s(record, columns::MODE)?,
            length: u64s(record, columns::LENGTH_BYTES)?,
            blob: fixed(record, columns::BLOB_ID)?,
            locator: u64s(record, columns::LOCATOR)?,
            has_checks: false,
        })
    }

    /// The same rows; with `has_checks`, their locators end with the [`check`] of the content.
    pub(super) fn with_checks(self, has_checks: bool) -> Self {
        Self { has_checks, ..self }
    }

    pub(super) fn len(&self) -> usize {
        self.file_id.len()
    }

    pub(super) fn file_id(&self, i: usize) -> u64 {
        self.file_id.value(i)
    }

    /// The path as text; empty where there is none.
    pub(super) fn path(&self, i: usize) -> &'a str {
        match self.path.is_valid(i) {
            true => self.path.value(i),
            false => "",
        }
    }

    pub(super) fn mode(&self, i: usize) -> u32 {
        self.mode.value(i)
    }

    pub(super) fn length(&self, i: usize) -> u64 {
        self.length.value(i)
    }

    pub(super) fn blob(&self, i: usize) -> Option<BlobId> {
        let id = self.blob.is_valid(i).then(|| self.blob.value(i))?;
        id.try_into().ok().map(BlobId)
    }

    pub(super) fn locator(&self, i: usize) -> u64 {
        self.locator.value(i)
    }

    /// Rows in ascending order of their locators.
    pub(super) fn by_locator(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.len()).collect();
        rows.sort_by_key(|&i| self.locator(i));
        rows
    }

    /// Why `content` is not what the listing said of row `i`, if it is not.
    pub(super) fn mismatch(&self, i: usize, content: &[u8]) -> Option<&'static str> {
        if content.len() as u64 != self.length(i) {
            return Some("its length is not the listed one");
        }
        if self.has_checks {
            let is_listed = self.locator(i) as u32 == check(content);
            return (!is_listed).then_some(CHANGED);
        }
        match blob_id(content) {
            Ok(id) if Some(id) == self.blob(i) => None,
            Ok(_) => Some(CHANGED),
            Err(_) => Some("its hash shows a collision attack"),
        }
    }
}

/// Gathers contents and hands them on in batches.
pub(super) struct Contents<'a, 'e> {
    emit: &'a mut Emit<'e>,
    cx: &'a TaskContext,
    most: u64,
    file_id: UInt64Builder,
    content: BinaryBuilder,
    trouble: StringBuilder,
    bytes: usize,
    rows: usize,
}

impl<'a, 'e> Contents<'a, 'e> {
    pub(super) fn new(config: &SourceConfig, emit: &'a mut Emit<'e>, cx: &'a TaskContext) -> Self {
        Self {
            emit,
            cx,
            most: config.max_entry_bytes,
            file_id: UInt64Builder::new(),
            content: BinaryBuilder::new(),
            trouble: StringBuilder::new(),
            bytes: 0,
            rows: 0,
        }
    }

    /// Adds a file that could be read.
    fn content(&mut self, file_id: u64, content: &[u8]) -> Result<()> {
        if self.rows > 0 && self.bytes + content.len() > BATCH_BYTES {
            self.flush()?;
        }
        self.content.append_value(content);
        self.trouble.append_null();
        self.bytes += content.len();
        self.row(file_id)
    }

    /// Adds a file that could not be read.
    pub(super) fn trouble(&mut self, file_id: u64, trouble: &str) -> Result<()> {
        self.content.append_null();
        self.trouble.append_value(trouble);
        self.row(file_id)
    }

    /// Adds a file if it is what the listing said, else its trouble.
    pub(super) fn checked(&mut self, wanted: &Wanted<'_>, i: usize, content: &[u8]) -> Result<()> {
        if content.len() as u64 > self.most {
            return self.trouble(wanted.file_id(i), &format!("longer than {} bytes", self.most));
        }
        match wanted.mismatch(i, content) {
            None => self.content(wanted.file_id(i), content),
            Some(trouble) => self.trouble(wanted.file_id(i), trouble),
        }
    }

    fn row(&mut self, file_id: u64) -> Result<()> {
        self.file_id.append_value(file_id);
        self.rows += 1;
        if self.bytes >= BATCH_BYTES || self.rows >= BATCH_ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let record = RecordBatch::try_new(
            columns::contents(),
            vec![
                Arc::new(self.file_id.finish()),
                Arc::new(self.content.finish()),
                Arc::new(self.trouble.finish()),
            ],
        )?;
        self.emit.emit(record)?;
        self.cx.progress.advance(self.rows as u64, self.bytes as u64);
        // The next batch is likely as large: growing to it would copy it several times.
        self.content = BinaryBuilder::with_capacity(self.rows, self.bytes);
        (self.rows, self.bytes) = (0, 0);
        self.cx.check()
    }

    /// Hands on what is left.
    pub(super) fn finish(mut self) -> Result<()> {
        match self.rows {
            0 => Ok(()),
            _ => self.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::context;
    use super::*;

    #[test]
    fn batches_end_before_they_grow_too_large() {
        let mut sizes = Vec::new();
        let mut push = |record: RecordBatch| {
            sizes.push(record.num_rows());
            Ok(())
        };
        let mut emit = Emit(&mut push);
        let cx = context(std::path::Path::new("."));
        let mut contents = Contents::new(&SourceConfig::default(), &mut emit, &cx);
        let large = vec![0; BATCH_BYTES];
        for content in [&large[..1], &large, &large[1..], b"ab", b"c"] {
            contents.content(0, content).expect("emitted");
        }
        contents.trouble(1, "broken").expect("emitted");
        contents.finish().expect("emitted");
        assert_eq!(sizes, [1, 1, 1, 3]);
    }
}
