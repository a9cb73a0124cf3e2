//! The literal channel: numbers and quoted strings in the order they stand, and a hash over every five in a row.
//!
//! ```text
//!   assert f([12, 7], 'ab') == 19.0   ►  12 7 ab 19      the same in any language, in prose, in JSON
//! ```
//!
//! What lies between literals does not count, so inputs and outputs survive a translation. Five small numbers stand
//! together everywhere: an n-gram counts only if it would be hard to guess, which is estimated in bits.

use super::classes::{Classes, next_set};
use super::grams::{Channel, Gram, hash_bytes, mix};
use super::lanes::Sink;

/// Length of an n-gram, in literals.
pub(super) const NGRAM_LITERALS: usize = 5;
/// Fewest bits of an n-gram that counts: one in 16,000 rows of five small numbers is like it by chance.
const MIN_BITS: u32 = 14;
/// Most bits of one literal: nothing is told by one alone.
const MAX_LITERAL_BITS: u32 = 9;
/// A step between two numbers up to which the second is easy to guess.
const SMALL_STEP: u64 = 6;
/// Longest quoted string that is one literal, in bytes.
const MAX_STRING_BYTES: usize = 80;
/// Longest number, in bytes.
const MAX_NUMBER_BYTES: usize = 40;
/// Strings that are constants where inputs and outputs are not quoted.
const CONSTANTS: [&[u8]; 6] = [b"True", b"False", b"None", b"true", b"false", b"null"];
/// Seed of the hashes.
const SEED: u64 = 0x73_6d_70_61_63_6b_00_03;

/// A literal: what it is and how hard it is to guess.
#[derive(Clone, Copy, Debug, Default)]
struct Literal {
    hash: u64,
    /// Its value, where it is a whole number of few digits: runs of successors are easy to guess.
    value: Option<u64>,
    bits: u32,
    start: usize,
}

/// Shows `sink` what it wants of the n-grams of `text` that are hard to guess; returns the number of literals.
pub(super) fn scan(text: &[u8], classes: &Classes, sink: &mut impl Sink) -> usize {
    let mut ring = [Literal::default(); NGRAM_LITERALS];
    let (mut at, mut count) = (0, 0);
    loop {
        at = next_set(&classes.literals, at, text.len());
        let literal = match text.get(at) {
            None => return count,
            Some(b'0'..=b'9') => number(text, &mut at),
            Some(_) => string(text, &mut at),
        };
        let Some(literal) = literal else { continue };
        ring.rotate_left(1);
        ring[NGRAM_LITERALS - 1] = literal;
        count += 1;
        if count < NGRAM_LITERALS {
            continue;
        }
        let hash = hash(&ring);
        if sink.wants(Channel::Literals, hash) && bits(&ring) >= MIN_BITS {
            let (unit, start, end) = (count - NGRAM_LITERALS, ring[0].start, at);
            sink.take(Channel::Literals, Gram { hash, unit, start, end });
        }
    }
}

fn number(text: &[u8], at: &mut usize) -> Option<Literal> {
    let start = *at;
    let rest = &text[start..text.len().min(start + MAX_NUMBER_BYTES)];
    let whole = rest
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'_')
        .count();
    let fraction = match rest[whole..] {
        [b'.', digit, ..] if digit.is_ascii_digit() => {
            1 + rest[whole + 1..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        }
        _ => 0,
    };
    *at += whole + fraction;
    // Whatever is joined to it (suffixes, exponents, letters of an address) is passed over.
    *at += text[*at..]
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
        .count();
    let digits = &rest[..whole];
    let decimals = rest[whole..whole + fraction]
        .iter()
        .rposition(|&byte| byte != b'0' && byte != b'.');
    let decimals = &rest[whole..whole + decimals.map_or(0, |last| last + 1)];
    let significant = digits.iter().chain(decimals).copied().filter(|&byte| byte != b'_');
    let length = significant.clone().count() as u32;
    let value = (decimals.is_empty() && whole <= 9).then(|| {
        digits
            .iter()
            .filter(|byte| byte.is_ascii_digit())
            .fold(0, |value, byte| value * 10 + u64::from(byte - b'0'))
    });
    let bits = match value {
        Some(0 | 1) => 1,
        Some(2..=9) => 2,
        Some(value) if value % 10 == 0 => (2 * length).saturating_sub(1).min(MAX_LITERAL_BITS / 2),
        _ => (3 * length).saturating_sub(1).min(MAX_LITERAL_BITS),
    };
    let hash = hash_bytes(SEED, significant);
    Some(Literal {
        hash,
        value,
        bits,
        start,
    })
}

