//! Words by the batch: cut by bit maps, hashed eight at once, rolled into n-grams; the same n-grams as `words::scan`.
//!
//! ```text
//!   map of word bytes ─► starts, ends ─► 16 bytes a word, in two halves ─► hashes ─► sums of every six ─► sealed
//! ```
//!
//! A batch is what 4 KiB of text hold, and the five words before: it stays in the first cache.

use super::classes::{BLOCK, Classes};
use super::grams::{Channel, Gram, HASH_BITS, mix};
use super::words::{self, NGRAM_WORDS, SEED};

/// Blocks of text of a batch.
const BATCH_BLOCKS: usize = 64;
/// Words before a batch that its n-grams begin with.
const KEPT_WORDS: usize = NGRAM_WORDS - 1;
/// Room for the words of a batch: one every second byte, one left open, and what is written past the end.
const ROOM: usize = KEPT_WORDS + BATCH_BLOCKS * BLOCK / 2 + 1 + BLOCK;
/// Numbers of a vector.
pub(super) const LANES: usize = 8;
/// What each word of an n-gram is multiplied by.
const POWERS: [u64; NGRAM_WORDS] = {
    let mut powers = [1u64; NGRAM_WORDS];
    let mut i = NGRAM_WORDS - 1;
    while i > 0 {
        powers[i - 1] = powers[i].wrapping_mul(words::BASE);
        i -= 1;
    }
    powers
};

/// Receives the n-grams of a scan.
pub(super) trait Sink {
    /// Whether it may want the n-gram of this channel with this hash; only those that it may are shown to it.
    fn wants(&self, channel: Channel, hash: u64) -> bool;
    /// Writes the places of the `hashes` it may want to `out`, which has room for all, and returns their number.
    fn choose(&self, channel: Channel, hashes: &[u64], out: &mut [u32]) -> usize {
        let mut chosen = 0;
        for (place, hash) in hashes.iter().enumerate() {
            out[chosen] = place as u32;
            chosen += usize::from(self.wants(channel, *hash));
        }
        chosen
    }

    /// An n-gram.
    fn take(&mut self, channel: Channel, gram: Gram);
}

/// The hash of word `text[start..end]`, ASCII case folded: as `grams::hash_bytes` does.
pub(super) fn hash_word(seed: u64, text: &[u8], start: usize, end: usize) -> u64 {
    let (eights, rest) = text[start..end].as_chunks::<8>();
    let state = eights
        .iter()
        .fold(seed, |state, eight| mix(state ^ folded(u64::from_be_bytes(*eight))));
    let pending = rest.iter().fold(0, |pending, &byte| pending << 8 | u64::from(byte));
    mix(mix(state ^ folded(pending)).wrapping_add((end - start) as u64))
}

/// ASCII capitals made small, in each of 8 bytes.
fn folded(bytes: u64) -> u64 {
    const fn all(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    let low = bytes & all(0x7f);
    let from_a = low.wrapping_add(all(0x80 - b'A'));
    let past_z = low.wrapping_add(all(0x7f - b'Z'));
    bytes | ((from_a ^ past_z) & !bytes & all(0x80)) >> 2
}

/// Hashes of the words of `text` with these borders.
pub(super) fn hash(text: &[u8], starts: &[u32], ends: &[u32], out: &mut [u64]) {
    for ((out, start), end) in out.iter_mut().zip(starts).zip(ends) {
        *out = hash_word(SEED, text, *start as usize, *end as usize);
    }
}

/// Where words or tokens may begin and end, as bit maps.
#[derive(Clone, Copy)]
pub(super) struct Borders<'a> {
    pub(super) starts: &'a [u64],
    pub(super) ends: &'a [u64],
}

