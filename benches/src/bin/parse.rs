//! Parsing as a run does it, in worker processes, beside tree-sitter called in this process: files and megabytes a
//! second of one core by language, and workers that died. A worker's memory is limited in `pipelines::isolate`.
//!
//! ```text
//! cargo run --release -p stackmill-benches --features heavy-grammars --bin parse -- FOLDER…
//! ```
//! `target/release/stackmill` must be built with the same features.
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
const BYTES_OF_LANGUAGE: usize = 48 << 20;
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
    println!("language files MB parsed crashed over-budget isolated-MB/s direct-MB/s ratio");
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
    isolated_seconds: f64,
    direct_seconds: f64,
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.files += other.files;
        self.bytes += other.bytes;
        self.parsed += other.parsed;
        self.crashed += other.crashed;
        self.over_budget += other.over_budget;
        self.isolated_seconds += other.isolated_seconds;
        self.direct_seconds += other.direct_seconds;
    }

    /// Parses both ways; what crashes a worker is left out of the other, which it would end.
    fn measure(&mut self, files: &[File], isolated: &TaskContext, direct: &TaskContext) -> Result<()> {
        let (parsed, seconds) = timed(files, isolated)?;
        let crashed: Vec<u64> = decided(&parsed, "parser-crash").collect();
        let told = columns::u64s(parsed.record(), ERROR_BYTES)?;
        self.files += files.len();
        self.bytes += files.iter().map(|file| file.2.len()).sum::<usize>();
        self.parsed += told.len() - told.null_count();
        self.crashed += crashed.len();
        self.over_budget += decided(&parsed, "parse-budget").count();
        self.isolated_seconds += seconds;
        let honest: Vec<File> = (0..)
            .zip(files)
            .filter(|(i, _)| !crashed.contains(i))
            .map(|(_, file)| file.clone())
            .collect();
        self.direct_seconds += timed(&honest, direct)?.1;
        Ok(())
    }

    fn print(&self, name: &str) {
        let megabytes = self.bytes as f64 / 1e6;
        let (isolated, direct) = (megabytes / self.isolated_seconds, megabytes / self.direct_seconds);
        println!(
            "{name}\t{}\t{megabytes:.1}\t{:.2}%\t{}\t{}\t{isolated:.1}\t{direct:.1}\t{:.3}",
            self.files,
            100.0 * self.parsed as f64 / self.files.max(1) as f64,
            self.crashed,
            self.over_budget,
            isolated / direct
        );
    }
}

fn decided(batch: &FileBatch, rule: &'static str) -> impl Iterator<Item = u64> {
    let decisions = batch.decisions().iter().filter(move |decision| decision.rule == rule);
    decisions.map(|decision| decision.file_id.0)
}

/// The batch with facts of errors and definitions, as syntax rules read them, and the seconds that it took.
fn timed(files: &[File], cx: &TaskContext) -> Result<(FileBatch, f64)> {
    let wanted: FactSet = [Fact::ErrorBytes, Fact::Definitions].into_iter().collect();
    let mut task = Parse::new(ParseConfig::default(), wanted)?.open(cx)?;
    let batch = batch(files)?;
    let start = Instant::now();
    let parsed = task.map(batch)?;
    Ok((parsed, start.elapsed().as_secs_f64()))
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
