//! Against git itself: `ls-tree`, `cat-file`, `clone`; and against servers that misbehave.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering::SeqCst;

use stackmill_schemas::path::{escape, unescape};
use stackmill_schemas::{ErrorKind, columns};

use super::super::testing::{config, context, git, list, list_batch, opened, read, repository, rows, write};
use super::*;

/// What `git ls-tree -r -l` says of `HEAD`.
fn ls_tree(folder: &Path) -> Vec<(String, u32, String, u64)> {
    let output = git(folder, &["ls-tree", "-r", "-z", "-l", "HEAD"]);
    output
        .split(|&byte| byte == 0)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let tab = line.iter().position(|&byte| byte == b'\t').expect("a tab");
            let fields = String::from_utf8_lossy(&line[..tab]).into_owned();
            let fields: Vec<&str> = fields.split_whitespace().collect();
            let mode = u32::from_str_radix(fields[0], 8).expect("a mode");
            (
                escape(&line[tab + 1..]),
                mode,
                fields[2].to_owned(),
                fields[3].parse().unwrap_or_default(),
            )
        })
        .collect()
}

/// Lists and reads `location` and compares with what git says of the repository at `folder`.
fn assert_same_as_git(root: &Path, location: &str, folder: &Path) -> Unit {
    let (source, units) = opened(root, "git", location);
    let [unit] = &units[..] else {
        panic!("one unit: {units:?}")
    };
    assert_eq!(unit.trouble, None);
    assert_eq!(
        unit.revision_id.as_bytes(),
        git(folder, &["rev-parse", "HEAD"]).trim_ascii()
    );
    let cx = context(&root.join("cache"));
    let batch = list_batch(source.as_ref(), unit, &cx).expect("listed");
    let listed = rows(&batch);
    let ours: Vec<_> = listed
        .iter()
        .map(|row| {
            let id = row.blob.clone().unwrap_or_else(|| "none".into());
            (row.path.clone(), row.mode, id, row.length)
        })
        .collect();
    let theirs: Vec<_> = ls_tree(folder)
        .into_iter()
        .map(|(path, mode, id, length)| {
            (
                path,
                mode,
                if mode == mode::SUBMODULE { "none".into() } else { id },
                length,
            )
        })
        .collect();
    assert_eq!(ours, theirs);
    assert!(listed.iter().all(|row| row.trouble.is_none()));
    for (row, content) in listed.iter().zip(read(source.as_ref(), unit, &batch, &cx)) {
        match &row.blob {
            Some(id) => assert_eq!(
                content.as_deref(),
                Ok(&git(folder, &["cat-file", "blob", id])[..]),
                "{}",
                row.path
            ),
            None => assert_eq!(content, Err("it has no blob".into())),
        }
    }
    unit.clone()
}

fn various() -> Vec<(&'static str, &'static [u8])> {
    vec![
        ("README.md", b"# read\n"),
        ("a.txt", b""),
        ("a/b.txt", b"b"),
        ("a/c/d.rs", b"fn d() {}\n"),
        ("a-b/x", b"x"),
        ("a0/x", b"x"),
        ("caf\u{e9}/\\odd", b"\x00\xff binary"),
        ("z", &[7; 70_000]),
    ]
}

fn files_of(folder: &Path, start: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut left = vec![folder.join(start)];
    while let Some(next) = left.pop() {
        for entry in std::fs::read_dir(next).expect("a folder").flatten() {
            match entry.path().is_dir() {
                true => left.push(entry.path()),
                false => found.push(entry.path()),
            }
        }
    }
    found.sort();
    found
}

/// Files that git made are read-only.
fn overwrite(path: &Path, content: &[u8]) {
    std::fs::remove_file(path).expect("a file");
    std::fs::write(path, content).expect("a new file");
}

#[test]
fn loose_packed_bare_and_shallow_repositories_list_and_read_as_in_git() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &various());
    std::os::unix::fs::symlink("a/b.txt", folder.join("link")).expect("a link");
    write(&folder.join("run.sh"), b"#!/bin/sh\n");
    git(&folder, &["add", "-A"]);
    git(&folder, &["update-index", "--chmod=+x", "run.sh"]);
    let head = String::from_utf8(git(&folder, &["rev-parse", "HEAD"])).expect("hex");
    git(
        &folder,
        &[
            "update-index",
            "--add",
            "--cacheinfo",
            &format!("160000,{},sub", head.trim()),
        ],
    );
    git(&folder, &["commit", "-q", "-m", "two"]);
    let unit = assert_same_as_git(root.path(), "one", &folder);
    assert_eq!(
        (unit.repo_name.as_str(), unit.location.as_str(), unit.source.as_str()),
        ("one", "one", "git")
    );
    assert!(unit.length_bytes > 0);
    git(&folder, &["gc", "-q"]);
    assert!(
        files_of(&folder, ".git/objects/pack")
            .iter()
            .any(|path| path.extension().is_some_and(|e| e == "idx"))
    );
    assert_same_as_git(root.path(), "one", &folder);
    write(&folder.join("later"), b"loose beside a pack");
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "three"]);
    assert_same_as_git(root.path(), "one/.git", &folder);
    git(root.path(), &["clone", "-q", "--bare", "one", "bare.git"]);
    let bare = assert_same_as_git(root.path(), "bare.git", &folder);
    assert_eq!(bare.repo_name, "bare");
    git(
        &root.path().join("bare.git"),
        &["remote", "set-url", "origin", "https://forge.invalid/owner/name.git"],
    );
    assert_eq!(
        assert_same_as_git(root.path(), "bare.git", &folder).repo_name,
        "owner/name"
    );
    let url = format!("file://{}", folder.display());
    git(root.path(), &["clone", "-q", "--depth", "1", &url, "shallow"]);
    assert_same_as_git(root.path(), "shallow", &folder);
    git(root.path(), &["clone", "-q", "--shared", "one", "shared"]);
    assert_same_as_git(root.path(), "shared", &folder);
    git(&folder, &["worktree", "add", "-q", "--detach", "../tree"]);
    assert_same_as_git(root.path(), "tree", &folder);
}

