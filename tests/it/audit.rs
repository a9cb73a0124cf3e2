//! `stackmill audit`: planted items of a made-up benchmark are found wherever corpora are, and everything written agrees.

use std::collections::BTreeSet;
use std::fs;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use stackmill_tests::{Ran, Sandbox, Tree, git, root};

const BENCHMARK: &str = "examples/invented/benchmark.jsonl";

/// Rows of the made-up benchmark.
fn problems() -> Vec<Value> {
    let text = fs::read_to_string(root().join(BENCHMARK)).expect("the repository has it");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// The whole of a problem: prompt and solution.
fn leak(number: usize) -> String {
    let problem = &problems()[number];
    let part = |name: &str| problem[name].as_str().expect("a text").to_owned();
    part("prompt") + &part("canonical_solution")
}

/// A folder with two planted files and some others; one of the others would break a careless page.
fn corpus(sandbox: &Sandbox) {
    let mut tree = Tree::default()
        .with("leak.py", format!("import os\n\n\n{}", leak(0)))
        .with("deep/other.py", format!("\"\"\"</script><b>\"\"\"\n{}", leak(1)))
        .with("broken.bin", vec![0, 159, 146, 150]);
    for number in 0..20 {
        tree = tree.with(
            format!("clean{number}.py"),
            format!("def clean{number}():\n    return {number}\n"),
        );
    }
    tree.write(&sandbox.path("corpus"));
}

fn audit(sandbox: &Sandbox, inputs: &[&str], more: &[&str]) -> Ran {
    let benchmark = format!("humaneval={}", root().join(BENCHMARK).display());
    let fixed = [
        "--out",
        "audit",
        "--benchmark",
        &benchmark,
        "--threads",
        "2",
        "--replace",
    ];
    sandbox.stackmill(&[&["audit"], inputs, &fixed, more].concat())
}

fn findings(sandbox: &Sandbox) -> Vec<Value> {
    let text = fs::read_to_string(sandbox.path("audit/findings.jsonl")).expect("an audit");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn items(findings: &[Value], key: &str) -> BTreeSet<String> {
    findings
        .iter()
        .map(|row| row[key].as_str().expect("a text").to_owned())
        .collect()
}

/// Mutation: leave the last row out of a table, or `<` as it is in the page.
#[test]
fn tables_page_and_summary_agree() {
    let sandbox = Sandbox::new();
    corpus(&sandbox);
    let text = format!("humaneval={}", root().join(BENCHMARK).display());
    audit(&sandbox, &["corpus"], &["--text", &text]).succeeds();
    let found = findings(&sandbox);
    assert_eq!(
        items(&found, "path"),
        BTreeSet::from(["deep/other.py", "leak.py"].map(str::to_owned))
    );
    assert_eq!(
        items(&found, "id"),
        BTreeSet::from(["corpus:deep/other.py", "corpus:leak.py"].map(str::to_owned))
    );
    let ids: Vec<String> = problems()
        .iter()
        .map(|row| row["task_id"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(items(&found, "item"), BTreeSet::from([ids[0].clone(), ids[1].clone()]));
    let lines = |row: &Value| {
        (
            row["start_line"].as_u64().unwrap_or(0),
            row["end_line"].as_u64().unwrap_or(0),
        )
    };
    let in_leak = found.iter().filter(|row| row["path"] == "leak.py").map(lines);
    let long = leak(0).lines().count() as u64 + 3;
    assert!(
        in_leak
            .clone()
            .all(|(start, end)| 4 <= start && start <= end && end <= long),
        "{:?}",
        in_leak.collect::<Vec<_>>()
    );

    let file = File::open(sandbox.path("audit/findings.parquet")).expect("an audit");
    let table = ParquetRecordBatchReaderBuilder::try_new(file).expect("Parquet");
    assert_eq!(table.metadata().file_metadata().num_rows(), found.len() as i64);
    let sarif: Value =
        serde_json::from_slice(&fs::read(sandbox.path("audit/findings.sarif")).expect("an audit")).expect("JSON");
    let results = sarif["runs"][0]["results"].as_array().expect("results");
    assert_eq!((sarif["version"].as_str(), results.len()), (Some("2.1.0"), found.len()));
    let summary: Value =
        serde_json::from_slice(&fs::read(sandbox.path("audit/summary.json")).expect("an audit")).expect("JSON");
    assert_eq!(
        (&summary["files"], &summary["files_with_copies"]),
        (&23.into(), &2.into())
    );
    assert_eq!(
        (&summary["benchmarks"][0]["leaked"], &summary["benchmarks"][0]["items"]),
        (&2.into(), &ids.len().into())
    );
    let clean = || fs::read_to_string(sandbox.path("audit/clean/humaneval.txt")).expect("an audit");
    assert_eq!(clean(), "", "no item is clean");

    let page = fs::read_to_string(sandbox.path("audit/audit.html")).expect("an audit");
    assert!(page.contains("\\u003c/script>\\u003cb>"), "text of the corpus is data");
    assert_eq!(page.matches("</script>").count(), 1, "and ends no script");
    assert!(page.contains("harbour master"), "the benchmark's text stands beside it");
    let data = sandbox.dataset("audit/dataset");
    data.adds_up();
    assert_eq!(data.end("clean3.py"), "dropped decontaminate/no-finding");

    fs::remove_file(sandbox.path("corpus/leak.py")).expect("it is there");
    audit(&sandbox, &["corpus"], &[]).succeeds();
    assert_eq!(clean(), format!("{}\n", ids[0]));
}

/// Mutation: sort findings by what threads did first.
#[test]
fn the_same_is_found_whatever_the_threads() {
    let sandbox = Sandbox::new();
    corpus(&sandbox);
    let bytes = |threads: &str| {
        let benchmark = format!("humaneval={}", root().join(BENCHMARK).display());
        let arguments = [
            "audit",
            "corpus",
            "--out",
            threads,
            "--benchmark",
            &benchmark,
            "--threads",
            threads,
        ];
        sandbox.stackmill(&arguments).succeeds();
        [
            "findings.jsonl",
            "findings.parquet",
            "findings.sarif",
            "summary.json",
            "audit.html",
        ]
        .map(|name| fs::read(sandbox.path(format!("{threads}/{name}"))).expect("an audit"))
    };
    assert!(bytes("1") == bytes("3"));
}

/// Mutation: give `--deny` the exit code of an error, or let it see tiers that it does not name.
#[test]
fn denied_tiers_have_an_exit_code() {
    let sandbox = Sandbox::new();
    corpus(&sandbox);
    assert_eq!(audit(&sandbox, &["corpus"], &["--deny"]).code, Some(8));
    assert_eq!(audit(&sandbox, &["corpus"], &["--deny", "too_short"]).code, Some(0));
    sandbox.write("other/a.py", "def a():\n    return 1\n");
    assert_eq!(audit(&sandbox, &["other"], &["--deny"]).code, Some(0));
    audit(&sandbox, &["corpus"], &["--deny", "verbatum"])
        .fails(3, "no tier `verbatum`")
        .hints("too_short");
}

/// Generations, prompts and whatever else has a column of text.
/// Mutation: name documents of tables after their files.
#[test]
fn tables_keep_their_ids() {
    let sandbox = Sandbox::new();
    let row = |id: &str, text: &str| serde_json::json!({"id": id, "completion": text, "number": id.len()}).to_string();
    let table = [
        row("first", "def nothing(): pass"),
        row("second", &leak(0)),
        row("third", &leak(1)),
    ]
    .join("\n");
    sandbox.write("generations.jsonl", table);
    audit(&sandbox, &["generations.jsonl"], &["--content", "completion"]).succeeds();
    assert_eq!(
        items(&findings(&sandbox), "id"),
        BTreeSet::from(["second", "third"].map(str::to_owned))
    );
    let table = ["one", "two"]
        .map(|own| serde_json::json!({"key": own, "text": leak(1)}).to_string())
        .join("\n");
    sandbox.write("others.jsonl", table);
    audit(&sandbox, &["others.jsonl"], &["--id", "key"]).succeeds();
    assert_eq!(
        items(&findings(&sandbox), "id"),
        BTreeSet::from(["one", "two"].map(str::to_owned))
    );
    audit(&sandbox, &["others.jsonl"], &[]).succeeds();
    assert!(
        items(&findings(&sandbox), "id")
            .iter()
            .all(|id| id.starts_with("others.jsonl:"))
    );
}

/// A Parquet file of columns of text.
fn parquet(path: &Path, columns: &[(&str, &[&str])]) {
    let arrays = columns
        .iter()
        .map(|(name, values)| (*name, Arc::new(StringArray::from(values.to_vec())) as ArrayRef));
    let batch = RecordBatch::try_from_iter(arrays).expect("columns of one length");
    let file = File::create(path).expect("a sandbox can be written");
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).expect("a schema");
    writer.write(&batch).expect("rows");
    writer.close().expect("a footer");
}

/// Mutation: take ids for text alone, or ask every Parquet file for ids.
#[test]
fn ids_may_be_numbers_or_not_there() {
    let sandbox = Sandbox::new();
    let numbers = [7, 8].map(|own| serde_json::json!({"id": own, "text": leak(1)}).to_string());
    sandbox.write("numbers.jsonl", numbers.join("\n"));
    audit(&sandbox, &["numbers.jsonl"], &[]).succeeds();
    assert_eq!(
        items(&findings(&sandbox), "id"),
        BTreeSet::from(["7", "8"].map(str::to_owned))
    );
    let text = leak(1);
    parquet(
        &sandbox.path("named.parquet"),
        &[("id", &["seven"]), ("text", &[&text])],
    );
    parquet(&sandbox.path("nameless.parquet"), &[("text", &[&text])]);
    audit(&sandbox, &["named.parquet"], &[]).succeeds();
    assert_eq!(items(&findings(&sandbox), "id"), BTreeSet::from(["seven".to_owned()]));
    audit(&sandbox, &["nameless.parquet"], &[]).succeeds();
    assert!(
        items(&findings(&sandbox), "id")
            .iter()
            .all(|id| id.starts_with("nameless.parquet:"))
    );
    audit(&sandbox, &["nameless.parquet"], &["--id", "id"]).fails(7, "no column `id`");
}

/// A leak that was taken back is in the history, with the commit that brought it.
/// Mutation: read the last revision alone.
#[test]
fn histories_say_since_when() {
    let sandbox = Sandbox::new();
    let folder = sandbox.path("repository");
    let first = Tree::default().with("leak.py", leak(0)).commit(&folder, false);
    let clean = "def nothing():\n    pass\n";
    let stream = format!(
        "commit refs/heads/main\ncommitter A <a@example.invalid> 1700000001 +0000\ndata 1\nx\nfrom {first}\n\
        M 100644 inline leak.py\ndata {}\n{clean}\n",
        clean.len()
    );
    git(&folder, &["fast-import", "--quiet"], stream.as_bytes());
    audit(&sandbox, &["repository"], &[]).succeeds();
    assert!(findings(&sandbox).is_empty());
    audit(&sandbox, &["repository"], &["--history"]).succeeds();
    let found = findings(&sandbox);
    assert_eq!(items(&found, "first_commit"), BTreeSet::from([first]));
    assert!(found.iter().all(|row| row["first_commit_time"].is_i64()));
}

/// Mutation: leave out what had findings, or what an audit with other benchmarks found clean.
#[test]
fn what_was_clean_is_not_read_again() {
    let sandbox = Sandbox::new();
    let (one, two) = (sandbox.path("one"), sandbox.path("two"));
    let tree = |more: &str| {
        Tree::default()
            .with("leak.py", leak(0))
            .with("clean.py", "def nothing():\n    pass\n")
            .with("image.bin", vec![0, 159, 146, 150])
            .with(more, leak(1))
    };
    tree("a.py").commit(&one, false);
    tree("deep/b.py").with("fresh.py", "x = 1\n").commit(&two, false);
    let audit = |out: &str, inputs: &[&str], more: &[&str]| {
        let benchmark = format!("humaneval={}", root().join(BENCHMARK).display());
        let fixed = ["--out", out, "--benchmark", &benchmark, "--json"];
        sandbox.stackmill(&[&["audit"], inputs, &fixed, more].concat())
    };
    let summary = |ran: Ran| serde_json::from_str::<Value>(&ran.succeeds().stdout).expect("JSON");
    summary(audit("first", &["one"], &[]));
    let clean = summary(audit("again", &["one", "two"], &[]));
    let known = summary(audit("second", &["one", "two"], &["--previous", "first"]));
    assert_eq!((&clean["files_known"], &known["files_known"]), (&0.into(), &4.into()));
    assert_eq!((&clean["files"], &known["files"]), (&9.into(), &9.into()));
    let table = |out: &str| fs::read_to_string(sandbox.path(format!("{out}/findings.jsonl"))).expect("an audit");
    assert_eq!(table("again"), table("second"));
    assert_eq!(known["findings"], clean["findings"]);
    // What was known then is known for good.
    let third = summary(audit("third", &["one", "two"], &["--previous", "second"]));
    assert_eq!((&third["files_known"], table("third")), (&5.into(), table("again")));
    audit("fourth", &["two"], &["--previous", "nowhere"])
        .fails(4, "nowhere")
        .hints("finished audit");
    audit("fourth", &["two"], &["--previous", "first", "--benchmark", "mbpp"])
        .fails(4, "other packs")
        .hints("--benchmark");
}

/// A benchmark of anybody's, in two files: a mapping says what its columns are.
/// Mutation: let the second file's pack overwrite the first's.
#[test]
fn columns_of_a_benchmark_may_be_mapped() {
    let sandbox = Sandbox::new();
    corpus(&sandbox);
    let mapping = "name = 'ours'\nid = 'key'\nlanguage = 'Python'\n[fields]\nsolution = 'task + answer'\n";
    sandbox.write("ours.toml", mapping);
    let part = |number: usize, name: &str| problems()[number][name].as_str().expect("a text").to_owned();
    let (task, answer) = (part(0, "prompt"), part(0, "canonical_solution"));
    let columns = [("key", &["first"][..]), ("task", &[&task]), ("answer", &[&answer])];
    parquet(&sandbox.path("one.parquet"), &columns);
    let quoted = |text: String| format!("\"{}\"", text.replace('"', "\"\""));
    let row = [quoted(part(1, "prompt")), quoted(part(1, "canonical_solution"))].join(",");
    sandbox.write("two.csv", format!("key,task,answer\nsecond,{row}\n"));
    let both = ["one.parquet", "two.csv"].map(|file| format!("ours.toml={file}"));
    let words = [
        "audit",
        "corpus",
        "--out",
        "audit",
        "--benchmark",
        &both[0],
        "--benchmark",
        &both[1],
    ];
    sandbox.stackmill(&words).succeeds();
    let found = findings(&sandbox);
    assert_eq!(items(&found, "benchmark"), BTreeSet::from(["ours".to_owned()]));
    assert_eq!(
        items(&found, "item"),
        BTreeSet::from(["first", "second"].map(str::to_owned))
    );
    let page = fs::read_to_string(sandbox.path("audit/audit.html")).expect("an audit");
    assert!(
        page.contains("harbour master"),
        "text of files that are named stands beside findings"
    );
    sandbox.write("ours.toml", mapping.replace("answer", "reply"));
    let again = [&words[..], &["--replace"]].concat();
    sandbox.stackmill(&again).fails(4, "field `reply` is missing");
    sandbox.write("ours.toml", mapping.replace("fields", "field"));
    sandbox
        .stackmill(&again)
        .fails(3, "ours.toml")
        .hints("docs/reference/benchmarks.md");
    sandbox
        .stackmill(&["benchmarks", "build", "ours.toml", "--out", "x.pack"])
        .fails(3, "ours.toml");
}

/// Mutation: take a benchmark's name for a file, or the other way round.
#[test]
fn what_is_no_benchmark_is_told() {
    let sandbox = Sandbox::new();
    corpus(&sandbox);
    let run = |more: &[&str]| sandbox.stackmill(&[&["audit", "corpus", "--out", "audit"], more].concat());
    run(&["--benchmark", "humanevil"])
        .fails(4, "no pack `humanevil` ships")
        .hints("NAME=FILE");
    run(&["--benchmark", "corpus/leak.py"]).fails(4, "leak.py");
    run(&["--text", "x"]).fails(3, "`x` names no benchmark");
    sandbox
        .stackmill(&["audit", "nowhere", "--out", "audit"])
        .fails(4, "nothing at `nowhere`");
}

/// Problem `number` of a benchmark that nobody has: 64 words and 16 lines of code of its own.
fn invented(number: usize) -> Value {
    let words: Vec<String> = (0..64).map(|word| format!("w{}", number * 1000 + word)).collect();
    // Each line has marks and names of its own.
    let marks = ["+", "-", "*", "/", "%", "&", "|", "^", "<", ">"];
    let line = |line: usize| {
        let number = (number * 16 + line + 1) * 7919 * 104_729 / 1009;
        let [one, two, three] = [number, number / 10, number / 100].map(|digit| marks[digit % 10]);
        format!("    t{number} = one {one} i{line} {two} u{number} {three} four\n")
    };
    let code: String = (0..16).map(line).collect();
    serde_json::json!({"key": format!("p{number}"), "task": words.join(" "), "answer": format!("def f():\n{code}")})
}

/// Items that nobody published tell what chance finds: never a leak, and counted as what they are.
/// Mutation: count findings of control items as others are, or not at all.
#[test]
fn control_items_tell_what_chance_finds() {
    let sandbox = Sandbox::new();
    let rows: Vec<String> = (0..12).map(|number| invented(number).to_string()).collect();
    sandbox.write("ours.jsonl", rows.join("\n"));
    let mapping = "name = 'ours'\nid = 'key'\nlanguage = 'Python'\n[fields]\nprompt = 'task'\nsolution = 'answer'\n";
    sandbox.write("ours.toml", mapping);
    let build = [
        "benchmarks",
        "build",
        "ours.toml",
        "--from",
        "ours.jsonl",
        "--out",
        "control.pack",
    ];
    let more = ["--control", "--items", "twins.jsonl"];
    sandbox.stackmill(&[&build[..], &more].concat()).succeeds();
    let twins = fs::read_to_string(sandbox.path("twins.jsonl")).expect("it was asked for");
    let twin: Value = serde_json::from_str(twins.lines().next().unwrap_or_default()).expect("JSON");
    let text = |place: usize| twin["fields"][place]["text"].as_str().expect("a text").to_owned();

    corpus(&sandbox);
    sandbox.write("planted/twin.py", text(0) + "\n" + &text(1));
    sandbox.write("planted/real.py", invented(3)["answer"].as_str().expect("a text"));
    let audit = |input: &str| {
        let words = [
            "audit",
            input,
            "--out",
            "audit",
            "--replace",
            "--benchmark",
            "ours.toml=ours.jsonl",
        ];
        let said = sandbox.stackmill(&words).succeeds().stdout;
        let summary = fs::read(sandbox.path("audit/summary.json")).expect("an audit");
        (said, serde_json::from_slice::<Value>(&summary).expect("JSON"))
    };
    let (said, summary) = audit("corpus");
    assert!(said.contains("none of 12 control items"), "{said}");
    assert_eq!(
        (&summary["chance"]["found"], &summary["findings"]),
        (&0.into(), &0.into())
    );
    let (said, summary) = audit("planted");
    assert!(
        said.contains("1 items with a copy; by chance alone about 1 (0 to 6), as 1 of 12"),
        "{said}"
    );
    assert_eq!(items(&findings(&sandbox), "item"), BTreeSet::from(["p3".to_owned()]));
    let chance = &summary["chance"];
    assert_eq!(
        (&chance["found"], &chance["files"], &chance["expected"]),
        (&1.into(), &1.into(), &1.0.into())
    );
    let benchmarks = summary["benchmarks"].as_array().expect("a list");
    assert_eq!((benchmarks.len(), &benchmarks[0]["leaked"]), (1, &1.into()));

    sandbox.write("few.jsonl", rows[..4].join("\n"));
    let few = [
        "benchmarks",
        "build",
        "ours.toml",
        "--from",
        "few.jsonl",
        "--out",
        "few.pack",
        "--control",
    ];
    sandbox.stackmill(&few).fails(3, "too few problems");
}
