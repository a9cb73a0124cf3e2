//! `stackmill dedup`: exact and near-duplicates of tables, folders, archives and repositories, without a recipe.

use std::collections::BTreeMap;
use std::io::Write as _;

use serde_json::json;
use stackmill_ingest::sources::SourceConfig;
use stackmill_ingest::store::{Put, Uri};
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, Result};

use super::run::{processors, written};
use super::{print, print_json};
use crate::cli::DedupArgs;
use crate::console::Console;
use crate::duplicates::{self, Figures, kept, page};
use crate::environment::{cache_folder, network, stores};
use crate::job::Options;
use crate::output::Output;
use crate::place::Place;
use crate::units::{Share, count_text};
use crate::workdir::Workdir;
use crate::{Recipe, report, run as engine};

/// Folder of the data set in the folder of results.
const DATA: &str = "data";

pub(super) fn dedup(args: &DedupArgs) -> Result<u8> {
    let out = match written("--out", &args.out)? {
        Uri::Local(folder) => Uri::Local(folder),
        Uri::Store(_) => {
            return Err(Error::config("--out must be a folder").hint("copy the results to a store afterwards"));
        }
    };
    let recipe = recipe(args)?;
    if args.write_kept && !recipe.sources.iter().any(is_table) {
        return Err(Error::config("no input is a table").hint("--write-corpus writes the kept files to data/corpus"));
    }
    let stores = recipe.stores.clone();
    let outcome = engine(recipe.clone(), options(args, out.join(DATA)), &Console::new(false))
        .map_err(|error| error.map_hint(without_recipe))?;
    let data = Output::new(out.join(DATA), stores.clone());
    let figures = results(
        (&data, near(&outcome.manifest)),
        &Output::new(out, stores),
        args,
        &recipe,
    )?;
    match args.json {
        true => print_json(&figures),
        false => print(&told(&figures, args)),
    }
    .map(|()| 0)
}

/// A hint of a run, where there is no recipe to change.
fn without_recipe(hint: String) -> String {
    match hint.contains("--update") || hint.contains("columns =") {
        true => {
            "mend the inputs, or name their columns with --content and --id; then start over with --replace".to_owned()
        }
        false => hint,
    }
}

/// Whether texts are written; a later release has to find there what it holds on to.
fn has_corpus(args: &DedupArgs) -> bool {
    args.write_corpus || args.index || args.previous.is_some()
}

fn is_table(source: &SourceConfig) -> bool {
    source.parquet.is_some() || source.jsonl.is_some()
}

fn recipe(args: &DedupArgs) -> Result<Recipe> {
    let mut stages = json!({"near": {"threshold": args.threshold, "index": args.index}});
    if let Some(previous) = &args.previous {
        stages["near"]["previous"] = previous.join(DATA).display().to_string().into();
    }
    if !args.keep.is_empty() {
        stages["exact"] = json!({"keep": args.keep});
    }
    if !has_corpus(args) {
        for stage in ["language", "license", "corpus"] {
            stages[stage] = false.into();
        }
    }
    let named = [("content", &args.content), ("path", &args.id)];
    let columns = named
        .into_iter()
        .filter_map(|(ours, theirs)| Some((ours.to_owned(), theirs.clone()?)));
    let mut recipe = Recipe::of_stages(&stages)?;
    "dedup".clone_into(&mut recipe.name);
    (recipe.stores, recipe.network) = (stores()?, network()?);
    recipe
        .reading(&args.inputs)?
        .naming(&columns.collect::<BTreeMap<_, _>>())
}

fn options(args: &DedupArgs, out: Uri) -> Options {
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

/// Writes what the data set says about duplicates into the folder above it.
fn results(
    (data, near): (&Output, BTreeMap<String, u64>),
    out: &Output,
    args: &DedupArgs,
    recipe: &Recipe,
) -> Result<Figures> {
    let place = Place::of(out, None)?;
    let workdir = Workdir::of(out.clone(), &place, u64::MAX)?;
    let mut figures = duplicates::write(data, &workdir, args.memory)?;
    figures.near = near;
    if figures.rows > 0 && figures.kept == 0 {
        place.remove_all()?;
        return Err(
            Error::input(format!("none of {} rows could be compared", count_text(figures.rows)))
                .context(out.place())
                .hint("rows.parquet says why of each; name the column with --content, and start over with --replace"),
        );
    }
    out.remove(kept::FOLDER)?;
    if args.write_kept {
        kept::write(data, &workdir, recipe, args.memory)?;
    }
    let summary = json!({"threshold": args.threshold, "inputs": args.inputs, "figures": figures});
    let summary = serde_json::to_string_pretty(&summary).map_err(|error| Error::bug(error.to_string()))? + "\n";
    for (name, text) in [
        ("report.html", page::page(&figures, args.threshold)),
        ("summary.json", summary),
    ] {
        let mut file = workdir.publish_as(name, Put::Over)?;
        file.write_all(text.as_bytes())?;
        file.commit()?;
    }
    place.remove_all()?;
    Ok(figures)
}

/// What the totals of a manifest say of near-duplicates.
fn near(manifest: &Manifest) -> BTreeMap<String, u64> {
    let totals = manifest.totals.iter().filter(|(name, _)| name.starts_with("near_"));
    totals.map(|(name, total)| (name.clone(), *total)).collect()
}

fn told(figures: &Figures, args: &DedupArgs) -> String {
    let lines = page::numbers(figures)
        .into_iter()
        .map(|(name, count)| [name, count_text(count)]);
    let near: String = report::near_lines(&figures.near)
        .iter()
        .map(|line| format!("near-duplicates: {line}\n"))
        .collect();
    let out = args.out.display();
    let corpus = match has_corpus(args) {
        true => format!("{out}/{DATA}/corpus      what was kept\n"),
        false => String::new(),
    };
    let kept = match args.write_kept {
        true => format!("{out}/kept             kept rows of tables, as they were\n"),
        false => String::new(),
    };
    format!(
        "{}{near}\n{out}/rows.parquet     every row, its cluster, whether it is kept\n\
        {out}/removed.parquet  removed rows, their keepers, similarities\n{kept}{corpus}\n\
        try next:\n  open {out}/report.html\n  stackmill verify {out}/{DATA}\n  \
        stackmill dedup … --threshold 0.85 --out ELSEWHERE\n",
        report::aligned(&lines.collect::<Vec<_>>())
    )
}
