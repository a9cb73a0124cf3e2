//! Rows in the published layouts, made up.

use std::sync::Arc;

use ::parquet::arrow::ArrowWriter;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{Array, ArrayRef, Int32Array, Int64Array, ListArray, RecordBatch, StringArray, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field};

use super::super::super::listing::blob_id;
use super::super::super::testing::{Listed, config, context, list_batch, read, rows, write};
use super::*;

type Both = (Listed, Result<Vec<u8>, String>);

/// Every row of `file`, read as `format`.
fn all(root: &std::path::Path, key: &str, file: &str, change: impl Fn(&mut SourceConfig)) -> Vec<Both> {
    let mut config = config(key, file);
    change(&mut config);
    let cx = context(root);
    let source = super::super::super::open(&config, root).expect("valid settings");
    let mut found = Vec::new();
    for unit in source.resolve(&cx).expect("resolved") {
        assert_eq!(unit.trouble, None);
        let batch = list_batch(source.as_ref(), &unit, &cx).expect("listed");
        found.extend(rows(&batch).into_iter().zip(read(source.as_ref(), &unit, &batch, &cx)));
    }
    found
}

fn jsonl(format: &str, lines: &str) -> Vec<Both> {
    let root = tempfile::tempdir().expect("tempdir");
    write(
        &root.path().join("a.jsonl.zst"),
        &zstd::encode_all(lines.as_bytes(), 3).expect("zstd"),
    );
    all(root.path(), "jsonl", "a.jsonl.zst", |config| {
        config.format = Some(format.to_owned());
    })
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("in memory");
    writer.close().expect("in memory");
    bytes
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Repository, path and content of rows that can be read.
fn files(found: &[Both]) -> Vec<(&str, &str, &str)> {
    found
        .iter()
        .filter_map(|(row, content)| {
            let content = std::str::from_utf8(content.as_ref().ok()?).ok()?;
            (row.mode != 0).then_some((row.repo_name.as_str(), row.path.as_str(), content))
        })
        .collect()
}

#[test]
fn codeparrot() {
    let lines = r#"{"repo_name": "o/n", "path": "a.py", "copies": "3", "size": "5", "content": "x = 1", "license": "mit", "hash": 1}
{"code": "y = 2", "repo_name": "o/n", "path": "b.py", "language": "Python", "license": "isc", "size": 5, "text": "no"}
"#;
    assert_eq!(
        files(&jsonl("codeparrot", lines)),
        [("o/n", "a.py", "x = 1"), ("o/n", "b.py", "y = 2")]
    );
}

#[test]
fn the_pile_passes_over_other_sets() {
    let lines = r#"{"text": "code", "meta": {"pile_set_name": "Github"}}
{"text": "prose", "meta": {"pile_set_name": "Pile-CC", "other": [1, {"pile_set_name": "Github"}]}}
{"text": "unknown"}
{"text": "odd", "meta": "Github"}
"#;
    let found = jsonl("the-pile", lines);
    assert_eq!(found.len(), 4);
    assert_eq!(files(&found), [("a.jsonl.zst", "row-0", "code")]);
    assert_eq!(found[1].0.trouble.as_deref(), Some("set `Pile-CC` is not wanted"));
    assert!(found[1..].iter().all(|(row, _)| row.mode == 0 && row.trouble.is_some()));
}

#[test]
fn roots_says_all_in_one_text() {
    let lines = r#"{"text": "int x;", "meta": "{'repo_name': 'o/n', 'path': \"it's.c\", 'license': 'gpl-3.0'}"}
{"text": "int y;", "meta": "{'repo_name': 'o\\'n', 'path': unquoted}"}
{"text": "int z;", "meta": "nothing"}
"#;
    assert_eq!(
        files(&jsonl("roots", lines)),
        [
            ("o/n", "it's.c", "int x;"),
            ("o'n", "row-1", "int y;"),
            ("a.jsonl.zst", "row-2", "int z;")
        ]
    );
}

#[test]
fn starcoderdata_is_read_without_what_stands_in_front() {
    let code = [
        "<reponame>o/n<filename>a.py<gh_stars>10-100\nx = 1\n",
        "<gh_stars>0\n<filename>\n",
        "# <reponame>o/n\ny",
        "<filename>no end",
        "z = 1\n<gh_stars>0\n",
    ];
    let columns = vec![
        ("max_stars_repo_path", texts(&["a", "b", "c", "d", "e"])),
        ("max_stars_repo_name", texts(&["o/n"; 5])),
        ("max_stars_count", Arc::new(Int64Array::from(vec![1; 5])) as ArrayRef),
        ("id", texts(&["1"; 5])),
        ("content", texts(&code)),
    ];
    let root = tempfile::tempdir().expect("tempdir");
    write(&root.path().join("a.parquet"), &parquet(columns));
    let found = all(root.path(), "parquet", "a.parquet", |config| {
        config.format = Some("starcoderdata".into());
    });
    let contents: Vec<_> = files(&found).into_iter().map(|(_, _, content)| content).collect();
    assert_eq!(contents, ["x = 1\n", "<filename>\n", code[2], code[3], code[4]]);
    assert_eq!(found[0].0.blob, blob_id(b"x = 1\n").ok().map(|blob| blob.to_string()));
}

#[test]
fn the_stack_v1_is_known_by_the_repository_with_most_stars() {
    let mut licenses = ListBuilder::new(StringBuilder::new());
    licenses.values().append_value("MIT");
    licenses.append(true);
    let columns = vec![
        ("max_issues_repo_path", texts(&["no"])),
        ("max_stars_repo_path", texts(&["a.c"])),
        ("max_stars_repo_name", texts(&["o/n"])),
        ("max_stars_repo_head_hexsha", texts(&["c0ffee"])),
        ("max_stars_repo_licenses", Arc::new(licenses.finish()) as ArrayRef),
        ("max_stars_count", Arc::new(Int64Array::from(vec![7])) as ArrayRef),
        ("text", texts(&["no"])),
        ("content", texts(&["int x;"])),
    ];
    let root = tempfile::tempdir().expect("tempdir");
    write(&root.path().join("a.parquet"), &parquet(columns));
    let found = all(root.path(), "parquet", "a.parquet", |config| {
        config.format = Some("the-stack-v1".into());
    });
    assert_eq!(files(&found), [("o/n", "a.c", "int x;")]);
}

/// Mutation: look for no column but that of contents.
#[test]
fn a_file_of_another_format_is_refused_with_the_column_that_is_missing() {
    let columns = vec![
        ("max_stars_repo_path", texts(&["a.c"])),
        ("max_stars_repo_name", texts(&["o/n"])),
        ("max_stars_repo_head_hexsha", texts(&["c0ffee"])),
        ("content", texts(&["int x;"])),
    ];
    let root = tempfile::tempdir().expect("tempdir");
    write(&root.path().join("a.parquet"), &parquet(columns));
    let refused = |format: &str, mapped: &[(&str, &str)]| {
        let mut config = config("parquet", "a.parquet");
        config.format = Some(format.to_owned());
        config.columns = mapped.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let cx = context(root.path());
        let source = super::super::super::open(&config, root.path()).expect("valid settings");
        let unit = source.resolve(&cx).expect("resolved").remove(0);
        let error = list_batch(source.as_ref(), &unit, &cx).err()?;
        Some(error.message().to_owned())
    };
    assert_eq!(refused("the-stack-v1", &[]), None, "all else may be missing");
    assert_eq!(refused("starcoderdata", &[]), None);
    for (format, column) in [("the-stack-v3", "file_path"), ("codeparrot", "path")] {
        let words = format!("there is no column `{column}`");
        let said = refused(format, &[]).unwrap_or_default();
        assert!(said.starts_with(&words), "{format}: {said}");
    }
    let mapped = [("path", "max_stars_repo_path"), ("repo_name", "max_stars_repo_name")];
    assert_eq!(refused("the-stack-v3", &mapped), None, "a recipe knows better");
}

/// A list with the structs of `fields` between the offsets.
fn list_of(fields: Vec<(&str, ArrayRef)>, lengths: &[usize]) -> ArrayRef {
    let fields = fields
        .into_iter()
        .map(|(name, array)| (Arc::new(Field::new(name, array.data_type().clone(), true)), array));
    let items = StructArray::from(fields.collect::<Vec<_>>());
    let field = Arc::new(Field::new("element", items.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths.iter().copied());
    Arc::new(ListArray::new(field, offsets, Arc::new(items), None))
}

#[test]
fn a_repository_of_the_stack_v3_is_all_of_its_files() {
    let mut licenses = ListBuilder::new(StringBuilder::new());
    for names in [&["MIT"][..], &[], &["ISC", "MIT"]] {
        names.iter().for_each(|name| licenses.values().append_value(name));
        licenses.append(true);
    }
    let fields = vec![
        ("content_id", texts(&["1", "2", "3"])),
        ("content", texts(&["a", "b", "c"])),
        ("file_path", texts(&["x/1.c", "2.c", "3.c"])),
        ("detected_licenses", Arc::new(licenses.finish()) as ArrayRef),
    ];
    let stars = Arc::new(Int32Array::from(vec![7, 8, 9]));
    let metadata = StructArray::from(vec![(
        Arc::new(Field::new("stars", DataType::Int32, true)),
        stars as ArrayRef,
    )]);
    let columns = vec![
        ("repo_path", texts(&["o/two", "o/none", "o/one"])),
        ("commit_id", texts(&["c0", "c1", "c2"])),
        ("github_metadata", Arc::new(metadata) as ArrayRef),
        ("files", list_of(fields, &[2, 0, 1])),
    ];
    let root = tempfile::tempdir().expect("tempdir");
    write(&root.path().join("a.parquet"), &parquet(columns));
    let found = all(root.path(), "parquet", "a.parquet", |config| {
        config.format = Some("the-stack-v3".into());
    });
    assert_eq!(
        files(&found),
        [("o/two", "x/1.c", "a"), ("o/two", "2.c", "b"), ("o/one", "3.c", "c")]
    );
    assert_eq!(found[2].0.trouble.as_deref(), Some("the repository lists no files"));
    assert_eq!(found[3].0.locator, 2 << 32);
}

#[test]
fn contents_of_the_stack_v2_are_brought_by_their_ids() {
    use std::io::Write as _;
    let root = tempfile::tempdir().expect("tempdir");
    let gzip = |content: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(content).expect("in memory");
        encoder.finish().expect("in memory")
    };
    let packed = gzip(b"packed");
    let stored: [(&str, &[u8], Vec<u8>); 6] = [
        ("aa", b"gzipped", gzip(b"gzipped")),
        ("bb", b"plain", b"plain".to_vec()),
        ("cc", &packed, packed.clone()),
        ("dd", b"other", gzip(b"OTHER")),
        ("ee", b"missing", Vec::new()),
        ("../ff", b"hostile", b"hostile".to_vec()),
    ];
    for (key, _, bytes) in &stored {
        if *key != "ee" {
            write(&root.path().join("content").join(key), bytes);
        }
    }
    let ids: Vec<String> = stored
        .iter()
        .map(|(_, content, _)| blob_id(content).expect("an id").to_string())
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let lengths = || stored.iter().map(|(_, content, _)| content.len() as i64);
    let keys: Vec<&str> = stored.iter().map(|(key, _, _)| *key).collect();
    let paths = ["a", "b", "c", "d", "e", "f"];
    let columns = |ids: &[&str]| {
        vec![
            ("blob_id", texts(&keys)),
            ("content_id", texts(ids)),
            ("length_bytes", Arc::new(lengths().collect::<Int64Array>()) as ArrayRef),
            ("path", texts(&paths)),
        ]
    };
    let mut flat = columns(&ids);
    flat.push(("repo_name", texts(&["o/n"; 6])));
    write(&root.path().join("flat.parquet"), &parquet(flat));
    let grouped = vec![("repo_name", texts(&["o/n"])), ("files", list_of(columns(&ids), &[6]))];
    write(&root.path().join("grouped.parquet"), &parquet(grouped));
    let settings = |config: &mut SourceConfig| {
        config.format = Some("the-stack-v2".into());
        config.contents = Some("content/{blob_id}".into());
    };
    let expected: [Result<&[u8], &str>; 6] = [
        Ok(b"gzipped"),
        Ok(b"plain"),
        Ok(&packed),
        Err("its content is not the listed one"),
        Err("its content is not where `contents` says"),
        Err("its id is not hexadecimal"),
    ];
    for file in ["flat.parquet", "grouped.parquet"] {
        let found = all(root.path(), "parquet", file, settings);
        let contents: Vec<_> = found
            .iter()
            .map(|(_, content)| content.as_deref().map_err(String::as_str))
            .collect();
        assert_eq!(contents, expected, "{file}");
        assert!(
            found
                .iter()
                .zip(&ids)
                .all(|((row, _), id)| row.blob.as_deref() == Some(*id)),
            "{file}"
        );
    }
    write(&root.path().join("bad.parquet"), &parquet(columns(&["not an id"; 6])));
    let found = all(root.path(), "parquet", "bad.parquet", settings);
    assert!(
        found[0]
            .0
            .trouble
            .as_deref()
            .is_some_and(|words| words.contains("does not tell its id"))
    );
}

#[test]
fn rows_without_a_list_of_events_are_trouble() {
    let found = jsonl(
        "github-issues",
        r#"{"repo": "o/n", "issue_number": 1, "events": [{"author": "a", "comment": "x", "title": "t"}]}
{"repo": "o/n", "issue_number": 2, "events": "[{\"author\": \"a\", \"comment\": \"y\"}]"}
{"repo": "o/n", "issue_number": 3, "events": "[{"}
{"repo": "o/n", "issue_number": 4, "events": 7}
{"repo": "o/n", "issue_number": 5, "events": null}
{"repo": "o/n", "issue_number": 6, "events": [{"author": 7}]}
{"repo": "o/n", "issue_number": 7}"#,
    );
    let read = [
        ("o/n", "issues/1", "<issue_start>Title: t\nusername_0: x"),
        ("o/n", "issues/2", "<issue_start>Title: \nusername_0: y"),
    ];
    assert_eq!(files(&found), read);
    let troubles: Vec<&str> = found.iter().filter_map(|(row, _)| row.trouble.as_deref()).collect();
    assert_eq!(troubles.len(), 5, "{troubles:?}");
    let broken = parquet(vec![
        ("events", texts(&["[]", "[7]"])),
        ("issue_number", texts(&["1", "2"])),
    ]);
    let root = tempfile::tempdir().expect("tempdir");
    write(&root.path().join("a.parquet"), &broken);
    let found = all(root.path(), "parquet", "a.parquet", |config| {
        config.format = Some("github-issues".to_owned());
    });
    assert_eq!(found[0].1.as_deref(), Ok(&b"<issue_start>Title: "[..]));
    assert!(
        found[1]
            .0
            .trouble
            .as_deref()
            .is_some_and(|trouble| trouble.contains("no list of objects"))
    );
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    let refused = |change: fn(&mut SourceConfig)| {
        let mut config = config("jsonl", "x");
        change(&mut config);
        let error = super::super::super::open(&config, std::path::Path::new("."))
            .err()
            .expect("refused");
        assert!(error.hint_text().is_some(), "{error}");
        error.message().to_owned()
    };
    assert!(refused(|c| c.format = Some("the-stack".into())).contains("no format `the-stack`"));
    assert!(refused(|c| c.format = Some("the-stack-v2".into())).contains("do not go together"));
    assert!(refused(|c| c.contents = Some("x/{blob_id}".into())).contains("do not go together"));
    assert!(refused(|c| c.sets = vec!["Github".into()]).contains("has no `sets`"));
    assert!(
        refused(|c| (c.format, c.contents) = (Some("the-stack-v2".into()), Some("x".into()))).contains("does not name")
    );
    assert!(refused(|c| c.conversation = Some(Conversation::default())).contains("has no `conversation`"));
    assert!(
        refused(|c| (c.format, c.change) = (Some("github-issues".into()), Some(Change::default())))
            .contains("has no `change`")
    );
    assert!(
        refused(|c| {
            c.format = Some("github-issues".into());
            c.conversation = Some(Conversation {
                lines: 19,
                ..Conversation::default()
            });
        })
        .contains("`conversation.lines` is 19")
    );
}
