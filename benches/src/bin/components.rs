//! Star contraction at scale, one partition after the other: time and peak memory of one process.
//!
//! ```text
//!   cargo run --release -p stackmill-benches --bin components -- [EDGES]
//! ```
//! The edges are invented: near two files for three edges, in chains, stars and pairs at random, ranks shuffled.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::Instant;

use arrow_array::RecordBatch;
use stackmill::exchange::{SpillWriter, Spills};
use stackmill::workdir::Workdir;
use stackmill_dedup::near::NearConfig;
use stackmill_dedup::near::components::{Components, Labels, Star, Turn, pair_batch};
use stackmill_schemas::context::Homes;
use stackmill_schemas::stage::{Emit, Scatter};
use stackmill_schemas::{Result, fingerprint};

/// Rows of a batch.
const ROWS: u64 = 64 << 10;

fn main() -> Result<()> {
    let edges = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000_000);
    let folder = std::env::temp_dir().join(format!("stackmill-components-{}", std::process::id()));
    let workdir = Workdir::create(&folder, &folder, u64::MAX)?;
    let result = bench(&workdir, edges);
    let _ = std::fs::remove_dir_all(&folder);
    result
}

fn bench(workdir: &Workdir, edges: u64) -> Result<()> {
    let components = NearConfig::default().build()?.components;
    let files = edges / 3 * 2;
    let partitions = components.partitions(files);
    let start = Instant::now();
    invent(workdir, edges, files, partitions, components)?;
    println!(
        "{edges} edges, {partitions} partitions: written after {:.1} s",
        start.elapsed().as_secs_f64()
    );
    let mut feeders = 1;
    for number in 1.. {
        let turn = if number % 2 == 1 { Turn::Small } else { Turn::Large };
        let moved = turned(workdir, (number, turn), (feeders, partitions), components)?;
        feeders = partitions;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "turn {number}: {moved} rows moved, {seconds:.1} s, peak {} MiB",
            peak_mib()
        );
        if turn == Turn::Large && moved == 0 {
            return labelled(workdir, number + 1, partitions);
        }
    }
    Ok(())
}

/// Reads the labels of every partition, as the last step does.
fn labelled(workdir: &Workdir, number: u32, partitions: u32) -> Result<()> {
    let mut files = 0;
    for partition in 0..partitions {
        let mut labels = Labels::default();
        for rows in Spills::new(workdir, &format!("{number}"), partitions).partition(partition) {
            let rows = rows?;
            files += rows.num_rows();
            labels.see(&rows)?;
        }
    }
    println!("{files} rows of stars, peak {} MiB", peak_mib());
    Ok(())
}

fn invent(workdir: &Workdir, edges: u64, files: u64, partitions: u32, components: Components) -> Result<()> {
    let mut spill = SpillWriter::create(workdir, "1", 0, components.star_schema())?;
    let rank = |file: u64| u128::from(fingerprint::seeded(1, &file.to_le_bytes())) << 64 | u128::from(file);
    for first in (0..edges).step_by(ROWS as usize) {
        let pairs = (first..edges.min(first + ROWS)).map(|number| {
            let file = number % files;
            let other = match number % 4 {
                0 => file + 1,
                1 => file - file % 1000,
                2 => file - file % 7 + 7,
                _ => fingerprint::seeded(2, &number.to_le_bytes()) % 1000 + file,
            };
            let (a, b) = (rank(file), rank(if other == file { file + 1 } else { other }));
            (a.min(b), a.max(b))
        });
        let rows = pair_batch(&pairs.collect::<Vec<_>>())?;
        routed(&mut spill, partitions, Turn::Small, &rows)?;
    }
    spill.commit()
}

fn turned(
    workdir: &Workdir,
    (number, turn): (u32, Turn),
    (feeders, partitions): (u32, u32),
    components: Components,
) -> Result<u64> {
    let spills = Spills::new(workdir, &number.to_string(), feeders);
    let next = if turn == Turn::Small { Turn::Large } else { Turn::Small };
    let mut moved = 0;
    for partition in 0..partitions {
        let mut star = Star::new(turn, partition, partitions);
        spills.partition(partition).try_for_each(|rows| star.see(&rows?))?;
        let mut spill = SpillWriter::create(workdir, &(number + 1).to_string(), partition, components.star_schema())?;
        let mut send = |rows: RecordBatch| routed(&mut spill, partitions, next, &rows);
        for rows in spills.partition(partition) {
            star.turn(&rows?, &mut Emit(&mut send))?;
        }
        moved += star.finish(&mut Emit(&mut send))?;
        spill.commit()?;
    }
    Ok(moved)
}

fn routed(spill: &mut SpillWriter, partitions: u32, turn: Turn, rows: &RecordBatch) -> Result<()> {
    let mut to = Scatter {
        send: &mut |rows, to| spill.send(rows, to),
        partitions,
        homes: &Homes::default(),
    };
    turn.scatter(rows, &mut to)
}

/// The most memory that this process had resident so far.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string(Path::new("/proc/self/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|text| text.trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
