//! Publishing: sums are checked, `run.json` and the data card written, and the manifest put in place last.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use serde::{Deserialize, Serialize};
use stackmill_dedup::near::Keep;
use stackmill_dedup::near::quality::Found;
use stackmill_ingest::sources::{self, SourceConfig};
use stackmill_ingest::store::Put;
use stackmill_schemas::lock::Lock;
use stackmill_schemas::manifest::{FileEntry, FunnelRow, Manifest, Tally, VERSION};
use stackmill_schemas::{Error, Result, columns};

use crate::identity::Identity;
use crate::job::Job;
use crate::passes::ledger::{Counts, RuleCount};
use crate::passes::{Cost, TaskReport};
use crate::workdir::{START_OVER, TABLES, Workdir};
use crate::{clock, failpoint, lock, report};

/// The manifest's name in the data set.
pub const MANIFEST: &str = "manifest.json";
/// The name of the file with times and machine.
pub const RUN: &str = "run.json";
/// The name of the file with what clones took; it is there if something was cloned.
pub const CLONES: &str = "clones.jsonl";
/// The data card's name.
pub const CARD: &str = "README.md";
/// The reports that a manifest is made of.
#[derive(Default)]
pub struct Parts {
    /// Of the syntax pass.
    pub kept: Vec<TaskReport>,
    /// Tables of commits, if any source is asked for them.
    pub commits: Vec<FileEntry>,
    /// Of blocks.
    pub blocks: Vec<TaskReport>,
    /// Of packing.
    pub tokens: Vec<TaskReport>,
    /// Of the ledger.
    pub ledgers: Vec<TaskReport>,
    /// Files and bytes listed.
    pub listed: Tally,
    /// Near-duplicates whose sets were compared.
    pub found: Found,
    /// Files that an earlier release knows.
    pub known: Tally,
    /// Such files whose contents were read all the same, in any pass.
    pub reread: Tally,
    /// Such files that are kept, and whose text an earlier release has.
    pub held: Tally,
}

impl Parts {
    /// Adds what tasks took over from an earlier release.
    pub fn remember(&mut self, reports: &[TaskReport]) {
        for report in reports {
            for (sum, of) in [
                (&mut self.known, report.known),
                (&mut self.reread, report.reread),
                (&mut self.held, report.held),
            ] {
                sum.files += of.files;
                sum.bytes += of.bytes;
            }
        }
    }
}

/// How long it took; in `run.json` alone.
pub struct Timing {
    /// What ran the tasks.
    pub engine: &'static str,
    /// Wall seconds of this attempt.
    pub seconds: f64,
    /// Processor seconds by stage, of the tasks of all attempts.
    pub costs: BTreeMap<String, Cost>,
}

/// `run.json`: what may differ between two runs that give the same bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunFile {
    /// Program version.
    pub version: String,
    /// End of the run, seconds since 1970.
    pub finished_unix: u64,
    /// What ran the tasks: `embedded`, `ranks` of a scheduler, or `spark`.
    pub engine: String,
    /// Wall seconds of the last attempt; 0 where nobody has seen all of it.
    pub seconds: f64,
    /// Processors of the machine.
    pub processors: usize,
    /// Threads asked for.
    pub threads: usize,
    /// Declared memory, in bytes.
    pub memory_bytes: u64,
    /// The most scratch in use at once, in bytes.
    pub scratch_bytes: u64,
    /// Processor seconds and bytes by stage.
    pub stages: BTreeMap<String, Cost>,
}

/// Writes the lock into the data set; in an object store `put` says what becomes of another one.
pub fn sources(workdir: &Workdir, lock: &Lock, put: Put) -> Result<FileEntry> {
    write_json(workdir, (lock::NAME, put), lock)
}

