//! The leakage auditor measured: recall by kind of disguise, false positives, speed and memory.
//!
//! ```text
//!   leakage recall PLANTS.jsonl LABELS.jsonl     documents {id, text}; labels {id, kind, label, family, task_id}
//!   leakage false FOLDER…                        files of folders that hold no benchmark: what is flagged, and as what
//!   leakage speed FOLDER…                        against xxh3-128 over the same buffers in the same process, one core
//!   leakage peer DECON ITEMS WORK FOLDER…        against `decon detect` on the same files: ITEMS is its folder of items,
//!                                                WORK a folder that is filled; processor time of the process tree
//!   leakage common OUT FOLDER…                   each folder a project: makes `dedup/packs/common.list`
//!   leakage units OUT FOLDER…                    ordinary code: makes `dedup/packs/units.table`
//! ```
//! All packs that ship are looked for; `LEAKAGE_PACKS` names others: pack files, separated by commas.
#![allow(clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::Value;
use stackmill::clock::thread_seconds;
use stackmill_benches::processor_seconds;
use stackmill_dedup::contamination::{
    CLASSES, DecontaminateConfig, Finding, Matcher, PLACE_UNITS, Pack, SHIPPED, Scratch, Tier, common_list, units,
    units_table,
};
use stackmill_schemas::{Error, Result};

/// Larger files are no code that people write.
const MAX_FILE_BYTES: u64 = 2 << 20;
/// Turns of xxh3-128, of which the fastest counts.
const HASH_TURNS: usize = 5;
/// An n-gram is common if so many projects have it.
const COMMON_PROJECTS: u32 = 3;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let start = Instant::now();
    let matcher = Matcher::new(&packs()?, &DecontaminateConfig::default());
    println!("{}", stackmill_benches::machine());
    println!(
        "index after {:.2} s, resident {} MiB",
        start.elapsed().as_secs_f64(),
        resident_mib()
    );
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["recall", plants, labels] => recall(&matcher, plants, labels),
        ["false", folders @ ..] => {
            flagged(&matcher, &texts(folders));
            Ok(())
        }
        ["speed", folders @ ..] => {
            speed(&matcher, &texts(folders));
            Ok(())
        }
        ["peer", decon, items, work, folders @ ..] => peer(&matcher, [decon, items, work], &texts(folders)),
        ["common", out, projects @ ..] => common(&matcher, out, projects),
        ["units", out, folders @ ..] => rarity(out, &texts(folders)),
        _ => Err(Error::config("leakage recall|false|speed|peer|common|units …")),
    }
}

fn packs() -> Result<Vec<Pack>> {
    match std::env::var("LEAKAGE_PACKS") {
        Ok(files) => files
            .split(',')
            .map(|file| Pack::parse(&std::fs::read(file)?))
            .collect(),
        Err(_) => Ok(SHIPPED.iter().filter_map(|name| Pack::shipped(name)).collect()),
    }
}

fn rows(path: &str) -> Result<Vec<Value>> {
    let parse = |line: &str| serde_json::from_str(line).map_err(|error| Error::input(format!("{path}: {error}")));
    std::fs::read_to_string(path)?.lines().map(parse).collect()
}

/// Letters and digits alone, so that ids may be spelled in several ways.
fn plain(id: &str) -> String {
    id.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

fn recall(matcher: &Matcher, plants: &str, labels: &str) -> Result<()> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut scratch = Scratch::default();
    for row in rows(plants)? {
        let findings = matcher.findings(row["text"].as_str().unwrap_or(""), &mut scratch);
        let names = found.entry(row["id"].to_string()).or_default();
        let copies = findings.iter().filter(|finding| Tier::COPIES.contains(&finding.tier));
        names.extend(copies.flat_map(|finding| [plain(&finding.item), plain(&finding.family)]));
    }
    let mut kinds: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for label in rows(labels)? {
        let names = found.entry(label["id"].to_string()).or_default();
        let hit = match (label["family"].as_str(), label["task_id"].as_str()) {
            (Some(family), Some(item)) => names.contains(&plain(family)) || names.contains(&plain(item)),
            _ => !names.is_empty(),
        };
        let (hits, all) = kinds
            .entry(format!("{} {}", label["label"], label["kind"]))
            .or_default();
        (*hits, *all) = (*hits + usize::from(hit), *all + 1);
    }
    for (kind, (hits, all)) in kinds {
        println!("{kind:50} {hits}/{all}");
    }
    Ok(())
}

fn flagged(matcher: &Matcher, texts: &[(PathBuf, String)]) {
    let mut scratch = Scratch::default();
    let mut tiers: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, text) in texts {
        let findings = matcher.findings(text, &mut scratch);
        let Some(strongest) = findings.iter().min_by_key(|finding| rank(finding)) else {
            continue;
        };
        if rank(strongest).0 {
            *tiers.entry("of benchmarks that only report").or_default() += 1;
            continue;
        }
        *tiers.entry(strongest.tier.name()).or_default() += 1;
        if Tier::COPIES.contains(&strongest.tier) {
            println!("{} {strongest} {} {}", path.display(), strongest.tier, strongest.score);
        }
    }
    for (tier, files) in tiers {
        println!(
            "{tier:32} {files} of {} files, {:.3}%",
            texts.len(),
            files as f64 * 100.0 / texts.len() as f64
        );
    }
}

/// What counts most is least.
fn rank(finding: &Finding) -> (bool, Tier) {
    (
        finding.report_only && Tier::COPIES.contains(&finding.tier),
        finding.tier,
    )
}

