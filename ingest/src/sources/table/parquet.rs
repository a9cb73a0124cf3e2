//! Parquet: a row group at a time, a few rows at a time, only the columns that are needed.
//!
//! The revision of a file is a hash of its footer and its length: the footer knows place, length and statistics of every
//! column of every row group, and the whole file need not be read to plan a run. In a store it is what the store says.

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::file::reader::{ChunkReader as _, Length as _};
use sha2::{Digest, Sha256};
use stackmill_schemas::ids::hex;
use stackmill_schemas::{Error, Result, ResultExt};

use super::super::contents::{Contents, Wanted};
use super::super::place::Input;
use super::columns::{CONTENT, COUNT, FORKS, LICENSE, Names, PATH, REPO_NAME, REVISION_ID, SCORE, STARS, whole, wrong_type};
use super::record::{Record, Records};
use crate::store::Chunks;

/// Rows that are decoded at once: files of code are up to megabytes each.
const BATCH_ROWS: usize = 256;

/// Longest footer that is read: 1 GiB.
const LONGEST_FOOTER: u64 = 1 << 30;

type Builder = ParquetRecordBatchReaderBuilder<Chunks>;

/// Revision of a file, and the uncompressed bytes of each of its row groups.
pub(super) fn row_groups(input: &Input) -> Result<(String, Vec<u64>)> {
    let (builder, revision_id, _) = open(input)?;
    let groups = builder.metadata().row_groups();
    let bytes = groups
        .iter()
        .map(|group| u64::try_from(group.total_byte_size()).unwrap_or_default());
    Ok((revision_id, bytes.collect()))
}

/// Lists the rows of a row group.
pub(super) fn list(input: &Input, group: usize, names: &Names, records: &mut Records<'_, '_>) -> Result<()> {
    let place = || format!("{input} row group {group}");
    let (builder, revision_id, chunks) = open(input)?;
    if revision_id != records.unit.revision_id {
        return Err(input.changed());
    }
    let first = first_row(&builder, group).with_context(place)?;
    let (columns, reader) = project(builder, group, names, None).with_context(place)?;
    let mut locator = 0;
    for batch in Batches(Some(reader)) {
        let batch = batch.map_err(|error| blamed(error, &chunks)).with_context(place)?;
        let cells = columns.of(&batch);
        for i in 0..batch.num_rows() {
            records.push(locator, first + locator, Ok(cells.record(i)))?;
            locator += 1;
        }
    }
    Ok(())
}

/// Reads the contents of the rows that are wanted; pages without one are passed over.
pub(super) fn read(
    input: &Input,
    group: usize,
    names: &Names,
    wanted: &Wanted<'_>,
    contents: &mut Contents<'_, '_>,
) -> Result<()> {
    let place = || format!("{input} row group {group}");
    let (builder, _, chunks) = open(input)?;
    let rows = rows_of(&builder, group).with_context(place)?;
    let mut order = wanted.by_locator();
    while let Some(i) = order.pop_if(|&mut i| wanted.locator(i) >= rows) {
        contents.trouble(wanted.file_id(i), "the row group has no such row")?;
    }
    let mut locators: Vec<usize> = order.iter().map(|&i| wanted.locator(i) as usize).collect();
    locators.dedup();
    let (columns, reader) = project(builder, group, names, Some(&locators)).with_context(place)?;
    let mut left = order.into_iter().peekable();
    let mut locators = locators.into_iter();
    for batch in Batches(Some(reader)) {
        let batch = batch.map_err(|error| blamed(error, &chunks)).with_context(place)?;
        let content = columns.of(&batch).arrays[CONTENT].clone();
        for (row, locator) in (0..batch.num_rows()).zip(&mut locators) {
            while let Some(i) = left.next_if(|&i| wanted.locator(i) == locator as u64) {
                match content.as_ref().and_then(|array| bytes_at(array, row)) {
                    Some(content) => contents.checked(wanted, i, content)?,
                    None => contents.trouble(wanted.file_id(i), "no content")?,
                }
            }
        }
    }
    left.try_for_each(|i| contents.trouble(wanted.file_id(i), "the row group has no such row"))
}

