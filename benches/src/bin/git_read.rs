//! Reading HEAD's blobs: stackmill's git source against `git cat-file --batch --buffer` fed the same ids, in turn.
//!
//! ```text
//!   cargo run --release -p stackmill-benches --bin git_read -- REPOSITORY [REPETITIONS]
//! ```
#![allow(clippy::print_stdout)]

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{Array, RecordBatch, UInt64Array};
use stackmill::job::{Options, open_sources};
use stackmill::units::Share;
use stackmill::{Recipe, Uri, run};
use stackmill_benches::machine;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{Result, TaskContext, columns};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(repository) = arguments.first() else {
        println!("usage: git_read REPOSITORY [REPETITIONS]");
        return ExitCode::from(2);
    };
    let repetitions = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(5);
    match bench(Path::new(repository), repetitions) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(repository: &Path, repetitions: usize) -> Result<()> {
    let (source, cx) = open(repository)?;
    let unit = source.resolve(&cx)?.remove(0);
    let wanted = list(source.as_ref(), &unit, &cx)?;
    let ids = object_ids(&wanted)?;
    println!("{}\n{} blobs of {}", machine(), wanted.num_rows(), repository.display());
    let (mut ours, mut gits, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..repetitions {
        let start = Instant::now();
        let bytes = read(source.as_ref(), &unit, &wanted, &cx)?;
        let our = start.elapsed().as_secs_f64();
        let start = Instant::now();
        let theirs = cat_file(repository, &ids)?;
        let git = start.elapsed().as_secs_f64();
        println!(
            "stackmill {our:.3} s ({:.0} MB/s), git {git:.3} s; {bytes} and {theirs} bytes",
            bytes as f64 / our / 1e6
        );
        ours.push(our);
        gits.push(git);
        ratios.push(git / our);
    }
    println!(
        "median: stackmill {:.3} s, git {:.3} s, git / stackmill {:.2}",
        median(ours),
        median(gits),
        median(ratios)
    );
    Ok(())
}

fn open(repository: &Path) -> Result<(Arc<dyn Source>, TaskContext)> {
    let full = repository.canonicalize()?;
    let text = format!("name = \"bench\"\n[[source]]\ngit = {:?}\n", full.display().to_string());
    let recipe = Recipe::parse(&text, Path::new("bench.toml"), &[])?;
    let options = Options {
        out: Uri::Local(PathBuf::new()),
        scratch: None,
        scratch_budget: u64::MAX,
        memory: u64::MAX,
        threads: 1,
        batch_rows: 256,
        sample: Share(1.0),
        replace: false,
        update: false,
        cache: std::env::temp_dir(),
    };
    let cx = run::bare_context(&options);
    let source = open_sources(&recipe)?.into_values().next();
    Ok((source.ok_or_else(|| stackmill_schemas::Error::bug("no source"))?, cx))
}

/// The listing of all regular files, numbered as the runner would.
fn list(source: &dyn Source, unit: &stackmill_schemas::lock::Unit, cx: &TaskContext) -> Result<RecordBatch> {
    let mut batches = Vec::new();
    let mut keep = |batch: RecordBatch| {
        batches.push(batch);
        Ok(())
    };
    source.list(unit, &mut Emit(&mut keep), cx)?;
    let all = arrow_select::concat::concat_batches(&columns::listed(), &batches)?;
    let modes = columns::u32s(&all, columns::MODE)?;
    let regular: arrow_array::BooleanArray = modes
        .values()
        .iter()
        .map(|mode| Some(mode & 0o170000 == 0o100000))
        .collect();
    let files = arrow_select::filter::filter_record_batch(&all, &regular)?;
    let mut fields = vec![Arc::new(arrow_schema::Field::new(
        columns::FILE_ID,
        arrow_schema::DataType::UInt64,
        false,
    ))];
    fields.extend(files.schema().fields().iter().cloned());
    let mut arrays: Vec<Arc<dyn Array>> = vec![Arc::new(UInt64Array::from_iter_values(0..files.num_rows() as u64))];
    arrays.extend(files.columns().iter().cloned());
    Ok(RecordBatch::try_new(
        Arc::new(arrow_schema::Schema::new(fields)),
        arrays,
    )?)
}

fn object_ids(wanted: &RecordBatch) -> Result<String> {
    let blobs = columns::fixed(wanted, columns::BLOB_ID)?;
    Ok((0..blobs.len())
        .map(|row| stackmill_schemas::ids::hex(blobs.value(row)) + "\n")
        .collect())
}

/// Reads as the content pass does: at most 32 MiB at once.
fn read(
    source: &dyn Source,
    unit: &stackmill_schemas::lock::Unit,
    wanted: &RecordBatch,
    cx: &TaskContext,
) -> Result<u64> {
    let lengths = columns::u64s(wanted, columns::LENGTH_BYTES)?;
    let (mut start, mut bytes, mut total) = (0, 0, 0);
    for row in 0..wanted.num_rows() {
        bytes += lengths.value(row);
        if bytes < 32 << 20 && row + 1 - start < 8192 && row + 1 < wanted.num_rows() {
            continue;
        }
        let mut count = |batch: RecordBatch| {
            let contents = columns::binaries(&batch, columns::CONTENT)?;
            total += contents
                .iter()
                .flatten()
                .map(|content| content.len() as u64)
                .sum::<u64>();
            Ok(())
        };
        source.read(unit, &wanted.slice(start, row + 1 - start), &mut Emit(&mut count), cx)?;
        (start, bytes) = (row + 1, 0);
    }
    Ok(total)
}

/// Git's own way; the header lines are counted off.
fn cat_file(repository: &Path, ids: &str) -> Result<u64> {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(["cat-file", "--batch", "--buffer"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (Some(mut input), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(stackmill_schemas::Error::bug("git without pipes"));
    };
    let ids = ids.to_owned();
    let feeder = std::thread::spawn(move || input.write_all(ids.as_bytes()));
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    loop {
        match output.read(&mut buffer)? {
            0 => break,
            read => total += read as u64,
        }
    }
    let _ = feeder.join();
    child.wait()?;
    Ok(total)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
