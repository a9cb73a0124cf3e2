//! Readers of the benchmarks' own files, one file a benchmark; [`BENCHMARKS`] names them all.
//!
//! Files come from strangers: gzip is told by its magic bytes, sizes and lines are limited, and a layout that is not
//! the published one is refused with the name of the field that is missing.

mod humaneval;
mod mbpp;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Map, Value};
use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::error::{Error, Result, ResultExt};

/// Largest file, packed or not, in bytes: ten times the largest code benchmark that is published as one file.
pub const MAX_FILE_BYTES: u64 = 1 << 30;
/// Longest line of a JSON Lines file, in bytes.
pub const MAX_LINE_BYTES: usize = 64 << 20;
/// Most items of a benchmark.
pub const MAX_ITEMS: usize = 1_000_000;
/// Magic bytes of gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// A benchmark whose own files can be read.
#[derive(Clone, Copy, Debug)]
pub struct Benchmark {
    /// Its name in recipes and verdicts.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Where its own file is published.
    pub url: &'static str,
    /// License of that file, as published there.
    pub license: &'static str,
    /// The layouts that are understood, in words.
    pub layout: &'static str,
    /// Reads the unpacked file.
    read: fn(&str) -> Result<Vec<BenchmarkItem>>,
}

/// Every benchmark, in alphabetical order.
pub static BENCHMARKS: &[Benchmark] = &[humaneval::BENCHMARK, mbpp::BENCHMARK];

/// The benchmark of this name.
///
/// # Errors
/// Kind config, with the names there are.
pub fn find(name: &str) -> Result<&'static Benchmark> {
    BENCHMARKS.iter().find(|benchmark| benchmark.name == name).ok_or_else(|| {
        let names: Vec<_> = BENCHMARKS.iter().map(|benchmark| benchmark.name).collect();
        Error::config(format!("there is no reader for benchmark `{name}`"))
            .hint(format!("there are readers for {}", names.join(", ")))
    })
}

/// The bytes of a benchmark's own file, unpacked: what [`read`] takes and what a pack's checksum is of.
///
/// # Errors
/// Kind io or input: the file cannot be read, is too large, or is damaged.
pub fn load(file: &Path) -> Result<Vec<u8>> {
    let place = || file.display().to_string();
    let mut bytes = Vec::new();
    let handle = File::open(file).with_context(place)?;
    handle.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).with_context(place)?;
    check_size(bytes.len()).with_context(place)?;
    Ok(unpack(&bytes).with_context(place)?.into_owned())
}

/// Unpacks gzip; anything else is left as it is.
///
/// # Errors
/// Kind input: damaged, or larger than [`MAX_FILE_BYTES`].
pub fn unpack(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    if !bytes.starts_with(&GZIP) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut out)
        .map_err(|error| Error::input(format!("the gzip file is damaged: {error}")))?;
    check_size(out.len())?;
    Ok(Cow::Owned(out))
}

fn check_size(bytes: usize) -> Result<()> {
    if bytes as u64 > MAX_FILE_BYTES {
        return Err(Error::input(format!("the file is larger than {MAX_FILE_BYTES} bytes")));
    }
    Ok(())
}

/// Reads the items of benchmark `name` out of its own file, packed by gzip or not.
///
/// # Errors
/// Kind config for a benchmark without a reader; kind input for a file that is damaged or has another layout.
pub fn read(name: &str, bytes: &[u8]) -> Result<Vec<BenchmarkItem>> {
    let benchmark = find(name)?;
    let place = || format!("benchmark `{name}`");
    let bytes = unpack(bytes).with_context(place)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|error| Error::input(format!("byte {} is no UTF-8", error.valid_up_to())))
        .with_context(place)?;
    let items = (benchmark.read)(text.trim_start_matches('\u{feff}')).with_context(place)?;
    check_items(&items).with_context(place)?;
    Ok(items)
}

fn check_items(items: &[BenchmarkItem]) -> Result<()> {
    if items.is_empty() {
        return Err(Error::input("the file holds no items"));
    }
    let mut seen = BTreeSet::new();
    match items.iter().find(|item| !seen.insert(&item.id)) {
        Some(item) => Err(Error::input(format!("item `{}` is there twice", item.id))),
        None => Ok(()),
    }
}

/// One row of a benchmark's file, and how to say where it stands.
struct Row {
    values: Map<String, Value>,
}

/// Reads each line of `text` that is not blank as an object and hands it to `item`.
fn json_lines(text: &str, item: impl Fn(&Row) -> Result<BenchmarkItem>) -> Result<Vec<BenchmarkItem>> {
    let mut out = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("line {}", number + 1);
        if line.len() > MAX_LINE_BYTES || out.len() >= MAX_ITEMS {
            return Err(Error::input("the line or the number of items is beyond its limit").context(place()));
        }
        let value = serde_json::from_str(line).map_err(not_json).with_context(place)?;
        out.push(Row::new(value).and_then(|row| item(&row)).with_context(place)?);
    }
    Ok(out)
}

/// Reads `text` as one array of objects and hands each to `item`.
fn json_array(text: &str, item: impl Fn(&Row) -> Result<BenchmarkItem>) -> Result<Vec<BenchmarkItem>> {
    let values: Vec<Value> = serde_json::from_str(text).map_err(not_json)?;
    let rows = values.into_iter().take(MAX_ITEMS).enumerate();
    rows.map(|(number, value)| {
        let place = || format!("item {}", number + 1);
        Row::new(value).and_then(|row| item(&row)).with_context(place)
    })
    .collect()
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn not_json(error: serde_json::Error) -> Error {
    Error::input(format!("not JSON: {error}"))
}

impl Row {
    fn new(value: Value) -> Result<Self> {
        match value {
            Value::Object(values) => Ok(Self { values }),
            _ => Err(Error::input("not a JSON object")),
        }
    }

    fn has(&self, field: &str) -> bool {
        self.values.contains_key(field)
    }

    fn value(&self, field: &str) -> Result<&Value> {
        self.values
            .get(field)
            .ok_or_else(|| Error::input(format!("field `{field}` is missing")).hint("is this the benchmark's own file?"))
    }

    /// A text, with `\n` for every line end.
    fn text(&self, field: &str) -> Result<String> {
        let text = self.value(field)?.as_str().ok_or_else(|| Error::input(format!("field `{field}` is no text")))?;
        Ok(text.replace("\r\n", "\n"))
    }

    /// A list of texts, one a line.
    fn texts(&self, field: &str) -> Result<String> {
        let refused = || Error::input(format!("field `{field}` is no list of texts"));
        let list = self.value(field)?.as_array().ok_or_else(refused)?;
        let texts = list.iter().map(|value| value.as_str().ok_or_else(refused)).collect::<Result<Vec<_>>>()?;
        Ok(texts.join("\n").replace("\r\n", "\n"))
    }

    fn whole_number(&self, field: &str) -> Result<u64> {
        self.value(field)?.as_u64().ok_or_else(|| Error::input(format!("field `{field}` is no whole number")))
    }
}
