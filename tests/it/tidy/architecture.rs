//! Who may depend on whom, and who may touch the outside world.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use stackmill_tests::root;

use super::none;
use super::source::{self, Source};

/// Normal dependencies of every package, by package.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let arguments = [
        "metadata",
        "--offline",
        "--locked",
        "--format-version",
        "1",
        "--no-deps",
    ];
    let output = Command::new(cargo)
        .args(arguments)
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let normal = |package: &Value| {
        list(&package["dependencies"])
            .iter()
            .filter(|d| d["kind"].is_null())
            .map(name)
            .collect()
    };
    list(&metadata["packages"])
        .iter()
        .map(|package| (name(package), normal(package)))
        .collect()
}

/// Invariant 1: siblings never see each other.
/// Mutation: add `stackmill-dedup = { workspace = true }` to `filters/Cargo.toml`.
#[test]
fn crates_depend_downwards_only() {
    let schemas = "stackmill-schemas";
    let mut findings = Vec::new();
    for (package, dependencies) in dependencies() {
        let allowed: &[&str] = match package.as_str() {
            "stackmill-schemas" => &[],
            "stackmill" | "stackmill-tests" | "stackmill-benches" => continue,
            "stackmill-python" => &["stackmill", schemas],
            _ => &[schemas],
        };
        let ours = dependencies.iter().filter(|name| name.starts_with("stackmill"));
        findings.extend(
            ours.filter(|n| !allowed.contains(&n.as_str()))
                .map(|n| format!("{package} depends on {n}")),
        );
    }
    none(
        &findings,
        "words that two crates need go to `schemas`; `pipelines` joins what crates do",
    );
}

/// Invariants 1 and 2: each kind of foreign thing is the business of one crate.
/// Mutation: add `parquet = { workspace = true }` to `dedup/Cargo.toml`.
#[test]
fn foreign_things_have_one_home() {
    const HOMES: [(&str, &[&str]); 19] = [
        ("gix", &["ingest"]),
        ("object_store", &["ingest"]),
        ("reqwest", &["ingest"]),
        ("encoding_rs", &["ingest"]),
        ("linguist", &["ingest"]),
        ("spdx", &["ingest"]),
        ("tar", &["ingest"]),
        ("flate2", &["ingest"]),
        ("zstd", &["ingest"]),
        ("glob", &["ingest"]),
        ("tree-sitter", &["filters"]),
        ("bpe", &["tokenize"]),
        ("parquet", &["ingest", "pipelines"]),
        ("arrow-ipc", &["pipelines"]),
        ("clap", &["pipelines"]),
        ("rayon", &["pipelines"]),
        ("toml", &["pipelines"]),
        ("indicatif", &["pipelines"]),
        ("pyo3", &["python"]),
    ];
    let mut findings = Vec::new();
    for (package, dependencies) in dependencies() {
        let folder = if package == "stackmill" {
            "pipelines"
        } else {
            package.trim_start_matches("stackmill-")
        };
        if ["tests", "benches"].contains(&folder) {
            continue;
        }
        let strays = HOMES
            .iter()
            .filter(|(name, homes)| dependencies.contains(*name) && !homes.contains(&folder));
        findings.extend(strays.map(|(name, homes)| format!("{package} depends on {name}, the business of {homes:?}")));
    }
    none(
        &findings,
        "call through the contracts of `schemas::stage` and `schemas::context` instead",
    );
}

