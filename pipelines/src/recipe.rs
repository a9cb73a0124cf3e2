//! Recipes: TOML in, checked settings out. Each stage's settings live in its own crate; this joins them.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use stackmill_dedup::blocks::BlocksConfig;
use stackmill_dedup::contamination::DecontaminateConfig;
use stackmill_dedup::exact::ExactConfig;
use stackmill_dedup::near::NearConfig;
use stackmill_dedup::repositories::RepositoriesConfig;
use stackmill_dedup::structural::StructuralConfig;
use stackmill_filters::{HeadersConfig, ParseConfig, RedactConfig, RulesConfig};
use stackmill_ingest::detect::encoding::DecodeConfig;
use stackmill_ingest::detect::language::LanguageConfig;
use stackmill_ingest::detect::license::LicenseConfig;
use stackmill_ingest::detect::notebook::NotebookConfig;
use stackmill_ingest::lists::{MetadataConfig, Named, OptOutConfig};
use stackmill_ingest::network::Network;
use stackmill_ingest::sources::{self, SourceConfig, guess};
use stackmill_ingest::store::{Stores, Uri};
use stackmill_schemas::text::nearest;
use stackmill_schemas::{Error, Result, ResultExt, fingerprint};
use stackmill_tokenize::TokenizeConfig;
use toml::{Table, Value};

use crate::artefact::Artefacts;
use crate::settings::{optional, section, switch, typed, unless_off};
use crate::trial::TestConfig;
use crate::units::Share;

/// How the run is cut and when it gives up: the recipe's `[run]` table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RunConfig {
    /// Repositories that one listing task reads at most.
    pub split_repositories: u32,
    /// Bytes, by the lock's estimate, that one listing task reads at most (a repository is never cut).
    pub split_bytes: u64,
    /// Bytes of surviving content that one read task reads, and so about the size of a corpus shard.
    pub task_bytes: u64,
    /// Share of repositories that may be unreadable; beyond it nothing is published.
    pub max_failed_repositories: Share,
    /// Seed of the sample that `--sample` takes.
    pub seed: u64,
}

impl Default for RunConfig {
    fn default() -> Self {
        let max_failed_repositories = Share(0.01);
        Self {
            split_repositories: 64,
            split_bytes: 256 << 20,
            task_bytes: 64 << 20,
            max_failed_repositories,
            seed: 0,
        }
    }
}

impl RunConfig {
    fn validate(&self) -> Result<()> {
        for (key, value) in [
            ("split-repositories", u64::from(self.split_repositories)),
            ("split-bytes", self.split_bytes),
            ("task-bytes", self.task_bytes),
        ] {
            if value == 0 {
                return Err(Error::config(format!("`{key}` must be at least 1")).context("stage `run`"));
            }
        }
        Ok(())
    }
}

/// A whole recipe. Stages that are `None` are off.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The folder that relative paths start from.
    pub base: Uri,
    /// Where objects that it names are read.
    pub stores: Stores,
    /// Where copies of them are kept on this machine, sources left out; none are if nothing is said.
    pub artefacts: Option<Artefacts>,
    /// How repositories elsewhere are reached.
    pub network: Network,
    /// Its name.
    pub name: String,
    /// `[run]`
    pub run: RunConfig,
    /// `[[source]]`, with `~` and `${NAME}` filled in.
    pub sources: Vec<SourceConfig>,
    /// `[metadata]`
    pub metadata: Option<MetadataConfig>,
    /// `[opt-out]`
    pub opt_out: Option<OptOutConfig>,
    /// `[repositories]`
    pub repositories: Option<RepositoriesConfig>,
    /// `[exact]`; on unless `exact = false`.
    pub exact: Option<ExactConfig>,
    /// `[decode]`
    pub decode: DecodeConfig,
    /// `[notebooks]`
    pub notebooks: Option<NotebookConfig>,
    /// `[language]`; on unless `language = false`.
    pub language: Option<LanguageConfig>,
    /// `[license]`; on unless `license = false`.
    pub license: Option<LicenseConfig>,
    /// `[headers]`
    pub headers: HeadersConfig,
    /// `[rules]`
    pub rules: RulesConfig,
    /// `[near]`
    pub near: Option<NearConfig>,
    /// `[structural]`
    pub structural: Option<StructuralConfig>,
    /// `[blocks]`
    pub blocks: Option<BlocksConfig>,
    /// `[parse]`
    pub parse: ParseConfig,
    /// `[redact]`
    pub redact: Option<RedactConfig>,
    /// `[decontaminate]`
    pub decontaminate: Option<DecontaminateConfig>,
    /// `[tokenize]`
    pub tokenize: Option<TokenizeConfig>,
    /// Whether what is kept is written, and not only said in the ledger; so unless `corpus = false`.
    pub corpus: bool,
    /// `[[test]]`: decides about nothing.
    pub tests: Vec<TestConfig>,
    /// `[[source]]` as written, for the manifest: no path of this machine.
    written_sources: Value,
}

