//! Parquet: a row group at a time, a few rows at a time, only the columns that are needed.
//!
//! The revision of a file is a hash of its footer and its length: the footer knows place, length and statistics of every
//! column of every row group, and the whole file need not be read to plan a run. In a store it is what the store says.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::display::array_value_to_string;
use arrow_schema::DataType;
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
use super::cells::{Columns, grouped_by};
use super::columns::{
    CHANGED_FILES, CONTENT, EVENTS, FORKS, LENGTH, LICENSE, PULL_EVENTS, SCORE, SIBLINGS, STARS, is_named, whole,
};
use super::events::{Event, is_list_of};
use super::formats::Layout;
use super::pulls::{ChangedFile, PullEvent};
use super::record::{Records, row_of};
use crate::store::Chunks;

/// Rows that are decoded at once: files of code are up to megabytes each.
pub(super) const BATCH_ROWS: usize = 256;

/// Rows that are decoded at once where each is a whole repository.
const BATCH_REPOSITORIES: usize = 4;

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
pub(super) fn list(input: &Input, group: usize, layout: &Layout, records: &mut Records<'_, '_>) -> Result<()> {
    let place = || format!("{input} row group {group}");
    let (builder, revision_id, chunks) = open(input)?;
    if revision_id != records.unit.revision_id {
        return Err(input.changed());
    }
    let first = first_row(&builder, group).with_context(place)?;
    let (columns, reader) = project(builder, group, layout, None).with_context(place)?;
    let mut row = 0;
    for batch in Batches(Some(reader)) {
        let batch = batch.map_err(|error| blamed(error, &chunks)).with_context(place)?;
        let cells = columns.of(&batch);
        for i in 0..batch.num_rows() {
            if cells.items(i) == 0 {
                let trouble = Err("the repository lists no files".to_owned());
                records.push(columns.at(row, 0), first + row, trouble)?;
            }
            for item in 0..cells.items(i) {
                let record = layout.file(cells.record(i, item));
                records.push(columns.at(row, item), first + row, Ok(record))?;
            }
            row += 1;
        }
    }
    Ok(())
}

/// Reads the contents of the rows that are wanted; pages without one are passed over.
pub(super) fn read(
    input: &Input,
    group: usize,
    layout: &Layout,
    wanted: &Wanted<'_>,
    contents: &mut Contents<'_, '_>,
) -> Result<()> {
    let place = || format!("{input} row group {group}");
    let (builder, _, chunks) = open(input)?;
    let rows = rows_of(&builder, group).with_context(place)?;
    let is_grouped = grouped_by(builder.schema(), layout).is_some();
    let wanted = &wanted.with_checks(!is_grouped && !layout.is_elsewhere());
    let row_of = |i: usize| row_of(wanted.locator(i));
    let mut order = wanted.by_locator();
    while let Some(i) = order.pop_if(|&mut i| row_of(i) >= rows) {
        contents.trouble(wanted.file_id(i), "the row group has no such row")?;
    }
    let mut numbers: Vec<usize> = order.iter().map(|&i| row_of(i) as usize).collect();
    numbers.dedup();
    let (columns, reader) = project(builder, group, layout, Some(&numbers)).with_context(place)?;
    let mut left = order.into_iter().peekable();
    let mut numbers = numbers.into_iter();
    for batch in Batches(Some(reader)) {
        let batch = batch.map_err(|error| blamed(error, &chunks)).with_context(place)?;
        let cells = columns.of(&batch);
        for (at, number) in (0..batch.num_rows()).zip(&mut numbers) {
            while let Some(i) = left.next_if(|&i| row_of(i) == number as u64) {
                let item = columns.item(wanted.locator(i));
                if layout.is_made() {
                    let made = layout.file(cells.record(at, item)).content;
                    layout.answer(made.as_deref(), wanted, i, contents)?;
                    continue;
                }
                let cell = (item < cells.items(at)).then(|| cells.bytes(layout.names.content, at, item));
                layout.answer(cell.flatten(), wanted, i, contents)?;
            }
        }
    }
    left.try_for_each(|i| contents.trouble(wanted.file_id(i), "the row group has no such row"))
}

/// Called with the number of a row, and its texts by column.
type EachText<'a> = dyn FnMut(u64, BTreeMap<String, String>) -> Result<()> + 'a;

