//! The Map `parse`: sends rows to the isolated worker and turns its answers into columns and decisions.

use std::sync::Arc;

use arrow_array::{ArrayRef, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use stackmill_schemas::context::{Answer, Isolate};
use stackmill_schemas::file::Place;
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::syntax::{Parsed, SyntaxFacts};
use stackmill_schemas::{Error, FileBatch, FileColumns, Outcome, Reason, Result, TaskContext, columns};

use super::wire::{self, Job};
use super::{DEFINITIONS, ERROR_BYTES, NODES, grammars};

/// Name of the stage in recipes and in the ledger.
const STAGE: &str = "parse";
/// A request is sent once its texts reach so many bytes: the pipe's cost is then small beside the parse.
const REQUEST_BYTES: usize = 128 << 10;
/// Most bytes of a file that a recipe may ask to parse: offsets inside tree-sitter are 32 bits.
const LARGEST: u64 = 1 << 30;

/// Settings of the stage `parse`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ParseConfig {
    /// Longest text that is parsed, in bytes of UTF-8; longer files go on with no syntax columns.
    pub max_bytes: u64,
    /// Steps (100 parse operations each) that any file may take.
    pub steps: u64,
    /// Further steps for each KiB of text: ordinary files need up to 24. A file that needs more fails as `parse-budget`.
    pub steps_per_kib: u64,
    /// Steps that any file may take inside syntax errors. A step there costs more the more was skipped before it, so
    /// that a broken file of 1 MiB could take half a minute; 500 steps are some 80 KiB of text without sense.
    pub error_steps: u64,
}

impl Default for ParseConfig {
    fn default() -> Self {
        Self {
            max_bytes: 1 << 20,
            steps: 1000,
            steps_per_kib: 100,
            error_steps: 500,
        }
    }
}

/// Adds the columns [`ERROR_BYTES`], [`NODES`] and [`DEFINITIONS`]: null where the language has no grammar or the file
/// is too long.
#[derive(Clone, Debug)]
pub struct Parse {
    config: ParseConfig,
}

impl Parse {
    /// Refuses limits that make no sense.
    pub fn new(config: ParseConfig) -> Result<Self> {
        if config.max_bytes > LARGEST {
            return Err(Error::config(format!("`max-bytes` is {}", config.max_bytes))
                .hint(format!("the parser can handle at most {LARGEST} bytes")));
        }
        if config.steps == 0 {
            return Err(Error::config("`steps` is 0, which would fail every file").hint("give a number above 0"));
        }
        Ok(Self { config })
    }

    /// Languages that are parsed, by Linguist's names.
    pub fn languages() -> impl Iterator<Item = &'static str> {
        grammars::GRAMMARS.iter().map(|grammar| grammar.language)
    }
}

fn fields() -> [Field; 3] {
    [ERROR_BYTES, NODES, DEFINITIONS].map(|name| Field::new(name, DataType::UInt64, true))
}

impl Map for Parse {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        crate::stage::text_content(input)?;
        if input.field_with_name(columns::LANGUAGE).is_err() {
            return Err(Error::schema("stage `parse` needs column `language`"));
        }
        if let Some(there) = fields()
            .iter()
            .find(|field| input.field_with_name(field.name()).is_ok())
        {
            return Err(Error::schema(format!(
                "column `{}` is there already: parse once",
                there.name()
            )));
        }
        let fields = input.fields().iter().cloned().chain(fields().into_iter().map(Arc::new));
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }

    fn open(&self, cx: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(ParseTask {
            config: self.config.clone(),
            isolate: Arc::clone(&cx.isolate),
        }))
    }
}

struct ParseTask {
    config: ParseConfig,
    isolate: Arc<dyn Isolate>,
}

