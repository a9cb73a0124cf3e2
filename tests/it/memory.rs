//! Peak memory: bounded by the settings, not by the size of what is read.

use std::fmt::Write as _;
use std::fs;
use std::thread::sleep;
use std::time::Duration;

use stackmill_tests::Sandbox;

/// Files of the one repository.
const FILES: u32 = 600_000;
/// Most resident memory, in KiB: what `--memory 512M` leaves of its 512 MiB after a worker's share.
const MOST_KIB: u64 = 320 << 10;

/// One repository, every fourth file of it a duplicate, as JSON lines.
fn rows() -> String {
    let mut text = String::new();
    for i in 0..FILES {
        let value = i % (FILES / 4 * 3);
        let line = format!(r#""content": "value_{value} = {value}\nprint(value)\n", "repo_name": "o/n""#);
        writeln!(
            text,
            r#"{{"path": "src/folder/number{}/module_{i}.py", {line}}}"#,
            i / 1000
        )
        .expect("because texts grow");
    }
    text
}

/// Invariant: the budget holds whatever the corpus. Mutation: let `Facts::open` in `pipelines/src/passes/ledger.rs` load
/// every chunk and page at once, or raise `SPOOL_BYTES` in `listing.rs`.
#[test]
fn a_repository_of_many_files_does_not_make_the_run_grow() {
    let sandbox = Sandbox::new();
    sandbox.write("rows.jsonl", rows());
    sandbox.write(
        "recipe.toml",
        "name = \"wide\"\n[[source]]\njsonl = \"rows.jsonl\"\n[rules]\n[tokenize]\n",
    );
    let arguments = ["run", "recipe.toml", "--out", "out", "--memory", "512M"];
    let mut child = sandbox.start(&arguments);
    let mut most = 0;
    while child.try_wait().expect("because it is our child").is_none() {
        most = most.max(high_water(child.id()).unwrap_or(0));
        sleep(Duration::from_millis(5));
    }
    assert_eq!(sandbox.dataset("out").total("listed"), u64::from(FILES));
    assert!(most > 0 && most < MOST_KIB, "{} MiB\n{}", most >> 10, sandbox.log());
}

/// The most memory that a process had resident so far, in KiB.
fn high_water(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
