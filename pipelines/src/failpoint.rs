//! Named points at which a run can be told to die, so that resuming can be tried: `STACKMILL_FAIL_AT=syntax.written:3`.
//!
//! Each step has two: `<step>.written` (a task's files have their final names, its report is not there yet) and
//! `<step>.done` (the report is there). Publishing has `publish.before` and `publish.after`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static POINT: OnceLock<(String, AtomicU64)> = OnceLock::new();

/// Arms the point named by `NAME` or `NAME:COUNT` (die at the COUNT-th time; 1 if not said).
pub fn arm(text: &str) {
    let (name, count) = text.rsplit_once(':').unwrap_or((text, "1"));
    let _ = POINT.set((name.to_owned(), AtomicU64::new(count.parse().unwrap_or(1))));
}

/// Dies here, as by `kill -9`, if this is the point.
pub fn reach(step: &str, moment: &str) {
    let Some((name, left)) = POINT.get() else { return };
    let here = name.strip_prefix(step).and_then(|rest| rest.strip_prefix('.')) == Some(moment);
    if here && left.fetch_sub(1, Ordering::SeqCst) == 1 {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
}
