//! A table at hand as rows for the Maps: numbered like a listing, with contents; only contents are needed.
//!
//! ```text
//!   table      content (text or bytes) [path] [repo_name] [stars] …    + whatever else, left alone
//!   rows       file_id … trouble rank content                          content is the table's own buffer where it can be
//! ```

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{
    Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, GenericByteArray, RecordBatch, StringArray, UInt32Array,
    UInt64Array, new_null_array, types::ByteArrayType,
};
use arrow_buffer::{ArrowNativeType as _, OffsetBuffer, ScalarBuffer};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_ingest::sources::blob_id;
use stackmill_schemas::{Error, FileId, Result, ResultExt, columns};

use crate::passes::listing::{numbered_schema, rank_field, ranks};
use crate::stages::Stages;

/// A batch holds at most this many files, and this much content (8 MiB); a larger file is alone in its batch.
pub(super) const BATCH_ROWS: usize = 256;
const BATCH_BYTES: usize = 8 << 20;
/// Git's mode of an ordinary file.
const FILE_MODE: u32 = 0o100644;
/// The path of a file that has none: no name or ending that says anything, and not hostile.
const NO_PATH: &str = "-";

/// What the columns of a table are called.
#[derive(Clone, Debug)]
pub struct Names {
    /// The column of contents: text or bytes, in any of Arrow's layouts.
    pub content: String,
    /// The column of paths, which need not be there.
    pub path: String,
}

/// Makes rows of tables that belong together: they are numbered on from one to the next.
pub struct Rows<'a> {
    names: Names,
    stages: &'a Stages,
    next: FileId,
    identify: bool,
}

impl<'a> Rows<'a> {
    /// Rows from `first` on. `identify`: whether git blob ids are computed, which exact duplicates need.
    pub fn new(names: Names, stages: &'a Stages, first: FileId, identify: bool) -> Self {
        Self {
            names,
            stages,
            next: first,
            identify,
        }
    }

    /// The columns of rows.
    pub fn schema() -> SchemaRef {
        let mut fields = numbered_schema().fields().to_vec();
        fields.push(Arc::new(rank_field()));
        fields.push(Arc::new(Field::new(columns::CONTENT, DataType::Binary, true)));
        Arc::new(Schema::new(fields))
    }

    /// The rows of `table`, in order, in batches that the Maps can take.
    pub fn of(&mut self, table: &RecordBatch) -> Result<Vec<RecordBatch>> {
        let contents = table
            .column_by_name(&self.names.content)
            .ok_or_else(|| self.no_content(table))?;
        let mut batches = Vec::new();
        for start in (0..table.num_rows()).step_by(BATCH_ROWS) {
            let length = BATCH_ROWS.min(table.num_rows() - start);
            let content = bytes(&contents.slice(start, length)).with_context(|| self.names.content.clone())?;
            for (first, count) in cuts(&content) {
                let rows = table.slice(start + first, count);
                batches.push(self.batch(&rows, content.slice(first, count))?);
            }
        }
        Ok(batches)
    }

    fn no_content(&self, table: &RecordBatch) -> Error {
        let schema = table.schema();
        let there: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        Error::schema(format!("the table has no column `{}`", self.names.content)).hint(format!(
            "name the column of contents: content=\"…\"; there are {}",
            there.join(", ")
        ))
    }

    fn batch(&mut self, table: &RecordBatch, content: BinaryArray) -> Result<RecordBatch> {
        let listed = self.listed(table, &content)?;
        let ranks = ranks(self.stages, &listed)?;
        let mut arrays = listed.columns().to_vec();
        arrays.push(Arc::new(ranks));
        arrays.push(Arc::new(content));
        Ok(RecordBatch::try_new(Self::schema(), arrays)?)
    }

    fn listed(&mut self, table: &RecordBatch, content: &BinaryArray) -> Result<RecordBatch> {
        let rows = table.num_rows();
        let first = self.next;
        let last = u32::try_from(u64::from(first.row()) + rows as u64);
        let next =
            last.map_err(|_| Error::input("over 4 billion files").hint("work on a part of the table at a time"))?;
        self.next = FileId::new(first.split(), next);
        let schema = numbered_schema();
        let arrays = schema.fields().iter().map(|field| -> Result<ArrayRef> {
            Ok(match field.name().as_str() {
                columns::FILE_ID => Arc::new(UInt64Array::from_iter_values(first.0..first.0 + rows as u64)),
                columns::LENGTH_BYTES => Arc::new(lengths(content)),
                columns::BLOB_ID if self.identify => Arc::new(blob_ids(content)?),
                columns::BLOB_ID | columns::TROUBLE => new_null_array(field.data_type(), rows),
                columns::PATH => given(table, &self.names.path, field)?,
                name => given(table, name, field)?,
            })
        });
        let arrays = arrays.collect::<Result<_>>()?;
        Ok(RecordBatch::try_new(schema, arrays)?)
    }
}

