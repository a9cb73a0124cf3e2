//! What became of a file, and why. A [`Decision`] is one line of the ledger in the making.

use std::fmt;
use std::sync::Arc;

use arrow_array::builder::{StringBuilder, UInt64Builder};
use arrow_array::{Array, Float64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::ids::FileId;

/// What a check says of one file.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Goes on.
    Keep,
    /// Not wanted.
    Drop(Reason),
    /// Could not be judged: trouble with this one file.
    Failed(Reason),
}

/// A measured value or its limit.
#[derive(Clone, Debug, PartialEq)]
pub enum Measure {
    /// A number, printed in its shortest form.
    Number(f64),
    /// Anything else.
    Text(String),
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

macro_rules! measure_from {
    ($($number:ty),*) => {$(
        impl From<$number> for Measure {
            fn from(number: $number) -> Self {
                Self::Number(number as f64)
            }
        }
    )*};
}
measure_from!(f64, u64, u32, usize, i64);

impl From<&str> for Measure {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Measure {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// What else a verdict rests on.
#[derive(Clone, Debug, PartialEq)]
pub enum Because {
    /// Another file: the keeper of the cluster. `similarity` is 1 for exact duplicates, else the true Jaccard index.
    File {
        /// The keeper.
        file_id: FileId,
        /// The keeper's git blob id in hexadecimal digits: the cluster's name.
        cluster: String,
        /// Jaccard index to the keeper, 0 to 1.
        similarity: f64,
    },
    /// A benchmark item, as `benchmark/item field lines a-b`.
    Benchmark(String),
    /// An entry of a list: an extension, a pattern, a phrase.
    Entry(String),
}

/// Why: the measured value, the limit it broke, and what else it rests on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reason {
    /// What was measured.
    pub value: Option<Measure>,
    /// What was allowed.
    pub limit: Option<Measure>,
    /// Another file, a benchmark item, a list entry.
    pub because: Option<Because>,
    /// For failures: what went wrong, in words.
    pub trouble: Option<String>,
}

impl Reason {
    /// A value beyond its limit.
    pub fn measured(value: impl Into<Measure>, limit: impl Into<Measure>) -> Self {
        Self {
            value: Some(value.into()),
            limit: Some(limit.into()),
            ..Self::default()
        }
    }

    /// Something on a list.
    pub fn entry(entry: impl Into<String>) -> Self {
        Self {
            because: Some(Because::Entry(entry.into())),
            ..Self::default()
        }
    }

    /// Trouble with one file.
    pub fn trouble(words: impl Into<String>) -> Self {
        Self {
            trouble: Some(words.into()),
            ..Self::default()
        }
    }

    /// Another file.
    pub fn duplicate_of(file_id: FileId, cluster: impl Into<String>, similarity: f64) -> Self {
        let because = Because::File {
            file_id,
            cluster: cluster.into(),
            similarity,
        };
        Self {
            because: Some(because),
            ..Self::default()
        }
    }
}

/// The three ends of a file; every listed file has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// In the corpus. In a decision: this file is the keeper of a cluster (a note, not a verdict).
    Kept,
    /// Not wanted.
    Dropped,
    /// Could not be judged.
    Failed,
}

impl Outcome {
    /// The word used in every table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Dropped => "dropped",
            Self::Failed => "failed",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        match word {
            "kept" => Ok(Self::Kept),
            "dropped" => Ok(Self::Dropped),
            "failed" => Ok(Self::Failed),
            other => Err(Error::bug(format!("unknown outcome `{other}`"))),
        }
    }
}

/// One file's verdict: which stage and rule, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The file.
    pub file_id: FileId,
    /// What became of it.
    pub outcome: Outcome,
    /// The stage that decided, as in the recipe: `rules`, `exact`, `near`, …
    pub stage: String,
    /// The rule inside the stage: `line-max`, `exact-duplicate`, …
    pub rule: String,
    /// Why.
    pub reason: Reason,
}

impl Decision {
    /// The columns of a table of decisions.
    pub fn schema() -> SchemaRef {
        let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
        Arc::new(Schema::new(vec![
            Field::new("file_id", DataType::UInt64, false),
            text("outcome", false),
            text("stage", false),
            text("rule", false),
            text("value", true),
            text("limit", true),
            text("because_kind", true),
            text("because", true),
            Field::new("because_file_id", DataType::UInt64, true),
            Field::new("similarity", DataType::Float64, true),
            text("trouble", true),
        ]))
    }

