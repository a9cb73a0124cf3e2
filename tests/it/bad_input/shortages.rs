//! A machine that has too few descriptors to give: never the trouble of what was being read.

use std::process::Command;

use stackmill_tests::{Ran, Sandbox, Tree, git, program};

/// Runs `recipe.toml` into `out` with at most `files` open files.
fn with_open_files(sandbox: &Sandbox, files: u32) -> Ran {
    let mut shell = Command::new("/bin/sh");
    shell
        .args(["-c", "ulimit -n \"$1\" && shift && exec \"$@\"", "sh"])
        .arg(files.to_string())
        .arg(program())
        .args(["run", "recipe.toml", "--out", "out", "--threads", "4"])
        .current_dir(sandbox.path(""))
        .env("HOME", sandbox.path("home"));
    sandbox.wait(&mut shell)
}

/// Repositories of every kind: loose, packed, broken; folders; archives; both kinds of tables.
fn corpus(sandbox: &Sandbox) {
    for i in 0..4 {
        let text: String = (0..6)
            .map(|j| format!("-- src/f{j}.py\nvalue_{i}_{j} = {j}\n"))
            .collect();
        let tree = Tree::of(&format!("{text}-- LICENSE\nMIT License\n"));
        let clone = sandbox.path(format!("clone{i}"));
        tree.commit(&clone, false);
        if i % 2 == 1 {
            git(&clone, &["repack", "-q", "-a", "-d"], b"");
        }
        tree.write(&sandbox.path(format!("folder{i}")));
        sandbox.write(&format!("archive{i}.tar"), tree.tar("top/"));
        sandbox.write(&format!("table{i}.jsonl"), format!("{{\"content\": \"t = {i}\\n\"}}\n"));
    }
    std::fs::create_dir_all(sandbox.path("clone-broken")).expect("a folder");
    let recipe = "name = \"shortages\"\n[run]\nmax-failed-repositories = \"100%\"\nsplit-repositories = 2\n";
    let sources = [
        "git = \"clone*\"",
        "directory = \"folder*\"",
        "archives = \"*.tar\"",
        "jsonl = \"*.jsonl\"",
    ];
    let sources = sources.map(|source| format!("[[source]]\n{source}\n")).concat();
    sandbox.write("recipe.toml", format!("{recipe}{sources}"));
}

/// Mutation: say in `ingest` that a file cannot be read whatever the system's error is, or count every `Io` error as
/// permanent trouble of the repository.
#[test]
fn too_few_open_files_stop_the_run_and_change_nothing() {
    let sandbox = Sandbox::new();
    corpus(&sandbox);
    let whole = sandbox.built("recipe.toml", &["--out", "whole"]);
    assert_eq!(whole.total("repositories_failed"), 1);
    let mut stopped = 0;
    for files in 6..40 {
        let ran = with_open_files(&sandbox, files);
        if ran.code != Some(0) {
            ran.fails(6, "open files").hints("run the same command again to resume");
            assert!(!sandbox.path("out/manifest.json").exists(), "{files}");
            stopped += 1;
        }
        assert_eq!(sandbox.built("recipe.toml", &[]).hashes(), whole.hashes(), "{files}");
        std::fs::remove_dir_all(sandbox.path("out")).expect("removed");
    }
    assert!(stopped > 3, "{stopped}");
}

/// Mutation: take a socket that cannot be opened, or a name that cannot be looked up without one, for a dead host.
#[test]
fn too_few_open_files_are_no_dead_hosts() {
    let sandbox = Sandbox::new();
    let hosts = ["git://localhost:1/a", "http://localhost:1/b", "https://127.0.0.1:1/c"];
    sandbox.write("repos.txt", hosts.join("\n"));
    sandbox.write(
        "recipe.toml",
        "name = \"net\"\n[run]\nmax-failed-repositories = \"100%\"\n[[source]]\ngit = \"repos.txt\"\nattempts = 1\n",
    );
    let whole = sandbox.built("recipe.toml", &["--out", "whole"]);
    assert_eq!(whole.total("repositories_failed"), 3);
    for files in 6..40 {
        let ran = with_open_files(&sandbox, files);
        match ran.code {
            Some(0) => assert_eq!(sandbox.dataset("out").hashes(), whole.hashes(), "{files}"),
            _ => drop(ran.fails(6, "open files")),
        }
        if sandbox.path("out").exists() {
            std::fs::remove_dir_all(sandbox.path("out")).expect("removed");
        }
    }
}
