//! The Map `parse` against workers in this process: an honest one, and one that dies over a marker.

use std::path::PathBuf;
use std::sync::Mutex;

use arrow_array::{Array, RecordBatch, StringArray};
use stackmill_schemas::context::{Batches, Homes, Interrupt, Progress, SideFiles};

use arrow_array::UInt64Array;
use arrow_schema::{DataType, Field};

use super::super::{DEFINITIONS, Worker};
use super::*;

struct Nothing;

impl Progress for Nothing {
    fn advance(&self, _files: u64, _bytes: u64) {}
}

impl Interrupt for Nothing {
    fn is_raised(&self) -> bool {
        false
    }
}

impl SideFiles for Nothing {
    fn shingles(&self, _home: u32) -> Result<Batches<'_>> {
        Err(Error::bug("no side files here"))
    }
}

/// Answers in this process; counts requests, and dies over every request that contains `marker`.
struct InProcess {
    marker: &'static str,
    calls: Mutex<u32>,
}

impl Isolate for InProcess {
    fn call(&self, request: &[u8]) -> Result<Answer> {
        *self.calls.lock().expect("one thread") += 1;
        let dies = !self.marker.is_empty() && memchr::memmem::find(request, self.marker.as_bytes()).is_some();
        match dies {
            true => Ok(Answer::Crashed("signal 6".to_owned())),
            false => Worker::default().answer(request).map(Answer::Done),
        }
    }
}

fn run(config: ParseConfig, marker: &'static str, files: &[(&str, &str)]) -> (FileBatch, u32) {
    let isolate = Arc::new(InProcess {
        marker,
        calls: Mutex::new(0),
    });
    let cx = TaskContext {
        progress: Arc::new(Nothing),
        interrupt: Arc::new(Nothing),
        isolate: isolate.clone(),
        side: Arc::new(Nothing),
        homes: Arc::new(Homes::default()),
        cache: PathBuf::new(),
    };
    let parse = Parse::new(config, FactSet::all()).expect("valid settings");
    let batch = batch(files);
    let promised = parse.schema(&batch.record().schema()).expect("columns fit");
    let parsed = parse.open(&cx).expect("opens").map(batch).expect("no bug");
    assert_eq!(parsed.record().schema(), promised);
    let calls = *isolate.calls.lock().expect("one thread");
    (parsed, calls)
}

fn batch(files: &[(&str, &str)]) -> FileBatch {
    let ids = UInt64Array::from_iter_values(0..files.len() as u64);
    let languages: StringArray = files.iter().map(|(language, _)| Some(*language)).collect();
    let texts: StringArray = files.iter().map(|(_, text)| Some(*text)).collect();
    let schema = Schema::new(vec![
        Field::new(columns::FILE_ID, DataType::UInt64, false),
        Field::new(columns::LANGUAGE, DataType::Utf8, true),
        Field::new(columns::CONTENT, DataType::Utf8, true),
    ]);
    let record = RecordBatch::try_new(
        Arc::new(schema),
        vec![Arc::new(ids), Arc::new(languages), Arc::new(texts)],
    );
    FileBatch::new(record.expect("columns of one length")).expect("ids")
}

fn definitions(batch: &FileBatch) -> Vec<Option<u64>> {
    let column = columns::u64s(batch.record(), DEFINITIONS).expect("added");
    (0..column.len())
        .map(|i| column.is_valid(i).then(|| column.value(i)))
        .collect()
}

const FILES: [(&str, &str); 4] = [
    ("Python", "def f():\n    pass\n"),
    ("Cobol", "MOVE A TO B."),
    ("Rust", "struct A; fn poison() {}\n"),
    ("JavaScript", "let a = 1;\n"),
];

#[test]
fn languages_with_a_grammar_get_columns() {
    let (batch, calls) = run(ParseConfig::default(), "", &FILES);
    assert_eq!(definitions(&batch), [Some(1), None, Some(2), Some(0)]);
    assert_eq!((batch.decisions().len(), calls), (0, 1));
}

