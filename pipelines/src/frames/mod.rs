//! Stages over tables at hand, without a run: for notebooks, and for engines that bring their own tables.
//!
//! ```text
//!   table ─► rows ─► the Maps that one stage needs ─► columns, decisions          single
//!                         └─► exchanges in memory ─► decisions                    duplicates, memory
//!   the table's own columns are handed on as they are; columns are added beside them
//! ```

pub mod duplicates;
pub mod memory;
mod output;
pub mod rows;
pub mod single;

pub use duplicates::{Tables, duplicates};
pub use rows::{Names, Rows};
pub use single::{Column, Single};

use std::sync::Arc;

use stackmill_schemas::TaskContext;
use stackmill_schemas::context::Interrupt;

use crate::console::Board;
use crate::environment::cache_folder;
use crate::isolate::Workers;

/// What Maps and Exchanges may reach outside a run: parse workers of their own, and whoever interrupts.
pub fn context(interrupt: Arc<dyn Interrupt>) -> TaskContext {
    TaskContext {
        progress: Arc::new(Board::default()),
        interrupt,
        isolate: Arc::new(Workers::hosted()),
        side: Arc::new(memory::Sets::default()),
        homes: Arc::default(),
        cache: cache_folder(),
    }
}
