//! `stackmill run`

use std::path::PathBuf;

use stackmill_schemas::Result;

use super::{print, print_json};
use crate::cli::{RunArgs, SourceArgs};
use crate::console::Console;
use crate::environment::cache_folder;
use crate::job::Options;
use crate::run::Outcome;
use crate::{Recipe, report, run as engine};

pub(super) fn run(args: &RunArgs) -> Result<u8> {
    let console = Console::new(false);
    let outcome = watched(args, &console)?;
    if outcome.was_done {
        console.say("nothing to do: this run is complete (start over with --replace)");
    }
    if args.json {
        return print_json(&outcome.manifest).map(|()| 0);
    }
    print(&report::tables(&outcome.manifest))?;
    print(&next(&args.out.display().to_string(), &outcome.manifest))?;
    Ok(0)
}

/// The run alone: nothing is printed but what `console` says.
pub fn watched(args: &RunArgs, console: &Console) -> Result<Outcome> {
    let recipe = Recipe::read(&args.recipe, &args.source.set)?;
    engine(recipe, options(args), console)
}

/// How to run.
pub fn options(args: &RunArgs) -> Options {
    let processors = || std::thread::available_parallelism().map_or(1, usize::from);
    Options {
        scratch: args.scratch.clone(),
        scratch_budget: args.scratch_budget.unwrap_or(u64::MAX),
        memory: args.memory,
        threads: args.threads.map_or_else(processors, usize::from),
        batch_rows: args.batch_rows.get(),
        replace: args.replace,
        ..source_options(&args.source, args.out.clone())
    }
}

/// Options that only decide what is read.
pub(super) fn source_options(source: &SourceArgs, out: PathBuf) -> Options {
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