#[test]
fn many_packs_with_deltas_read_as_in_git() {
    let root = tempfile::tempdir().expect("tempdir");
    let text: String = (0..3000).map(|i| format!("line {i} of a long file\n")).collect();
    let folder = repository(root.path(), "one", &[("seed", text.as_bytes())]);
    for i in 0..30 {
        let content = text.replacen("line 7 ", &format!("line changed {i} "), 1) + &"tail\n".repeat(i);
        write(&folder.join(format!("f{i:02}")), content.as_bytes());
        if i % 10 == 9 {
            git(&folder, &["add", "-A"]);
            git(&folder, &["commit", "-q", "-m", "more"]);
            git(&folder, &["repack", "-q", "-d"]);
        }
    }
    assert_eq!(
        files_of(&folder, ".git/objects/pack")
            .iter()
            .filter(|p| p.extension().is_some_and(|e| e == "pack"))
            .count(),
        3
    );
    assert_same_as_git(root.path(), "one", &folder);
    git(&folder, &["repack", "-q", "-a", "-d", "-f", "--depth=50"]);
    assert_same_as_git(root.path(), "one", &folder);
    git(&folder, &["repack", "-q", "-a", "-d", "--write-midx"]);
    assert_same_as_git(root.path(), "one", &folder);
}

#[test]
fn branches_tags_and_commits_are_revisions() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &[("a", b"1")]);
    git(&folder, &["tag", "-a", "-m", "first", "v1"]);
    write(&folder.join("a"), b"2");
    git(&folder, &["commit", "-qam", "two"]);
    git(&folder, &["branch", "old", "v1^{commit}"]);
    let first = String::from_utf8(git(&folder, &["rev-parse", "v1^{commit}"]))
        .expect("hex")
        .trim()
        .to_owned();
    let (url, _) = serve(root.path());
    for location in ["one", &format!("{url}/one")] {
        for revision in ["v1", "old", "refs/tags/v1", &first] {
            let mut config = config("git", location);
            config.revision = Some(revision.to_owned());
            let source = super::super::open(&config, root.path()).expect("valid");
            let cx = context(&root.path().join("cache"));
            let units = source.resolve(&cx).expect("resolved");
            assert_eq!(
                (units[0].revision_id.as_str(), &units[0].trouble),
                (first.as_str(), &None),
                "{location} {revision}"
            );
            let rows = list(source.as_ref(), &units[0], &cx).expect("listed");
            assert_eq!(
                rows[0].blob.as_deref(),
                Some("56a6051ca2b02b04ef92d5150c9ef600403cb1de")
            );
        }
    }
}

#[test]
fn trouble_with_a_repository_is_the_units() {
    let root = tempfile::tempdir().expect("tempdir");
    let empty = root.path().join("empty");
    std::fs::create_dir(&empty).expect("a folder");
    git(&empty, &["init", "-q"]);
    std::fs::create_dir(root.path().join("plain")).expect("a folder");
    let broken = repository(root.path(), "broken", &[("a", b"1")]);
    let commit = String::from_utf8(git(&broken, &["rev-parse", "HEAD"])).expect("hex");
    overwrite(
        &broken.join(".git/objects").join(&commit[..2]).join(commit[2..].trim()),
        b"nonsense",
    );
    repository(root.path(), "good", &[("a", b"1")]);
    let (served, _) = serve(root.path());
    let empty_url = format!("{served}/empty");
    for (location, words) in [
        ("missing", "there is no such repository"),
        ("plain", "not a git repository"),
        ("empty", "the repository has no commits"),
        ("broken", "revision `HEAD` cannot be read"),
        (empty_url.as_str(), "the repository has no commits"),
    ] {
        let (_, units) = opened(root.path(), "git", location);
        let trouble = units[0].trouble.as_deref().expect("trouble");
        assert!(trouble.contains(words), "{location}: {trouble}");
        assert!(
            !trouble.contains(&*root.path().to_string_lossy()) && !trouble.contains('\n'),
            "{trouble}"
        );
        assert_eq!(units[0].revision_id, "");
    }
    let mut no_branch = config("git", "good");
    no_branch.revision = Some("nope".into());
    for location in ["good", &format!("{served}/good")] {
        no_branch.git = Some(super::super::Patterns::One(location.to_owned()));
        let source = super::super::open(&no_branch, root.path()).expect("valid");
        let units = source.resolve(&context(&root.path().join("cache"))).expect("resolved");
        assert!(
            units[0]
                .trouble
                .as_deref()
                .is_some_and(|trouble| trouble.contains("`nope`")),
            "{units:?}"
        );
    }
    for url in ["git@-h:o/n", "git@h:-o/n", "git@h:o/n"] {
        // Nobody here can start `ssh`: names that look like its settings are refused before that.
        let units = super::super::open(&config("git", url), root.path())
            .expect("valid")
            .resolve(&context(root.path()));
        let trouble = units.expect("resolved")[0].trouble.clone().unwrap_or_default();
        assert!(
            trouble.contains(if url == "git@h:o/n" {
                "cannot be started"
            } else {
                "cannot be used"
            }),
            "{url}: {trouble}"
        );
    }
    assert!(super::super::open(&config("git", "https://me:secret@h/o/n"), root.path()).is_err());
}

