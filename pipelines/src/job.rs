//! A run with everything built: recipe, lock, splits, stages and folders. Built whole before the first byte is read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use sha2::{Digest as _, Sha256};
use stackmill_dedup::contamination::{Decontaminate, Pack as BenchmarkPack};
use stackmill_dedup::exact::{Exact, ExactConfig};
use stackmill_dedup::near::{Near, NearConfig};
use stackmill_filters::{Needs, Parse, Redact, RuleSet};
use stackmill_ingest::detect::encoding::Decode;
use stackmill_ingest::detect::flags::{Generated, Vendored};
use stackmill_ingest::detect::language::Language;
use stackmill_ingest::detect::license::{License, LicensePolicy};
use stackmill_ingest::select::Select;
use stackmill_ingest::sources;
use stackmill_ingest::store::Uri;
use stackmill_schemas::context::Homes;
use stackmill_schemas::ids::hex;
use stackmill_schemas::lock::{Lock, Split};
use stackmill_schemas::rank::{Criterion, default_policy};
use stackmill_schemas::stage::{InputSize, Map, Source};
use stackmill_schemas::{Error, FileId, Result, ResultExt};
use stackmill_tokenize::{Pack, TokenizeConfig};

use crate::exchange::{Spills, Target};
use crate::lock;
use crate::passes::{content, cut, listing};
use crate::recipe::Recipe;
use crate::units::Share;
use crate::workdir::Workdir;

/// A usual mean length of source files; only numbers of partitions are estimated with it.
const USUAL_FILE_BYTES: u64 = 8192;
/// Folder of what exact duplicates decided.
pub const EXACT_DECISIONS: &str = "exact-decisions";
/// Folder of what near-duplicates decided.
pub const NEAR_DECISIONS: &str = "near-decisions";

/// What a user may choose without changing a byte of the output, and the sample.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data set.
    pub out: Uri,
    /// Scratch; `OUT/.work` if not said.
    pub scratch: Option<PathBuf>,
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

/// All stages of a recipe, checked against each other.
pub struct Stages {
    /// Maps of the listing pass.
    pub listing: Vec<Box<dyn Map>>,
    /// Maps of the content pass.
    pub content: Vec<Box<dyn Map>>,
    /// Maps of the syntax pass.
    pub syntax: Vec<Box<dyn Map>>,
    /// Exact duplicates.
    pub exact: Option<Exact>,
    /// Near-duplicates.
    pub near: Option<Near>,
    /// Packing.
    pub pack: Option<Pack>,
    /// The keep policy of both kinds of duplicates.
    pub keep: Vec<Criterion>,
    /// What license types mean.
    pub license_policy: LicensePolicy,
    /// Resolved settings of the rules, in running order.
    pub rules: serde_json::Value,
    /// SHA-256 of the files that the recipe names besides its sources, by their name in the recipe.
    artefacts: BTreeMap<String, String>,
}

