//! A release made from an earlier one's index says what a clean run over everything says.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stackmill_tests::{Dataset, Row, Sandbox, Tree};

const STAGES: &str = r#"
[opt-out]
lists = ["gone.txt"]
[run]
split-repositories = 20
task-bytes = 1_000_000
[rules]
preset = "stack-v2"
extension = true
parse-error-share = true
[redact]
"#;

/// The archives of crates that every machine with Rust has.
fn crates() -> Vec<PathBuf> {
    let recipe = crate::real::many_recipe();
    let folder = Path::new(&recipe).with_file_name("crates");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the corpus is there")
        .map(|entry| entry.expect("an archive").path())
        .collect();
    files.sort();
    files
}

/// A number from 0 to 99 that a name has for good.
fn draw(path: &Path, seed: u64) -> u64 {
    let name = path.file_name().expect("a name").as_encoded_bytes();
    name.iter().fold(seed, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    }) >> 33
        & 0x7F
}

/// What the ledger says of each file, where its text is left out.
fn ends(data: &Dataset) -> Vec<Row> {
    let without = |mut row: Row| {
        row.remove("shard");
        row.remove("row");
        row
    };
    data.rows("ledger").into_iter().map(without).collect()
}

fn name(row: &Row) -> (String, String) {
    let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
    (text("repo_name"), text("path"))
}

fn texts(data: &Dataset) -> BTreeMap<(String, String), Value> {
    data.rows("corpus")
        .iter()
        .map(|row| (name(row), row["content"].clone()))
        .collect()
}

/// Asserts that two releases say the same of every file; `held`: texts of earlier releases.
#[track_caller]
fn agree(made: &Dataset, clean: &Dataset, held: &mut BTreeMap<(String, String), Value>) {
    assert_eq!(ends(made), ends(clean));
    assert_eq!(made.rows("clusters"), clean.rows("clusters"));
    let (a, b) = (made.manifest(), clean.manifest());
    assert_eq!(a.funnel, b.funnel);
    assert_eq!(a.languages, b.languages);
    let mut totals = a.totals;
    totals.retain(|name, _| !name.starts_with("previous_"));
    assert_eq!(totals, b.totals);
    held.extend(texts(made));
    let wanted = texts(clean);
    assert_eq!(wanted.len() as u64, b.totals["kept"]);
    for (file, text) in &wanted {
        assert_eq!(held.get(file), Some(text), "{file:?}");
    }
}

/// One release after the other over a changing part of real crates, each beside a clean run.
struct Series {
    sandbox: Sandbox,
    near: &'static str,
    held: BTreeMap<(String, String), Value>,
    count: usize,
}

impl Series {
    fn new(near: &'static str) -> Self {
        let (held, count) = (BTreeMap::new(), 0);
        Self {
            sandbox: Sandbox::new(),
            near,
            held,
            count,
        }
    }

    /// The next release: archives that `is_there` names, repositories with `gone` in their names opted out.
    fn next(&mut self, gone: &str, is_there: impl Fn(&Path) -> bool) -> Dataset {
        let (sandbox, folder) = (&self.sandbox, format!("crates{}", self.count));
        for path in crates().into_iter().filter(|path| is_there(path)) {
            let bytes = fs::read(&path).expect("read");
            sandbox.write(
                &format!("{folder}/{}", path.file_name().expect("a name").to_string_lossy()),
                bytes,
            );
        }
        sandbox.write("gone.txt", gone);
        let recipe = |previous: &str| {
            let source = format!("[[source]]\nname = \"crates\"\narchives = \"{folder}/*.crate\"\n");
            let near = format!("[near]\nindex = true\n{}\n{previous}", self.near);
            format!("name = \"series\"\n{source}{STAGES}{near}")
        };
        sandbox.write("clean.toml", recipe(""));
        let clean = sandbox.built("clean.toml", &["--out", &format!("clean{}", self.count)]);
        let made = match self.count.checked_sub(1) {
            None => {
                self.held = texts(&clean);
                clean.clone()
            }
            Some(last) => {
                let last = if last == 0 {
                    "clean0".to_owned()
                } else {
                    format!("made{last}")
                };
                sandbox.write("next.toml", recipe(&format!("previous = \"{last}\"\n")));
                let made = format!("made{}", self.count);
                let built = sandbox.built("next.toml", &["--out", &made]);
                sandbox.stackmill(&["verify", &made]).succeeds();
                built
            }
        };
        if self.count > 0 {
            agree(&made, &clean, &mut self.held);
        }
        self.count += 1;
        made
    }
}