#[test]
fn broken_objects_are_the_trouble_of_their_rows() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(
        root.path(),
        "one",
        &[
            ("a", b"one"),
            ("b", b"two"),
            ("c", b"three"),
            ("d/e", b"four"),
            ("f", b"five"),
        ],
    );
    let (source, units) = opened(root.path(), "git", "one");
    let cx = context(root.path());
    let before = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
    let ids: Vec<String> = rows(&before).into_iter().filter_map(|row| row.blob).collect();
    let tree = String::from_utf8(git(&folder, &["rev-parse", "HEAD:d"]))
        .expect("hex")
        .trim()
        .to_owned();
    let object = |id: &str| folder.join(".git/objects").join(&id[..2]).join(&id[2..]);
    std::fs::remove_file(object(&ids[0])).expect("removed");
    overwrite(&object(&ids[1]), b"nonsense");
    overwrite(&object(&tree), &[]);
    // A whole object under the name of another.
    let five = std::fs::read(object(&ids[4])).expect("readable");
    overwrite(&object(&ids[2]), &five);
    let after = list(source.as_ref(), &units[0], &cx).expect("listed");
    let troubles: Vec<_> = after
        .iter()
        .map(|row| (row.path.as_str(), row.mode, row.trouble.as_deref()))
        .collect();
    assert_eq!(
        troubles,
        [
            ("a", mode::FILE, Some("the blob is missing")),
            ("b", mode::FILE, Some("the blob is broken")),
            ("c", mode::FILE, None),
            ("d", mode::FOLDER, Some("the tree is broken")),
            ("f", mode::FILE, None),
        ]
    );
    let contents = read(source.as_ref(), &units[0], &before, &cx);
    assert_eq!(contents[0], Err("the blob is missing".into()));
    assert_eq!(contents[1], Err("the blob is broken".into()));
    assert_eq!(contents[2], Err("its length is not the listed one".into()));
    assert_eq!(contents[3], Ok(b"four".to_vec()));
    assert_eq!(contents[4], Ok(b"five".to_vec()));
}

#[test]
fn no_flipped_byte_of_a_pack_goes_unnoticed() {
    let root = tempfile::tempdir().expect("tempdir");
    let text: String = (0..200).map(|i| format!("line {i} {}\n", i * i)).collect();
    let other = text.replace("line 7 ", "line seven ");
    let folder = repository(
        root.path(),
        "one",
        &[("a", text.as_bytes()), ("b", other.as_bytes()), ("c", b"c")],
    );
    git(&folder, &["gc", "-q"]);
    let (source, units) = opened(root.path(), "git", "one");
    let cx = context(root.path());
    let before = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
    let whole = read(source.as_ref(), &units[0], &before, &cx);
    let pack = files_of(&folder, ".git/objects/pack")
        .into_iter()
        .find(|p| p.extension().is_some_and(|e| e == "pack"))
        .expect("a pack");
    let bytes = std::fs::read(&pack).expect("readable");
    let mut noticed = 0;
    for at in (12..bytes.len() - 20).step_by(3) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x10;
        overwrite(&pack, &flipped);
        for (found, right) in read(source.as_ref(), &units[0], &before, &cx).iter().zip(&whole) {
            assert!(found == right || found.is_err(), "byte {at}");
            noticed += usize::from(found.is_err());
        }
        let _ = list(source.as_ref(), &units[0], &cx);
    }
    assert!(noticed > 0);
    for end in [0, 11, 12, bytes.len() / 2, bytes.len() - 21] {
        overwrite(&pack, &bytes[..end]);
        for (found, right) in read(source.as_ref(), &units[0], &before, &cx).iter().zip(&whole) {
            assert!(found == right || found.is_err(), "cut at {end}");
        }
    }
}

/// Writes an object as it is, whatever git thinks of it; its id.
fn hash_object(folder: &Path, kind: &str, content: &[u8]) -> String {
    write(&folder.join(".git/raw"), content);
    let id = git(folder, &["hash-object", "-w", "--literally", "-t", kind, ".git/raw"]);
    String::from_utf8(id).expect("hex").trim().to_owned()
}

fn tree_entry(mode: &str, name: &[u8], id: &str) -> Vec<u8> {
    let id: Vec<u8> = (0..20)
        .map(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).expect("hex"))
        .collect();
    [mode.as_bytes(), b" ", name, b"\0", &id].concat()
}

fn commit_tree(folder: &Path, tree: &str) {
    let commit = hash_object(
        folder,
        "commit",
        format!("tree {tree}\nauthor a <a@b> 0 +0000\ncommitter a <a@b> 0 +0000\n\nx").as_bytes(),
    );
    git(folder, &["update-ref", "HEAD", &commit]);
}

#[test]
fn hostile_trees_are_listed_and_named() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &[("a", b"1")]);
    let blob = hash_object(&folder, "blob", b"x");
    let sub = hash_object(&folder, "tree", &tree_entry("100644", b"passwd", &blob));
    let long = [b'n'; 5000];
    let tree = [
        tree_entry("40000", b"..", &sub),
        tree_entry("100644", b"a/b", &blob),
        tree_entry("100664", b"group-writable", &blob),
        tree_entry("100644", &long, &blob),
        tree_entry("100644", b"same", &blob),
        tree_entry("100644", b"same", &blob),
        tree_entry("100644", b"not\xffutf8", &blob),
        tree_entry("100644", b"is-a-tree", &sub),
        tree_entry("40000", b"is-a-blob", &blob),
    ]
    .concat();
    commit_tree(&folder, &hash_object(&folder, "tree", &tree));
    let (source, units) = opened(root.path(), "git", "one");
    let listed = list(source.as_ref(), &units[0], &context(root.path())).expect("listed");
    let found: Vec<(&str, Option<&str>)> = listed
        .iter()
        .map(|row| (row.path.as_str(), row.trouble.as_deref()))
        .collect();
    let cut = "n".repeat(4097);
    assert_eq!(
        found,
        [
            ("../passwd", Some("path leaves the repository")),
            ("a/b", Some("the name of an entry holds a slash")),
            ("group-writable", None),
            ("is-a-blob", Some("the object is not a tree")),
            ("is-a-tree", Some("the object is not a blob")),
            (cut.as_str(), Some("path over 4096 bytes")),
            ("not\\xffutf8", None),
            ("same", None),
            ("same", None),
        ]
    );
    assert_eq!(listed[2].mode, mode::FILE);
    assert!(listed.iter().map(|row| unescape(&row.path)).is_sorted());
}

