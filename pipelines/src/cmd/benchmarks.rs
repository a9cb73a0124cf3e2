//! `stackmill benchmarks`

use std::path::{Path, PathBuf};

use serde_json::json;
use sha2::{Digest as _, Sha256};
use stackmill_dedup::contamination::{Pack, PackSource, build_control, build_pack};
use stackmill_ingest::benchmarks::{self, Benchmark, Mapping, Named, Published};
use stackmill_ingest::store::Uri;
use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::ids::hex;
use stackmill_schemas::{Error, Result, ResultExt};

use super::print;
use crate::cli::BenchmarksCommand;
use crate::environment;
use crate::workdir::write_file;

/// Shipped are control items of every so many items, so that packs stay small.
const CONTROL_ONE_IN: usize = 10;

pub(super) fn benchmarks(command: &BenchmarksCommand) -> Result<u8> {
    match command {
        BenchmarksCommand::Build {
            layout,
            name,
            from,
            out,
            control,
            items,
        } => {
            let layout = Layout::of(layout)?;
            let material = Material::of(&layout, name.as_deref(), from)?;
            match control {
                true => build_controls(&material, items.as_deref(), out),
                false => build(&material, out),
            }
        }
        BenchmarksCommand::Show { pack } => show(pack),
    }
    .map(|()| 0)
}

fn build(material: &Material, out: &Path) -> Result<()> {
    let pack = material.pack()?;
    write_file(out, &pack)?;
    let items = material.items.len();
    print(&format!("{}: {items} items, {} bytes\n", out.display(), pack.len()))
}

fn build_controls(material: &Material, texts: Option<&Path>, out: &Path) -> Result<()> {
    let (pack, twins) = material.control(CONTROL_ONE_IN)?;
    write_file(out, &pack)?;
    if let Some(texts) = texts {
        write_file(texts, lines(&twins).as_bytes())?;
    }
    let (items, bytes) = (twins.len(), pack.len());
    print(&format!("{}: {items} control items, {bytes} bytes\n", out.display()))
}

/// A line an item: its id, and its fields by their names.
fn lines(items: &[BenchmarkItem]) -> String {
    let line = |item: &BenchmarkItem| {
        let fields = item
            .fields
            .iter()
            .map(|(field, text)| json!({"field": field, "text": text}));
        let fields: Vec<_> = fields.collect();
        format!(
            "{}\n",
            json!({"id": item.id, "language": item.language, "fields": fields})
        )
    };
    items.iter().map(line).collect()
}

/// What reads a benchmark's own files: a reader of ours, or a mapping of anybody's.
pub(super) enum Layout {
    /// A published layout.
    Known(&'static Benchmark),
    /// A TOML file that says which columns are which fields.
    Mapped(Box<Mapping>),
}

impl Layout {
    /// By name, or by a mapping's file.
    pub(super) fn of(word: &str) -> Result<Self> {
        if Path::new(word).extension().is_none_or(|ending| ending != "toml") {
            return benchmarks::find(word).map(Self::Known);
        }
        let text = std::fs::read_to_string(word).context(word)?;
        let mapping: Mapping = toml::from_str(&text).map_err(|error| {
            Error::config(format!("{word}: {error}"))
                .hint("docs/reference/benchmarks.md shows a mapping of columns to fields")
        })?;
        mapping.check().context(word)?;
        Ok(Self::Mapped(Box::new(mapping)))
    }

    /// What verdicts and findings call the benchmark.
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Known(benchmark) => benchmark.name,
            Self::Mapped(mapping) => &mapping.name,
        }
    }

    fn files(&self, from: &[PathBuf]) -> Result<Vec<Named>> {
        match (self, from) {
            (Self::Known(benchmark), []) => fetched(benchmark),
            (Self::Mapped(_), []) => {
                Err(Error::config("a mapping says nothing of where the files are").hint("add --from FILES"))
            }
            (_, given) => loaded(given),
        }
    }

    fn items(&self, files: &[Named]) -> Result<Vec<BenchmarkItem>> {
        match self {
            Self::Known(benchmark) => benchmarks::read(benchmark.name, files),
            Self::Mapped(mapping) => mapping.read(files),
        }
    }

    /// Address and licence of the publisher, and whether items are ordinary code.
    fn source(&self) -> (&str, &str, bool) {
        match self {
            Self::Known(benchmark) => (benchmark.url, benchmark.license, benchmark.corpus_material),
            Self::Mapped(mapping) => (&mapping.url, &mapping.license, mapping.report_only),
        }
    }
}

/// What packs are built of.
pub(super) struct Material {
    name: String,
    source: PackSource,
    items: Vec<BenchmarkItem>,
}