/// Column `name` of the table as a listing has it; what is not there, or null, is empty, zero or null.
fn given(table: &RecordBatch, name: &str, field: &Field) -> Result<ArrayRef> {
    let rows = table.num_rows();
    let Some(column) = table.column_by_name(name) else {
        return Ok(absent(field, rows));
    };
    let column = cast(column, field.data_type()).map_err(|error| {
        Error::schema(format!("column `{name}`: {error}")).hint("rename it if it is something else")
    })?;
    if column.null_count() == 0 || field.is_nullable() && field.name() != columns::PATH {
        return Ok(column);
    }
    match column.as_string_opt::<i32>() {
        Some(texts) => {
            let empty = if field.name() == columns::PATH { NO_PATH } else { "" };
            let filled = texts.iter().map(|text| text.unwrap_or(empty));
            Ok(Arc::new(StringArray::from_iter_values(filled)))
        }
        None => Err(Error::schema(format!("column `{name}` has nulls"))),
    }
}

fn absent(field: &Field, rows: usize) -> ArrayRef {
    match field.name().as_str() {
        columns::MODE => Arc::new(UInt32Array::from_value(FILE_MODE, rows)),
        columns::PATH => Arc::new(StringArray::from_iter_values(std::iter::repeat_n(NO_PATH, rows))),
        _ if field.is_nullable() => new_null_array(field.data_type(), rows),
        _ => match field.data_type() {
            DataType::Utf8 => Arc::new(StringArray::from_iter_values(std::iter::repeat_n("", rows))),
            DataType::UInt32 => Arc::new(UInt32Array::from_value(0, rows)),
            _ => Arc::new(UInt64Array::from_value(0, rows)),
        },
    }
}

fn lengths(content: &BinaryArray) -> UInt64Array {
    content
        .offsets()
        .lengths()
        .map(|length| length as u64)
        .collect::<Vec<_>>()
        .into()
}

fn blob_ids(content: &BinaryArray) -> Result<FixedSizeBinaryArray> {
    let ids: Vec<Option<[u8; 20]>> = content
        .iter()
        .map(|bytes| bytes.map(|bytes| blob_id(bytes).map(|id| id.0)).transpose())
        .collect::<Result<_>>()?;
    Ok(FixedSizeBinaryArray::try_from_sparse_iter_with_size(
        ids.into_iter(),
        20,
    )?)
}