/// Checks the sums and makes the data set real.
pub fn publish(job: &Job, identity: &Identity, parts: Parts, timing: &Timing) -> Result<Manifest> {
    let counts: Vec<&Counts> = parts
        .ledgers
        .iter()
        .filter_map(|report| report.counts.as_ref())
        .collect();
    let totals = totals(job, &counts, &parts)?;
    let mut manifest = Manifest {
        version: VERSION,
        recipe: job.recipe.name.clone(),
        fingerprint: identity.fingerprint.clone(),
        columns: columns::VERSION,
        config: identity.config.clone(),
        files: Vec::new(),
        funnel: funnel(job, &counts, totals["listed"]),
        totals,
        languages: tallies(counts.iter().map(|counts| &counts.languages)),
        licenses: tallies(counts.iter().map(|counts| &counts.licenses)),
        opt_outs: opt_outs(job, &counts)?,
    };
    let reports = [parts.kept, parts.blocks, parts.tokens, parts.ledgers]
        .into_iter()
        .flatten();
    manifest.files.extend(reports.flat_map(|report| report.published));
    manifest.files.extend(parts.commits);
    check_files(&job.workdir, &manifest.files)?;
    manifest.files.push(sources(&job.workdir, &job.lock, Put::IfAbsent)?);
    manifest.files.push(card(job, &manifest)?);
    manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    remove_strays(job, &manifest)?;
    run_file(job, timing)?;
    clones(job)?;
    job.workdir.sync_names()?;
    failpoint::reach("publish", "before");
    write_json(&job.workdir, (MANIFEST, Put::IfAbsent), &manifest)?;
    job.workdir.sync_names()?;
    failpoint::reach("publish", "after");
    job.workdir.place.remove_all()?;
    Ok(manifest)
}

/// Refuses to go on where somebody else has been at a file that a finished task published.
pub fn check_files<'a>(workdir: &Workdir, files: impl IntoIterator<Item = &'a FileEntry>) -> Result<()> {
    let files: Vec<&FileEntry> = files.into_iter().collect();
    match workdir.out.missing(&files)? {
        Some(file) => Err(Error::input(format!("{} is not as it was written", file.path)).hint(START_OVER)),
        None => Ok(()),
    }
}

/// Files of earlier attempts that the manifest does not name: a task that publishes nothing now may have done so once.
fn remove_strays(job: &Job, manifest: &Manifest) -> Result<()> {
    for table in TABLES {
        for (name, _) in job.workdir.out.files(table)? {
            let known = manifest.files.binary_search_by(|file| file.path.as_str().cmp(&name));
            if known.is_err() {
                job.workdir.out.remove(&name)?;
            }
        }
    }
    Ok(())
}

fn write_json<T: Serialize>(workdir: &Workdir, (name, put): (&str, Put), value: &T) -> Result<FileEntry> {
    let mut json = serde_json::to_vec_pretty(value).map_err(|error| Error::bug(error.to_string()))?;
    json.push(b'\n');
    let mut file = workdir.publish_as(name, put)?;
    file.write_all(&json)?;
    file.commit()
}

/// The totals; `listed = kept + dropped + failed`, whatever happened.
fn totals(job: &Job, counts: &[&Counts], parts: &Parts) -> Result<BTreeMap<String, u64>> {
    let sum = |get: &dyn Fn(&Counts) -> u64| counts.iter().map(|counts| get(counts)).sum::<u64>();
    let of_rules = |get: fn(&RuleCount) -> u64| sum(&|counts| counts.rules.iter().map(get).sum());
    let (listed, kept) = (sum(&|counts| counts.listed), sum(&|counts| counts.kept));
    let (dropped, failed) = (of_rules(|rule| rule.dropped), of_rules(|rule| rule.failed));
    let written = crate::passes::syntax::kept(&parts.kept);
    let in_corpus: u64 = parts
        .kept
        .iter()
        .flat_map(|report| &report.published)
        .filter(|file| file.path.starts_with("corpus/"))
        .filter_map(|file| file.rows)
        .sum();
    let in_corpus = match job.stages.corpus {
        true => in_corpus + parts.held.files,
        false => kept,
    };
    if listed != kept + dropped + failed || listed != parts.listed.files || in_corpus != kept {
        return Err(Error::bug(format!(
            "rows do not add up: {listed} in the ledger, {} listed, {kept} kept, {dropped} dropped, {failed} failed, \
             {in_corpus} in the corpus",
            parts.listed.files
        )));
    }
    let sequences: u64 = parts
        .tokens
        .iter()
        .flat_map(|report| &report.published)
        .filter_map(|file| file.rows)
        .sum();
    let named = [
        ("listed", listed),
        ("listed_bytes", parts.listed.bytes),
        ("kept", kept),
        ("kept_bytes", written.bytes),
        ("dropped", dropped),
        ("failed", failed),
        ("repositories", job.lock.units.len() as u64),
        ("repositories_failed", sum(&|counts| counts.repositories_failed)),
        ("sequences", sequences),
    ];
    let left_out = sum(&|counts| counts.repositories_opted_out);
    let left_out = (left_out > 0).then_some(("repositories_opted_out", left_out));
    let commits: u64 = parts.commits.iter().filter_map(|file| file.rows).sum();
    let commits = (!parts.commits.is_empty()).then_some(("commits", commits));
    Ok(named
        .into_iter()
        .chain(metadata_totals(job))
        .chain(near_totals(job, &parts.found))
        .chain(previous_totals(job, parts))
        .chain(commits)
        .chain(left_out)
        .map(|(name, value)| (name.to_owned(), value))
        .collect())
}