#[test]
fn trees_that_hold_themselves_many_times_over_are_refused() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &[("a", b"1")]);
    let mut id = hash_object(&folder, "blob", b"x");
    let mut mode = "100644";
    for _ in 0..12 {
        let tree: Vec<u8> = (0..10)
            .flat_map(|i| tree_entry(mode, format!("{i}").as_bytes(), &id))
            .collect();
        (id, mode) = (hash_object(&folder, "tree", &tree), "40000");
    }
    commit_tree(&folder, &id);
    let mut config = config("git", "one");
    config.max_entries = 20_000;
    let source = super::super::open(&config, root.path()).expect("valid");
    let cx = context(root.path());
    let units = source.resolve(&cx).expect("resolved");
    let error = list(source.as_ref(), &units[0], &cx).expect_err("a bomb");
    assert!(error.message().contains("more than 20000 entries") && !error.is_transient());
    for _ in 0..80 {
        id = hash_object(&folder, "tree", &tree_entry("40000", b"d", &id));
    }
    commit_tree(&folder, &id);
    let units = source.resolve(&cx).expect("resolved");
    let listed = list(source.as_ref(), &units[0], &cx).expect("listed");
    assert_eq!(
        (listed.len(), listed[0].trouble.as_deref()),
        (1, Some("the folder lies too deep"))
    );
}

#[test]
fn nothing_a_repository_says_is_executed_or_believed() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(
        root.path(),
        "one",
        &[("a", b"genuine"), (".gitattributes", b"* filter=evil\n")],
    );
    let marker = root.path().join("executed");
    let script = format!("touch {}", marker.display());
    for key in [
        "core.fsmonitor",
        "core.hooksPath",
        "filter.evil.smudge",
        "filter.evil.clean",
        "core.sshCommand",
        "uploadpack.packObjectsHook",
    ] {
        git(&folder, &["config", key, &script]);
    }
    git(&folder, &["config", "include.path", "/nonexistent"]);
    let genuine = String::from_utf8(git(&folder, &["rev-parse", "HEAD:a"]))
        .expect("hex")
        .trim()
        .to_owned();
    let forged = hash_object(&folder, "blob", b"forged!");
    git(&folder, &["replace", &genuine, &forged]);
    let (source, units) = opened(root.path(), "git", "one");
    let cx = context(root.path());
    let batch = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
    assert_eq!(
        read(source.as_ref(), &units[0], &batch, &cx)[1],
        Ok(b"genuine".to_vec())
    );
    assert!(!marker.exists());
}

#[test]
fn metadata_and_attributes_reach_every_row() {
    let root = tempfile::tempdir().expect("tempdir");
    write(
        &root.path().join("repos.jsonl"),
        br#"{"path": "one", "stars": 5, "license": "ISC", "forks": 2}"#,
    );
    repository(
        root.path(),
        "one",
        &[("src/a.rs", b"a"), (".gitattributes", b"src/** linguist-vendored\n")],
    );
    let (source, units) = opened(root.path(), "git", "repos.jsonl");
    let batch = list_batch(source.as_ref(), &units[0], &context(root.path())).expect("listed");
    let stars = columns::i64s(&batch, columns::STARS).expect("stars");
    assert_eq!(
        (
            stars.value(0),
            columns::i64s(&batch, columns::FORKS).expect("forks").value(1)
        ),
        (5, 2)
    );
    let vendored = columns::booleans(&batch, columns::ATTRIBUTE_VENDORED).expect("flags");
    let flag = |i| arrow_array::Array::is_valid(vendored, i).then(|| vendored.value(i));
    assert_eq!((flag(0), flag(1)), (None, Some(true)));
}

#[test]
fn a_repository_elsewhere_is_cloned_once_by_url_and_commit() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &various());
    let (served, _) = serve(root.path());
    let url = format!("{served}/one");
    let unit = assert_same_as_git(root.path(), &url, &folder);
    assert_eq!(
        (unit.repo_name.as_str(), unit.location.as_str(), unit.length_bytes),
        ("one", url.as_str(), UNKNOWN_BYTES)
    );
    let clones = || -> Vec<String> { names_in(&root.path().join("cache")) };
    assert!(
        clones().len() == 1 && clones()[0].ends_with(&unit.revision_id),
        "{:?}",
        clones()
    );
    write(&folder.join("new"), b"new");
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-qm", "two"]);
    let newer = assert_same_as_git(root.path(), &url, &folder);
    assert!(newer.revision_id != unit.revision_id && clones().len() == 2);
    // The cache answers when the repository is gone, and an older lock still finds its own commit.
    std::fs::rename(&folder, root.path().join("gone")).expect("renamed");
    let source = super::super::open(&config("git", &url), root.path()).expect("valid");
    assert_eq!(
        list(source.as_ref(), &unit, &context(&root.path().join("cache")))
            .expect("listed")
            .len(),
        various().len()
    );
    let error = list(source.as_ref(), &unit, &context(&root.path().join("empty-cache"))).expect_err("gone");
    assert!(matches!(error.kind(), ErrorKind::Source), "{error}");
    assert!(!clones().iter().any(|name| name.starts_with(".clone")));
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name != super::report::FOLDER)
        .collect();
    names.sort();
    names
}

