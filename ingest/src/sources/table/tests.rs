//! Tables made by arrow and by hand.

use std::io::Write;
use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use ::parquet::basic::Compression;
use ::parquet::file::properties::WriterProperties;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, LargeStringArray, RecordBatch, StringArray,
};
use stackmill_schemas::{Error, columns};

use super::super::SourceConfig;
use super::super::listing::blob_id;
use super::super::testing::{Listed, config, context, list, list_batch, opened, read, rows, write};
use super::*;

/// A Parquet file with `rows` rows a row group.
fn parquet_of(columns: Vec<(&str, ArrayRef)>, rows: usize) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(rows))
        .set_compression(Compression::SNAPPY);
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), Some(properties.build())).expect("a writer");
    writer.write(&batch).expect("in memory");
    writer.close().expect("in memory");
    bytes
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// A row as it is listed and as it is read.
type Both = (Listed, Result<Vec<u8>, String>);

/// Every row of every unit, in order.
fn all(root: &Path, config: &SourceConfig) -> Result<Vec<Both>> {
    let cx = context(root);
    let source = super::super::open(config, root)?;
    let mut found = Vec::new();
    for unit in source.resolve(&cx)? {
        if let Some(trouble) = unit.trouble {
            return Err(Error::input(trouble));
        }
        let batch = list_batch(source.as_ref(), &unit, &cx)?;
        found.extend(rows(&batch).into_iter().zip(read(source.as_ref(), &unit, &batch, &cx)));
    }
    Ok(found)
}

fn file(name: &str, content: &[u8]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("tempdir");
    write(&root.path().join(name), content);
    root
}

#[test]
fn row_groups_are_units_and_rows_keep_their_order() {
    let code: Vec<String> = (0..1000).map(|i| format!("print({i})\n").repeat(1 + i % 7)).collect();
    let code: Vec<&str> = code.iter().map(String::as_str).collect();
    let root = file("t.parquet", &parquet_of(vec![("content", texts(&code))], 300));
    let (source, units) = opened(root.path(), "parquet", "t.parquet");
    let names: Vec<_> = units
        .iter()
        .map(|unit| (unit.repo_name.as_str(), unit.location.as_str()))
        .collect();
    assert_eq!(
        names,
        [
            ("t.parquet#0", "t.parquet#0"),
            ("t.parquet#1", "t.parquet#1"),
            ("t.parquet#2", "t.parquet#2"),
            ("t.parquet#3", "t.parquet#3")
        ]
    );
    assert!(
        units
            .iter()
            .all(|unit| unit.length_bytes > 0 && unit.revision_id.len() == 64)
    );
    let found = all(root.path(), &config("parquet", "t.parquet")).expect("readable");
    for (i, (row, content)) in found.iter().enumerate() {
        assert_eq!(
            (row.path.clone(), row.repo_name.as_str()),
            (format!("row-{i}"), "t.parquet")
        );
        assert_eq!(
            (row.locator >> 32, content.as_deref()),
            (i as u64 % 300, Ok(code[i].as_bytes()))
        );
        assert_eq!(row.blob, blob_id(code[i].as_bytes()).ok().map(|id| id.to_string()));
    }
    // Only some rows, out of order, one of them twice.
    let cx = context(root.path());
    let batch = list_batch(source.as_ref(), &units[1], &cx).expect("listed");
    let some = [299, 7, 0, 7, 256].map(|i| batch.slice(i, 1));
    let some = arrow_select::concat::concat_batches(&batch.schema(), &some).expect("one schema");
    let renumbered = renumber(&some);
    let expected: Vec<_> = [599, 307, 300, 307, 556]
        .iter()
        .map(|&i: &usize| Ok(code[i].as_bytes().to_vec()))
        .collect();
    assert_eq!(read(source.as_ref(), &units[1], &renumbered, &cx), expected);
}

fn renumber(batch: &RecordBatch) -> RecordBatch {
    let mut arrays = batch.columns().to_vec();
    arrays[0] = Arc::new(arrow_array::UInt64Array::from_iter_values(0..batch.num_rows() as u64));
    RecordBatch::try_new(batch.schema(), arrays).expect("the same columns")
}

