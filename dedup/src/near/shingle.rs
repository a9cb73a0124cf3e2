//! Shingles: the sorted set of 32-bit hashes of n words in a row.
//!
//! ```text
//!   text      let  mut  total = total + 1 ;
//!   words     let  mut  total   total   1            each hashed once (`super::words`)
//!   shingles  └── h0 ──────────────────┘             Σ word · M^(n−1−i) mod 2^32
//!   set       sorted, repetitions out (`super::order`)
//! ```
//! The hashes depend on the text, n and the words alone, never on a seed, so sets of different runs can be compared.
//! Of two files of a thousand shingles each, one in 4,000 pairs has two different shingles with one hash, which moves the
//! index by half a thousandth: 64 bits would double what is sorted, stored and compared for it.
//!
//! Work is bounded by [`TEXT_MAX`]: memory stays under 8 bytes a byte of text.

use super::Words;
use super::kernel::{Kernel, Level};
use super::order::Room;
use super::words::{Alphabet, Marks, SEGMENT, Segment, hash_word};

/// Longest text that is cut into shingles, in bytes; longer ones have no set and are kept.
pub const TEXT_MAX: usize = 32 << 20;

/// Multiplier of the sum. Of the odd ones one that is 3 modulo 4: then differences of its powers have few factors of 2, which
/// are bits that words may differ in unnoticed when they change places.
const MULTIPLIER: u32 = 0x85EB_CA6B;
/// Capacity that is kept between files, in hashes.
const KEPT_CAPACITY: usize = 1 << 20;

/// Cuts texts into sets of shingles, one text at a time; keeps its buffers.
#[derive(Clone, Debug)]
pub struct Shingler {
    kernel: Kernel,
    cut: Words,
    alphabet: Alphabet,
    /// The text in small letters, where the words ask for it.
    small: String,
    /// Powers of the multiplier, from the first word of a shingle to the last.
    powers: Vec<u32>,
    marks: Marks,
    words: Vec<u32>,
    set: Vec<u32>,
    room: Room,
}

impl Shingler {
    /// For shingles of `ngram` words, at least 1, by the best instructions of this processor.
    pub fn new(ngram: u32) -> Self {
        Self::at(ngram, Level::best())
    }

    /// The same by `level`, or less where the processor does not have it.
    pub fn at(ngram: u32, level: Level) -> Self {
        let mut powers: Vec<u32> = std::iter::successors(Some(1u32), |power| Some(power.wrapping_mul(MULTIPLIER)))
            .take(ngram.max(1) as usize)
            .collect();
        powers.reverse();
        Self {
            kernel: Kernel::new(level),
            cut: Words::Folded,
            alphabet: Words::Folded.alphabet(),
            small: String::new(),
            powers,
            marks: Marks::new(),
            words: Vec::new(),
            set: Vec::new(),
            room: Room::default(),
        }
    }

    /// The same for other words.
    #[must_use]
    pub fn of(mut self, words: Words) -> Self {
        (self.cut, self.alphabet) = (words, words.alphabet());
        self
    }

    /// The sorted set of the text's shingles; empty when it has fewer words than one shingle or is too long.
    pub fn set(&mut self, text: &[u8]) -> &[u32] {
        self.set.clear();
        for buffer in [&mut self.words, &mut self.set, &mut self.room.spread] {
            buffer.shrink_to(KEPT_CAPACITY);
        }
        if text.len() <= TEXT_MAX {
            match self.cut {
                Words::Unicode => self.hash_unicode_words(text),
                Words::Folded | Words::Ascii => self.hash_words(text),
            }
            self.kernel.roll(&self.words, &self.powers, &mut self.set);
            self.kernel.sort(&mut self.set, &mut self.room);
        }
        &self.set
    }

    /// Hashes of the words, in order.
    fn hash_words(&mut self, text: &[u8]) {
        self.words.clear();
        self.marks.clear();
        for (bytes, start) in text.chunks(SEGMENT).zip((0u32..).step_by(SEGMENT)) {
            self.kernel
                .mark(Segment { bytes, start }, self.alphabet, &mut self.marks);
            if start as usize + bytes.len() == text.len() {
                self.marks.close(text);
            }
            self.kernel.hash(text, self.alphabet, &self.marks, &mut self.words);
            self.marks.clear_closed();
        }
    }

