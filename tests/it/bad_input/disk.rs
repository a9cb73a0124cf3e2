//! Disks that are full or read-only, folders that are files, budgets that are used up.

use std::path::{Path, PathBuf};
use std::process::Command;

use stackmill_tests::{Sandbox, skipped};

use crate::real;

/// A small file system of its own; gone when dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None` where this user or machine may not mount.
    fn small(folder: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir_all(&folder).expect("the sandbox can be written to");
        mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"], &folder).then_some(Self(folder))
    }

    fn change(&self, options: &str) {
        assert!(
            mount(&["-o", &format!("remount,{options}")], &self.0),
            "a mount of ours can be changed"
        );
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let output = Command::new("mount").args(arguments).arg(folder).output();
    output.is_ok_and(|output| output.status.success())
}

/// Mutation: ignore the error of a write, or give it the kind Bug.
#[test]
fn a_full_disk_is_told_and_a_larger_one_resumes() {
    let sandbox = Sandbox::new();
    let Some(disk) = Mount::small(sandbox.path("disk"), "200k") else {
        skipped("a full disk", "mounting a small file system is not permitted");
        return;
    };
    let recipe = real::small_recipe();
    sandbox
        .run(&recipe, &["--out", "disk/out"])
        .fails(6, "out of disk space")
        .hints("run the same command again to resume");
    assert!(!sandbox.path("disk/out/manifest.json").exists());
    disk.change("size=256m");
    let data = sandbox.built(&recipe, &["--out", "disk/out"]);
    assert_eq!(data.hashes(), sandbox.built(&recipe, &[]).hashes());
}

/// Scratch on a full disk of its own is told the same way.
/// Mutation: write scratch below `--out` whatever `--scratch` says.
#[test]
fn a_full_scratch_disk_is_told() {
    let sandbox = Sandbox::new();
    let Some(_disk) = Mount::small(sandbox.path("disk"), "200k") else {
        skipped("a full scratch disk", "mounting a small file system is not permitted");
        return;
    };
    sandbox
        .run(&real::recipe(), &["--scratch", "disk/work"])
        .fails(6, "out of disk space")
        .hints("--scratch");
}

/// Mutation: begin the work before the output folder was tried.
#[test]
fn an_output_that_cannot_be_written_is_told_at_once() {
    let sandbox = Sandbox::new();
    let recipe = real::small_recipe();
    sandbox.write("file", "a file where a folder should be");
    sandbox
        .run(&recipe, &["--out", "file"])
        .fails(6, "cannot write to file")
        .hints("--out");
    sandbox
        .run(&recipe, &["--out", "file/below"])
        .fails(6, "cannot write to file/below")
        .hints("--out");
    assert_eq!(
        std::fs::read_to_string(sandbox.path("file")).expect("untouched"),
        "a file where a folder should be"
    );
    let Some(disk) = Mount::small(sandbox.path("disk"), "200k") else {
        skipped("a read-only disk", "mounting a small file system is not permitted");
        return;
    };
    disk.change("ro");
    sandbox
        .run(&recipe, &["--out", "disk/out"])
        .fails(6, "cannot write to disk/out")
        .hints("--out");
}

/// Mutation: claim the folder before looking whether anything is left to do.
#[test]
fn a_complete_data_set_can_be_asked_for_where_nothing_can_be_written() {
    let sandbox = Sandbox::new();
    let Some(disk) = Mount::small(sandbox.path("disk"), "64m") else {
        skipped("a read-only disk", "mounting a small file system is not permitted");
        return;
    };
    let recipe = real::small_recipe();
    sandbox.built(&recipe, &["--out", "disk/out"]);
    disk.change("ro");
    let ran = sandbox.run(&recipe, &["--out", "disk/out"]).succeeds();
    assert!(ran.stderr.contains("this run is complete"), "{}", ran.stderr);
    sandbox.stackmill(&["verify", "disk/out"]).succeeds();
    sandbox.stackmill(&["status", "disk/out"]).succeeds();
    sandbox
        .run(&recipe, &["--out", "disk/out", "--set", "near.threshold=0.8"])
        .fails(3, "another run");
}

/// Mutation: count scratch only when files are complete.
#[test]
fn a_scratch_budget_is_kept_and_more_resumes() {
    let sandbox = Sandbox::new();
    let recipe = real::small_recipe();
    let ran = sandbox
        .run(&recipe, &["--scratch-budget", "100K"])
        .fails(6, "scratch budget of 100.0 KiB is used up");
    ran.hints("resume");
    assert!(
        folder_bytes(&sandbox.path("out/.work")) <= 100 << 10,
        "the budget was passed"
    );
    let data = sandbox.built(&recipe, &["--scratch-budget", "64M"]);
    assert_eq!(data.hashes(), sandbox.built(&recipe, &["--out", "again"]).hashes());
}

fn folder_bytes(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let bytes = |path: PathBuf| {
        if path.is_dir() {
            folder_bytes(&path)
        } else {
            path.metadata().map_or(0, |m| m.len())
        }
    };
    entries.map(|entry| bytes(entry.path())).sum()
}

/// Files of ours that somebody bent are told with their place; starting over helps.
/// Mutation: take what is left of a bent marker for a finished task.
#[test]
fn damaged_scratch_is_told() {
    let sandbox = Sandbox::new();
    let recipe = real::small_recipe();
    let mut command = sandbox.command(&["run", &recipe, "--out", "out"]);
    assert_eq!(
        sandbox.wait(command.env("STACKMILL_FAIL_AT", "content.done:2")).code,
        None
    );
    for entry in std::fs::read_dir(sandbox.path("out/.work/listing"))
        .expect("the listing is there")
        .flatten()
    {
        std::fs::write(entry.path(), "garbage").expect("the sandbox can be written to");
    }
    sandbox
        .run(&recipe, &[])
        .fails(4, "scratch is damaged")
        .hints("--replace");
    let whole = Sandbox::new().built(&recipe, &[]).hashes();
    assert_eq!(sandbox.built(&recipe, &["--replace"]).hashes(), whole);
    sandbox.write("out/manifest.json", "{ \"version\": ");
    sandbox.run(&recipe, &[]).fails(4, "not what stackmill wrote");
    sandbox.write("out/sources.lock", "[]");
    sandbox.run(&recipe, &["--replace"]).fails(4, "sources.lock");
}
