//! Finds runs that look like encoded data: what three regular expressions of the StarCoder2 paper match.
//!
//! ```text
//!   base64    [a-zA-Z0-9+/\n=]{64,}
//!   hex       (?:\b(?:0x|\\x)?[0-9a-fA-F]{2}(?:,|\b\s*)){8,}
//!   unicode   (?:\\u[0-9a-fA-F]{4}){8,}
//! ```
//! Written by hand because a regular expression engine needs a state per byte, while a run of 64 bytes of one class
//! cannot hide between two probes 64 bytes apart. Matches are leftmost, greedy and do not overlap, each expression for
//! itself; the tests compare them with the `regex` crate.

/// Runs that look like encoded data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoded {
    /// The longest match, in characters.
    pub longest: u64,
    /// All matches together, in characters; text that two expressions match counts twice.
    pub total: u64,
}

/// Fewest repetitions of a group in `hex` and `unicode`.
const REPETITIONS: usize = 8;
/// Fewest characters of `base64`.
const BASE64_RUN: usize = 64;
/// Fewest bytes of `hex`: eight pairs with a space or comma between them.
const HEX_RUN: usize = 3 * REPETITIONS - 1;

impl Encoded {
    /// Measures `text`.
    pub fn of(text: &str) -> Self {
        let mut encoded = Self::default();
        base64(text, &mut |found| encoded.add(found));
        hexadecimal(text, &mut |found| encoded.add(found));
        unicode(text, &mut |found| encoded.add(found));
        encoded
    }

    fn add(&mut self, found: &str) {
        let characters = found.chars().count() as u64;
        self.longest = self.longest.max(characters);
        self.total += characters;
    }
}

/// Bits of [`CLASS`].
const BASE64: u8 = 1;
const HEX: u8 = 2;

/// Which expressions a byte can be part of. Bytes beyond ASCII may be a space of `hex`.
static CLASS: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let ascii = byte as u8;
        if ascii.is_ascii_alphanumeric() || matches!(ascii, b'+' | b'/' | b'\n' | b'=') {
            table[byte] |= BASE64;
        }
        if ascii.is_ascii_hexdigit() || matches!(ascii, b'x' | b'\\' | b',' | b' ' | 9..=13) || ascii >= 0x80 {
            table[byte] |= HEX;
        }
        byte += 1;
    }
    table
}

/// Calls `found(start, end)` for each maximal run of at least `shortest` bytes of `class`.
///
/// Looks at every `shortest`-th byte only: if that one is not of the class, no run covers it. If it is, the run's start
/// is searched backwards, never beyond the last probe.
fn runs(bytes: &[u8], class: u8, shortest: usize, found: &mut impl FnMut(usize, usize)) {
    let inside = |at: usize| CLASS[usize::from(bytes[at])] & class != 0;
    let mut start = 0;
    while start + shortest <= bytes.len() {
        let probe = start + shortest - 1;
        match (start..=probe).rev().find(|&at| !inside(at)) {
            Some(outside) => start = outside + 1,
            None => {
                let end = (probe + 1..bytes.len()).find(|&at| !inside(at)).unwrap_or(bytes.len());
                found(start, end);
                start = end + 1;
            }
        }
    }
}

fn base64<'a>(text: &'a str, found: &mut impl FnMut(&'a str)) {
    runs(text.as_bytes(), BASE64, BASE64_RUN, &mut |start, end| {
        found(&text[start..end]);
    });
}

fn hexadecimal<'a>(text: &'a str, found: &mut impl FnMut(&'a str)) {
    runs(text.as_bytes(), HEX, HEX_RUN, &mut |start, end| {
        let mut at = start;
        while at < end {
            let chain = pairs(text, at);
            if chain.count >= REPETITIONS {
                found(&text[at..chain.end]);
            }
            // A chain cannot be entered in its middle, so a search goes on where it ended.
            at = chain.end.max(at + 1);
        }
    });
}

/// A chain of repeated groups.
struct Chain {
    count: usize,
    end: usize,
}

/// The chain of `\b(0x|\\x)?HH(,|\b\s*)` that starts at `at`. Each group can match in one way only: what follows the
/// digits decides, and a space given back could not start the next group.
fn pairs(text: &str, at: usize) -> Chain {
    let bytes = text.as_bytes();
    let mut chain = Chain { count: 0, end: at };
    loop {
        let prefixed = matches!(bytes.get(chain.end..chain.end + 2), Some(b"0x" | b"\\x"));
        let digits = chain.end + 2 * usize::from(prefixed);
        let is_pair = bytes
            .get(digits..digits + 2)
            .is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit));
        if !is_pair || !is_boundary(text, chain.end) {
            return chain;
        }
        let mut end = digits + 2;
        if bytes.get(end) == Some(&b',') {
            end += 1;
        } else if is_boundary(text, end) {
            end = text.len() - text[end..].trim_start().len();
        } else {
            return chain;
        }
        chain = Chain {
            count: chain.count + 1,
            end,
        };
    }
}