/// What touches the outside world, who may, and what others do instead.
const FORBIDDEN: [(&[&str], &[&str], &str); 7] = [
    (
        &[
            "fs::write",
            "File::create",
            "create_dir",
            "fs::rename",
            "fs::remove",
            "fs::copy",
            "set_permissions",
            "tempfile::",
        ],
        &[
            "pipelines/src/workdir.rs",
            "pipelines/src/local.rs",
            "pipelines/src/claim.rs",
            "pipelines/src/publish.rs",
            "pipelines/src/run.rs",
            // The clone cache, at the place that the task context names.
            "ingest/src/sources/git/remote.rs",
            // Copies of what a store holds, in the cache.
            "pipelines/src/artefact.rs",
            // Unpacked there, in a folder of the clone cache's making.
            "ingest/src/sources/git/bundle.rs",
        ],
        "files are written by `pipelines::workdir` alone",
    ),
    (
        &["process::Command", "Command::new"],
        &["pipelines/src/isolate.rs", "pipelines/src/ssh.rs"],
        "ask `TaskContext::isolate`",
    ),
    (
        &["thread::spawn", "thread::scope", "thread::Builder", "rayon::"],
        &[
            "pipelines/src/runner.rs",
            "pipelines/src/console.rs",
            "pipelines/src/interrupt.rs",
        ],
        "a task is one thread; `pipelines::runner` owns the pool",
    ),
    (
        &[
            "env::var",
            "env::args",
            "env::current_dir",
            "env::temp_dir",
            "env::set_var",
        ],
        &["pipelines/src/environment.rs"],
        "settings come from the recipe; `pipelines::environment` reads variables",
    ),
    (
        &["Instant::now", "SystemTime", "clock_gettime", "UNIX_EPOCH"],
        &[
            "pipelines/src/clock.rs",
            "pipelines/src/isolate.rs",
            // How long a server lets us wait.
            "ingest/src/sources/git/transport.rs",
        ],
        "no clock shows in any output; `pipelines::clock` is for `run.json` and progress",
    ),
    (
        &["println!", "print!(", "dbg!(", "io::stdout", "io::stderr"],
        &[
            "pipelines/src/cmd/mod.rs",
            "pipelines/src/console.rs",
            "pipelines/src/program.rs",
            "pipelines/src/isolate.rs",
        ],
        "libraries return; `pipelines::cmd` prints data, `pipelines::console` speaks to people",
    ),
    (
        &["TcpStream", "TcpListener", "UdpSocket", "UnixStream"],
        &[
            "ingest/src/sources/git/transport.rs",
            // To the user's `ssh`.
            "ingest/src/network.rs",
            "pipelines/src/ssh.rs",
        ],
        "only the git source and `ingest::store` speak to the network, through their clients",
    ),
];

/// Invariant 2: only `pipelines` writes, prints, starts things, reads clock and environment; there, one module each.
/// Mutation: add `println!("x");` or `std::fs::write("x", "")` to any function of `dedup`.
#[test]
fn the_outside_world_is_touched_in_named_places() {
    let mut findings = Vec::new();
    for source in source::shipped().iter().filter(|source| source.krate != "benches") {
        for (words, allowed, instead) in FORBIDDEN {
            if allowed.contains(&source.path.as_str()) {
                continue;
            }
            for (number, line) in source.code.lines().enumerate() {
                let found = words.iter().filter(|word| holds(line, word));
                findings.extend(found.map(|word| format!("{}:{}: `{word}`: {instead}", source.path, number + 1)));
            }
        }
    }
    none(&findings, "move it to the named place, or take it from `TaskContext`");
}

