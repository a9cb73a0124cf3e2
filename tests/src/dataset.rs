//! A published data set, read back with nothing but parquet, JSON and SHA-256.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use stackmill_schemas::manifest::{FunnelRow, Manifest};

/// One row of a table, by column.
pub type Row = BTreeMap<String, Value>;

/// A folder that `run` published into.
#[derive(Clone, Debug)]
pub struct Dataset {
    folder: PathBuf,
}

impl Dataset {
    /// The data set in `folder`.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// A path inside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Its manifest.
    pub fn manifest(&self) -> Manifest {
        let path = self.path("manifest.json");
        let bytes = fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// One of the manifest's totals.
    pub fn total(&self, name: &str) -> u64 {
        self.manifest().totals[name]
    }

    /// The funnel's line of a rule.
    pub fn funnel(&self, stage: &str, rule: &str) -> Option<FunnelRow> {
        self.manifest()
            .funnel
            .into_iter()
            .find(|row| row.stage == stage && row.rule == rule)
    }

    /// SHA-256 of every published file, the manifest among them; what is in the manifest is checked on the way.
    #[track_caller]
    pub fn hashes(&self) -> BTreeMap<String, String> {
        let hash = |name: &str| sha256(&fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}")));
        let mut hashes = BTreeMap::from([("manifest.json".to_owned(), hash("manifest.json"))]);
        for file in self.manifest().files {
            let found = hash(&file.path);
            assert_eq!(found, file.sha256, "{} is not what the manifest says", file.path);
            hashes.insert(file.path, found);
        }
        hashes
    }

    /// The shards of a table, in order.
    pub fn shards(&self, table: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path(table)).into_iter().flatten().flatten();
        let mut shards: Vec<_> = entries.map(|entry| entry.path()).collect();
        shards.sort();
        shards
    }

    /// Every row of a table.
    pub fn rows(&self, table: &str) -> Vec<Row> {
        self.shards(table).iter().flat_map(|shard| rows_of(shard)).collect()
    }

    /// Every row of one Parquet file.
    pub fn table_at(&self, name: &str) -> Vec<Row> {
        rows_of(&self.path(name))
    }

    /// The ledger's rows of a path, in any repository.
    #[track_caller]
    pub fn ledger(&self, path: &str) -> Vec<Row> {
        let rows: Vec<Row> = self
            .rows("ledger")
            .into_iter()
            .filter(|row| row["path"] == path)
            .collect();
        assert!(!rows.is_empty(), "`{path}` is not in the ledger");
        rows
    }

    /// The end of a file that is listed once: `kept`, or `dropped STAGE/RULE`, or `failed STAGE/RULE`.
    #[track_caller]
    pub fn end(&self, path: &str) -> String {
        let rows = self.ledger(path);
        assert_eq!(rows.len(), 1, "`{path}` is listed {} times", rows.len());
        end_of(&rows[0])
    }

    /// The ends of all files as `repository:path ─► end`, in the ledger's order.
    pub fn ends(&self) -> Vec<String> {
        let line = |row: &Row| format!("{}:{} {}", text(&row["repo_name"]), text(&row["path"]), end_of(row));
        self.rows("ledger").iter().map(line).collect()
    }

    /// The content of a kept file.
    #[track_caller]
    pub fn content(&self, path: &str) -> String {
        let rows = self.rows("corpus");
        let row = rows.iter().find(|row| row["path"] == path);
        text(&row.unwrap_or_else(|| panic!("`{path}` is not in the corpus"))["content"])
    }

    /// Asserts that no row vanished: manifest, ledger, corpus and funnel tell the same numbers.
    #[track_caller]
    pub fn adds_up(&self) {
        let manifest = self.manifest();
        let ledger = self.rows("ledger");
        let files = || ledger.iter().filter(|row| !row["path"].is_null());
        let count = |verdict: &str| files().filter(|row| row["verdict"] == verdict).count() as u64;
        for (total, verdict) in [("kept", "kept"), ("dropped", "dropped"), ("failed", "failed")] {
            assert_eq!(manifest.totals[total], count(verdict), "{total}");
        }
        assert_eq!(manifest.totals["listed"], files().count() as u64);
        assert_eq!(manifest.totals["kept"], self.rows("corpus").len() as u64);
        let lost: u64 = manifest.funnel.iter().map(|row| row.dropped + row.failed).sum();
        assert_eq!(lost, count("dropped") + count("failed"), "the funnel's sum");
        let corpus = self.rows("corpus");
        for row in ledger.iter().filter(|row| row["verdict"] == "kept") {
            let at = |name: &str| row[name].as_u64().expect("because kept files have a place");
            let shard = self.path(&format!("corpus/part-{:05}.parquet", at("shard")));
            assert!(shard.is_file(), "{} is missing", shard.display());
        }
        assert_eq!(
            corpus.iter().filter(|row| row["content"].is_null()).count(),
            0,
            "rows without content"
        );
    }
}

fn end_of(row: &Row) -> String {
    match row["verdict"].as_str() {
        Some("kept") => "kept".to_owned(),
        _ => format!(
            "{} {}/{}",
            text(&row["verdict"]),
            text(&row["stage"]),
            text(&row["rule"])
        ),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// SHA-256 in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    stackmill_schemas::ids::hex(&Sha256::digest(bytes))
}

fn rows_of(shard: &Path) -> Vec<Row> {
    let file = File::open(shard).unwrap_or_else(|error| panic!("{}: {error}", shard.display()));
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
    let reader = reader.unwrap_or_else(|error| panic!("{}: {error}", shard.display()));
    let batches = reader.map(|batch| batch.unwrap_or_else(|error| panic!("{}: {error}", shard.display())));
    batches
        .flat_map(|batch| {
            (0..batch.num_rows())
                .map(move |row| row_of(&batch, row))
                .collect::<Vec<_>>()
        })
        .collect()
}

fn row_of(batch: &RecordBatch, row: usize) -> Row {
    let schema = batch.schema();
    let named = schema.fields().iter().zip(batch.columns());
    named
        .map(|(field, column)| (field.name().clone(), value(column.as_ref(), row)))
        .collect()
}

fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Boolean => column.as_boolean().value(row).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).into(),
        DataType::Float64 => column.as_primitive::<Float64Type>().value(row).into(),
        DataType::List(_) => {
            let list = column.as_list::<i32>().value(row);
            (0..list.len()).map(|item| value(list.as_ref(), item)).collect()
        }
        DataType::Struct(fields) => {
            let parts = fields.iter().zip(column.as_struct().columns());
            parts
                .map(|(field, part)| (field.name().clone(), value(part.as_ref(), row)))
                .collect()
        }
        other => panic!("no published column has type {other}"),
    }
}
