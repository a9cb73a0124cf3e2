//! The last tokens of code, their names renamed, and the hashes of every eleven: by the batch.
//!
//! ```text
//!   token     for   v    in   w   :   v           in a window that begins …
//!   distance   -    0     -   0       3           … at `for`: 3        … at `in`: v was not in it yet, so 0
//!   n-gram    sum of (worth at distance 0, and the change to that of its distance where that lies inside) · power
//! ```
//!
//! A name counts as the number of tokens since it stood there last (0: not in this window). All windows of a batch are
//! summed at once: the same loop for every token, without a branch.

use super::code::{NGRAM_TOKENS, SEED};
use super::grams::{Channel, Gram, mix};
use super::kernel::Kernel;
use super::lanes::{LANES, Sink};

/// Fewest tokens of an n-gram that say what is done: lists of names and numbers are alike everywhere.
const MIN_TELLING: usize = 1;
/// Slots in which it is kept where a name stood last. Another name of the same slot hides it, wherever it stands; as only
/// names within a window matter, the hash of a window depends on nothing outside.
pub(super) const LAST_SLOTS: u64 = 1024;
/// In place of a slot: the token is no name.
pub(super) const NO_NAME: u64 = u64::MAX;
/// The same, and it says what is done: a keyword, a library's name, an operator.
pub(super) const TELLING: u64 = u64::MAX - 1;
/// In place of a distance: the name was not there before.
pub(super) const NEVER: u64 = u64::MAX;
/// Multiplier of the sums.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
/// Tokens before a batch that its n-grams begin with.
pub(super) const KEPT: usize = NGRAM_TOKENS - 1;
/// Tokens of a batch.
const BATCH: usize = super::events::ROOM;
/// Room for a batch, and for what is computed past its end.
const ROOM: usize = KEPT + BATCH + 2 * LANES;
/// What each token of an n-gram is multiplied by.
pub(super) const POWERS: [u64; NGRAM_TOKENS] = {
    let mut powers = [1u64; NGRAM_TOKENS];
    let mut i = KEPT;
    while i > 0 {
        powers[i - 1] = powers[i].wrapping_mul(BASE);
        i -= 1;
    }
    powers
};
/// What is added before a sum is sealed.
pub(super) const SEALED: u64 = Channel::Code.seal_key();

/// The tokens of a batch, behind the last ones of the batch before.
#[derive(Debug)]
pub(super) struct Tokens {
    pub(super) values: Vec<u64>,
    /// Of names, where it is kept where they stood last; else [`NO_NAME`] or [`TELLING`].
    pub(super) slots: Vec<u64>,
    /// What a token adds to a sum if its name was not there before.
    pub(super) worths: Vec<u64>,
    pub(super) distances: Vec<u64>,
    /// What it adds beside, if it was.
    pub(super) changes: Vec<u64>,
    pub(super) sums: Vec<u64>,
    pub(super) starts: Vec<u32>,
    pub(super) ends: Vec<u32>,
    wanted: Vec<u32>,
    /// Number of tokens, those before the batch among them.
    pub(super) count: usize,
    /// Tokens of this text that stand before the batch, at most [`KEPT`].
    before: usize,
    /// Number of the first token of the batch.
    pub(super) unit: usize,
}

impl Default for Tokens {
    fn default() -> Self {
        let room = || vec![0; ROOM];
        let places = || vec![0; ROOM];
        Self {
            values: room(),
            slots: room(),
            worths: room(),
            distances: room(),
            changes: room(),
            sums: room(),
            starts: places(),
            ends: places(),
            wanted: places(),
            count: KEPT,
            before: 0,
            unit: 0,
        }
    }
}

impl Tokens {
    /// Forgets everything; the next token has number `unit`.
    pub(super) fn start(&mut self, unit: usize) {
        (self.count, self.before, self.unit) = (KEPT, 0, unit);
        self.slots[..KEPT].fill(NO_NAME);
        self.distances[..KEPT].fill(NEVER);
    }

    /// Number of the next token.
    pub(super) fn next(&self) -> usize {
        self.unit + self.count - KEPT
    }

    /// Number of the token that begins at byte `start` of the text, or else of the one behind it.
    pub(super) fn unit_at(&self, start: usize) -> usize {
        let starts = &self.starts[KEPT..self.count];
        self.unit + starts.partition_point(|other| (*other as usize) < start)
    }

    /// Takes a token. `value`: what it is, a hash or a mark; `slot`: of a name, or [`NO_NAME`] or [`TELLING`].
    pub(super) fn push(&mut self, value: u64, slot: u64, start: u32, end: u32) {
        let at = self.count;
        (self.values[at], self.slots[at]) = (value, slot);
        (self.starts[at], self.ends[at]) = (start, end);
        self.count += 1;
    }

