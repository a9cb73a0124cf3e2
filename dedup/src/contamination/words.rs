//! The word channel: the words of a text with escapes taken out, and a rolling hash over every six of them.
//!
//! ```text
//!   "    # Return x.\n"   ►  return x          punctuation, comment marks, quotes and indentation are no words
//!   "\\nReturn \\\"x\\\"" ►  return x          nor are the letters of \n \r \t \uXXXX, behind any number of backslashes
//! ```
//!
//! Words are those of [`schemas::text::words`](stackmill_schemas::text::words), ASCII case folded; they are found and
//! hashed in one pass, because this runs over every byte of a corpus.

use super::grams::{Gram, HASH_BITS, mix};

/// Length of an n-gram, in words. Shorter ones are found all over ordinary code and are easy to guess from their hash;
/// longer ones lose short fields, and one changed word costs more of them.
pub(super) const NGRAM_WORDS: usize = 6;

/// Seed of the word hashes: one for all packs, so that one pass over a file serves every pack.
pub(super) const SEED: u64 = 0x73_6d_70_61_63_6b_00_01;

/// Multiplier of the rolling hash (the golden ratio in 64 bits, made odd).
pub(super) const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
/// `BASE` to the power of [`NGRAM_WORDS`]: what the word that leaves the window is worth.
const LEAVING: u64 = BASE.wrapping_pow(NGRAM_WORDS as u32);
/// Slots of the ring of words: a power of two above [`NGRAM_WORDS`].
const RING: usize = 8;

/// A byte as it counts in a word: ASCII letters in lower case, 0 where it belongs to no word.
const FOLDED: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        if stackmill_schemas::text::is_word_byte(byte as u8) {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table
};

/// Calls `each` for every n-gram of `text`, in order; returns the number of words.
pub(super) fn scan(text: &[u8], mut each: impl FnMut(Gram)) -> usize {
    let mut window = Window::default();
    let mut at = 0;
    while at < text.len() {
        if FOLDED[usize::from(text[at])] == 0 {
            at += if text[at] == b'\\' { escape(&text[at..]) } else { 1 };
            continue;
        }
        let start = at;
        let hash = match letter_word(&text[at..]) {
            Some(length) => {
                at += length;
                mix(SEED
                    ^ text[start..at]
                        .iter()
                        .fold(0, |word, &byte| word << 8 | u64::from(byte)))
            }
            None => hash_word(text, &mut at),
        };
        if let Some(gram) = window.push(hash, start, at) {
            each(gram);
        }
    }
    window.words
}

/// Length of the escape at the start of `text`: backslashes, then `n`, `r` or `t`, or `u` and four hexadecimal digits.
/// Any other letter behind a backslash begins a word.
fn escape(text: &[u8]) -> usize {
    let backslashes = text.iter().take_while(|&&byte| byte == b'\\').count();
    backslashes + escaped(&text[backslashes..])
}

/// Length of what belongs to an escape at the start of `text`, behind its backslashes.
pub(super) fn escaped(text: &[u8]) -> usize {
    match text.first() {
        Some(b'n' | b'r' | b't') => 1,
        Some(b'u') if text.len() > 4 && text[1..5].iter().all(u8::is_ascii_hexdigit) => 5,
        _ => 0,
    }
}

/// Length of the letter at the start of `text`, in bytes, if it belongs to a script without spaces between words: there
/// each letter counts as a word. Chinese, kana; Thai, Lao, Tibetan; Burmese, Khmer.
fn letter_word(text: &[u8]) -> Option<usize> {
    let spaceless = matches!(
        *text,
        [0xe4..=0xe9, _, _, ..]
            | [0xe3, 0x81..=0xff, _, ..]
            | [0xe0, 0xb8..=0xbf, _, ..]
            | [0xe1, 0x80..=0x82 | 0x9e..=0x9f, _, ..]
    );
    spaceless.then_some(3)
}

/// Hashes the word at `at` and moves `at` behind it.
fn hash_word(text: &[u8], at: &mut usize) -> u64 {
    let (mut state, mut pending, mut length) = (SEED, 0u64, 0u64);
    while let Some(&byte) = text.get(*at) {
        let folded = FOLDED[usize::from(byte)];
        if folded == 0 || byte >= 0xe0 && letter_word(&text[*at..]).is_some() {
            break;
        }
        pending = pending << 8 | u64::from(folded);
        length += 1;
        *at += 1;
        if length.is_multiple_of(8) {
            state = mix(state ^ pending);
            pending = 0;
        }
    }
    mix(mix(state ^ pending).wrapping_add(length))
}

/// The last words and the rolling hash over them.
#[derive(Default)]
struct Window {
    hashes: [u64; RING],
    starts: [usize; RING],
    rolling: u64,
    words: usize,
}