impl MapTask for ParseTask {
    fn map(&mut self, mut batch: FileBatch) -> Result<FileBatch> {
        let record = batch.record().clone();
        let columns = FileColumns::new(&record)?;
        let (mut rows, mut jobs) = (Vec::new(), Vec::new());
        for i in batch.kept_rows() {
            let file = columns.row(i);
            if let Some(job) = self.job(file.language(), file.text()) {
                rows.push(i);
                jobs.push(job);
            }
        }
        let mut told: Vec<Option<SyntaxFacts>> = vec![None; record.num_rows()];
        for (i, parsed) in rows.into_iter().zip(self.parse(&jobs)?) {
            match parsed {
                Parsed::Facts(facts) => told[i] = Some(facts),
                Parsed::NoGrammar => {}
                Parsed::OverBudget(steps, limit) => {
                    let reason = Reason::measured(steps, limit);
                    batch.decide(
                        i,
                        Outcome::Failed,
                        Place {
                            stage: STAGE,
                            rule: "parse-budget",
                        },
                        reason,
                    );
                }
                Parsed::Crashed(words) => {
                    let reason = Reason::trouble(words);
                    batch.decide(
                        i,
                        Outcome::Failed,
                        Place {
                            stage: STAGE,
                            rule: "parser-crash",
                        },
                        reason,
                    );
                }
            }
        }
        with_columns(batch, &told)
    }
}

fn with_columns(batch: FileBatch, told: &[Option<SyntaxFacts>]) -> Result<FileBatch> {
    let column = |get: fn(&SyntaxFacts) -> u64| {
        Arc::new(
            told.iter()
                .map(|facts| facts.as_ref().map(get))
                .collect::<UInt64Array>(),
        ) as ArrayRef
    };
    let arrays = [
        column(|facts| facts.error_bytes),
        column(|facts| facts.nodes),
        column(|facts| facts.definitions),
    ];
    fields()
        .into_iter()
        .zip(arrays)
        .try_fold(batch, |batch, (field, array)| batch.with_column(field, array))
}

impl ParseTask {
    fn job<'a>(&self, language: Option<&str>, text: &'a str) -> Option<Job<'a>> {
        let grammar = grammars::find(language)?;
        let length = text.len() as u64;
        let steps = self
            .config
            .steps
            .saturating_add(self.config.steps_per_kib.saturating_mul(length.div_ceil(1024)));
        (length <= self.config.max_bytes).then_some(Job {
            grammar,
            steps,
            error_steps: self.config.error_steps,
            text: text.as_bytes(),
        })
    }

    /// What became of each job, in order.
    fn parse(&self, jobs: &[Job<'_>]) -> Result<Vec<Parsed>> {
        let mut parsed = Vec::with_capacity(jobs.len());
        let mut rest = jobs;
        while !rest.is_empty() {
            let (request, after) = rest.split_at(request_length(rest));
            parsed.extend(self.send(request)?);
            rest = after;
        }
        Ok(parsed)
    }

    /// Sends `jobs` as one request; should the worker die over several, each alone.
    fn send(&self, jobs: &[Job<'_>]) -> Result<Vec<Parsed>> {
        match self.isolate.call(&wire::request(jobs))? {
            Answer::Done(response) => {
                let answers = wire::answers(&response)?;
                match answers.len() == jobs.len() {
                    true => Ok(answers),
                    false => Err(Error::bug(format!(
                        "parse worker sent {} answers to {} files",
                        answers.len(),
                        jobs.len()
                    ))),
                }
            }
            Answer::Crashed(words) if jobs.len() == 1 => Ok(vec![Parsed::Crashed(words)]),
            Answer::Crashed(_) => {
                let alone: Vec<Vec<Parsed>> = jobs.chunks(1).map(|job| self.send(job)).collect::<Result<_>>()?;
                Ok(alone.concat())
            }
        }
    }
}

/// How many jobs of `jobs` go into one request: at least one, no more once the texts reach [`REQUEST_BYTES`].
fn request_length(jobs: &[Job<'_>]) -> usize {
    let mut bytes = 0;
    let full = jobs.iter().position(|job| {
        bytes += job.text.len();
        bytes >= REQUEST_BYTES
    });
    full.map_or(jobs.len(), |last| last + 1)
}

#[cfg(test)]
mod tests;
