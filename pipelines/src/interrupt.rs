//! Signals: the first lets running tasks finish, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use stackmill_schemas::context::Interrupt;
use stackmill_schemas::{Result, ResultExt};

/// Whether somebody asked us to stop.
#[derive(Debug)]
pub struct Signals {
    raised: Arc<AtomicBool>,
}

impl Signals {
    /// Listens to SIGINT and SIGTERM.
    pub fn install() -> Result<Self> {
        let raised = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // Order matters: the exit is armed by the flag that the first signal sets.
            flag::register_conditional_shutdown(signal, 130, raised.clone()).context("listening to signals")?;
            flag::register(signal, raised.clone()).context("listening to signals")?;
        }
        Ok(Self { raised })
    }

    /// Whether a signal has come.
    pub fn raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }
}

impl Interrupt for Signals {
    fn is_raised(&self) -> bool {
        // The first signal lets tasks finish; the second never gets here.
        false
    }
}
