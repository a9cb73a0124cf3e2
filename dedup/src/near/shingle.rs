//! Shingles: the sorted set of 64-bit hashes of n words in a row, ASCII case folded.
//!
//! ```text
//!   text      let  mut  total = total + 1 ;
//!   words     let  mut  total   total   1            runs of word bytes, as `schemas::text` says; each hashed once
//!   shingles  └── h0 ──────────────────┘             Σ word · M^(n−1−i) mod 2^64, rolled along, then mixed
//! ```
//! The hashes depend on the text and n alone, never on a seed, so sets of different runs can be compared.
//! Work is bounded by [`TEXT_MAX`]: memory stays under 12 bytes a byte of text.

use super::sketch::mix;

/// Longest text that is cut into shingles, in bytes; longer ones have no set and are kept.
pub const TEXT_MAX: usize = 32 << 20;

/// Odd multiplier of the rolling sum: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
/// Keys of the word hash: digits of pi.
const WORD_KEYS: [u64; 2] = [0x243F_6A88_85A3_08D3, 0x1319_8A2E_0370_7344];
/// Key of the shingle hash: digits of pi.
const SHINGLE_KEY: u64 = 0xA409_3822_299F_31D0;
/// Capacity that is kept between files, in hashes.
const KEPT_CAPACITY: usize = 1 << 20;
/// Sets up to this size are sorted by comparison alone.
const SMALL: usize = 64;

/// Cuts texts into sets of shingles, one text at a time; keeps its buffers.
#[derive(Clone, Debug)]
pub struct Shingler {
    ngram: usize,
    borders: Vec<u32>,
    words: Vec<u64>,
    set: Vec<u64>,
    spread: Vec<u64>,
    ends: Vec<u32>,
}

impl Shingler {
    /// For shingles of `ngram` words, at least 1.
    pub fn new(ngram: u32) -> Self {
        Self {
            ngram: ngram.max(1) as usize,
            borders: Vec::new(),
            words: Vec::new(),
            set: Vec::new(),
            spread: Vec::new(),
            ends: Vec::new(),
        }
    }

    /// The sorted set of the text's shingles; empty when it has fewer words than one shingle or is too long.
    pub fn set(&mut self, text: &[u8]) -> &[u64] {
        self.words.clear();
        self.set.clear();
        for buffer in [&mut self.words, &mut self.set, &mut self.spread] {
            buffer.shrink_to(KEPT_CAPACITY);
        }
        if text.len() <= TEXT_MAX {
            self.hash_words(text);
            self.roll();
            self.sort();
            self.set.dedup();
        }
        &self.set
    }

    /// Hashes of the words, in order.
    fn hash_words(&mut self, text: &[u8]) {
        let mut inside = 0;
        self.borders.clear();
        for (block, start) in text.chunks(64).zip((0u32..).step_by(64)) {
            let mask = word_mask(block);
            let mut changes = mask ^ (mask << 1 | inside);
            inside = mask >> 63;
            while changes != 0 {
                self.borders.push(start + changes.trailing_zeros());
                changes &= changes - 1;
            }
            // A last chunk that is cut short ends its word by itself, because the mask is zero beyond it.
            if self.borders.len() >= 1024 {
                self.hash_closed_words(text);
            }
        }
        if inside == 1 {
            self.borders.push(text.len() as u32);
        }
        self.hash_closed_words(text);
    }

    /// Hashes the words whose both borders are known; a word still open keeps its first border.
    fn hash_closed_words(&mut self, text: &[u8]) {
        let (words, open) = self.borders.as_chunks::<2>();
        let open = open.first().copied();
        self.words.extend(
            words
                .iter()
                .map(|[start, end]| hash_word(text, *start as usize, *end as usize)),
        );
        self.borders.clear();
        self.borders.extend(open);
    }

    /// The rolling sum over every n words in a row.
    fn roll(&mut self) {
        let Some(last) = self.words.len().checked_sub(self.ngram) else {
            return;
        };
        let leaving = (0..self.ngram).fold(1u64, |product, _| product.wrapping_mul(MULTIPLIER));
        let push = |sum: u64, word: u64| sum.wrapping_mul(MULTIPLIER).wrapping_add(word);
        let mut sum = self.words[..self.ngram].iter().fold(0, |sum, word| push(sum, *word));
        self.set.reserve(last + 1);
        self.set.push(mix(sum, SHINGLE_KEY));
        for (old, new) in self.words.iter().zip(&self.words[self.ngram..]) {
            sum = push(sum, *new).wrapping_sub(old.wrapping_mul(leaving));
            self.set.push(mix(sum, SHINGLE_KEY));
        }
    }

    /// Sorts the set: hashes are spread evenly, so one pass by their leading bits leaves short runs to sort.
    fn sort(&mut self) {
        if self.set.len() <= SMALL {
            self.set.sort_unstable();
            return;
        }
        let bits = (self.set.len() / 2).ilog2();
        let place = |hash: &u64| (hash >> (64 - bits)) as usize;
        self.ends.clear();
        self.ends.resize(1 << bits, 0);
        self.set.iter().for_each(|hash| self.ends[place(hash)] += 1);
        let mut start = 0;
        for end in &mut self.ends {
            start += std::mem::replace(end, start);
        }
        self.spread.resize(self.set.len(), 0);
        for hash in &self.set {
            let end = &mut self.ends[place(hash)];
            self.spread[*end as usize] = *hash;
            *end += 1;
        }
        let mut start = 0;
        for end in &self.ends {
            self.spread[start..*end as usize].sort_unstable();
            start = *end as usize;
        }
        std::mem::swap(&mut self.set, &mut self.spread);
    }
}

