//! The whole pipeline on real code: share of processor time by stage, MB/s by stage beside xxh3-128, peak PSS.
//!
//! ```text
//!   cargo run --release -p stackmill-benches --bin end_to_end -- FOLDER RECIPE_STAGES.toml [THREADS] [MEMORY]
//! ```
//! FOLDER holds packages, one folder each (for example the unpacked sources of crates, or Python's site-packages); the
//! recipe's stages are taken from the file, its sources are not.
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use stackmill::output::Output;
use stackmill::publish::{RUN, RunFile};
use stackmill_benches::{files_below, machine, tree_pss, xxh3_speed};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.as_slice() {
        [folder, recipe, rest @ ..] => {
            let threads = rest.first().map_or("4", String::as_str);
            let memory = rest.get(1).map_or("4G", String::as_str);
            bench(Path::new(folder), Path::new(recipe), threads, memory)
        }
        _ => {
            println!("usage: end_to_end FOLDER RECIPE.toml [THREADS] [MEMORY]");
            ExitCode::from(2)
        }
    }
}

fn bench(folder: &Path, recipe: &Path, threads: &str, memory: &str) -> ExitCode {
    let scratch = std::env::temp_dir().join(format!("stackmill-bench-{}", std::process::id()));
    let written = write_recipe(&scratch, folder, recipe);
    let out = scratch.join("out");
    let program = program();
    let child = Command::new(&program)
        .args(["run", "--threads", threads, "--memory", memory, "--out"])
        .args([&out, &written])
        .spawn();
    let Ok(mut child) = child else {
        println!("cannot start {}: build it with `make build`", program.display());
        return ExitCode::from(4);
    };
    let mut most = 0;
    let status = loop {
        most = most.max(tree_pss(child.id()));
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(20)),
            Ok(Some(status)) => break status,
            Err(_) => return ExitCode::FAILURE,
        }
    };
    if status.success() {
        report(folder, &out, most);
    }
    let _ = std::fs::remove_dir_all(&scratch);
    if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// The program that lies beside this one.
fn program() -> PathBuf {
    let own = std::env::current_exe().unwrap_or_default();
    own.with_file_name("stackmill")
}

fn write_recipe(scratch: &Path, folder: &Path, recipe: &Path) -> PathBuf {
    let text = std::fs::read_to_string(recipe).unwrap_or_default();
    let mut table: toml::Table = text.parse().unwrap_or_default();
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    absolute_packs(&mut table, recipe);
    let mut source = toml::toml! { name = "bench" };
    source.insert(
        "directory".into(),
        toml::Value::String(format!("{}/*", folder.display())),
    );
    table.insert("source".into(), toml::Value::Array(vec![toml::Value::Table(source)]));
    let _ = std::fs::create_dir_all(scratch);
    let path = scratch.join("recipe.toml");
    let _ = std::fs::write(&path, toml::to_string(&table).unwrap_or_default());
    path
}

/// Packs are named from the recipe's folder, which the copy leaves.
fn absolute_packs(table: &mut toml::Table, recipe: &Path) {
    let packs = table.get_mut("decontaminate").and_then(|stage| stage.get_mut("packs"));
    let folder = recipe
        .parent()
        .and_then(|folder| folder.canonicalize().ok())
        .unwrap_or_default();
    for pack in packs.and_then(toml::Value::as_array_mut).into_iter().flatten() {
        if let toml::Value::String(path) = pack {
            *path = folder.join(&*path).display().to_string();
        }
    }
}

fn report(folder: &Path, out: &Path, most: u64) {
    let run: Option<RunFile> = Output::named(out).and_then(|out| out.load(RUN)).ok().flatten();
    let Some(run) = run else { return };
    let buffers: Vec<Vec<u8>> = files_below(folder, 512 << 20)
        .iter()
        .filter_map(|path| std::fs::read(path).ok())
        .collect();
    let yardstick = xxh3_speed(&buffers);
    let total: f64 = run.stages.values().map(|cost| cost.seconds).sum();
    println!("\n{}", machine());
    println!(
        "wall {:.1} s, tasks' processor time {total:.1} s, peak PSS {:.0} MiB",
        run.seconds,
        most as f64 / 1048576.0
    );
    println!("xxh3-128 of the same files: {:.0} MB/s\n", yardstick / 1e6);
    println!(
        "{:<14} {:>8} {:>7} {:>9} {:>9}",
        "stage", "CPU s", "share", "MB/s", "of xxh3"
    );
    let mut stages: Vec<_> = run.stages.iter().collect();
    stages.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
    for (name, cost) in stages {
        let speed = cost.bytes as f64 / cost.seconds.max(1e-9);
        let (rate, ratio) = match cost.bytes {
            0 => (String::new(), String::new()),
            _ => (format!("{:.0}", speed / 1e6), format!("1/{:.0}", yardstick / speed)),
        };
        println!(
            "{name:<14} {:>8.2} {:>6.1}% {rate:>9} {ratio:>9}",
            cost.seconds,
            100.0 * cost.seconds / total
        );
    }
}
