//! A run with everything built: recipe, lock, splits, stages and folders. Built whole before the first byte is read.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use sha2::{Digest as _, Sha256};
use stackmill_dedup::blocks::{Blocks, BlocksConfig};
use stackmill_dedup::contamination::{Decontaminate, Pack as BenchmarkPack};
use stackmill_dedup::exact::{Exact, ExactConfig};
use stackmill_dedup::near::{Near, NearConfig};
use stackmill_dedup::repositories::{Repositories, RepositoriesConfig};
use stackmill_dedup::structural::{Structural, StructuralConfig};
use stackmill_filters::{FilterStage, Needs, Parse, Redact, RuleSet};
use stackmill_ingest::detect::encoding::Decode;
use stackmill_ingest::detect::flags::{Generated, Vendored};
use stackmill_ingest::detect::language::Language;
use stackmill_ingest::detect::license::{License, LicensePolicy};
use stackmill_ingest::detect::notebook::Notebooks;
use stackmill_ingest::lists::{self, Metadata, Named, OptOut, Riding};
use stackmill_ingest::select::Select;
use stackmill_ingest::sources;
use stackmill_ingest::store::Uri;
use stackmill_schemas::context::Batches;
use stackmill_schemas::file::Place as DecidedBy;
use stackmill_schemas::ids::hex;
use stackmill_schemas::lock::{Lock, Split, Unit};
use stackmill_schemas::rank::{Criterion, default_policy};
use stackmill_schemas::stage::{Exchange, InputSize, Map, Source};
use stackmill_schemas::{Error, Result, ResultExt};
use stackmill_tokenize::{CountTokens, Pack, TokenizeConfig};

use crate::exchange::{Carrier, Files, Scattering, Spills, Target};
use crate::known::Known;
use crate::lock;
use crate::passes::cut::Layout;
use crate::passes::listing::Listed;
use crate::passes::{content, cut, listing};
use crate::recipe::Recipe;
use crate::runner::{BASE_BYTES, threads};
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

/// All stages of a recipe, checked against each other.
pub struct Stages {
    /// Maps of the listing pass.
    pub listing: Vec<Box<dyn Map>>,
    /// Maps of the content pass.
    pub content: Vec<Box<dyn Map>>,
    /// Maps of the syntax pass.
    pub syntax: Vec<Box<dyn Map>>,
    /// Copied repositories.
    pub repositories: Option<Repositories>,
    /// Exact duplicates.
    pub exact: Option<Exact>,
    /// Near-duplicates.
    pub near: Option<Near>,
    /// Structural near-duplicates.
    pub structural: Option<Structural>,
    /// Blocks of lines that stand in several files.
    pub blocks: Option<Blocks>,
    /// What sketches files for `structural` and for `blocks`, each a pass of its own.
    pub sketches: [Vec<Box<dyn Map>>; 2],
    /// Packing.
    pub pack: Option<Pack>,
    /// The keep policy of both kinds of duplicates.
    pub keep: Vec<Criterion>,
    /// What license types mean.
    pub license_policy: LicensePolicy,
    /// Who has opted out.
    pub opt_out: Option<OptOut>,
    /// What is joined to listings.
    pub known: Known,
    /// Bytes of memory that tables take which are held as a whole.
    pub held_bytes: u64,
    /// Resolved settings of the rules, in running order.
    pub rules: serde_json::Value,
    /// SHA-256 of the files that the recipe names besides its sources, by their name in the recipe.
    artefacts: BTreeMap<String, String>,
}

