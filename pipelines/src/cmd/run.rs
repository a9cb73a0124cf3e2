//! `stackmill run`

use std::path::Path;

use stackmill_ingest::store::Uri;
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, Result};

use super::{print, print_json};
use crate::cli::{RunArgs, SourceArgs};
use crate::console::Console;
use crate::environment::cache_folder;
use crate::job::Options;
use crate::run::Outcome;
use crate::{Recipe, report, run as engine};

pub(super) fn run(args: &RunArgs) -> Result<u8> {
    let console = Console::new(false);
    let options = options(args)?;
    let out = options.out.to_string();
    let recipe = Recipe::read(&args.recipe, &args.source.set)?;
    let outcome = engine(recipe, options, &console)?;
    if outcome.was_done {
        console.say(&nothing_to_do(&outcome.manifest));
    }
    if args.json {
        return print_json(&outcome.manifest).map(|()| 0);
    }
    print(&report::tables(&outcome.manifest))?;
    print(&next(&out, &outcome.manifest))?;
    Ok(0)
}

/// What is said of a run that is complete.
fn nothing_to_do(manifest: &Manifest) -> String {
    let failed = manifest.totals.get("repositories_failed").copied().unwrap_or_default();
    match failed {
        0 => "nothing to do: this run is complete (start over with --replace)".to_owned(),
        _ => format!(
            "nothing to do: this run is complete; {failed} repositories could not be read (ask again for them with \
             --update --replace)"
        ),
    }
}

/// The run alone: nothing is printed but what `console` says.
pub fn watched(args: &RunArgs, console: &Console) -> Result<Outcome> {
    let options = options(args)?;
    let recipe = Recipe::read(&args.recipe, &args.source.set)?;
    engine(recipe, options, console)
}

/// How to run.
pub fn options(args: &RunArgs) -> Result<Options> {
    let out = written("--out", &args.out)?;
    let scratch = args.scratch.as_deref().map(|scratch| written("--scratch", scratch));
    Ok(Options {
        scratch: scratch.transpose()?,
        scratch_budget: args.scratch_budget.unwrap_or(u64::MAX),
        memory: args.memory,
        threads: args.threads.map_or_else(processors, usize::from),
        batch_rows: args.batch_rows.get(),
        replace: args.replace,
        ..source_options(&args.source, out)
    })
}

/// Threads where none are asked for.
pub(super) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A place that can be written to.
pub(super) fn written(name: &str, argument: &Path) -> Result<Uri> {
    let place = Uri::of_path(argument)?;
    match &place {
        Uri::Store(location) if location.scheme.is_web() => Err(Error::config(format!(
            "{name} {location} is on a web server, which is only read"
        ))
        .hint("write to a folder, or to s3://, gs:// or az://")),
        _ => Ok(place),
    }
}

/// Options that only decide what is read.
pub(super) fn source_options(source: &SourceArgs, out: Uri) -> Options {
    Options {
        out,
        scratch: None,
        scratch_budget: u64::MAX,
        memory: u64::MAX,
        threads: 1,
        batch_rows: 256,
        sample: source.sample,
        replace: false,
        update: source.update,
        cache: source.cache.clone().unwrap_or_else(cache_folder),
    }
}

/// Three commands to try next.
fn next(out: &str, manifest: &stackmill_schemas::manifest::Manifest) -> String {
    let dropped = manifest.funnel.iter().rev().find_map(|row| {
        let (repo, rest) = row.example.as_deref()?.split_once(": ")?;
        let path = rest.rsplit_once(" (").map_or(rest, |(path, _)| path);
        (!path.contains([' ', '\'', '\\'])).then(|| format!("{repo}:{path}"))
    });
    let story = dropped.unwrap_or_else(|| "REPO:PATH".to_owned());
    format!("\ntry next:\n  stackmill explain {out} {story}\n  stackmill verify {out}\n  stackmill explain line-max\n")
}
