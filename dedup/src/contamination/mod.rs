//! Benchmark decontamination: files that hold an item of a benchmark are dropped, and the ledger says which item.
//!
//! ```text
//!   a benchmark's own file ─► BenchmarkItem ─► build_pack ─► NAME.pack                    once, by hand: hashes leave, no text
//!                                                               │
//!   packs/*.pack (shipped), packs of the user ─► Index ◄────────┘                         once per run
//!                                                  │
//!   content ─► words, escapes taken out ─► 6-grams ─► filter ─► hits ─► by field: densest window ─► share ≥ limit?
//! ```
//!
//! - **Words** are blind to punctuation, quotes, indentation, comment marks, case and escapes (`words`).
//! - **A field** (prompt, solution, tests) is judged alone: how much of it stands within a window hardly longer than it
//!   is itself. An n-gram that several items share counts as a fraction; one that very many share, as nothing.
//! - **Little evidence** needs nearly the whole field, and below a minimum of n-grams none is enough: a field shorter
//!   than 8 words (prompt) or 10 words (solution, tests) is never found alone.
//! - Renamed identifiers and other programming languages are out of reach of words.

mod index;
mod matcher;
mod packs;
mod words;

use std::sync::Arc;

use arrow_schema::{DataType, Field as Column, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use stackmill_schemas::columns;
use stackmill_schemas::context::TaskContext;
use stackmill_schemas::error::{Error, Result};
use stackmill_schemas::file::{FileBatch, FileColumns, Place};
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::verdict::{Because, Outcome, Reason};

pub use matcher::{Finding, Matcher, Scratch};
pub use packs::{Pack, PackField, PackInfo, PackItem, PackSource, SHIPPED, build_pack};

/// Name of the stage.
const STAGE: &str = "decontaminate";

/// Which benchmarks to look for, and how much of one is too much.
///
/// Shares were set on planted leaks: at these, none of 63,000 ordinary files was taken for one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DecontaminateConfig {
    /// Names of packs that come with the program.
    pub benchmarks: Vec<String>,
    /// Files of further packs, built by `stackmill benchmarks build`; relative to the recipe.
    pub packs: Vec<String>,
    /// Share of a prompt's n-grams (0 to 1) from which a file is dropped: prose is not written twice by chance.
    pub prompt_share: f64,
    /// Share of a solution's n-grams (0 to 1) from which a file is dropped: textbook code agrees up to 0.42.
    pub solution_share: f64,
    /// Share of the tests' n-grams (0 to 1) from which a file is dropped; a test that calls a function by one name
    /// only reaches about half, because packs know two.
    pub tests_share: f64,
    /// Share that is needed instead where fewer than `short-ngrams` n-grams are found: little evidence must be whole.
    pub short_share: f64,
    /// Number of n-grams below which evidence is little. 8 of them, one after the other, are 13 words.
    pub short_ngrams: usize,
    /// Fewest n-grams of a prompt that may drop a file. 3 of them, one after the other, are 8 words.
    pub minimum_prompt_ngrams: usize,
    /// Fewest n-grams of a solution or of tests: short code is written alike by everybody.
    pub minimum_code_ngrams: usize,
}

impl Default for DecontaminateConfig {
    fn default() -> Self {
        Self {
            benchmarks: SHIPPED.iter().map(ToString::to_string).collect(),
            packs: Vec::new(),
            prompt_share: 0.25,
            solution_share: 0.45,
            tests_share: 0.3,
            short_share: 0.75,
            short_ngrams: 8,
            minimum_prompt_ngrams: 3,
            minimum_code_ngrams: 5,
        }
    }
}

