//! `stackmill recipe test` and `stackmill recipe diff`: what a recipe does to a few files, and where two differ.

use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::json;
use stackmill_ingest::store::{Put, Uri};
use stackmill_schemas::{Error, Result};

use super::run::processors;
use super::{print, print_json};
use crate::cli::{DiffArgs, RecipeCommand, TestArgs};
use crate::compare::{Comparison, KEPT, Pair, compare};
use crate::console::Console;
use crate::environment::cache_folder;
use crate::interrupt::Signals;
use crate::job::Options;
use crate::local::LocalFolder;
use crate::output::Output;
use crate::place::Place;
use crate::stages::Stages;
use crate::trial::{Trial, Tried};
use crate::units::{Share, bytes_text, count_text};
use crate::workdir::Workdir;
use crate::{Recipe, frames, lock, publish, report, run as engine};

/// Longest part of an expected text that is shown.
const SHOWN: usize = 300;

pub(super) fn recipe(command: &RecipeCommand) -> Result<u8> {
    match command {
        RecipeCommand::Test(args) => test(args),
        RecipeCommand::Diff(args) => diff(args),
    }
    .map(|()| 0)
}

fn test(args: &TestArgs) -> Result<()> {
    let recipe = Recipe::read(&args.recipe, &args.set)?;
    let place = |error: Error| error.context(args.recipe.display().to_string());
    let stages = Stages::build(&recipe).map_err(place)?;
    if recipe.tests.is_empty() {
        return Err(place(Error::config("the recipe has no tests")).hint(
            "add some, as in `[[test]]`, `path = \"a.py\"`, `text = \"x = 1\"`, `verdict = \"kept\"`, a line each; \
             docs/guide/recipes.md tells more",
        ));
    }
    let cx = frames::context(Arc::new(Signals::none()));
    let mut trial = Trial::open(&recipe, &stages, &cx)?;
    let tried = recipe.tests.iter().map(|test| trial.run(test));
    let tried: Vec<Tried> = tried.collect::<Result<_>>().map_err(place)?;
    let failed = tried.iter().filter(|test| !test.passed).count();
    if args.json {
        print_json(&tried)?;
    } else {
        print(&told(&tried))?;
    }
    match failed {
        0 => Ok(()),
        _ => Err(place(Error::config(format!("{failed} of {} tests fail", tried.len())))
            .hint("change the recipe, or what the tests expect of it")),
    }
}

fn told(tried: &[Tried]) -> String {
    let mut out = String::new();
    for test in tried {
        let _ = writeln!(out, "{}  {}", if test.passed { "pass" } else { "FAIL" }, test.name);
        for [key, expected, found] in &test.differences {
            let _ = writeln!(
                out,
                "      {key}: expected {}, found {}",
                quoted(expected),
                quoted(found)
            );
        }
        if !test.passed {
            let happened = &test.happened;
            let by = match happened.stage.is_empty() {
                true => String::new(),
                false => format!(" by stage `{}`, rule `{}`", happened.stage, happened.rule),
            };
            let why = if happened.reason.is_empty() { "" } else { ": " };
            let _ = writeln!(out, "      it was {}{by}{why}{}", happened.verdict, happened.reason);
        }
    }
    let passed = tried.iter().filter(|test| test.passed).count();
    let _ = writeln!(out, "{passed} of {} tests pass", tried.len());
    out
}

fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN).collect();
    let cut = if shown.len() < text.len() { "…" } else { "" };
    format!("{shown:?}{cut}")
}