impl Stages {
    /// Builds every stage of `recipe`; whatever makes no sense is said here.
    pub fn build(recipe: &Recipe) -> Result<Self> {
        let rules = RuleSet::new(&recipe.rules).context("stage `rules`")?;
        let near = recipe.near.as_ref().map(NearConfig::build).transpose()?;
        let tokens = recipe
            .tokenize
            .as_ref()
            .map(TokenizeConfig::build)
            .transpose()
            .context("stage `tokenize`")?;
        let (tokenize, pack) = tokens.map_or((None, None), |(tokenize, pack)| (Some(tokenize), Some(pack)));
        let mut listing: Vec<Box<dyn Map>> = vec![Box::new(Vendored::new()), Box::new(Select::new())];
        push(&mut listing, rules.stage(Needs::Listing));
        let mut content: Vec<Box<dyn Map>> = vec![
            Box::new(Decode::new(recipe.decode.clone())),
            Box::new(Language::new(recipe.language.clone())),
            Box::new(Generated::new()),
            Box::new(License::new(&recipe.license).context("stage `license`")?),
        ];
        push(&mut content, rules.stage(Needs::Content));
        push(&mut content, near.as_ref().map(|near| near.sketch.clone()));
        let mut syntax: Vec<Box<dyn Map>> = Vec::new();
        if let Some(rules) = rules.stage(Needs::Syntax) {
            syntax.push(Box::new(Parse::new(recipe.parse.clone()).context("stage `parse`")?));
            syntax.push(Box::new(rules));
        }
        push(
            &mut syntax,
            recipe
                .redact
                .clone()
                .map(Redact::new)
                .transpose()
                .context("stage `redact`")?,
        );
        let (decontaminate, artefacts) = decontaminate(recipe)?;
        push(&mut syntax, decontaminate);
        push(&mut syntax, tokenize);
        let exact = recipe.exact.as_ref().map(ExactConfig::build).transpose()?;
        let keep = recipe
            .exact
            .as_ref()
            .map_or_else(default_policy, |config| config.keep.clone());
        let license_policy = LicensePolicy::named(&recipe.license.policy).context("stage `license`")?;
        let rules = rules.resolved();
        let stages = Self {
            listing,
            content,
            syntax,
            exact,
            near,
            pack,
            keep,
            license_policy,
            rules,
            artefacts,
        };
        stages.content_schema()?;
        Ok(stages)
    }

    /// The recipe with every default filled in, and hashes of the files that it names: what decides about the output,
    /// sources apart.
    pub fn config(&self, recipe: &Recipe) -> Result<serde_json::Value> {
        let mut config = recipe.resolved(self.rules.clone())?;
        if !self.artefacts.is_empty() {
            config["artefacts"] = serde_json::json!(self.artefacts);
        }
        Ok(config)
    }

    /// The columns of the listing, ranks left out.
    pub fn listing_schema(&self) -> Result<SchemaRef> {
        content::schema_after(&self.listing, listing::numbered_schema())
    }

    /// The columns after the content pass.
    pub fn content_schema(&self) -> Result<SchemaRef> {
        let survivors = cut::with_copies(&listing::with_rank(&self.listing_schema()?));
        content::schema_after(&self.content, content::read_schema(&survivors))
    }
}

fn push<M: Map + 'static>(maps: &mut Vec<Box<dyn Map>>, map: Option<M>) {
    if let Some(map) = map {
        maps.push(Box::new(map));
    }
}

/// The stage, and the hashes of the packs that the recipe brings.
fn decontaminate(recipe: &Recipe) -> Result<(Option<Decontaminate>, BTreeMap<String, String>)> {
    let mut hashes = BTreeMap::new();
    let Some(config) = &recipe.decontaminate else {
        return Ok((None, hashes));
    };
    let mut packs = Vec::new();
    for path in &config.packs {
        let hint = "build one with `stackmill benchmarks build NAME --from FILE --out FILE`";
        let (place, bytes) = recipe.file(path, "pack").map_err(|error| error.hint(hint))?;
        packs.push(BenchmarkPack::parse(&bytes).with_context(|| place.to_string())?);
        hashes.insert(path.clone(), hex(&Sha256::digest(&bytes)));
    }
    let stage = Decontaminate::new(config, packs).context("stage `decontaminate`")?;
    Ok((Some(stage), hashes))
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
    split_homes: Homes,
    exact_partitions: u32,
}