/// Mutation: take a similarity from the index that is another pair's; forget that a file was a near-duplicate once; keep
/// a decision of the file that has left.
#[test]
fn adding_and_removing_repositories_gives_what_a_clean_run_gives() {
    let mut series = Series::new("");
    series.next("", |path| draw(path, 1) < 80);
    let grown = series.next("", |_| true);
    let total = |data: &Dataset, name: &str| data.total(name);
    assert!(total(&grown, "previous_known") > 1000, "{:?}", grown.manifest().totals);
    let bytes = |data: &Dataset| total(data, "previous_read_bytes") as f64 / total(data, "kept_bytes") as f64;
    assert!(bytes(&grown) < 0.15, "{}", bytes(&grown));
    let shrunk = series.next("", |path| draw(path, 2) < 70 || draw(path, 1) < 40);
    let held = total(&shrunk, "previous_held");
    assert!(
        held > 500 && total(&shrunk, "previous_read") > 0,
        "{:?}",
        shrunk.manifest().totals
    );
    let again = series.next("", |path| draw(path, 3) < 100);
    assert!(bytes(&again) < 0.3, "{}", bytes(&again));
}

/// Mutation: answer for pairs of crowded buckets that were never compared.
#[test]
fn crowded_buckets_and_equal_sets_are_compared_where_the_first_of_them_change() {
    let mut series = Series::new(
        "bucket-limit = 3\nbucket-first = 2\nthreshold = 0.5\nbands = 30\nrows = 3\nminimum-shingles = 2\n",
    );
    series.next("", |path| draw(path, 7) < 60);
    series.next("", |path| draw(path, 8) < 70);
    let last = series.next("", |path| draw(path, 9) > 20);
    assert!(last.total("previous_read") > 0);
}

fn words(family: usize, version: usize) -> String {
    let word = |at: usize| {
        if at == 7 && version > 0 {
            format!("v{version}")
        } else {
            format!("w{family}x{at}")
        }
    };
    (0..90)
        .map(|at| word(at) + if at % 9 == 8 { "\n" } else { " " })
        .collect()
}

/// Mutation: leave a promoted file where it is not.
#[test]
fn whoever_opts_out_hands_on_to_the_next_keeper() {
    let sandbox = Sandbox::new();
    for (number, repo) in ["ada", "bob", "cy"].into_iter().enumerate() {
        let tree = Tree::of("")
            .with("a.py", words(1, number))
            .with("same.py", words(2, 0))
            .with("own.py", words(5 + number, 0));
        tree.commit(&sandbox.path(repo), false);
    }
    let recipe = |more: &str| {
        format!(
            "name = \"n\"\n[[source]]\ngit = [\"ada\", \"bob\", \"cy\"]\n[opt-out]\nlists = \"gone.csv\"\n[near]\nindex = true\n{more}"
        )
    };
    sandbox.write("gone.csv", "repo_name\n");
    sandbox.write("first.toml", recipe(""));
    let first = sandbox.built("first.toml", &["--out", "first"]);
    assert_eq!(first.total("kept"), 5);
    sandbox.write("gone.csv", "repo_name\nada\n");
    sandbox.write("second.toml", recipe("previous = \"first\"\n"));
    let second = sandbox.built("second.toml", &["--out", "second"]);
    let clean = sandbox.built("first.toml", &["--out", "clean"]);
    agree(&second, &clean, &mut texts(&first));
    let added: BTreeSet<String> = second
        .rows("corpus")
        .iter()
        .map(|row| name(row).0 + ":" + &name(row).1)
        .collect();
    let wanted = ["bob:a.py", "bob:same.py"].map(str::to_owned);
    assert_eq!(added, wanted.into(), "{:?}", second.ends());
    assert_eq!([second.total("previous_held"), second.total("previous_read")], [2, 1]);
    let index = second
        .manifest()
        .files
        .into_iter()
        .filter(|file| file.path.starts_with("index/"));
    assert_eq!(
        index.filter_map(|file| file.rows).sum::<u64>(),
        5,
        "files that were read, here or before"
    );
}

