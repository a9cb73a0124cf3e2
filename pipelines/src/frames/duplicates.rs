//! Exact and near duplicates of tables at hand, all rows of which must fit into memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::builder::{Float64Builder, StringBuilder, UInt64Builder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, SchemaRef};
use stackmill_ingest::sources::blob_id;
use stackmill_schemas::context::Homes;
use stackmill_schemas::rank::Criterion;
use stackmill_schemas::stage::{Exchange, InputSize};
use stackmill_schemas::{Because, Decision, Error, FileId, Result, ResultExt, TaskContext, columns};

use super::memory::{Sets, exchanged, with_sets};
use super::output::{self, Verdicts};
use super::rows::{BATCH_ROWS, Names, bytes};
use super::single::Single;
use crate::passes::finish;
use crate::passes::left::{project, side_schema};
use crate::stages::Stages;

/// The tables with `cluster_id`, `keeper`, `similarity` and verdicts, and the columns of the result. Looks for near
/// duplicates if the recipe has `[near]`, else for exact ones. Files that cannot be decoded are nobody's near duplicates.
pub fn duplicates(stages: &Stages, names: Names, tables: &Tables, cx: &TaskContext) -> Result<Tables> {
    let wanted: &[&str] = if stages.near.is_some() {
        &["decode", "near"]
    } else {
        &[]
    };
    let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
    let cx = TaskContext {
        homes: Arc::new(Homes::new(vec![FileId(0)])),
        ..cx.clone()
    };
    let mut found = Found::default();
    let content = names.content.clone();
    let mut single = Single::open(stages, names, &wanted, is_identified(stages), cx.clone())?;
    for table in &tables.batches {
        for start in (0..table.num_rows()).step_by(BATCH_ROWS) {
            for rows in single.rows(table, start)? {
                let (kept, decisions) = finish(single.map(rows)?)?;
                found.decide(decisions);
                found.kept.push(without_content(kept)?);
            }
        }
    }
    found.search(stages, &cx)?;
    found.identify_keepers(tables, &content)?;
    let mut next = 0;
    let schema = output::extended(&tables.schema, fields())?;
    let batches = tables.batches.iter().map(|table| {
        let mut arrays = table.columns().to_vec();
        let rows = table.num_rows() as u64;
        arrays.extend(found.columns(next..next + rows));
        next += rows;
        RecordBatch::try_new(schema.clone(), arrays).context("the columns of the result")
    });
    let batches = batches.collect::<Result<_>>()?;
    Ok(Tables { schema, batches })
}

/// Whether all files have to have their blob ids, to be compared or ranked by. Else those of keepers are enough: to hash
/// every content would take a quarter of the time.
fn is_identified(stages: &Stages) -> bool {
    stages.near.is_none() || stages.keep.contains(&Criterion::Hash)
}

/// Tables of the same columns.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Their columns.
    pub schema: SchemaRef,
    /// Their rows.
    pub batches: Vec<RecordBatch>,
}

fn fields() -> Vec<Field> {
    let mut fields = vec![
        Field::new(columns::CLUSTER_ID, DataType::Utf8, true),
        Field::new("keeper", DataType::UInt64, true),
        Field::new("similarity", DataType::Float64, true),
    ];
    fields.extend(Verdicts::fields());
    fields
}

/// Contents have done their part; they would fill the memory.
fn without_content(mut files: RecordBatch) -> Result<RecordBatch> {
    let at = files.schema().index_of(columns::CONTENT)?;
    files.remove_column(at);
    Ok(files)
}

#[derive(Default)]
struct Found {
    kept: Vec<RecordBatch>,
    decisions: BTreeMap<FileId, Decision>,
}

impl Found {
    /// A file has one decision: the first stands.
    fn decide(&mut self, decisions: Vec<Decision>) {
        for decision in decisions {
            self.decisions.entry(decision.file_id).or_insert(decision);
        }
    }

    fn search(&mut self, stages: &Stages, cx: &TaskContext) -> Result<()> {
        let gathered = match (&stages.near, &stages.exact) {
            (Some(near), _) => {
                let batches = self
                    .kept
                    .iter()
                    .map(|kept| project(kept, &side_schema()))
                    .collect::<Result<_>>()?;
                let cx = with_sets(cx, Sets { home: Some(0), batches });
                let chain: [&dyn Exchange; 4] = [&near.buckets, &near.attach, &near.verify, &near.keepers];
                self.chained(&chain, &cx)?
            }
            (None, Some(exact)) => self.chained(&[exact], cx)?,
            (None, None) => return Err(Error::config("neither `near` nor `exact` is on")),
        };
        for batch in gathered {
            self.decide(Decision::from_record(&batch)?);
        }
        Ok(())
    }

    fn chained(&self, chain: &[&dyn Exchange], cx: &TaskContext) -> Result<Vec<RecordBatch>> {
        let files = self.kept.iter().map(|kept| kept.num_rows() as u64).sum();
        let size = InputSize {
            files,
            bytes: 0,
            homes: 1,
        };
        let mut rows = self.kept.clone();
        for exchange in chain {
            rows = exchanged(*exchange, &rows, size, cx).with_context(|| format!("exchange `{}`", exchange.name()))?;
        }
        Ok(rows)
    }

    /// Hashes the contents that stand for others, and says so in the decisions.
    fn identify_keepers(&mut self, tables: &Tables, content: &str) -> Result<()> {
        let others = self.decisions.values().filter_map(Decision::because_file);
        let keepers: BTreeSet<FileId> = others.map(|(keeper, _)| keeper).collect();
        let mut clusters = BTreeMap::new();
        let mut keepers = keepers.into_iter().peekable();
        let mut first = 0;
        for table in &tables.batches {
            let end = first + table.num_rows() as u64;
            while let Some(keeper) = keepers.next_if(|keeper| keeper.0 < end) {
                let found = table.column_by_name(content).ok_or_else(|| Error::bug("no contents"))?;
                let cell = bytes(&found.slice((keeper.0 - first) as usize, 1))?;
                clusters.insert(keeper, blob_id(cell.value(0))?.to_string());
            }
            first = end;
        }
        for decision in self.decisions.values_mut() {
            if let Some(Because::File { file_id, cluster, .. }) = &mut decision.reason.because
                && let Some(id) = clusters.get(file_id)
            {
                cluster.clone_from(id);
            }
        }
        Ok(())
    }

    fn columns(&self, rows: std::ops::Range<u64>) -> Vec<ArrayRef> {
        let (mut clusters, mut keepers) = (StringBuilder::new(), UInt64Builder::new());
        let (mut similarities, mut verdicts) = (Float64Builder::new(), Verdicts::default());
        for row in rows {
            let decision = self.decisions.get(&FileId(row));
            let other = decision.and_then(Decision::because_file);
            clusters.append_option(decision.filter(|_| other.is_some()).and_then(Decision::because_text));
            keepers.append_option(other.map(|(keeper, _)| keeper.0));
            similarities.append_option(other.map(|(_, similarity)| similarity));
            verdicts.row(decision);
        }
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(clusters.finish()),
            Arc::new(keepers.finish()),
            Arc::new(similarities.finish()),
        ];
        arrays.extend(verdicts.finish());
        arrays
    }
}
