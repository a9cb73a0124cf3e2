//! What a lexer of code has read, on its way to tokens: words, numbers, strings and marks in the order they stand.
//!
//! ```text
//!   starts, ends ─► first 16 bytes ─► hash, flags        of all events at once: no branch
//!                                  ─► kept words         of the few that may be one: keyword, library's name, `self.`
//!                                  ─► tokens             those that count: brackets and commas do not
//! ```

use super::classes::Classes;
use super::code::SEED;
use super::grams::{Channel, Gram, hash_bytes};
use super::kept::{KEPT, Kept};
use super::kernel::Kernel;
use super::lanes::{Borders, LANES, Sink, hash_word};
use super::window::{LAST_SLOTS, NO_NAME, TELLING, Tokens};

/// Room for events; a block may add half of what it has, and more is written.
pub(super) const ROOM: usize = 1_024 + 128;
/// Events from which they are settled.
const FULL: usize = 1_024;
/// Shortest name that the names channel sees, in letters and digits.
pub(super) const MIN_NAME_BYTES: usize = 7;

/// Longest name of which the letters are gathered before they are hashed.
const LONGEST_COPIED: usize = 63;

/// The event is a word.
pub(super) const WORD: u8 = 1;
/// It is a number.
pub(super) const NUMBER: u8 = 2;
/// It is a token.
pub(super) const COUNTS: u8 = 4;
/// It says what is done: a keyword, a library's name, an operator.
pub(super) const TELLS: u8 = 8;
/// It is a round bracket, which is a token only behind what can be called.
pub(super) const OPENS: u8 = 16;
/// It can be called, or its end can.
pub(super) const CALLABLE: u8 = 32;
/// It is a name, and renamed.
pub(super) const NAME: u8 = 64;
/// It is a keyword behind which a declared name stands.
pub(super) const DECLARES: u8 = 128;

/// Flags of events by their first byte, an ASCII one; those of all others are [`OTHER`].
pub(super) const FLAGS: [u8; 128] = {
    let mut flags = [COUNTS | TELLS; 128];
    let mut i = 0;
    while i < flags.len() {
        match i as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' => flags[i] = OTHER,
            b'0'..=b'9' => flags[i] = NUMBER | COUNTS,
            b'=' | b'.' | b'[' | b'{' => flags[i] = COUNTS,
            b'(' => flags[i] = OPENS,
            b')' => flags[i] = CALLABLE,
            b']' => flags[i] |= CALLABLE,
            b',' | b';' | b':' | b'\\' | b'"' | b'\'' | b'`' => flags[i] = 0,
            _ => {}
        }
        i += 1;
    }
    flags
};
/// Flags of words.
pub(super) const OTHER: u8 = WORD | NAME | COUNTS | CALLABLE;

/// Events that are not settled yet, and room to settle them in.
#[derive(Debug)]
pub(super) struct Events {
    kernel: Kernel,
    count: usize,
    /// Whether the last one has no end yet.
    is_open: bool,
    pub(super) starts: Vec<u32>,
    pub(super) ends: Vec<u32>,
    /// Events that are strings, and their hashes.
    strings: Vec<(u32, u64)>,
    pub(super) values: Vec<u64>,
    /// Behind those of the event before the first.
    pub(super) flags: Vec<u8>,
    /// Events that may be kept words.
    pub(super) kept: List,
    /// Events that are words of [`MIN_NAME_BYTES`] or more.
    pub(super) long: List,
    /// Flags of the last settled event.
    before: u8,
    /// First byte of the last settled event.
    last_byte: u8,
    /// Whether the next event is the point of a `self.`.
    skips: bool,
}

/// Numbers of some events.
#[derive(Debug)]
pub(super) struct List {
    pub(super) numbers: Vec<u32>,
    pub(super) count: usize,
}

impl Default for List {
    fn default() -> Self {
        Self {
            numbers: vec![0; ROOM + LANES],
            count: 0,
        }
    }
}

impl List {
    fn push(&mut self, number: usize) {
        self.numbers[self.count] = number as u32;
        self.count += 1;
    }
}

impl Default for Events {
    fn default() -> Self {
        Self {
            kernel: Kernel::default(),
            count: 0,
            is_open: false,
            starts: vec![0; ROOM],
            ends: vec![0; ROOM],
            strings: Vec::new(),
            values: vec![0; ROOM + LANES],
            flags: vec![0; ROOM + LANES],
            kept: List::default(),
            long: List::default(),
            before: 0,
            last_byte: 0,
            skips: false,
        }
    }
}