/// Whether `line` holds `word` as a path of its own, not as the tail of a longer name.
fn holds(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// Invariant 1: `schemas` knows no input and output at all.
/// Mutation: `use std::fs::File;` in `schemas/src/lock.rs`.
#[test]
fn schemas_does_no_io() {
    let of_schemas = source::shipped().into_iter().filter(|source| source.krate == "schemas");
    let reads = [
        "std::fs",
        "std::net",
        "std::env",
        "File::open",
        "std::thread",
        "std::process",
    ];
    let findings: Vec<String> = of_schemas
        .flat_map(|s| {
            reads
                .iter()
                .filter(|r| s.code.contains(*r))
                .map(|r| format!("{}: `{r}`", s.path))
                .collect::<Vec<_>>()
        })
        .collect();
    none(&findings, "reading belongs to `ingest`, writing to `pipelines`");
}

/// Invariant 9: no unordered iteration reaches output.
/// Mutation: in `pipelines/src/passes/ledger.rs`, write `for (id, decision) in &self.decisions {}` into any method.
#[test]
fn hash_maps_are_looked_up_not_walked() {
    // Sorted by what comes next, or only counted: said beside each.
    const SORTED_AT_ONCE: [(&str, &str); 0] = [];
    let mut findings = Vec::new();
    for source in source::shipped() {
        for name in hashed_names(&source) {
            if name.starts_with("unsorted_") || SORTED_AT_ONCE.contains(&(source.path.as_str(), name.as_str())) {
                continue;
            }
            let walks = source.code.lines().enumerate().filter(|(_, line)| walked(line, &name));
            findings.extend(walks.map(|(number, line)| format!("{}:{}: {}", source.path, number + 1, line.trim())));
        }
    }
    none(
        &findings,
        "use a BTreeMap, or collect and sort, and name the map `unsorted_…` to say that you did",
    );
}

/// Names that are declared as hash maps or sets in a file.
fn hashed_names(source: &Source) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in source.code.lines() {
        for (at, _) in line.match_indices("HashMap").chain(line.match_indices("HashSet")) {
            let before = line[..at].trim_end_matches("std::collections::").trim_end();
            let before = before
                .strip_suffix("mut")
                .unwrap_or(before)
                .trim_end()
                .trim_end_matches('&')
                .trim_end();
            let Some(before) = before.strip_suffix([':', '=']) else {
                continue;
            };
            let name = before
                .trim_end()
                .rsplit(|c: char| !c.is_alphanumeric() && c != '_')
                .next()
                .unwrap_or_default();
            names.extend((!name.is_empty()).then(|| name.to_owned()));
        }
    }
    names
}

/// Whether a line goes through all of `name`: the variable itself, or the field of `self`.
fn walked(line: &str, name: &str) -> bool {
    const WALKS: [&str; 8] = [
        ".iter()",
        ".iter_mut()",
        ".keys()",
        ".values()",
        ".into_iter()",
        ".into_values()",
        ".into_keys()",
        ".drain(",
    ];
    let own = |at: usize| {
        let before = line[..at].trim_end_matches("self.");
        !before.ends_with(|c: char| c.is_alphanumeric() || "_.".contains(c))
    };
    line.match_indices(name).filter(|(at, _)| own(*at)).any(|(at, _)| {
        let (before, after) = (
            line[..at].trim_end_matches("self.").trim_end_matches('&'),
            &line[at + name.len()..],
        );
        WALKS.iter().any(|walk| after.starts_with(walk)) || before.ends_with(" in ") && after.starts_with(" {")
    })
}

/// The program runs nothing that a repository brings: no shell, no hooks, and two child processes, itself and the
/// user's `ssh`.
/// Mutation: `Command::new("git")` in `pipelines/src/isolate.rs`.
#[test]
fn the_only_child_processes_are_the_program_itself_and_ssh() {
    let sources = source::shipped();
    let started = |path: &str| -> Vec<String> {
        let source = sources.iter().find(|source| source.path == path).expect(path);
        let lines = source.code.lines().filter(|line| line.contains("Command::new"));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    assert_eq!(
        started("pipelines/src/isolate.rs"),
        ["let mut child = Command::new(&self.program)"],
        "a worker is this program, with its path passed in"
    );
    let of_ssh = started("pipelines/src/ssh.rs");
    assert_eq!(of_ssh.len(), 1, "{of_ssh:?}");
    let text = std::fs::read_to_string(stackmill_tests::root().join("pipelines/src/ssh.rs")).expect("ssh.rs is there");
    assert!(
        text.contains("let mut child = Command::new(\"ssh\");"),
        "no other program, and no shell"
    );
}