#[test]
fn columns_in_common_use_are_found() {
    let mut licenses = ListBuilder::new(StringBuilder::new());
    licenses.append_value([Some("MIT"), Some("ISC")]);
    licenses.append_value([None::<&str>; 0]);
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("code", Arc::new(BinaryArray::from_iter_values([&b"\xff1"[..], b"2"]))),
        (
            "max_stars_repo_path",
            Arc::new(LargeStringArray::from_iter_values(["/src/a.py", "b.py"])),
        ),
        ("max_stars_repo_name", texts(&["o/n", "o/m"])),
        ("max_stars_repo_head_hexsha", texts(&["c0ffee", ""])),
        ("max_stars_count", Arc::new(Float64Array::from(vec![Some(12.0), None]))),
        ("max_forks_count", Arc::new(Int64Array::from(vec![None, Some(-1)]))),
        ("max_stars_repo_licenses", Arc::new(licenses.finish())),
        ("unused", Arc::new(BooleanArray::from(vec![true, false]))),
    ];
    let root = file("t.parquet", &parquet_of(columns, 10));
    let (source, units) = opened(root.path(), "parquet", "t.parquet");
    let batch = list_batch(source.as_ref(), &units[0], &context(root.path())).expect("listed");
    let listed = rows(&batch);
    assert_eq!(
        (listed[0].path.as_str(), listed[0].repo_name.as_str()),
        ("src/a.py", "o/n")
    );
    let text = |name, i| columns::strings(&batch, name).expect("text").value(i).to_owned();
    assert_eq!(text(columns::REVISION_ID, 0), "c0ffee");
    let whole = |name, i| {
        let array = columns::i64s(&batch, name).expect("numbers");
        arrow_array::Array::is_valid(array, i).then(|| array.value(i))
    };
    assert_eq!((whole(columns::STARS, 0), whole(columns::STARS, 1)), (Some(12), None));
    assert_eq!((whole(columns::FORKS, 0), whole(columns::FORKS, 1)), (None, Some(-1)));
    assert_eq!(
        read(source.as_ref(), &units[0], &batch, &context(root.path()))[0],
        Ok(b"\xff1".to_vec())
    );
}

#[test]
fn wrong_columns_say_which_and_where() {
    let numbers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
    let root = file(
        "t.parquet",
        &parquet_of(vec![("content", numbers.clone()), ("text", texts(&["x"]))], 10),
    );
    let mut config = config("parquet", "t.parquet");
    let error = all(root.path(), &config).expect_err("a number").to_string();
    assert!(
        error.contains("`content`") && error.contains("Int64") && error.contains("t.parquet") && error.contains("hint"),
        "{error}"
    );
    config.columns = [("content".to_owned(), "text".to_owned())].into();
    assert_eq!(all(root.path(), &config).expect("mapped")[0].1, Ok(b"x".to_vec()));
    config.columns.insert("stars".into(), "stargazers".into());
    assert!(
        all(root.path(), &config)
            .expect_err("missing")
            .to_string()
            .contains("`stargazers`")
    );
    let root = file(
        "t.parquet",
        &parquet_of(vec![("content", texts(&["x"])), ("stars", texts(&["many"]))], 10),
    );
    config.columns.clear();
    assert!(
        all(root.path(), &config)
            .expect_err("text")
            .to_string()
            .contains("`stars`")
    );
    config.columns.insert("stars".into(), String::new());
    assert!(all(root.path(), &config).is_ok());
}

#[test]
fn rows_without_content_are_trouble() {
    let content: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), None, Some("")]));
    let root = file("t.parquet", &parquet_of(vec![("content", content)], 10));
    let found = all(root.path(), &config("parquet", "t.parquet")).expect("readable");
    let troubles: Vec<_> = found
        .iter()
        .map(|(row, content)| (row.trouble.as_deref(), content.is_ok()))
        .collect();
    assert_eq!(troubles, [(None, true), (Some("no content"), false), (None, true)]);
}

#[test]
fn parquet_files_that_are_cut_or_changed_are_errors_of_the_input() {
    let whole = parquet_of(vec![("content", texts(&["x", "y", "z"]))], 10);
    for end in [0, 4, 11, 12, whole.len() / 2, whole.len() - 1] {
        let root = file("t.parquet", &whole[..end]);
        let (_, units) = opened(root.path(), "parquet", "t.parquet");
        assert!(
            units[0]
                .trouble
                .as_deref()
                .is_some_and(|trouble| trouble.contains("cut short")),
            "{end}"
        );
        assert_eq!(units[0].location, "t.parquet");
    }
    let root = file("t.parquet", &whole);
    let (source, units) = opened(root.path(), "parquet", "t.parquet");
    let cx = context(root.path());
    write(
        &root.path().join("t.parquet"),
        &parquet_of(vec![("content", texts(&["x", "y", "w"]))], 10),
    );
    assert!(
        list(source.as_ref(), &units[0], &cx)
            .expect_err("changed")
            .message()
            .contains("changed since the lock")
    );
    write(&root.path().join("t.parquet"), &whole[..whole.len() - 1]);
    assert_eq!(
        list(source.as_ref(), &units[0], &cx).expect_err("cut").kind(),
        stackmill_schemas::ErrorKind::Input
    );
}

