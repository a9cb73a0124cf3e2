//! Whole histories and commits, through the binary: one row for each blob, whatever the number of threads.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use stackmill_tests::{Dataset, HttpBackend, Sandbox, Tree, git, root};

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

/// Ids and lengths of the blobs that `commit` holds, as git lists them, with their paths.
fn tree_of(folder: &Path, commit: &str) -> BTreeSet<(String, String)> {
    let listing = git(folder, &["ls-tree", "-r", "-z", "--full-tree", commit], b"");
    let entry = |line: &str| {
        let (fields, path) = line.split_once('\t').expect("git's layout");
        let id = fields.split(' ').nth(2).expect("git's layout");
        (id.to_owned(), path.to_owned())
    };
    listing.split_terminator('\0').map(entry).collect()
}

/// The whole history of this very project: ids, lengths, contents, first and last commits and commits, as git has them.
/// A package of the sources alone has no history, and nothing to be tested with.
/// Mutation: read one blob twice in place of another, or skip merges.
#[test]
fn the_history_of_a_real_repository_is_gits() {
    let folder = root();
    if !folder.join(".git").exists() {
        return;
    }
    let sandbox = Sandbox::new();
    let head = git(&folder, &["rev-parse", "HEAD"], b"").trim().to_owned();
    let settings = format!("history = \"revision\"\ncommits = true\nrevision = \"{head}\"\n");
    sandbox.write(
        "recipe.toml",
        format!("name = \"own\"\n[[source]]\ngit = {folder:?}\n{settings}"),
    );
    let data = sandbox.built("recipe.toml", &[]);
    data.adds_up();

    let rows = data.rows("ledger");
    let objects = git(&folder, &["rev-list", "--objects", "--no-object-names", &head], b"");
    let format = "--batch-check=%(objecttype) %(objectname) %(objectsize)";
    // A part at a time, which fits into a pipe.
    let objects: Vec<&str> = objects.lines().collect();
    let parts = objects.chunks(400).map(|part| part.join("\n"));
    let told: String = parts
        .map(|part| git(&folder, &["cat-file", format], part.as_bytes()))
        .collect();
    let theirs: BTreeSet<String> = told
        .lines()
        .filter_map(|line| line.strip_prefix("blob ").map(str::to_owned))
        .collect();
    let ours = rows
        .iter()
        .map(|row| format!("{} {}", text(&row["blob_id"]), row["length_bytes"]));
    assert_eq!(ours.collect::<BTreeSet<_>>(), theirs);
    assert_eq!((rows.len(), rows.len() > 100), (theirs.len(), true));

    let commits: BTreeSet<String> = data.rows("commits").iter().map(|row| text(&row["commit_id"])).collect();
    let log = git(&folder, &["log", "--format=%H", &head], b"");
    assert_eq!(commits, log.lines().map(str::to_owned).collect());

    for row in data.rows("corpus").iter().step_by(25) {
        let (id, past) = (text(&row["blob_id"]), &row["history"]);
        let content = git(&folder, &["cat-file", "blob", &id], b"");
        // The content is text without the mark that may stand in front of it.
        assert_eq!(
            text(&row["content"]),
            content.trim_start_matches('\u{feff}'),
            "{}",
            row["path"]
        );
        let (first, last) = (text(&past["first_commit"]), text(&past["last_commit"]));
        let is_there = |commit: &str| tree_of(&folder, commit).iter().any(|(there, _)| *there == id);
        assert!(is_there(&first), "{id} is in {first}");
        let parents = git(&folder, &["log", "-1", "--format=%P", &first], b"");
        let before = parents.split_whitespace().any(is_there);
        assert!(!before, "{id} is in a parent of {first}");
        let path = text(&row["path"]);
        assert!(
            tree_of(&folder, &last).contains(&(id.clone(), path)),
            "{id} is in {last}"
        );
    }
}

