//! Reading HEAD and the whole history of a repository: stackmill's git source against `git cat-file` and libgit2, in turn.
//!
//! ```text
//!   cargo run --release -p stackmill-benches --bin git_history -- REPOSITORY [REPETITIONS] [THREADS]
//! ```
//! Contents are asked for as the engine asks: in listing order, at most 16 MiB at a time, a part of the files to each
//! thread. Ours are hashed and held against the listing, theirs are not. `git cat-file --batch-all-objects --unordered`
//! gives commits and trees, too; fed with the blobs' ids it does what we do.
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
use stackmill_benches::{machine, processor_seconds};
use stackmill_schemas::ids::hex;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{Error, Result, TaskContext, columns};

/// The engine asks for at most this much at once.
const READ_BYTES: u64 = 16 << 20;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(repository) = arguments.first() else {
        println!("usage: git_history REPOSITORY [REPETITIONS] [THREADS]");
        return ExitCode::from(2);
    };
    let number = |at: usize, default| arguments.get(at).and_then(|text| text.parse().ok()).unwrap_or(default);
    match bench(Path::new(repository), number(1, 5), number(2, 4)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(repository: &Path, repetitions: usize, threads: usize) -> Result<()> {
    println!("{}, {threads} threads, {}", machine(), repository.display());
    for (name, setting) in [("HEAD", ""), ("history", "history = \"references\"\n")] {
        let opened = Opened::new(repository, setting)?;
        let mut listing = Timed::default();
        let wanted = listing.measure(|| opened.list())?;
        let ids = ids_of(&wanted)?;
        println!("{name}: {} blobs, listed in {}", ids.len(), listing.words());
        let mut peers = vec![
            Peer::new("stackmill", Box::new(|| opened.read(&wanted, threads))),
            Peer::new("git, ids", Box::new(|| cat_file(repository, &["--buffer"], &ids))),
            Peer::new("libgit2", Box::new(|| libgit2(repository, &ids, threads))),
        ];
        if !setting.is_empty() {
            let all = ["--batch-all-objects", "--unordered", "--buffer"];
            peers.push(Peer::new("git, all", Box::new(move || cat_file(repository, &all, &[]))));
        }
        for _ in 0..repetitions {
            peers.iter_mut().try_for_each(Peer::turn)?;
        }
        report(&peers);
    }
    Ok(())
}

/// Somebody who reads, and how long it took each time.
struct Peer<'a> {
    name: &'static str,
    work: Box<dyn Fn() -> Result<u64> + 'a>,
    bytes: u64,
    times: Timed,
}

impl<'a> Peer<'a> {
    fn new(name: &'static str, work: Box<dyn Fn() -> Result<u64> + 'a>) -> Self {
        Self {
            name,
            work,
            bytes: 0,
            times: Timed::default(),
        }
    }

    fn turn(&mut self) -> Result<()> {
        self.bytes = self.times.measure(&self.work)?;
        Ok(())
    }
}

/// Seconds of the wall and of processors, each time.
#[derive(Default)]
struct Timed {
    wall: Vec<f64>,
    processor: Vec<f64>,
}

impl Timed {
    fn measure<T>(&mut self, work: impl Fn() -> Result<T>) -> Result<T> {
        let (start, before) = (Instant::now(), processor_seconds());
        let done = work()?;
        self.wall.push(start.elapsed().as_secs_f64());
        self.processor.push(processor_seconds() - before);
        Ok(done)
    }

    fn words(&self) -> String {
        format!("{:.3} s, {:.2} CPU-s", median(&self.wall), median(&self.processor))
    }
}

