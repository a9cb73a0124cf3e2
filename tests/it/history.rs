//! Whole histories and commits, through the binary: one row for each blob, whatever the number of threads.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stackmill_tests::{Dataset, Sandbox, Tree, git};

/// A commit of `tree` on top of what is checked out.
fn commit(sandbox: &Sandbox, tree: &str, time: u32) {
    let clone = sandbox.path("clone");
    git(&clone, &["rm", "-r", "-q", "-f", "--ignore-unmatch", "."], b"");
    Tree::of(tree).write(&clone);
    git(&clone, &["add", "-A"], b"");
    let tree = git(&clone, &["write-tree"], b"");
    let parent = match git(&clone, &["for-each-ref", "refs/heads/main"], b"").split(' ').next() {
        Some(parent) if !parent.is_empty() => format!("parent {parent}\n"),
        _ => String::new(),
    };
    let people = format!("A <a@example.invalid> {time} +0000");
    let raw = format!(
        "tree {}\n{parent}author {people}\ncommitter {people}\n\nmessage\n",
        tree.trim()
    );
    let id = git(
        &clone,
        &["hash-object", "-t", "commit", "-w", "--stdin"],
        raw.as_bytes(),
    );
    git(&clone, &["update-ref", "refs/heads/main", id.trim()], b"");
}

/// A rename, an edit that is undone, and a tag that alone leads to the edit.
fn repository(sandbox: &Sandbox) {
    let clone = sandbox.path("clone");
    std::fs::create_dir_all(&clone).expect("a folder");
    git(&clone, &["init", "-q", "-b", "main"], b"");
    commit(
        sandbox,
        "-- src/a.py\nx = 1\n-- LICENSE\nMIT License\n-- same.py\nx = 1\n",
        1_700_000_000,
    );
    commit(
        sandbox,
        "-- lib/a.py\nx = 1\n-- LICENSE\nMIT License\n-- b.py\ny = 2\n-- same.py\nx = 1\n",
        1_700_000_100,
    );
    let second = git(&clone, &["rev-parse", "main"], b"");
    commit(
        sandbox,
        "-- lib/a.py\nx = 3\n-- LICENSE\nMIT License\n-- b.py\ny = 2\n",
        1_700_000_200,
    );
    git(&clone, &["update-ref", "refs/tags/v1", "main"], b"");
    git(&clone, &["update-ref", "refs/heads/main", second.trim()], b"");
    commit(
        sandbox,
        "-- lib/a.py\nx = 1\n-- LICENSE\nMIT License\n-- c.py\nz = 4\n",
        1_700_000_300,
    );
}

fn recipe(sandbox: &Sandbox, settings: &str) {
    let text = format!("name = \"history\"\n[[source]]\ngit = \"clone\"\n{settings}\n[run]\nsplit-repositories = 1\n");
    sandbox.write("recipe.toml", text);
}

