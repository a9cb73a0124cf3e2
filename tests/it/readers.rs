//! Other people's readers agree with us about every table.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::Command;
use std::sync::OnceLock;

use polars::prelude::{Column, ParquetReader, SerReader as _};
use serde_json::Value;
use stackmill_tests::{Dataset, Sandbox, python, sha256};

use crate::real;

/// The table's column that is compared value by value.
const TABLES: [(&str, &str); 4] = [
    ("corpus", "content"),
    ("ledger", "path"),
    ("clusters", "cluster_id"),
    ("tokens", "input_ids"),
];

/// Rows of a table, and SHA-256 over all values of one column: texts as they are, numbers in decimal, each behind its
/// length or followed by a comma.
type Told = BTreeMap<String, (u64, String)>;

struct Published {
    sandbox: Sandbox,
    told: Told,
}

impl Published {
    fn data(&self) -> Dataset {
        self.sandbox.dataset("out")
    }
}

fn published() -> &'static Published {
    static PUBLISHED: OnceLock<Published> = OnceLock::new();
    PUBLISHED.get_or_init(|| {
        let sandbox = Sandbox::new();
        let data = sandbox.built(&real::small_recipe(), &[]);
        let told = TABLES.map(|(table, column)| {
            let rows = data.rows(table);
            let mut bytes = Vec::new();
            rows.iter().for_each(|row| spell(&row[column], &mut bytes));
            (table.to_owned(), (rows.len() as u64, sha256(&bytes)))
        });
        Published {
            told: BTreeMap::from(told),
            sandbox,
        }
    })
}

fn spell(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::String(text) => out.extend(format!("{}:{text}", text.len()).bytes()),
        Value::Array(numbers) => numbers
            .iter()
            .for_each(|number| out.extend(format!("{number},").bytes())),
        other => out.extend(format!("{other};").bytes()),
    }
}

/// Runs a script that prints what it read as JSON: `{table: [rows, sha256]}`.
fn told_by(script: &str) -> Told {
    let sandbox = &published().sandbox;
    let mut command = Command::new(python());
    command
        .arg("-c")
        .arg(format!("{SPELL}\n{script}"))
        .arg(published().data().path(""))
        .current_dir(sandbox.path(""));
    command
        .env("HOME", sandbox.path("home"))
        .env("HF_HOME", sandbox.path("home/hf"));
    command.envs([
        ("HF_HUB_OFFLINE", "1"),
        ("HF_DATASETS_OFFLINE", "1"),
        ("HF_HUB_DISABLE_TELEMETRY", "1"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
    ]);
    let ran = sandbox.wait(&mut command);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    let last = ran.stdout.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

/// The same spelling, in Python.
const SPELL: &str = r#"
import hashlib, json, os, sys
out = sys.argv[1]
tables = {"corpus": "content", "ledger": "path", "clusters": "cluster_id", "tokens": "input_ids"}
def spell(value):
    if isinstance(value, str):
        value = value.encode()
        return b"%d:%s" % (len(value), value)
    if value is None:
        return b"null;"
    return b"".join(b"%d," % number for number in value)
def tell(values):
    values = list(values)
    return [len(values), hashlib.sha256(b"".join(map(spell, values))).hexdigest()]
"#;

/// Mutation: write lists with an element name or a nullability that the reader refuses, or Parquet pages it cannot read.
#[test]
fn pyarrow_agrees() {
    let script = r#"
import pyarrow.parquet as pq
told = {}
for table, column in tables.items():
    folder = os.path.join(out, table)
    for name in sorted(os.listdir(folder)):
        pq.ParquetFile(os.path.join(folder, name), page_checksum_verification=True).read()
    told[table] = tell(pq.read_table(folder).column(column).to_pylist())
print(json.dumps(told))
"#;
    assert_eq!(told_by(script), published().told);
}

/// Mutation: break the data card's front matter, or give shards of one table different columns.
#[test]
fn hugging_face_datasets_agree() {
    let script = r#"
import glob
from datasets import load_dataset
told, cards = {}, {}
for table, column in tables.items():
    files = sorted(glob.glob(os.path.join(out, table, "*.parquet")))
    told[table] = tell(load_dataset("parquet", data_files=files, split="train")[column])
    cards[table] = tell(load_dataset(out, table, split="train")[column])
assert told == cards, (told, cards)
assert load_dataset(out, split="train").num_rows == told["corpus"][0], "corpus is the default"
print(json.dumps(told))
"#;
    assert_eq!(told_by(script), published().told);
}

/// A reader of its own make, in Rust.
/// Mutation: write dictionaries or page versions that only arrow-rs reads.
#[test]
fn polars_agrees() {
    let data = published().data();
    let told = TABLES.map(|(table, column)| {
        let (mut rows, mut bytes) = (0, Vec::new());
        for shard in data.shards(table) {
            let file = File::open(&shard).expect("a shard");
            let frame = ParquetReader::new(file)
                .finish()
                .unwrap_or_else(|error| panic!("{}: {error}", shard.display()));
            rows += frame.height() as u64;
            spell_column(frame.column(column).expect("a column"), &mut bytes);
        }
        (table.to_owned(), (rows, sha256(&bytes)))
    });
    assert_eq!(BTreeMap::from(told), published().told);
}

fn spell_column(column: &Column, out: &mut Vec<u8>) {
    let series = column.as_materialized_series();
    if let Ok(texts) = series.str() {
        texts
            .iter()
            .for_each(|text| spell(&text.map_or(Value::Null, Value::from), out));
        return;
    }
    for row in 0..series.len() {
        let numbers = series
            .list()
            .expect("texts or lists")
            .get_as_series(row)
            .expect("no null lists");
        let values = numbers.i32().expect("lists of Int32").iter().map(Value::from);
        spell(&values.collect(), out);
    }
}

/// Training code looks a file up by the provenance of a token range.
/// Mutation: number `docs.row` within the chunk instead of the shard.
#[test]
fn provenance_leads_to_the_file() {
    let script = r#"
import pyarrow.parquet as pq
tokens = pq.read_table(os.path.join(out, "tokens")).to_pylist()
lengths = {}
for row in tokens:
    assert row["cu_seqlens"][0] == 0 and row["cu_seqlens"][-1] == len(row["input_ids"])
    for doc in row["docs"]:
        key = (doc["shard"], doc["row"])
        lengths[key] = lengths.get(key, 0) + doc["end"] - doc["start"]
ledger = [row for row in pq.read_table(os.path.join(out, "ledger")).to_pylist() if row["verdict"] == "kept"]
assert set(lengths) == {(row["shard"], row["row"]) for row in ledger}
for row in ledger:
    shard = pq.read_table(os.path.join(out, "corpus", "part-%05d.parquet" % row["shard"]), columns=["path", "content"])
    assert shard["path"][row["row"]].as_py() == row["path"]
    count, text = lengths[(row["shard"], row["row"])], shard["content"][row["row"]].as_py()
    assert count <= len(text.encode()) + 1, (row["path"], count)
print(json.dumps({"tokens": [len(tokens), ""]}))
"#;
    assert_eq!(told_by(script)["tokens"].0, published().told["tokens"].0);
}
