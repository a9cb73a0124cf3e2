//! Every grammar against honest and hostile files, in worker processes as a run has them.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{Array as _, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use stackmill::isolate::Workers;
use stackmill_filters::syntax::{FactSet, NODES, grammars};
use stackmill_filters::{Parse, ParseConfig};
use stackmill_schemas::context::{Batches, Homes, Interrupt, Progress, SideFiles};
use stackmill_schemas::stage::Map as _;
use stackmill_schemas::{Error, FileBatch, Result, TaskContext, columns};
use stackmill_tests::{Sandbox, Tree, program, root};

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

fn context() -> TaskContext {
    TaskContext {
        progress: Arc::new(Nothing),
        interrupt: Arc::new(Nothing),
        isolate: Arc::new(Workers::new(program())),
        side: Arc::new(Nothing),
        homes: Arc::new(Homes::default()),
        cache: PathBuf::new(),
    }
}

/// Path and text of each sample whose language has a grammar here.
fn samples() -> Vec<(String, String, String)> {
    let folder = root().join("filters/src/syntax/grammars/samples");
    let entries = fs::read_dir(folder).expect("the folder of samples");
    let mut samples: Vec<(String, String, String)> = entries
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let name = path
                .file_stem()
                .and_then(|name| name.to_str())
                .expect("a name in UTF-8")
                .to_owned();
            let language = name.rsplit_once('.').expect("an extension").0.to_owned();
            (language, name, fs::read_to_string(&path).expect("a sample in UTF-8"))
        })
        .filter(|(language, ..)| grammars().any(|grammar| grammar.language == language))
        .collect();
    samples.sort();
    samples
}

/// What hurts parsers, made of a program that does not.
fn hostile(text: &str) -> Vec<String> {
    let line = text.replace(['\n', '\t'], " ");
    let cuts = (1..6).filter_map(|part| text.get(..text.floor_char_boundary(text.len() * part / 6)));
    let nested = ["(", "[", "{", "<a>", "((()", "begin ", "\"${", "/*", "'", "- "];
    let indented = (0..800).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    let heredocs = format!("f({})\n", "<<A, ".repeat(300));
    nested
        .iter()
        .map(|open| open.repeat(5_000))
        .chain(cuts.map(str::to_owned))
        .chain([
            line.repeat((1 << 20) / line.len()),
            text.repeat(300_000 / text.len()),
            "\u{0}\u{feff}\u{1f600}\u{202e}".repeat(2_000),
            text.chars().rev().collect(),
            indented,
            heredocs,
            String::new(),
        ])
        .collect()
}

fn batch(language: &str, name: &str, texts: &[String]) -> FileBatch {
    let ids = UInt64Array::from_iter_values(0..texts.len() as u64);
    let same = |value: &str| StringArray::from_iter_values(texts.iter().map(|_| value));
    let schema = Schema::new(vec![
        Field::new(columns::FILE_ID, DataType::UInt64, false),
        Field::new(columns::PATH, DataType::Utf8, true),
        Field::new(columns::LANGUAGE, DataType::Utf8, true),
        Field::new(columns::CONTENT, DataType::Utf8, true),
    ]);
    let content = StringArray::from_iter_values(texts);
    let record = RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(ids),
            Arc::new(same(name)),
            Arc::new(same(language)),
            Arc::new(content),
        ],
    );
    FileBatch::new(record.expect("columns of one length")).expect("ids")
}