/// Mutation: compare no settings; take a release without an index for an empty one.
#[test]
fn a_release_of_other_settings_is_refused_with_the_setting() {
    let sandbox = Sandbox::new();
    Tree::of("")
        .with("a.py", words(1, 1))
        .commit(&sandbox.path("ada"), false);
    let recipe = |more: &str| format!("name = \"n\"\n[[source]]\ngit = \"ada\"\n{more}");
    for (name, more) in [
        ("plain", "[near]\n"),
        ("index", "[near]\nindex = true\n"),
        ("none", "[near]\nprevious = \"plain\"\n"),
        ("gone", "[near]\nprevious = \"elsewhere\"\n"),
        ("rules", "[rules]\nminimum-size = true\n[near]\nprevious = \"index\"\n"),
        ("threshold", "[near]\nthreshold = 0.8\nprevious = \"index\"\n"),
        ("blocks", "[blocks]\n[near]\nprevious = \"index\"\n"),
        ("exact", "exact = false\n[near]\nindex = true\n"),
        ("same", "[near]\nedges-at-once = 1\nprevious = \"index\"\n"),
    ] {
        let text = if more.starts_with("exact") {
            format!("exact = false\n{}", recipe("[near]\nindex = true\n"))
        } else {
            recipe(more)
        };
        sandbox.write(&format!("{name}.toml"), text);
    }
    sandbox.built("plain.toml", &["--out", "plain"]);
    sandbox.built("index.toml", &["--out", "index"]);
    for (name, code, words) in [
        ("none", 4, "that release has no index"),
        ("gone", 4, "no finished release is there"),
        ("rules", 3, "another `rules`"),
        ("threshold", 3, "another `near`"),
        ("blocks", 3, "does not go with [blocks]"),
        ("exact", 3, "needs exact duplicates removed"),
    ] {
        sandbox.run(&format!("{name}.toml"), &["--out", "x"]).fails(code, words);
    }
    let same = sandbox.built("same.toml", &["--out", "same"]);
    assert_eq!(same.total("previous_held"), 1);
    assert!(same.rows("corpus").is_empty());
}

/// The command over tables: mutation: name the folder of results in place of its data set.
#[test]
fn tables_are_compared_with_earlier_ones() {
    let sandbox = Sandbox::new();
    let line = |family: usize, version: usize| {
        json!({"path": format!("f{family}v{version}"), "content": words(family, version)}).to_string() + "\n"
    };
    let table = |families: std::ops::Range<usize>| -> String {
        families
            .flat_map(|family| (0..3).map(move |version| (family, version)))
            .map(|(f, v)| line(f, v))
            .collect()
    };
    sandbox.write("old.jsonl", table(0..20));
    sandbox.write("young.jsonl", table(10..30));
    sandbox
        .stackmill(&["dedup", "old.jsonl", "--index", "--out", "first"])
        .succeeds();
    sandbox
        .stackmill(&[
            "dedup",
            "old.jsonl",
            "young.jsonl",
            "--previous",
            "first",
            "--out",
            "second",
        ])
        .succeeds();
    sandbox
        .stackmill(&["dedup", "old.jsonl", "young.jsonl", "--out", "clean"])
        .succeeds();
    let (second, clean) = (sandbox.dataset("second"), sandbox.dataset("clean"));
    for table in ["rows.parquet", "removed.parquet"] {
        assert_eq!(second.table_at(table), clean.table_at(table), "{table}");
    }
    assert_eq!(sandbox.dataset("second/data").total("previous_known"), 60);
}
