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

use crate::store::{Stores, Uri};

/// Largest file, packed or not, in bytes; benchmarks with generated inputs come near a tenth of it.
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
    BENCHMARKS
        .iter()
        .find(|benchmark| benchmark.name == name)
        .ok_or_else(|| {
            let names: Vec<_> = BENCHMARKS.iter().map(|benchmark| benchmark.name).collect();
            Error::config(format!("there is no reader for benchmark `{name}`"))
                .hint(format!("there are readers for {}", names.join(", ")))
        })
}

/// The bytes of a benchmark's own file, unpacked: what [`read`] takes and what a pack's checksum is of.
///
/// # Errors
/// Kind io, input or source: the file cannot be read, is too large, or is damaged.
pub fn load(file: &Uri, stores: &Stores) -> Result<Vec<u8>> {
    let place = || file.to_string();
    let bytes = match file {
        Uri::Local(path) => bytes_of(path).with_context(place)?,
        Uri::Store(_) => {
            let found = stores.get(file, MAX_FILE_BYTES)?;
            found.ok_or_else(|| Error::input(format!("`{file}` is not there")))?
        }
    };
    Ok(unpack(&bytes).with_context(place)?.into_owned())
}

fn bytes_of(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    check_size(bytes.len(), MAX_FILE_BYTES)?;
    Ok(bytes)
}

/// Unpacks gzip; anything else is left as it is.
///
/// # Errors
/// Kind input: damaged, or larger than [`MAX_FILE_BYTES`].
pub fn unpack(bytes: &[u8]) -> Result<Cow<'_, [u8]>> {
    unpack_within(bytes, MAX_FILE_BYTES)
}

fn unpack_within(bytes: &[u8], limit: u64) -> Result<Cow<'_, [u8]>> {
    if !bytes.starts_with(&GZIP) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes)
        .take(limit + 1)
        .read_to_end(&mut out)
        .map_err(|error| Error::input(format!("the gzip file is damaged: {error}")))?;
    check_size(out.len(), limit)?;
    Ok(Cow::Owned(out))
}