impl Events {
    /// Forgets everything, for another text, which `kernel` reads.
    pub(super) fn start(&mut self, kernel: Kernel) {
        self.kernel = kernel;
        (self.count, self.before, self.last_byte) = (0, 0, 0);
        (self.is_open, self.skips) = (false, false);
        self.strings.clear();
    }

    /// Adds what the maps tell from `from` to `to`, which lie in one block.
    pub(super) fn plain(&mut self, classes: &Classes, from: usize, to: usize) {
        let borders = Borders {
            starts: &classes.starts,
            ends: &classes.ends,
        };
        // A word may have been left open by the block before: its end comes first.
        let ends = self.count - usize::from(self.is_open);
        let out = [&mut self.starts[self.count..], &mut self.ends[ends..]];
        let [more_starts, more_ends] = self.kernel.places(borders, from, to, out);
        self.count += more_starts;
        self.is_open = self.count > ends + more_ends;
    }

    /// Ends the last event here, unless it has an end.
    pub(super) fn close(&mut self, end: usize) {
        if self.is_open {
            self.extend(end);
            self.is_open = false;
        }
    }

    /// Adds one event.
    pub(super) fn push(&mut self, start: usize, end: usize) {
        (self.starts[self.count], self.ends[self.count]) = (start as u32, end as u32);
        self.count += 1;
    }

    /// Adds a string that is a token.
    pub(super) fn push_string(&mut self, hash: u64, start: usize, end: usize) {
        self.strings.push((self.count as u32, hash));
        self.push(start, end);
    }

    /// Start and end of the last event.
    pub(super) fn last(&self) -> Option<(usize, usize)> {
        let last = self.count.checked_sub(1)?;
        Some((self.starts[last] as usize, self.ends[last] as usize))
    }

    /// Takes the last event back.
    pub(super) fn pop(&mut self) {
        self.count -= 1;
    }

    /// Moves the end of the last event.
    pub(super) fn extend(&mut self, end: usize) {
        self.ends[self.count - 1] = end as u32;
    }

    /// Whether there is no room for another block.
    pub(super) fn is_full(&self) -> bool {
        self.count >= FULL
    }

    /// Makes tokens of all events but the last `open`, which may still change, and shows `sink` their n-grams.
    pub(super) fn settle(&mut self, open: usize, text: &[u8], tokens: &mut Tokens, sink: &mut impl Sink) {
        let open = open.min(self.count);
        let count = self.count - open;
        (self.kept.count, self.long.count) = (0, 0);
        self.flags[0] = self.before;
        self.kernel.read(text, count, self);
        if self.skips && count > 0 {
            self.flags[1] &= !COUNTS;
            self.skips = false;
        }
        // The last one may be open, and is the first of those to come.
        let left = self.strings.pop_if(|(at, _)| *at as usize >= count);
        for (at, hash) in self.strings.drain(..) {
            self.values[at as usize] = hash;
            self.flags[at as usize + 1] = COUNTS;
        }
        self.strings.extend(left.map(|(_, hash)| (0, hash)));
        self.keep(text, count);
        self.kernel.compress(self, count, tokens);
        for at in &self.long.numbers[..self.long.count] {
            self.show_name(text, *at as usize, tokens, sink);
        }
        self.before = self.flags[count];
        if let Some(last) = count.checked_sub(1) {
            self.last_byte = text[self.starts[last] as usize];
        }
        tokens.show(self.kernel, sink);
        self.starts.copy_within(count..count + open, 0);
        self.ends.copy_within(count..count + open, 0);
        self.count = open;
    }

    /// Says which words are no names.
    fn keep(&mut self, text: &[u8], count: usize) {
        for at in self.kept.numbers[..self.kept.count].iter().map(|at| *at as usize) {
            let Some(kept) = KEPT.find(self.values[at]) else {
                continue;
            };
            let (start, end) = (self.starts[at] as usize, self.ends[at] as usize);
            if text.get(end) == Some(&b'.') && matches!(&text[start..end], b"self" | b"this") {
                self.flags[at + 1] &= !COUNTS;
                if at + 1 < count {
                    self.flags[at + 2] &= !COUNTS;
                } else {
                    self.skips = true;
                }
                continue;
            }
            let last_byte = match at.checked_sub(1) {
                Some(before) => text[self.starts[before] as usize],
                None => self.last_byte,
            };
            self.flags[at + 1] = kept_flags(kept, self.flags[at], last_byte, &text[end..]);
        }
    }

