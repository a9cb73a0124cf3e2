//! `stackmill dedup`: tables with any columns in, every row once out; pairs against brute force.

use std::collections::{BTreeMap, BTreeSet};

use stackmill_tests::{Row, Sandbox, sha256};

/// Words of a file of a family: every version changes one word in fifty.
fn text(family: usize, version: usize) -> String {
    let word = |at: usize| match at % 50 == 7 && at / 50 < version {
        true => format!("changed{version}x{at}"),
        false => format!("w{family}x{at}"),
    };
    (0..300)
        .map(|at| word(at) + if at % 8 == 7 { "\n" } else { " " })
        .collect()
}

/// Texts by id: families of versions, and every third text twice.
fn texts() -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (family, version) in (0..12).flat_map(|family| (0..5).map(move |version| (family, version))) {
        out.insert(format!("f{family:02}v{version}"), text(family, version));
        if (family + version) % 3 == 0 {
            out.insert(format!("f{family:02}v{version}-copy"), text(family, version));
        }
    }
    out
}

/// JSON lines with columns that nobody else has.
fn jsonl(sandbox: &Sandbox, name: &str) {
    let line =
        |(id, text): (&String, &String)| serde_json::json!({"body": text, "key": id, "other": 1}).to_string() + "\n";
    sandbox.write(name, texts().iter().map(line).collect::<String>());
}

/// Jaccard index of the sets of five words, by brute force.
fn jaccard(a: &str, b: &str) -> f64 {
    let set = |text: &str| -> BTreeSet<Vec<String>> {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        words.windows(5).map(<[String]>::to_vec).collect()
    };
    let (a, b) = (set(a), set(b));
    a.intersection(&b).count() as f64 / a.union(&b).count() as f64
}

fn word<'a>(row: &'a Row, column: &str) -> &'a str {
    row[column].as_str().unwrap_or_else(|| panic!("`{column}` is no text"))
}

const NAMED: [&str; 6] = ["dedup", "in.jsonl", "--content", "body", "--id", "key"];

/// Mutation: forget a row, say another keeper or another similarity, call a near-duplicate exact.
#[test]
fn every_row_is_there_once_and_removed_rows_have_a_kept_and_similar_keeper() {
    let sandbox = Sandbox::new();
    jsonl(&sandbox, "in.jsonl");
    sandbox.stackmill(&[&NAMED[..], &["--out", "out"]].concat()).succeeds();
    let (out, texts) = (sandbox.dataset("out"), texts());
    let rows = out.table_at("rows.parquet");
    let ids: Vec<&str> = rows.iter().map(|row| word(row, "path")).collect();
    assert_eq!(
        ids.iter().copied().collect::<BTreeSet<_>>(),
        texts.keys().map(String::as_str).collect()
    );
    assert_eq!(ids.len(), texts.len());
    let kept: BTreeSet<&str> = rows
        .iter()
        .filter(|row| row["keeper"] == true)
        .map(|row| word(row, "path"))
        .collect();
    let removed = out.table_at("removed.parquet");
    assert_eq!(kept.len() + removed.len(), texts.len());
    for row in &removed {
        let (id, keeper) = (word(row, "path"), word(row, "keeper_path"));
        let found = jaccard(&texts[id], &texts[keeper]);
        assert!(kept.contains(keeper) && !kept.contains(id), "{id}: {keeper}");
        assert!(
            (row["similarity"].as_f64().expect("a number") - found).abs() < 1e-9,
            "{id}: {keeper} {found}"
        );
        assert_eq!(word(row, "rule") == "exact", texts[id] == texts[keeper], "{id}");
        assert!(found >= 0.7);
    }
    let similar = |a: &&str, b: &&str| a < b && jaccard(&texts[*a], &texts[*b]) >= 0.7;
    let missed = kept
        .iter()
        .flat_map(|a| kept.iter().filter(move |b| similar(a, b)).map(move |b| (a, b)));
    assert_eq!(missed.count(), 0, "pairs of kept rows that are similar");
    let of = |rule: &str| removed.iter().filter(|row| word(row, "rule") == rule).count();
    assert!(of("exact") > 0 && of("near") > 0, "the corpus has both");
}

/// Mutation: decide anything by what languages, licenses or a corpus leave behind.
#[test]
fn the_same_rows_are_removed_with_and_without_a_corpus() {
    let sandbox = Sandbox::new();
    jsonl(&sandbox, "in.jsonl");
    sandbox.stackmill(&[&NAMED[..], &["--out", "a"]].concat()).succeeds();
    sandbox
        .stackmill(&[&NAMED[..], &["--out", "b", "--write-corpus"]].concat())
        .succeeds();
    let [a, b] = ["a", "b"].map(|out| sandbox.dataset(out));
    for table in ["rows.parquet", "removed.parquet"] {
        assert_eq!(a.table_at(table), b.table_at(table), "{table}");
    }
    assert!(!sandbox.path("a/data/corpus").exists());
    let kept = a
        .table_at("rows.parquet")
        .iter()
        .filter(|row| row["keeper"] == true)
        .count();
    assert_eq!(sandbox.dataset("b/data").rows("corpus").len(), kept);
    for data in ["a/data", "b/data"] {
        sandbox.stackmill(&["verify", data]).succeeds();
    }
}

/// Mutation: let the number of threads or an earlier run show.
#[test]
fn the_same_bytes_come_out_whatever_the_threads_and_again() {
    let sandbox = Sandbox::new();
    jsonl(&sandbox, "in.jsonl");
    let hashes = |out: &str, threads: &str| {
        sandbox
            .stackmill(&[&NAMED[..], &["--out", out, "--threads", threads]].concat())
            .succeeds();
        let read = |name| sha256(&std::fs::read(sandbox.path(out).join(name)).expect("a result"));
        ["rows.parquet", "removed.parquet", "summary.json", "report.html"].map(read)
    };
    let first = hashes("a", "1");
    assert_eq!(first, hashes("b", "3"));
    assert_eq!(first, hashes("a", "2"), "a finished run is told again");
    assert!(!sandbox.path("a/.work").exists());
}

/// Mutation: write a name into the page as it is.
#[test]
fn names_are_escaped_in_the_page() {
    let sandbox = Sandbox::new();
    let line = |id: &str| serde_json::json!({"content": text(1, 0), "path": id}).to_string() + "\n";
    sandbox.write("in.jsonl", line("<script>alert(1)</script>.py") + &line("z.py"));
    sandbox.stackmill(&["dedup", "in.jsonl", "--out", "out"]).succeeds();
    let page = std::fs::read_to_string(sandbox.path("out/report.html")).expect("a page");
    assert!(
        page.contains("&lt;script&gt;alert(1)") && !page.contains("<script"),
        "{page}"
    );
}

#[test]
fn what_cannot_be_done_is_said() {
    let sandbox = Sandbox::new();
    sandbox.write("folder/a.py", "x = 1\n");
    jsonl(&sandbox, "in.jsonl");
    let run = |more: &[&str]| sandbox.stackmill(&[&["dedup", "--out", "out"], more].concat());
    run(&["folder", "--content", "body"]).fails(3, "no input is a table");
    run(&["nowhere"]).fails(4, "there is nothing at `nowhere`");
    run(&["folder", "--threshold", "1.5"]).fails(3, "`threshold` is not in (0, 1]");
    run(&["folder", "--keep", "beauty"]).fails(3, "beauty");
    run(&["in.jsonl", "--content", "missing"]).fails(4, "none of");
}