#[test]
fn a_crash_costs_one_file() {
    let (batch, calls) = run(ParseConfig::default(), "poison", &FILES);
    assert_eq!(definitions(&batch), [Some(1), None, None, Some(0)]);
    assert_eq!(calls, 4, "one for all, then one for each of three");
    let [decision] = batch.decisions() else {
        panic!("{:?}", batch.decisions())
    };
    assert_eq!(
        (decision.stage.as_str(), decision.rule.as_str()),
        ("parse", "parser-crash")
    );
    assert_eq!((decision.file_id.0, decision.outcome), (2, Outcome::Failed));
    assert_eq!(decision.reason, Reason::trouble("signal 6"));
}

#[test]
fn a_file_over_its_steps_fails_with_both_numbers() {
    let config = ParseConfig {
        steps: 2,
        steps_per_kib: 0,
        ..ParseConfig::default()
    };
    let long = "x = [1, 2, 3]\n".repeat(100);
    let (batch, _) = run(config, "", &[("Python", &long), ("Python", "x = 1\n")]);
    assert_eq!(definitions(&batch), [None, Some(0)]);
    let [decision] = batch.decisions() else {
        panic!("{:?}", batch.decisions())
    };
    assert_eq!(
        (decision.rule.as_str(), &decision.reason),
        ("parse-budget", &Reason::measured(3u64, 2u64))
    );
}

#[test]
fn steps_inside_errors_have_a_limit_of_their_own() {
    let (broken, whole) = ("}".repeat(200_000), "f({ a: [1] })\n".repeat(20_000));
    let (batch, _) = run(
        ParseConfig::default(),
        "",
        &[("JavaScript", &broken), ("JavaScript", &whole)],
    );
    assert_eq!(definitions(&batch), [None, Some(0)]);
    let [decision] = batch.decisions() else {
        panic!("{:?}", batch.decisions())
    };
    assert_eq!(decision.reason, Reason::measured(501u64, 500u64));
}

#[test]
fn files_longer_than_max_bytes_are_not_parsed() {
    let config = ParseConfig {
        max_bytes: 6,
        ..ParseConfig::default()
    };
    let (batch, _) = run(config, "", &[("Python", "x = 1\n"), ("Python", "x = 12\n")]);
    assert_eq!(definitions(&batch), [Some(0), None]);
    assert!(batch.decisions().is_empty());
}

#[test]
fn requests_are_cut_by_bytes() {
    let half = "x = 1\n".repeat(REQUEST_BYTES / 12 + 1);
    let (batch, calls) = run(ParseConfig::default(), "", &[("Python", half.as_str()); 5]);
    assert_eq!((definitions(&batch).len(), calls), (5, 3));
}

/// Nested brackets, unclosed quotes and conflict markers end in a verdict, in bounded work.
#[test]
fn hostile_files_end() {
    let hostile = [
        ("Python", "[".repeat(20_000)),
        ("JavaScript", "(".repeat(20_000)),
        ("Rust", "{".repeat(20_000)),
        ("JavaScript", "`${".repeat(5_000)),
        ("JavaScript", "<a>".repeat(5_000)),
        ("Rust", "r#\"".repeat(5_000)),
        ("Python", "<<<<<<< \n".repeat(5_000)),
        ("Python", "\"\"\"f{".repeat(3_000)),
        ("Python", (0..600).map(|depth| " ".repeat(depth) + "if x:\n").collect()),
        ("Rust", "\u{0}\u{feff}\u{1f600}".repeat(2_000)),
    ];
    for (language, text) in &hostile {
        let (batch, _) = run(ParseConfig::default(), "", &[(language, text)]);
        assert_eq!(
            definitions(&batch)[0].is_some(),
            batch.decisions().is_empty(),
            "{language}: {}",
            &text[..9]
        );
    }
}

#[test]
fn nonsense_settings_and_columns_are_refused() {
    assert!(
        Parse::new(
            ParseConfig {
                steps: 0,
                ..ParseConfig::default()
            },
            FactSet::all()
        )
        .is_err()
    );
    assert!(
        Parse::new(
            ParseConfig {
                max_bytes: LARGEST + 1,
                ..ParseConfig::default()
            },
            FactSet::all()
        )
        .is_err()
    );
    let parse = Parse::new(ParseConfig::default(), FactSet::all()).expect("valid settings");
    let (parsed, _) = run(ParseConfig::default(), "", &FILES);
    assert!(
        parse.schema(&parsed.record().schema()).is_err(),
        "columns are only added"
    );
    assert!(parse.schema(&Schema::empty()).is_err());
}