    fn show_name(&self, text: &[u8], at: usize, tokens: &Tokens, sink: &mut impl Sink) {
        let (start, end) = (self.starts[at] as usize, self.ends[at] as usize);
        let Some(hash) = fold_name(&text[start..end], self.values[at]) else {
            return;
        };
        if sink.wants(Channel::Names, hash) {
            let unit = tokens.unit_at(start);
            sink.take(Channel::Names, Gram { hash, unit, start, end });
        }
    }
}

/// Flags of a kept word. `before`, `last_byte`: flags and first byte of the event before it; `behind`: the text behind it.
fn kept_flags(kept: Kept, before: u8, last_byte: u8, behind: &[u8]) -> u8 {
    let next = behind.iter().copied().find(|byte| *byte != b' ').unwrap_or(0);
    let used = last_byte == b'.' || next == b'(' || next == b'.';
    let begins_word = FLAGS.get(usize::from(next)).is_none_or(|flags| flags & WORD != 0);
    match kept {
        Kept::Keyword => WORD | COUNTS | TELLS,
        Kept::Declaring if begins_word => WORD | COUNTS | TELLS | DECLARES,
        Kept::Library if used && before & DECLARES == 0 => WORD | COUNTS | TELLS | CALLABLE,
        _ => OTHER,
    }
}

/// The hash of a name without case and underscores, so that `closest_vowel` is `closestVowel`; none for short names.
/// `folded`: the hash of the whole word without case.
pub(super) fn fold_name(word: &[u8], folded: u64) -> Option<u64> {
    if word.len() > LONGEST_COPIED {
        let letters = || word.iter().filter(|byte| **byte != b'_').map(u8::to_ascii_lowercase);
        return (letters().count() >= MIN_NAME_BYTES).then(|| Channel::Names.seal(hash_bytes(SEED, letters())));
    }
    let (mut letters, mut count) = ([0; LONGEST_COPIED + 1], 0);
    for &byte in word {
        letters[count] = byte;
        count += usize::from(byte != b'_');
    }
    let state = match count {
        _ if count < MIN_NAME_BYTES => return None,
        _ if count == word.len() => folded,
        _ => hash_word(SEED, &letters, 0, count),
    };
    Some(Channel::Names.seal(state))
}

/// Fills values, flags and both lists for events `first` to before `count`.
pub(super) fn read(first: usize, text: &[u8], count: usize, events: &mut Events) {
    for at in first..count {
        let (start, end) = (events.starts[at] as usize, events.ends[at] as usize);
        let flags = FLAGS.get(usize::from(text[start])).copied().unwrap_or(OTHER);
        let value = value(text, start, end, flags);
        (events.flags[at + 1], events.values[at]) = (flags, value);
        if flags & WORD != 0 && KEPT.may_hold(value) {
            events.kept.push(at);
        }
        if flags & WORD != 0 && end - start >= MIN_NAME_BYTES {
            events.long.push(at);
        }
    }
}

/// What an event is: of words and numbers a hash, else the first byte.
pub(super) fn value(text: &[u8], start: usize, end: usize, flags: u8) -> u64 {
    match () {
        () if flags & WORD != 0 => hash_word(SEED, text, start, end),
        () if flags & NUMBER != 0 => hash_bytes(SEED ^ 1, text[start..end].iter().copied()),
        () => u64::from(text[start]),
    }
}

/// Makes tokens of events `first` to before `count`.
pub(super) fn compress(first: usize, events: &Events, count: usize, tokens: &mut Tokens) {
    for at in first..count {
        let (before, flags, value) = (events.flags[at], events.flags[at + 1], events.values[at]);
        // Brackets around a term are a matter of taste; those of a call are not, and one of them says it.
        let calls = flags & OPENS != 0 && before & CALLABLE != 0;
        if calls || flags & COUNTS != 0 {
            let slot = match () {
                () if flags & NAME != 0 => value % LAST_SLOTS,
                () if flags & TELLS != 0 => TELLING,
                () => NO_NAME,
            };
            tokens.push(value, slot, events.starts[at], events.ends[at]);
        }
    }
}
