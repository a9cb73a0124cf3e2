//! `stackmill audit`: what of benchmarks is in a corpus.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_schema::DataType;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;
use stackmill_dedup::contamination::{Pack, SHIPPED, Tier};
use stackmill_ingest::sources::History;
use stackmill_ingest::store::Uri;
use stackmill_schemas::{Error, Result, ResultExt as _};

use super::benchmarks::{Layout, Material, items_of};
use super::run::processors;
use super::{print, print_json};
use crate::audit::page::Texts;
use crate::audit::previous::clean_blobs;
use crate::audit::summary::tier_of;
use crate::audit::{DATASET, write};
use crate::cli::AuditArgs;
use crate::console::Console;
use crate::environment::cache_folder;
use crate::job::Options;
use crate::output::Output;
use crate::units::Share;
use crate::workdir::{make, write_file};
use crate::{Recipe, run as engine};

/// Exit code where `--deny` has found something.
const DENIED: u8 = 8;

/// Most control items of a benchmark that is given as files.
const MOST_CONTROLS: usize = 2000;

/// Column of a table that is taken for its documents' ids, if nothing is said.
const ID: &str = "id";

pub(super) fn audit(args: &AuditArgs) -> Result<u8> {
    let denied = denied(args)?;
    let asked = Asked::new(args)?;
    let mut texts = Texts::default();
    for (name, files) in by_name(args.text.iter().chain(own(args)))? {
        let layout = Layout::of(&name)?;
        texts.add(layout.name(), items_of(&layout, &files)?);
    }
    let out = Uri::of_path(&args.out.join(DATASET))?;
    let known = match &args.previous {
        Some(previous) => Some(clean_blobs(previous, &asked.packs, &args.out)?),
        None => None,
    };
    let recipe = recipe(args, &asked, known.as_deref())?;
    let data = Output::new(out.clone(), recipe.stores.clone());
    engine(recipe, options(args, out), &Console::new(args.json))?;
    let summary = write(&data, &asked.packs, &texts, &args.out)?;
    if args.json {
        print_json(&summary)?;
    } else {
        let next = format!(
            "\ntry next:\n  open {0}/audit.html\n  stackmill explain {0}/{DATASET} REPO:PATH\n",
            args.out.display()
        );
        print(&(summary.table() + &next))?;
    }
    Ok(if summary.has(&denied) { DENIED } else { 0 })
}

/// The tiers that `--deny` names; those of copies, if it names none.
fn denied(args: &AuditArgs) -> Result<Vec<Tier>> {
    let Some(named) = &args.deny else { return Ok(Vec::new()) };
    let known = |name: &String| {
        tier_of(name).ok_or_else(|| {
            Error::config(format!("--deny: there is no tier `{name}`"))
                .hint("verbatim, normalised, derivative, common or too_short")
        })
    };
    match named.as_slice() {
        [] => Ok(Tier::COPIES.to_vec()),
        some => some.iter().map(known).collect(),
    }
}

/// The benchmarks to look for.
struct Asked {
    shipped: Vec<String>,
    files: Vec<PathBuf>,
    packs: Vec<Pack>,
}

impl Asked {
    fn new(args: &AuditArgs) -> Result<Self> {
        let mut this = Self {
            shipped: Vec::new(),
            files: Vec::new(),
            packs: Vec::new(),
        };
        for (layout, files) in by_name(own(args))? {
            this.build(&Layout::of(&layout)?, &files, &args.out)?;
        }
        for name in args.benchmark.iter().filter(|name| !name.contains('=')) {
            match Pack::shipped(name) {
                Some(pack) => this.ship(pack),
                None => this.read(Path::new(name))?,
            }
        }
        if args.benchmark.is_empty() {
            // Those that are made of ordinary code are found in ordinary corpora.
            let shipped = SHIPPED.iter().filter_map(|name| Pack::shipped(name));
            shipped
                .filter(|pack| !pack.source().report_only)
                .for_each(|pack| this.ship(pack));
        }
        Ok(this)
    }

    /// A pack that ships, with its control items.
    fn ship(&mut self, pack: Pack) {
        let control = Pack::shipped(&format!("control-{}", pack.name()));
        for pack in [Some(pack), control].into_iter().flatten() {
            self.shipped.push(pack.name().to_owned());
            self.packs.push(pack);
        }
    }