/// Mutation: believe a pack without its check, or let one that is broken end the run.
#[test]
fn a_pack_that_is_damaged_costs_what_it_holds_and_no_more() {
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let lines: String = (0..400).map(|i| format!("value_{i} = {}\n", i * 7919)).collect();
    commit(
        &sandbox,
        &format!("-- big.py\n{lines}-- LICENSE\nMIT License\n"),
        1_700_000_400,
    );
    commit(
        &sandbox,
        &format!("-- big.py\n{lines}more = 1\n-- LICENSE\nMIT License\n"),
        1_700_000_500,
    );
    let clone = sandbox.path("clone");
    git(&clone, &["repack", "-q", "-a", "-d", "-f"], b"");
    git(&clone, &["prune-packed"], b"");
    Tree::of("-- sound.py\ns = 1\n").commit(&sandbox.path("other"), false);
    let pack = std::fs::read_dir(clone.join(".git/objects/pack"))
        .expect("a pack")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.extension().is_some_and(|ending| ending == "pack"))
        .expect("a pack");
    let whole = std::fs::read(&pack).expect("a pack");
    std::fs::remove_file(&pack).expect("git makes packs that cannot be written");
    let sources = "name = \"h\"\n[[source]]\ngit = [\"clone\", \"other\"]\nhistory = \"references\"\n";
    sandbox.write(
        "recipe.toml",
        format!("{sources}[run]\nmax-failed-repositories = \"100%\"\n"),
    );
    let (mut of_files, mut of_repository) = (0, 0);
    let mut troubles = BTreeSet::new();
    for at in (12..whole.len() - 20).step_by(whole.len() / 24) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        std::fs::write(&pack, damaged).expect("a pack");
        let data = sandbox.built("recipe.toml", &["--replace", "--update"]);
        data.adds_up();
        assert!(data.ends().contains(&"other:sound.py kept".to_owned()), "{at}");
        for row in data.rows("ledger").iter().filter(|row| row["verdict"] == "failed") {
            assert!(!text(&row["trouble"]).is_empty(), "{row:?}");
            troubles.insert(text(&row["trouble"]));
            match row["path"].is_null() {
                true => of_repository += 1,
                false => of_files += 1,
            }
        }
        for row in data.rows("corpus") {
            let id = git(&clone, &["hash-object", "--stdin"], text(&row["content"]).as_bytes());
            assert_eq!(id.trim(), text(&row["blob_id"]), "{at}: {}", row["path"]);
        }
    }
    assert!(
        of_files > 0 && of_repository > 0,
        "{of_files} {of_repository} {troubles:?}"
    );
}

/// Mutation: clone one commit alone, or ask for a history that was not cloned.
#[test]
fn the_history_of_a_repository_elsewhere_is_that_of_its_clone() {
    let sandbox = Sandbox::new();
    repository(&sandbox);
    let served = sandbox.path("served/o/n.git");
    let place = served.display().to_string();
    git(
        &sandbox.path("clone"),
        &["clone", "-q", "--bare", "--no-local", ".", &place],
        b"",
    );
    let server = HttpBackend::start(sandbox.path("served"));
    let settings = "repo-name = \"o/n\"\nhistory = \"revision\"\ncommits = true\n";
    let there = |more: &str| {
        let url = format!("{}/o/n.git", server.url);
        format!("name = \"h\"\n[[source]]\ngit = \"{url}\"\n{settings}{more}")
    };
    sandbox.write(
        "here.toml",
        format!("name = \"h\"\n[[source]]\ngit = \"clone\"\n{settings}"),
    );
    sandbox.write("there.toml", there("depth = 0\n"));
    let tables = |data: &Dataset| {
        let mut hashes = data.hashes();
        hashes.retain(|name, _| name.starts_with("corpus/") || name.starts_with("commits/"));
        assert_eq!(hashes.len(), 2, "{hashes:?}");
        hashes
    };
    let here = sandbox.built("here.toml", &["--out", "here"]);
    let cloned = sandbox.built("there.toml", &["--out", "there"]);
    cloned.adds_up();
    assert_eq!(tables(&cloned), tables(&here));
    assert_eq!(cloned.total("commits"), 3);
    for depth in ["", "depth = 1\n"] {
        sandbox.write("flat.toml", there(depth));
        sandbox
            .run("flat.toml", &["--out", "flat"])
            .fails(7, "unless `depth = 0`");
    }
}
