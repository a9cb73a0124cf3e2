//! The rows of a table as they are, with columns that nobody here knows: what is wanted of them is copied.

use std::io::Write;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::SchemaRef;
use arrow_select::filter::filter_record_batch;
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::{Error, Result, ResultExt as _};

use super::super::Setup;
use super::super::inflate::Inflated;
use super::super::place::Input;
use super::jsonl::{Lines, is_blank};
use super::parquet::{BATCH_ROWS, Batches, blamed, broken, guarded, revision_of, rows_of};
use crate::store::Chunks;

/// How hard JSON lines are compressed.
const ZSTD_LEVEL: i32 = 3;

/// A unit of a table: a row group, or a file of JSON lines.
pub enum Rows {
    /// A row group.
    Parquet(Group),
    /// A file of lines.
    Lines(Text),
}

/// A row group of a Parquet file.
pub struct Group {
    place: String,
    chunks: Chunks,
    builder: ParquetRecordBatchReaderBuilder<Chunks>,
    number: usize,
}

/// A file of JSON lines.
pub struct Text {
    place: String,
    lines: Lines,
}

impl Rows {
    /// The rows of a unit of `setup`'s table.
    pub(in super::super) fn open(setup: &Setup, unit: &Unit) -> Result<Self> {
        let group = unit.location.rsplit_once('#').filter(|_| setup.key == "parquet");
        let Some((file, number)) = group.and_then(|(file, number)| Some((file, number.parse().ok()?))) else {
            let input = Input::of(setup, &unit.location)?;
            if input.hashed()? != unit.revision_id {
                return Err(input.changed());
            }
            let lines = Lines::new(&input, &setup.config, Inflated::unhashed)?;
            return Ok(Self::Lines(Text {
                place: input.to_string(),
                lines,
            }));
        };
        let input = Input::of(setup, file)?;
        let (place, (chunks, told)) = (input.to_string(), input.chunks()?);
        if revision_of(&chunks, told).with_context(|| place.clone())? != unit.revision_id {
            return Err(input.changed());
        }
        let file = chunks.clone();
        let opened = guarded(|| ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| broken(&error)));
        let builder = opened
            .map_err(|error| blamed(error, &chunks))
            .with_context(|| place.clone())?;
        Ok(Self::Parquet(Group {
            place,
            chunks,
            builder,
            number,
        }))
    }
}

impl Group {
    /// Number of rows; an error if there is no such row group.
    pub fn rows(&self) -> Result<u64> {
        rows_of(&self.builder, self.number).with_context(|| self.place.clone())
    }

    /// The columns as their writer noted them.
    pub fn schema(&self) -> SchemaRef {
        self.builder.schema().clone()
    }

    /// Calls `each` with the rows, in order, of which `is_wanted` says so by their number in the row group.
    pub fn copy(
        self,
        mut is_wanted: impl FnMut(u64) -> bool,
        mut each: impl FnMut(&RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let builder = self.builder.with_row_groups(vec![self.number]);
        let builder = builder.with_batch_size(BATCH_ROWS);
        let reader = guarded(|| builder.build().map_err(|error| broken(&error))).with_context(|| self.place.clone())?;
        let mut row = 0;
        for batch in Batches(Some(reader)) {
            let batch = batch
                .map_err(|error| blamed(error, &self.chunks))
                .with_context(|| self.place.clone())?;
            let end = row + batch.num_rows() as u64;
            let wanted: BooleanArray = (row..end).map(|row| Some(is_wanted(row))).collect();
            row = end;
            each(&filter_record_batch(&batch, &wanted)?)?;
        }
        Ok(())
    }
}

impl Text {
    /// Writes the lines of which `is_wanted` says so; it is asked of every line that is not blank, in order.
    pub fn copy(mut self, mut is_wanted: impl FnMut() -> Result<bool>, out: &mut dyn Write) -> Result<()> {
        while let Some((_, line)) = self.lines.next().with_context(|| self.place.clone())? {
            let is_row = line.as_ref().map_or(true, |line| !is_blank(line));
            if !is_row || !is_wanted()? {
                continue;
            }
            let line = line.map_err(|trouble| Error::bug(format!("a kept row cannot be read: {trouble}")))?;
            out.write_all(line)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

/// The name under which the rows of a file called `name` are copied: without the end of a compression that is read only.
pub fn copy_name(name: &str) -> &str {
    let ends = [".bz2", ".xz"];
    ends.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// A file of lines being written, compressed as its name says.
pub enum Packer<W: Write> {
    /// As it is.
    Plain(W),
    /// `.gz`
    Gzip(GzEncoder<W>),
    /// `.zst` or `.zstd`
    Zstd(zstd::Encoder<'static, W>),
}

impl<W: Write> Packer<W> {
    /// Begins to write to `out`, which is called `name`.
    pub fn new(name: &str, out: W) -> Result<Self> {
        Ok(match name.rsplit_once('.').map(|(_, end)| end) {
            Some("gz") => Self::Gzip(GzEncoder::new(out, Compression::default())),
            Some("zst" | "zstd") => Self::Zstd(zstd::Encoder::new(out, ZSTD_LEVEL)?),
            _ => Self::Plain(out),
        })
    }

    /// Writes what is left, and gives back what was written to.
    pub fn finish(self) -> Result<W> {
        Ok(match self {
            Self::Plain(out) => out,
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
        })
    }
}

impl<W: Write> Write for Packer<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Zstd(encoder) => encoder.flush(),
        }
    }
}