/// Longest file that a recipe names besides its sources, in a store: 1 GiB.
const LONGEST_FILE: u64 = 1 << 30;

/// Longest recipe in a store: 16 MiB.
const LONGEST_RECIPE: u64 = 16 << 20;

#[rustfmt::skip]
const KEYS: &[&str] = &[
    "name", "run", "source", "metadata", "opt-out", "repositories", "exact", "decode", "notebooks", "language",
    "license", "headers", "rules", "near", "structural", "blocks", "parse", "redact", "decontaminate", "tokenize",
    "corpus", "test",
];

impl Recipe {
    /// Reads a recipe; `changes` are `stage.key=value`.
    pub fn read(path: &Path, changes: &[String]) -> Result<Self> {
        let (uri, stores) = (Uri::of_path(path)?, crate::environment::stores()?);
        let text = text(&uri, &stores)?;
        let recipe = Self {
            base: uri.parent(),
            stores,
            network: crate::environment::network()?,
            ..Self::parse(&text, path, changes).with_context(|| uri.to_string())?
        };
        Ok(recipe)
    }

    /// As [`Recipe::read`], of text that is at hand; relative paths start at the folder of `path`.
    pub fn parse(text: &str, path: &Path, changes: &[String]) -> Result<Self> {
        let mut table: Table = text.parse().map_err(|error: toml::de::Error| {
            Error::config(format!(
                "not valid TOML: {}",
                error.to_string().trim_end().replace('\n', "\n  ")
            ))
        })?;
        for change in changes {
            apply(&mut table, change)?;
        }
        Self::from_table(table, path)
    }

    /// A recipe of stages alone, without sources, for files that are at hand: `settings` are the tables of a recipe as JSON.
    pub fn of_stages(settings: &serde_json::Value) -> Result<Self> {
        let mut table = Table::try_from(settings)
            .map_err(|error| Error::config(format!("settings that TOML cannot say: {error}")))?;
        let unread = Table::from_iter([("directory".to_owned(), Value::String(".".to_owned()))]);
        table.insert("name".to_owned(), Value::String("files at hand".to_owned()));
        table.insert("source".to_owned(), Value::Array(vec![Value::Table(unread)]));
        let recipe = Self::from_table(table, Path::new(""))?;
        Ok(Self {
            sources: Vec::new(),
            ..recipe
        })
    }

