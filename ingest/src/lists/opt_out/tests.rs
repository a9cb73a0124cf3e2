//! What lists name, and which files that is.

use arrow_array::{ArrayRef, FixedSizeBinaryArray, RecordBatch, StringArray, UInt64Array};

use super::super::testing::tables;
use super::*;
use crate::store::Stores;

const BLOB: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

fn load(files: &[(&str, &str)]) -> Result<OptOut> {
    let folder = tempfile::tempdir().expect("a folder");
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let (tables, stores) = (&tables(folder.path(), &files), &Stores::default());
    OptOut::load(&OptOutConfig::default(), Place { tables, stores })
}

/// The rule and the line that a file is left out by; its blob is empty if `empty`.
fn fate(opt_out: &OptOut, repository: &str, path: &str, empty: bool) -> Option<String> {
    let id: Vec<u8> = match empty {
        true => (0..20)
            .map(|i| u8::from_str_radix(&BLOB[2 * i..2 * i + 2], 16).expect("digits"))
            .collect(),
        false => vec![7; 20],
    };
    let record = RecordBatch::try_from_iter([
        (columns::FILE_ID, Arc::new(UInt64Array::from(vec![0])) as ArrayRef),
        (columns::REPO_NAME, Arc::new(StringArray::from(vec![repository]))),
        (columns::PATH, Arc::new(StringArray::from(vec![path]))),
        (
            columns::BLOB_ID,
            Arc::new(FixedSizeBinaryArray::try_from_iter([id].into_iter()).expect("20 bytes")),
        ),
    ]);
    let batch = FileBatch::new(record.expect("columns of one length")).expect("ids");
    assert!(opt_out.schema(&batch.record().schema()).is_ok());
    let after = opt_out.clone().map(batch).expect("no bug");
    let decision = after.decisions().first()?;
    assert_eq!(
        (decision.stage.as_str(), decision.outcome),
        ("opt-out", Outcome::Dropped)
    );
    Some(format!("{}: {}", decision.rule, decision.because_text()?))
}

#[test]
fn users_repositories_paths_and_blobs_are_named_in_columns() {
    let csv = format!(
        "user,repository,path,blob_id\nAda,,,\n,bob/Tool,,\ncarl,thing,,\n,dora/app,src/Main.rs,\n,dora/app,docs/,\n,,secrets.env,\n,,,{}\n",
        BLOB.to_uppercase()
    );
    let opt_out = load(&[("a.csv", &csv)]).expect("a list");
    assert_eq!((opt_out.entries(), opt_out.bytes()), (7, 7 * 24));
    for (repository, path, empty, expected) in [
        ("ada/x", "y", false, Some("user: a.csv line 2")),
        ("ADA/x", "y", true, Some("user: a.csv line 2")),
        ("adam/x", "y", false, None),
        ("ada", "y", false, None),
        ("group/ada/x", "y", false, None),
        ("ada/group/x", "y", false, Some("user: a.csv line 2")),
        ("Bob/tool", "y", false, Some("repository: a.csv line 3")),
        ("bob/tools", "y", false, None),
        ("carl/thing", "y", false, Some("repository: a.csv line 4")),
        ("dora/app", "src/Main.rs", false, Some("path: a.csv line 5")),
        ("dora/app", "src/main.rs", false, None),
        ("dora/other", "src/Main.rs", false, None),
        ("DORA/app", "docs/a/b.md", false, Some("path: a.csv line 6")),
        ("dora/app", "docs", false, None),
        ("any/repo", "secrets.env", false, Some("path: a.csv line 7")),
        ("any/repo", "a/secrets.env", false, None),
        ("any/repo", "empty", true, Some("blob: a.csv line 8")),
    ] {
        assert_eq!(
            fate(&opt_out, repository, path, empty).as_deref(),
            expected,
            "{repository}:{path}"
        );
    }
}

#[test]
fn lines_of_text_are_told_apart() {
    let text = format!(
        "# who\n@ada\n\nhttps://host/bob/tool.git\ncarl/thing\ndora/app:src/a.rs\n{BLOB}\nhttps://host/erin\nhttps://host:8080/f/g\n"
    );
    let opt_out = load(&[("b.txt", &text)]).expect("a list");
    for (repository, path, empty, expected) in [
        ("ada/x", "y", false, Some("user: b.txt line 2")),
        ("bob/tool", "y", false, Some("repository: b.txt line 4")),
        ("carl/thing", "y", false, Some("repository: b.txt line 5")),
        ("dora/app", "src/a.rs", false, Some("path: b.txt line 6")),
        ("dora/app", "src/b.rs", false, None),
        ("x/y", "z", true, Some("blob: b.txt line 7")),
        ("erin/x", "y", false, Some("user: b.txt line 8")),
        ("f/g", "y", false, Some("repository: b.txt line 9")),
    ] {
        assert_eq!(
            fate(&opt_out, repository, path, empty).as_deref(),
            expected,
            "{repository}:{path}"
        );
    }
}

#[test]
fn the_first_list_that_names_something_is_told() {
    let opt_out = load(&[
        ("a.jsonl", "{\"owner\": \"ada\"}\n{\"user\": \"ADA\"}\n"),
        ("b.txt", "ada\nbob\n"),
    ])
    .expect("lists");
    assert_eq!(opt_out.entries(), 2);
    assert_eq!(
        fate(&opt_out, "ada/x", "y", false).as_deref(),
        Some("user: a.jsonl line 1")
    );
    assert_eq!(
        fate(&opt_out, "bob/x", "y", false).as_deref(),
        Some("user: b.txt line 2")
    );
}

#[test]
fn rows_that_name_nothing_are_refused() {
    for (name, text, words) in [
        ("a.csv", "user\nada\n\"\"\n", "names nothing"),
        ("a.csv", "name\nada\n", "names nothing"),
        ("a.csv", "blob_id\n1234\n", "no blob id"),
        ("a.csv", "user,path\nada,x\n", "of which repository"),
        ("a.jsonl", "[]\n", "not a JSON object"),
        ("a.doc", "", "does not say what it is"),
    ] {
        let error = load(&[(name, text)]).expect_err(words);
        assert!(error.to_string().contains(words), "{error}");
    }
    let most = OptOutConfig {
        max_bytes: 48,
        ..OptOutConfig::default()
    };
    assert!(fits(2, most.max_bytes).is_ok() && fits(3, most.max_bytes).is_err());
}
