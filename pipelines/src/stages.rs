//! All stages of a recipe, built and checked against each other.

use std::collections::BTreeMap;

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
use stackmill_ingest::lists::{Metadata, OptOut, Riding};
use stackmill_ingest::select::Select;
use stackmill_ingest::sources::SourceConfig;
use stackmill_schemas::ids::hex;
use stackmill_schemas::rank::{Criterion, default_policy};
use stackmill_schemas::stage::{Exchange, Map};
use stackmill_schemas::{Error, Result, ResultExt, columns};
use stackmill_tokenize::{CountTokens, Pack, Tokenize, TokenizeConfig};

use crate::known::{Known, metadata, opt_out};
use crate::passes::{content, cut, left, listing};
use crate::previous::{self, Previous};
use crate::recipe::Recipe;

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
    /// An earlier release, whose index stands for files.
    pub previous: Option<Previous>,
    /// Whether an index is published.
    pub(crate) index: bool,
    /// What sketches files for `structural` and for `blocks`, each a pass of its own.
    pub sketches: [Vec<Box<dyn Map>>; 2],
    /// Packing.
    pub pack: Option<Pack>,
    /// Whether what is kept is written.
    pub corpus: bool,
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
        let syntax = syntax_maps(recipe, (blocks.as_ref(), tokenize), &rules, &mut artefacts)?;
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
        let license = recipe.license.clone().unwrap_or_default();
        let license_policy = license.policy().context("stage `license`")?;
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
            corpus: recipe.corpus,
            previous: Previous::of(recipe)?,
            index: recipe.near.as_ref().is_some_and(NearConfig::has_index),
            keep,
            license_policy,
            opt_out,
            known,
            held_bytes,
            rules,
            artefacts,
        };
        stages.check(recipe)?;
        Ok(stages)
    }

    /// Refuses stages that do not go together.
    fn check(&self, recipe: &Recipe) -> Result<()> {
        let content = self.content_schema()?;
        if self.structural.is_some() || self.syntax.iter().any(|map| map.name() == "parse") {
            content.field_with_name(columns::LANGUAGE).map_err(|_| {
                Error::config("`[structural]` and rules of syntax need languages").hint("leave `language = false` out")
            })?;
        }
        if !self.corpus && (self.pack.is_some() || self.index || self.previous.is_some()) {
            return Err(
                Error::config("`[tokenize]`, and `index` and `previous` of `[near]`, need the corpus")
                    .hint("leave `corpus = false` out"),
            );
        }
        self.known.check(&self.keep, self.listing_schema()?.as_ref())?;
        previous::check(self, recipe)
    }

    /// Whether anything after the content pass reads what is in files.
    pub fn carries_content(&self) -> bool {
        self.corpus || !self.syntax.is_empty() || self.sketches.iter().any(|maps| !maps.is_empty())
    }

    /// Whether an index is published.
    pub fn has_index(&self) -> bool {
        self.index
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
        if let Some(previous) = &self.previous {
            config["previous"] = previous.hash.clone().into();
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
        content::schema_after(&self.content, left::read_schema(&survivors))
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
    push(&mut content, recipe.language.clone().map(Language::new));
    push(&mut content, Some(Generated::new()));
    let license = recipe.license.as_ref().map(License::new).transpose();
    push(&mut content, license.context("stage `license`")?);
    push(&mut content, recipe.headers.build());
    push(&mut content, counted_tokens(rules).context("stage `rules`")?);
    push(&mut content, rules.stage(Needs::Content));
    Ok(content)
}

/// The Maps of the syntax pass, in order.
fn syntax_maps(
    recipe: &Recipe,
    (blocks, tokenize): (Option<&Blocks>, Option<Tokenize>),
    rules: &RuleSet,
    artefacts: &mut Artefacts,
) -> Result<Vec<Box<dyn Map>>> {
    let mut syntax: Vec<Box<dyn Map>> = Vec::new();
    push(&mut syntax, blocks.and_then(|blocks| blocks.cut));
    let syntax_rules = rules.stage(Needs::Syntax);
    push(&mut syntax, parse(recipe, syntax_rules.as_ref())?);
    push(&mut syntax, syntax_rules);
    let redact = recipe.redact.clone().map(Redact::new).transpose();
    push(&mut syntax, redact.context("stage `redact`")?);
    push(&mut syntax, decontaminate(recipe, artefacts)?);
    push(&mut syntax, tokenize);
    Ok(syntax)
}

/// The rules, and the hashes of the models that they name.
fn rules(recipe: &Recipe) -> Result<(RuleSet, BTreeMap<String, String>)> {
    let mut hashes = BTreeMap::new();
    let rules = RuleSet::reading(&recipe.rules, &mut |name, what| {
        let (_, bytes) = recipe.file(name, what)?;
        hashes.insert(name.to_owned(), hex(&Sha256::digest(&bytes)));
        Ok(bytes)
    })?;
    check_score(&rules, recipe)?;
    Ok((rules, hashes))
}

/// Refuses a rule that would drop every file of every source, since nobody says where scores are.
fn check_score(rules: &RuleSet, recipe: &Recipe) -> Result<()> {
    let drops_unknown = rules
        .settings("score")
        .is_some_and(|settings| settings["keep-unknown"] != true);
    let has_score = |source: &SourceConfig| source.columns.get("score").is_some_and(|name| !name.is_empty());
    // Files that are at hand come with the columns that they have.
    if !drops_unknown || recipe.sources.is_empty() || recipe.sources.iter().any(has_score) {
        return Ok(());
    }
    Err(
        Error::config("rule `score`: no source names the column of scores, so every file would be dropped").hint(
            "name it in a source of tables, as in `columns = { score = \"educational\" }`, or set `keep-unknown = true`",
        ),
    )
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
pub(crate) type Artefacts = BTreeMap<String, String>;

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