impl Stages {
    /// Builds every stage of `recipe`; whatever makes no sense is said here.
    pub fn build(recipe: &Recipe) -> Result<Self> {
        let (rules, mut artefacts) = rules(recipe).context("stage `rules`")?;
        let near = built(recipe.near.as_ref(), NearConfig::build)?;
        let tokens = recipe
            .tokenize
            .as_ref()
            .map(TokenizeConfig::build)
            .transpose()
            .context("stage `tokenize`")?;
        let (tokenize, pack) = tokens.map_or((None, None), |(tokenize, pack)| (Some(tokenize), Some(pack)));
        let metadata = metadata(recipe, &mut artefacts).context("stage `metadata`")?;
        let opt_out = opt_out(recipe, &mut artefacts).context("stage `opt-out`")?;
        let held = metadata
            .as_ref()
            .map(Metadata::bytes)
            .into_iter()
            .chain(opt_out.as_ref().map(OptOut::bytes));
        let held_bytes = held.sum();
        let mut listing: Vec<Box<dyn Map>> = Vec::new();
        push(&mut listing, opt_out.clone());
        push(&mut listing, Some(Vendored::new()));
        push(&mut listing, Some(Select::new()));
        push(&mut listing, rules.stage(Needs::Listing));
        let mut content = content_maps(recipe, &rules)?;
        push(&mut content, near.as_ref().map(|near| near.sketch.clone()));
        let blocks = built(recipe.blocks.as_ref(), BlocksConfig::build)?;
        let mut syntax: Vec<Box<dyn Map>> = Vec::new();
        push(&mut syntax, blocks.as_ref().and_then(|blocks| blocks.cut));
        let syntax_rules = rules.stage(Needs::Syntax);
        push(&mut syntax, parse(recipe, syntax_rules.as_ref())?);
        push(&mut syntax, syntax_rules);
        push(
            &mut syntax,
            recipe
                .redact
                .clone()
                .map(Redact::new)
                .transpose()
                .context("stage `redact`")?,
        );
        push(&mut syntax, decontaminate(recipe, &mut artefacts)?);
        push(&mut syntax, tokenize);
        let structural = built(recipe.structural.as_ref(), StructuralConfig::build)?;
        let mut sketches = [Vec::new(), Vec::new()];
        push(&mut sketches[0], structural.as_ref().map(|stage| stage.sketch.clone()));
        push(&mut sketches[1], blocks.as_ref().map(|stage| stage.sketch.clone()));
        let repositories = built(recipe.repositories.as_ref(), RepositoriesConfig::build)?;
        let exact = built(recipe.exact.as_ref(), ExactConfig::build)?;
        let keep = recipe
            .exact
            .as_ref()
            .map_or_else(default_policy, |config| config.keep.clone());
        let known = Known::new(Riding::of(&recipe.sources)?, metadata)?;
        known.check(&keep)?;
        let license_policy = LicensePolicy::named(&recipe.license.policy).context("stage `license`")?;
        let rules = rules.resolved();
        let stages = Self {
            listing,
            content,
            syntax,
            repositories,
            exact,
            near,
            structural,
            blocks,
            sketches,
            pack,
            keep,
            license_policy,
            opt_out,
            known,
            held_bytes,
            rules,
            artefacts,
        };
        stages.content_schema()?;
        Ok(stages)
    }

    /// Every Exchange that is on, in running order; those that only many edges need are left out.
    pub fn exchanges(&self) -> Vec<&dyn Exchange> {
        let mut all: Vec<&dyn Exchange> = Vec::new();
        if let Some(stage) = &self.repositories {
            all.extend([
                &stage.gathering as &dyn Exchange,
                &stage.anchors,
                &stage.attach,
                &stage.containment,
                &stage.keepers,
            ]);
        }
        all.extend(self.exact.as_ref().map(|stage| stage as &dyn Exchange));
        if let Some(stage) = &self.near {
            all.extend([
                &stage.buckets as &dyn Exchange,
                &stage.attach,
                &stage.verify,
                &stage.keepers,
            ]);
        }
        if let Some(stage) = &self.structural {
            all.extend([
                &stage.buckets as &dyn Exchange,
                &stage.attach,
                &stage.verify,
                &stage.keepers,
            ]);
        }
        if let Some(stage) = &self.blocks {
            all.extend([&stage.anchors as &dyn Exchange, &stage.attach, &stage.runs]);
        }
        all.extend(self.pack.as_ref().map(|stage| stage as &dyn Exchange));
        all
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
        content::schema_after(&self.listing, self.known.schema(&listing::numbered_schema()))
    }

    /// The columns after the content pass.
    pub fn content_schema(&self) -> Result<SchemaRef> {
        let survivors = cut::with_copies(&listing::table_schema(&self.listing_schema()?));
        content::schema_after(&self.content, content::read_schema(&survivors))
    }
}

/// A stage that is on.
fn built<C, T>(config: Option<&C>, build: fn(&C) -> Result<T>) -> Result<Option<T>> {
    config.map(build).transpose()
}

fn push<M: Map + 'static>(maps: &mut Vec<Box<dyn Map>>, map: Option<M>) {
    if let Some(map) = map {
        maps.push(Box::new(map));
    }
}

