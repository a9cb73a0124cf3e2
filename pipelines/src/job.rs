//! A run with everything built: recipe, lock, splits, stages and folders. Built whole before the first byte is read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use stackmill_ingest::sources;
use stackmill_ingest::store::Uri;
use stackmill_schemas::context::Batches;
use stackmill_schemas::file::Place as DecidedBy;
use stackmill_schemas::lock::{Lock, Split, Unit};
use stackmill_schemas::stage::{InputSize, Source};
use stackmill_schemas::{Error, Result, ResultExt};

use crate::exchange::{Carrier, Files, Scattering, Spills, Target};
use crate::lock;
use crate::passes::cut::Layout;
use crate::passes::listing::Listed;
use crate::recipe::Recipe;
use crate::runner::{BASE_BYTES, threads};
use crate::stages::Stages;
use crate::units::Share;
use crate::workdir::Workdir;

/// Folder of what exact duplicates decided.
pub const EXACT_DECISIONS: &str = "exact-decisions";

/// What a user may choose without changing a byte of the output, and the sample.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data set.
    pub out: Uri,
    /// Scratch; inside OUT, or on this machine, if not said.
    pub scratch: Option<Uri>,
    /// Most bytes in scratch.
    pub scratch_budget: u64,
    /// Most memory of the whole process tree, in bytes.
    pub memory: u64,
    /// Threads; memory may allow fewer.
    pub threads: usize,
    /// Rows of a batch at most.
    pub batch_rows: usize,
    /// Share of repositories to take.
    pub sample: Share,
    /// Start over where another run's data is.
    pub replace: bool,
    /// Resolve sources anew.
    pub update: bool,
    /// Where clones are kept between runs.
    pub cache: PathBuf,
}

/// Everything a pass needs.
pub struct Job {
    /// The recipe.
    pub recipe: Recipe,
    /// What the sources meant.
    pub lock: Lock,
    /// The listing tasks.
    pub splits: Vec<Split>,
    /// The stages.
    pub stages: Stages,
    /// The folders.
    pub workdir: Workdir,
    /// How to run.
    pub options: Options,
    sources: BTreeMap<String, Arc<dyn Source>>,
    carrier: Box<dyn Carrier>,
}

impl Job {
    /// Joins the parts of a run.
    pub fn new(recipe: Recipe, plan: (Lock, Stages), workdir: Workdir, options: Options) -> Result<Self> {
        let (lock, mut stages) = plan;
        // Tables that are held as a whole leave less for tasks.
        let memory = options.memory.saturating_sub(stages.held_bytes);
        let options = Options { memory, ..options };
        // Nothing runs beside a single task.
        let alone = options.memory.saturating_sub(BASE_BYTES);
        let share = alone / threads(&options)? as u64;
        if let Some(near) = &mut stages.near {
            near.keepers.within(alone);
            near.several_keepers.within(share);
            if stages.index {
                near.verify.tell_all();
            }
        }
        if let Some(structural) = &mut stages.structural {
            structural.keepers.within(alone);
            structural.several_keepers.within(share);
        }
        let splits = lock::cut(&lock, &recipe.run);
        let sources = open_sources(&recipe)?;
        Ok(Self {
            recipe,
            lock,
            splits,
            stages,
            workdir,
            options,
            sources,
            carrier: Box::new(Files),
        })
    }

    /// The same, with scattered rows carried by somebody else.
    #[must_use]
    pub fn carried_by(self, carrier: Box<dyn Carrier>) -> Self {
        Self { carrier, ..self }
    }

    /// Opens an exchange for what `task` scatters.
    pub fn scatter<'a>(&self, target: Target<'a>, task: u32) -> Result<Scattering<'a>> {
        let spill = self.carrier.scatter(&self.workdir, target, task)?;
        Ok(Scattering::new(target, spill))
    }

    /// What was scattered to a partition.
    pub fn gathered(&self, target: Target<'_>, partition: u32) -> Result<Batches<'static>> {
        self.carrier.gather(&self.workdir, target, partition)
    }

    /// Whether any source reads the history of repositories.
    pub fn has_history(&self) -> bool {
        self.recipe.sources.iter().any(|source| source.history.is_some())
    }

    /// The source of that name.
    pub fn source(&self, name: &str) -> Result<&Arc<dyn Source>> {
        self.sources.get(name).ok_or_else(|| {
            Error::input(format!(
                "the lock names source `{name}`, which the recipe does not have"
            ))
            .hint("refresh the lock with --update")
        })
    }

    /// The rule and the entry of a list that leave out a repository which would have to be cloned.
    pub fn opted_out(&self, unit: &Unit) -> Option<(DecidedBy<'static>, String)> {
        let opt_out = self.stages.opt_out.as_ref()?;
        let config = self.recipe.sources.iter().find(|config| config.name() == unit.source)?;
        sources::is_cloned(unit, config)
            .then(|| opt_out.repository(&unit.repo_name))
            .flatten()
    }

    /// Where exact keys go.
    pub fn exact_target<'a>(&'a self, listed: &'a Listed) -> Option<Target<'a>> {
        let exchange = self.stages.exact.as_ref()?;
        Some(Target {
            exchange,
            partitions: partitions(exchange, listed.size),
            homes: &listed.pages,
            feeders: self.splits.len() as u32,
        })
    }

    /// What exact duplicates decided, by page.
    pub fn exact_decisions(&self, listed: &Listed) -> Spills {
        let files = self.exact_target(listed).map_or(0, |target| target.partitions);
        Spills::new(&self.workdir, EXACT_DECISIONS, files)
    }

    /// Where tokens go.
    pub fn pack_target<'a>(&'a self, layout: &'a Layout) -> Option<Target<'a>> {
        let exchange = self.stages.pack.as_ref()?;
        Some(Target {
            exchange,
            partitions: partitions(exchange, layout.size),
            homes: layout.homes.as_ref(),
            feeders: layout.homes.count(),
        })
    }
}

/// Number of partitions of an exchange, at least 1.
pub fn partitions(exchange: &dyn stackmill_schemas::stage::Exchange, size: InputSize) -> u32 {
    exchange.partitions(size).max(1)
}

/// Opens every source of the recipe; names are unique.
pub fn open_sources(recipe: &Recipe) -> Result<BTreeMap<String, Arc<dyn Source>>> {
    let mut opened = BTreeMap::new();
    for config in &recipe.sources {
        let name = config.name().to_owned();
        let source = sources::open_at(config, &recipe.base, &recipe.stores, &recipe.network)
            .with_context(|| format!("source `{name}`"))?;
        if opened.insert(name.clone(), source).is_some() {
            return Err(Error::config(format!("two sources are called `{name}`")).hint("give each its own `name`"));
        }
    }
    Ok(opened)
}
