//! Keep policies over columns: who is kept, whatever the order of sources, threads and splits.

use serde_json::json;
use stackmill_schemas::fingerprint;
use stackmill_tests::{Sandbox, Tree};

/// Repositories, what their list says of them, and where the one file lies.
const REPOSITORIES: [(&str, Option<&str>, u32, &str); 5] = [
    ("a/old", Some("2019-03-01T10:00:00Z"), 900, "x.py"),
    ("b/new", Some("2024-05-01"), 3, "src/deep/x.py"),
    ("c/none", None, 5000, "x.py"),
    ("d/copy", Some("2024-05-01"), 3, "vendor/x.py"),
    ("e/mid", Some("2021-01-01"), 40, "src/x.py"),
];

fn kept(sandbox: &Sandbox, keep: &str, is_reversed: bool, more: &[&str]) -> String {
    let mut order: Vec<_> = REPOSITORIES.iter().collect();
    if is_reversed {
        order.reverse();
    }
    let line = |(name, pushed, size, _): &&(&str, Option<&str>, u32, &str)| {
        json!({"path": name, "name": name, "stars": 1, "pushed_at": pushed, "size": size}).to_string() + "\n"
    };
    sandbox.write("repos.jsonl", order.iter().map(line).collect::<String>());
    let source =
        "[[source]]\ngit = \"repos.jsonl\"\nmetadata = [\"pushed_at\", \"size\"]\ntypes = { size = \"integer\" }\n";
    sandbox.write(
        "keep.toml",
        format!("name = \"k\"\n{source}[exact]\nkeep = {keep}\n[run]\nsplit-repositories = 2\n"),
    );
    let data = sandbox.built("keep.toml", &[&["--replace"], more].concat());
    data.adds_up();
    let rows = data.rows("corpus");
    assert_eq!(rows.len(), 1);
    rows[0]["repo_name"].as_str().expect("a name").to_owned()
}

/// Mutation: put what is missing first; take `desc` for `asc`; forget `vendored`.
#[test]
fn columns_decide_in_order_whatever_the_order_of_sources() {
    let sandbox = Sandbox::new();
    for (name, _, _, path) in REPOSITORIES {
        Tree::of("")
            .with(path, "print('one file in five repositories')\n")
            .commit(&sandbox.path(name), false);
    }
    for (keep, wanted) in [
        (r#"["pushed_at desc", "path"]"#, "b/new"),
        (r#"["vendored", "pushed_at desc"]"#, "b/new"),
        (r#"["pushed_at desc", "depth"]"#, "d/copy"),
        (r#"["pushed_at asc"]"#, "a/old"),
        (r#"["size desc"]"#, "c/none"),
        (r#"["size asc", "vendored"]"#, "b/new"),
        (r#"["depth", "size desc"]"#, "c/none"),
        (r#"["stars", "depth", "pushed_at asc"]"#, "a/old"),
    ] {
        assert_eq!(kept(&sandbox, keep, false, &["--threads", "1"]), wanted, "{keep}");
        assert_eq!(
            kept(&sandbox, keep, true, &["--threads", "4"]),
            wanted,
            "{keep}, reversed"
        );
    }
}

#[test]
fn policies_that_nobody_can_follow_are_refused() {
    let sandbox = Sandbox::new();
    Tree::of("").with("x.py", "x = 1\n").commit(&sandbox.path("a"), false);
    for (keep, words) in [
        (r#"["pushed_at desc"]"#, "the column `pushed_at`, which nobody knows"),
        (r#"["starz"]"#, "unknown criterion `starz`"),
        (r#"["blob_id asc"]"#, "a column that has no order"),
        (r#"["stars", "forks", "score desc", "license"]"#, "needs 66 bits"),
        (r#"["score asc", "score asc"]"#, "names a criterion twice"),
        (r#"["path asc"]"#, "names `path`, a text that has no order"),
        (r#"["hash", "stars"]"#, "goes on after `hash`"),
        (r#"["license", "stars", "forks", "hash"]"#, "needs 74 bits"),
    ] {
        sandbox.write(
            "r.toml",
            format!("name = \"k\"\n[[source]]\ngit = \"a\"\n[exact]\nkeep = {keep}\n"),
        );
        sandbox.run("r.toml", &[]).fails(3, words);
    }
}

/// Rows of a table in the order of `seed`: families of files that are alike, one of them twice under two names.
fn shuffled(seed: u64) -> String {
    let text = |family: usize, member: usize| {
        let words: Vec<String> = (0..60)
            .map(|at| match at == 7 * (member + 1) {
                true => format!("own{member}"),
                false => format!("word{family}x{at}"),
            })
            .collect();
        words.join(" ")
    };
    let row = |at: usize| {
        let (family, member) = (at / 6, (at % 6).min(4));
        let line = json!({
            "repo_name": format!("r/{}", at % 3), "path": format!("{at}.txt"), "content": text(family, member),
        });
        line.to_string() + "\n"
    };
    let mut rows: Vec<(u64, String)> = (0..36usize)
        .map(|at| (fingerprint::seeded(seed, &at.to_le_bytes()), row(at)))
        .collect();
    rows.sort_unstable();
    rows.into_iter().map(|(_, line)| line).collect()
}

/// Mutation: rank by the file id alone.
#[test]
fn a_shuffled_table_keeps_the_same_files_by_hash() {
    let kept = |keep: &str, seed: u64| {
        let sandbox = Sandbox::new();
        sandbox.write("t.jsonl", shuffled(seed));
        sandbox.write(
            "r.toml",
            format!("name = \"k\"\nnear = true\n[[source]]\njsonl = \"t.jsonl\"\n[exact]\nkeep = {keep}\n"),
        );
        let data = sandbox.built("r.toml", &["--threads", "2"]);
        data.adds_up();
        let mut paths: Vec<String> = data.rows("corpus").iter().map(|row| row["path"].to_string()).collect();
        paths.sort();
        paths
    };
    let first = kept(r#"["hash"]"#, 0);
    assert!(first.len() < 20, "{first:?}");
    for seed in 1..6 {
        assert_eq!(kept(r#"["hash"]"#, seed), first);
        assert_eq!(kept(r#"["license", "stars", "hash", "path"]"#, seed), first);
    }
    assert!(
        (1..6).any(|seed| kept(r#"["path"]"#, seed) != first),
        "the order of rows decides"
    );
}
