//! Parsing as a run does it, in worker processes, beside tree-sitter called in this process: files and megabytes a
//! second of one core by language, workers that died, and the most memory that one took. What it may take is limited in
//! `pipelines::isolate`.
//!
//! ```text
//! cargo run --release -p stackmill-benches --features heavy-grammars --bin parse -- FOLDER…
//! ```
//! `target/release/stackmill` must be built with the same features. Speeds are by processor time, as Linux counts it for
//! this thread and the workers; the last ratio is by the clock, and counts what others do on the machine.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arrow_array::{Array as _, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use stackmill::isolate::Workers;
use stackmill_benches::{files_below, machine};
use stackmill_filters::syntax::{ERROR_BYTES, Fact, FactSet, Worker};
use stackmill_filters::{Parse, ParseConfig};
use stackmill_ingest::detect::language::detect;
use stackmill_schemas::context::{Answer, Batches, Homes, Interrupt, Isolate, Progress, SideFiles};
use stackmill_schemas::stage::Map;
use stackmill_schemas::{Error, FileBatch, Result, TaskContext, columns};

/// Most bytes of one language, so that none outweighs the others.
const BYTES_OF_LANGUAGE: usize = 80 << 20;
/// Files of a batch.
const BATCH: usize = 256;

struct Nothing;

impl Progress for Nothing {
    fn advance(&self, _files: u64, _bytes: u64) {}
}

impl Interrupt for Nothing {
    fn is_raised(&self) -> bool {
        false
    }
}

impl SideFiles for Nothing {
    fn shingles(&self, _home: u32) -> Result<Batches<'_>> {
        Err(Error::bug("no side files here"))
    }
}

/// The same requests, answered in this process: tree-sitter without pipes.
#[derive(Default)]
struct Direct(Mutex<Worker>);

impl Isolate for Direct {
    fn call(&self, request: &[u8]) -> Result<Answer> {
        let mut worker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        worker.answer(request).map(Answer::Done)
    }
}

fn context(isolate: Arc<dyn Isolate>) -> TaskContext {
    TaskContext {
        progress: Arc::new(Nothing),
        interrupt: Arc::new(Nothing),
        isolate,
        side: Arc::new(Nothing),
        homes: Arc::new(Homes::default()),
        cache: PathBuf::new(),
    }
}

/// Path, language and text.
type File = (String, &'static str, String);

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    match bench(&folders) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn bench(folders: &[PathBuf]) -> Result<()> {
    let languages = read(folders);
    println!("{}", machine());
    println!("language files MB parsed crashed over-budget peak-MB isolated-MB/s direct-MB/s ratio wall-ratio");
    let isolated = context(Arc::new(Workers::new(program())));
    let direct = context(Arc::new(Direct::default()));
    let mut sum = Row::default();
    for (language, files) in &languages {
        let mut row = Row::default();
        for files in files.chunks(BATCH) {
            row.measure(files, &isolated, &direct)?;
        }
        row.print(language);
        sum.add(&row);
    }
    sum.print("all");
    Ok(())
}

fn program() -> PathBuf {
    std::env::current_exe()
        .map(|own| own.with_file_name("stackmill"))
        .unwrap_or_default()
}

/// Files of languages with a grammar, by language, up to a limit each.
fn read(folders: &[PathBuf]) -> BTreeMap<&'static str, Vec<File>> {
    let known: Vec<&str> = Parse::languages().collect();
    let mut found: BTreeMap<&str, (usize, Vec<File>)> = BTreeMap::new();
    for path in folders.iter().flat_map(|folder| files_below(folder, u64::MAX)) {
        let Some((language, file)) = file(&path, &known) else {
            continue;
        };
        let (bytes, files) = found.entry(language).or_default();
        if *bytes < BYTES_OF_LANGUAGE {
            *bytes += file.2.len();
            files.push(file);
        }
    }
    found
        .into_iter()
        .map(|(language, (_, files))| (language, files))
        .collect()
}

fn file(path: &Path, known: &[&str]) -> Option<(&'static str, File)> {
    let text = std::fs::read_to_string(path)
        .ok()
        .filter(|text| text.len() <= 1 << 20)?;
    let name = path.to_str()?.to_owned();
    let language = detect(&name, &text, None).filter(|language| known.contains(language))?;
    Some((language, (name, language, text)))
}

/// What became of the files of a language.
#[derive(Default)]
struct Row {
    files: usize,
    bytes: usize,
    parsed: usize,
    crashed: usize,
    over_budget: usize,
    peak_bytes: u64,
    isolated: Spent,
    direct: Spent,
}

/// Seconds of the processor and of the clock.
#[derive(Clone, Copy, Default)]
struct Spent {
    processor: f64,
    wall: f64,
}

impl Spent {
    fn add(&mut self, other: Self) {
        self.processor += other.processor;
        self.wall += other.wall;
    }
}