/// Files left out by list; a list that left none out is named, too.
fn opt_outs(job: &Job, counts: &[&Counts]) -> Result<BTreeMap<String, u64>> {
    let mut sums = BTreeMap::new();
    if let Some(config) = &job.recipe.opt_out {
        sums.extend(config.lists()?.iter().map(|list| (list.clone(), 0)));
    }
    for (list, files) in counts.iter().flat_map(|counts| &counts.opt_outs) {
        *sums.entry(list.clone()).or_default() += files;
    }
    Ok(sums)
}

/// What is known of repositories, if anything: how many, how many rows repeated one, and how many of the lock it is about.
fn metadata_totals(job: &Job) -> Vec<(&'static str, u64)> {
    let Some(metadata) = &job.stages.known.metadata else {
        return Vec::new();
    };
    let known = job
        .lock
        .units
        .iter()
        .filter(|unit| metadata.knows(&unit.repo_name))
        .count();
    vec![
        ("metadata_repositories", metadata.repositories()),
        ("metadata_duplicates", metadata.duplicates),
        ("repositories_with_metadata", known as u64),
    ]
}

/// Pairs of near-duplicates, the share of them that was found, by estimate, if there is one, and files removed: how many are
/// as alike to their keepers as asked for, or, of chains, to the first file that they were compared with.
fn near_totals(job: &Job, found: &Found) -> Vec<(&'static str, u64)> {
    let Some(near) = &job.stages.near else {
        return Vec::new();
    };
    let is_chained = job.recipe.near.as_ref().is_some_and(|near| near.keep != Keep::Greedy);
    let alike = match is_chained {
        true => "near_removed_like_neighbour",
        false => "near_removed_like_keeper",
    };
    let mut totals = vec![
        ("near_pairs", found.pairs),
        ("near_removed", found.removed),
        (alike, found.removed_alike),
    ];
    totals.extend(near.curve.recall(found).into_iter().flat_map(|recall| {
        [
            ("near_recall_millionths", recall.estimate),
            ("near_recall_millionths_high", recall.high),
            ("near_recall_millionths_low", recall.low),
        ]
    }));
    totals
}

/// What was taken over from an earlier release, if one is named.
fn previous_totals(job: &Job, parts: &Parts) -> Vec<(&'static str, u64)> {
    if job.stages.previous.is_none() {
        return Vec::new();
    }
    vec![
        ("previous_known", parts.known.files),
        ("previous_held", parts.held.files),
        ("previous_read", parts.reread.files),
        ("previous_read_bytes", parts.reread.bytes),
    ]
}