fn check_size(bytes: usize, limit: u64) -> Result<()> {
    if bytes as u64 > limit {
        return Err(Error::input(format!("the file is larger than {limit} bytes")));
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

/// One row of a benchmark's file.
struct Row {
    values: Map<String, Value>,
}

/// Reads each line of `text` that is not blank as an object and hands it to `item`.
fn json_lines(text: &str, item: impl Fn(&Row) -> Result<BenchmarkItem>) -> Result<Vec<BenchmarkItem>> {
    let mut out = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("line {}", number + 1);
        if line.len() > MAX_LINE_BYTES {
            return Err(Error::input(format!("longer than {MAX_LINE_BYTES} bytes")).context(place()));
        }
        if out.len() >= MAX_ITEMS {
            return Err(Error::input(format!("more than {MAX_ITEMS} items")));
        }
        let value = serde_json::from_str(line).map_err(not_json).with_context(place)?;
        out.push(Row::new(value).and_then(|row| item(&row)).with_context(place)?);
    }
    Ok(out)
}

/// Reads `text` as one array of objects and hands each to `item`.
fn json_array(text: &str, item: impl Fn(&Row) -> Result<BenchmarkItem>) -> Result<Vec<BenchmarkItem>> {
    let values: Vec<Value> = serde_json::from_str(text).map_err(not_json)?;
    if values.len() > MAX_ITEMS {
        return Err(Error::input(format!("more than {MAX_ITEMS} items")));
    }
    let rows = values.into_iter().enumerate();
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
        self.values.get(field).ok_or_else(|| {
            Error::input(format!("field `{field}` is missing")).hint("is this the benchmark's own file?")
        })
    }

    /// A text, with `\n` for every line end.
    fn text(&self, field: &str) -> Result<String> {
        let text = self
            .value(field)?
            .as_str()
            .ok_or_else(|| Error::input(format!("field `{field}` is no text")))?;
        Ok(text.replace("\r\n", "\n"))
    }

    /// A list of texts, one a line.
    fn texts(&self, field: &str) -> Result<String> {
        let refused = || Error::input(format!("field `{field}` is no list of texts"));
        let list = self.value(field)?.as_array().ok_or_else(refused)?;
        let texts = list
            .iter()
            .map(|value| value.as_str().ok_or_else(refused))
            .collect::<Result<Vec<_>>>()?;
        Ok(texts.join("\n").replace("\r\n", "\n"))
    }

    fn whole_number(&self, field: &str) -> Result<u64> {
        self.value(field)?
            .as_u64()
            .ok_or_else(|| Error::input(format!("field `{field}` is no whole number")))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;
    use stackmill_schemas::error::ErrorKind;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).expect("memory takes everything");
        encoder.finish().expect("memory takes everything")
    }

    fn row(id: u32) -> String {
        format!(
            r#"{{"task_id": {id}, "text": "Count the gulls.", "code": "def gulls():\r\n  return 2", "test_list": [], "test_setup_code": "", "challenge_test_list": []}}"#
        )
    }

    fn refused(bytes: &[u8]) -> String {
        let error = read("mbpp", bytes).expect_err("it is no benchmark");
        assert_eq!(error.kind(), ErrorKind::Input);
        error.to_string()
    }

    #[test]
    fn names_are_sorted_and_lead_to_their_reader() {
        assert!(BENCHMARKS.is_sorted_by(|a, b| a.name < b.name));
        for benchmark in BENCHMARKS {
            assert!(find(benchmark.name).is_ok_and(|found| found.title == benchmark.title));
        }
        let error = read("humanevil", b"").expect_err("there is no such benchmark");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.hint_text().is_some_and(|hint| hint.contains("humaneval, mbpp")));
    }

    #[test]
    fn gzip_is_told_by_its_first_bytes_and_may_have_several_members() {
        let (one, two) = (row(1) + "\n", row(2) + "\n");
        let plain = read("mbpp", format!("\u{feff}{one}\n{two}").as_bytes()).expect("two items");
        assert_eq!(plain.len(), 2);
        let packed = [gzip(one.as_bytes()), gzip(two.as_bytes())].concat();
        assert_eq!(read("mbpp", &packed).expect("two items"), plain);
    }

    #[test]
    fn damage_is_refused_with_its_place() {
        let whole = gzip(row(1).as_bytes());
        assert!(refused(&whole[..whole.len() - 9]).contains("gzip file is damaged"));
        assert!(refused(&gzip(&whole)).contains("no UTF-8"));
        assert!(refused(b"\n\n").contains("no items"));
        assert!(refused(b"ab\xff").contains("byte 2 is no UTF-8"));
        assert!(refused(format!("{}\n\n{{", row(1)).as_bytes()).contains("line 3"));
        assert!(refused(b"[1]").contains("item 1"));
        assert!(refused(b"7").contains("not a JSON object"));
        assert!(refused("[".repeat(100_000).as_bytes()).contains("not JSON"));
        assert!(refused(format!("{}\n{}", row(5), row(5)).as_bytes()).contains("`MBPP/5` is there twice"));
    }

    #[test]
    fn what_unpacks_beyond_the_limit_is_refused() {
        let packed = gzip(&[b'a'; 1000]);
        assert!(unpack_within(&packed, 1000).is_ok_and(|bytes| bytes.len() == 1000));
        assert!(unpack_within(&packed, 999).is_err_and(|error| error.message().contains("larger than 999 bytes")));
    }

    #[test]
    fn a_file_that_cannot_be_opened_is_named() {
        let error = load(&Uri::Local("no/such/file.jsonl".into()), &Stores::default()).expect_err("it does not exist");
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("no/such/file.jsonl"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for benchmark in BENCHMARKS {
                prop_assert!(read(benchmark.name, &bytes).is_err());
                prop_assert!(read(benchmark.name, &gzip(&bytes)).is_err());
            }
        }
    }
}