/// What the store says of a file; else a hash of its footer and its length. A file without a footer is refused.
///
/// ```text
///   PAR1 … column chunks … footer | length of the footer, u32 little endian | PAR1
/// ```
fn revision_of(chunks: &Chunks, told: Option<String>) -> Result<String> {
    let bytes = |start, length| {
        chunks
            .get_bytes(start, length)
            .map_err(|error| blamed(broken(&error), chunks))
    };
    let length = chunks.len();
    let mut tail = [0; 8];
    if length >= 12 {
        tail.copy_from_slice(&bytes(length - 8, 8)?);
    }
    let [a, b, c, d, magic @ ..] = tail;
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    if &magic != b"PAR1" || footer > length.saturating_sub(12).min(LONGEST_FOOTER) {
        return Err(Error::input("not a Parquet file, or cut short"));
    }
    if let Some(told) = told {
        return Ok(told);
    }
    let mut sha256 = Sha256::new();
    sha256.update(length.to_le_bytes());
    sha256.update(&bytes(length - 8 - footer, footer as usize)?);
    Ok(hex(sha256.finalize().as_slice()))
}

/// Opens a file, with its revision and what it is read through; types are those of Parquet itself, whatever the writer
/// noted beside them.
fn open(input: &Input) -> Result<(Builder, String, Chunks)> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let place = || input.to_string();
    let (chunks, told) = input.chunks()?;
    let revision_id = revision_of(&chunks, told).with_context(place)?;
    let file = chunks.clone();
    let opened = guarded(|| {
        ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(|error| broken(&error))
    });
    let builder = opened.map_err(|error| blamed(error, &chunks)).with_context(place)?;
    Ok((builder, revision_id, chunks))
}

/// Whose fault an error is: the Parquet library keeps no more than the words of what a store said.
fn blamed(error: Error, chunks: &Chunks) -> Error {
    chunks.trouble().unwrap_or(error)
}

/// Calls into the Parquet library, which panics over some broken files: one flipped byte is enough.
fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::input(
            "the Parquet file is broken or cannot be read: its reader panicked",
        ))
    })
}

/// The batches of a reader, which is given up at the first error.
struct Batches(Option<ParquetRecordBatchReader>);

impl Iterator for Batches {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reader = self.0.take()?;
        let next = guarded(|| {
            let batch = reader.next().transpose().map_err(|error| broken(&error))?;
            Ok(batch.map(|batch| (batch, reader)))
        });
        match next {
            Ok(None) => None,
            Ok(Some((batch, reader))) => {
                self.0 = Some(reader);
                Some(Ok(batch))
            }
            Err(error) => Some(Err(error)),
        }
    }
}

fn broken(error: &(dyn std::error::Error + 'static)) -> Error {
    Error::shortage(error)
        .unwrap_or_else(|| Error::input(format!("the Parquet file is broken or cannot be read: {error}")))
}

fn rows_of(builder: &Builder, group: usize) -> Result<u64> {
    let groups = builder.metadata().row_groups();
    let rows = groups.get(group).and_then(|group| u64::try_from(group.num_rows()).ok());
    rows.ok_or_else(|| Error::input("there is no such row group").hint("run with `--update` to write a new lock"))
}

/// Number in the file of the first row of a row group.
fn first_row(builder: &Builder, group: usize) -> Result<u64> {
    (0..group).map(|group| rows_of(builder, group)).sum()
}

/// A reader of the columns that are needed: all of ours, or `content` of some rows.
fn project(
    builder: Builder,
    group: usize,
    names: &Names,
    rows: Option<&[usize]>,
) -> Result<(Columns, ParquetRecordBatchReader)> {
    let total = rows_of(&builder, group)?;
    let columns = Columns::resolve(builder.schema(), names, rows.is_some())?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.theirs.iter().flatten().copied());
    let mut builder = builder
        .with_row_groups(vec![group])
        .with_projection(mask)
        .with_batch_size(BATCH_ROWS);
    if let Some(rows) = rows {
        let ranges = rows.iter().map(|&row| row..row + 1);
        let total = usize::try_from(total).map_err(|_| Error::input("the row group is too long"))?;
        builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges, total));
    }
    let reader = guarded(|| builder.build().map_err(|error| broken(&error)))?;
    Ok((columns, reader))
}

/// Where our columns are.
struct Columns {
    names: [Option<String>; COUNT],
    theirs: [Option<usize>; COUNT],
}