#[test]
fn file_urls_are_read_in_place() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "a one", &various());
    let url = format!("file://{}", folder.display().to_string().replace(' ', "%20"));
    let unit = assert_same_as_git(root.path(), &url, &folder);
    assert_eq!(unit.repo_name, "a one");
    assert_eq!(unit.location, escape(folder.as_os_str().as_encoded_bytes()));
    assert!(!root.path().join("cache").exists());
}

/// What git itself answers to a request of the smart HTTP protocol for a repository below `root`.
fn answer(root: &Path, stream: &mut TcpStream) {
    let (first, body) = request(stream);
    let target = first.split(' ').nth(1).unwrap_or_default().trim_start_matches('/');
    let name = target.split("/info/").next().unwrap_or_default();
    let folder = root.join(name.trim_end_matches("/git-upload-pack"));
    let (kind, content) = match folder.exists() {
        true => upload_pack(&folder, &first, &body),
        false => ("none", Vec::new()),
    };
    let status = if folder.exists() { "200 OK" } else { "404 Not Found" };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/x-git-upload-pack-{kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        content.len()
    );
    let _ = stream.write_all(&content);
}

/// A server on the loopback of the repositories below `root`; its URL.
fn serve(root: &Path) -> (String, Count) {
    let root = root.to_owned();
    let (url, count) = listen(move |_, stream| answer(&root, stream));
    (format!("http://{url}"), count)
}

type Count = std::sync::Arc<std::sync::atomic::AtomicUsize>;

/// Hands each connection to `answer`; the address, and the number of connections.
fn listen(answer: impl Fn(usize, &mut TcpStream) + Send + 'static) -> (String, Count) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let count = Count::default();
    let counted = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let number = counted.fetch_add(1, SeqCst);
            answer(number, &mut stream);
        }
    });
    (address, count)
}

/// A server on the loopback that answers each connection with `answer`; its URL.
fn server(answer: impl Fn(usize, &mut TcpStream) + Send + 'static) -> (String, Count) {
    let (address, count) = listen(move |number, stream| {
        let _ = stream.read(&mut [0; 4096]);
        answer(number, stream);
    });
    (format!("http://{address}/owner/name"), count)
}

fn resolve(root: &Path, url: &str) -> Result<Vec<Unit>> {
    let mut config = config("git", url);
    config.attempts = 2;
    super::super::open(&config, root).and_then(|source| source.resolve(&context(&root.join("cache"))))
}

#[test]
fn trouble_of_the_network_is_retried_and_refusals_are_final() {
    let root = tempfile::tempdir().expect("tempdir");
    for (status, attempts) in [
        ("503 Service Unavailable", 2),
        ("500 Oops", 2),
        ("429 Too Many Requests", 2),
    ] {
        let (url, count) = server(move |_, stream| {
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
        });
        let units = resolve(root.path(), &url).expect(status);
        assert!(units[0].trouble.is_some(), "{status}: {units:?}");
        assert_eq!(count.load(SeqCst), attempts, "{status}");
    }
    for status in ["404 Not Found", "401 Unauthorized", "403 Forbidden", "410 Gone"] {
        let (url, count) = server(move |_, stream| {
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\nwww-authenticate: Basic realm=x\r\n\r\n"
            );
        });
        let units = resolve(root.path(), &url).expect(status);
        assert!(units[0].trouble.is_some(), "{status}: {units:?}");
        assert_eq!(count.load(SeqCst), 1, "{status}");
    }
}

#[test]
fn servers_that_hang_up_are_trouble_of_the_repository() {
    let root = tempfile::tempdir().expect("tempdir");
    let (at_once, _) = server(|_, _| {});
    let (midway, _) = server(|_, stream| {
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement\r\ncontent-length: 900\r\n\r\n001e# service=git-upload-pack\n0000000eversion 2\n"
        );
    });
    let (mid_header, _) = server(|_, stream| {
        let _ = write!(stream, "HTTP/1.1 200 OK\r\ncontent-ty");
    });
    let refused = format!(
        "http://{}/o/n",
        TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("an address")
    );
    for url in [at_once, midway, mid_header, refused] {
        let units = resolve(root.path(), &url).expect(&url);
        assert!(units[0].trouble.is_some(), "{units:?}");
    }
    let (nonsense, _) = server(|_, stream| {
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 5\r\nconnection: close\r\n\r\nhello"
        );
    });
    assert!(resolve(root.path(), &nonsense).expect("answered")[0].trouble.is_some());
}

#[test]
fn a_second_attempt_may_succeed() {
    let root = tempfile::tempdir().expect("tempdir");
    let commit = "56a6051ca2b02b04ef92d5150c9ef600403cb1de";
    let (url, count) = server(move |number, stream| {
        let (kind, body) = match number {
            0 => return,
            1 => (
                "advertisement",
                packet("# service=git-upload-pack\n")
                    + "0000"
                    + &packet("version 2\n")
                    + &packet("ls-refs\n")
                    + &packet("fetch=shallow\n")
                    + "0000",
            ),
            _ => (
                "result",
                packet(&format!("{commit} HEAD symref-target:refs/heads/main\n")) + "0000",
            ),
        };
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-{kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
    });
    let units = resolve(root.path(), &url).expect("resolved");
    assert_eq!(
        (
            units[0].revision_id.as_str(),
            units[0].repo_name.as_str(),
            &units[0].trouble
        ),
        (commit, "owner/name", &None)
    );
    assert_eq!(count.load(SeqCst), 3);
}

/// Reads one request: its first line, and its body, which may come in chunks.
fn request(stream: &mut TcpStream) -> (String, Vec<u8>) {
    let mut reader = BufReader::new(stream);
    let (mut first, mut length, mut chunked) = (String::new(), 0, false);
    reader.read_line(&mut first).expect("a request");
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        let line = line.trim().to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().expect("a number"),
            Some(("transfer-encoding", _)) => chunked = true,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = Vec::new();
    while chunked {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a chunk");
        let size = usize::from_str_radix(line.trim(), 16).expect("a size");
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).expect("a chunk");
        body.extend_from_slice(&chunk[..size]);
        chunked = size > 0;
    }
    let start = body.len();
    body.resize(start + length, 0);
    reader.read_exact(&mut body[start..]).expect("a body");
    (first, body)
}

