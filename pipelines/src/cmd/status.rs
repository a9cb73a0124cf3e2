//! `stackmill status`

use serde_json::json;
use stackmill_schemas::manifest::Manifest;
use stackmill_schemas::{Error, Result};

use super::run::written;
use super::{print, print_json};
use crate::cli::DirArgs;
use crate::lock;
use crate::output::Output;
use crate::place::Place;
use crate::publish::{MANIFEST, RUN, RunFile};

pub(super) fn status(args: &DirArgs) -> Result<u8> {
    let out = Output::named(&args.dir)?;
    if let Some(manifest) = out.load::<Manifest>(MANIFEST)? {
        return complete(args, &out, &manifest).map(|()| 0);
    }
    let scratch = args
        .scratch
        .as_deref()
        .map(|scratch| written("--scratch", scratch))
        .transpose()?;
    // Without a word, a run into a store has its scratch on its machine, and one of many machines inside.
    let mut place = Place::of(&out, scratch.as_ref())?;
    if !place.is_there()? {
        place = Place::shared(&out, scratch.as_ref())?;
    }
    let done = place.files("done")?;
    if done.is_empty() && lock::read(&out)?.is_none() {
        return Err(Error::input("no run has begun here")
            .context(out.place())
            .hint("`stackmill run RECIPE --out DIR` begins one; give --scratch if it was given to run"));
    }
    let (mut steps, mut tasks) = (Vec::new(), std::collections::BTreeMap::<String, u64>::new());
    for name in done {
        match name.rsplit_once('-') {
            Some((step, number)) if number.len() >= 5 && number.bytes().all(|b| b.is_ascii_digit()) => {
                *tasks.entry(step.to_owned()).or_default() += 1;
            }
            _ if !name.starts_with('.') => steps.push(name),
            _ => {}
        }
    }
    steps.sort();
    if args.json {
        print_json(&json!({"complete": false, "steps_done": steps, "tasks_done": tasks}))?;
        return Ok(0);
    }
    let mut text = format!("{}: unfinished\n", out.place());
    steps
        .iter()
        .for_each(|step| text.push_str(&format!("  {step}: done\n")));
    tasks
        .iter()
        .filter(|(step, _)| !steps.contains(step))
        .for_each(|(step, count)| {
            text.push_str(&format!("  {step}: {count} tasks done\n"));
        });
    text.push_str("run the same command again to resume\n");
    print(&text)?;
    Ok(0)
}

fn complete(args: &DirArgs, out: &Output, manifest: &Manifest) -> Result<()> {
    let run: Option<RunFile> = out.load(RUN)?;
    if args.json {
        return print_json(
            &json!({"complete": true, "recipe": manifest.recipe, "totals": manifest.totals, "run": run}),
        );
    }
    let mut text = format!("{}: complete, recipe `{}`\n", out.place(), manifest.recipe);
    for (name, value) in &manifest.totals {
        text.push_str(&format!("  {name}: {value}\n"));
    }
    let mut stages: Vec<_> = run.into_iter().flat_map(|run| run.stages).collect();
    stages.sort_by(|a, b| b.1.seconds.total_cmp(&a.1.seconds));
    if !stages.is_empty() {
        text.push_str("processor seconds by stage:\n");
    }
    for (stage, cost) in stages {
        text.push_str(&format!("  {stage:<14} {:>8.1} s\n", cost.seconds));
    }
    print(&text)
}