    /// Decisions as a table, in the order given.
    pub fn to_record(decisions: &[Self]) -> Result<RecordBatch> {
        let texts = |get: &dyn Fn(&Self) -> Option<String>| {
            let mut builder = StringBuilder::new();
            decisions.iter().for_each(|d| builder.append_option(get(d)));
            Arc::new(builder.finish()) as Arc<dyn Array>
        };
        let mut because_file = UInt64Builder::new();
        decisions
            .iter()
            .for_each(|d| because_file.append_option(d.because_file().map(|(id, _)| id.0)));
        let similarity: Float64Array = decisions.iter().map(|d| d.because_file().map(|(_, s)| s)).collect();
        let columns: Vec<Arc<dyn Array>> = vec![
            Arc::new(UInt64Array::from_iter_values(decisions.iter().map(|d| d.file_id.0))),
            texts(&|d| Some(d.outcome.as_str().to_owned())),
            texts(&|d| Some(d.stage.clone())),
            texts(&|d| Some(d.rule.clone())),
            texts(&|d| d.reason.value.as_ref().map(ToString::to_string)),
            texts(&|d| d.reason.limit.as_ref().map(ToString::to_string)),
            texts(&|d| d.because_parts().map(|(kind, _)| kind.to_owned())),
            texts(&|d| d.because_parts().map(|(_, text)| text)),
            Arc::new(because_file.finish()),
            Arc::new(similarity),
            texts(&|d| d.reason.trouble.clone()),
        ];
        Ok(RecordBatch::try_new(Self::schema(), columns)?)
    }

    /// The inverse of [`Decision::to_record`]; numbers come back as text, which prints the same.
    pub fn from_record(record: &RecordBatch) -> Result<Vec<Self>> {
        let text = |name: &str| crate::columns::strings(record, name);
        let ids = crate::columns::u64s(record, "file_id")?;
        let (outcome, stage, rule) = (text("outcome")?, text("stage")?, text("rule")?);
        let (value, limit, trouble) = (text("value")?, text("limit")?, text("trouble")?);
        let get = |array: &StringArray, i: usize| array.is_valid(i).then(|| array.value(i).to_owned());
        (0..record.num_rows())
            .map(|i| {
                let reason = Reason {
                    value: get(value, i).map(Measure::Text),
                    limit: get(limit, i).map(Measure::Text),
                    because: because_at(record, i)?,
                    trouble: get(trouble, i),
                };
                Ok(Self {
                    file_id: FileId(ids.value(i)),
                    outcome: Outcome::parse(outcome.value(i))?,
                    stage: stage.value(i).to_owned(),
                    rule: rule.value(i).to_owned(),
                    reason,
                })
            })
            .collect()
    }

    /// The other file and the similarity to it, where the reason is one.
    pub fn because_file(&self) -> Option<(FileId, f64)> {
        match &self.reason.because {
            Some(Because::File {
                file_id, similarity, ..
            }) => Some((*file_id, *similarity)),
            _ => None,
        }
    }

    /// The text of the `because` column.
    pub fn because_text(&self) -> Option<String> {
        self.because_parts().map(|(_, text)| text)
    }

    fn because_parts(&self) -> Option<(&'static str, String)> {
        match self.reason.because.as_ref()? {
            Because::File { cluster, .. } => Some(("file", cluster.clone())),
            Because::Benchmark(item) => Some(("benchmark", item.clone())),
            Because::Entry(entry) => Some(("entry", entry.clone())),
        }
    }
}

fn because_at(record: &RecordBatch, i: usize) -> Result<Option<Because>> {
    let kinds = crate::columns::strings(record, "because_kind")?;
    if kinds.is_null(i) {
        return Ok(None);
    }
    let text = crate::columns::strings(record, "because")?.value(i).to_owned();
    let files = crate::columns::u64s(record, "because_file_id")?;
    let similarity = crate::columns::f64s(record, "similarity")?;
    Ok(Some(match kinds.value(i) {
        "file" => Because::File {
            file_id: FileId(files.value(i)),
            cluster: text,
            similarity: similarity.value(i),
        },
        "benchmark" => Because::Benchmark(text),
        _ => Because::Entry(text),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_survive_a_trip_through_arrow() {
        let decision = |row, reason| Decision {
            file_id: FileId::new(3, row),
            outcome: Outcome::Dropped,
            stage: "rules".into(),
            rule: "line-max".into(),
            reason,
        };
        let before = vec![
            decision(
                1,
                Reason {
                    value: Some("1200".into()),
                    limit: Some("1000".into()),
                    ..Reason::default()
                },
            ),
            decision(2, Reason::duplicate_of(FileId::new(0, 9), "abc", 0.75)),
            decision(3, Reason::trouble("broken object")),
            decision(4, Reason::entry(".min.js")),
        ];
        let after = Decision::to_record(&before)
            .and_then(|record| Decision::from_record(&record))
            .expect("round trip");
        assert_eq!(before, after);
    }

    #[test]
    fn numbers_print_in_their_shortest_form() {
        assert_eq!(Measure::from(1200u64).to_string(), "1200");
        assert_eq!(Measure::from(0.25).to_string(), "0.25");
    }
}