/// What git itself answers to a request of the smart HTTP protocol.
fn upload_pack(folder: &Path, first: &str, body: &[u8]) -> (&'static str, Vec<u8>) {
    let advertise = first.starts_with("GET");
    let mut command = Command::new("git");
    command
        .args(["upload-pack", "--stateless-rpc"])
        .env("GIT_PROTOCOL", "version=2");
    if advertise {
        command.arg("--advertise-refs");
    }
    let mut child = command
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("git runs");
    child.stdin.take().expect("a pipe").write_all(body).expect("written");
    let output = child.wait_with_output().expect("git ends").stdout;
    match advertise {
        true => (
            "advertisement",
            [&b"001e# service=git-upload-pack\n0000"[..], &output].concat(),
        ),
        false => ("result", output),
    }
}

#[test]
fn packs_that_break_off_are_fetched_again_and_never_used() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &[("a", b"a"), ("noise", &noise(400_000))]);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/owner/name.git", listener.local_addr().expect("an address"));
    let cut = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let (cuts, served) = (cut.clone(), folder.clone());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let (first, body) = request(&mut stream);
            let (kind, answer) = upload_pack(&served, &first, &body);
            let is_pack = answer.len() > 100_000;
            let cut = is_pack && cuts.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_ok();
            let end = if cut { answer.len() / 2 } else { answer.len() };
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-{kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                answer.len()
            );
            let _ = stream.write_all(&answer[..end]);
        }
    });
    let mut config = config("git", &url);
    config.attempts = 2;
    let source = super::super::open(&config, root.path()).expect("valid");
    let cx = context(&root.path().join("cache"));
    let units = source.resolve(&cx).expect("resolved");
    cut.store(2, SeqCst);
    let error = list(source.as_ref(), &units[0], &cx).expect_err("broken off twice");
    assert!(error.is_permanent_trouble(), "{error}");
    assert_eq!(names_in(&cx.cache), [""; 0]);
    cut.store(1, SeqCst);
    assert_eq!(list(source.as_ref(), &units[0], &cx).expect("fetched").len(), 2);
    let unit = assert_same_as_git(root.path(), &url, &folder);
    assert_eq!((unit.repo_name.as_str(), &unit), ("owner/name", &units[0]));
}

/// A line of git's protocol.
fn packet(text: &str) -> String {
    format!("{:04x}{text}", text.len() + 4)
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let root = tempfile::tempdir().expect("tempdir");
    let silent = |after: &'static str| {
        move |_: usize, stream: &mut TcpStream| {
            let _ = stream.write_all(after.as_bytes());
            // Until the client hangs up.
            let _ = std::io::copy(stream, &mut std::io::sink());
        }
    };
    let headers = "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-advertisement\r\ncontent-length: 900\r\n\r\n001e#";
    for (scheme, (address, count)) in [
        ("http", listen(silent(""))),
        ("http", listen(silent(headers))),
        ("git", listen(silent(""))),
        ("git", listen(silent("000eversion 2\n"))),
    ] {
        let url = format!("{scheme}://{address}/owner/name");
        let mut config = config("git", &url);
        (config.attempts, config.timeout_seconds) = (1, 1);
        let source = super::super::open(&config, root.path()).expect("valid");
        let units = source.resolve(&context(&root.path().join("cache"))).expect("silence");
        assert!(units[0].trouble.is_some(), "{url}: {units:?}");
        assert_eq!(count.load(SeqCst), 1, "{url}");
    }
}

#[test]
fn a_git_daemon_is_cloned_from() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &various());
    let served = root.path().to_owned();
    let (address, _) = listen(move |_, stream| {
        let mut length = [0; 4];
        stream.read_exact(&mut length).expect("a length");
        let digits = std::str::from_utf8(&length).expect("digits");
        let mut line = vec![0; usize::from_str_radix(digits, 16).expect("digits") - 4];
        stream.read_exact(&mut line).expect("a request");
        let line = String::from_utf8_lossy(&line).into_owned();
        let path = line
            .split([' ', '\0'])
            .nth(1)
            .expect("a path")
            .trim_start_matches('/')
            .to_owned();
        assert!(
            line.contains("\0host=127.0.0.1:") && line.contains("\0version=2\0"),
            "{line:?}"
        );
        let output = stream.try_clone().expect("a socket");
        let mut child = Command::new("git")
            .args(["upload-pack"])
            .arg(served.join(path))
            .env("GIT_PROTOCOL", "version=2")
            .stdin(std::os::fd::OwnedFd::from(stream.try_clone().expect("a socket")))
            .stdout(std::os::fd::OwnedFd::from(output))
            .spawn()
            .expect("git runs");
        child.wait().expect("git ends");
    });
    let unit = assert_same_as_git(root.path(), &format!("git://{address}/one"), &folder);
    assert_eq!(unit.repo_name, "one");
}

/// Noise that no pack can shorten.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..length).map(|_| next()).collect()
}