/// Speed in processor time, which other programs on the machine disturb less than the clock.
fn speed(matcher: &Matcher, texts: &[(PathBuf, String)]) {
    let mut scratch = Scratch::default();
    let (mut hit, mut clean) = (Vec::new(), Vec::new());
    let mut all = 0.0;
    for (_, text) in texts {
        let before = thread_seconds();
        let findings = matcher.findings(text, &mut scratch);
        all += thread_seconds() - before;
        if findings.is_empty() { &mut clean } else { &mut hit }.push(text);
    }
    let hash = (0..HASH_TURNS).map(|_| {
        rate(&clean, &mut |text| {
            xxhash_rust::xxh3::xxh3_128(text.as_bytes()) as usize
        })
    });
    let hash = hash.fold(0.0, f64::max);
    let scan = rate(&clean, &mut |text| matcher.findings(text, &mut scratch).len());
    let bytes = |texts: &[&String]| texts.iter().map(|text| text.len()).sum::<usize>() as f64 / 1e6;
    println!(
        "all {} files, {:.1} MB, first turn: {:.1} MB/s",
        texts.len(),
        bytes(&hit) + bytes(&clean),
        (bytes(&hit) + bytes(&clean)) / all
    );
    println!(
        "{} files without a finding, {:.1} MB: {scan:.1} MB/s, 1/{:.0} of xxh3-128 ({hash:.0} MB/s)",
        clean.len(),
        bytes(&clean),
        hash / scan
    );
    println!("resident {} MiB at most", resident_mib());
}

/// Megabytes that `each` goes through in a second of processor time.
fn rate(texts: &[&String], each: &mut impl FnMut(&str) -> usize) -> f64 {
    let before = thread_seconds();
    let mut bytes = 0;
    for text in texts {
        std::hint::black_box(each(text));
        bytes += text.len();
    }
    bytes as f64 / 1e6 / (thread_seconds() - before)
}

/// The same files as JSON lines: read, parsed and looked through by either program.
fn peer(matcher: &Matcher, [decon, items, work]: [&str; 3], texts: &[(PathBuf, String)]) -> Result<()> {
    let training = Path::new(work).join("training");
    std::fs::create_dir_all(&training)?;
    let line = |(_, text): &(PathBuf, String)| format!("{}\n", serde_json::json!({ "text": text }));
    let lines: String = texts.iter().map(line).collect();
    let file = training.join("part-0.jsonl");
    std::fs::write(&file, &lines)?;
    println!(
        "{} documents, {:.1} MB of JSON lines",
        texts.len(),
        lines.len() as f64 / 1e6
    );
    drop(lines);
    let before = processor_seconds();
    let mut scratch = Scratch::default();
    let mut found = 0;
    for line in std::fs::read_to_string(&file)?.lines() {
        let row: BTreeMap<&str, String> = serde_json::from_str(line).map_err(|error| Error::bug(error.to_string()))?;
        let findings = matcher.findings(&row["text"], &mut scratch);
        found += usize::from(findings.iter().any(|finding| Tier::COPIES.contains(&finding.tier)));
    }
    let ours = processor_seconds() - before;
    println!("ours: {ours:.1} s, {found} documents");
    let before = processor_seconds();
    let status = std::process::Command::new(decon)
        .args(["detect", "--training-dir"])
        .arg(&training)
        .args(["--evals-dir", items, "--content-key", "text", "--report-output-dir"])
        .arg(Path::new(work).join("report"))
        .status()?;
    let theirs = processor_seconds() - before;
    println!("decon ({status}): {theirs:.1} s, {:.1} times as long", theirs / ours);
    Ok(())
}

fn common(matcher: &Matcher, out: &str, projects: &[&str]) -> Result<()> {
    let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
    for project in projects {
        let texts = texts(&[project]);
        let ngrams: BTreeSet<u64> = texts.iter().flat_map(|(_, text)| matcher.ngrams(text)).collect();
        for ngram in ngrams {
            *counts.entry(ngram).or_default() += 1;
        }
    }
    counts.retain(|_, projects| *projects >= COMMON_PROJECTS);
    let hashes: Vec<u64> = counts.into_keys().collect();
    std::fs::write(out, common_list(&hashes))?;
    println!("{} n-grams of {} projects", hashes.len(), projects.len());
    Ok(())
}

/// Counts in how many blocks of units each class is.
fn rarity(out: &str, texts: &[(PathBuf, String)]) -> Result<()> {
    let (mut counts, mut last, mut blocks) = (vec![0u32; CLASSES], vec![0u32; CLASSES], 0u32);
    for (_, text) in texts {
        let mut number = 0;
        units(text.as_bytes(), |unit| {
            blocks += u32::from(number % PLACE_UNITS == 0);
            number += 1;
            let class = usize::from(unit.class);
            counts[class] += u32::from(last[class] != blocks);
            last[class] = blocks;
        });
    }
    std::fs::write(out, units_table(&counts, blocks))?;
    println!("{blocks} blocks of {} files", texts.len());
    Ok(())
}

/// Text files of folders, in order of their paths.
fn texts(folders: &[&str]) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    folders.iter().for_each(|folder| collect(Path::new(folder), &mut files));
    files
        .into_iter()
        .filter_map(|path| std::fs::read_to_string(&path).ok().map(|text| (path, text)))
        .collect()
}

fn collect(path: &Path, out: &mut Vec<PathBuf>) {
    let Ok(metadata) = std::fs::symlink_metadata(path) else {
        return;
    };
    if metadata.is_file() && metadata.len() <= MAX_FILE_BYTES {
        out.push(path.to_owned());
    }
    if metadata.is_dir() && path.file_name().is_none_or(|name| name != ".git") {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        entries.sort();
        entries.iter().for_each(|entry| collect(entry, out));
    }
}

/// Highest resident size of this process; Linux only.
fn resident_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}
