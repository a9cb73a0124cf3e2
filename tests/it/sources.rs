//! Every kind of source delivers the same files: same blob ids, same corpus, duplicates across kinds.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use serde_json::json;
use stackmill_tests::{Dataset, Sandbox, Tree, git};

fn tree() -> Tree {
    Tree::of(
        "
-- src/a.py
import os
print(os.sep)
-- src/b.rs
fn main() {}
-- docs/naïve name.md
# Café
-- empty.txt
-- no_newline.js
",
    )
    .with("windows.py", "x = 1\r\ny = 2\r\n")
    .with("last.js", "let x = 1")
}

/// Path and blob id of every file, as git itself has them.
fn expected(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let listing = git(&sandbox.path("clone"), &["ls-tree", "-r", "-z", "main"], b"");
    let entry = |line: &str| {
        let (meta, path) = line.split_once('\t').expect("git's layout");
        (
            path.to_owned(),
            meta.split(' ').nth(2).expect("git's layout").to_owned(),
        )
    };
    listing.split_terminator('\0').map(entry).collect()
}

fn blobs(data: &Dataset) -> BTreeMap<String, String> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    data.rows("ledger")
        .iter()
        .map(|row| (text(&row["path"]), text(&row["blob_id"])))
        .collect()
}

/// The tree as tables: a row a file, under names of our choice.
fn json_lines(tree: &Tree, [content, path, repo]: [&str; 3]) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    tree.files()
        .map(|(at, bytes)| format!("{}\n", json!({content: text(bytes), path: text(at), repo: "table"})))
        .collect()
}

