//! The Map that runs a set's rules of one phase over a batch: in order, first drop wins.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

use stackmill_schemas::file::Place;
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{
    Because, Error, FileBatch, FileColumns, FileRow, Outcome, Reason, Result, TaskContext, Verdict, columns,
};

use crate::facts::Facts;
use crate::rule::{Needs, Running};
use crate::set::Explain;
use crate::syntax::{FactSet, SyntaxColumns};

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

    /// The facts of a parse that its rules read.
    pub fn facts(&self) -> FactSet {
        FactSet::of_columns(
            self.rules
                .iter()
                .flat_map(|rule| rule.columns.iter().map(String::as_str)),
        )
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
                Needs::Content | Needs::Syntax => &[columns::CONTENT],
            };
            let needed = phase.iter().copied().chain(rule.columns.iter().map(String::as_str));
            if let Some(name) = needed.into_iter().find(|name| input.field_with_name(name).is_err()) {
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
    match input.field_with_name(columns::CONTENT).map(Field::data_type) {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use arrow_array::UInt64Array;

    use super::*;
    use crate::set::RuleSet;
    use crate::syntax;
    use crate::{RULES, Sample};

    fn stage(config: serde_json::Value, needs: Needs) -> FilterStage {
        let config = serde_json::from_value(config).expect("a table");
        let set = RuleSet::new(&config).expect("valid rules");
        set.stage(needs).expect("rules of this phase")
    }

    fn run(mut stage: FilterStage, sample: &Sample<'_>) -> FileBatch {
        stage.map(sample.batch().expect("a batch")).expect("no bug")
    }

    #[test]
    fn the_first_rule_in_table_order_decides() {
        let text = "x".repeat(2000);
        let rules = json!({ "line-mean": true, "encoded-data": true, "line-max": true });
        let batch = run(stage(rules, Needs::Content), &Sample::text(&text));
        let [decision] = batch.decisions() else {
            panic!("{:?}", batch.decisions())
        };
        assert_eq!((decision.stage.as_str(), decision.rule.as_str()), ("rules", "line-max"));
        assert_eq!(decision.reason, Reason::measured(2000u64, 1000u64));
        assert!(!batch.is_kept(0));
    }

    #[test]
    fn explain_all_names_the_others() {
        let text = "x".repeat(2000);
        let rules = json!({ "line-mean": true, "encoded-data": true, "line-max": true, "explain": "all" });
        let batch = run(stage(rules, Needs::Content), &Sample::text(&text));
        let because = batch.decisions()[0].because_text();
        assert_eq!(
            because.as_deref(),
            Some("also line-mean (2000, limit 100), encoded-data (2000, limit 1024)")
        );
        let rules = json!({ "vendored": true, "extension": true, "explain": "all" });
        let sample = Sample {
            is_vendor: true,
            ..Sample::path("vendor/a.min.js")
        };
        let batch = run(stage(rules, Needs::Listing), &sample);
        assert_eq!(
            batch.decisions()[0].because_text().as_deref(),
            Some("min.js; also vendored")
        );
    }

    #[test]
    fn masked_rows_are_left_alone_and_columns_stay() {
        let mut batch = Sample::text("").batch().expect("a batch");
        let place = Place {
            stage: "exact",
            rule: "exact-duplicate",
        };
        batch.decide(0, Outcome::Dropped, place, Reason::default());
        let before = batch.record().clone();
        let after = stage(json!({ "minimum-size": true }), Needs::Listing)
            .map(batch)
            .expect("no bug");
        assert_eq!(
            (after.decisions().len(), after.decisions()[0].stage.as_str()),
            (1, "exact")
        );
        assert_eq!(after.record(), &before);
    }

    #[test]
    fn columns_that_a_rule_needs_are_asked_for_before_the_first_byte() {
        let whole = Sample::text("").batch().expect("a batch").record().schema();
        let without = |name: &str| {
            Schema::new(
                whole
                    .fields()
                    .iter()
                    .filter(|field| field.name() != name)
                    .cloned()
                    .collect::<Vec<_>>(),
            )
        };
        let content = stage(json!({ "license": true }), Needs::Content);
        assert!(content.schema(&whole).is_ok());
        for name in ["license_type", "content"] {
            let error = content.schema(&without(name)).expect_err("refused").to_string();
            assert!(error.contains(name) && error.contains("license"), "{error}");
        }
        let syntax = stage(json!({ "parse-error-share": true }), Needs::Syntax);
        assert!(
            syntax
                .schema(&whole)
                .expect_err("not parsed")
                .to_string()
                .contains(syntax::ERROR_BYTES)
        );
    }

    #[test]
    fn undecoded_content_is_refused() {
        let raw = Schema::new(vec![Field::new(columns::CONTENT, DataType::Binary, true)]);
        let error = stage(json!({ "line-count": true }), Needs::Content)
            .schema(&raw)
            .expect_err("refused");
        assert!(error.to_string().contains("decoded"), "{error}");
    }

    #[test]
    fn syntax_rules_read_the_columns_of_parse() {
        let text = "def f(): pass\n".repeat(20);
        let batch = Sample::text(&text).batch().expect("a batch");
        let column = |value| Arc::new(UInt64Array::from(vec![value])) as arrow_array::ArrayRef;
        let with = |nodes: Option<u64>| {
            let columns = [
                (syntax::ERROR_BYTES, nodes.map(|_| 29)),
                (syntax::NODES, nodes),
                (syntax::DEFINITIONS, nodes.map(|_| 4)),
            ];
            columns.into_iter().try_fold(batch.clone(), |batch, (name, value)| {
                batch.with_column(Field::new(name, DataType::UInt64, true), column(value))
            })
        };
        let rules = json!({ "parse-error-share": true, "definitions-per-line": true });
        let mut stage = stage(rules, Needs::Syntax);
        let mut run = |nodes| stage.map(with(nodes).expect("new columns")).expect("no bug");
        assert_eq!(run(Some(200)).decisions()[0].rule, "parse-error-share");
        assert!(run(None).decisions().is_empty());
    }

    #[test]
    fn a_rule_from_outside_runs_after_its_phase() {
        let set = RuleSet::default().with(Late::default()).expect("a free name");
        let stage = set.stage(Needs::Content).expect("one rule");
        assert_eq!(stage.names().collect::<Vec<_>>(), ["late"]);
        assert_eq!(run(stage, &Sample::text("a")).decisions()[0].outcome, Outcome::Failed);
        assert!(set.stage(Needs::Listing).is_none());
    }

    #[derive(Default, serde::Serialize, serde::Deserialize)]
    struct Late {}

    impl crate::Rule for Late {
        const NAME: &'static str = "late";
        const SUMMARY: &'static str = "fails every file";
        const NEEDS: Needs = Needs::Content;
        type Check = Self;

        fn build(self) -> Result<Self> {
            Ok(self)
        }
    }

    impl crate::Check for Late {
        fn check(&self, _file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
            Verdict::Failed(Reason::trouble("always"))
        }
    }

    #[test]
    fn every_preset_builds() {
        for preset in crate::presets::PRESETS {
            for compat in [false, true] {
                let config = json!({ "preset": preset.name, "compat": compat });
                let set = RuleSet::new(&serde_json::from_value(config).expect("a table")).expect("valid preset");
                let names: Vec<&str> = set.names().collect();
                let settings = preset.rules(compat);
                let mut wanted: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
                wanted.retain(|name| settings.contains_key(*name));
                assert_eq!((names.len(), names), (settings.len(), wanted), "{}", preset.name);
            }
            assert_eq!(
                preset.rules(true) == preset.rules(false),
                preset.quirks.is_empty(),
                "{}",
                preset.name
            );
        }
    }
}
