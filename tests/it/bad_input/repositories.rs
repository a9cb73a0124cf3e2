//! Git repositories that are missing, empty, broken, shallow, or hold paths that no repository should.

use std::fs;
use std::path::{Path, PathBuf};

use stackmill_tests::{Sandbox, Tree, git};

use super::{beside_good, good, told, unreadable};

const TREE: &str = "-- a.py\nfirst = 1\n-- b.py\nsecond = 2\n-- c.py\nthird = 3\n";

/// The file of a loose object.
fn loose(clone: &Path, id: &str) -> PathBuf {
    clone.join(".git/objects").join(&id[..2]).join(&id[2..])
}

fn blob_of(clone: &Path, path: &str) -> String {
    git(clone, &["rev-parse", &format!("main:{path}")], b"")
        .trim()
        .to_owned()
}

/// Objects are read-only files.
fn overwrite(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    fs::write(path, bytes).expect("the sandbox can be written to");
}

/// Mutation: let a repository that cannot be opened end the run, or leave it out of the ledger.
#[test]
fn repositories_that_cannot_be_read_are_one_row_each() {
    type Spoil = fn(&Sandbox, &Path);
    let cases: [(&str, Spoil); 6] = [
        ("missing", |_, _| {}),
        ("no repository", |_, clone| fs::create_dir_all(clone).expect("a folder")),
        ("empty", |_, clone| {
            fs::create_dir_all(clone).expect("a folder");
            git(clone, &["init", "-q"], b"");
        }),
        ("HEAD is garbage", |sandbox, clone| {
            Tree::of(TREE).commit(clone, false);
            sandbox.write("bad/.git/HEAD", b"\x00\xffgarbage");
        }),
        ("commit is missing", |_, clone| {
            let commit = Tree::of(TREE).commit(clone, false);
            fs::remove_file(loose(clone, &commit)).expect("a loose object");
        }),
        ("tree is cut short", |_, clone| {
            Tree::of(TREE).commit(clone, false);
            let tree = git(clone, &["rev-parse", "main^{tree}"], b"");
            let path = loose(clone, tree.trim());
            let bytes = fs::read(&path).expect("a loose object");
            overwrite(&path, &bytes[..bytes.len() / 2]);
        }),
    ];
    let mut troubles = Vec::new();
    for (name, spoil) in cases {
        let sandbox = Sandbox::new();
        spoil(&sandbox, &sandbox.path("bad"));
        troubles.push(format!(
            "{name}: {}",
            unreadable(&beside_good(&sandbox, "git = \"bad\""))
        ));
    }
    insta::assert_snapshot!("unreadable_repositories", troubles.join("\n"));
}

/// An outage must not give a small "successful" corpus.
/// Mutation: compare with `<` a share of 100% in `check_failures`.
#[test]
fn too_many_unreadable_repositories_stop_the_run() {
    let sandbox = Sandbox::new();
    good(&sandbox);
    sandbox.write(
        "recipe.toml",
        "name = \"r\"\n[[source]]\ndirectory = \"good\"\n[[source]]\ngit = [\"gone\", \"lost\"]\n",
    );
    let ran = sandbox
        .run("recipe.toml", &[])
        .fails(7, "2 of 3 repositories cannot be read");
    ran.hints("--set run.max-failed-repositories=100%");
    assert!(!sandbox.path("out/manifest.json").exists());
    sandbox
        .built("recipe.toml", &["--set", "run.max-failed-repositories=100%"])
        .adds_up();
}

/// A repository may break after it was resolved: found when it is listed, counted the same way.
/// Mutation: check failures when resolving only.
#[test]
fn repositories_that_break_later_count_too() {
    let sandbox = Sandbox::new();
    good(&sandbox);
    Tree::of(TREE).commit(&sandbox.path("bad"), false);
    let tree = git(&sandbox.path("bad"), &["rev-parse", "main^{tree}"], b"");
    overwrite(&loose(&sandbox.path("bad"), tree.trim()), b"nothing");
    sandbox.write(
        "recipe.toml",
        "name = \"r\"\n[[source]]\ndirectory = \"good\"\n[[source]]\ngit = \"bad\"\n",
    );
    sandbox
        .run("recipe.toml", &[])
        .fails(7, "1 of 2 repositories cannot be read");
    assert!(!sandbox.path("out/manifest.json").exists());
}