    fn from_table(mut table: Table, path: &Path) -> Result<Self> {
        if let Some(unknown) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let error = Error::config(format!("unknown key `{unknown}`"));
            return Err(match nearest(unknown, KEYS.iter().copied()) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint(format!("a recipe has {}", KEYS.join(", "))),
            });
        }
        let name = match table.remove("name") {
            Some(Value::String(name)) if !name.is_empty() => name,
            _ => return Err(Error::config("a recipe needs a `name`").hint("start it with: name = \"my-corpus\"")),
        };
        let written_sources = table.remove("source").unwrap_or(Value::Array(Vec::new()));
        let recipe = Self {
            base: Uri::Local(path.to_owned()).parent(),
            stores: Stores::default(),
            artefacts: None,
            network: Network::default(),
            name,
            run: section(&mut table, "run")?,
            sources: source_tables(&written_sources)?,
            metadata: optional(&mut table, "metadata")?,
            opt_out: optional(&mut table, "opt-out")?,
            repositories: optional(&mut table, "repositories")?,
            exact: unless_off(&mut table, "exact")?,
            decode: section(&mut table, "decode")?,
            notebooks: optional(&mut table, "notebooks")?,
            language: unless_off(&mut table, "language")?,
            license: unless_off(&mut table, "license")?,
            headers: section(&mut table, "headers")?,
            rules: section(&mut table, "rules")?,
            near: optional(&mut table, "near")?,
            structural: optional(&mut table, "structural")?,
            blocks: optional(&mut table, "blocks")?,
            parse: section(&mut table, "parse")?,
            redact: optional(&mut table, "redact")?,
            decontaminate: optional(&mut table, "decontaminate")?,
            tokenize: optional(&mut table, "tokenize")?,
            corpus: switch(&table, "corpus")?,
            tests: test_tables(table.get("test"))?,
            written_sources,
        };
        recipe.run.validate()?;
        Ok(recipe)
    }

    /// The same stages over other input: paths from the working directory, or URIs, each of the kind that it looks like.
    pub fn reading(self, places: &[String]) -> Result<Self> {
        let mut sources = Vec::new();
        for (number, place) in places.iter().enumerate() {
            let name = Some(format!("input-{}", number + 1));
            sources.push(SourceConfig { name, ..guess(place)? });
        }
        Self { sources, ..self }.rewritten()
    }

    /// The same after a change of its sources: what is written of them follows.
    pub fn rewritten(self) -> Result<Self> {
        let written_sources = Value::try_from(&self.sources).map_err(|error| Error::bug(error.to_string()))?;
        Ok(Self {
            written_sources,
            ..self
        })
    }

    /// The same, with names for columns of the tables among its sources, which there must be if names are given.
    pub fn naming(mut self, columns: &BTreeMap<String, String>) -> Result<Self> {
        let is_table = |source: &&mut SourceConfig| source.parquet.is_some() || source.jsonl.is_some();
        let mut tables = self.sources.iter_mut().filter(is_table).peekable();
        if tables.peek().is_none() && !columns.is_empty() {
            return Err(
                Error::config("columns are named, but no input is a table").hint("leave --content and --id out")
            );
        }
        tables.for_each(|table| table.columns.clone_from(columns));
        self.written_sources = Value::try_from(&self.sources).map_err(|error| Error::bug(error.to_string()))?;
        Ok(self)
    }

    /// The same, keeping copies of what it names in stores below `cache`.
    #[must_use]
    pub fn keeping_artefacts(self, cache: &Path) -> Self {
        let artefacts = Some(Artefacts::below(cache));
        Self { artefacts, ..self }
    }

    /// The tables that the recipe names, with what stands for the bytes of each.
    pub fn tables(&self, names: &[String]) -> Result<Vec<(Named, String)>> {
        let table = |name: &String| {
            let uri = self.base.resolve(&crate::environment::expand(name)?)?;
            let (uri, revision) = match (&uri, &self.artefacts) {
                (Uri::Store(_), Some(artefacts)) => {
                    let object = self.stores.head(&uri)?;
                    (Uri::Local(artefacts.copy(&object, &self.stores)?), object.revision())
                }
                _ => {
                    let revision = sources::revision(&uri, &self.stores).with_context(|| uri.to_string())?;
                    (uri, revision)
                }
            };
            let name = name.clone();
            Ok((Named { name, uri }, revision))
        };
        names.iter().map(table).collect()
    }

    /// All bytes of a file that the recipe names, and where it is; `what` is its name in messages.
    pub fn file(&self, name: &str, what: &str) -> Result<(Uri, Vec<u8>)> {
        let uri = self.base.resolve(&crate::environment::expand(name)?)?;
        let unread = |words: &str| Error::input(format!("cannot read the {what}: {words}")).context(uri.to_string());
        let local = |path: &Path| std::fs::read(path).map_err(|error| unread(&error.to_string()));
        let bytes = match (&uri, &self.artefacts) {
            (Uri::Local(path), _) => local(path)?,
            (Uri::Store(_), None) => {
                let bytes = self.stores.get(&uri, LONGEST_FILE)?;
                bytes.ok_or_else(|| unread("it is not there"))?
            }
            (Uri::Store(_), Some(artefacts)) => {
                let object = self.stores.find(&uri)?.ok_or_else(|| unread("it is not there"))?;
                if object.length > LONGEST_FILE {
                    return Err(unread(&format!("it is longer than {LONGEST_FILE} bytes")));
                }
                local(&artefacts.copy(&object, &self.stores)?)?
            }
        };
        Ok((uri, bytes))
    }

    /// What stands for the `[[source]]` tables, and the seed that samples them, in the lock.
    pub fn sources_fingerprint(&self) -> Result<String> {
        fingerprint::of(&(&self.written_sources, self.run.seed))
    }

    /// Every setting with defaults filled in; `rules` are resolved by their own crate.
    pub fn resolved(&self, rules: serde_json::Value) -> Result<serde_json::Value> {
        fn json<T: Serialize>(value: &T) -> Result<serde_json::Value> {
            serde_json::to_value(value).map_err(|error| Error::bug(error.to_string()))
        }
        let mut out = serde_json::Map::new();
        for (key, value) in [
            ("name", json(&self.name)?),
            ("run", json(&self.run)?),
            ("source", json(&self.written_sources)?),
            ("metadata", json(&self.metadata)?),
            ("opt-out", json(&self.opt_out)?),
            ("repositories", json(&self.repositories)?),
            ("exact", json(&self.exact)?),
            ("decode", json(&self.decode)?),
            ("notebooks", json(&self.notebooks)?),
            ("language", json(&self.language)?),
            ("license", json(&self.license)?),
            ("headers", json(&self.headers)?),
            ("rules", rules),
            ("near", json(&self.near)?),
            ("structural", json(&self.structural)?),
            ("blocks", json(&self.blocks)?),
            ("parse", json(&self.parse)?),
            ("redact", json(&self.redact)?),
            ("decontaminate", json(&self.decontaminate)?),
            ("tokenize", json(&self.tokenize)?),
            ("corpus", json(&self.corpus)?),
        ] {
            out.insert(key.to_owned(), value);
        }
        Ok(serde_json::Value::Object(out))
    }
}