fn diff(args: &DiffArgs) -> Result<()> {
    let console = Console::new(false);
    let [a, b] = [&args.a, &args.b].map(|path| Recipe::read(path, &[]).and_then(|recipe| recipe.reading(&args.inputs)));
    let (mut a, mut b) = (a?, b?);
    // Tokens decide about no file. The same cut makes ledgers of the same rows, and what cannot be read is the same to
    // both.
    a.run.max_failed_repositories = Share(1.0);
    b.run = a.run.clone();
    (a.tokenize, b.tokenize) = (None, None);
    let folder = match &args.scratch {
        Some(scratch) => LocalFolder::below(scratch)?,
        None => LocalFolder::new()?,
    };
    let [first, second] = ["a", "b"].map(|name| folder.path().join(name));
    let (first, second) = (options(args, Uri::Local(first)), options(args, Uri::Local(second)));
    let out = |recipe: &Recipe, options: &Options| Output::new(options.out.clone(), recipe.stores.clone());
    let (here, there) = (out(&a, &first), out(&b, &second));
    engine(a, first, &console).map_err(|error| error.context(args.a.display().to_string()))?;
    share_lock(&here, &there)?;
    engine(b, second, &console).map_err(|error| error.context(args.b.display().to_string()))?;
    let comparison = compare(&here, &there, args.examples)?;
    match args.json {
        true => print_json(&as_json(&comparison)),
        false => print(&table(&comparison)),
    }
}

fn options(args: &DiffArgs, out: Uri) -> Options {
    Options {
        out,
        scratch: None,
        scratch_budget: u64::MAX,
        memory: args.memory,
        threads: args.threads.map_or_else(processors, usize::from),
        batch_rows: 256,
        sample: args.sample,
        replace: false,
        update: false,
        cache: args.cache.clone().unwrap_or_else(cache_folder),
    }
}

/// Makes the second run read what the first one has read.
fn share_lock(from: &Output, to: &Output) -> Result<()> {
    let lock = lock::read(from)?.ok_or_else(|| Error::bug("a run without a lock"))?;
    let workdir = Workdir::of(to.clone(), &Place::of(to, None)?, u64::MAX)?;
    publish::sources(&workdir, &lock, Put::Over).map(drop)
}

fn rows(comparison: &Comparison) -> Vec<(&(String, String), &Pair)> {
    let mut rows: Vec<_> = comparison.pairs.iter().collect();
    // Differences first; the most files first.
    rows.sort_by_key(|((a, b), pair)| ((a == KEPT) == (b == KEPT), a == b, std::cmp::Reverse(pair.files)));
    rows
}

fn table(comparison: &Comparison) -> String {
    let line = |name: &str, pair: Pair| [name.to_owned(), count_text(pair.files), bytes_text(pair.bytes)];
    let mut out = report::aligned(&[
        ["", "files", "size"].map(str::to_owned),
        line("kept by both", comparison.sum(|a, b| a && b)),
        line("kept by A alone", comparison.sum(|a, b| a && !b)),
        line("kept by B alone", comparison.sum(|a, b| !a && b)),
        line("kept by neither", comparison.sum(|a, b| !a && !b)),
    ]);
    let mut lines = vec![["A", "B", "files", "size", "example"].map(str::to_owned)];
    for ((a, b), pair) in rows(comparison) {
        let mut examples = pair.examples.iter();
        let first = examples.next().cloned().unwrap_or_default();
        lines.push([
            a.clone(),
            b.clone(),
            count_text(pair.files),
            bytes_text(pair.bytes),
            first,
        ]);
        lines.extend(examples.map(|example| ["", "", "", "", example].map(str::to_owned)));
    }
    let width = lines.iter().map(|line| line[1].chars().count()).max().unwrap_or(0);
    lines
        .iter_mut()
        .for_each(|line| line[1] = format!("{:<width$}", line[1]));
    out.push('\n');
    out.push_str(&report::aligned(&lines));
    if comparison.repositories_failed > 0 {
        let _ = writeln!(out, "{} repositories could not be read", comparison.repositories_failed);
    }
    out
}

fn as_json(comparison: &Comparison) -> serde_json::Value {
    let tally = |pair: Pair| json!({"files": pair.files, "bytes": pair.bytes});
    let pairs = rows(comparison).into_iter().map(
        |((a, b), pair)| json!({"a": a, "b": b, "files": pair.files, "bytes": pair.bytes, "examples": pair.examples}),
    );
    json!({
        "both": tally(comparison.sum(|a, b| a && b)),
        "only_a": tally(comparison.sum(|a, b| a && !b)),
        "only_b": tally(comparison.sum(|a, b| !a && b)),
        "neither": tally(comparison.sum(|a, b| !a && !b)),
        "repositories_failed": comparison.repositories_failed,
        "pairs": pairs.collect::<Vec<_>>(),
    })
}
