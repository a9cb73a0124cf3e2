//! Near-duplicates: speed of the kernel beside xxh3-128, and the whole job on Parquet against an exact truth.
//!
//! ```text
//!   near_duplicates kernel FOLDER...           text in memory to sketch and set, one core
//!   near_duplicates write OUT.parquet FILES FOLDER...
//!                                              a corpus of so many real files, for the job and for peers
//!   near_duplicates truth CORPUS.parquet       all pairs at 0.7, and how many of them share a band
//!   near_duplicates job CORPUS.parquet         disk to removed files through `stackmill run`, held against the truth
//!   near_duplicates memory CORPUS.parquet      texts in memory to removed rows, one thread, beside gaoya; needs
//!                                              `--features gaoya`
//!   near_duplicates judge CORPUS.parquet REMOVED.txt
//!                                              what another tool removed (one row number a line), held against it
//!   near_duplicates simulate FILES EVERY FOLDER
//!                                              invented sketches through all steps, spilled to FOLDER
//!   near_duplicates coverage SEEDS BANDS ROWS TABLE.parquet...
//!                                              whether the interval of the estimated recall holds; 0 0: planned bands
//! ```
//! Run by `cargo run --release -p stackmill-benches --bin near_duplicates -- …`; `benches/near_duplicates` has peers.
#![allow(clippy::print_stdout)]

mod corpus;
mod coverage;
mod job;
mod kernel;
mod memory;
mod simulate;
mod truth;

use std::path::Path;
use std::process::ExitCode;

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// The most memory that this process had resident so far.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|text| text.trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        ["kernel", folders @ ..] => kernel::bench(&corpus::texts(folders, 20_000)),
        ["write", out, files, folders @ ..] => files
            .parse()
            .map_err(Into::into)
            .and_then(|files| corpus::write(Path::new(out), &corpus::texts(folders, files))),
        ["truth", corpus] => corpus::read(Path::new(corpus)).map(|texts| truth::report(&texts)),
        ["job", corpus] => job::bench(Path::new(corpus)),
        ["memory", corpus] => corpus::read(Path::new(corpus)).and_then(|texts| memory::bench(&texts)),
        ["judge", corpus, removed] => job::judge(Path::new(corpus), Path::new(removed)),
        ["simulate", files, every, folder] => [files, every]
            .iter()
            .map(|number| number.parse())
            .collect::<Result<Vec<u64>, _>>()
            .map_err(Into::into)
            .and_then(|numbers| simulate::bench(numbers[0], numbers[1].max(1), Path::new(folder))),
        ["coverage", seeds, bands, rows, tables @ ..] => [seeds, bands, rows]
            .iter()
            .map(|number| number.parse())
            .collect::<Result<Vec<u32>, _>>()
            .map_err(Into::into)
            .and_then(|numbers| coverage::bench([numbers[0], numbers[1], numbers[2]], tables)),
        _ => Err("usage: near_duplicates kernel|write|truth|job|memory|judge|simulate|coverage …".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}