/// Seconds that this thread and all workers that live have been on a processor.
fn processor_seconds() -> f64 {
    // Linux brings the account of a thread up to date when it leaves the processor.
    std::thread::yield_now();
    let own = std::iter::once("/proc/thread-self".to_owned());
    let spent = own.chain(workers()).filter_map(|place| {
        let text = std::fs::read_to_string(format!("{place}/schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    spent.sum::<f64>() / 1e9
}

/// The most memory that a worker that lives has had, in bytes.
fn peak_bytes() -> u64 {
    let peaks = workers().filter_map(|place| {
        let text = std::fs::read_to_string(format!("{place}/status")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    });
    peaks.max().unwrap_or_default() * 1024
}

/// The folders in `/proc` of processes that this thread has started.
fn workers() -> impl Iterator<Item = String> {
    let text = std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    let places: Vec<String> = text.split_whitespace().map(|id| format!("/proc/{id}")).collect();
    places.into_iter()
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.parsed += other.parsed;
        self.crashed += other.crashed;
        self.over_budget += other.over_budget;
        self.peak_bytes = self.peak_bytes.max(other.peak_bytes);
        self.isolated.add(other.isolated);
        self.direct.add(other.direct);
    }

    /// Parses both ways, isolated first and last, so that neither profits from the other; what crashes a worker is left
    /// out of the other way, which it would end.
    fn measure(&mut self, files: &[File], isolated: &TaskContext, direct: &TaskContext) -> Result<()> {
        let (parsed, spent) = timed(files, isolated)?;
        let crashed: Vec<u64> = decided(&parsed, "parser-crash").collect();
        let told = columns::u64s(parsed.record(), ERROR_BYTES)?;
        self.files += files.len();
        self.bytes += files.iter().map(|file| file.2.len()).sum::<usize>();
        self.parsed += told.len() - told.null_count();
        self.crashed += crashed.len();
        self.over_budget += decided(&parsed, "parse-budget").count();
        self.isolated.add(spent);
        let honest: Vec<File> = (0..)
            .zip(files)
            .filter(|(i, _)| !crashed.contains(i))
            .map(|(_, file)| file.clone())
            .collect();
        for _ in 0..2 {
            self.direct.add(timed(&honest, direct)?.1);
        }
        self.isolated.add(timed(files, isolated)?.1);
        self.peak_bytes = self.peak_bytes.max(peak_bytes());
        Ok(())
    }

    fn print(&self, name: &str) {
        let megabytes = self.bytes as f64 / 1e6;
        // Each way was gone twice.
        let speed = |spent: Spent| 2.0 * megabytes / spent.processor;
        println!(
            "{name}\t{}\t{megabytes:.1}\t{:.2}%\t{}\t{}\t{}\t{:.1}\t{:.1}\t{:.3}\t{:.3}",
            self.files,
            100.0 * self.parsed as f64 / self.files.max(1) as f64,
            self.crashed,
            self.over_budget,
            self.peak_bytes >> 20,
            speed(self.isolated),
            speed(self.direct),
            self.direct.processor / self.isolated.processor,
            self.direct.wall / self.isolated.wall
        );
    }
}

fn decided(batch: &FileBatch, rule: &'static str) -> impl Iterator<Item = u64> {
    let decisions = batch.decisions().iter().filter(move |decision| decision.rule == rule);
    decisions.map(|decision| decision.file_id.0)
}

/// The batch with facts of errors and definitions, as syntax rules read them, and what it took.
fn timed(files: &[File], cx: &TaskContext) -> Result<(FileBatch, Spent)> {
    let wanted: FactSet = [Fact::ErrorBytes, Fact::Definitions].into_iter().collect();
    let mut task = Parse::new(ParseConfig::default(), wanted)?.open(cx)?;
    let batch = batch(files)?;
    let (start, before) = (Instant::now(), processor_seconds());
    let parsed = task.map(batch)?;
    let spent = Spent {
        processor: processor_seconds() - before,
        wall: start.elapsed().as_secs_f64(),
    };
    Ok((parsed, spent))
}

fn batch(files: &[File]) -> Result<FileBatch> {
    let schema = Schema::new(vec![
        Field::new(columns::FILE_ID, DataType::UInt64, false),
        Field::new(columns::PATH, DataType::Utf8, true),
        Field::new(columns::LANGUAGE, DataType::Utf8, true),
        Field::new(columns::CONTENT, DataType::Utf8, true),
    ]);
    let ids = UInt64Array::from_iter_values(0..files.len() as u64);
    let paths: StringArray = files.iter().map(|file| Some(&file.0)).collect();
    let languages: StringArray = files.iter().map(|file| Some(file.1)).collect();
    let texts: StringArray = files.iter().map(|file| Some(&file.2)).collect();
    let record = RecordBatch::try_new(
        Arc::new(schema),
        vec![Arc::new(ids), Arc::new(paths), Arc::new(languages), Arc::new(texts)],
    )?;
    FileBatch::new(record)
}
