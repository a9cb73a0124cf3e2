//! `stackmill plan`

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;
use stackmill_dedup::near::planner::{Cost, Means};
use stackmill_ingest::store::Uri;
use stackmill_schemas::Result;
use stackmill_schemas::lock::{Lock, Unit};
use stackmill_schemas::stage::Map;

use super::run::source_options;
use super::{print, print_json};
use crate::cli::PlanArgs;
use crate::passes::blocks;
use crate::passes::comparison::STRUCTURAL;
use crate::passes::repositories::STEPS;
use crate::runner::BASE_BYTES;
use crate::stages::Stages;
use crate::units::{bytes_text, count_text};
use crate::{Recipe, lock, ranks, run};

pub(super) fn plan(args: &PlanArgs) -> Result<u8> {
    let recipe = Recipe::read(&args.recipe, &args.source.set)?;
    let out = Uri::of_path(args.out.as_deref().unwrap_or(Path::new("")))?;
    let options = source_options(&args.source, out);
    let stages = Stages::build(&recipe).map_err(|error| error.context(args.recipe.display().to_string()))?;
    if args.stages {
        return print(&ranks::lines(&stages)).map(|()| 0);
    }
    let cx = run::bare_context(&options);
    let lock = if args.out.is_some() {
        lock::load_or_resolve(&recipe, &options, &cx)?
    } else {
        lock::resolve(&recipe, &options, &cx)?
    };
    let splits = lock::cut(&lock, &recipe.run).len() as u64;
    let bytes: u64 = lock.units.iter().map(|unit| unit.length_bytes).sum();
    let chunks = bytes.div_ceil(recipe.run.task_bytes).max(splits);
    let passes = passes(&stages, splits, chunks);
    let near = near(&recipe, &lock, args)?;
    if args.tasks {
        return print_json(&ranks::plan(&stages, splits, &args.recipe, args.out.as_deref())).map(|()| 0);
    }
    if args.json {
        let passes = passes
            .iter()
            .map(|(name, fused, tasks)| json!({"pass": name, "stages": fused, "tasks": tasks}));
        let (config, passes) = (stages.config(&recipe)?, passes.collect::<Vec<_>>());
        print_json(&json!({"repositories": lock.units.len(), "bytes": bytes, "passes": passes, "config": config}))?;
        return Ok(0);
    }
    print(&text(&recipe, &lock, bytes, &passes, &near))?;
    Ok(0)
}

/// What near-duplicates find and cost, in words; refused where `args` leave too little room.
fn near(recipe: &Recipe, lock: &Lock, args: &PlanArgs) -> Result<String> {
    let Some(near) = &recipe.near else {
        return Ok(String::new());
    };
    let cost = near.cost(lock.units.iter().map(content_bytes).sum(), recipe.run.task_bytes)?;
    let memory = args.memory.unwrap_or(u64::MAX).saturating_sub(BASE_BYTES);
    let scratch = args.scratch_budget.unwrap_or(u64::MAX);
    near.fits(&cost, Means { memory, scratch })?;
    Ok(format!("\nnear: {}\n{}", near.summary(), near_cost(&cost)))
}

/// Scratch at its fullest, in percent of the content that survives exact duplicates; measured on crates and packages.
const SCRATCH_PERCENT: u64 = 70;
/// Published files with tokens, in percent of the same.
const OUTPUT_PERCENT: u64 = 35;

type Pass = (&'static str, Vec<String>, u64);

fn passes(stages: &Stages, splits: u64, chunks: u64) -> Vec<Pass> {
    let names = |maps: &[Box<dyn Map>]| {
        let mut names: Vec<String> = maps.iter().map(|map| map.name().to_owned()).collect();
        names.dedup();
        names
    };
    let mut passes: Vec<Pass> = vec![("listing", names(&stages.listing), splits)];
    if stages.repositories.is_some() {
        passes.push(("exchange", STEPS.map(str::to_owned).to_vec(), splits));
    }
    if stages.exact.is_some() {
        passes.push(("exchange", vec!["exact".to_owned()], 1));
    }
    passes.push(("content", names(&stages.content), chunks));
    if stages.near.is_some() {
        let exchanges = ["near-buckets", "near-attach", "near-verify", "near-keepers"];
        passes.push(("exchange", exchanges.map(str::to_owned).to_vec(), chunks));
    }
    if stages.structural.is_some() {
        passes.push(("exchange", STRUCTURAL.steps.map(str::to_owned).to_vec(), chunks));
    }
    if stages.blocks.is_some() {
        passes.push(("exchange", blocks::STEPS.map(str::to_owned).to_vec(), chunks));
    }
    passes.push(("syntax", names(&stages.syntax), chunks));
    if stages.pack.is_some() {
        passes.push(("exchange", vec!["pack".to_owned()], chunks));
    }
    passes.push(("ledger", Vec::new(), splits));
    passes
}

fn text(recipe: &Recipe, lock: &Lock, bytes: u64, passes: &[Pass], near: &str) -> String {
    let mut out = format!(
        "recipe `{}`: {} repositories, {} to read at most (as archived or stored)\n\n",
        recipe.name,
        count_text(lock.units.len() as u64),
        bytes_text(bytes)
    );
    for (name, fused, tasks) in passes {
        let _ = writeln!(out, "  {name:<10} ≤ {tasks:>5} tasks  {}", fused.join(" > "));
    }
    let content: u64 = lock.units.iter().map(content_bytes).sum();
    out.push_str(near);
    let (scratch, kept) = (content * SCRATCH_PERCENT / 100, content * OUTPUT_PERCENT / 100);
    let _ = write!(
        out,
        "\nexpected, if most of it is kept: about {} of content, {} of scratch, {} of output\n",
        bytes_text(content),
        bytes_text(scratch),
        bytes_text(kept)
    );
    out
}

/// What near-duplicates cost, should all contents come so far.
fn near_cost(cost: &Cost) -> String {
    format!(
        "if all of it comes here, about {} files by their usual length: {} of bucket rows and {} of shingle sets in scratch, before \
         compression; by estimate, {} pairs of unlike files are compared\nmemory: {} a task, {} where all edges are decided at \
         once; time: about {} processor seconds and those of the pairs\n",
        count_text(cost.files),
        bytes_text(cost.bucket_bytes),
        bytes_text(cost.set_bytes),
        count_text(cost.unlike_pairs.round() as u64),
        bytes_text(cost.task_memory),
        bytes_text(cost.keepers_memory),
        count_text(cost.seconds),
    )
}

/// Inflated length of a unit, by the usual ratio of source code in gzip.
fn content_bytes(unit: &Unit) -> u64 {
    let compressed = [".crate", ".gz", ".tgz", ".zst"]
        .iter()
        .any(|ending| unit.location.ends_with(ending));
    unit.length_bytes * if compressed { 5 } else { 1 }
}