/// Starts from `from` to before `to`, and ends behind `from` up to `to`, written to two tables; how many of each. Both lie
/// in one block: `from / 64` is `to / 64`, or `to` is where the next begins. 72 places are written over in either.
pub(super) fn places(borders: Borders<'_>, from: usize, to: usize, out: [&mut [u32]; 2]) -> [usize; 2] {
    let [starts, ends] = cut(borders, from, to);
    let at = (from / BLOCK * BLOCK) as u32;
    let [out_starts, out_ends] = out;
    [write(starts, at, out_starts), write(ends, at + 1, out_ends)]
}

/// The bits of [`places`]; those of ends moved by one.
#[inline(always)]
pub(super) fn cut(borders: Borders<'_>, from: usize, to: usize) -> [u64; 2] {
    let block = from / BLOCK;
    let within = u64::MAX << (from % BLOCK) & u64::MAX >> (BLOCK - 1 - (to - 1) % BLOCK);
    let next = borders.ends.get(block + 1).copied().unwrap_or(0);
    let ends = borders.ends[block] >> 1 | next << 63;
    [borders.starts[block] & within, ends & within]
}

/// The sealed n-grams of `words`: `out` has one for each but the last five.
#[inline(always)]
pub(super) fn roll(words: &[u64], out: &mut [u64]) {
    for (i, out) in out.iter_mut().enumerate().take(words.len().saturating_sub(KEPT_WORDS)) {
        let mut sum = 0u64;
        for (place, power) in POWERS.iter().enumerate() {
            sum = sum.wrapping_add(words[i + place].wrapping_mul(*power));
        }
        *out = mix(sum) >> (64 - HASH_BITS);
    }
}

/// The words of a batch.
#[derive(Debug)]
pub(super) struct Batch {
    starts: Vec<u32>,
    ends: Vec<u32>,
    hashes: Vec<u64>,
    grams: Vec<u64>,
    wanted: Vec<u32>,
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            starts: vec![0; ROOM],
            ends: vec![0; ROOM],
            hashes: vec![0; ROOM],
            grams: vec![0; ROOM],
            wanted: vec![0; ROOM],
        }
    }
}

/// Where a batch stands: places in its tables, of which the first [`KEPT_WORDS`] belong to the words before.
struct At {
    /// Behind the last start, and the last end.
    starts: usize,
    ends: usize,
    /// Words before the batch.
    words: usize,
}

impl Batch {
    /// Shows `sink` what it wants of the n-grams of words of `text`; returns the number of words.
    pub(super) fn scan(&mut self, text: &[u8], classes: &Classes, sink: &mut impl Sink) -> usize {
        let mut at = At {
            starts: KEPT_WORDS,
            ends: KEPT_WORDS,
            words: 0,
        };
        let mut inside = 0;
        for (i, blocks) in classes.words.chunks(BATCH_BLOCKS).enumerate() {
            let first = (i * BATCH_BLOCKS * BLOCK) as u32;
            for (start, &words) in (first..).step_by(BLOCK).zip(blocks) {
                let before = words << 1 | inside;
                inside = words >> 63;
                at.starts += classes
                    .kernel
                    .write(words & !before, start, &mut self.starts[at.starts..]);
                at.ends += classes.kernel.write(!words & before, start, &mut self.ends[at.ends..]);
            }
            self.show(text, classes, &mut at, sink);
        }
        if at.starts > at.ends {
            self.ends[at.ends] = text.len() as u32;
            at.ends += 1;
            self.show(text, classes, &mut at, sink);
        }
        at.words
    }

