//! The Map `parse`: sends rows to the isolated worker and turns its answers into columns and decisions.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use stackmill_schemas::context::{Answer, Isolate};
use stackmill_schemas::file::Place;
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::syntax::{Parsed, SyntaxFacts};
use stackmill_schemas::{Error, FileBatch, FileColumns, FileRow, Outcome, Reason, Result, TaskContext, columns};

use super::wire::{self, Job};
use super::{Fact, FactSet, grammars};

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
    /// Facts that the corpus gets columns of, beside those that rules read; those with places in the text cannot be had
    /// together with `[redact]`, which moves the text.
    pub columns: Vec<Fact>,
}

impl Default for ParseConfig {
    fn default() -> Self {
        Self {
            max_bytes: 1 << 20,
            steps: 1000,
            steps_per_kib: 100,
            error_steps: 500,
            columns: Vec::new(),
        }
    }
}

/// Adds a column for each fact that is wanted: null where the language has no grammar or knows no such thing, and where
/// the file is too long.
#[derive(Clone, Debug)]
pub struct Parse {
    config: ParseConfig,
    wanted: FactSet,
}

impl Parse {
    /// Tells the facts that are `read` (by rules), and those that `config` wants published. Refuses limits that make no
    /// sense.
    pub fn new(config: ParseConfig, read: FactSet) -> Result<Self> {
        if config.max_bytes > LARGEST {
            return Err(Error::config(format!("`max-bytes` is {}", config.max_bytes))
                .hint(format!("the parser can handle at most {LARGEST} bytes")));
        }
        if config.steps == 0 {
            return Err(Error::config("`steps` is 0, which would fail every file").hint("give a number above 0"));
        }
        let wanted = read.union(config.columns.iter().copied().collect());
        Ok(Self { config, wanted })
    }

    /// Languages that are parsed, by Linguist's names, dialects included.
    pub fn languages() -> impl Iterator<Item = &'static str> {
        grammars::grammars().flat_map(|grammar| [grammar.language].into_iter().chain(grammar.dialects.iter().copied()))
    }
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
        let mut columns = self.wanted.iter().map(Fact::column);
        if let Some(there) = columns.find(|name| input.field_with_name(name).is_ok()) {
            return Err(Error::schema(format!("column `{there}` is there already: parse once")));
        }
        let added = self.wanted.iter().map(|fact| Arc::new(fact.field()));
        let fields = input.fields().iter().cloned().chain(added);
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }

    fn open(&self, cx: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(ParseTask {
            config: self.config.clone(),
            wanted: self.wanted,
            isolate: Arc::clone(&cx.isolate),
        }))
    }
}

struct ParseTask {
    config: ParseConfig,
    wanted: FactSet,
    isolate: Arc<dyn Isolate>,
}

impl MapTask for ParseTask {
    fn map(&mut self, mut batch: FileBatch) -> Result<FileBatch> {
        let record = batch.record().clone();
        let columns = FileColumns::new(&record)?;
        let (mut rows, mut jobs) = (Vec::new(), Vec::new());
        for i in batch.kept_rows() {
            let file = columns.row(i);
            if let Some(job) = self.job(file) {
                rows.push(i);
                jobs.push(job);
            }
        }
        let mut told: Vec<Option<SyntaxFacts>> = vec![None; record.num_rows()];
        for (i, parsed) in rows.into_iter().zip(self.parse(&jobs)?) {
            match parsed {
                Parsed::Facts(facts) => told[i] = Some(*facts),
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
        self.wanted
            .iter()
            .try_fold(batch, |batch, fact| batch.with_column(fact.field(), fact.array(&told)))
    }
}

impl ParseTask {
    fn job<'a>(&self, file: FileRow<'a>) -> Option<Job<'a>> {
        let grammar = grammars::find(file.language(), file.path())?;
        let text = file.text();
        let length = text.len() as u64;
        let steps = self
            .config
            .steps
            .saturating_add(self.config.steps_per_kib.saturating_mul(length.div_ceil(1024)));
        (length <= self.config.max_bytes).then_some(Job {
            grammar,
            wanted: self.wanted,
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