/// Blobs that `revisions` reach, by git.
fn blobs_of(sandbox: &Sandbox, revisions: &[&str]) -> BTreeSet<String> {
    let clone = sandbox.path("clone");
    let arguments = [&["rev-list", "--objects", "--no-object-names"], revisions].concat();
    let objects = git(&clone, &arguments, b"");
    let kinds = git(
        &clone,
        &["cat-file", "--batch-check=%(objecttype) %(objectname)"],
        objects.as_bytes(),
    );
    kinds
        .lines()
        .filter_map(|line| line.strip_prefix("blob "))
        .map(str::to_owned)
        .collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Blob ids of the ledger's rows.
fn ledger_blobs(data: &Dataset) -> Vec<String> {
    data.rows("ledger").iter().map(|row| text(&row["blob_id"])).collect()
}

/// A history run has one row for each distinct blob; what git reaches is what is listed.
/// Mutation: start from the revision alone, whatever `history` says.
#[test]
fn every_distinct_blob_of_the_history_has_one_row() {
    let sandbox = Sandbox::new();
    repository(&sandbox);
    for (history, revisions) in [("revision", &["HEAD"][..]), ("references", &["--branches", "--tags"])] {
        recipe(&sandbox, &format!("history = \"{history}\"\n"));
        let data = sandbox.built("recipe.toml", &["--replace", "--update"]);
        data.adds_up();
        let listed = ledger_blobs(&data);
        let distinct: BTreeSet<String> = listed.iter().cloned().collect();
        assert_eq!(listed.len(), distinct.len(), "{listed:?}");
        assert_eq!(distinct, blobs_of(&sandbox, revisions), "{history}");
        let row = &data.ledger("lib/a.py")[0];
        assert_eq!(row["verdict"], "kept", "{row:?}");
    }
}

/// Path, paths and renames ride along to ledger and corpus.
#[test]
fn the_history_of_a_file_is_in_ledger_and_corpus() {
    let sandbox = Sandbox::new();
    repository(&sandbox);
    recipe(&sandbox, "history = \"revision\"\ncommits = true\n");
    let data = sandbox.built("recipe.toml", &[]);
    let commits = git(&sandbox.path("clone"), &["rev-list", "--reverse", "HEAD"], b"");
    let commits: Vec<&str> = commits.lines().collect();
    for table in ["ledger", "corpus"] {
        let rows = data.rows(table);
        let row = rows.iter().find(|row| row["path"] == "lib/a.py").expect("a row");
        let past = &row["history"];
        assert_eq!(
            (text(&past["first_commit"]), text(&past["last_commit"])),
            (commits[0].into(), commits[2].into())
        );
        assert_eq!(
            past["paths"],
            serde_json::json!(["lib/a.py", "same.py", "src/a.py"]),
            "{table}"
        );
        assert_eq!(past["path_count"], 3);
        let rename = serde_json::json!([{"commit": commits[1], "from": "src/a.py", "to": "lib/a.py"}]);
        assert_eq!(past["renames"], rename, "{table}");
    }
    let told: BTreeMap<String, Value> = data
        .rows("commits")
        .into_iter()
        .map(|row| (text(&row["commit_id"]), row["changes"].clone()))
        .collect();
    assert_eq!(
        told.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        commits.iter().copied().collect()
    );
    let changes = told[commits[1]].as_array().expect("a list");
    let change = changes
        .iter()
        .find(|change| change["new_path"] == "lib/a.py")
        .expect("a change");
    assert_eq!(
        (&change["old_path"], &change["new_path"]),
        (&"src/a.py".into(), &"lib/a.py".into())
    );
    assert_eq!(change["old_blob_id"], change["new_blob_id"]);
    assert_eq!(data.total("commits"), 3);
}

/// Without a source that reads the history, tables are as they were.
#[test]
fn columns_of_the_history_are_there_only_with_it() {
    let sandbox = Sandbox::new();
    repository(&sandbox);
    recipe(&sandbox, "");
    let data = sandbox.built("recipe.toml", &[]);
    for table in ["ledger", "corpus"] {
        assert!(
            data.rows(table).iter().all(|row| !row.contains_key("history")),
            "{table}"
        );
    }
    assert!(data.shards("commits").is_empty());
}

/// Threads do not show, in a bundle of the same repository neither.
#[test]
fn histories_are_the_same_bytes_every_time() {
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let bundle = sandbox.path("made.bundle");
    git(
        &sandbox.path("clone"),
        &["bundle", "create", "-q", &bundle.display().to_string(), "--all"],
        b"",
    );
    let settings = "history = \"references\"\ncommits = true\n";
    sandbox.write(
        "recipe.toml",
        format!("name = \"h\"\n[[source]]\nname = \"a\"\ngit = \"clone\"\n{settings}\n[[source]]\nname = \"b\"\ngit = \"made.bundle\"\n{settings}"),
    );
    let one = sandbox.built("recipe.toml", &["--threads", "1"]).hashes();
    let four = sandbox.built("recipe.toml", &["--threads", "4", "--replace"]).hashes();
    assert_eq!(one, four);
    let data = sandbox.dataset("out");
    let of = |name: &str| -> Vec<String> {
        let rows = data.rows("commits").into_iter().filter(|row| row["repo_name"] == name);
        rows.map(|row| text(&row["commit_id"])).collect()
    };
    assert_eq!(of("clone"), of("made"));
    assert_eq!(of("clone").len(), 4);
}

/// A commit that cannot be read is the trouble of its repository, and of no other.
#[test]
fn a_broken_history_is_one_row() {
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let first = git(&sandbox.path("clone"), &["rev-list", "--max-parents=0", "HEAD"], b"");
    let object = format!("clone/.git/objects/{}/{}", &first[..2], first[2..].trim());
    std::fs::remove_file(sandbox.path(object)).expect("a loose object");
    Tree::of("-- a.py\nq = 9\n").commit(&sandbox.path("other"), false);
    sandbox.write(
        "recipe.toml",
        "name = \"h\"\n[[source]]\ngit = [\"clone\", \"other\"]\nhistory = \"revision\"\ncommits = true\n\
         [run]\nmax-failed-repositories = \"60%\"\n",
    );
    let data = sandbox.built("recipe.toml", &[]);
    let rows = data.rows("ledger");
    let troubled: Vec<_> = rows.iter().filter(|row| row["path"].is_null()).collect();
    assert_eq!(troubled.len(), 1);
    assert!(
        text(&troubled[0]["trouble"]).contains("is missing or broken"),
        "{:?}",
        troubled[0]
    );
    assert_eq!((rows.len(), data.rows("commits").len()), (2, 1));
}