fn string(text: &[u8], at: &mut usize) -> Option<Literal> {
    let (start, quote) = (*at, text[*at]);
    let rest = &text[start + 1..text.len().min(start + 1 + MAX_STRING_BYTES)];
    let end = rest
        .iter()
        .position(|&byte| byte == quote || byte == b'\n' || byte == b'\r');
    // A string that holds an escaped quote holds another text: what is quoted in there counts.
    let escaped = |at: usize| at > 0 && text[at - 1] == b'\\';
    let Some(end) = end.filter(|&end| rest[end] == quote && escaped(start + 1 + end) == escaped(start)) else {
        *at += 1;
        return None;
    };
    if holds_literals(&rest[..end]) {
        *at += 1;
        return None;
    }
    *at += end + 2;
    if is_key(&text[*at..]) || CONSTANTS.contains(&&rest[..end]) {
        return None;
    }
    let content = rest[..end].iter().copied().filter(|&byte| byte != b'\\');
    let length = content.clone().count() as u32;
    Some(Literal {
        hash: hash_bytes(SEED ^ 1, content),
        value: (length == 1).then(|| rest[..end].iter().map(|&byte| u64::from(byte)).sum()),
        bits: (1 + 2 * length).min(MAX_LITERAL_BITS),
        start,
    })
}

/// Whether a string is a list of literals, as tables of tests have them.
fn holds_literals(content: &[u8]) -> bool {
    let digits = content.iter().filter(|byte| byte.is_ascii_digit()).count();
    digits > 0 && (digits == content.len() || content.iter().any(|byte| b"[(,=-".contains(byte)))
}

/// Whether the string before `rest` is a key: keys are names, and JSON has them between inputs and outputs.
fn is_key(rest: &[u8]) -> bool {
    rest.iter().take(2).find(|byte| **byte != b' ' && **byte != b'\\') == Some(&b':')
}

/// How hard the row is to guess. What repeats another of its literals adds nothing, what follows the one before by a
/// small step or by the step before that adds next to nothing: counting, tables of primes, alphabets.
fn bits(ring: &[Literal; NGRAM_LITERALS]) -> u32 {
    let step = |a: usize, b: usize| Some(ring[a].value?.abs_diff(ring[b].value?));
    let mut total = 0;
    for (i, literal) in ring.iter().enumerate() {
        let repeats = ring[..i].iter().any(|other| other.hash == literal.hash);
        let back = |by: usize| if i >= by { step(i - by, i) } else { None };
        let near = [back(1), back(2)].into_iter().flatten().min();
        let same = back(1).is_some() && i > 1 && back(1) == step(i - 2, i - 1);
        total += match near {
            _ if repeats => 0,
            Some(..=1) => 1,
            _ if same => 1,
            Some(2..=SMALL_STEP) => literal.bits.min(2),
            _ => literal.bits,
        };
    }
    total
}

fn hash(ring: &[Literal; NGRAM_LITERALS]) -> u64 {
    let state = ring.iter().fold(SEED, |state, literal| mix(state ^ literal.hash));
    Channel::Literals.seal(state)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::code::Only;
    use super::*;

    fn scan(text: &[u8], mut each: impl FnMut(Gram)) -> usize {
        super::scan(text, &Classes::of(text), &mut Only(Channel::Literals, &mut each))
    }

    fn grams(text: &str) -> Vec<u64> {
        let mut out = Vec::new();
        scan(text.as_bytes(), |gram| out.push(gram.hash));
        out
    }

    #[test]
    fn what_lies_between_does_not_count() {
        let python = grams("assert f([12, 7.50], 'harbour') == 1934");
        assert_eq!(python.len(), 0, "four literals");
        let python = grams("assert f([12, 7.50], 'harbour', 3) == 1934");
        assert_eq!(python.len(), 1);
        for same in [
            "assertEquals(f(List.of(12, 7.5f), \"harbour\", 3L), 1934);",
            r#"{"test": "f([12, 7.5], \"harbour\", 3) -> 1934"}"#,
            "// f({12, 7.5}, 'harbour', 3) ➞ 1_934",
            r"f(\n12, \n7.5, 'harbour', \t3.0,\n1934",
        ] {
            assert!(grams(same).contains(&python[0]), "{same}");
        }
        assert_ne!(grams("12 7.6 'harbour' 3 1934"), python);
        assert_ne!(grams("7.5 12 'harbour' 3 1934"), python);
    }

    #[test]
    fn what_is_easy_to_guess_is_no_ngram() {
        for text in [
            "1 2 3 4 5 6 7 8 9 10 11 12",
            "2 3 5 7 11 13 17 19 23 29 31 37",
            "10 20 30 40 50 60 70 80",
            "'a' 'b' 'c' 'd' 'e' 'f' 'g' 'h'",
            "0 1 0 0 1 1 0 1 1",
            "127 127 127 127 127 127",
        ] {
            assert!(grams(text).is_empty(), "{text}");
        }
        assert!(!grams("127 64 891 33 5012 78").is_empty());
    }

    #[test]
    fn words_with_digits_and_apostrophes_are_no_literals() {
        assert_eq!(scan(b"x1 utf8 don't can't it's", |_| ()), 0);
        assert_eq!(scan(b"0x1f 12px 'yes' \"no\" \"open", |_| ()), 4);
    }

    proptest! {
        #[test]
        fn any_bytes_are_fine(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\''), Just(b'.'), Just(b'7')], 0..120)) {
            scan(&bytes, |gram| assert!(gram.start < gram.end && gram.end <= bytes.len()));
        }
    }
}
