//! Signals: the first lets running tasks finish, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals as Received};
use signal_hook::{SigId, flag, low_level};
use stackmill_schemas::context::Interrupt;
use stackmill_schemas::{Result, ResultExt};

use crate::console::Console;

const SIGNALS: [i32; 2] = [SIGINT, SIGTERM];

/// Whether somebody asked us to stop.
#[derive(Debug, Default)]
pub struct Signals {
    raised: Arc<AtomicBool>,
    raised_again: Arc<AtomicBool>,
    actions: Vec<SigId>,
    told: Option<Handle>,
}

impl Signals {
    /// Listens to SIGINT and SIGTERM until dropped; the first is answered on the console at once. Where a host watches
    /// the run, signals are its business: it is listened to instead.
    pub fn install(console: Console) -> Result<Self> {
        let mut this = Self::default();
        if let Some(watch) = console.watch() {
            this.raised = watch.stop.clone();
            this.raised_again = watch.stop_now.clone();
            return Ok(this);
        }
        for signal in SIGNALS {
            // Order matters: the exit is armed by the flag that the first signal sets.
            let exit = flag::register_conditional_shutdown(signal, 130, this.raised.clone());
            this.actions.push(exit.context("listening to signals")?);
            let raise = flag::register(signal, this.raised.clone());
            this.actions.push(raise.context("listening to signals")?);
        }
        let mut received = Received::new(SIGNALS).context("listening to signals")?;
        this.told = Some(received.handle());
        std::thread::spawn(move || {
            if received.forever().next().is_some() {
                console.say("interrupted: finishing the tasks under way; once more stops at once");
            }
        });
        Ok(this)
    }

    /// Listens to nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether a signal has come.
    pub fn raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.actions.drain(..).for_each(|action| {
            low_level::unregister(action);
        });
        if let Some(told) = &self.told {
            told.close();
        }
    }
}

impl Interrupt for Signals {
    fn is_raised(&self) -> bool {
        // The first signal lets tasks finish; of the second only a host's gets here.
        self.raised_again.load(Ordering::SeqCst)
    }

    fn is_requested(&self) -> bool {
        self.raised() || self.is_raised()
    }
}
