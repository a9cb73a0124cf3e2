//! Listing and reading archives: stackmill's source against `tar` and `unzip` writing to a pipe, in turn.
//!
//! ```text
//!   cargo run --release -p stackmill-benches --bin archive_read -- ARCHIVE [REPETITIONS]
//! ```
//! Listing hashes every entry; reading brings the contents of all regular files and checks their hashes. The peers only
//! inflate: `tar -xO`, `unzip -p`. What git itself takes for hashing is no part of them.
#![allow(clippy::print_stdout)]

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::Instant;

use arrow_array::{Array, BooleanArray, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use stackmill::job::{Options, open_sources};
use stackmill::units::Share;
use stackmill::{Recipe, Uri, run};
use stackmill_benches::{machine, processor_seconds};
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{Error, Result, TaskContext, columns};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(archive) = arguments.first() else {
        println!("usage: archive_read ARCHIVE [REPETITIONS]");
        return ExitCode::from(2);
    };
    let repetitions = arguments.get(1).and_then(|text| text.parse().ok()).unwrap_or(5);
    match bench(Path::new(archive), repetitions) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(archive: &Path, repetitions: usize) -> Result<()> {
    let (source, cx) = open(archive)?;
    let unit = source.resolve(&cx)?.remove(0);
    let wanted = list(source.as_ref(), &unit, &cx)?;
    println!("{}\n{} files in {}", machine(), wanted.num_rows(), archive.display());
    let [mut lists, mut reads, mut peers] = [const { Vec::new() }; 3];
    for _ in 0..repetitions {
        timed(&mut lists, || list(source.as_ref(), &unit, &cx))?;
        let bytes = timed(&mut reads, || read(source.as_ref(), &unit, &wanted, &cx))?;
        let theirs = timed(&mut peers, || peer(archive))?;
        println!("{bytes} and {theirs} bytes");
    }
    let peer = median(&peers);
    for (name, times) in [("list", lists), ("read", reads), ("peer", vec![peer])] {
        let [wall, processor] = median(&times);
        println!(
            "{name}: {wall:.3} s, {processor:.2} CPU-s; peer / this: wall {:.2}, CPU {:.2}",
            peer[0] / wall,
            peer[1] / processor
        );
    }
    Ok(())
}

/// Seconds by the clock and of the processor.
type Spent = [f64; 2];

fn timed<T>(times: &mut Vec<Spent>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let (start, before) = (Instant::now(), processor_seconds());
    let done = work()?;
    times.push([start.elapsed().as_secs_f64(), processor_seconds() - before]);
    Ok(done)
}

fn open(archive: &Path) -> Result<(Arc<dyn Source>, TaskContext)> {
    let full = archive.canonicalize()?;
    let text = format!(
        "name = \"bench\"\n[[source]]\narchives = {:?}\n",
        full.display().to_string()
    );
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
    Ok((source.ok_or_else(|| Error::bug("no source"))?, cx))
}

/// The listing of all files that can be read, numbered as the runner would.
fn list(source: &dyn Source, unit: &Unit, cx: &TaskContext) -> Result<RecordBatch> {
    let mut batches = Vec::new();
    let mut keep = |batch: RecordBatch| {
        batches.push(batch);
        Ok(())
    };
    source.list(unit, &mut Emit(&mut keep), cx)?;
    let all = arrow_select::concat::concat_batches(&columns::listed(), &batches)?;
    let trouble = columns::strings(&all, columns::TROUBLE)?;
    let readable: BooleanArray = (0..all.num_rows()).map(|i| Some(trouble.is_null(i))).collect();
    let files = arrow_select::filter::filter_record_batch(&all, &readable)?;
    let mut fields = vec![Arc::new(Field::new(columns::FILE_ID, DataType::UInt64, false))];
    fields.extend(files.schema().fields().iter().cloned());
    let mut arrays: Vec<Arc<dyn Array>> = vec![Arc::new(UInt64Array::from_iter_values(0..files.num_rows() as u64))];
    arrays.extend(files.columns().iter().cloned());
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

fn read(source: &dyn Source, unit: &Unit, wanted: &RecordBatch, cx: &TaskContext) -> Result<u64> {
    let mut bytes = 0;
    let mut count = |batch: RecordBatch| {
        let content = columns::binaries(&batch, columns::CONTENT)?;
        bytes += content.value_data().len() as u64;
        Ok(())
    };
    source.read(unit, wanted, &mut Emit(&mut count), cx)?;
    Ok(bytes)
}

/// What the peer writes to its pipe.
fn peer(archive: &Path) -> Result<u64> {
    let is_zip = archive
        .extension()
        .is_some_and(|ending| ending == "zip" || ending == "whl");
    let mut command = match is_zip {
        true => Command::new("unzip"),
        false => Command::new("tar"),
    };
    let mut child = command
        .arg(if is_zip { "-p" } else { "-xOf" })
        .arg(archive)
        .stdout(Stdio::piped())
        .spawn()?;
    let mut out = child.stdout.take().ok_or_else(|| Error::bug("no pipe"))?;
    let (mut bytes, mut buffer) = (0, vec![0; 1 << 16]);
    loop {
        match out.read(&mut buffer)? {
            0 => break,
            count => bytes += count as u64,
        }
    }
    child.wait()?;
    Ok(bytes)
}

/// The median of each kind of seconds.
fn median(times: &[Spent]) -> Spent {
    [0, 1].map(|kind| {
        let mut values: Vec<f64> = times.iter().map(|spent| spent[kind]).collect();
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    })
}
