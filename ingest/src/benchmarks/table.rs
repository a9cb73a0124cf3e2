//! Parquet, CSV and TSV files of benchmarks as the JSON lines that readers take.
//!
//! ```text
//!   Parquet   number ► number   text, bytes in UTF-8 ► text   list ► array   struct ► object   else ► its text
//!   CSV, TSV  every cell a text, named by the first line
//! ```

use std::borrow::Cow;
use std::panic::AssertUnwindSafe;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_array::types::{UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_cast::display::array_value_to_string;
use arrow_schema::DataType;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};
use stackmill_schemas::error::{Error, Result, ResultExt};

use super::{MAX_FILE_BYTES, MAX_ITEMS, check_size};

/// First and last bytes of a Parquet file.
const PARQUET: &[u8] = b"PAR1";
/// Rows that are decoded at once.
const BATCH_ROWS: usize = 64;
/// Lists and structs inside each other that are followed.
const DEEPEST: usize = 8;

/// What readers take of an unpacked file: its text, or a JSON object a line for each row of a table.
pub(super) fn text<'a>(name: &str, bytes: &'a [u8]) -> Result<Cow<'a, str>> {
    if bytes.starts_with(PARQUET) {
        return std::panic::catch_unwind(AssertUnwindSafe(|| parquet(bytes)))
            .unwrap_or_else(|_| Err(Error::input("the Parquet file is broken: its reader panicked")))
            .map(Cow::Owned);
    }
    let text = std::str::from_utf8(bytes)
        .map_err(|error| Error::input(format!("byte {} is no UTF-8", error.valid_up_to())))?;
    let text = text.trim_start_matches('\u{feff}');
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "csv" => separated(text, b',').map(Cow::Owned),
        "tsv" => separated(text, b'\t').map(Cow::Owned),
        _ => Ok(Cow::Borrowed(text)),
    }
}

/// JSON lines on their way.
#[derive(Default)]
struct Lines {
    text: String,
    count: usize,
}

impl Lines {
    fn push(&mut self, row: Map<String, Value>) -> Result<()> {
        self.count += 1;
        if self.count > MAX_ITEMS {
            return Err(Error::input(format!("more than {MAX_ITEMS} items")));
        }
        self.text += &Value::Object(row).to_string();
        self.text.push('\n');
        check_size(self.text.len(), MAX_FILE_BYTES)
    }
}

fn separated(text: &str, delimiter: u8) -> Result<String> {
    let broken = |error: csv::Error| Error::input(format!("not a table: {error}"));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let names = reader.headers().map_err(broken)?.clone();
    let mut lines = Lines::default();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let cells = names.iter().zip(&record);
        lines.push(cells.map(|(name, cell)| (name.to_owned(), cell.into())).collect())?;
    }
    Ok(lines.text)
}

fn parquet(bytes: &[u8]) -> Result<String> {
    let broken = |error: &dyn std::fmt::Display| Error::input(format!("not a whole Parquet file: {error}"));
    let builder = ParquetRecordBatchReaderBuilder::try_new(Bytes::copy_from_slice(bytes));
    let reader = builder.and_then(|builder| builder.with_batch_size(BATCH_ROWS).build());
    let mut lines = Lines::default();
    for batch in reader.map_err(|error| broken(&error))? {
        let batch = batch.map_err(|error| broken(&error))?;
        (0..batch.num_rows()).try_for_each(|row| lines.push(object(&batch, row)?))?;
    }
    Ok(lines.text)
}

fn object(batch: &RecordBatch, row: usize) -> Result<Map<String, Value>> {
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    columns
        .map(|(field, array)| {
            let cell = value(array, row, 0).with_context(|| format!("column `{}`", field.name()))?;
            Ok((field.name().clone(), cell))
        })
        .collect()
}