#[test]
fn no_flipped_byte_of_a_parquet_file_makes_the_reader_panic() {
    let code = ["fn a() {}", "fn b() {}", "fn a() {}"].map(|text| text.repeat(20));
    let code: Vec<&str> = code.iter().map(String::as_str).collect();
    let whole = parquet_of(vec![("content", texts(&code)), ("path", texts(&["a", "b", "c"]))], 2);
    let root = file("t.parquet", &whole);
    for at in 0..whole.len() {
        for bit in [0x01, 0x80] {
            let mut flipped = whole.clone();
            flipped[at] ^= bit;
            write(&root.path().join("t.parquet"), &flipped);
            let _ = all(root.path(), &config("parquet", "t.parquet"));
        }
    }
}

const LINES: &str = r#"{"content": "one\n", "path": "a", "stars": 3, "license": ["MIT"], "extra": {"deep": [1, [2]]}}

{"text": "two", "content": "TWO", "repo_name": "o/n"}
not json
{"content": 7}
{"content": null}
{"path": "x"}
[1, 2]
{"content": "a"} trailing
{"content": "\ud800"}
{"content": "last", "stars": 1.5}
{"content": "é", "content": "again", "stars": 2.0}"#;

#[test]
fn lines_are_rows_and_broken_ones_are_trouble() {
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let zst = zstd::encode_all(LINES.as_bytes(), 3).expect("in memory");
    for (name, stored) in [
        ("t.jsonl", LINES.as_bytes().to_vec()),
        ("t.jsonl.gz", gzip(LINES.as_bytes())),
        ("t.jsonl.zst", zst),
    ] {
        let root = file(name, &stored);
        let found = all(root.path(), &config("jsonl", name)).expect("readable");
        let locators: Vec<u64> = found.iter().map(|(row, _)| row.locator >> 32).collect();
        assert_eq!(locators, [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
        let contents: Vec<Option<&[u8]>> = found.iter().map(|(_, content)| content.as_deref().ok()).collect();
        let mut expected = [None; 11];
        (expected[0], expected[1], expected[10]) = (Some(&b"one\n"[..]), Some(&b"TWO"[..]), Some(&b"again"[..]));
        assert_eq!(contents, expected);
        for ((row, content), words) in found.iter().skip(2).zip([
            "not a JSON object",
            "`content` (content) is a number",
            "no content",
            "no content",
            "not a JSON object",
            "not one JSON object",
            "not a JSON object",
            "`stars` (stars) is a fraction",
        ]) {
            assert!(
                row.trouble.as_deref().is_some_and(|trouble| trouble.contains(words)),
                "{row:?}"
            );
            assert!(content.is_err());
        }
        assert_eq!((found[0].0.path.as_str(), found[0].0.repo_name.as_str()), ("a", name));
        assert_eq!(
            (found[1].0.path.as_str(), found[1].0.repo_name.as_str()),
            ("row-2", "o/n")
        );
    }
}

#[test]
fn long_lines_are_passed_over() {
    let line = |length: usize| format!("{{\"content\":\"{}\"}}", "x".repeat(length - 14));
    let root = file(
        "t.jsonl",
        [line(99), line(100), line(101), line(200_000), line(50)]
            .join("\n")
            .as_bytes(),
    );
    let mut config = config("jsonl", "t.jsonl");
    config.max_line_bytes = 100;
    let found = all(root.path(), &config).expect("readable");
    let troubles: Vec<_> = found
        .iter()
        .map(|(row, content)| (row.trouble.as_deref(), content.is_ok()))
        .collect();
    let long = (Some("the line is longer than 100 bytes"), false);
    assert_eq!(troubles, [(None, true), (None, true), long, long, (None, true)]);
    config.max_entry_bytes = 85;
    let found = all(root.path(), &config).expect("readable");
    assert_eq!(found[1].1, Err("longer than 85 bytes".into()));
    assert!(found[0].1.is_ok());
}

#[test]
fn json_lines_that_are_cut_or_changed_are_errors_of_the_input() {
    let zst = zstd::encode_all(LINES.as_bytes(), 3).expect("in memory");
    let root = file("t.jsonl", &zst[..zst.len() - 5]);
    assert!(all(root.path(), &config("jsonl", "t.jsonl")).is_err());
    write(
        &root.path().join("t.jsonl"),
        b"{\"content\":\"a\"}\n{\"content\":\"b\"}\n",
    );
    let (source, units) = opened(root.path(), "jsonl", "t.jsonl");
    let cx = context(root.path());
    let batch = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
    write(&root.path().join("t.jsonl"), b"{\"content\":\"A\"}\n");
    assert!(
        list(source.as_ref(), &units[0], &cx)
            .expect_err("changed")
            .message()
            .contains("changed since the lock")
    );
    let contents = read(source.as_ref(), &units[0], &batch, &cx);
    assert_eq!(
        contents,
        [
            Err("its content is not the listed one".into()),
            Err("the file has no such row".into())
        ]
    );
    assert!(
        super::super::open(&config("jsonl", "missing.jsonl"), root.path())
            .and_then(|s| s.resolve(&cx))
            .is_err()
    );
}