/// Every row of a small file as texts: the columns `names`, as far as they are there; lists of texts are joined by
/// ` AND `, what is null or empty is left out.
pub(in super::super) fn texts(input: &Input, names: &[&str], each: &mut EachText<'_>) -> Result<()> {
    let place = || input.to_string();
    let (builder, _, chunks) = open(input)?;
    let fields = builder.schema().fields().iter().enumerate();
    let wanted = fields.filter(|(_, field)| names.contains(&field.name().as_str()));
    let mask = ProjectionMask::roots(builder.parquet_schema(), wanted.map(|(at, _)| at));
    let builder = builder.with_projection(mask).with_batch_size(BATCH_ROWS);
    let reader = guarded(|| builder.build().map_err(|error| broken(&error))).with_context(place)?;
    let mut number = 0;
    for batch in Batches(Some(reader)) {
        let batch = batch.map_err(|error| blamed(error, &chunks)).with_context(place)?;
        for i in 0..batch.num_rows() {
            let schema = batch.schema();
            let cells = schema.fields().iter().zip(batch.columns());
            let filled = cells.filter_map(|(field, array)| Some((field.name().clone(), text_at(array, i)?)));
            each(number, filled.collect())?;
            number += 1;
        }
    }
    Ok(())
}

/// A value as text.
fn text_at(array: &ArrayRef, i: usize) -> Option<String> {
    let text = match array.data_type() {
        DataType::List(_) | DataType::Utf8 | DataType::Binary => license_at(array, i)?,
        _ if array.is_null(i) => return None,
        _ => array_value_to_string(array, i).ok()?,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// What the store says of a file; else a hash of its footer and its length. A file without a footer is refused.
///
/// ```text
///   PAR1 … column chunks … footer | length of the footer, u32 little endian | PAR1
/// ```
pub(super) fn revision_of(chunks: &Chunks, told: Option<String>) -> Result<String> {
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
pub(super) fn blamed(error: Error, chunks: &Chunks) -> Error {
    chunks.trouble().unwrap_or(error)
}

/// Calls into the Parquet library, which panics over some broken files: one flipped byte is enough.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Error::input(
            "the Parquet file is broken or cannot be read: its reader panicked",
        ))
    })
}

/// The batches of a reader, which is given up at the first error.
pub(super) struct Batches(pub(super) Option<ParquetRecordBatchReader>);

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

pub(super) fn broken(error: &(dyn std::error::Error + 'static)) -> Error {
    Error::shortage(error)
        .unwrap_or_else(|| Error::input(format!("the Parquet file is broken or cannot be read: {error}")))
}

pub(super) fn rows_of(builder: &Builder, group: usize) -> Result<u64> {
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
    layout: &Layout,
    rows: Option<&[usize]>,
) -> Result<(Columns, ParquetRecordBatchReader)> {
    let total = rows_of(&builder, group)?;
    let columns = Columns::resolve(builder.schema(), layout, rows.is_some())?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), columns.roots());
    let mut builder = builder
        .with_row_groups(vec![group])
        .with_projection(mask)
        .with_batch_size(if columns.files.is_some() {
            BATCH_REPOSITORIES
        } else {
            BATCH_ROWS
        });
    if let Some(rows) = rows {
        let ranges = rows.iter().map(|&row| row..row + 1);
        let total = usize::try_from(total).map_err(|_| Error::input("the row group is too long"))?;
        builder = builder.with_row_selection(RowSelection::from_consecutive_ranges(ranges, total));
    }
    let reader = guarded(|| builder.build().map_err(|error| broken(&error)))?;
    Ok((columns, reader))
}

pub(super) fn is_right(ours: usize, is: &DataType) -> bool {
    use DataType::{Binary, Float32, Float64, Int32, Int64, List, Null, UInt32, UInt64, Utf8};
    match (ours, is) {
        (_, Null) => ours != CONTENT,
        (EVENTS, is) => is_list_of::<Event>(is),
        (PULL_EVENTS, is) => is_list_of::<PullEvent>(is),
        (CHANGED_FILES, is) => is_list_of::<ChangedFile>(is),
        (STARS | FORKS | LENGTH | SCORE | SIBLINGS, Int32 | Int64 | UInt32 | UInt64 | Float32 | Float64) => true,
        (STARS | FORKS | LENGTH | SCORE | SIBLINGS, _) => false,
        (_, Utf8 | Binary) => true,
        (_, Int32 | Int64 | UInt32 | UInt64) => is_named(ours),
        (LICENSE, List(item)) => matches!(item.data_type(), Utf8 | Binary),
        _ => false,
    }
}

pub(super) fn bytes_at(array: &ArrayRef, i: usize) -> Option<&[u8]> {
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
pub(super) fn score_at(array: &ArrayRef, i: usize) -> Option<f64> {
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

pub(super) fn number_at(array: &ArrayRef, i: usize) -> Option<i64> {
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
pub(super) fn license_at(array: &ArrayRef, i: usize) -> Option<String> {
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
