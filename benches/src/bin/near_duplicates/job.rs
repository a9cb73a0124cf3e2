//! The whole job: Parquet on disk to removed files, by the program as it ships; its clusters are held against the truth.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use arrow_array::cast::AsArray as _;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use stackmill_benches::{files_below, machine};

use super::Outcome;
use super::corpus::read;
use super::truth::Truth;

/// Clock ticks of a second in `/proc`.
const TICKS: f64 = 100.0;

pub(crate) fn bench(corpus: &Path) -> Outcome {
    let scratch = std::env::temp_dir().join(format!("stackmill-near-{}", std::process::id()));
    std::fs::create_dir_all(&scratch)?;
    let result = run(&corpus.canonicalize()?, &scratch);
    std::fs::remove_dir_all(&scratch)?;
    let removed = result?;
    Truth::new(&read(corpus)?).judge(&removed);
    Ok(())
}

/// Row numbers that a peer removed, one a line.
pub(crate) fn judge(corpus: &Path, removed: &Path) -> Outcome {
    let text = std::fs::read_to_string(removed)?;
    let rows = text.lines().map(|line| Ok((line.trim().parse()?, None)));
    let removed: Result<BTreeMap<u32, Option<u32>>, std::num::ParseIntError> = rows.collect();
    Truth::new(&read(corpus)?).judge(&removed?);
    Ok(())
}

fn run(corpus: &Path, scratch: &Path) -> Result<BTreeMap<u32, Option<u32>>, Box<dyn std::error::Error>> {
    let recipe = scratch.join("recipe.toml");
    let text = format!("name = \"near\"\n[[source]]\nparquet = {corpus:?}\n[near]\nthreshold = 0.7\n");
    std::fs::write(&recipe, text)?;
    let out = scratch.join("out");
    let program = std::env::current_exe()?.with_file_name("stackmill");
    let (before, start) = (child_seconds(), Instant::now());
    let output = Command::new(&program)
        .args(["run", "--out"])
        .args([&out, &recipe])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    println!(
        "{}: {:.2} s wall, {:.2} s CPU of the process tree",
        machine(),
        start.elapsed().as_secs_f64(),
        child_seconds() - before
    );
    removed(&out)
}

/// Processor seconds of all children that have ended: fields 16 and 17 of `/proc/self/stat`.
fn child_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    fields
        .skip(13)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS
}

/// Removed rows and their keepers, from the published clusters.
fn removed(out: &Path) -> Result<BTreeMap<u32, Option<u32>>, Box<dyn std::error::Error>> {
    let mut keepers: HashMap<String, u32> = HashMap::new();
    let mut gone: Vec<(u32, String)> = Vec::new();
    let shards: Vec<PathBuf> = files_below(&out.join("clusters"), u64::MAX);
    for shard in shards
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "parquet"))
    {
        for batch in ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(shard)?)?.build()? {
            let batch = batch?;
            let column = |name| batch.column_by_name(name).ok_or("a column is missing");
            let (clusters, paths) = (column("cluster_id")?, column("path")?);
            let kept = column("kept")?.as_boolean();
            for i in 0..batch.num_rows() {
                let row: u32 = text(paths, i)?.trim_end_matches(".txt").parse()?;
                match kept.value(i) {
                    true => drop(keepers.insert(text(clusters, i)?, row)),
                    false => gone.push((row, text(clusters, i)?)),
                }
            }
        }
    }
    Ok(gone
        .into_iter()
        .map(|(row, cluster)| (row, keepers.get(&cluster).copied()))
        .collect())
}

fn text(column: &arrow_array::ArrayRef, i: usize) -> Result<String, Box<dyn std::error::Error>> {
    let formatter = arrow_select::concat::concat(&[column.slice(i, 1).as_ref()])?;
    match formatter.as_string_opt::<i32>() {
        Some(texts) => Ok(texts.value(0).to_owned()),
        None => Ok(format!("{formatter:?}")),
    }
}
