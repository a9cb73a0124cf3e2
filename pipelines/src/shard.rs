//! Canonical Parquet: the same rows give the same bytes, however they came in batches.
//!
//! ```text
//!   incoming batches   ├──64──┼──────1000──────┼─17─┤          any sizes
//!   chunks             ├──256──┼──256──┼──…──┤                 counted from the shard's start: rows, or bytes
//!   row groups         ├── ≥ 64 MiB uncompressed ──┼── … ──┤   cut between chunks
//! ```
//! arrow-rs cuts pages by what each call brings, so rows are cut into chunks first. One thread, zstd-3, fixed
//! `created_by`; `content` is PLAIN (a dictionary never pays for whole files).

use arrow_array::cast::AsArray as _;
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, SchemaRef};
use arrow_select::concat::concat_batches;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use stackmill_schemas::manifest::FileEntry;
use stackmill_schemas::{Error, Result};

use crate::workdir::{NewFile, Workdir};

const CHUNK_ROWS: usize = 256;
const CHUNK_BYTES: usize = 8 << 20;
const GROUP_BYTES: usize = 64 << 20;
const GROUP_ROWS: usize = 1 << 20;

/// A published Parquet file being written.
pub struct ShardWriter {
    writer: ArrowWriter<NewFile>,
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    waiting_bytes: usize,
    group_rows: usize,
    group_bytes: usize,
    rows: u64,
}

impl ShardWriter {
    /// A new shard at `path` in the data set.
    pub fn create(workdir: &Workdir, path: &str, schema: &SchemaRef) -> Result<Self> {
        let writer = ArrowWriter::try_new(workdir.publish(path)?, schema.clone(), Some(properties()?))
            .map_err(|error| parquet_error(&error))?;
        let schema = schema.clone();
        let (waiting, waiting_rows, waiting_bytes) = (Vec::new(), 0, 0);
        Ok(Self {
            writer,
            schema,
            waiting,
            waiting_rows,
            waiting_bytes,
            group_rows: 0,
            group_bytes: 0,
            rows: 0,
        })
    }

    /// Rows written so far: the row number of the next one.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        let sizes = row_bytes(batch);
        let mut start = 0;
        for (row, size) in sizes.iter().enumerate() {
            self.waiting_rows += 1;
            self.waiting_bytes += size;
            if self.waiting_rows >= CHUNK_ROWS || self.waiting_bytes >= CHUNK_BYTES {
                self.waiting.push(batch.slice(start, row + 1 - start));
                start = row + 1;
                self.chunk()?;
            }
        }
        if start < batch.num_rows() {
            self.waiting.push(batch.slice(start, batch.num_rows() - start));
        }
        Ok(())
    }

    fn chunk(&mut self) -> Result<()> {
        if self.waiting_rows == 0 {
            return Ok(());
        }
        let chunk = concat_batches(&self.schema, &self.waiting)?;
        self.writer.write(&chunk).map_err(|error| parquet_error(&error))?;
        self.group_rows += self.waiting_rows;
        self.group_bytes += self.waiting_bytes;
        self.waiting.clear();
        (self.waiting_rows, self.waiting_bytes) = (0, 0);
        if self.group_bytes >= GROUP_BYTES || self.group_rows >= GROUP_ROWS {
            self.writer.flush().map_err(|error| parquet_error(&error))?;
            (self.group_rows, self.group_bytes) = (0, 0);
        }
        Ok(())
    }

    /// Completes the shard.
    pub fn commit(mut self) -> Result<FileEntry> {
        self.chunk()?;
        let file = self.writer.into_inner().map_err(|error| parquet_error(&error))?;
        Ok(FileEntry {
            rows: Some(self.rows),
            ..file.commit()?
        })
    }
}

/// Bytes of each row: what its variable-length values hold, plus a constant for the rest.
fn row_bytes(batch: &RecordBatch) -> Vec<usize> {
    let mut sizes = vec![64; batch.num_rows()];
    for column in batch.columns().iter().filter(|column| varies(column.data_type())) {
        for (row, size) in sizes.iter_mut().enumerate() {
            *size += value_bytes(column.as_ref(), row);
        }
    }
    sizes
}

/// Whether values of a type have lengths of their own.
fn varies(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::List(_) => true,
        DataType::Struct(fields) => fields.iter().any(|field| varies(field.data_type())),
        _ => false,
    }
}

/// Bytes of a value's texts and lists; an element of a list counts four, as in the token table.
fn value_bytes(column: &dyn Array, row: usize) -> usize {
    if let Some(texts) = column.as_string_opt::<i32>() {
        return texts.value_length(row) as usize;
    }
    if let Some(lists) = column.as_list_opt::<i32>() {
        let (start, end) = (
            lists.value_offsets()[row] as usize,
            lists.value_offsets()[row + 1] as usize,
        );
        let values = lists.values();
        let inner = (start..end).filter(|_| varies(values.data_type()));
        return 4 * (end - start) + inner.map(|at| value_bytes(values, at)).sum::<usize>();
    }
    let fields = column
        .as_struct_opt()
        .map(arrow_array::StructArray::columns)
        .unwrap_or_default();
    fields.iter().map(|field| value_bytes(field, row)).sum()
}

fn properties() -> Result<WriterProperties> {
    let level = ZstdLevel::try_new(3).map_err(|error| parquet_error(&error))?;
    let content = ColumnPath::from("content");
    Ok(WriterProperties::builder()
        .set_created_by("stackmill".to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(None)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_column_dictionary_enabled(content.clone(), false)
        .set_column_encoding(content.clone(), Encoding::PLAIN)
        .set_column_statistics_enabled(content, EnabledStatistics::None)
        .build())
}

/// Trouble of a disk is told as such.
pub fn parquet_error(error: &parquet::errors::ParquetError) -> Error {
    use std::error::Error as _;
    let io = error
        .source()
        .and_then(|source| source.downcast_ref::<std::io::Error>());
    match io {
        Some(io) => std::io::Error::new(io.kind(), io.to_string()).into(),
        None => Error::bug(format!("parquet: {error}")),
    }
}