/// One row for each rule that took files, in running order.
fn funnel(job: &Job, counts: &[&Counts], listed: u64) -> Vec<FunnelRow> {
    let mut rows: Vec<FunnelRow> = Vec::new();
    for rule in counts.iter().flat_map(|counts| &counts.rules) {
        let found = rows
            .iter_mut()
            .find(|row| row.stage == rule.stage && row.rule == rule.rule);
        if let Some(row) = found {
            row.dropped += rule.dropped;
            row.failed += rule.failed;
            continue;
        }
        let (stage, name, example) = (rule.stage.clone(), rule.rule.clone(), rule.example.clone());
        rows.push(FunnelRow {
            stage,
            rule: name,
            files_in: 0,
            dropped: rule.dropped,
            failed: rule.failed,
            example,
        });
    }
    let order = report::running_order(&job.stages);
    rows.sort_by_key(|row| {
        (
            report::place(&order, &row.stage, &row.rule),
            row.stage.clone(),
            row.rule.clone(),
        )
    });
    let mut left = listed;
    for row in &mut rows {
        // A repository that cannot be read was never among the files.
        if row.rule == "unreadable-repository" {
            continue;
        }
        row.files_in = left;
        left -= row.dropped + row.failed;
    }
    rows
}

fn tallies<'a>(parts: impl Iterator<Item = &'a BTreeMap<String, Tally>>) -> BTreeMap<String, Tally> {
    let mut sums: BTreeMap<String, Tally> = BTreeMap::new();
    for (key, tally) in parts.flatten() {
        let sum = sums.entry(key.clone()).or_default();
        sum.files += tally.files;
        sum.bytes += tally.bytes;
    }
    sums
}

fn run_file(job: &Job, timing: &Timing) -> Result<FileEntry> {
    let run = RunFile {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        finished_unix: clock::unix_seconds(),
        engine: timing.engine.to_owned(),
        seconds: timing.seconds,
        processors: std::thread::available_parallelism().map_or(1, usize::from),
        threads: job.options.threads,
        memory_bytes: job.options.memory + job.stages.held_bytes,
        scratch_bytes: job.workdir.scratch_most(),
        stages: timing.costs.clone(),
    };
    write_json(&job.workdir, (RUN, Put::Over), &run)
}

/// One line for each repository elsewhere, in the order of the lock. What a clone takes differs from run to run, so the
/// manifest says nothing of it.
fn clones(job: &Job) -> Result<()> {
    let configs: BTreeMap<&str, &SourceConfig> = job
        .recipe
        .sources
        .iter()
        .map(|config| (config.name(), config))
        .collect();
    let mut lines = job.lock.units.iter().filter_map(|unit| {
        let config = configs.get(unit.source.as_str())?;
        let clone = sources::clone_of(unit, config, &job.options.cache)?;
        Some(match job.opted_out(unit) {
            Some((_, entry)) => clone.opted_out(entry),
            None => clone,
        })
    });
    let Some(first) = lines.next() else { return Ok(()) };
    let mut file = job.workdir.publish_as(CLONES, Put::Over)?;
    for clone in std::iter::once(first).chain(lines) {
        let mut line = serde_json::to_vec(&clone).map_err(|error| Error::bug(error.to_string()))?;
        line.push(b'\n');
        file.write_all(&line)?;
    }
    file.commit().map(|_| ())
}

/// The data card: front matter that the Hugging Face hub and `datasets` read, then the funnel.
fn card(job: &Job, manifest: &Manifest) -> Result<FileEntry> {
    let mut text = String::from("---\nconfigs:\n");
    for table in TABLES {
        if manifest
            .files
            .iter()
            .any(|file| file.path.starts_with(&format!("{table}/")))
        {
            let default = if table == "corpus" { "\n  default: true" } else { "" };
            let _ = write!(
                text,
                "- config_name: {table}{default}\n  data_files: {table}/*.parquet\n"
            );
        }
    }
    let _ = write!(
        text,
        "tags:\n- code\n---\n\n# {}\n\nMade by stackmill from the recipe in `manifest.json`.\n\n",
        manifest.recipe
    );
    let _ = write!(text, "```text\n{}```\n", report::tables(manifest));
    let mut file = job.workdir.publish(CARD)?;
    file.write_all(text.as_bytes())?;
    file.commit()
}