#[test]
fn a_clone_over_its_limit_is_trouble() {
    let root = tempfile::tempdir().expect("tempdir");
    repository(root.path(), "one", &[("noise", &noise(400_000))]);
    let (served, _) = serve(root.path());
    let listed = |bytes| {
        let mut config = config("git", &format!("{served}/one"));
        config.max_repository_bytes = bytes;
        let source = super::super::open(&config, root.path()).expect("valid");
        let cx = context(&root.path().join("cache"));
        let units = source.resolve(&cx).expect("resolved");
        list(source.as_ref(), &units[0], &cx)
    };
    let error = listed(399_000).expect_err("too large");
    assert!(
        error.is_permanent_trouble() && error.message().contains("more bytes"),
        "{error}"
    );
    assert!(
        error
            .hint_text()
            .is_some_and(|hint| hint.contains("max-repository-bytes"))
    );
    assert_eq!(names_in(&root.path().join("cache")), [""; 0]);
    assert_eq!(listed(410_000).expect("fits").len(), 1);
}

#[test]
fn references_without_end_are_given_up() {
    let root = tempfile::tempdir().expect("tempdir");
    let (url, _) = server(|number, stream| {
        let kind = if number == 0 { "advertisement" } else { "result" };
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/x-git-upload-pack-{kind}\r\nconnection: close\r\n\r\n"
        );
        if number == 0 {
            let lines = [
                "# service=git-upload-pack\n",
                "version 2\n",
                "ls-refs\n",
                "fetch=shallow\n",
            ]
            .map(packet);
            let _ = write!(stream, "{}0000{}0000", lines[0], lines[1..].concat());
            return;
        }
        let line = packet(&format!("{} refs/heads/{}\n", "1".repeat(40), "x".repeat(60_000)));
        while stream.write_all(line.as_bytes()).is_ok() {}
    });
    let units = resolve(root.path(), &url).expect("resolved");
    let trouble = units[0].trouble.as_deref().expect("trouble");
    assert!(trouble.contains("more bytes"), "{trouble}");
}

/// An interrupt that comes after it was asked for a number of times.
struct After(std::sync::atomic::AtomicUsize);

impl stackmill_schemas::context::Interrupt for After {
    fn is_raised(&self) -> bool {
        self.0.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_err()
    }
}

#[test]
fn an_interrupt_stops_a_clone() {
    let root = tempfile::tempdir().expect("tempdir");
    repository(root.path(), "one", &[("noise", &noise(2_000_000))]);
    let (served, _) = serve(root.path());
    let source = super::super::open(&config("git", &format!("{served}/one")), root.path()).expect("valid");
    let mut cx = context(&root.path().join("cache"));
    let units = source.resolve(&cx).expect("resolved");
    cx.interrupt = std::sync::Arc::new(After(20.into()));
    let error = list(source.as_ref(), &units[0], &cx).expect_err("interrupted");
    assert_eq!(error.kind(), ErrorKind::Interrupted, "{error}");
    assert_eq!(names_in(&root.path().join("cache")), [""; 0]);
}

#[test]
fn a_tree_or_blob_beyond_its_limit_is_not_inflated() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &[("a", b"1"), ("b", &[7; 1000])]);
    for packed in [false, true] {
        if packed {
            git(&folder, &["gc", "-q"]);
        }
        let mut objects = Objects::open(&folder.join(".git/objects")).expect("opened");
        let id = |name: &str| {
            let id = git(&folder, &["rev-parse", name]);
            ObjectId::from_hex(id.trim_ascii()).expect("hex")
        };
        let mut buffer = Vec::new();
        let mut blob = |most| objects.blob(&id("HEAD:b"), most, &mut buffer).expect("no shortage");
        assert_eq!((blob(1000), blob(999)), (Ok(()), Err(Trouble::BlobTooLarge)));
        assert_eq!(objects.blob_length(&id("HEAD:b")).expect("no shortage"), Ok(1000));
        let tree = objects
            .object(&id("HEAD^{tree}"), 10, &mut buffer)
            .expect("no shortage");
        assert_eq!(tree, Err(objects::Missing::TooLong));
    }
}

/// Reads what a bundle holds, and what git says of the repository that it was made of.
fn assert_bundle(root: &Path, name: &str, folder: &Path) {
    let unit = assert_same_as_git(root, name, folder);
    assert_eq!(unit.repo_name, name.trim_end_matches(".bundle"));
}

#[test]
fn bundles_of_both_versions_list_and_read_as_in_git() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &various());
    write(&folder.join("a.txt"), b"second");
    git(&folder, &["commit", "-q", "-a", "-m", "two"]);
    git(&folder, &["tag", "-a", "-m", "t", "v1", "HEAD~1"]);
    git(&folder, &["bundle", "create", "-q", "../all.bundle", "--all"]);
    assert_bundle(root.path(), "all.bundle", &folder);
    git(
        &folder,
        &["bundle", "create", "-q", "--version=3", "../three.bundle", "HEAD"],
    );
    assert_bundle(root.path(), "three.bundle", &folder);
    // No `HEAD`: the only branch is read; a tag can be asked for.
    git(&folder, &["bundle", "create", "-q", "../odd name", "main", "v1"]);
    assert_bundle(root.path(), "odd name", &folder);
    let first = String::from_utf8(git(&folder, &["rev-parse", "v1^{commit}"])).expect("hex");
    let mut config = config("git", "*.bundle");
    config.revision = Some("v1^{commit}".to_owned());
    let source = super::super::open(&config, root.path()).expect("valid");
    let units = source.resolve(&context(&root.path().join("cache"))).expect("resolved");
    let found: Vec<_> = units
        .iter()
        .map(|unit| (unit.repo_name.as_str(), unit.revision_id.as_str()))
        .collect();
    assert_eq!(found[0], ("all", first.trim()));
    assert!(found[1].1.is_empty(), "that bundle has no tag");
    // One that changes is unpacked anew.
    write(&folder.join("a.txt"), b"third");
    git(&folder, &["commit", "-q", "-a", "-m", "three"]);
    git(&folder, &["bundle", "create", "-q", "../all.bundle", "--all"]);
    assert_bundle(root.path(), "all.bundle", &folder);
}