impl Window {
    /// Takes the next word; an n-gram ends with it unless fewer than [`NGRAM_WORDS`] have been seen.
    #[inline]
    fn push(&mut self, hash: u64, start: usize, end: usize) -> Option<Gram> {
        let number = self.words;
        // The ring starts with zeros, so what leaves the window before it is full is worth nothing.
        let leaving = self.hashes[number.wrapping_sub(NGRAM_WORDS) % RING];
        self.rolling = self
            .rolling
            .wrapping_mul(BASE)
            .wrapping_add(hash)
            .wrapping_sub(leaving.wrapping_mul(LEAVING));
        self.hashes[number % RING] = hash;
        self.starts[number % RING] = start;
        self.words += 1;
        let word = self.words.checked_sub(NGRAM_WORDS)?;
        Some(Gram {
            hash: mix(self.rolling) >> (64 - HASH_BITS),
            unit: word,
            start: self.starts[word % RING],
            end,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hashes(text: &str) -> Vec<u64> {
        let mut out = Vec::new();
        scan(text.as_bytes(), |gram| out.push(gram.hash));
        out
    }

    #[test]
    fn ngrams_know_where_they_stand() {
        let text = "  ab cd(ef) gh, ij kl; mn";
        let mut grams = Vec::new();
        assert_eq!(scan(text.as_bytes(), |gram| grams.push(gram)), 7);
        let places: Vec<_> = grams
            .iter()
            .map(|gram| (gram.unit, &text[gram.start..gram.end]))
            .collect();
        assert_eq!(places, [(0, "ab cd(ef) gh, ij kl"), (1, "cd(ef) gh, ij kl; mn")]);
        assert!(grams.iter().all(|gram| gram.hash >> HASH_BITS == 0));
    }

    #[test]
    fn five_words_are_no_ngram() {
        assert!(hashes("one two three four five").is_empty());
        assert_eq!(hashes("one two three four five six").len(), 1);
    }

    #[test]
    fn punctuation_case_comments_and_escapes_do_not_count() {
        let plain = hashes("if x > 0:\n    return \"The sum\"\nelse:\tpass\n");
        assert_eq!(plain.len(), 3);
        for same in [
            "IF x>0: return the SUM else pass",
            "// if x > 0:\r\n//    return 'The sum'\r\n// else: pass",
            r#""if x > 0:\n    return \"The sum\"\nelse:\tpass\n""#,
            r#"\\"if x > 0:\\n    return \\\"The sum\\\"\\nelse:\\tpass\\n\\""#,
            r"if x \u003e 0:\u000areturn \u0022The sum\u0022\u000aelse:\u0009pass",
        ] {
            assert_eq!(hashes(same), plain, "{same}");
        }
    }

    #[test]
    fn letters_behind_a_backslash_begin_a_word_unless_they_are_an_escape() {
        let words = |text: &str| scan(text.as_bytes(), |_| ());
        assert_eq!(
            [
                words(r"\d"),
                words(r"\n"),
                words(r"\\\n"),
                words(r"\u12"),
                words(r"\u12ab")
            ],
            [1, 0, 0, 1, 0]
        );
        assert_eq!([words("\\"), words(r"\u"), words(r"a\")], [0, 1, 1]);
    }

    #[test]
    fn order_and_borders_of_words_count() {
        let [a, b] = [hashes("a b c d e f"), hashes("b a c d e f")];
        assert_ne!(a, b);
        assert_ne!(hashes("ab c d e f g"), hashes("a bc d e f g"));
        assert_ne!(hashes("eightlet a b c d e"), hashes("eightlet0 a b c d e"));
        assert_ne!(
            hashes("eightlet12345678 a b c d e"),
            hashes("12345678eightlet a b c d e")
        );
    }

    #[test]
    fn the_hash_never_changes() {
        // Packs outlive the program: another value here needs another version of the layout.
        // The values come from a second implementation.
        assert_eq!(hashes("the quick brown fox jumped over"), [0x75_d987_d803]);
        assert_eq!(
            hashes("identifiers longer_than_eight_bytes and_é_too x 0 1"),
            [0x61_00e4_dab6]
        );
    }

    #[test]
    fn scripts_without_spaces_are_read_letter_by_letter() {
        assert_eq!(hashes("最小の数は0になり").len(), 9 - NGRAM_WORDS + 1);
        assert_eq!(hashes("最小の, 数は 0になり"), hashes("最小の 数は0 になり"));
        assert!(hashes("наименьшее число списка").is_empty());
    }

    proptest! {
        #[test]
        fn words_are_those_of_schemas(text in "[\\x00-\\x5b\\x5d-\\u{7ff}]{0,60}") {
            let expected: Vec<_> = stackmill_schemas::text::words(text.as_bytes()).collect();
            let mut grams = Vec::new();
            prop_assert_eq!(scan(text.as_bytes(), |gram| grams.push(gram)), expected.len());
            prop_assert_eq!(grams.len(), expected.len().saturating_sub(NGRAM_WORDS - 1));
            for (gram, words) in grams.iter().zip(expected.windows(NGRAM_WORDS)) {
                let last = words[NGRAM_WORDS - 1];
                prop_assert_eq!((gram.start, gram.end), (words[0].start, last.start + last.bytes.len()));
            }
        }

        #[test]
        fn an_ngram_has_the_same_hash_wherever_it_stands(before in "[a-z ]{0,40}", after in "[a-z ]{0,40}") {
            let ours = hashes("six words in a row here");
            let all = hashes(&format!("{before} six words in a row here {after}"));
            prop_assert!(all.contains(&ours[0]));
        }

        #[test]
        fn any_bytes_are_fine(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            scan(&bytes, |gram| assert!(gram.start < gram.end && gram.end <= bytes.len()));
        }
    }
}