    /// Makes n-grams of the words that have both borders, and moves what the next batch needs to the front.
    fn show(&mut self, text: &[u8], classes: &Classes, at: &mut At, sink: &mut impl Sink) {
        let open = at.starts - at.ends;
        let open_start = self.starts[at.ends];
        let mut end = at.ends;
        if classes.has_backslash {
            end = self.without_escapes(text, end);
        }
        let count = end - KEPT_WORDS;
        let (starts, ends) = (&self.starts[KEPT_WORDS..end], &self.ends[KEPT_WORDS..end]);
        classes
            .kernel
            .hash(text, starts, ends, &mut self.hashes[KEPT_WORDS..end]);
        classes.kernel.roll(&self.hashes[..end], &mut self.grams);
        let first = KEPT_WORDS.saturating_sub(at.words).min(count);
        let wanted = sink.choose(Channel::Words, &self.grams[first..count], &mut self.wanted);
        for i in self.wanted[..wanted].iter().map(|i| first + *i as usize) {
            let gram = Gram {
                hash: self.grams[i],
                unit: at.words + i - KEPT_WORDS,
                start: self.starts[i] as usize,
                end: self.ends[i + KEPT_WORDS] as usize,
            };
            sink.take(Channel::Words, gram);
        }
        self.starts.copy_within(count..end, 0);
        self.hashes.copy_within(count..end, 0);
        self.starts[KEPT_WORDS] = open_start;
        *at = At {
            starts: KEPT_WORDS + open,
            ends: KEPT_WORDS,
            words: at.words + count,
        };
    }

    /// Takes the letters of escapes off the fronts of words, and words that are nothing else out; returns the new end.
    fn without_escapes(&mut self, text: &[u8], end: usize) -> usize {
        let mut kept = KEPT_WORDS;
        for i in KEPT_WORDS..end {
            let (mut start, word_end) = (self.starts[i], self.ends[i]);
            let at = start as usize;
            if at > 0 && text[at - 1] == b'\\' {
                start += words::escaped(&text[at..]) as u32;
            }
            (self.starts[kept], self.ends[kept]) = (start, word_end);
            kept += usize::from(start < word_end);
        }
        kept
    }
}

/// Writes the places of the bits, from `at`, eight at once, and returns their number; those too many are overwritten.
#[inline(always)]
pub(super) fn write(mut bits: u64, at: u32, room: &mut [u32]) -> usize {
    let count = bits.count_ones() as usize;
    let (room, _) = room[..BLOCK + LANES].as_chunks_mut::<LANES>();
    for eight in room {
        for place in eight {
            *place = at + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
        if bits == 0 {
            break;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::code::Only;
    use super::super::kernel::Kernel;
    use super::*;
    use crate::near::kernel::Level;

    fn by_lanes(level: Level, text: &[u8]) -> (usize, Vec<Gram>) {
        let (mut out, classes) = (Vec::new(), Classes::by(Kernel::new(level), text));
        let mut take = |gram| out.push(gram);
        let words = Batch::default().scan(text, &classes, &mut Only(Channel::Words, &mut take));
        (words, out)
    }

    fn plain(text: &[u8]) -> (usize, Vec<Gram>) {
        let mut out = Vec::new();
        let words = words::scan(text, |gram| out.push(gram));
        (words, out)
    }

    #[test]
    fn batches_join_without_a_seam() {
        let line = |i: usize| format!("word{i} \\n{} Aé_{i}{}", i * i, ",\n".repeat(i % 7));
        let text: String = (0..1_000).map(line).collect();
        for skipped in 0..70 {
            let text = &text.as_bytes()[skipped..];
            assert_eq!(by_lanes(Level::best(), text), plain(text), "{skipped}");
        }
        assert_eq!(by_lanes(Level::Portable, text.as_bytes()), plain(text.as_bytes()));
    }

    proptest! {
        #[test]
        fn words_are_those_of_the_plain_scan(pieces in proptest::collection::vec(prop_oneof![
            "[a-zA-Z0-9_]{1,3}", "[a-zA-Z0-9_]{7,40}", "[ .,\n]{1,3}", "\\\\{1,2}[nrtuxd]", "\\\\u[0-9a-g]{4}", "[à-ý]{1,2}"], 0..200)) {
            let text = pieces.concat();
            prop_assert_eq!(by_lanes(Level::best(), text.as_bytes()), plain(text.as_bytes()));
            prop_assert_eq!(by_lanes(Level::Portable, text.as_bytes()), plain(text.as_bytes()));
        }
    }
}
