//! An earlier release whose index is read: where it is, and whether it was made in the same way.

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use stackmill_schemas::context::Batches;
use stackmill_schemas::ids::hex;
use stackmill_schemas::manifest::{FileEntry, Manifest};
use stackmill_schemas::{Error, Result, ResultExt as _};

use crate::output::Output;
use crate::passes::index::TABLE;
use crate::publish::{MANIFEST, RUN, RunFile};
use crate::recipe::Recipe;
use crate::stages::Stages;

/// Rows of an index that one task holds, about.
const PARTITION_ROWS: u64 = 1 << 16;
/// Tables of a recipe that decide what the content and the syntax pass find out about a file.
const DECIDING: [&str; 10] = [
    "decode",
    "notebooks",
    "language",
    "license",
    "headers",
    "rules",
    "near",
    "parse",
    "redact",
    "decontaminate",
];
/// Settings of `near` that change nothing about one file or one pair.
const FREE: [&str; 4] = ["previous", "index", "edges-at-once", "keep"];

/// A release with an index.
#[derive(Clone, Debug)]
pub struct Previous {
    place: Output,
    manifest: Manifest,
    parts: Vec<FileEntry>,
    /// SHA-256 of its manifest.
    pub hash: String,
}

impl Previous {
    /// The release that `[near] previous` names, if one is.
    pub fn of(recipe: &Recipe) -> Result<Option<Self>> {
        let Some(name) = recipe.near.as_ref().and_then(|near| near.previous.as_ref()) else {
            return Ok(None);
        };
        let uri = recipe.base.resolve(&crate::environment::expand(name)?)?;
        let place = Output::new(uri, recipe.stores.clone());
        Self::at(place)
            .with_context(|| format!("stage `near`: previous = \"{name}\""))
            .map(Some)
    }

    fn at(place: Output) -> Result<Self> {
        let bytes = place.read(MANIFEST)?.ok_or_else(|| {
            Error::input("no finished release is there").hint("name the folder or address that holds its manifest.json")
        })?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| Error::input(format!("{MANIFEST} is not what stackmill wrote: {error}")))?;
        let parts = manifest
            .files
            .iter()
            .filter(|file| file.path.starts_with(&format!("{TABLE}/")));
        let parts: Vec<FileEntry> = parts.cloned().collect();
        let near = &manifest.config["near"];
        if near["index"] != Value::Bool(true) && near["previous"].is_null() {
            return Err(Error::input("that release has no index").hint("make it with `index = true` under [near]"));
        }
        let hash = hex(&Sha256::digest(&bytes));
        Ok(Self {
            place,
            manifest,
            parts,
            hash,
        })
    }

    /// Refuses a release that was made by other settings, or another version of the program.
    pub fn check(&self, config: &Value, free: &[String]) -> Result<()> {
        let run: Option<RunFile> = self.place.load(RUN)?;
        let version = run.map(|run| run.version);
        if version.as_deref() != Some(env!("CARGO_PKG_VERSION")) {
            let message = "the previous release was made by another version of the program";
            return Err(Error::input(message).hint("leave `previous` out: a clean run reads all files"));
        }
        let there = &self.manifest.config;
        let differs = DECIDING
            .iter()
            .find(|name| deciding(&there[**name], name) != deciding(&config[**name], name));
        let artefact = || differing_artefact(&there["artefacts"], &config["artefacts"], free);
        match differs.map(|name| (*name).to_owned()).or_else(artefact) {
            None => Ok(()),
            Some(name) => Err(
                Error::config(format!("the previous release was made with another `{name}`"))
                    .hint("use the settings in its manifest.json, or leave `previous` out"),
            ),
        }
    }

    /// Parts of its index.
    pub fn parts(&self) -> u32 {
        self.parts.len() as u32
    }

    /// Partitions in which its rows meet files.
    pub fn partitions(&self) -> u32 {
        let rows: u64 = self.parts.iter().filter_map(|part| part.rows).sum();
        u32::try_from(rows.div_ceil(PARTITION_ROWS).max(1)).unwrap_or(u32::MAX)
    }

    /// The rows of one part.
    pub fn rows(&self, part: u32) -> Result<Batches<'static>> {
        let file = self.parts.get(part as usize);
        let file = file.ok_or_else(|| Error::bug("the previous release has no such part"))?;
        let (uri, stores) = (self.place.uri().join(&file.path), self.place.stores());
        let object = stores.head(&uri)?;
        if object.length != file.length_bytes {
            return Err(Error::input("not as its manifest says").context(uri.to_string()));
        }
        let damaged = move |error: parquet::errors::ParquetError| {
            Error::input(format!("not an index: {error}")).context(uri.to_string())
        };
        let reader = ParquetRecordBatchReaderBuilder::try_new(stores.chunks(&object)?)
            .and_then(ParquetRecordBatchReaderBuilder::build)
            .map_err(damaged)?;
        Ok(Box::new(reader.map(|batch| batch.map_err(Error::from))))
    }
}

/// Refuses stages that an index says nothing of, and a release of another recipe.
pub fn check(stages: &Stages, recipe: &Recipe) -> Result<()> {
    if !stages.has_index() {
        return Ok(());
    }
    let is_read = stages.previous.is_some();
    let without = [
        ("structural", stages.structural.is_some()),
        ("blocks", stages.blocks.is_some()),
        ("tokenize", is_read && stages.pack.is_some()),
    ];
    let word = if is_read { "previous" } else { "index" };
    if let Some((stage, _)) = without.iter().find(|(_, is_on)| *is_on) {
        let message = format!("stage `near`: `{word}` does not go with [{stage}], which needs contents of old files");
        return Err(Error::config(message).hint(format!(
            "leave out one of the two; [{stage}] can run over the corpus afterwards"
        )));
    }
    if stages.exact.is_none() {
        let message = format!("stage `near`: `{word}` needs exact duplicates removed first");
        return Err(Error::config(message).hint("take `exact = false` out"));
    }
    let Some(previous) = &stages.previous else {
        return Ok(());
    };
    let opt_outs = recipe.opt_out.as_ref().map(|config| config.lists()).transpose()?;
    let metadata = recipe.metadata.as_ref().map(|config| config.tables()).transpose()?;
    let free: Vec<String> = opt_outs.into_iter().chain(metadata).flatten().cloned().collect();
    previous.check(&stages.config(recipe)?, &free).context("stage `near`")
}

/// The settings of a table that decide.
fn deciding(table: &Value, name: &str) -> Value {
    let mut table = table.clone();
    if let (Value::Object(settings), "near") = (&mut table, name) {
        settings.retain(|key, _| !FREE.contains(&key.as_str()));
    }
    table
}

/// A file that both recipes name and that has changed, `free` ones left out.
fn differing_artefact(there: &Value, now: &Value, free: &[String]) -> Option<String> {
    let (Value::Object(there), Value::Object(now)) = (there, now) else {
        return None;
    };
    let mut named = now.iter().filter(|(name, _)| !free.contains(name));
    named
        .find(|(name, hash)| there.get(*name).is_some_and(|other| other != *hash))
        .map(|(name, _)| name.clone())
}