fn parquet_file(tree: &Tree, place: &Path) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let contents = StringArray::from_iter_values(tree.files().map(|(_, bytes)| text(bytes)));
    let paths = StringArray::from_iter_values(tree.files().map(|(path, _)| text(path)));
    let repositories = StringArray::from_iter_values(tree.files().map(|_| "table"));
    let columns: [(&str, ArrayRef); 3] = [
        ("content", Arc::new(contents)),
        ("max_stars_repo_path", Arc::new(paths)),
        ("max_stars_repo_name", Arc::new(repositories)),
    ];
    let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let mut writer =
        ArrowWriter::try_new(File::create(place).expect("a place"), batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("a row group");
    writer.close().expect("a footer");
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// Everything that the sources of [`KINDS`] read.
fn sandbox() -> Sandbox {
    let (sandbox, tree) = (Sandbox::new(), tree());
    tree.commit(&sandbox.path("clone"), false);
    tree.commit(&sandbox.path("bare.git"), true);
    sandbox.write("list.txt", "# clones\nclone\n\n");
    sandbox.write(
        "list.jsonl",
        format!(
            "{}\n",
            json!({"dir": "clone", "name": "owner/starred", "stargazers": 1000, "forks": 3})
        ),
    );
    tree.write(&sandbox.path("folder"));
    sandbox.write("thing-1.0.0.crate", tree.tar_gz("thing-1.0.0/"));
    sandbox.write("thing.tar", tree.tar(""));
    sandbox.write("thing.tar.gz", tree.tar_gz("thing/"));
    for tool in ["xz", "bzip2"] {
        let packed = Command::new(tool).arg("-c").arg(sandbox.path("thing.tar")).output();
        sandbox.write(&format!("thing.{tool}"), packed.expect("the tool is installed").stdout);
    }
    let zip = sandbox.path("thing.zip");
    let zip = zip.to_str().expect("a plain path");
    git(
        &sandbox.path("clone"),
        &["archive", "-o", zip, "--prefix=o-thing/", "main"],
        b"",
    );
    tree.commit(&sandbox.path("clones/owner/name"), false);
    sandbox.write("list.csv", "where,stars\nclones/owner/name,3\n");
    parquet_file(&tree, &sandbox.path("thing.parquet"));
    let lines = json_lines(&tree, ["body", "where", "whose"]);
    sandbox.write("thing.jsonl", json_lines(&tree, ["content", "path", "repo_name"]));
    sandbox.write("thing.jsonl.gz", gzip(lines.as_bytes()));
    sandbox.write(
        "thing.jsonl.zst",
        zstd::encode_all(lines.as_bytes(), 3).expect("memory"),
    );
    sandbox
}

const MAPPED: &str = "columns = { content = \"body\", path = \"where\", repo_name = \"whose\" }";
const KINDS: [(&str, &str); 17] = [
    ("clone", "git = \"clone\""),
    ("bare", "git = \"bare.git\""),
    ("list", "git = \"list.txt\""),
    (
        "starred",
        "git = \"list.jsonl\"\nrepositories = { location = \"dir\", stars = \"stargazers\" }",
    ),
    ("folder", "directory = \"folder\""),
    ("crate", "archives = \"*.crate\""),
    ("tar", "archives = \"thing.tar\""),
    ("targz", "archives = \"thing.tar.gz\""),
    ("xz", "archives = \"thing.xz\""),
    ("bzip2", "archives = \"thing.bzip2\""),
    ("zip", "archives = \"thing.zip\""),
    ("clones", "git = \"clones/\""),
    ("csv", "git = \"list.csv\"\nrepositories = { location = \"where\" }"),
    ("parquet", "parquet = \"thing.parquet\""),
    ("jsonl", "jsonl = \"thing.jsonl\""),
    ("gz", "jsonl = \"thing.jsonl.gz\"\nMAPPED"),
    ("zst", "jsonl = \"thing.jsonl.zst\"\nMAPPED"),
];

fn source(name: &str, settings: &str) -> String {
    format!(
        "[[source]]\nname = \"{name}\"\n{}\n",
        settings.replace("MAPPED", MAPPED)
    )
}

/// Mutation: hash the decoded text instead of the raw bytes, or keep the `name-version/` of crates in paths.
#[test]
fn every_source_gives_gits_own_ids() {
    let sandbox = sandbox();
    let expected = expected(&sandbox);
    assert_eq!(expected.len(), 7);
    let mut contents = None;
    for (name, settings) in KINDS {
        let recipe = format!("{name}.toml");
        sandbox.write(
            &recipe,
            format!("name = \"{name}\"\nexact = false\n{}", source(name, settings)),
        );
        let data = sandbox.built(&recipe, &["--out", &format!("out-{name}")]);
        assert_eq!(blobs(&data), expected, "{name}");
        data.adds_up();
        let text: BTreeMap<_, _> = data
            .rows("corpus")
            .into_iter()
            .map(|row| (row["path"].to_string(), row["content"].to_string()))
            .collect();
        assert_eq!(contents.get_or_insert_with(|| text.clone()), &text, "{name}");
    }
}

/// Exact duplicates are found across kinds of sources, and stars decide who is kept.
/// Mutation: make the partition of an exact key depend on the source, or take stars out of the rank.
#[test]
fn duplicates_cross_sources_and_stars_decide() {
    let sandbox = sandbox();
    let sources: String = KINDS
        .iter()
        .filter(|(name, _)| *name != "clone")
        .map(|(name, settings)| source(name, settings))
        .collect();
    sandbox.write("all.toml", format!("name = \"all\"\n{sources}"));
    let data = sandbox.built("all.toml", &[]);
    let files = expected(&sandbox).len() as u64;
    // Two files of the tree are empty: one blob.
    let distinct = files - 1;
    assert_eq!(data.total("listed"), files * (KINDS.len() as u64 - 1));
    assert_eq!(
        data.funnel("exact", "exact-duplicate").map(|row| row.dropped),
        Some(data.total("listed") - distinct)
    );
    let kept: Vec<_> = data
        .rows("ledger")
        .into_iter()
        .filter(|row| row["verdict"] == "kept")
        .collect();
    assert_eq!(kept.len() as u64, distinct);
    for row in kept {
        assert_eq!(row["repo_name"], "owner/starred", "{}", row["path"]);
    }
    assert!(
        data.rows("corpus")
            .iter()
            .all(|row| row["stars"] == 1000 && row["forks"] == 3)
    );
    data.adds_up();
}

/// The policy is a list of criteria; the listing's order is the last.
/// Mutation: ignore `[exact] keep`.
#[test]
fn without_stars_the_first_by_name_is_kept() {
    let sandbox = sandbox();
    let sources: String = KINDS
        .iter()
        .filter(|(name, _)| ["bare", "folder", "starred"].contains(name))
        .map(|(n, s)| source(n, s))
        .collect();
    sandbox.write(
        "path.toml",
        format!("name = \"path\"\n{sources}[exact]\nkeep = [\"path\"]\n"),
    );
    let data = sandbox.built("path.toml", &[]);
    let kept: Vec<_> = data
        .rows("corpus")
        .into_iter()
        .map(|row| row["repo_name"].to_string())
        .collect();
    assert!(kept.iter().all(|repo| repo == "\"bare\""), "{kept:?}");
}

/// A lock holds: what changed after the first plan is told, and `--update` takes it.
/// Mutation: resolve sources anew on every run.
#[test]
fn the_lock_decides_what_is_read() {
    let sandbox = Sandbox::new();
    let first = Tree::of("-- a.py\nx = 1\n").commit(&sandbox.path("clone"), false);
    sandbox.write("recipe.toml", "name = \"lock\"\n[[source]]\ngit = \"clone\"\n");
    let data = sandbox.built("recipe.toml", &[]);
    assert_eq!(data.ledger("a.py")[0]["revision_id"], first);
    let second = Tree::of("-- a.py\nx = 2\n-- b.py\n\n").commit(&sandbox.path("clone"), false);
    assert_ne!(first, second);
    let again = sandbox.run("recipe.toml", &[]).succeeds();
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    sandbox
        .run("recipe.toml", &["--update"])
        .fails(3, "sources.lock: the sources are not the same")
        .hints("--replace");
    let data = sandbox.built("recipe.toml", &["--update", "--replace"]);
    assert_eq!(data.ledger("a.py")[0]["revision_id"], second);
}

/// A branch, a tag and a commit may be asked for.
/// Mutation: read HEAD whatever `revision` says.
#[test]
fn revisions_are_read_as_asked() {
    let sandbox = Sandbox::new();
    let first = Tree::of("-- a.py\nx = 1\n").commit(&sandbox.path("clone"), false);
    git(&sandbox.path("clone"), &["tag", "-a", "-m", "t", "v1", &first], b"");
    Tree::of("-- a.py\nx = 2\n").commit(&sandbox.path("clone"), false);
    for revision in ["v1", &first] {
        sandbox.write(
            "recipe.toml",
            format!("name = \"r\"\n[[source]]\ngit = \"clone\"\nrevision = \"{revision}\"\n"),
        );
        let data = sandbox.built("recipe.toml", &["--replace", "--update"]);
        assert_eq!(data.ledger("a.py")[0]["revision_id"], first, "{revision}");
        assert_eq!(data.content("a.py"), "x = 1\n");
    }
}

/// A `file` URL is a path: what is there is read in place, and no program is started to clone it.
/// Mutation: clone it into the cache.
#[test]
fn a_file_url_is_read_in_place() {
    let sandbox = Sandbox::new();
    Tree::of("-- a.py\nx = 1\n").commit(&sandbox.path("served.git"), true);
    let url = format!("file://{}", sandbox.path("served.git").display());
    sandbox.write("recipe.toml", format!("name = \"url\"\n[[source]]\ngit = \"{url}\"\n"));
    let mut command = sandbox.command(&["run", "recipe.toml", "--out", "out", "--cache", "clones"]);
    sandbox.wait(command.env("PATH", "/nonexistent")).succeeds();
    assert_eq!(sandbox.dataset("out").ledger("a.py")[0]["repo_name"], "served");
    let clones = std::fs::read_dir(sandbox.path("clones")).into_iter().flatten().count();
    assert_eq!(clones, 0);
}
