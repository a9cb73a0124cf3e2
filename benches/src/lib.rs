//! Benchmarks: each is a program under `src/bin`, run by hand on a quiet machine; results name machine, commit and peer.

use std::path::Path;

/// Proportional set size of a process and all its descendants, in bytes; Linux only.
pub fn tree_pss(root: u32) -> u64 {
    let mut children: std::collections::BTreeMap<u32, Vec<u32>> = Default::default();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if let Some(parent) = parent_of(&entry.path()) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut pending = vec![root];
    let mut bytes = 0;
    while let Some(pid) = pending.pop() {
        bytes += pss(pid);
        pending.extend(children.remove(&pid).into_iter().flatten());
    }
    bytes
}

fn parent_of(process: &Path) -> Option<u32> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn pss(pid: u32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
    let kilobytes = line
        .and_then(|line| line.split_whitespace().next())
        .and_then(|number| number.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}

/// The machine, for results: processors and model.
pub fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{count} processors, {model}")
}

/// Speed of xxh3-128 over these buffers, in bytes a second: the yardstick that makes runs on other machines comparable.
pub fn xxh3_speed(buffers: &[Vec<u8>]) -> f64 {
    let bytes: usize = buffers.iter().map(Vec::len).sum();
    let mut best = f64::MAX;
    for _ in 0..3 {
        let start = std::time::Instant::now();
        for buffer in buffers {
            std::hint::black_box(xxhash_rust::xxh3::xxh3_128(buffer));
        }
        best = best.min(start.elapsed().as_secs_f64());
    }
    bytes as f64 / best
}

/// Every regular file below `folder`, sorted, up to `most` bytes in all.
pub fn files_below(folder: &Path, most: u64) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        let mut entries: Vec<_> = std::fs::read_dir(&folder).into_iter().flatten().flatten().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
        for entry in entries {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    let mut bytes = 0;
    found.retain(|file| {
        bytes += file.metadata().map_or(0, |metadata| metadata.len());
        bytes <= most
    });
    found
}

/// Processor seconds of this process and of children that have ended, as Linux counts them.
pub fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: Vec<f64> = after_name
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    // The state, which is no number, is the first field; user and system time are the 12th and following.
    ticks.get(10..14).unwrap_or_default().iter().sum::<f64>() / 100.0
}
