//! The commands, one file each.

mod audit;
mod benchmarks;
mod check;
mod dedup;
mod explain;
mod list;
mod plan;
mod recipe;
pub mod run;
mod status;
mod task;
mod verify;

use std::cell::RefCell;
use std::io::Write as _;

use serde::Serialize;
use stackmill_schemas::{Error, Result};

use crate::cli::Command;

/// Runs a command; gives the exit code.
pub fn run(command: Command) -> Result<u8> {
    match command {
        Command::Run(args) => run::run(&args),
        Command::Task(args) => task::task(&args),
        Command::Plan(args) => plan::plan(&args),
        Command::Check(args) => check::check(&args),
        Command::Dedup(args) => dedup::dedup(&args),
        Command::Explain(args) => explain::explain(&args),
        Command::Status(args) => status::status(&args),
        Command::Verify(args) => verify::verify(&args),
        Command::List(args) => list::list(&args),
        Command::Recipe(command) => recipe::recipe(&command),
        Command::Audit(args) => audit::audit(&args),
        Command::Benchmarks(command) => benchmarks::benchmarks(&command),
        Command::ParseWorker => crate::isolate::serve().map(|()| 0),
    }
}

thread_local! {
    /// What commands print on this thread, while [`captured`] collects it.
    static CAPTURED: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// As [`run()`], for a host: gives what the command would print on standard output.
pub fn captured(command: Command) -> Result<String> {
    CAPTURED.set(Some(String::new()));
    let ended = run(command);
    let printed = CAPTURED.take().unwrap_or_default();
    ended.map(|_| printed)
}

/// Data for people or pipes, on standard output.
fn print(text: &str) -> Result<()> {
    let kept = CAPTURED.with_borrow_mut(|kept| kept.as_mut().map(|kept| kept.push_str(text)).is_some());
    if kept {
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        // `stackmill … | head` is no error.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Into::into),
    }
}

/// A value as JSON, on standard output.
fn print_json<T: Serialize>(value: &T) -> Result<()> {
    let json = serde_json::to_string_pretty(value).map_err(|error| Error::bug(error.to_string()))?;
    print(&(json + "\n"))
}
