//! Rows of texts out of CSV, TSV, JSON lines, Parquet and plain text, one row at a time, whatever the file's length.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use arrow_array::{Array, ArrayRef};
use arrow_cast::display::array_value_to_string;
use arrow_schema::DataType;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use serde_json::{Map, Value};
use stackmill_schemas::{Error, Result, ResultExt};

use crate::sources::{inflated, ranged};
use crate::store::{Stores, Uri};

/// Longest row, in bytes: 1 MiB.
const LONGEST_ROW: u64 = 1 << 20;

/// Rows of a Parquet file that are decoded at once.
const BATCH_ROWS: usize = 8192;

/// A column that is asked for: the names it may have, the likeliest first, and whether it has to be there.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) names: Vec<String>,
    pub(super) required: bool,
}

/// Takes a row: its number (of the line, from 1; in Parquet of the row) and the cells that were asked for. Empty cells are
/// none.
pub(super) type Take<'a> = dyn FnMut(u64, &[Option<String>]) -> Result<()> + 'a;

/// Hands on every row of a file. A text file has one column, which is whatever is asked for first.
pub(super) fn read(uri: &Uri, stores: &Stores, asked: &[Asked], take: &mut Take<'_>) -> Result<()> {
    let name = uri.file_name().to_ascii_lowercase();
    let bare = [".gz", ".zst"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(&name);
    let ending = bare.rsplit_once('.').map_or("", |(_, ending)| ending);
    let done = match ending {
        "csv" => separated(uri, stores, b',', asked, take),
        "tsv" => separated(uri, stores, b'\t', asked, take),
        "jsonl" | "ndjson" => objects(uri, stores, asked, take),
        "txt" => lines(uri, stores, &mut |number, line| {
            let mut cells = vec![None; asked.len()];
            cells[0] = Some(line.to_owned()).filter(|line| !line.starts_with('#'));
            if cells[0].is_some() {
                take(number, &cells)
            } else {
                Ok(())
            }
        }),
        "parquet" => std::panic::catch_unwind(AssertUnwindSafe(|| rows(uri, stores, asked, take)))
            .unwrap_or_else(|_| Err(Error::input("the Parquet file is broken: its reader panicked"))),
        _ => Err(Error::input("its name does not say what it is")
            .hint("it ends in .csv, .tsv, .jsonl, .txt (these also with .gz or .zst) or .parquet")),
    };
    done.with_context(|| uri.to_string())
}

/// Where the columns that are asked for are among `theirs`.
fn places(asked: &[Asked], theirs: &[&str]) -> Result<Vec<Option<usize>>> {
    let place = |asked: &Asked| {
        let found = asked
            .names
            .iter()
            .find_map(|name| theirs.iter().position(|their| their == name));
        match found {
            None if asked.required => Err(missing(asked, &theirs.join("`, `"))),
            found => Ok(found),
        }
    };
    asked.iter().map(place).collect()
}

fn missing(asked: &Asked, theirs: &str) -> Error {
    Error::input(format!("there is no column `{}`", asked.names.join("` or `"))).hint(format!(
        "the columns are `{theirs}`; name the right one under `columns`"
    ))
}

/// Fails where one row takes too much: a quote that is never closed would take everything.
struct Paced<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Paced<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let left = self.left.get().checked_sub(count as u64);
        self.left
            .set(left.ok_or_else(|| std::io::Error::other(format!("a row is longer than {LONGEST_ROW} bytes")))?);
        Ok(count)
    }
}

fn broken(error: &dyn std::fmt::Display) -> Error {
    Error::input(format!("it cannot be read: {error}"))
}