/// The Maps of the content pass, in order, up to the sketch of near-duplicates.
fn content_maps(recipe: &Recipe, rules: &RuleSet) -> Result<Vec<Box<dyn Map>>> {
    let mut content: Vec<Box<dyn Map>> = vec![Box::new(Decode::new(recipe.decode.clone()))];
    push(&mut content, recipe.notebooks.clone().map(Notebooks::new));
    let annotations: [Box<dyn Map>; 3] = [
        Box::new(Language::new(recipe.language.clone())),
        Box::new(Generated::new()),
        Box::new(License::new(&recipe.license).context("stage `license`")?),
    ];
    content.extend(annotations);
    push(&mut content, recipe.headers.build());
    push(&mut content, counted_tokens(rules).context("stage `rules`")?);
    push(&mut content, rules.stage(Needs::Content));
    Ok(content)
}

/// The rules, and the hashes of the models that they name.
fn rules(recipe: &Recipe) -> Result<(RuleSet, BTreeMap<String, String>)> {
    let mut hashes = BTreeMap::new();
    let rules = RuleSet::reading(&recipe.rules, &mut |name, what| {
        let (_, bytes) = recipe.file(name, what)?;
        hashes.insert(name.to_owned(), hex(&Sha256::digest(&bytes)));
        Ok(bytes)
    })?;
    Ok((rules, hashes))
}

/// Counts tokens where a rule asks for them.
fn counted_tokens(rules: &RuleSet) -> Result<Option<CountTokens>> {
    let settings = rules.settings("characters-per-token");
    let tokenizer = settings.and_then(|settings| settings["tokenizer"].as_str());
    tokenizer.map(CountTokens::new).transpose()
}

/// The stage, if rules read or the corpus publishes what it tells.
fn parse(recipe: &Recipe, rules: Option<&FilterStage>) -> Result<Option<Parse>> {
    let config = &recipe.parse;
    let spans = config.columns.iter().find(|fact| fact.is_spans());
    if let Some(fact) = spans.filter(|_| recipe.redact.is_some()) {
        let error = Error::config(format!("`columns` has places in the text (`{}`)", fact.column()));
        let hint = "`[redact]` moves the text after it was parsed: leave out one of the two";
        return Err(error.hint(hint).context("stage `parse`"));
    }
    if rules.is_none() && config.columns.is_empty() {
        return Ok(None);
    }
    let read = rules.map(FilterStage::facts).unwrap_or_default();
    Parse::new(config.clone(), read).map(Some).context("stage `parse`")
}

/// What stands for the bytes of files that the recipe names, by their names there.
type Artefacts = BTreeMap<String, String>;

/// The stage; hashes of the packs that the recipe brings go to `artefacts`.
fn decontaminate(recipe: &Recipe, artefacts: &mut Artefacts) -> Result<Option<Decontaminate>> {
    let Some(config) = &recipe.decontaminate else {
        return Ok(None);
    };
    let mut packs = Vec::new();
    for path in &config.packs {
        let hint = "build one with `stackmill benchmarks build NAME --from FILE --out FILE`";
        let (place, bytes) = recipe.file(path, "pack").map_err(|error| error.hint(hint))?;
        packs.push(BenchmarkPack::parse(&bytes).with_context(|| place.to_string())?);
        artefacts.insert(path.clone(), hex(&Sha256::digest(&bytes)));
    }
    Decontaminate::new(config, packs)
        .context("stage `decontaminate`")
        .map(Some)
}

/// Tables that the recipe names; what stands for their bytes goes to `artefacts`.
fn tables(recipe: &Recipe, names: &[String], artefacts: &mut Artefacts) -> Result<Vec<Named>> {
    let tables = recipe.tables(names)?.into_iter().map(|(table, revision)| {
        artefacts.insert(table.name.clone(), revision);
        table
    });
    Ok(tables.collect())
}

fn metadata(recipe: &Recipe, artefacts: &mut Artefacts) -> Result<Option<Metadata>> {
    let Some(config) = &recipe.metadata else {
        return Ok(None);
    };
    let tables = &tables(recipe, config.tables()?, artefacts)?;
    let stores = &recipe.stores;
    Metadata::load(config, lists::Place { tables, stores }).map(Some)
}

fn opt_out(recipe: &Recipe, artefacts: &mut Artefacts) -> Result<Option<OptOut>> {
    let Some(config) = &recipe.opt_out else {
        return Ok(None);
    };
    let tables = &tables(recipe, config.lists()?, artefacts)?;
    let stores = &recipe.stores;
    OptOut::load(config, lists::Place { tables, stores }).map(Some)
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
