//! Decisions looked up by file while the files of a split pass by in order: a page or a chunk of them at a time.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::iter::Peekable;

use arrow_array::RecordBatch;
use stackmill_schemas::context::Batches;
use stackmill_schemas::{Decision, Error, FileId, Outcome, Result, columns};

use super::listing::Listed;
use crate::exchange::Spills;

/// Decisions that wait for their files.
#[derive(Debug, Default)]
pub struct Verdicts {
    verdicts: HashMap<FileId, Decision>,
    keepers: HashMap<FileId, Vec<Decision>>,
}

impl Verdicts {
    /// Adds decisions; two verdicts on one file are our own mistake.
    pub fn add(&mut self, batches: Batches<'_>) -> Result<()> {
        for batch in batches {
            for decision in Decision::from_record(&batch?)? {
                self.decide(decision)?;
            }
        }
        Ok(())
    }

    fn decide(&mut self, decision: Decision) -> Result<()> {
        let id = decision.file_id;
        if decision.outcome == Outcome::Kept {
            self.keepers.entry(id).or_default().push(decision);
            return Ok(());
        }
        match self.verdicts.entry(id) {
            Entry::Vacant(free) => {
                free.insert(decision);
                Ok(())
            }
            Entry::Occupied(first) => Err(Error::bug(format!(
                "file {id} has two verdicts, one by `{}`",
                first.get().stage
            ))),
        }
    }

    /// The verdict on a file, if there is one, and the clusters it is the keeper of.
    pub fn take(&mut self, id: FileId) -> (Option<Decision>, Vec<Decision>) {
        (self.verdicts.remove(&id), self.keepers.remove(&id).unwrap_or_default())
    }

    /// Every decision must have met its file.
    pub fn finish(self) -> Result<()> {
        match self.verdicts.len() + self.keepers.len() {
            0 => Ok(()),
            left => Err(Error::bug(format!(
                "{left} decisions are about files that were never listed"
            ))),
        }
    }
}

/// The decisions of an exchange about one split's files, by page.
pub struct Pages<'a> {
    listed: &'a Listed,
    decisions: Spills,
    next: u32,
}

impl<'a> Pages<'a> {
    /// Those about the files of `split`.
    pub fn new(listed: &'a Listed, decisions: Spills, split: u32) -> Self {
        let next = listed.pages.of(FileId::new(split, 0));
        Self {
            listed,
            decisions,
            next,
        }
    }

    /// Adds the pages that begin at or before `last`.
    pub fn upto(&mut self, last: FileId, verdicts: &mut Verdicts) -> Result<()> {
        while self.listed.pages.start(self.next).is_some_and(|start| start <= last) {
            verdicts.add(self.decisions.partition(self.next))?;
            self.next += 1;
        }
        Ok(())
    }
}

/// A table of decisions in the order of the files, batch after batch.
pub struct Following(Peekable<Batches<'static>>);

impl Following {
    /// From the table's batches.
    pub fn new(batches: Batches<'static>) -> Self {
        Self(batches.peekable())
    }

    /// Adds the batches that begin at or before `last`.
    pub fn upto(&mut self, last: FileId, verdicts: &mut Verdicts) -> Result<()> {
        while let Some(batch) = self.0.next_if(|batch| begins_by(batch, last)) {
            verdicts.add(Box::new(std::iter::once(batch)))?;
        }
        Ok(())
    }
}

/// Whether a batch has a row about `last` or a file before it; an error is handed on at once.
fn begins_by(batch: &Result<RecordBatch>, last: FileId) -> bool {
    let ids = batch.as_ref().ok().map(|batch| columns::u64s(batch, columns::FILE_ID));
    ids.is_none_or(|ids| ids.is_ok_and(|ids| ids.values().iter().any(|&id| id <= last.0)))
}

/// ` (value 1200, limit 1000)`, as far as there is something to say.
pub fn measured(decision: &Decision) -> String {
    let reason = &decision.reason;
    let parts = [
        reason.value.as_ref().map(|value| format!("value {value}")),
        reason.limit.as_ref().map(|limit| format!("limit {limit}")),
        reason.trouble.clone(),
        decision.because_text().map(|text| format!("because of {text}")),
    ];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    if said.is_empty() {
        String::new()
    } else {
        format!(" ({})", said.join(", "))
    }
}
