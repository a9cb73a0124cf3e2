//! Parquet and JSON-lines files that are cut short, bent, or hold rows without content.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use stackmill_tests::{Sandbox, sha256};

use super::{bad_rows, beside_good, told, unreadable};

/// A Parquet file of `rows` rows, some without content or path.
fn parquet_bytes(sandbox: &Sandbox, rows: usize) -> Vec<u8> {
    let content = (0..rows).map(|i| (i % 5 != 3).then(|| format!("value_{i} = \"{}\"\n", sha256(&i.to_le_bytes()))));
    let path = (0..rows).map(|i| (i % 7 != 6).then(|| format!("f{i}.py")));
    let columns: [(&str, ArrayRef); 2] = [
        ("content", Arc::new(content.collect::<StringArray>())),
        ("path", Arc::new(path.collect::<StringArray>())),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true)));
    write_parquet(sandbox, &batch.expect("columns of one length"))
}

fn write_parquet(sandbox: &Sandbox, batch: &RecordBatch) -> Vec<u8> {
    let place = sandbox.path("made.parquet");
    let mut writer =
        ArrowWriter::try_new(File::create(&place).expect("a place"), batch.schema(), None).expect("a writer");
    writer.write(batch).expect("a row group");
    writer.close().expect("a footer");
    std::fs::read(place).expect("it was just written")
}

/// Mutation: let a Parquet file without a footer end the run.
#[test]
fn parquet_that_cannot_be_read_is_one_row() {
    let mut troubles = Vec::new();
    for name in [
        "empty",
        "text",
        "cut short",
        "footer bent",
        "page bent",
        "no content column",
        "content is a number",
    ] {
        let sandbox = Sandbox::new();
        let mut bytes = parquet_bytes(&sandbox, 200);
        let end = bytes.len();
        match name {
            "empty" => bytes.clear(),
            "text" => bytes = b"not parquet\n".repeat(9),
            "cut short" => bytes.truncate(end / 2),
            "footer bent" => bytes[end - 40..end - 30].fill(0xff),
            "page bent" => bytes[300..900].fill(0xff),
            "no content column" => {
                let column: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
                bytes = write_parquet(
                    &sandbox,
                    &RecordBatch::try_from_iter([("body", column)]).expect("a column"),
                );
            }
            _ => {
                let column: ArrayRef = Arc::new(Int64Array::from(vec![1]));
                bytes = write_parquet(
                    &sandbox,
                    &RecordBatch::try_from_iter([("content", column)]).expect("a column"),
                );
            }
        }
        sandbox.write("bad.parquet", bytes);
        troubles.push(format!(
            "{name}: {}",
            unreadable(&beside_good(&sandbox, "parquet = \"bad.parquet\""))
        ));
    }
    insta::assert_snapshot!("unreadable_parquet", troubles.join("\n"));
}

/// Mutation: take a null content for an empty file.
#[test]
fn rows_without_content_are_rows_of_the_ledger() {
    let sandbox = Sandbox::new();
    sandbox.write("bad.parquet", parquet_bytes(&sandbox, 14));
    let data = beside_good(&sandbox, "parquet = \"bad.parquet\"");
    assert_eq!(bad_rows(&data).len(), 14);
    insta::assert_snapshot!("parquet_rows", told(&data));
}

const LINES: &str = r#"{"content": "first = 1\n", "path": "first.py"}
{"content": null, "path": "null.py"}
{"path": "missing.py"}
{"content": 7, "path": "number.py"}
{"content": ["a"], "path": "list.py"}
{"content": "x = 1\n"}
{"content": "y = 1\n", "path": "../up.py"}
{"content": "z = 1\n", "path": "/rooted.py"}
{"content": "half
[1, 2]
"text"

{"content": "\ud800 half a pair", "path": "surrogate.py"}
{"content": "stars = 1\n", "path": "stars.py", "stars": "many"}
{"content": "last = 1\n", "path": "last.py"}
"#;

/// Mutation: let a line that is no JSON end its file.
#[test]
fn odd_lines_are_rows_of_the_ledger() {
    let sandbox = Sandbox::new();
    let mut lines = LINES.as_bytes().to_vec();
    lines.extend(b"{\"content\": \"\xff\xfe\", \"path\": \"bytes.py\"}\n");
    lines.extend(format!("{{\"content\": \"{}\", \"path\": \"long.py\"}}\n", "x".repeat(5000)).bytes());
    lines.extend(
        format!(
            "{{\"content\": {}1{}, \"path\": \"deep.py\"}}\n",
            "[".repeat(2000),
            "]".repeat(2000)
        )
        .bytes(),
    );
    lines.extend(b"{\"content\": \"cut off he");
    sandbox.write("bad.jsonl", &lines);
    let data = beside_good(&sandbox, "jsonl = \"bad.jsonl\"\nmax-line-bytes = 4096");
    assert_eq!(
        (data.end("first.py"), data.end("last.py")),
        ("kept".to_owned(), "kept".to_owned())
    );
    insta::assert_snapshot!("json_lines", told(&data));
}

/// Mutation: treat the end of a damaged stream as the end of its file.
#[test]
fn compressed_lines_that_are_cut_short_are_not_half_read() {
    let text: String = (0..3000)
        .map(|i: u32| {
            format!(
                "{{\"content\": \"x = '{}'\", \"path\": \"{i}.py\"}}\n",
                sha256(&i.to_le_bytes())
            )
        })
        .collect();
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).expect("memory");
    encoder.include_checksum(true).expect("zstd knows checksums");
    encoder.write_all(text.as_bytes()).expect("memory");
    let zst = encoder.finish().expect("memory");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("memory");
    let gz = encoder.finish().expect("memory");
    let mut bent = zst.clone();
    bent[zst.len() / 2] ^= 0x55;
    let cases = [
        ("zst", zst[..zst.len() / 2].to_vec()),
        ("zst", bent),
        ("gz", gz[..gz.len() / 2].to_vec()),
        ("zst", Vec::new()),
    ];
    let mut troubles = Vec::new();
    for (ending, bytes) in cases {
        let sandbox = Sandbox::new();
        let empty = bytes.is_empty();
        sandbox.write(&format!("bad.jsonl.{ending}"), bytes);
        let data = beside_good(&sandbox, &format!("jsonl = \"bad.jsonl.{ending}\""));
        match empty && bad_rows(&data).is_empty() {
            true => troubles.push("empty: no rows".to_owned()),
            false => troubles.push(format!("{ending}: {}", unreadable(&data))),
        }
    }
    insta::assert_snapshot!("compressed_lines", troubles.join("\n"));
}

/// Mutation: stop watching the ratio of zstd streams.
#[test]
fn a_compressed_bomb_is_one_row() {
    let sandbox = Sandbox::new();
    let line = format!(
        "{{\"content\": \"{}\", \"path\": \"zeros.py\"}}\n",
        "0".repeat(60 << 20)
    );
    sandbox.write("bad.jsonl.zst", zstd::encode_all(line.as_bytes(), 1).expect("memory"));
    let trouble = unreadable(&beside_good(&sandbox, "jsonl = \"bad.jsonl.zst\""));
    assert!(trouble.contains("bomb"), "{trouble}");
}