    /// The pack of a benchmark's own files, and of control items if there are enough to make some, kept beside what the
    /// audit says.
    fn build(&mut self, layout: &Layout, files: &[PathBuf], out: &Path) -> Result<()> {
        let material = Material::of(layout, None, files)?;
        let packs = out.join("packs");
        make(&packs)?;
        let path = packs.join(format!("{}.pack", layout.name()));
        write_file(&path, &material.pack()?)?;
        self.read(&path)?;
        let one_in = material.len().div_ceil(MOST_CONTROLS);
        let Ok((bytes, _)) = material.control(one_in) else {
            return Ok(());
        };
        let path = packs.join(format!("control-{}.pack", layout.name()));
        write_file(&path, &bytes)?;
        self.read(&path)
    }

    fn read(&mut self, path: &Path) -> Result<()> {
        let place = || path.display().to_string();
        let bytes = std::fs::read(path).map_err(|error| {
            let message = format!(
                "--benchmark: no pack `{}` ships, and no such file can be read: {error}",
                place()
            );
            Error::input(message).hint(format!(
                "shipped are {}; a file of your own: NAME=FILE",
                SHIPPED.join(", ")
            ))
        })?;
        self.packs.push(Pack::parse(&bytes).with_context(place)?);
        self.files.push(std::path::absolute(path)?);
        Ok(())
    }
}

/// Benchmarks that are given as files of their own.
fn own(args: &AuditArgs) -> impl Iterator<Item = &String> {
    args.benchmark.iter().filter(|name| name.contains('='))
}

/// `NAME=FILE`, several of one name together.
fn by_name<'a>(given: impl Iterator<Item = &'a String>) -> Result<Vec<(String, Vec<PathBuf>)>> {
    let mut out: Vec<(String, Vec<PathBuf>)> = Vec::new();
    for text in given {
        let (name, file) = text.split_once('=').ok_or_else(|| {
            Error::config(format!("--text: `{text}` names no benchmark")).hint("--text humaneval=HumanEval.jsonl.gz")
        })?;
        match out.iter_mut().find(|(known, _)| known == name) {
            Some((_, files)) => files.push(file.into()),
            None => out.push((name.to_owned(), vec![file.into()])),
        }
    }
    Ok(out)
}

/// A recipe that keeps the files in which something was found, whatever they are.
fn recipe(args: &AuditArgs, asked: &Asked, known: Option<&Path>) -> Result<Recipe> {
    let packs: Vec<_> = asked.files.iter().map(|path| path.to_string_lossy()).collect();
    let mut settings = json!({
        "exact": false,
        "decontaminate": {"benchmarks": asked.shipped, "packs": packs, "remove-tiers": [], "findings": "only"},
    });
    if let Some(known) = known {
        let list = std::path::absolute(known)?;
        settings["opt-out"] = json!({"lists": [list.to_string_lossy()], "max-bytes": args.memory / 4});
    }
    let mut recipe = Recipe::of_stages(&settings)?.reading(&args.inputs)?;
    for (input, source) in args.inputs.iter().zip(&mut recipe.sources) {
        if source.jsonl.is_some() || source.parquet.is_some() {
            // A line may be without an id, but a Parquet file that is said to have such a column has to have it.
            let has_ids = source.jsonl.is_some() || has_ids(Path::new(input));
            let id = args.id.clone().or_else(|| has_ids.then(|| ID.to_owned()));
            source.columns.extend(id.map(|id| ("revision_id".to_owned(), id)));
            if let Some(content) = &args.content {
                source.columns.insert("content".to_owned(), content.clone());
            }
        }
        if args.history && source.git.is_some() {
            source.history = Some(History::References);
        }
    }
    recipe.rewritten()
}

/// Whether a Parquet file of this machine has ids of the usual name, as text.
fn has_ids(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let Ok(table) = ParquetRecordBatchReaderBuilder::try_new(file) else {
        return false;
    };
    let id = table.schema().field_with_name(ID).map(arrow_schema::Field::data_type);
    matches!(id, Ok(DataType::Utf8 | DataType::LargeUtf8))
}

fn options(args: &AuditArgs, out: Uri) -> Options {
    Options {
        out,
        scratch: None,
        scratch_budget: u64::MAX,
        memory: args.memory,
        threads: args.threads.map_or_else(processors, usize::from),
        batch_rows: 256,
        sample: Share(1.0),
        replace: args.replace,
        update: args.replace,
        cache: args.cache.clone().unwrap_or_else(cache_folder),
    }
}