/// Each file ends with facts or with a verdict, whatever became of the worker, and the honest file after all of them
/// has its facts.
/// Mutation: parse in the test's own process, or answer `Err` where a worker dies.
#[test]
fn hostile_files_of_every_language_end() {
    let cx = context();
    let mut failed = Vec::new();
    for (language, name, text) in samples() {
        let mut texts = hostile(&text);
        texts.push(text);
        let parse = Parse::new(ParseConfig::default(), FactSet::all()).expect("valid settings");
        let parsed = parse
            .open(&cx)
            .expect("opens")
            .map(batch(&language, &name, &texts))
            .expect("no bug");
        let nodes = columns::u64s(parsed.record(), NODES).expect("added");
        for i in 0..texts.len() {
            let decided = parsed.decisions().iter().any(|decision| decision.file_id.0 == i as u64);
            assert!(nodes.is_valid(i) != decided, "{name}: file {i} has facts or a verdict");
        }
        assert!(nodes.is_valid(texts.len() - 1), "{name}: the honest file");
        let ends = |rule: &str| {
            parsed
                .decisions()
                .iter()
                .filter(|decision| decision.rule == rule)
                .count()
        };
        failed.push(format!(
            "{name}: {} over budget, {} crashed",
            ends("parse-budget"),
            ends("parser-crash")
        ));
    }
    let crashed = failed.iter().filter(|line| !line.ends_with(" 0 crashed")).count();
    assert!(
        crashed > 0,
        "nothing died, so nothing was survived:\n{}",
        failed.join("\n")
    );
}

/// Detection names languages as the grammars do, and the facts that a recipe asks for are in the corpus.
/// Mutation: write `Golang` for `Go` in any row.
#[test]
fn samples_are_detected_and_parsed() {
    let sandbox = Sandbox::new();
    let mut tree = Tree::of("");
    for (_, name, text) in samples() {
        tree = tree.with(&name, text);
    }
    tree.write(&sandbox.path("in"));
    let attributes = "*.v linguist-language=Verilog\n*.f90 linguist-language=Fortran\n";
    sandbox.write("in/.gitattributes", attributes);
    let columns = "columns = [\"nodes\", \"definitions\", \"calls\", \"comments\", \"definition-spans\"]";
    sandbox.write(
        "recipe.toml",
        format!("name = \"facts\"\n[[source]]\ndirectory = \"in\"\n[parse]\n{columns}\n"),
    );
    let data = sandbox.built("recipe.toml", &[]);
    let mut strangers = Vec::new();
    for row in data.rows("corpus") {
        let (path, language) = (row["path"].as_str().unwrap_or_default(), row["language"].as_str());
        if path == ".gitattributes" {
            assert!(row["syntax_nodes"].is_null(), "no grammar, no facts");
        } else if row["syntax_nodes"].as_u64().is_none_or(|nodes| nodes == 0) {
            strangers.push(format!("{path}: {language:?}"));
        }
    }
    assert_eq!(strangers, Vec::<String>::new());
    let python = data
        .rows("corpus")
        .into_iter()
        .find(|row| row["path"] == "Python.py")
        .expect("kept");
    assert_eq!(
        (&python["syntax_definitions"], &python["syntax_calls"]),
        (&2.into(), &2.into())
    );
    let first = &python["syntax_definition_spans"][0];
    let content = python["content"].as_str().expect("text").as_bytes();
    let place = |name: &str| first[name].as_u64().expect("a place") as usize;
    assert_eq!(first["kind"], "type");
    assert_eq!(&content[place("name_start")..place("name_end")], "Fläche".as_bytes());
    let json = data
        .rows("corpus")
        .into_iter()
        .find(|row| row["path"] == "JSON.json")
        .expect("kept");
    assert!(
        json["syntax_calls"].is_null() && json["syntax_definition_spans"].is_null(),
        "absent, not 0"
    );
}

/// Mutation: build the stage without looking at `redact`.
#[test]
fn places_and_redaction_do_not_go_together() {
    let sandbox = Sandbox::new();
    sandbox.write("in/a.py", "x = 1\n");
    let recipe = |columns: &str| {
        format!("name = \"a\"\n[[source]]\ndirectory = \"in\"\n[parse]\ncolumns = [\"{columns}\"]\n[redact]\n")
    };
    sandbox.write("recipe.toml", recipe("imports"));
    let ran = sandbox.stackmill(&["check", "recipe.toml"]).fails(3, "syntax_imports");
    ran.hints("[redact]");
    sandbox.write("recipe.toml", recipe("calls"));
    sandbox.stackmill(&["check", "recipe.toml"]).succeeds();
}
