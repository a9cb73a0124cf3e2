//! The Map that runs a set's rules of one phase over a batch: in order, first drop wins.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Schema, SchemaRef};

use stackmill_schemas::file::Place;
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::syntax::SyntaxFacts;
use stackmill_schemas::{
    Because, Error, FileBatch, FileColumns, FileRow, Outcome, Reason, Result, TaskContext, Verdict, columns,
};

use crate::facts::Facts;
use crate::rule::{Needs, Running};
use crate::set::Explain;
use crate::syntax;

/// Name of the stage in recipes and in the ledger.
const STAGE: &str = "rules";

/// Runs the rules of one phase; built by [`RuleSet::stage`](crate::RuleSet::stage).
#[derive(Clone)]
pub struct FilterStage {
    rules: Arc<[Running]>,
    needs: Needs,
    explain: Explain,
}

impl FilterStage {
    pub(crate) fn new(rules: Arc<[Running]>, needs: Needs, explain: Explain) -> Self {
        Self { rules, needs, explain }
    }

    /// The phase it runs in.
    pub fn needs(&self) -> Needs {
        self.needs
    }

    /// Its rules in running order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.rules.iter().map(|rule| rule.name)
    }

    /// Judges one file: the verdict, and the rule that gave it.
    fn judge(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Option<(&'static str, Outcome, Reason)> {
        let mut verdicts = self
            .rules
            .iter()
            .filter_map(|rule| match rule.check.check(file, facts) {
                Verdict::Keep => None,
                Verdict::Drop(reason) => Some((rule.name, Outcome::Dropped, reason)),
                Verdict::Failed(reason) => Some((rule.name, Outcome::Failed, reason)),
            });
        let (rule, outcome, mut reason) = verdicts.next()?;
        if self.explain == Explain::All {
            name_the_others(&mut reason, verdicts.map(|(rule, _, reason)| (rule, reason)));
        }
        Some((rule, outcome, reason))
    }
}

/// Adds `also line-mean (140, limit 100), …` to the reason; a reason that rests on another file keeps that.
fn name_the_others(reason: &mut Reason, others: impl Iterator<Item = (&'static str, Reason)>) {
    let others: Vec<String> = others
        .map(|(rule, reason)| match (&reason.value, &reason.limit) {
            (Some(value), Some(limit)) => format!("{rule} ({value}, limit {limit})"),
            _ => rule.to_owned(),
        })
        .collect();
    if others.is_empty() {
        return;
    }
    let also = format!("also {}", others.join(", "));
    reason.because = match reason.because.take() {
        None => Some(Because::Entry(also)),
        Some(Because::Entry(entry)) => Some(Because::Entry(format!("{entry}; {also}"))),
        kept => kept,
    };
}

impl Map for FilterStage {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        for rule in self.rules.iter() {
            let phase: &[&str] = match self.needs {
                Needs::Listing => &[],
                Needs::Content => &[columns::CONTENT],
                Needs::Syntax => &[
                    columns::CONTENT,
                    syntax::ERROR_BYTES,
                    syntax::NODES,
                    syntax::DEFINITIONS,
                ],
            };
            if let Some(name) = phase
                .iter()
                .chain(rule.columns)
                .find(|name| input.field_with_name(name).is_err())
            {
                return Err(Error::schema(format!(
                    "rule `{}` needs column `{name}`, which is not there in the {} phase",
                    rule.name,
                    self.needs.as_str()
                )));
            }
        }
        if self.needs != Needs::Listing {
            text_content(input)?;
        }
        Ok(Arc::new(input.clone()))
    }

    fn open(&self, _cx: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(self.clone()))
    }
}

/// Refuses content that has not been decoded.
pub(crate) fn text_content(input: &Schema) -> Result<()> {
    match input.field_with_name(columns::CONTENT).map(|field| field.data_type()) {
        Ok(DataType::Utf8) => Ok(()),
        Ok(other) => Err(Error::schema(format!(
            "column `content` is {other}: it must be decoded first"
        ))),
        Err(_) => Err(Error::schema("column `content` is missing")),
    }
}

impl MapTask for FilterStage {
    fn map(&mut self, mut batch: FileBatch) -> Result<FileBatch> {
        let record = batch.record().clone();
        let columns = FileColumns::new(&record)?;
        let parsed = match self.needs {
            Needs::Syntax => Some(SyntaxColumns::new(&record)?),
            Needs::Listing | Needs::Content => None,
        };
        for i in 0..record.num_rows() {
            if !batch.is_kept(i) {
                continue;
            }
            let file = columns.row(i);
            let mut facts = Facts::new(file.text(), parsed.as_ref().and_then(|parsed| parsed.facts(i, file)));
            if let Some((rule, outcome, reason)) = self.judge(file, &mut facts) {
                batch.decide(i, outcome, Place { stage: STAGE, rule }, reason);
            }
        }
        Ok(batch)
    }
}

/// What [`crate::Parse`] left in the batch.
struct SyntaxColumns<'a> {
    error_bytes: &'a UInt64Array,
    nodes: &'a UInt64Array,
    definitions: &'a UInt64Array,
}

impl<'a> SyntaxColumns<'a> {
    fn new(record: &'a RecordBatch) -> Result<Self> {
        Ok(Self {
            error_bytes: columns::u64s(record, syntax::ERROR_BYTES)?,
            nodes: columns::u64s(record, syntax::NODES)?,
            definitions: columns::u64s(record, syntax::DEFINITIONS)?,
        })
    }

    fn facts(&self, i: usize, file: FileRow<'_>) -> Option<SyntaxFacts> {
        self.nodes.is_valid(i).then(|| SyntaxFacts {
            bytes: file.text().len() as u64,
            error_bytes: self.error_bytes.value(i),
            nodes: self.nodes.value(i),
            definitions: self.definitions.value(i),
        })
    }
}