#[test]
fn bundles_that_cannot_be_read_say_why() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &[("a", b"1")]);
    write(&folder.join("a"), b"2");
    git(&folder, &["commit", "-q", "-a", "-m", "two"]);
    git(&folder, &["bundle", "create", "-q", "../part.bundle", "HEAD~1..HEAD"]);
    git(&folder, &["bundle", "create", "-q", "../whole.bundle", "HEAD"]);
    let whole = std::fs::read(root.path().join("whole.bundle")).expect("a bundle");
    let head = whole.windows(2).position(|two| two == b"\n\n").expect("an empty line") + 2;
    let mut flipped = whole.clone();
    flipped[head + 40] ^= 0x20;
    let with = |line: &str| [format!("# v3 git bundle\n{line}\n").as_bytes(), &whole[head..]].concat();
    let at = root.path();
    for (name, bytes, words) in [
        ("flipped", &flipped[..], "the pack of the bundle is broken"),
        ("short", &whole[..whole.len() - 3], "the pack of the bundle is broken"),
        ("head", &whole[..head - 1], "its head breaks off"),
        ("empty", &with("")[..], "the repository has no commits"),
        ("asks", &with("@odd=1\n")[..], "asks for `odd=1`"),
        ("sha256", &with("@object-format=sha256\n")[..], "has sha256 ids"),
        ("nonsense", &with("zz refs/heads/main\n")[..], "names no references"),
    ] {
        write(&at.join(name), bytes);
        let (_, units) = opened(at, "git", name);
        let trouble = units[0].trouble.as_deref().expect("trouble");
        assert!(trouble.contains(words), "{name}: {trouble}");
    }
    let (_, units) = opened(at, "git", "part.bundle");
    assert_eq!(
        units[0].trouble.as_deref(),
        Some("the bundle goes on from commits that it does not hold")
    );
}

#[test]
fn repositories_of_other_ids_are_refused_in_words() {
    let root = tempfile::tempdir().expect("tempdir");
    git(root.path(), &["init", "-q", "--object-format=sha256", "one"]);
    git(
        &root.path().join("one"),
        &["commit", "-q", "--allow-empty", "-m", "one"],
    );
    let (_, units) = opened(root.path(), "git", "one");
    let words = "the repository has sha256 ids; only those with sha1 ids are read";
    assert_eq!(units[0].trouble.as_deref(), Some(words));
}

#[test]
fn any_revision_of_a_mirror_is_found() {
    let root = tempfile::tempdir().expect("tempdir");
    let folder = repository(root.path(), "one", &[("a", b"1")]);
    let first = String::from_utf8(git(&folder, &["rev-parse", "HEAD"]))
        .expect("hex")
        .trim()
        .to_owned();
    git(&folder, &["tag", "-a", "-m", "t", "v1.2"]);
    git(&folder, &["update-ref", "refs/pull/1/head", "HEAD"]);
    write(&folder.join("a"), b"2");
    git(&folder, &["commit", "-q", "-a", "-m", "two"]);
    git(root.path(), &["clone", "-q", "--mirror", "one", "mirror.git"]);
    for revision in [
        "v1.2",
        "v1.2^{commit}",
        "refs/pull/1/head",
        "HEAD~1",
        "main^",
        &first[..9],
    ] {
        let mut config = config("git", "mirror.git");
        config.revision = Some(revision.to_owned());
        let source = super::super::open(&config, root.path()).expect("valid");
        let units = source.resolve(&context(root.path())).expect("resolved");
        assert_eq!(
            (&units[0].revision_id, &units[0].trouble),
            (&first, &None),
            "{revision}"
        );
    }
}

/// Differences that chain, and that many share: each is what git says, wherever reading starts.
#[test]
fn every_share_of_a_delta_tree_reads_as_in_git() {
    let root = tempfile::tempdir().expect("tempdir");
    let text: String = (0..2000).map(|i| format!("line {i} of a long file\n")).collect();
    let folder = repository(root.path(), "one", &[("seed", text.as_bytes())]);
    for i in 0..40 {
        let content = text.replacen(&format!("line {i} "), "changed ", 1) + &"tail\n".repeat(i);
        write(&folder.join(format!("f{i:02}")), content.as_bytes());
    }
    git(&folder, &["add", "-A"]);
    git(&folder, &["commit", "-q", "-m", "more"]);
    git(
        &folder,
        &["repack", "-q", "-a", "-d", "-f", "--depth=20", "--window=30"],
    );
    let (source, units) = opened(root.path(), "git", "one");
    let cx = context(root.path());
    let batch = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
    for (start, count) in [(0, 1), (7, 1), (3, 9), (20, 21), (0, 41)] {
        let part = batch.slice(start, count);
        let mut found = 0;
        let mut check = |contents: RecordBatch| {
            let bytes = columns::binaries(&contents, columns::CONTENT)?;
            for (i, id) in columns::u64s(&contents, columns::FILE_ID)?.values().iter().enumerate() {
                let row = &rows(&batch)[*id as usize];
                let blob = row.blob.as_deref().expect("a blob");
                assert_eq!(
                    bytes.value(i),
                    git(&folder, &["cat-file", "blob", blob]),
                    "{}",
                    row.path
                );
                found += 1;
            }
            Ok(())
        };
        source.read(&units[0], &part, &mut Emit(&mut check), &cx).expect("read");
        assert_eq!(found, count);
    }
}