fn report(peers: &[Peer<'_>]) {
    let ours = &peers[0].times;
    for peer in peers {
        let ratio = |theirs: &[f64], ours: &[f64]| {
            let each: Vec<f64> = theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect();
            median(&each)
        };
        println!(
            "  {:<10} {:>13} bytes, median {}; / stackmill: wall {:.2}, CPU {:.2}",
            peer.name,
            peer.bytes,
            peer.times.words(),
            ratio(&peer.times.wall, &ours.wall),
            ratio(&peer.times.processor, &ours.processor)
        );
    }
}

/// Our source of a repository.
struct Opened {
    source: Arc<dyn Source>,
    unit: Unit,
    cx: TaskContext,
}

impl Opened {
    fn new(repository: &Path, setting: &str) -> Result<Self> {
        let full = repository.canonicalize()?;
        let full = full.display().to_string();
        let text = format!("name = \"bench\"\n[[source]]\ngit = {full:?}\nmax-entries = 10000000\n{setting}");
        let recipe = Recipe::parse(&text, Path::new("bench.toml"), &[])?;
        let cx = context();
        let source = open_sources(&recipe)?
            .into_values()
            .next()
            .ok_or_else(|| Error::bug("no source"))?;
        let unit = source.resolve(&cx)?.remove(0);
        match unit.trouble {
            Some(trouble) => Err(Error::input(trouble)),
            None => Ok(Self { source, unit, cx }),
        }
    }

    /// The listing of all regular files, numbered as the runner would.
    fn list(&self) -> Result<RecordBatch> {
        let mut batches = Vec::new();
        let mut keep = |batch: RecordBatch| {
            batches.push(batch);
            Ok(())
        };
        self.source.list(&self.unit, &mut Emit(&mut keep), &self.cx)?;
        let all = arrow_select::concat::concat_batches(&columns::listed(), &batches)?;
        let modes = columns::u32s(&all, columns::MODE)?.values();
        let regular: arrow_array::BooleanArray = modes.iter().map(|mode| Some(mode & 0o170000 == 0o100000)).collect();
        let files = arrow_select::filter::filter_record_batch(&all, &regular)?;
        let number = arrow_schema::Field::new(columns::FILE_ID, arrow_schema::DataType::UInt64, false);
        let mut fields = vec![Arc::new(number)];
        fields.extend(files.schema().fields().iter().cloned());
        let mut arrays: Vec<Arc<dyn Array>> = vec![Arc::new(UInt64Array::from_iter_values(0..files.num_rows() as u64))];
        arrays.extend(files.columns().iter().cloned());
        Ok(RecordBatch::try_new(
            Arc::new(arrow_schema::Schema::new(fields)),
            arrays,
        )?)
    }

    /// Reads everything, each thread the next part that nobody has taken.
    fn read(&self, wanted: &RecordBatch, threads: usize) -> Result<u64> {
        let parts = parts(wanted)?;
        let next = std::sync::atomic::AtomicUsize::new(0);
        let work = || -> Result<u64> {
            let mut bytes = 0;
            while let Some(part) = parts.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                bytes += self.part(part)?;
            }
            Ok(bytes)
        };
        in_threads(threads, |_| work())
    }

    fn part(&self, wanted: &RecordBatch) -> Result<u64> {
        let mut bytes = 0;
        let mut count = |batch: RecordBatch| {
            let contents = columns::binaries(&batch, columns::CONTENT)?;
            bytes += contents
                .iter()
                .flatten()
                .map(|content| content.len() as u64)
                .sum::<u64>();
            Ok(())
        };
        self.source.read(&self.unit, wanted, &mut Emit(&mut count), &self.cx)?;
        Ok(bytes)
    }
}

fn context() -> TaskContext {
    run::bare_context(&Options {
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
    })
}

/// Runs `work` in some threads, with their numbers; the sum of what it gives.
fn in_threads(threads: usize, work: impl Fn(usize) -> Result<u64> + Sync) -> Result<u64> {
    let work = &work;
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|number| scope.spawn(move || work(number))).collect();
        let joined = running
            .into_iter()
            .map(|thread| thread.join().map_err(|_| Error::bug("a thread panicked"))?);
        joined.sum()
    })
}

/// A listing in pieces as the engine asks for them.
fn parts(wanted: &RecordBatch) -> Result<Vec<RecordBatch>> {
    let lengths = columns::u64s(wanted, columns::LENGTH_BYTES)?.values();
    let (mut parts, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (row, length) in lengths.iter().enumerate() {
        if row > start && bytes + length > READ_BYTES {
            parts.push(wanted.slice(start, row - start));
            (start, bytes) = (row, 0);
        }
        bytes += length;
    }
    parts.push(wanted.slice(start, wanted.num_rows() - start));
    Ok(parts)
}

fn ids_of(wanted: &RecordBatch) -> Result<Vec<String>> {
    Ok(columns::fixed(wanted, columns::BLOB_ID)?
        .iter()
        .flatten()
        .map(hex)
        .collect())
}

/// Bytes that `git cat-file --batch` writes.
fn cat_file(repository: &Path, options: &[&str], ids: &[String]) -> Result<u64> {
    let mut child = Command::new("git")
        .arg("-C")
        .arg(repository)
        .args(["cat-file", "--batch"])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let lines: String = ids.iter().map(|id| format!("{id}\n")).collect();
    // Git may end before it has read all.
    let feeder = std::thread::spawn(move || input.map(|mut input| input.write_all(lines.as_bytes())));
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    if let Some(mut output) = output {
        loop {
            match output.read(&mut buffer)? {
                0 => break,
                count => bytes += count as u64,
            }
        }
    }
    drop(feeder.join());
    match child.wait()?.success() {
        true => Ok(bytes),
        false => Err(Error::input("git failed")),
    }
}

/// Bytes of the blobs as libgit2 reads them, each thread with a repository of its own.
fn libgit2(repository: &Path, ids: &[String], threads: usize) -> Result<u64> {
    let trouble = |error: git2::Error| Error::input(error.message().to_owned());
    in_threads(threads, |number| {
        let opened = git2::Repository::open(repository).map_err(trouble)?;
        let objects = opened.odb().map_err(trouble)?;
        let share = ids.len().div_ceil(threads).max(1);
        let mut bytes = 0;
        for id in ids.chunks(share).nth(number).unwrap_or_default() {
            let id = git2::Oid::from_str(id).map_err(trouble)?;
            // Snapshots of repositories may lack their largest files.
            bytes += objects.read(id).map_or(0, |object| object.len() as u64);
        }
        Ok(bytes)
    })
}

fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