fn text(uri: &Uri, stores: &Stores) -> Result<String> {
    let unread = |words: &str| {
        Error::input(format!("cannot read the recipe: {words}"))
            .context(uri.to_string())
            .hint("`stackmill run RECIPE --out DIR`; examples are in examples/")
    };
    match uri {
        Uri::Local(path) => std::fs::read_to_string(path).map_err(|error| unread(&error.to_string())),
        Uri::Store(_) => {
            let bytes = stores
                .get(uri, LONGEST_RECIPE)?
                .ok_or_else(|| unread("it is not there"))?;
            String::from_utf8(bytes).map_err(|_| unread("it is not UTF-8 text"))
        }
    }
}

fn source_tables(written: &Value) -> Result<Vec<SourceConfig>> {
    let Value::Array(tables) = written else {
        return Err(Error::config("`source` must be a list of tables").hint("write each as [[source]]"));
    };
    if tables.is_empty() {
        return Err(Error::config("a recipe needs at least one [[source]]")
            .hint("for example: [[source]] and, below it, git = \"path/to/clone\""));
    }
    let read = |(number, table): (usize, &Value)| {
        let mut table = table.clone();
        expand(&mut table)?;
        typed(&table).map_err(|error| error.context(format!("source {}", number + 1)))
    };
    tables.iter().enumerate().map(read).collect()
}

fn test_tables(written: Option<&Value>) -> Result<Vec<TestConfig>> {
    let tables = match written {
        None => return Ok(Vec::new()),
        Some(Value::Array(tables)) => tables,
        Some(_) => return Err(Error::config("`test` must be a list of tables").hint("write each as [[test]]")),
    };
    let read = |(number, table): (usize, &Value)| {
        let test: Result<TestConfig> = typed(table).and_then(TestConfig::checked);
        test.map_err(|error| error.context(format!("test {}", number + 1)))
    };
    tables.iter().enumerate().map(read).collect()
}

/// Fills in `~` and `${NAME}` in every text of a source.
fn expand(value: &mut Value) -> Result<()> {
    match value {
        Value::String(text) => *text = crate::environment::expand(text)?,
        Value::Array(values) => values.iter_mut().try_for_each(expand)?,
        Value::Table(table) => table.iter_mut().try_for_each(|(_, value)| expand(value))?,
        _ => {}
    }
    Ok(())
}

/// Applies `stage.key=value`; the value is TOML, or else text.
fn apply(table: &mut Table, change: &str) -> Result<()> {
    let malformed =
        || Error::config(format!("`--set {change}` is not stage.key=value")).hint("--set near.threshold=0.8");
    let (path, text) = change.split_once('=').ok_or_else(malformed)?;
    let wrapped = format!("value = {text}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"));
    let value = wrapped.unwrap_or_else(|| Value::String(text.to_owned()));
    let mut keys: Vec<&str> = path.trim().split('.').collect();
    let last = keys.pop().filter(|key| !key.is_empty()).ok_or_else(malformed)?;
    let mut at = table;
    for key in keys {
        let entry = at.entry(key).or_insert_with(|| Value::Table(Table::new()));
        if entry == &Value::Boolean(true) {
            *entry = Value::Table(Table::new());
        }
        at = entry.as_table_mut().ok_or_else(malformed)?;
    }
    at.insert(last.to_owned(), value);
    Ok(())
}
