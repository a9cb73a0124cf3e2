//! Sketches of what comparisons before have left in the work shards: structural shingles, hashes of lines.

use std::collections::HashSet;

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Decision, FileBatch, Outcome, Result, TaskContext, columns};

use super::comparison::Names;
use super::content::chunk_name;
use super::cut::Layout;
use super::left::{project, side_schema};
use super::{Meter, Step, TaskReport};
use crate::exchange::Target;
use crate::job::Job;
use crate::table::TableWriter;

/// One task a chunk.
pub struct Sketching<'a> {
    /// The run.
    pub job: &'a Job,
    /// What the cut left.
    pub layout: &'a Layout,
    /// The step's name.
    pub name: &'static str,
    /// What adds the sets, and what they are found by.
    pub sketch: &'a dyn Map,
    /// Folder of the sets.
    pub side: &'static str,
    /// Where its rows go.
    pub target: Target<'a>,
    /// The comparisons before.
    pub after: &'static [&'static Names],
}

impl Step for Sketching<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn tasks(&self) -> u32 {
        self.layout.chunks.len() as u32
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let workdir = &self.job.workdir;
        let name = chunk_name(&self.layout.chunks[task as usize]);
        let mut gone = HashSet::new();
        for names in self.after {
            gone.extend(dropped(self.job, names, self.layout, task)?);
        }
        let mut side = TableWriter::create(workdir, &format!("{}/{name}", self.side), &side_schema())?;
        let mut buckets = self.job.scatter(self.target, task)?;
        let mut sketch = self.sketch.open(cx)?;
        let meter = Meter::default();
        for batch in workdir.place.table(&format!("work/{name}"))? {
            cx.check()?;
            let left = without(&batch?, &gone)?;
            let sketched = meter.charge(self.sketch.name(), 0, || sketched(sketch.as_mut(), left))?;
            side.write(&project(&sketched, &side_schema())?)?;
            buckets.scatter(&sketched, cx)?;
        }
        side.commit()?;
        buckets.spill.commit()?;
        Ok(TaskReport {
            costs: meter.costs(),
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        Vec::new()
    }
}

fn sketched(sketch: &mut dyn MapTask, files: RecordBatch) -> Result<RecordBatch> {
    let (record, ..) = sketch.map(FileBatch::new(files)?)?.into_parts();
    Ok(record)
}

/// The files of a chunk that a comparison has dropped.
fn dropped(job: &Job, names: &'static Names, layout: &Layout, task: u32) -> Result<HashSet<u64>> {
    let mut gone = HashSet::new();
    for batch in job.decisions(names, layout).partition(task) {
        let dropped = Decision::from_record(&batch?)?.into_iter();
        gone.extend(
            dropped
                .filter(|decision| decision.outcome != Outcome::Kept)
                .map(|decision| decision.file_id.0),
        );
    }
    Ok(gone)
}

/// The files that are not `gone`.
pub fn without(files: &RecordBatch, gone: &HashSet<u64>) -> Result<RecordBatch> {
    let ids = columns::u64s(files, columns::FILE_ID)?.values();
    let mask: BooleanArray = ids.iter().map(|id| Some(!gone.contains(id))).collect();
    Ok(filter_record_batch(files, &mask)?)
}