impl DecontaminateConfig {
    /// Refuses settings that make no sense.
    fn check(&self) -> Result<()> {
        for (key, share) in [
            ("prompt-share", self.prompt_share),
            ("solution-share", self.solution_share),
            ("tests-share", self.tests_share),
            ("short-share", self.short_share),
        ] {
            if !(share > 0.0 && share <= 1.0) {
                return Err(Error::config(format!("`{key}` is {share}")).hint("a share lies above 0 and up to 1"));
            }
        }
        for (key, ngrams) in [
            ("minimum-prompt-ngrams", self.minimum_prompt_ngrams),
            ("minimum-code-ngrams", self.minimum_code_ngrams),
        ] {
            if ngrams == 0 {
                return Err(Error::config(format!("`{key}` is 0")).hint("at least one n-gram must be found"));
            }
        }
        if self.benchmarks.is_empty() && self.packs.is_empty() {
            return Err(Error::config("neither `benchmarks` nor `packs` names a benchmark")
                .hint(format!("shipped are {}", SHIPPED.join(", "))));
        }
        Ok(())
    }

    /// The shipped packs that are asked for, then the user's.
    fn collect(&self, user_packs: Vec<Pack>) -> Result<Vec<Pack>> {
        if user_packs.len() != self.packs.len() {
            return Err(Error::bug(format!(
                "{} of {} packs were loaded",
                user_packs.len(),
                self.packs.len()
            )));
        }
        let shipped = |name: &String| {
            Pack::shipped(name).ok_or_else(|| {
                Error::config(format!("`benchmarks`: there is no shipped pack `{name}`"))
                    .hint(format!("shipped are {}; others go to `packs`", SHIPPED.join(", ")))
            })
        };
        let mut packs = self.benchmarks.iter().map(shipped).collect::<Result<Vec<_>>>()?;
        packs.extend(user_packs);
        for (i, pack) in packs.iter().enumerate() {
            if packs[..i].iter().any(|other| other.name() == pack.name()) {
                return Err(Error::config(format!("benchmark `{}` is named twice", pack.name()))
                    .hint("a pack's name is the rule in the ledger: build one of them under another name"));
            }
        }
        Ok(packs)
    }
}

/// Drops files that hold an item of a benchmark.
#[derive(Debug)]
pub struct Decontaminate {
    matcher: Arc<Matcher>,
}

impl Decontaminate {
    /// `user_packs`: the packs that `config.packs` names, in its order.
    ///
    /// # Errors
    /// Kind config, naming the key.
    pub fn new(config: &DecontaminateConfig, user_packs: Vec<Pack>) -> Result<Self> {
        config.check()?;
        let packs = config.collect(user_packs)?;
        let matcher = Arc::new(Matcher::new(&packs, config));
        Ok(Self { matcher })
    }

    /// What finds items in a text, for uses that drop nothing.
    pub fn matcher(&self) -> &Matcher {
        &self.matcher
    }
}

impl Map for Decontaminate {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        match input.field_with_name(columns::CONTENT).map(Column::data_type) {
            Ok(DataType::Utf8) => Ok(Arc::new(input.clone())),
            Ok(other) => Err(Error::schema(format!(
                "column `{}` has type {other}, not text",
                columns::CONTENT
            ))),
            Err(_) => Err(Error::schema(format!("column `{}` is missing", columns::CONTENT))),
        }
    }

    fn open(&self, _cx: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(Task {
            matcher: Arc::clone(&self.matcher),
            scratch: Scratch::default(),
        }))
    }
}

/// The stage inside one task.
struct Task {
    matcher: Arc<Matcher>,
    scratch: Scratch,
}

impl MapTask for Task {
    fn map(&mut self, mut batch: FileBatch) -> Result<FileBatch> {
        let record = batch.record().clone();
        let files = FileColumns::new(&record)?;
        for i in batch.kept_rows().collect::<Vec<_>>() {
            let findings = self.matcher.findings(files.row(i).text(), &mut self.scratch);
            if let Some(strongest) = findings.first() {
                let place = Place {
                    stage: STAGE,
                    rule: &strongest.benchmark,
                };
                batch.decide(i, Outcome::Dropped, place, reason(strongest));
            }
        }
        Ok(batch)
    }
}

fn reason(finding: &Finding) -> Reason {
    Reason {
        because: Some(Because::Benchmark(finding.to_string())),
        ..Reason::measured(finding.score, finding.limit)
    }
}

#[cfg(test)]
mod tests;
