//! Benchmark decontamination: items of benchmarks are found in files, as they are or in disguise; the ledger says which.
//!
//! ```text
//!   a benchmark's own file ─► BenchmarkItem ─► build_pack ─► NAME.pack                    once, by hand: hashes leave, no text
//!                                                               │
//!   packs/*.pack (shipped), packs of the user ─► Index ◄────────┘                         once per run
//!                                                  │
//!   content ─► n-grams of five channels ─► filter ─► hits ─► by field: densest window ─► share ≥ limit ─► tier
//! ```
//!
//! - **Words** (`words`) are blind to punctuation, quotes, indentation, comment marks, case and escapes.
//! - **Code** (`code`) is blind to names, comments and layout, **literals** (`literals`) to all but numbers and strings,
//!   and **names** (`code`) are those of what an item declares: they only support the others.
//! - **Bags** (`bags`) are rare words, numbers and strings in any order, `sides` what is enough together.
//! - **A field** (prompt, docstring, solution, tests, examples) is judged in each channel alone: how much of it stands
//!   within a window hardly longer than it is itself. What is too weak alone may be enough together (`judge`).
//! - **Rarity**: an n-gram that several families share counts as a fraction, one that very many share as nothing, and one
//!   that ordinary code has (`common`) as next to nothing.
//! - **Little evidence** needs nearly the whole field, and below a minimum of n-grams none is enough (`tiers`).
//! - **Speed**: bit maps say where words and marks are (`classes`), vectors hash them (`lanes`, `events`, `window`, `kernel`);
//!   fields of which a text has too little to count are left out before anything else is asked of them (`evidence`).
//! - Texts in texts (JSON, notebooks, comments, strings) are read as texts (`views`, `code`).
//! - What has other words, other code and other examples is out of reach: most rewritings by a language model are.

mod bags;
mod build;
mod classes;
mod code;
mod common;
mod control;
mod events;
mod evidence;
mod grams;
mod index;
mod judge;
mod kept;
mod kernel;
mod lanes;
mod literals;
mod markup;
mod matcher;
mod packs;
#[cfg(test)]
mod plain;
mod quoted;
mod sides;
mod tiers;
mod unpack;
mod views;
mod window;
mod words;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::{Arc, OnceLock};

use arrow_array::StringArray;
use arrow_schema::{DataType, Field as Column, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use stackmill_schemas::columns;
use stackmill_schemas::context::TaskContext;
use stackmill_schemas::error::{Error, Result};
use stackmill_schemas::file::{FileBatch, FileColumns, Place};
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::verdict::{Because, Outcome, Reason};

pub use bags::{CLASSES, PLACE_UNITS, units, units_table};
pub use build::build_pack;
pub use common::common_list;
pub use control::build_control;
pub use grams::Channel;
pub use matcher::{Finding, Matcher, Scratch};
pub use packs::{Pack, PackField, PackInfo, PackItem, PackSource, SHIPPED};
pub use tiers::Tier;

/// Shipped packs whose items are ordinary public code: a run has no use for them.
const REPORT_ONLY: [&str; 2] = ["codexglue", "cosqa"];

/// Name of the stage.
const STAGE: &str = "decontaminate";
/// The rule that drops files in which nothing was found, where only findings are wanted.
const NO_FINDING: &str = "no-finding";

/// Which benchmarks to look for, and how much of one is too much.
///
/// Shares were set on planted leaks: at these, 13 of 13,608 ordinary files and 49 of 5,678 of textbook algorithms were taken
/// for one (0021). Limits of the other channels are constants of `judge`.
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
    /// Tiers of findings that drop a file: `verbatim`, `normalised` (other layout, other names), `derivative`
    /// (a part, a translation), `common` (code that everybody writes so), `too_short`. None: findings drop nothing.
    pub remove_tiers: Vec<Tier>,
    /// What becomes of findings beside the ledger's line.
    pub findings: Reported,
}

/// What becomes of findings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reported {
    /// Nothing.
    #[default]
    None,
    /// The corpus has them, in the column `findings`.
    Column,
    /// The same; and files without any are dropped, as `no-finding`: the corpus is what an audit found.
    Only,
}

/// Packs that come with the program, without those that only ever report.
fn removing() -> Vec<String> {
    SHIPPED
        .iter()
        .filter(|name| !REPORT_ONLY.contains(name))
        .map(ToString::to_string)
        .collect()
}

