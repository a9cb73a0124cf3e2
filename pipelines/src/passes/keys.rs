//! Keys: what the listing left is scattered, to find copied repositories, then exact duplicates. By now the number of files
//! is known.

use arrow_array::{BooleanArray, RecordBatch};
use arrow_select::filter::filter_record_batch;
use stackmill_schemas::{FileId, Result, TaskContext, columns};

use super::listing::{Listed, SURVIVES};
use super::verdicts::{Pages, Verdicts};
use super::{Meter, Step, TaskReport};
use crate::exchange::Target;
use crate::job::Job;

/// One task a split.
pub struct Keys<'a> {
    /// The run.
    pub job: &'a Job,
    /// The step's name.
    pub name: &'static str,
    /// Where the keys go.
    pub target: Target<'a>,
    /// What the listing found, if copied repositories are known by now: their files have no keys.
    pub without_copies: Option<&'a Listed>,
}

impl Step for Keys<'_> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn tasks(&self) -> u32 {
        self.job.splits.len() as u32
    }

    fn run(&self, split: u32, cx: &TaskContext) -> Result<TaskReport> {
        let mut keys = self.job.scatter(self.target, split)?;
        let mut left = self.without_copies.map(|listed| Left::new(self.job, listed, split));
        let meter = Meter::default();
        for batch in self.job.workdir.place.table(&format!("listing/{split:05}"))? {
            cx.check()?;
            let batch = batch?;
            let mut survivors = filter_record_batch(&batch, columns::booleans(&batch, SURVIVES)?)?;
            if let Some(left) = &mut left {
                survivors = left.of(&batch, &survivors)?;
            }
            meter.charge(self.target.exchange.name(), 0, || keys.scatter(&survivors, cx))?;
        }
        keys.spill.commit()?;
        Ok(TaskReport {
            costs: meter.costs(),
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Files of a split that are in no copied repository.
struct Left<'a> {
    pages: Pages<'a>,
    verdicts: Verdicts,
}

impl<'a> Left<'a> {
    fn new(job: &Job, listed: &'a Listed, split: u32) -> Self {
        Self {
            pages: Pages::new(listed, job.repository_decisions(listed), split),
            verdicts: Verdicts::default(),
        }
    }

    /// `survivors`: rows of `batch`.
    fn of(&mut self, batch: &RecordBatch, survivors: &RecordBatch) -> Result<RecordBatch> {
        if let Some(last) = columns::u64s(batch, columns::FILE_ID)?.values().last() {
            self.pages.upto(FileId(*last), &mut self.verdicts)?;
        }
        let ids = columns::u64s(survivors, columns::FILE_ID)?.values();
        let is_left = ids.iter().map(|id| self.verdicts.take(FileId(*id)).0.is_none());
        Ok(filter_record_batch(
            survivors,
            &is_left.map(Some).collect::<BooleanArray>(),
        )?)
    }
}
