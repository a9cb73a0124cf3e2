//! Findings out of the corpus of an audit's run, a file at a time, and the flat table of them.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use serde::Serialize;
use stackmill_schemas::benchmark::Found;
use stackmill_schemas::{Error, Result, ResultExt as _, columns};

use crate::lock;
use crate::output::Output;
use crate::shard::parquet_error;
use crate::workdir::create_file;

/// Rows that are written at a time.
const ROWS: usize = 4096;
/// Rows that are read at a time: their contents are in memory.
const READ_ROWS: usize = 64;

/// One finding with its file.
#[derive(Clone, Debug, Serialize)]
pub struct Finding<'a> {
    /// The document: its id in a table that has ids, else `repository:path`.
    pub id: &'a str,
    /// The file's repository.
    pub repo_name: &'a str,
    /// The file's path in it.
    pub path: &'a str,
    /// The item's benchmark.
    pub benchmark: &'a str,
    /// The item.
    pub item: &'a str,
    /// The problem that it is, or was made from.
    pub family: &'a str,
    /// The field that was found.
    pub field: String,
    /// What kind of copy it is.
    pub tier: &'a str,
    /// Share of the field, 0 to 1.
    pub score: f64,
    /// First line that holds any of it, from 1.
    pub start_line: u64,
    /// Last line that holds any of it.
    pub end_line: u64,
    /// Git blob id of the file.
    pub blob_id: Option<&'a str>,
    /// The commit of the repository, or what stands for it.
    pub revision_id: Option<&'a str>,
    /// Linguist's name of the file's language.
    pub language: Option<&'a str>,
    /// SPDX expression of the file.
    pub license: Option<&'a str>,
    /// The commit that brought the file, where its history was read.
    pub first_commit: Option<&'a str>,
    /// When that commit was made, in seconds since 1970.
    pub first_commit_time: Option<i64>,
}

/// A file in which something was found.
#[derive(Debug)]
pub struct Row {
    batch: RecordBatch,
    at: usize,
    id: String,
    found: Vec<Found>,
}

impl Row {
    fn new(batch: &RecordBatch, at: usize, plain: &BTreeSet<String>) -> Result<Self> {
        let this = Self {
            batch: batch.slice(at, 1),
            at: 0,
            id: String::new(),
            found: Vec::new(),
        };
        let found = this.text(columns::FINDINGS).unwrap_or("[]");
        let found = serde_json::from_str(found).map_err(|error| Error::input(format!("no findings: {error}")))?;
        // A table's own id stands where the revision of others does.
        let id = match this.text(columns::REVISION_ID) {
            Some(own) if !plain.contains(own) => own.to_owned(),
            _ => format!("{}:{}", this.repo_name(), this.path()),
        };
        Ok(Self { id, found, ..this })
    }

    fn text(&self, name: &str) -> Option<&str> {
        let column: &StringArray = self.batch.column_by_name(name)?.as_string_opt()?;
        column.is_valid(self.at).then(|| column.value(self.at))
    }

    fn history(&self, field: &str) -> Option<&ArrayRef> {
        let history = self.batch.column_by_name(columns::HISTORY)?.as_struct_opt()?;
        let column = history.column_by_name(field)?;
        (history.is_valid(self.at) && column.is_valid(self.at)).then_some(column)
    }

    /// The document's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The file's repository.
    pub fn repo_name(&self) -> &str {
        self.text(columns::REPO_NAME).unwrap_or_default()
    }

    /// The file's path.
    pub fn path(&self) -> &str {
        self.text(columns::PATH).unwrap_or_default()
    }

    /// The file's text.
    pub fn content(&self) -> &str {
        self.text(columns::CONTENT).unwrap_or_default()
    }

    /// Everything that was found in it.
    pub fn findings(&self) -> impl Iterator<Item = Finding<'_>> {
        let first = self
            .history("first_commit")
            .and_then(|column| column.as_string_opt::<i32>());
        let time = self
            .history("first_time")
            .and_then(|column| column.as_primitive_opt::<Int64Type>());
        self.found.iter().map(move |found| Finding {
            id: &self.id,
            repo_name: self.repo_name(),
            path: self.path(),
            benchmark: &found.benchmark,
            item: &found.item,
            family: &found.family,
            field: found.field.to_string(),
            tier: &found.tier,
            score: found.score,
            start_line: found.start_line,
            end_line: found.end_line,
            blob_id: self.text(columns::BLOB_ID),
            revision_id: self.text(columns::REVISION_ID),
            language: self.text(columns::LANGUAGE),
            license: self.text(columns::LICENSE_EXPRESSION),
            first_commit: first.map(|column| column.value(self.at)),
            first_commit_time: time.map(|column| column.value(self.at)),
        })
    }
}

/// All files of the corpus of an audit's run, in order, one in memory with its neighbours.
pub struct Rows {
    data: Output,
    parts: std::vec::IntoIter<String>,
    reader: Option<ParquetRecordBatchReader>,
    batch: Option<RecordBatch>,
    at: usize,
    /// Revisions of the sources: a file with another one brought an id of its own.
    plain: BTreeSet<String>,
}