impl Material {
    /// Of a benchmark's own files; fetched, if none are given.
    pub(super) fn of(layout: &Layout, name: Option<&str>, from: &[PathBuf]) -> Result<Self> {
        let files = layout.files(from)?;
        let items = layout.items(&files)?;
        // The publisher's address and licence are only known of the publisher's own benchmark.
        let (url, license, report_only) = match (name, layout.source()) {
            (None, source) => source,
            (Some(_), (_, _, report_only)) => ("", "", report_only),
        };
        let source = PackSource {
            url: url.to_owned(),
            license: license.to_owned(),
            sha256: sum(&files),
            report_only,
            control: false,
        };
        let name = name.unwrap_or(layout.name()).to_owned();
        Ok(Self { name, source, items })
    }

    /// Number of items.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The bytes of the benchmark's pack.
    pub(super) fn pack(&self) -> Result<Vec<u8>> {
        build_pack(&self.name, &self.source, &self.items)
    }

    /// The bytes of a pack of twins of every so many items, and the twins.
    pub(super) fn control(&self, one_in: usize) -> Result<(Vec<u8>, Vec<BenchmarkItem>)> {
        build_control(&self.name, &self.source, &self.items, one_in)
    }
}

/// The items of a benchmark's own files.
pub(super) fn items_of(layout: &Layout, files: &[PathBuf]) -> Result<Vec<BenchmarkItem>> {
    layout.items(&loaded(files)?)
}

/// The benchmark's files from where they are published.
fn fetched(benchmark: &Benchmark) -> Result<Vec<Named>> {
    let stores = environment::stores()?;
    let load = |file: Published| {
        let uri = Uri::parse(&file.address)?;
        let bytes = benchmarks::load(&uri, &stores)?;
        let sha256 = hex(&Sha256::digest(&bytes));
        match file.sha256 {
            Some(known) if known != sha256 => Err(Error::input(format!(
                "{} is not the file that the reader was tried on: its SHA-256 is {sha256}",
                file.address
            ))
            .hint("if it is a newer one that you want, fetch it and name it by --from")),
            _ => Ok((uri.file_name(), bytes)),
        }
    };
    let files = benchmark.published().map(load).collect::<Result<Vec<_>>>()?;
    match files.is_empty() {
        true => Err(Error::config(format!(
            "the files of benchmark `{}` have no addresses that stay",
            benchmark.name
        ))
        .hint(format!("get them from {} and name them by --from", benchmark.url))),
        false => Ok(files),
    }
}

/// Files, and the files below folders, in order of their names.
fn loaded(given: &[PathBuf]) -> Result<Vec<Named>> {
    let mut places = Vec::new();
    for path in given {
        match path.is_dir() {
            true => below(path, &mut places)?,
            false => places.push(Uri::of_path(path)?),
        }
    }
    let stores = environment::stores()?;
    let load = |uri: &Uri| Ok((uri.file_name(), benchmarks::load(uri, &stores)?));
    places.iter().map(load).collect()
}

fn below(folder: &Path, places: &mut Vec<Uri>) -> Result<()> {
    let place = || folder.display().to_string();
    let entries = std::fs::read_dir(folder).with_context(place)?;
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()
        .with_context(place)?;
    paths.sort();
    for path in paths {
        match path.is_dir() {
            true => below(&path, places)?,
            false => places.push(Uri::of_path(&path)?),
        }
    }
    Ok(())
}

/// SHA-256 of a file; of several, that of a line with sum and name for each.
fn sum(files: &[Named]) -> String {
    let one = |bytes: &[u8]| hex(&Sha256::digest(bytes));
    match files {
        [(_, bytes)] => one(bytes),
        several => {
            let line = |(name, bytes): &Named| format!("{}  {name}\n", one(bytes));
            one(several.iter().map(line).collect::<String>().as_bytes())
        }
    }
}

fn show(name: &str) -> Result<()> {
    let pack = match Pack::shipped(name) {
        Some(pack) => pack,
        None => {
            let bytes = std::fs::read(name).map_err(|error| {
                Error::input(format!("no pack `{name}` ships, and no such file can be read: {error}"))
                    .hint("`stackmill list benchmarks` names those that ship")
            })?;
            Pack::parse(&bytes).context(name)?
        }
    };
    let info = pack.info();
    let text = format!(
        "{}: {} items, {} fields, {} hashes, format {}\nsource  {}\nlicense {}\nsha256  {}\n",
        info.name, info.items, info.fields, info.ngrams, info.version, info.url, info.license, info.sha256
    );
    print(&text)
}
