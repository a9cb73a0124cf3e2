//! What a task may reach outside its own rows: progress, interrupt, isolated parsing, side files, the clone cache.

use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::RecordBatch;

use crate::error::{Error, ErrorKind, Result};
use crate::ids::FileId;

/// Told how far a task has come; shown by `pipelines::console`.
pub trait Progress: Send + Sync {
    /// `files` more files and `bytes` more bytes are done.
    fn advance(&self, files: u64, bytes: u64);
}

/// Asked between batches whether to stop.
pub trait Interrupt: Send + Sync {
    /// Whether the task should stop now (a second interrupt; the first lets tasks finish).
    fn is_raised(&self) -> bool;

    /// Whether somebody asked to stop at all (a first interrupt): what only waits for others, and can be had again, is
    /// given up then.
    fn is_requested(&self) -> bool {
        self.is_raised()
    }
}

/// Runs a request in a worker process that may die without taking the run with it.
pub trait Isolate: Send + Sync {
    /// Sends `request` and waits for the answer; the worker is replaced when it dies.
    fn call(&self, request: &[u8]) -> Result<Answer>;
}

/// What came back from an isolated worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The worker's answer.
    Done(Vec<u8>),
    /// The worker died twice over this request: how, in words that do not depend on timing.
    Crashed(String),
}

/// Batches in the order they were written.
pub type Batches<'a> = Box<dyn Iterator<Item = Result<RecordBatch>> + 'a>;

/// Side files of earlier tasks: shingle sets by home.
pub trait SideFiles: Send + Sync {
    /// The batches (`file_id`, `shingles`) of one home, in file order.
    fn shingles(&self, home: u32) -> Result<Batches<'_>>;
}

/// Everything a task may reach; cheap to clone.
#[derive(Clone)]
pub struct TaskContext {
    /// Progress.
    pub progress: Arc<dyn Progress>,
    /// Interrupt.
    pub interrupt: Arc<dyn Interrupt>,
    /// Isolated workers.
    pub isolate: Arc<dyn Isolate>,
    /// Side files.
    pub side: Arc<dyn SideFiles>,
    /// Which task a file lives in.
    pub homes: Arc<Homes>,
    /// Where clones are kept between runs.
    pub cache: PathBuf,
}

impl TaskContext {
    /// `Err(Interrupted)` when the task should stop now.
    pub fn check(&self) -> Result<()> {
        if self.interrupt.is_raised() {
            return Err(Error::new(ErrorKind::Interrupted, "interrupted"));
        }
        Ok(())
    }

    /// `Err(Interrupted)` when somebody asked to stop at all.
    pub fn check_requested(&self) -> Result<()> {
        match self.interrupt.is_requested() {
            true => Err(Error::new(ErrorKind::Interrupted, "interrupted").hint("run the same command again to resume")),
            false => Ok(()),
        }
    }
}

/// The home of every file: tasks cover runs of file ids, so a search over their first ids finds it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Homes {
    starts: Vec<FileId>,
}

impl Homes {
    /// `starts`: the first file id of each home, ascending.
    pub fn new(starts: Vec<FileId>) -> Self {
        Self { starts }
    }

    /// The home that `file` lives in.
    pub fn of(&self, file: FileId) -> u32 {
        self.starts.partition_point(|start| *start <= file).saturating_sub(1) as u32
    }

    /// The first file id of a home, if there is such a home.
    pub fn start(&self, home: u32) -> Option<FileId> {
        self.starts.get(home as usize).copied()
    }

    /// Number of homes.
    pub fn count(&self) -> u32 {
        self.starts.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_covers_ids_up_to_the_next_start() {
        let homes = Homes::new(vec![FileId::new(0, 0), FileId::new(0, 100), FileId::new(3, 0)]);
        let home = |split, row| homes.of(FileId::new(split, row));
        assert_eq!(
            [
                home(0, 0),
                home(0, 99),
                home(0, 100),
                home(1, 5),
                home(3, 0),
                home(9, 9)
            ],
            [0, 0, 1, 1, 2, 2]
        );
    }
}