impl Rows {
    /// Of the data set of a run.
    pub fn open(data: &Output) -> Result<Self> {
        let lock = lock::read(data)?.ok_or_else(|| Error::bug("a run without a lock"))?;
        let parts: Vec<String> = data.files("corpus")?.into_iter().map(|(name, _)| name).collect();
        Ok(Self {
            data: data.clone(),
            parts: parts.into_iter(),
            reader: None,
            batch: None,
            at: 0,
            plain: lock.units.iter().map(|unit| unit.revision_id.clone()).collect(),
        })
    }

    fn part(&self, name: &str) -> Result<ParquetRecordBatchReader> {
        let uri = self.data.uri().join(name);
        let damaged = |error: parquet::errors::ParquetError| Error::input(format!("not a corpus: {error}"));
        let chunks = self.data.stores().chunks(&self.data.stores().head(&uri)?)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(chunks).map_err(damaged)?;
        builder.with_batch_size(READ_ROWS).build().map_err(damaged)
    }

    fn row(&mut self) -> Result<Option<Row>> {
        loop {
            if let Some(batch) = &self.batch
                && self.at < batch.num_rows()
            {
                self.at += 1;
                return Row::new(batch, self.at - 1, &self.plain).map(Some);
            }
            self.batch = match &mut self.reader {
                Some(reader) => reader.next().transpose()?,
                None => None,
            };
            self.at = 0;
            if self.batch.is_none() {
                let Some(name) = self.parts.next() else { return Ok(None) };
                self.reader = Some(self.part(&name).with_context(|| name.clone())?);
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        self.row().transpose()
    }
}

/// `findings.parquet` on its way.
pub struct FindingTable {
    writer: ArrowWriter<File>,
    texts: [Vec<Option<String>>; 13],
    numbers: [Vec<u64>; 2],
    scores: Vec<f64>,
    times: Vec<Option<i64>>,
}

const TEXTS: [(&str, bool); 13] = [
    ("id", false),
    ("repo_name", false),
    ("path", false),
    ("benchmark", false),
    ("item", false),
    ("family", false),
    ("field", false),
    ("tier", false),
    ("blob_id", true),
    ("revision_id", true),
    ("language", true),
    ("license", true),
    ("first_commit", true),
];

fn schema() -> SchemaRef {
    let texts = TEXTS
        .iter()
        .map(|(name, nullable)| Field::new(*name, DataType::Utf8, *nullable));
    let numbers = ["start_line", "end_line"].map(|name| Field::new(name, DataType::UInt64, false));
    let mut fields: Vec<Field> = texts.chain(numbers).collect();
    fields.push(Field::new("score", DataType::Float64, false));
    fields.push(Field::new("first_commit_time", DataType::Int64, true));
    Arc::new(Schema::new(fields))
}

impl FindingTable {
    /// A new table at `path`.
    pub fn create(path: &Path) -> Result<Self> {
        let file = create_file(path)?;
        let level = ZstdLevel::try_new(3).map_err(|error| Error::bug(error.to_string()))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_created_by("stackmill".to_owned());
        let writer =
            ArrowWriter::try_new(file, schema(), Some(properties.build())).map_err(|error| parquet_error(&error))?;
        Ok(Self {
            writer,
            texts: Default::default(),
            numbers: Default::default(),
            scores: Vec::new(),
            times: Vec::new(),
        })
    }

    /// One more row.
    pub fn add(&mut self, finding: &Finding<'_>) -> Result<()> {
        let field = finding.field.as_str();
        let needed = [
            finding.id,
            finding.repo_name,
            finding.path,
            finding.benchmark,
            finding.item,
            finding.family,
            field,
            finding.tier,
        ];
        let optional = [
            finding.blob_id,
            finding.revision_id,
            finding.language,
            finding.license,
            finding.first_commit,
        ];
        let texts = needed.into_iter().map(Some).chain(optional);
        for (column, text) in self.texts.iter_mut().zip(texts) {
            column.push(text.map(str::to_owned));
        }
        self.numbers[0].push(finding.start_line);
        self.numbers[1].push(finding.end_line);
        self.scores.push(finding.score);
        self.times.push(finding.first_commit_time);
        match self.scores.len() < ROWS {
            true => Ok(()),
            false => self.flush(),
        }
    }

    fn flush(&mut self) -> Result<()> {
        let texts = self.texts.iter_mut().map(std::mem::take);
        let mut arrays: Vec<ArrayRef> = texts
            .map(|texts| Arc::new(StringArray::from(texts)) as ArrayRef)
            .collect();
        for numbers in &mut self.numbers {
            arrays.push(Arc::new(UInt64Array::from(std::mem::take(numbers))));
        }
        arrays.push(Arc::new(Float64Array::from(std::mem::take(&mut self.scores))));
        arrays.push(Arc::new(Int64Array::from(std::mem::take(&mut self.times))));
        let batch = RecordBatch::try_new(schema(), arrays)?;
        self.writer.write(&batch).map_err(|error| parquet_error(&error))
    }

    /// Writes what is left, and the footer.
    pub fn finish(mut self) -> Result<()> {
        self.flush()?;
        self.writer.close().map(drop).map_err(|error| parquet_error(&error))
    }
}
