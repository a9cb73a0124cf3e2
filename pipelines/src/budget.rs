//! The budget of scratch: bytes are counted before they are written.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::units::bytes_text;

/// Bytes that may lie in scratch at once.
#[derive(Debug)]
pub struct Budget {
    limit: u64,
    used: AtomicU64,
    most: AtomicU64,
}

impl Budget {
    /// At most `limit` bytes; `u64::MAX` for no limit.
    pub fn new(limit: u64) -> Self {
        Self {
            limit,
            used: AtomicU64::new(0),
            most: AtomicU64::new(0),
        }
    }

    /// Counts bytes that are about to be written; refused beyond the limit.
    pub fn grow(&self, bytes: u64) -> io::Result<()> {
        let used = self.used.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if used > self.limit {
            self.shrink(bytes);
            let limit = bytes_text(self.limit);
            return Err(io::Error::new(
                io::ErrorKind::QuotaExceeded,
                format!("scratch budget of {limit} is used up"),
            ));
        }
        self.most.fetch_max(used, Ordering::Relaxed);
        Ok(())
    }

    /// Counts bytes that are gone.
    pub fn shrink(&self, bytes: u64) {
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            Some(used.saturating_sub(bytes))
        });
    }

    /// The most that was used at once, in bytes.
    pub fn most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }
}