/// Mutation: let one blob that cannot be inflated fail its whole repository, or skip the check of ids.
#[test]
fn a_broken_object_costs_one_file() {
    type Spoil = fn(&Path, &str);
    let cases: [(&str, Spoil); 4] = [
        ("missing", |clone, id| {
            fs::remove_file(loose(clone, id)).expect("a loose object");
        }),
        ("cut short", |clone, id| {
            let bytes = fs::read(loose(clone, id)).expect("a loose object");
            overwrite(&loose(clone, id), &bytes[..bytes.len() - 6]);
        }),
        ("another object's bytes", |clone, id| {
            let bytes = fs::read(loose(clone, &blob_of(clone, "a.py"))).expect("a loose object");
            overwrite(&loose(clone, id), &bytes);
        }),
        ("no bytes", |clone, id| overwrite(&loose(clone, id), b"")),
    ];
    let mut all = Vec::new();
    for (name, spoil) in cases {
        let sandbox = Sandbox::new();
        let clone = sandbox.path("bad");
        Tree::of(TREE).commit(&clone, false);
        spoil(&clone, &blob_of(&clone, "b.py"));
        let data = beside_good(&sandbox, "git = \"bad\"");
        assert_eq!(
            (data.end("a.py"), data.end("c.py")),
            ("kept".to_owned(), "kept".to_owned()),
            "{name}"
        );
        assert!(data.end("b.py").starts_with("failed "), "{name}: {}", data.end("b.py"));
        all.push(format!("{name}\n{}", told(&data)));
    }
    insta::assert_snapshot!("broken_objects", all.join("\n"));
}

/// Mutation: read beyond a shallow clone's border.
#[test]
fn a_shallow_clone_is_read_like_any_other() {
    let sandbox = Sandbox::new();
    Tree::of(TREE).commit(&sandbox.path("whole"), false);
    let url = format!("file://{}", sandbox.path("whole").display());
    git(&sandbox.path(""), &["clone", "-q", "--depth", "1", &url, "bad"], b"");
    let data = beside_good(&sandbox, "git = \"bad\"");
    assert_eq!(["a.py", "b.py", "c.py"].map(|path| data.end(path)), ["kept"; 3]);
}

/// Trees that git itself would not write: made object by object.
/// Mutation: take `hostile-path` out of `Select`, or print raw bytes into the ledger.
#[test]
fn hostile_paths_are_rows_and_never_places() {
    let sandbox = Sandbox::new();
    let clone = sandbox.path("bad");
    fs::create_dir_all(&clone).expect("a folder");
    git(&clone, &["init", "-q", "-b", "main"], b"");
    let blob = git(&clone, &["hash-object", "-w", "--stdin"], b"evil = 1\n");
    let long = "d".repeat(250);
    let tree = |entries: &[(&str, &[u8], &str)]| {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend([mode.as_bytes(), b" ", name, b"\0"].concat());
            let id = id.trim();
            bytes.extend((0..20).map(|i| u8::from_str_radix(&id[2 * i..2 * i + 2], 16).expect("hexadecimal digits")));
        }
        git(
            &clone,
            &["hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
            &bytes,
        )
    };
    let mut deep = tree(&[("100644", b"deep.py", &blob)]);
    for _ in 0..15 {
        deep = tree(&[("40000", long.as_bytes(), &deep)]);
    }
    let mut deepest = deep.clone();
    for _ in 0..2 {
        deepest = tree(&[("40000", long.as_bytes(), &deepest)]);
    }
    let up = tree(&[("100644", b"up.py", &blob)]);
    let root = tree(&[
        ("40000", b"..", &up),
        ("100644", b"/absolute.py", &blob),
        ("100644", b"a\\b.py", &blob),
        ("100644", b"bad\xff\xfe.py", &blob),
        ("40000", b"deep", &deep),
        ("40000", b"deepest", &deepest),
        ("100644", b"line\nend\x1b[31m.py", &blob),
        ("100644", b"plain.py", &blob),
    ]);
    let commit = git(&clone, &["commit-tree", root.trim(), "-m", "t"], b"");
    git(&clone, &["update-ref", "refs/heads/main", commit.trim()], b"");
    let data = beside_good(&sandbox, "git = \"bad\"\n\n[exact]\nkeep = [\"path\"]");
    insta::assert_snapshot!("hostile_paths", told(&data));
    assert!(!sandbox.path("up.py").exists() && !Path::new("/absolute.py").exists());
}

/// Nothing that a repository brings is run or believed.
/// Mutation: open repositories with their own settings.
#[test]
fn settings_and_hooks_of_a_repository_are_ignored() {
    let sandbox = Sandbox::new();
    let clone = sandbox.path("bad");
    Tree::of(TREE)
        .with(".gitattributes", "*.py filter=evil\n")
        .commit(&clone, false);
    let mark = sandbox.path("was-run");
    let command = format!("touch {}", mark.display());
    for key in [
        "filter.evil.smudge",
        "filter.evil.clean",
        "core.fsmonitor",
        "core.sshCommand",
        "core.pager",
    ] {
        git(&clone, &["config", key, &command], b"");
    }
    for hook in ["post-checkout", "reference-transaction"] {
        let path = sandbox.write(&format!("bad/.git/hooks/{hook}"), format!("#!/bin/sh\n{command}\n"));
        let permissions = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o755);
        fs::set_permissions(path, permissions).expect("the sandbox is ours");
    }
    let data = beside_good(&sandbox, "git = \"bad\"");
    assert_eq!(data.end("a.py"), "kept");
    assert!(!mark.exists(), "something out of the repository was run");
}
