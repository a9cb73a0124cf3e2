//! A task context for tests: nobody watches, nobody interrupts, nothing is to be reached.

use std::path::PathBuf;
use std::sync::Arc;

use stackmill_schemas::context::{Answer, Batches, Interrupt, Isolate, Progress, SideFiles};
use stackmill_schemas::{Error, Result, TaskContext};

struct Nothing;

impl Progress for Nothing {
    fn advance(&self, _: u64, _: u64) {}
}

impl Interrupt for Nothing {
    fn is_raised(&self) -> bool {
        false
    }
}

impl Isolate for Nothing {
    fn call(&self, _: &[u8]) -> Result<Answer> {
        Err(Error::bug("nothing to call"))
    }
}

impl SideFiles for Nothing {
    fn shingles(&self, _: u32) -> Result<Batches<'_>> {
        Err(Error::bug("nothing to read"))
    }
}

pub(crate) fn context() -> TaskContext {
    TaskContext {
        progress: Arc::new(Nothing),
        interrupt: Arc::new(Nothing),
        isolate: Arc::new(Nothing),
        side: Arc::new(Nothing),
        homes: Arc::default(),
        cache: PathBuf::new(),
    }
}