impl Job {
    /// Joins the parts of a run.
    pub fn new(recipe: Recipe, plan: (Lock, Stages), workdir: Workdir, options: Options) -> Result<Self> {
        let (lock, stages) = plan;
        let splits = lock::cut(&lock, &recipe.run);
        let sources = open_sources(&recipe)?;
        let split_homes = Homes::new(splits.iter().map(|split| FileId::new(split.index, 0)).collect());
        // Before the listing nothing but the lock's estimate is known.
        let bytes: u64 = lock.units.iter().map(|unit| unit.length_bytes).sum();
        let size = InputSize {
            files: bytes / USUAL_FILE_BYTES,
            bytes,
            homes: splits.len() as u32,
        };
        let exact_partitions = stages.exact.as_ref().map_or(0, |exact| partitions(exact, size));
        Ok(Self {
            recipe,
            lock,
            splits,
            stages,
            workdir,
            options,
            sources,
            split_homes,
            exact_partitions,
        })
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

    /// The homes of files by split.
    pub fn split_homes(&self) -> &Homes {
        &self.split_homes
    }

    /// Where exact keys go.
    pub fn exact_target(&self) -> Option<Target<'_>> {
        let exchange = self.stages.exact.as_ref()?;
        Some(Target {
            exchange,
            partitions: self.exact_partitions,
            homes: &self.split_homes,
            feeders: self.splits.len() as u32,
        })
    }

    /// What exact duplicates decided, by split.
    pub fn exact_decisions(&self) -> Spills {
        Spills::new(&self.workdir, EXACT_DECISIONS, self.exact_partitions)
    }

    /// Where near-duplicates' rows go, once chunks (`homes`) are known.
    pub fn near_targets<'a>(&'a self, homes: &'a Homes) -> Option<NearTargets<'a>> {
        let near = self.stages.near.as_ref()?;
        let size = self.chunk_size(homes);
        let target = |exchange: &'a dyn stackmill_schemas::stage::Exchange, feeders| Target {
            exchange,
            partitions: partitions(exchange, size),
            homes,
            feeders,
        };
        let buckets = target(&near.buckets, homes.count());
        let attach = target(&near.attach, buckets.partitions);
        let verify = target(&near.verify, attach.partitions);
        let keepers = target(&near.keepers, verify.partitions);
        Some(NearTargets {
            buckets,
            attach,
            verify,
            keepers,
        })
    }

    /// What near-duplicates decided, by chunk.
    pub fn near_decisions(&self, homes: &Homes) -> Spills {
        let files = self.near_targets(homes).map_or(0, |targets| targets.keepers.partitions);
        Spills::new(&self.workdir, NEAR_DECISIONS, files)
    }

    /// Where tokens go, once chunks (`homes`) are known.
    pub fn pack_target<'a>(&'a self, homes: &'a Homes) -> Option<Target<'a>> {
        let exchange = self.stages.pack.as_ref()?;
        Some(Target {
            exchange,
            partitions: partitions(exchange, self.chunk_size(homes)),
            homes,
            feeders: homes.count(),
        })
    }

    /// Chunks hold `task-bytes` each, the last of a split less.
    fn chunk_size(&self, homes: &Homes) -> InputSize {
        let bytes = u64::from(homes.count()) * self.recipe.run.task_bytes;
        InputSize {
            files: bytes / USUAL_FILE_BYTES,
            bytes,
            homes: homes.count(),
        }
    }
}

/// The four exchanges of near-duplicates.
#[derive(Clone, Copy)]
pub struct NearTargets<'a> {
    /// Bucket hashes.
    pub buckets: Target<'a>,
    /// Pairs, to the home of the first.
    pub attach: Target<'a>,
    /// Pairs with a set, to the home of the second.
    pub verify: Target<'a>,
    /// Edges.
    pub keepers: Target<'a>,
}

fn partitions(exchange: &dyn stackmill_schemas::stage::Exchange, size: InputSize) -> u32 {
    exchange.partitions(size).max(1)
}

/// Opens every source of the recipe; names are unique.
pub fn open_sources(recipe: &Recipe) -> Result<BTreeMap<String, Arc<dyn Source>>> {
    let mut opened = BTreeMap::new();
    for config in &recipe.sources {
        let name = config.name().to_owned();
        let source =
            sources::open_at(config, &recipe.base, &recipe.stores).with_context(|| format!("source `{name}`"))?;
        if opened.insert(name.clone(), source).is_some() {
            return Err(Error::config(format!("two sources are called `{name}`")).hint("give each its own `name`"));
        }
    }
    Ok(opened)
}