/// Runs of rows of at most [`BATCH_BYTES`]: first row and number.
fn cuts(content: &BinaryArray) -> Vec<(usize, usize)> {
    let (mut cuts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (row, length) in content.offsets().lengths().enumerate() {
        if row > start && bytes + length > BATCH_BYTES {
            cuts.push((start, row - start));
            (start, bytes) = (row, 0);
        }
        bytes += length;
    }
    if start < content.len() {
        cuts.push((start, content.len() - start));
    }
    cuts
}

/// Text or bytes in any layout as bytes; copied only where the layout has no run of bytes to point to.
pub(super) fn bytes(content: &ArrayRef) -> Result<BinaryArray> {
    Ok(match content.data_type() {
        DataType::Binary => content.as_binary::<i32>().clone(),
        DataType::Utf8 => content.as_string::<i32>().clone().into(),
        DataType::LargeBinary => rebased(content.as_binary::<i64>())?,
        DataType::LargeUtf8 => rebased(content.as_string::<i64>())?,
        DataType::Utf8View => bytes(&cast(content, &DataType::Utf8)?)?,
        DataType::BinaryView => bytes(&cast(content, &DataType::Binary)?)?,
        DataType::Dictionary(_, values) => bytes(&cast(content, values)?)?,
        DataType::Null => BinaryArray::new_null(content.len()),
        other => {
            return Err(Error::schema(format!("contents are {other}, neither text nor bytes"))
                .hint("name the column of contents: content=\"…\""));
        }
    })
}

/// The same bytes under offsets of 32 bits, which start anew.
fn rebased<T: ByteArrayType<Offset = i64>>(array: &GenericByteArray<T>) -> Result<BinaryArray> {
    let offsets = array.offsets();
    let (first, last) = (offsets[0].as_usize(), offsets[offsets.len() - 1].as_usize());
    let narrow = |offset: &i64| i32::try_from(offset.as_usize() - first);
    let narrow = offsets.iter().map(narrow).collect::<std::result::Result<Vec<_>, _>>();
    let narrow = narrow.map_err(|_| Error::input(format!("{BATCH_ROWS} files of together over 2 GiB")))?;
    let values = array.values().slice_with_length(first, last - first);
    let offsets = OffsetBuffer::new(ScalarBuffer::from(narrow));
    Ok(BinaryArray::try_new(offsets, values, array.nulls().cloned())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recipe;
    use arrow_array::{LargeStringArray, StringViewArray};

    fn names() -> Names {
        Names {
            content: "content".to_owned(),
            path: "path".to_owned(),
        }
    }

    fn stages() -> Stages {
        Recipe::of_stages(&serde_json::json!({}))
            .and_then(|recipe| Stages::build(&recipe))
            .expect("defaults")
    }

    fn rows_of(content: ArrayRef) -> Result<Vec<RecordBatch>> {
        let table = RecordBatch::try_from_iter([("content", content)]).expect("one column");
        Rows::new(names(), &stages(), FileId(0), true).of(&table)
    }

    #[test]
    fn layouts_of_text_are_the_same_bytes() {
        let texts = ["a", "", "fn f() {}"];
        let long: ArrayRef = Arc::new(LargeStringArray::from(vec!["gone", "a", "", "fn f() {}"]));
        let layouts: [ArrayRef; 4] = [
            Arc::new(StringArray::from(texts.to_vec())),
            Arc::new(StringViewArray::from(texts.to_vec())),
            Arc::new(BinaryArray::from(texts.map(str::as_bytes).to_vec())),
            long.slice(1, 3),
        ];
        for layout in layouts {
            let rows = rows_of(layout.clone()).expect("rows");
            let content = columns::binaries(&rows[0], columns::CONTENT).expect("bytes");
            let read: Vec<_> = content.iter().map(|bytes| bytes.expect("no null")).collect();
            assert_eq!(read, texts.map(str::as_bytes), "{}", layout.data_type());
        }
        assert!(rows_of(Arc::new(UInt32Array::from(vec![1]))).is_err());
    }

    #[test]
    fn text_is_not_copied() {
        let text = StringArray::from(vec!["one", "two"]);
        let rows = rows_of(Arc::new(text.clone())).expect("rows");
        let content = columns::binaries(&rows[0], columns::CONTENT).expect("bytes");
        assert_eq!(content.values().as_ptr(), text.values().as_ptr());
        let text = LargeStringArray::from(vec!["one", "two"]);
        let rows = rows_of(Arc::new(text.clone())).expect("rows");
        let content = columns::binaries(&rows[0], columns::CONTENT).expect("bytes");
        assert_eq!(content.values().as_ptr(), text.values().as_ptr());
    }

    #[test]
    fn batches_end_at_256_files_or_8_mib() {
        let sizes = |lengths: &[usize]| {
            let texts: Vec<String> = lengths.iter().map(|length| "x".repeat(*length)).collect();
            let rows = rows_of(Arc::new(StringArray::from(texts))).expect("rows");
            rows.iter().map(RecordBatch::num_rows).collect::<Vec<_>>()
        };
        assert_eq!(sizes(&[1; 257]), [256, 1]);
        assert_eq!(sizes(&[BATCH_BYTES, 1]), [1, 1]);
        assert_eq!(sizes(&[BATCH_BYTES - 1, 1, 1]), [2, 1]);
        assert!(sizes(&[]).is_empty());
    }

    #[test]
    fn blob_ids_are_those_of_git_and_numbers_go_on() {
        let table = RecordBatch::try_from_iter([
            ("content", Arc::new(StringArray::from(vec![""])) as ArrayRef),
            ("path", Arc::new(StringArray::from(vec![None::<&str>])) as ArrayRef),
        ])
        .expect("two columns");
        let stages = stages();
        let mut rows = Rows::new(names(), &stages, FileId::new(0, 7), true);
        rows.of(&table).expect("rows");
        let second = rows.of(&table).expect("rows").remove(0);
        let ids = columns::fixed(&second, columns::BLOB_ID).expect("ids");
        let empty = stackmill_schemas::ids::hex(ids.value(0));
        assert_eq!(empty, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        assert_eq!(columns::u64s(&second, columns::FILE_ID).expect("ids").value(0), 8);
        let mut rows = Rows::new(names(), &stages, FileId::new(0, u32::MAX), false);
        assert!(rows.of(&table).is_err(), "the number of the next row has 33 bits");
    }
}