impl Columns {
    fn resolve(schema: &SchemaRef, names: &Names, content_only: bool) -> Result<Self> {
        let all: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let mut columns = Self {
            names: Default::default(),
            theirs: [None; COUNT],
        };
        for ours in 0..if content_only { 1 } else { COUNT } {
            let Some(at) = names.resolve(ours, &all)? else { continue };
            let field = schema.field(at);
            if !is_right(ours, field.data_type()) {
                return Err(wrong_type(ours, field.name(), &field.data_type().to_string()));
            }
            columns.theirs[ours] = Some(at);
            columns.names[ours] = Some(field.name().clone());
        }
        Ok(columns)
    }

    fn of(&self, batch: &RecordBatch) -> Cells {
        Cells {
            arrays: std::array::from_fn(|ours| {
                let name = self.names[ours].as_ref()?;
                batch.column_by_name(name).cloned()
            }),
        }
    }
}

fn is_right(ours: usize, is: &DataType) -> bool {
    use DataType::{Binary, Float32, Float64, Int32, Int64, List, Null, UInt32, UInt64, Utf8};
    match (ours, is) {
        (_, Null) => ours != CONTENT,
        (STARS | FORKS | SCORE, Int32 | Int64 | UInt32 | UInt64 | Float32 | Float64) => true,
        (STARS | FORKS | SCORE, _) => false,
        (_, Utf8 | Binary) => true,
        (LICENSE, List(item)) => matches!(item.data_type(), Utf8 | Binary),
        _ => false,
    }
}

/// Our columns of one batch.
struct Cells {
    arrays: [Option<ArrayRef>; COUNT],
}

impl Cells {
    fn record(&self, i: usize) -> Record<'_> {
        let text = |ours: usize| {
            self.arrays[ours]
                .as_ref()
                .and_then(|array| bytes_at(array, i))
                .map(Cow::Borrowed)
        };
        let number = |ours: usize| self.arrays[ours].as_ref().and_then(|array| number_at(array, i));
        Record {
            content: text(CONTENT),
            path: text(PATH),
            repo_name: text(REPO_NAME),
            revision_id: text(REVISION_ID),
            stars: number(STARS),
            forks: number(FORKS),
            score: self.arrays[SCORE].as_ref().and_then(|array| score_at(array, i)),
            license: self.arrays[LICENSE].as_ref().and_then(|array| license_at(array, i)),
        }
    }
}

fn bytes_at(array: &ArrayRef, i: usize) -> Option<&[u8]> {
    if array.is_null(i) {
        return None;
    }
    match array.data_type() {
        DataType::Utf8 => Some(array.as_string::<i32>().value(i).as_bytes()),
        DataType::Binary => Some(array.as_binary::<i32>().value(i)),
        _ => None,
    }
}

/// A number that may be a fraction; what is no number at all (NaN) is none.
fn score_at(array: &ArrayRef, i: usize) -> Option<f64> {
    if array.is_null(i) {
        return None;
    }
    let score = match array.data_type() {
        DataType::Float32 => f64::from(array.as_primitive::<Float32Type>().value(i)),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(i),
        _ => number_at(array, i)? as f64,
    };
    Some(score).filter(|score| !score.is_nan())
}

fn number_at(array: &ArrayRef, i: usize) -> Option<i64> {
    if array.is_null(i) {
        return None;
    }
    match array.data_type() {
        DataType::Int32 => Some(i64::from(array.as_primitive::<Int32Type>().value(i))),
        DataType::Int64 => Some(array.as_primitive::<Int64Type>().value(i)),
        DataType::UInt32 => Some(i64::from(array.as_primitive::<UInt32Type>().value(i))),
        DataType::UInt64 => i64::try_from(array.as_primitive::<UInt64Type>().value(i)).ok(),
        DataType::Float32 => whole(f64::from(array.as_primitive::<Float32Type>().value(i))),
        DataType::Float64 => whole(array.as_primitive::<Float64Type>().value(i)),
        _ => None,
    }
}

/// A license, or all of a list of them.
fn license_at(array: &ArrayRef, i: usize) -> Option<String> {
    let text = |array: &ArrayRef, i| bytes_at(array, i).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let license = match array.data_type() {
        DataType::List(_) if array.is_valid(i) => {
            let items = array.as_list::<i32>().value(i);
            let texts: Vec<String> = (0..items.len()).filter_map(|i| text(&items, i)).collect();
            Some(texts.join(" AND "))
        }
        _ => text(array, i),
    };
    license.filter(|license| !license.is_empty())
}