fn value(array: &ArrayRef, row: usize, depth: usize) -> Result<Value> {
    if depth > DEEPEST {
        return Err(Error::input(format!(
            "lists and structs are nested deeper than {DEEPEST}"
        )));
    }
    if array.is_null(row) || *array.data_type() == DataType::Null {
        return Ok(Value::Null);
    }
    macro_rules! number {
        ($kind:ty) => {
            array.as_primitive::<$kind>().value(row).into()
        };
    }
    Ok(match array.data_type() {
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => number!(Float32Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Binary => String::from_utf8_lossy(array.as_binary::<i32>().value(row)).into(),
        DataType::LargeBinary => String::from_utf8_lossy(array.as_binary::<i64>().value(row)).into(),
        DataType::List(_) => list(&array.as_list::<i32>().value(row), depth)?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row), depth)?,
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            let cells = columns.map(|(field, array)| Ok((field.name().clone(), value(array, row, depth + 1)?)));
            Value::Object(cells.collect::<Result<_>>()?)
        }
        _ => array_value_to_string(array, row)?.into(),
    })
}

fn list(items: &ArrayRef, depth: usize) -> Result<Value> {
    let items = (0..items.len()).map(|item| value(items, item, depth + 1));
    items.collect::<Result<Vec<_>>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::builder::{ListBuilder, StringBuilder};
    use arrow_array::{Float64Array, Int32Array, LargeStringArray, StringArray, StructArray};
    use arrow_schema::Field;
    use parquet::arrow::ArrowWriter;
    use proptest::prelude::*;

    use super::*;

    fn written(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
        let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).expect("a schema");
        writer.write(&batch).expect("rows");
        writer.into_inner().expect("a footer")
    }

    fn sample() -> Vec<u8> {
        let mut tests = ListBuilder::new(StringBuilder::new());
        tests.append_value([Some("assert f()"), None]);
        tests.append_null();
        let names: ArrayRef = Arc::new(StringArray::from(vec!["f", "g"]));
        let inside = StructArray::from(vec![(Arc::new(Field::new("name", DataType::Utf8, true)), names)]);
        written(vec![
            ("task_id", Arc::new(Int32Array::from(vec![7, -1]))),
            (
                "prompt",
                Arc::new(LargeStringArray::from(vec![Some("gulls\r\n\"ü\""), None])),
            ),
            ("share", Arc::new(Float64Array::from(vec![0.5, f64::NAN]))),
            ("tests", Arc::new(tests.finish())),
            ("about", Arc::new(inside)),
        ])
    }

    #[test]
    fn rows_of_parquet_are_objects() {
        let file = sample();
        let text = text("rows.bin", &file).expect("a Parquet file");
        let rows: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let first = serde_json::json!({"task_id": 7, "prompt": "gulls\r\n\"ü\"", "share": 0.5,
            "tests": ["assert f()", null], "about": {"name": "f"}});
        let second = serde_json::json!({"task_id": -1, "prompt": null, "share": null, "tests": null,
            "about": {"name": "g"}});
        assert_eq!(rows, [first, second]);
    }

    #[test]
    fn cells_are_texts_under_the_names_of_the_first_line() {
        let rows = text("rows.csv", b"\xef\xbb\xbfid,text\n1,\"two\nlines, \"\"quoted\"\"\"\n").expect("a table");
        assert_eq!(rows, "{\"id\":\"1\",\"text\":\"two\\nlines, \\\"quoted\\\"\"}\n");
        assert_eq!(
            text("rows.tsv", b"id\ttext\n1\t,\n").expect("a table"),
            "{\"id\":\"1\",\"text\":\",\"}\n"
        );
        let error = text("rows.csv", b"id,text\n1\n").expect_err("a cell is missing");
        assert!(error.message().contains("not a table"), "{error}");
    }

    proptest! {
        #[test]
        fn damage_is_refused_or_read(place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut file = sample();
            prop_assert!(text("x", &file[..4 + cut.index(file.len() - 4)]).is_err());
            let at = place.index(file.len());
            file[at] = byte;
            let _read_or_refused = text("x", &file);
        }
    }
}