/// One bit a byte of `block` (at most 64): is it a word byte?
fn word_mask(block: &[u8]) -> u64 {
    let (eights, rest) = block.as_chunks::<8>();
    let mut mask = 0;
    for (i, eight) in eights.iter().enumerate() {
        mask |= word_bits(u64::from_le_bytes(*eight)) << (8 * i);
    }
    if !rest.is_empty() {
        mask |= word_bits(load_tail(rest)) << (8 * eights.len());
    }
    mask
}

/// [`word_mask`] of 8 bytes at once: arithmetic on all of them in one register, no carry between them.
fn word_bits(bytes: u64) -> u64 {
    const fn all(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    let low = bytes & all(0x7F);
    let folded = low | all(0x20);
    // The top bit of each byte of `from(x, c)` says: byte >= c. Holds because both are below 128.
    let from = |bytes: u64, first: u8| bytes.wrapping_add(all(0x80 - first));
    let letters = from(folded, b'a') & !from(folded, b'z' + 1);
    let digits = from(low, b'0') & !from(low, b'9' + 1);
    let underscores = from(low, b'_') & !from(low, b'_' + 1);
    let words = (bytes | letters | digits | underscores) & all(0x80);
    // Gathers the eight top bits into the lowest byte.
    (words >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The word `text[start..end]`, case folded, as 64 bits: 8 bytes a step, the length first.
fn hash_word(text: &[u8], start: usize, end: usize) -> u64 {
    let mut hash = ((end - start) as u64).wrapping_mul(MULTIPLIER) ^ WORD_KEYS[0];
    let mut at = start;
    while end - at > 8 {
        hash = mix(hash ^ fold_case(load(text, at)), WORD_KEYS[1]);
        at += 8;
    }
    let unused = 64 - 8 * (end - at) as u32;
    mix(hash ^ fold_case(load(text, at)) & (u64::MAX >> unused), WORD_KEYS[1])
}

/// Sets bit 5 of every ASCII byte. Among word bytes this makes capitals small and leaves digits; `_` becomes 0x7F,
/// which no other word byte is.
fn fold_case(bytes: u64) -> u64 {
    let ascii = !bytes & 0x8080_8080_8080_8080;
    bytes | ascii >> 2
}

/// 8 bytes from `at`, or what is left of them.
fn load(text: &[u8], at: usize) -> u64 {
    match text[at..].first_chunk() {
        Some(eight) => u64::from_le_bytes(*eight),
        None => load_tail(&text[at..]),
    }
}

fn load_tail(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight[..bytes.len()].copy_from_slice(bytes);
    u64::from_le_bytes(eight)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use stackmill_schemas::text;

    use super::*;

    fn words(input: &str) -> Vec<Vec<u8>> {
        text::words(input.as_bytes())
            .map(|word| word.bytes.to_ascii_lowercase())
            .collect()
    }

    fn set(input: &str, ngram: u32) -> Vec<u64> {
        Shingler::new(ngram).set(input.as_bytes()).to_vec()
    }

    #[test]
    fn every_byte_is_classed_as_schemas_does() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut block = [b' '; 8];
                block[place] = byte;
                let expected = u64::from(text::is_word_byte(byte)) << place;
                assert_eq!(word_mask(&block), expected, "{byte} at {place}");
                assert_eq!(word_mask(&block[..=place]), expected, "{byte} at {place}, cut short");
            }
        }
    }

    #[test]
    fn case_folds_in_ascii_alone_and_words_stay_apart() {
        assert_eq!(set("Let MUT Total", 3), set("let mut total", 3));
        assert_eq!(set("let, mut\n(total)", 3), set("let mut total", 3));
        assert_ne!(set("É", 1), set("é", 1));
        for (a, b) in [
            ("ab c", "a bc"),
            ("a_", "a"),
            ("_", "__"),
            ("abcdefgh", "abcdefg"),
            ("abcdefghi", "abcdefgh"),
        ] {
            assert_ne!(set(a, 1), set(b, 1), "{a} {b}");
        }
        assert_ne!(set("a b", 2), set("b a", 2));
    }

    #[test]
    fn too_few_words_have_no_shingle() {
        assert_eq!(set("a b c d", 5).len(), 0);
        assert_eq!(set("a b c d e", 5).len(), 1);
        assert_eq!(set("", 1).len(), 0);
    }

    #[test]
    fn too_long_texts_have_no_set() {
        assert_eq!(Shingler::new(1).set(&vec![b'a'; TEXT_MAX]).len(), 1);
        assert_eq!(Shingler::new(1).set(&vec![b'a'; TEXT_MAX + 1]).len(), 0);
    }

    #[test]
    fn large_sets_are_sorted_sets_too() {
        let text: String = (0..5000).map(|i| format!("w{} ", i * i % 4001)).collect();
        let set = set(&text, 2);
        assert!(set.is_sorted_by(|a, b| a < b));
        let words = words(&text);
        assert_eq!(set.len(), words.windows(2).collect::<BTreeSet<_>>().len());
    }

    proptest! {
        /// Hashing is one to one on what it meets: as many shingles as distinct n-grams, equal for equal words.
        #[test]
        fn shingles_are_distinct_ngrams(text in "([a-cA-C_9é]{0,12}[ .\n]{1,3}){0,80}", ngram in 1u32..7) {
            let words = words(&text);
            let distinct: BTreeSet<_> = words.windows(ngram as usize).collect();
            let found = set(&text, ngram);
            prop_assert_eq!(found.len(), distinct.len());
            prop_assert!(found.is_sorted());
            let joined = words.iter().map(|word| String::from_utf8_lossy(word)).collect::<Vec<_>>().join("\n");
            prop_assert_eq!(set(&joined, ngram), found);
        }
    }
}