/// `\b`: exactly one side is a word character. Called beside ASCII bytes only, so `at` is a character border.
fn is_boundary(text: &str, at: usize) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let before = text[..at].chars().next_back().is_some_and(is_word);
    let after = text[at..].chars().next().is_some_and(is_word);
    before != after
}

fn unicode<'a>(text: &'a str, found: &mut impl FnMut(&'a str)) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for start in memchr::memchr_iter(b'\\', bytes) {
        if start < done {
            continue;
        }
        let mut end = start;
        while is_escape(&bytes[end..]) {
            end += 6;
        }
        if end - start >= 6 * REPETITIONS {
            found(&text[start..end]);
        }
        done = end;
    }
}

/// Whether `bytes` start with `\u` and four hexadecimal digits.
fn is_escape(bytes: &[u8]) -> bool {
    bytes.len() >= 6 && bytes.starts_with(b"\\u") && bytes[2..6].iter().all(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    type Scanner = for<'a> fn(&'a str) -> Vec<&'a str>;

    fn all_base64(text: &str) -> Vec<&str> {
        let mut all = Vec::new();
        base64(text, &mut |found| all.push(found));
        all
    }

    fn all_hexadecimal(text: &str) -> Vec<&str> {
        let mut all = Vec::new();
        hexadecimal(text, &mut |found| all.push(found));
        all
    }

    fn all_unicode(text: &str) -> Vec<&str> {
        let mut all = Vec::new();
        unicode(text, &mut |found| all.push(found));
        all
    }

    const ORACLES: [(&str, Scanner); 3] = [
        (r"[a-zA-Z0-9+/\n=]{64,}", all_base64),
        (r"(?:\b(?:0x|\\x)?[0-9a-fA-F]{2}(?:,|\b\s*)){8,}", all_hexadecimal),
        (r"(?:\\u[0-9a-fA-F]{4}){8,}", all_unicode),
    ];

    fn agrees(text: &str) -> Result<(), TestCaseError> {
        for (pattern, scanner) in ORACLES {
            let oracle = Regex::new(pattern).expect("valid pattern");
            let expected: Vec<&str> = oracle.find_iter(text).map(|found| found.as_str()).collect();
            prop_assert_eq!(scanner(text), expected, "{} on {:?}", pattern, text);
        }
        Ok(())
    }

    /// Text of pieces that come close to a match, so that both sides find some.
    fn pieces(pool: &'static [&'static str], most: usize) -> impl Strategy<Value = String> {
        prop::collection::vec(prop::sample::select(pool), 0..most).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn hexadecimal_agrees_with_regex(
            text in pieces(&["4f", "0x4f", "\\x4f", "a0,", "a0 ", ",", "  ", "\n", "x", "é", "\u{a0}", "_", "\\", "0"], 60),
        ) {
            agrees(&text)?;
        }

        #[test]
        fn near_chains_agree_with_regex(text in pieces(&["4f,", "4f,", "4f,", "0x4f,", "4f ", "\\x4f", "4f,4f,4f,4f,4f,4f,4f,", "é", "g"], 24)) {
            agrees(&text)?;
        }

        #[test]
        fn base64_and_unicode_agree_with_regex(
            text in pieces(&["QUJDREVGR0hJSktMTU5PUFFSU1Q", "=", "\n", "+/", " ", "é", "\\u00e9", "\\u00e9\\u00e9\\u00e9", "\\u", "12"], 24),
        ) {
            agrees(&text)?;
        }
    }

    #[test]
    fn matches_start_at_their_smallest_length() {
        let cases = [
            ("a".repeat(63), 0),
            ("a".repeat(64), 64),
            ("4f,".repeat(7), 0),
            ("4f,".repeat(8), 24),
            ("4f ".repeat(7) + "4f", 23),
            ("\\u00e9".repeat(7), 0),
            ("\\u00e9".repeat(8), 48),
        ];
        for (text, total) in cases {
            assert_eq!(Encoded::of(&text), Encoded { longest: total, total }, "{text}");
        }
    }
}
