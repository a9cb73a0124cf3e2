//! Readers of the benchmarks' own files, one file a benchmark; [`BENCHMARKS`] names them all.
//!
//! `rows` reads JSON, into which `table` turns Parquet and CSV; `parts` puts an item together; `mapping` reads tables of
//! anybody's.
//!
//! Files come from strangers: gzip is told by its magic bytes, sizes and lines are limited, and a layout that is not
//! the published one is refused with the name of the field that is missing.

mod apps;
mod bigcodebench;
mod classeval;
mod codecontests;
mod codexglue;
mod cosqa;
mod cruxeval;
mod cseprompts;
mod ds1000;
mod humaneval;
mod humaneval_plus;
mod humaneval_x;
mod humaneval_xl;
mod humanevalpack;
mod leetcode;
mod livecodebench;
mod mapping;
mod mbpp;
mod mbpp_plus;
mod mbxp;
mod mhumaneval;
mod multilingual_humaneval;
mod multipl_e;
mod parts;
mod repobench;
mod rows;
mod swe_bench;
mod table;
#[cfg(test)]
mod testing;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::error::{Error, Result, ResultExt};

use crate::store::{Stores, Uri};

pub use mapping::Mapping;
use parts::{Parts, called, language_of, numbered, paired, pairs, python_docstring, python_signature};
use rows::{Row, rows};

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
    /// Where it is published.
    pub url: &'static str,
    /// What the addresses of its files begin with.
    pub base: &'static str,
    /// Its files, a line each as `sha256sum` writes it: the sum of the file as the reader was tried on it, unpacked, or `-`;
    /// and the rest of its address. None, if the files have no addresses that stay.
    pub files: &'static str,
    /// License of its files, as published there.
    pub license: &'static str,
    /// The layouts that are understood, in words.
    pub layout: &'static str,
    /// Whether the reader was tried on the published files, not only on rows made up in their layout.
    pub verified: bool,
    /// Whether its items are ordinary code of public repositories: corpora hold them without anything having leaked.
    pub corpus_material: bool,
    /// Reads one unpacked file.
    read: fn(&Sheet<'_>) -> Result<Vec<BenchmarkItem>>,
}

/// A benchmark's file where it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its address.
    pub address: String,
    /// SHA-256 of what it unpacks to, if it is known.
    pub sha256: Option<&'static str>,
}

impl Benchmark {
    /// Its files where they are published; none, if their addresses do not stay.
    pub fn published(&self) -> impl Iterator<Item = Published> {
        let base = self.base;
        let pairs = self.files.lines().filter_map(|line| line.split_once("  "));
        pairs.map(move |(sum, path)| Published {
            address: format!("{base}{path}"),
            sha256: (sum != "-").then_some(sum),
        })
    }
}

/// One of a benchmark's own files, unpacked.
#[derive(Clone, Copy, Debug)]
struct Sheet<'a> {
    /// Its name, without `.gz`.
    name: &'a str,
    /// What is in it.
    text: &'a str,
}

/// A file by its name, packed by gzip or not.
pub type Named = (String, Vec<u8>);

/// Every benchmark, in alphabetical order.
pub static BENCHMARKS: &[Benchmark] = &[
    apps::BENCHMARK,
    bigcodebench::BENCHMARK,
    classeval::BENCHMARK,
    codecontests::BENCHMARK,
    codexglue::BENCHMARK,
    cosqa::BENCHMARK,
    cruxeval::BENCHMARK,
    cseprompts::BENCHMARK,
    ds1000::BENCHMARK,
    humaneval::BENCHMARK,
    humaneval_plus::BENCHMARK,
    humaneval_x::BENCHMARK,
    humaneval_xl::BENCHMARK,
    humanevalpack::BENCHMARK,
    leetcode::BENCHMARK,
    livecodebench::BENCHMARK,
    mbpp::BENCHMARK,
    mbpp_plus::BENCHMARK,
    mbxp::BENCHMARK,
    mhumaneval::BENCHMARK,
    multilingual_humaneval::BENCHMARK,
    multipl_e::BENCHMARK,
    repobench::BENCHMARK,
    swe_bench::BENCHMARK,
];

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