    /// Shows `sink` what it wants of the n-grams that end in the batch, and begins the next.
    pub(super) fn show(&mut self, kernel: Kernel, sink: &mut impl Sink) {
        kernel.worth(self);
        kernel.roll_tokens(self);
        let ngrams = self.count - KEPT;
        let first = (KEPT - self.before).min(ngrams);
        let wanted = sink.choose(Channel::Code, &self.sums[first..ngrams], &mut self.wanted);
        for i in self.wanted[..wanted].iter().map(|i| first + *i as usize) {
            let telling = self.slots[i..i + NGRAM_TOKENS]
                .iter()
                .filter(|slot| **slot == TELLING)
                .count();
            if telling >= MIN_TELLING {
                let gram = Gram {
                    hash: self.sums[i],
                    unit: self.unit + i - KEPT,
                    start: self.starts[i] as usize,
                    end: self.ends[i + KEPT] as usize,
                };
                sink.take(Channel::Code, gram);
            }
        }
        self.keep(ngrams);
    }

    /// Moves the last tokens before the batch to come.
    fn keep(&mut self, new: usize) {
        for table in [
            &mut self.values,
            &mut self.slots,
            &mut self.worths,
            &mut self.distances,
            &mut self.changes,
        ] {
            table.copy_within(new..new + KEPT, 0);
        }
        self.starts.copy_within(new..new + KEPT, 0);
        self.before = (self.before + new).min(KEPT);
        self.unit += new;
        self.count = KEPT;
    }
}

/// What a name at this distance is worth.
pub(super) const fn distance_worth(distance: usize) -> u64 {
    mix(SEED ^ 0x100 ^ (distance as u64) << 32)
}

/// What the distances 0 to 10 are worth beyond distance 0.
pub(super) const CHANGES: [u64; NGRAM_TOKENS] = {
    let mut changes = [0u64; NGRAM_TOKENS];
    let mut i = 0;
    while i < NGRAM_TOKENS {
        changes[i] = distance_worth(i).wrapping_sub(distance_worth(0));
        i += 1;
    }
    changes
};

/// `LANES` numbers of `table`, from `at`.
#[inline(always)]
fn lanes(table: &[u64], at: usize) -> [u64; LANES] {
    let lanes = table[at..].first_chunk::<LANES>();
    *lanes.expect("because tables have room for a vector behind the last token")
}

/// What the tokens of a batch are worth, and how far back their names stood.
#[inline(always)]
pub(super) fn worth(tokens: &mut Tokens) {
    for at in (KEPT..tokens.count).step_by(LANES) {
        let (values, slots) = (lanes(&tokens.values, at), lanes(&tokens.slots, at));
        let (mut distances, mut changes) = ([NEVER; LANES], [0; LANES]);
        for back in (1..NGRAM_TOKENS).rev() {
            let (other_values, other_slots) = (lanes(&tokens.values, at - back), lanes(&tokens.slots, at - back));
            for lane in 0..LANES {
                let same = values[lane] == other_values[lane];
                let (distance, change) = if same { (back as u64, CHANGES[back]) } else { (NEVER, 0) };
                let seen = slots[lane] == other_slots[lane];
                distances[lane] = if seen { distance } else { distances[lane] };
                changes[lane] = if seen { change } else { changes[lane] };
            }
        }
        let mut worths = [0; LANES];
        for lane in 0..LANES {
            let is_name = slots[lane] < LAST_SLOTS;
            worths[lane] = if is_name { distance_worth(0) } else { mix(values[lane]) };
            distances[lane] = if is_name { distances[lane] } else { NEVER };
        }
        tokens.worths[at..at + LANES].copy_from_slice(&worths);
        tokens.distances[at..at + LANES].copy_from_slice(&distances);
        tokens.changes[at..at + LANES].copy_from_slice(&changes);
    }
}

/// The sealed n-grams that end in the batch.
#[inline(always)]
pub(super) fn roll(tokens: &mut Tokens) {
    for at in (0..tokens.count - KEPT).step_by(LANES) {
        let mut sums = [SEALED; LANES];
        for (place, power) in POWERS.iter().enumerate() {
            let worths = lanes(&tokens.worths, at + place);
            let distances = lanes(&tokens.distances, at + place);
            let changes = lanes(&tokens.changes, at + place);
            for lane in 0..LANES {
                let inside = distances[lane] <= place as u64;
                let worth = worths[lane].wrapping_add(if inside { changes[lane] } else { 0 });
                sums[lane] = sums[lane].wrapping_add(worth.wrapping_mul(*power));
            }
        }
        for (out, sum) in tokens.sums[at..at + LANES].iter_mut().zip(sums) {
            *out = Channel::sealed(sum);
        }
    }
}