    /// Hashes of what stands between characters that are no letter, digit or `_`: n of them make n + 1 words.
    fn hash_unicode_words(&mut self, text: &[u8]) {
        self.words.clear();
        self.small.clear();
        let chars = String::from_utf8_lossy(text);
        self.small.extend(chars.chars().flat_map(char::to_lowercase));
        let (small, alphabet) = (self.small.as_bytes(), self.alphabet);
        let mut start = 0;
        let borders = self
            .small
            .match_indices(|char: char| !char.is_alphanumeric() && char != '_');
        let borders = borders.map(|(at, found)| (at, at + found.len()));
        for (end, next) in borders.chain([(small.len(), 0)]) {
            self.words.push(hash_word(small, start as u32, end as u32, alphabet));
            start = next;
        }
        self.small.shrink_to(8 * KEPT_CAPACITY);
    }
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

    fn set(input: &str, ngram: u32) -> Vec<u32> {
        Shingler::new(ngram).set(input.as_bytes()).to_vec()
    }

    #[test]
    fn every_byte_is_classed_as_schemas_does() {
        for byte in 0..=u8::MAX {
            for level in LEVELS {
                let found = Shingler::at(1, level).set(&[byte]).len();
                assert_eq!(found == 1, text::is_word_byte(byte), "{byte} {level:?}");
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

    /// Sets are equal iff the words are: `Shingler` of 1 against words that Python's `re` gave.
    #[test]
    fn words_of_publications_are_cut_as_there() {
        let of = |words, text: &str| Shingler::new(1).of(words).set(text.as_bytes()).to_vec();
        let list = |words, list: &[&str]| {
            let mut sets: Vec<u32> = list.iter().flat_map(|word| of(words, word)).collect();
            sets.sort_unstable();
            sets.dedup();
            sets
        };
        // [t for t in re.split("[^A-Za-z_0-9]", "Let a1=Été_x;b") if t]
        assert_eq!(
            of(Words::Ascii, "Let a1=Été_x;b"),
            list(Words::Ascii, &["Let", "a1", "t", "_x", "b"])
        );
        assert_ne!(of(Words::Ascii, "Let"), of(Words::Ascii, "let"));
        // re.split(r"\W", "Let a1=Été_x;; b".lower())
        let found = of(Words::Unicode, "Let a1=Été_x;; b");
        assert_eq!(found, list(Words::Unicode, &["let", "a1", "été_x", "", "b"]));
        assert_eq!(Shingler::new(2).of(Words::Unicode).set(b";").len(), 1);
    }

    const LEVELS: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];

    /// Bytes as they come in texts of many kinds: words of all lengths, blanks, non-ASCII, repetitions.
    fn texts() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            "[a-zA-Z0-9_]{1,40}",
            "[ -/:-@\\[-^`{-~\t\n]{1,70}",
            "[éßДж中]{1,6}",
            Just("x ".to_owned()),
        ];
        let valid = prop::collection::vec(piece, 0..300).prop_map(|pieces| pieces.concat().into_bytes());
        prop_oneof![4 => valid, 1 => prop::collection::vec(any::<u8>(), 0..400)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        /// Mutations: any other constant, shift or bound on one side of `kernel` and `words`.
        #[test]
        fn all_levels_give_the_same_bits(text in texts(), ngram in 1u32..20, repeat in 1usize..4) {
            let text = text.repeat(repeat);
            let sets = LEVELS.map(|level| Shingler::at(ngram, level).set(&text).to_vec());
            prop_assert_eq!(&sets[0], &sets[1]);
            prop_assert_eq!(&sets[0], &sets[2]);
        }
    }

    #[test]
    fn words_on_the_borders_of_blocks_and_segments_are_whole() {
        for length in [1, 7, 8, 9, 15, 16, 17, 24, 25, 63, 64, 65, 200] {
            for start in [0, 1, 63, 64, 65, 4000, SEGMENT - 1, SEGMENT, SEGMENT + 1] {
                for end in [0, 1, 15, 16, 17, 64] {
                    let text = [vec![b' '; start], vec![b'w'; length], vec![b'-'; end]].concat();
                    let plain = Shingler::new(1).set(&vec![b'W'; length]).to_vec();
                    assert_eq!(plain.len(), 1);
                    for level in LEVELS {
                        let found = Shingler::at(1, level).set(&text).to_vec();
                        assert_eq!(found, plain, "{level:?} {length} {start} {end}");
                    }
                }
            }
        }
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
