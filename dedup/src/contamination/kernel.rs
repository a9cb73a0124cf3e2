//! The vectorised twins of the scan's loops, chosen at run time; each gives the bits that the portable one gives.
//!
//! ```text
//!   classify   64 bytes ► 9 bits a byte: one table look-up and as many tests
//!   hash       words of up to 16 bytes, 8 at once                   the loops of `lanes`, compiled for wide vectors
//!   worth      8 tokens at once: how far back each name stood       the loops of `window`, compiled for wide vectors
//!   roll       8 n-grams at once: 6 or 11 products
//! ```
//! `unsafe` are calls of functions whose instructions the processor was asked for.
#![allow(unsafe_code)]

use super::classes::{Block, Classes};
use super::events::{self, Events};
use super::lanes::{self, Borders};
use super::window::{self, Tokens};
#[cfg(target_arch = "x86_64")]
use super::x86;
use crate::near::kernel::Level;

/// A level that the processor has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernel(Level);

impl Default for Kernel {
    fn default() -> Self {
        Self::new(Level::best())
    }
}

impl Kernel {
    /// `level`, or less where the processor does not have it.
    pub(super) fn new(level: Level) -> Self {
        Self(if level.is_here() { level } else { Level::Portable })
    }

    /// Fills the maps, which have a word for each block of `text`.
    pub(super) fn classify(self, text: &[u8], classes: &mut Classes) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::classify_512(text, classes) },
            _ => classes.fill(text, Block::read),
        }
    }

    /// [`lanes::write`].
    #[inline(always)]
    pub(super) fn write(self, bits: u64, at: u32, room: &mut [u32]) -> usize {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::write_512(bits, at, room) },
            _ => lanes::write(bits, at, room),
        }
    }

    /// [`lanes::places`].
    pub(super) fn places(self, borders: Borders<'_>, from: usize, to: usize, out: [&mut [u32]; 2]) -> [usize; 2] {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::places_512(borders, from, to, out) },
            _ => lanes::places(borders, from, to, out),
        }
    }

    /// [`lanes::hash`].
    pub(super) fn hash(self, text: &[u8], starts: &[u32], ends: &[u32], out: &mut [u64]) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::hash_512(text, starts, ends, out) },
            _ => lanes::hash(text, starts, ends, out),
        }
    }

    /// [`events::read`].
    pub(super) fn read(self, text: &[u8], count: usize, events: &mut Events) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::read_512(text, count, events) },
            _ => events::read(0, text, count, events),
        }
    }

    /// [`events::compress`].
    pub(super) fn compress(self, events: &Events, count: usize, tokens: &mut Tokens) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::compress_512(events, count, tokens) },
            _ => events::compress(0, events, count, tokens),
        }
    }

    /// [`lanes::roll`].
    pub(super) fn roll(self, words: &[u64], out: &mut [u64]) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::roll_512(words, out) },
            _ => lanes::roll(words, out),
        }
    }

    /// [`window::worth`].
    pub(super) fn worth(self, tokens: &mut Tokens) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::worth_512(tokens) },
            _ => window::worth(tokens),
        }
    }

    /// [`window::roll`].
    pub(super) fn roll_tokens(self, tokens: &mut Tokens) {
        match self.0 {
            // SAFETY: `Kernel::new` asked for the instructions.
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => unsafe { x86::roll_tokens_512(tokens) },
            _ => window::roll(tokens),
        }
    }
}
