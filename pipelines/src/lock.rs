//! `sources.lock`: made by the first plan, used by every later one, refreshed by `--update`.

use stackmill_ingest::sources::CHANGED;
use stackmill_schemas::lock::{Lock, Split, Unit, VERSION};
use stackmill_schemas::{Error, ErrorKind, Result, ResultExt, TaskContext, fingerprint};

use crate::job::{Options, open_sources};
use crate::output::Output;
use crate::recipe::{Recipe, RunConfig};

/// The file's name in the data set.
pub const NAME: &str = "sources.lock";

/// The lock in `out`, or a new one.
pub fn load_or_resolve(recipe: &Recipe, options: &Options, cx: &TaskContext) -> Result<Lock> {
    match load(recipe, options)? {
        Some(lock) => Ok(lock),
        None => resolve(recipe, options, cx),
    }
}

/// The lock in `out`, if there is one and it is to be used.
pub fn load(recipe: &Recipe, options: &Options) -> Result<Option<Lock>> {
    if options.update {
        return Ok(None);
    }
    let out = Output::new(options.out.clone(), recipe.stores.clone());
    let hint = |error: Error| match error.kind() {
        ErrorKind::Source => error,
        _ => error.hint("refresh it with --update"),
    };
    match out.load::<Lock>(NAME).map_err(hint)? {
        // The recipe has other sources by now: what the old ones meant says nothing of them.
        Some(lock) if lock.version == VERSION && lock.sources != recipe.sources_fingerprint()? => Ok(None),
        Some(lock) => usable(lock, options)
            .map(Some)
            .map_err(|error| error.context(options.out.join(NAME).to_string())),
        None => Ok(None),
    }
}

fn usable(lock: Lock, options: &Options) -> Result<Lock> {
    if lock.version != VERSION {
        return Err(Error::input(format!(
            "sources.lock has version {}, this program reads {VERSION}",
            lock.version
        ))
        .hint("refresh it with --update"));
    }
    if lock.sample != options.sample.0 {
        let (there, now) = (lock.sample, options.sample.0);
        return Err(Error::config(format!(
            "sources.lock holds a sample of {there}, and --sample now says {now}"
        ))
        .hint("give the same --sample, or take a new one with --update --replace"));
    }
    Ok(lock)
}

/// Asks every source what it means now; units come in (repo_name, revision_id, location) order.
pub fn resolve(recipe: &Recipe, options: &Options, cx: &TaskContext) -> Result<Lock> {
    let mut units = Vec::new();
    for (name, source) in open_sources(recipe)? {
        let resolved = source.resolve(cx).with_context(|| format!("source `{name}`"))?;
        units.extend(resolved.into_iter().map(|unit| Unit {
            source: name.clone(),
            ..unit
        }));
    }
    let share = options.sample.0;
    units.retain(|unit| share >= 1.0 || sampled(unit, recipe.run.seed, share));
    let key = |unit: &Unit| {
        (
            unit.repo_name.clone(),
            unit.revision_id.clone(),
            unit.location.clone(),
            unit.source.clone(),
        )
    };
    units.sort_by_cached_key(key);
    if units.is_empty() {
        return Err(Error::input("the sources hold no repository").hint(match share < 1.0 {
            true => "the sample is too small: raise --sample",
            false => "check the paths and patterns under [[source]]",
        }));
    }
    Ok(Lock {
        version: VERSION,
        sources: recipe.sources_fingerprint()?,
        sample: share,
        units,
    })
}

fn sampled(unit: &Unit, seed: u64, share: f64) -> bool {
    let hash = fingerprint::seeded(seed, unit.repo_name.as_bytes());
    (hash >> 11) as f64 / ((1u64 << 53) as f64) < share
}

/// Cuts the lock's units into listing tasks, by number and by bytes; a unit is never cut.
pub fn cut(lock: &Lock, config: &RunConfig) -> Vec<Split> {
    let mut splits: Vec<Split> = Vec::new();
    let mut bytes = 0;
    for (at, unit) in lock.units.iter().enumerate() {
        bytes += unit.length_bytes;
        match splits.last_mut() {
            Some(open) if bytes <= config.split_bytes && at - open.first < config.split_repositories as usize => {
                open.end = at + 1;
            }
            _ => {
                splits.push(Split {
                    index: splits.len() as u32,
                    first: at,
                    end: at + 1,
                });
                bytes = unit.length_bytes;
            }
        }
    }
    splits
}

/// Refuses a lock in which too many repositories could not be resolved.
pub fn check_resolved(lock: &Lock, config: &RunConfig) -> Result<()> {
    let failed = lock
        .units
        .iter()
        .filter_map(|unit| Some((unit.repo_name.as_str(), unit.trouble.as_deref()?)));
    check_failures(failed, lock.units.len(), config.max_failed_repositories.0)
}

/// Refuses a run in which too many repositories could not be read.
pub fn check_failures<'a>(failed: impl Iterator<Item = (&'a str, &'a str)>, units: usize, limit: f64) -> Result<()> {
    let failed: Vec<_> = failed.collect();
    if failed.len() as f64 <= limit * units as f64 {
        return Ok(());
    }
    let named: Vec<String> = failed
        .iter()
        .take(3)
        .map(|(repo, trouble)| format!("{repo}: {trouble}"))
        .collect();
    let message = format!(
        "{} of {units} repositories cannot be read, more than max-failed-repositories = {limit}\n  {}",
        failed.len(),
        named.join("\n  ")
    );
    let has_changed = |(_, trouble): &(&str, &str)| *trouble == CHANGED;
    Err(Error::source(message).hint(match failed.iter().all(has_changed) {
        true => "take the sources as they are now with --update --replace; --replace alone keeps to sources.lock",
        false => "mend the sources and run again with --update, or allow more: --set run.max-failed-repositories=100%",
    }))
}

/// The lock that a run in `out` has begun with, if one has; one that this program or sample does not fit is refused.
pub fn load_begun(out: &Output, options: &Options) -> Result<Option<Lock>> {
    let usable = |lock| usable(lock, options).map_err(|error| error.context(options.out.join(NAME).to_string()));
    read(out)?.map(usable).transpose()
}

/// Reads the lock of a data set.
pub fn read(out: &Output) -> Result<Option<Lock>> {
    out.load(NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(lengths: &[u64]) -> Lock {
        let unit = |&length_bytes: &u64| Unit {
            source: "s".into(),
            repo_name: "r".into(),
            revision_id: String::new(),
            location: String::new(),
            length_bytes,
            metadata: Default::default(),
            trouble: None,
        };
        Lock {
            version: VERSION,
            sources: String::new(),
            sample: 1.0,
            units: lengths.iter().map(unit).collect(),
        }
    }

    #[test]
    fn splits_are_cut_by_bytes_and_by_number() {
        let config = RunConfig {
            split_bytes: 10,
            split_repositories: 3,
            ..RunConfig::default()
        };
        let cut = |lengths: &[u64]| {
            cut(&lock(lengths), &config)
                .iter()
                .map(|s| s.end - s.first)
                .collect::<Vec<_>>()
        };
        assert_eq!(cut(&[5, 5, 1]), [2, 1]);
        assert_eq!(cut(&[1, 1, 1, 1]), [3, 1]);
        assert_eq!(cut(&[50, 1]), [1, 1]);
    }

    #[test]
    fn failures_are_counted_against_the_limit() {
        let failed = || [("a/b", "gone")].into_iter();
        assert!(check_failures(failed(), 100, 0.01).is_ok());
        assert!(check_failures(failed(), 99, 0.01).is_err());
        assert!(check_failures(failed(), 1, 1.0).is_ok());
    }
}
