//! Keys: what the listing left is scattered to find exact duplicates. By now the number of files is known.

use arrow_select::filter::filter_record_batch;
use stackmill_schemas::{Result, TaskContext, columns};

use super::listing::SURVIVES;
use super::{Meter, Step, TaskReport};
use crate::exchange::Target;
use crate::job::Job;

/// One task a split.
pub struct Keys<'a> {
    /// The run.
    pub job: &'a Job,
    /// Where the keys go.
    pub target: Target<'a>,
}

impl Step for Keys<'_> {
    fn name(&self) -> &'static str {
        "keys"
    }

    fn tasks(&self) -> u32 {
        self.job.splits.len() as u32
    }

    fn run(&self, split: u32, cx: &TaskContext) -> Result<TaskReport> {
        let mut exact = self.job.scatter(self.target, split)?;
        let meter = Meter::default();
        for batch in self.job.workdir.place.table(&format!("listing/{split:05}"))? {
            cx.check()?;
            let batch = batch?;
            let survivors = filter_record_batch(&batch, columns::booleans(&batch, SURVIVES)?)?;
            meter.charge("exact", 0, || exact.scatter(&survivors, cx))?;
        }
        exact.spill.commit()?;
        Ok(TaskReport {
            costs: meter.costs(),
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        Vec::new()
    }
}
