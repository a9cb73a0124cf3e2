//! A window over the last tokens of code, its names renamed, and the rolling hash over it.
//!
//! A name counts as the number of tokens since it stood there last (0: not in this window). When the window moves past a
//! name, the next place of that name becomes its first: one term of the rolling sum changes, so a step costs the same
//! whatever the window's length.

use super::code::{NGRAM_TOKENS, SEED};
use super::grams::{Channel, Gram, mix};

/// Fewest tokens of an n-gram that say what is done: lists of names and numbers are alike everywhere.
const MIN_TELLING: usize = 1;
/// Slots of the table that knows where a name stood last. A slot taken by another name hides the first one; as only
/// names within a window matter, the hash of a window depends on nothing outside.
const LAST_SLOTS: usize = 1024;
/// Slots of the ring of tokens.
const RING: usize = 16;
/// Multiplier of the rolling hash.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
/// A token: a fixed hash, or a name that is known by its distance to where it stood last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    hash: u64,
    is_name: bool,
    /// Whether it says what is done: a keyword, a library's name, an operator.
    tells: bool,
}

impl Token {
    /// A number, a string.
    pub(super) fn fixed(hash: u64) -> Self {
        Self {
            hash,
            is_name: false,
            tells: false,
        }
    }

    /// A mark.
    pub(super) fn mark(byte: u8) -> Self {
        Self {
            tells: !b"=.([{".contains(&byte),
            ..Self::fixed(u64::from(byte))
        }
    }

    /// A word: a name that is renamed, or one that is kept.
    pub(super) fn word(hash: u64, is_name: bool) -> Self {
        Self {
            hash,
            is_name,
            tells: !is_name,
        }
    }
}

/// A token inside the window.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    /// What it adds to the sum, before the power of its place.
    worth: u64,
    /// Number of the token in the window that has the same name and follows next, or 0.
    follower: usize,
    start: usize,
    tells: bool,
}

/// The last tokens and the rolling hash over them.
pub(super) struct Window {
    slots: [Slot; RING],
    rolling: u64,
    /// Number of tokens in the window that say what is done.
    telling: usize,
    /// Number of the first token since [`Window::start`].
    first: usize,
    /// Number of the next token.
    pub(super) next: usize,
    /// Where each name stood last: hash and token number.
    last: Vec<(u64, usize)>,
    powers: [u64; NGRAM_TOKENS + 1],
}

impl Window {
    /// A window over nothing.
    pub(super) fn new() -> Self {
        let mut powers = [1; NGRAM_TOKENS + 1];
        for i in 1..powers.len() {
            powers[i] = BASE.wrapping_mul(powers[i - 1]);
        }
        Self {
            slots: [Slot::default(); RING],
            rolling: 0,
            telling: 0,
            first: 0,
            next: 0,
            last: vec![(0, 0); LAST_SLOTS],
            powers,
        }
    }

    /// Forgets everything; the next token has number `unit`.
    pub(super) fn start(&mut self, unit: usize) {
        (self.rolling, self.telling, self.first, self.next) = (0, 0, unit, unit);
        self.slots = [Slot::default(); RING];
    }

    /// Takes the next token; an n-gram ends with it unless fewer than [`NGRAM_TOKENS`] have been seen.
    pub(super) fn push(&mut self, token: Token, start: usize, end: usize) -> Option<Gram> {
        let number = self.next;
        if number >= self.first + NGRAM_TOKENS {
            self.leave(number - NGRAM_TOKENS);
        }
        let worth = if token.is_name {
            self.distance(token.hash, number)
        } else {
            mix(token.hash)
        };
        self.rolling = self.rolling.wrapping_mul(BASE).wrapping_add(worth);
        self.slots[number % RING] = Slot {
            worth,
            follower: 0,
            start,
            tells: token.tells,
        };
        self.telling += usize::from(token.tells);
        self.next += 1;
        let unit = (number + 1).checked_sub(self.first + NGRAM_TOKENS)? + self.first;
        if self.telling < MIN_TELLING {
            return None;
        }
        Some(Gram {
            hash: Channel::Code.seal(self.rolling),
            unit,
            start: self.slots[unit % RING].start,
            end,
        })
    }

    /// Takes token `number` out of the sum; the next token of its name is now the first of it.
    fn leave(&mut self, number: usize) {
        let slot = self.slots[number % RING];
        self.telling -= usize::from(slot.tells);
        self.rolling = self
            .rolling
            .wrapping_sub(slot.worth.wrapping_mul(self.powers[NGRAM_TOKENS - 1]));
        if slot.follower > number {
            let follower = &mut self.slots[slot.follower % RING];
            let change = distance_worth(0).wrapping_sub(follower.worth);
            follower.worth = distance_worth(0);
            let power = self.powers[self.next - 1 - slot.follower];
            self.rolling = self.rolling.wrapping_add(change.wrapping_mul(power));
        }
    }

    /// What name `hash` is worth as token `number`.
    fn distance(&mut self, hash: u64, number: usize) -> u64 {
        let (name, last) = &mut self.last[hash as usize % LAST_SLOTS];
        let known = *name == hash && *last >= self.first && number - *last < NGRAM_TOKENS && *last < number;
        let distance = if known { number - *last } else { 0 };
        if known {
            self.slots[*last % RING].follower = number;
        }
        (*name, *last) = (hash, number);
        distance_worth(distance)
    }
}

fn distance_worth(distance: usize) -> u64 {
    mix(SEED ^ 0x100 ^ (distance as u64) << 32)
}