fn separated(uri: &Uri, stores: &Stores, delimiter: u8, asked: &[Asked], take: &mut Take<'_>) -> Result<()> {
    let left = Rc::new(Cell::new(LONGEST_ROW));
    let paced = Paced {
        inner: inflated(uri, stores)?,
        left: Rc::clone(&left),
    };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .from_reader(paced);
    let headers = reader.headers().map_err(|error| broken(&error))?.clone();
    let theirs: Vec<&str> = headers
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').trim())
        .collect();
    let places = places(asked, &theirs)?;
    let mut record = csv::StringRecord::new();
    loop {
        // What the reader holds beyond this row belongs to later ones.
        left.set(LONGEST_ROW);
        let line = reader.position().line();
        if !reader.read_record(&mut record).map_err(|error| broken(&error))? {
            return Ok(());
        }
        let line = record.position().map_or(line, csv::Position::line);
        let cell = |place: &Option<usize>| {
            let text = record.get((*place)?)?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        take(line, &places.iter().map(cell).collect::<Vec<_>>()).with_context(|| format!("line {line}"))?;
    }
}

/// Hands on lines that are not blank, with their numbers from 1.
fn lines(uri: &Uri, stores: &Stores, take: &mut dyn FnMut(u64, &str) -> Result<()>) -> Result<()> {
    let mut reader = BufReader::new(inflated(uri, stores)?);
    let (mut number, mut line) = (0, Vec::new());
    loop {
        line.clear();
        number += 1;
        let mut limited = reader.by_ref().take(LONGEST_ROW + 1);
        let count = limited.read_until(b'\n', &mut line).map_err(|error| broken(&error))? as u64;
        if count == 0 {
            return Ok(());
        }
        let place = || format!("line {number}");
        if count > LONGEST_ROW {
            return Err(Error::input(format!("a row is longer than {LONGEST_ROW} bytes"))).with_context(place);
        }
        let text = std::str::from_utf8(&line)
            .map_err(|_| Error::input("it is not UTF-8 text"))
            .with_context(place)?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if !text.is_empty() {
            take(number, text).with_context(place)?;
        }
    }
}

fn objects(uri: &Uri, stores: &Stores, asked: &[Asked], take: &mut Take<'_>) -> Result<()> {
    lines(uri, stores, &mut |number, line| {
        let object: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| Error::input(format!("not a JSON object: {error}")))?;
        let mut cells = Vec::with_capacity(asked.len());
        for asked in asked {
            let found = asked.names.iter().find_map(|name| value(&object, name));
            if found.is_none() && asked.required {
                let keys: Vec<&str> = object.keys().map(String::as_str).collect();
                return Err(missing(asked, &keys.join("`, `")));
            }
            cells.push(found.and_then(text));
        }
        take(number, &cells)
    })
}

/// The value of a key; `license.spdx_id` is also a key inside another's object.
fn value<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let inside = || {
        let (outer, inner) = name.split_once('.')?;
        match object.get(outer)? {
            // A repository without a license has nothing inside it.
            null @ Value::Null => Some(null),
            outer => value(outer.as_object()?, inner),
        }
    };
    object.get(name).or_else(inside)
}

/// A value as text; a list of texts is joined as licenses are.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        Value::Array(values) => values.iter().filter_map(text).collect::<Vec<_>>().join(" AND "),
        Value::Null | Value::Object(_) => String::new(),
    };
    (!text.is_empty()).then_some(text)
}

fn rows(uri: &Uri, stores: &Stores, asked: &[Asked], take: &mut Take<'_>) -> Result<()> {
    let chunks = ranged(uri, stores)?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let opened = ParquetRecordBatchReaderBuilder::try_new_with_options(chunks, options);
    let builder = opened.map_err(|error| broken(&error))?;
    let schema = builder.schema().clone();
    let theirs: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let places = places(asked, &theirs)?;
    let mask = ProjectionMask::roots(builder.parquet_schema(), places.iter().flatten().copied());
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
    let mut number = 0;
    for batch in reader.map_err(|error| broken(&error))? {
        let batch = batch.map_err(|error| broken(&error))?;
        let column = |place: &Option<usize>| batch.column_by_name(theirs[(*place)?]).cloned();
        let columns: Vec<Option<ArrayRef>> = places.iter().map(column).collect();
        for row in 0..batch.num_rows() {
            number += 1;
            let cells = columns
                .iter()
                .map(|column| column.as_ref().map_or(Ok(None), |column| cell(column, row)));
            take(number, &cells.collect::<Result<Vec<_>>>()?).with_context(|| format!("row {number}"))?;
        }
    }
    Ok(())
}

fn cell(column: &ArrayRef, row: usize) -> Result<Option<String>> {
    if column.is_null(row) || matches!(column.data_type(), DataType::Null) {
        return Ok(None);
    }
    let text = match column.data_type() {
        DataType::List(_) => {
            let items = arrow_array::cast::AsArray::as_list::<i32>(column).value(row);
            let items = (0..items.len()).map(|item| cell(&items, item));
            let items = items.collect::<Result<Vec<_>>>()?;
            items.into_iter().flatten().collect::<Vec<_>>().join(" AND ")
        }
        DataType::Binary => {
            let bytes = arrow_array::cast::AsArray::as_binary::<i32>(column).value(row);
            String::from_utf8_lossy(bytes).trim().to_owned()
        }
        _ => array_value_to_string(column, row)?.trim().to_owned(),
    };
    Ok((!text.is_empty()).then_some(text))
}