impl Default for DecontaminateConfig {
    fn default() -> Self {
        Self {
            benchmarks: removing(),
            packs: Vec::new(),
            prompt_share: 0.3,
            solution_share: 0.45,
            tests_share: 0.3,
            short_share: 0.75,
            short_ngrams: 8,
            minimum_prompt_ngrams: 3,
            minimum_code_ngrams: 5,
            remove_tiers: Tier::COPIES.to_vec(),
            findings: Reported::None,
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
    packs: Vec<Pack>,
    config: DecontaminateConfig,
    /// Built when it is first needed: many packs take a second, and most commands only look at the settings.
    matcher: OnceLock<Arc<Matcher>>,
}

impl Decontaminate {
    /// `user_packs`: the packs that `config.packs` names, in its order.
    ///
    /// # Errors
    /// Kind config, naming the key.
    pub fn new(config: &DecontaminateConfig, user_packs: Vec<Pack>) -> Result<Self> {
        config.check()?;
        Ok(Self {
            packs: config.collect(user_packs)?,
            config: config.clone(),
            matcher: OnceLock::new(),
        })
    }

    /// What finds items in a text, for uses that drop nothing.
    pub fn matcher(&self) -> &Arc<Matcher> {
        self.matcher
            .get_or_init(|| Arc::new(Matcher::new(&self.packs, &self.config)))
    }
}

impl Map for Decontaminate {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        match input.field_with_name(columns::CONTENT).map(Column::data_type) {
            Ok(DataType::Utf8) if self.config.findings == Reported::None => Ok(Arc::new(input.clone())),
            Ok(DataType::Utf8) => {
                let added = [Arc::new(findings_field())];
                let fields = input.fields().iter().cloned().chain(added);
                Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
            }
            Ok(other) => Err(Error::schema(format!(
                "column `{}` has type {other}, not text",
                columns::CONTENT
            ))),
            Err(_) => Err(Error::schema(format!("column `{}` is missing", columns::CONTENT))),
        }
    }

    fn open(&self, _cx: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(Task {
            matcher: Arc::clone(self.matcher()),
            remove_tiers: self.config.remove_tiers.clone(),
            reported: self.config.findings,
            scratch: Scratch::default(),
        }))
    }
}

/// The stage inside one task.
struct Task {
    matcher: Arc<Matcher>,
    remove_tiers: Vec<Tier>,
    scratch: Scratch,
    reported: Reported,
}

impl Task {
    fn removes(&self, finding: &Finding) -> bool {
        !finding.report_only && self.remove_tiers.contains(&finding.tier)
    }
}

impl MapTask for Task {
    fn map(&mut self, mut batch: FileBatch) -> Result<FileBatch> {
        let record = batch.record().clone();
        let files = FileColumns::new(&record)?;
        let mut column = vec![None; batch.num_rows()];
        for i in batch.kept_rows().collect::<Vec<_>>() {
            let findings = self.matcher.findings(files.row(i).text(), &mut self.scratch);
            if self.reported == Reported::Only && findings.is_empty() {
                let place = Place {
                    stage: STAGE,
                    rule: NO_FINDING,
                };
                batch.decide(i, Outcome::Dropped, place, Reason::default());
            }
            if self.reported != Reported::None && !findings.is_empty() {
                column[i] = Some(as_json(&findings)?);
            }
            if let Some(strongest) = findings.iter().find(|finding| self.removes(finding)) {
                let place = Place {
                    stage: STAGE,
                    rule: &strongest.benchmark,
                };
                batch.decide(i, Outcome::Dropped, place, reason(strongest));
            }
        }
        match self.reported {
            Reported::None => Ok(batch),
            _ => batch.with_column(findings_field(), Arc::new(StringArray::from(column))),
        }
    }
}

fn findings_field() -> Column {
    Column::new(columns::FINDINGS, DataType::Utf8, true)
}

fn as_json(findings: &[Finding]) -> Result<String> {
    let found = findings.iter().map(Finding::told).collect::<Vec<_>>();
    serde_json::to_string(&found).map_err(|error| Error::bug(error.to_string()))
}

fn reason(finding: &Finding) -> Reason {
    Reason {
        because: Some(Because::Benchmark(finding.to_string())),
        ..Reason::measured(finding.score, finding.limit)
    }
}

#[cfg(test)]
mod tests;