/// Reads the items of benchmark `name` out of its own files, packed by gzip or not, or out of Parquet, CSV and TSV files
/// of the same columns. Of items that several files have, the first is taken.
///
/// # Errors
/// Kind config for a benchmark without a reader; kind input for a file that is damaged or has another layout.
pub fn read(name: &str, files: &[Named]) -> Result<Vec<BenchmarkItem>> {
    let benchmark = find(name)?;
    let items = of_files(files, benchmark.read).with_context(|| format!("benchmark `{name}`"))?;
    match items.is_empty() {
        true => Err(Error::input(format!("no file of benchmark `{name}` holds an item")).hint(benchmark.layout)),
        false => Ok(items),
    }
}

/// The items of several files, each once.
fn of_files(
    files: &[Named],
    mut read: impl FnMut(&Sheet<'_>) -> Result<Vec<BenchmarkItem>>,
) -> Result<Vec<BenchmarkItem>> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (file, bytes) in files {
        let items = of_file(file, bytes, &mut read).with_context(|| file.clone())?;
        out.extend(items.into_iter().filter(|item| seen.insert(item.id.clone())));
    }
    Ok(out)
}

fn of_file(
    file: &str,
    bytes: &[u8],
    mut read: impl FnMut(&Sheet<'_>) -> Result<Vec<BenchmarkItem>>,
) -> Result<Vec<BenchmarkItem>> {
    let bytes = unpack(bytes)?;
    let name = file.strip_suffix(".gz").unwrap_or(file);
    let text = table::text(name, &bytes)?;
    if text.trim().is_empty() {
        return Err(Error::input("the file holds no items"));
    }
    let items = read(&Sheet { name, text: &text })?;
    check_items(&items)?;
    Ok(items)
}

fn check_items(items: &[BenchmarkItem]) -> Result<()> {
    let mut seen = BTreeSet::new();
    match items.iter().find(|item| !seen.insert(&item.id)) {
        Some(item) => Err(Error::input(format!("item `{}` is there twice", item.id))),
        None => Ok(()),
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

    fn named(bytes: &[u8]) -> Vec<Named> {
        vec![("mbpp.jsonl.gz".to_owned(), bytes.to_vec())]
    }

    fn refused(bytes: &[u8]) -> String {
        let error = read("mbpp", &named(bytes)).expect_err("it is no benchmark");
        assert_eq!(error.kind(), ErrorKind::Input);
        error.to_string()
    }

    #[test]
    fn names_are_sorted_and_lead_to_their_reader() {
        assert!(BENCHMARKS.is_sorted_by(|a, b| a.name < b.name));
        for benchmark in BENCHMARKS {
            assert!(find(benchmark.name).is_ok_and(|found| found.title == benchmark.title));
        }
        let error = read("humanevil", &[]).expect_err("there is no such benchmark");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(
            error
                .hint_text()
                .is_some_and(|hint| hint.contains("humaneval, humaneval-plus"))
        );
    }

    #[test]
    fn files_have_addresses_and_sums() {
        for benchmark in BENCHMARKS {
            let files: Vec<_> = benchmark.published().collect();
            assert_eq!(files.len(), benchmark.files.lines().count(), "{}", benchmark.name);
            assert!(!benchmark.verified || !files.is_empty(), "{}", benchmark.name);
            for file in files {
                assert!(Uri::parse(&file.address).is_ok(), "{}", file.address);
                assert_eq!(file.sha256.is_some(), benchmark.verified, "{}", file.address);
                let is_sum = |sum: &str| sum.len() == 64 && sum.bytes().all(|byte| byte.is_ascii_hexdigit());
                assert!(file.sha256.is_none_or(is_sum), "{}", file.address);
            }
        }
    }

    #[test]
    fn gzip_is_told_by_its_first_bytes_and_may_have_several_members() {
        let (one, two) = (row(1) + "\n", row(2) + "\n");
        let plain = read("mbpp", &named(format!("\u{feff}{one}\n{two}").as_bytes())).expect("two items");
        assert_eq!(plain.len(), 2);
        let packed = [gzip(one.as_bytes()), gzip(two.as_bytes())].concat();
        assert_eq!(read("mbpp", &named(&packed)).expect("two items"), plain);
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
                prop_assert!(read(benchmark.name, &named(&bytes)).is_err());
                prop_assert!(read(benchmark.name, &named(&gzip(&bytes))).is_err());
            }
        }
    }
}
