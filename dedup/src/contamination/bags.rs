//! The bag channel: rare words, numbers and strings of an item, in any order, within one place of a text.
//!
//! ```text
//!   def round_away(value):           ►  text  round away value closest integer equidistant zero
//!     """… closest integer … ("14.5")    data  "14.5" 14.5 15
//!
//!   unit ─► class of 16 bits ─► bits: how seldom ordinary code has it within a place (packs/units.table)
//!   text ─► places of the classes of a bag ─► the window of PLACE_UNITS units whose different classes have most bits
//! ```
//!
//! What was told in other words keeps some of the words, the numbers and the names: this channel sees those. It is only
//! asked about problems of which another channel has seen something, and it never is enough alone. A class is shared by
//! thousands of possible words and numbers: which of them an item has cannot be told from a pack.

use super::evidence::Candidate;
use super::grams::{Channel, hash_bytes};
use super::index::{Entry, Index};

/// Units of a place: a docstring, its examples and a short function.
pub const PLACE_UNITS: usize = 160;
/// Number of classes.
pub const CLASSES: usize = 1 << 16;
/// Parts of a bit in which the table counts.
pub(super) const PARTS: u64 = 16;
/// Seed of the classes; words, numbers and strings have one each.
const SEED: u64 = 0x73_6d_70_61_63_6b_00_04;
/// Shortest word, in letters.
const MIN_WORD: usize = 4;
/// Letters of a word that count: endings do not.
const STEM: usize = 6;
/// Endings that are left out if as many letters stay as a word must have.
const ENDINGS: [&[u8]; 6] = [b"ing", b"ed", b"es", b"ly", b"s", b"e"];
/// Longest string that is a unit, in bytes.
const MAX_STRING: usize = 24;
/// Shortest string and number that are units, in bytes.
const MIN_DATA: usize = 2;
/// Small numbers are no units, whether in digits or in letters.
const SMALL: [&[u8]; 11] = [
    b"zero", b"one", b"two", b"three", b"four", b"five", b"six", b"seven", b"eight", b"nine", b"ten",
];
/// Places of one class that are looked at: bounds the work on a file that repeats one for ever.
const MAX_PLACES: usize = 64;

static TABLE: &[u8; CLASSES] = include_bytes!("../../packs/units.table");

/// How seldom a class is, in parts of a bit.
pub(super) fn bits(class: u16) -> u64 {
    u64::from(TABLE[usize::from(class)])
}

/// A word, number or string of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Its class.
    pub class: u16,
    /// Whether it is a number or a quoted string.
    pub is_data: bool,
    /// Offset of its first byte.
    pub start: usize,
    /// Offset behind its last byte.
    pub end: usize,
}

/// Calls `each` for every unit of `text`, in order of their first bytes.
pub fn units(text: &[u8], mut each: impl FnMut(Unit)) {
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        at += match rest[0] {
            b'\\' => 1 + usize::from(matches!(rest.get(1), Some(b'n' | b'r' | b't'))),
            b'0'..=b'9' => number(rest, at, &mut each),
            b'"' | b'\'' => string(rest, at, &mut each),
            byte if byte.is_ascii_alphabetic() => word(rest, at, &mut each),
            _ => 1,
        };
    }
}

fn class(kind: u64, bytes: impl IntoIterator<Item = u8>) -> u16 {
    (hash_bytes(SEED ^ kind, bytes) >> 48) as u16
}

fn is_small(word: &[u8]) -> bool {
    SMALL.iter().any(|small| small.eq_ignore_ascii_case(word))
}

/// A word ends before a capital letter that follows a small one, and before anything that is no letter.
fn word(rest: &[u8], start: usize, each: &mut impl FnMut(Unit)) -> usize {
    let goes_on = |at: &usize| {
        rest[*at].is_ascii_alphabetic() && !(rest[*at].is_ascii_uppercase() && rest[*at - 1].is_ascii_lowercase())
    };
    let length = 1 + (1..rest.len()).take_while(goes_on).count();
    let folded = || rest[..length].iter().map(u8::to_ascii_lowercase);
    let ends_in = |ending: &&&[u8]| {
        length >= MIN_WORD + ending.len() && folded().skip(length - ending.len()).eq(ending.iter().copied())
    };
    let stem = length - ENDINGS.iter().find(ends_in).map_or(0, |ending| ending.len());
    if length >= MIN_WORD && !is_small(&rest[..length]) {
        each(Unit {
            class: class(1, folded().take(stem.min(STEM))),
            is_data: false,
            start,
            end: start + length,
        });
    }
    length
}

/// A number of two digits or more; zeros at the end of a fraction do not count.
fn number(rest: &[u8], start: usize, each: &mut impl FnMut(Unit)) -> usize {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(rest);
    let fraction = match rest[whole..] {
        [b'.', next, ..] if next.is_ascii_digit() => 1 + digits(&rest[whole + 1..]),
        _ => 0,
    };
    let length = whole + fraction;
    let told = rest[..length].iter().rposition(|byte| !b"0.".contains(byte));
    let kept = if fraction > 0 {
        told.map_or(1, |last| last + 1).max(whole)
    } else {
        whole
    };
    if kept >= MIN_DATA {
        each(Unit {
            class: class(2, rest[..kept].iter().copied()),
            is_data: true,
            start,
            end: start + length,
        });
    }
    length
}

/// A short string is a unit, and what is in it is read as well.
fn string(rest: &[u8], start: usize, each: &mut impl FnMut(Unit)) -> usize {
    let inside = &rest[1..rest.len().min(MAX_STRING + 2)];
    let length = inside
        .iter()
        .position(|byte| *byte == rest[0] || *byte == b'\n' || *byte == b'\\');
    if let Some(length) =
        length.filter(|&length| length >= MIN_DATA && inside[length] != b'\n' && !is_small(&inside[..length]))
    {
        each(Unit {
            class: class(3, inside[..length].iter().map(u8::to_ascii_lowercase)),
            is_data: true,
            start,
            end: start + length + 2,
        });
    }
    1
}

/// What a family's items have, by classes.
#[derive(Clone, Debug)]
pub(super) struct Bag {
    pub(super) family: u32,
    /// The field, by its number in the index.
    pub(super) entry: u32,
    /// Ascending, each once.
    pub(super) classes: Vec<u16>,
}

/// A unit of a text, by class and then by place.
type Place = (u16, u32, u32, u32);

/// Adds what the bags of families find in `text` of which a candidate counts, unless names are all there is; candidates
/// stay in order of fields.
pub(super) fn extend(
    index: &Index,
    text: &[u8],
    counts: impl Fn(&Entry, &Candidate) -> bool,
    candidates: &mut Vec<Candidate>,
) {
    let entries = candidates.iter().map(|found| (index.entry(found.entry), found));
    let counted: Vec<&Entry> = entries
        .filter(|(entry, found)| counts(entry, found))
        .map(|(entry, _)| entry)
        .collect();
    if counted.iter().all(|entry| entry.channel == Channel::Names) {
        return;
    }
    let mut families: Vec<u32> = counted.iter().map(|entry| entry.family).collect();
    families.sort_unstable();
    families.dedup();
    let bags: Vec<&Bag> = families.iter().flat_map(|&family| index.bags(family)).collect();
    if bags.is_empty() {
        return;
    }
    let places = places(text, &Wanted::of(&bags));
    candidates.extend(bags.into_iter().filter_map(|bag| best(bag, &places)));
    candidates.sort_unstable_by_key(|candidate| candidate.entry);
}

/// The classes of some bags, a bit each: of a text's units few are wanted, and only these have to be sorted.
struct Wanted(Vec<u64>);

impl Wanted {
    fn of(bags: &[&Bag]) -> Self {
        let mut bits = vec![0; CLASSES / 64];
        for class in bags.iter().flat_map(|bag| &bag.classes) {
            bits[usize::from(class / 64)] |= 1 << (class % 64);
        }
        Self(bits)
    }

    fn has(&self, class: u16) -> bool {
        self.0[usize::from(class / 64)] >> (class % 64) & 1 == 1
    }
}

fn places(text: &[u8], wanted: &Wanted) -> Vec<Place> {
    let (mut places, mut number) = (Vec::new(), 0);
    units(text, |unit| {
        if wanted.has(unit.class) {
            places.push((unit.class, number, unit.start as u32, unit.end as u32));
        }
        number += 1;
    });
    places.sort_unstable();
    places
}

/// The place of `text` that has most of a bag.
fn best(bag: &Bag, places: &[Place]) -> Option<Candidate> {
    let mut found: Vec<Place> = Vec::new();
    for &class in &bag.classes {
        let first = places.partition_point(|place| place.0 < class);
        found.extend(
            places[first..]
                .iter()
                .take_while(|place| place.0 == class)
                .take(MAX_PLACES),
        );
    }
    found.sort_unstable_by_key(|place| place.1);
    let slot = |place: &Place| bag.classes.partition_point(|&class| class < place.0);
    let mut counts = vec![0u32; bag.classes.len()];
    let (mut first, mut weight, mut most, mut best) = (0, 0, 0, 0..0);
    for (last, next) in found.iter().enumerate() {
        let count = &mut counts[slot(next)];
        weight += if *count == 0 { bits(next.0) } else { 0 };
        *count += 1;
        while (next.1 - found[first].1) as usize >= PLACE_UNITS {
            let count = &mut counts[slot(&found[first])];
            *count -= 1;
            weight -= if *count == 0 { bits(found[first].0) } else { 0 };
            first += 1;
        }
        if weight > most {
            (most, best) = (weight, first..last + 1);
        }
    }
    let best = &found[best];
    let (head, tail) = (best.first()?, best.last()?);
    let mut classes: Vec<u16> = best.iter().map(|place| place.0).collect();
    classes.sort_unstable();
    classes.dedup();
    Some(Candidate {
        entry: bag.entry,
        weight: most,
        ngrams: classes.len(),
        units: (tail.1 - head.1) as usize + 1,
        start: head.2 as usize,
        end: tail.3 as usize,
    })
}

/// The bytes of the table: `counts` says how many of `blocks` blocks of [`PLACE_UNITS`] units have each class.
pub fn units_table(counts: &[u32], blocks: u32) -> Vec<u8> {
    let parts = |count: &u32| {
        let share = (f64::from(*count) + 1.0) / (f64::from(blocks) + 1.0);
        (-share.log2() * PARTS as f64).clamp(0.0, 255.0) as u8
    };
    counts.iter().map(parts).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stackmill_schemas::benchmark::Field;

    use super::super::tests::{LIGHTHOUSE_PROMPT, items, pack_of};
    use super::*;

    /// What the units of a text are, and whether they are data.
    fn texts(text: &str) -> Vec<(&str, bool)> {
        let mut out = Vec::new();
        units(text.as_bytes(), |unit| {
            out.push((&text[unit.start..unit.end], unit.is_data));
        });
        out
    }

    fn classes(text: &str) -> Vec<u16> {
        let mut out = Vec::new();
        units(text.as_bytes(), |unit| out.push(unit.class));
        out
    }

    #[test]
    fn words_numbers_and_strings_are_units() {
        assert_eq!(
            texts("roundAway(14.50, 7) == \"ab c\"\nthe_nearest\\nvalue"),
            [
                ("round", false),
                ("Away", false),
                ("14.50", true),
                ("\"ab c\"", true),
                ("nearest", false),
                ("value", false)
            ]
        );
        assert_eq!(texts("a is 7 of three 'Nine'\n9 'x' \"\" 0.0"), []);
    }

    #[test]
    fn endings_and_case_do_not_count() {
        for same in ["rounds", "ROUND", "rounding", "roundly", "rounded"] {
            assert_eq!(classes(same), classes("round"), "{same}");
        }
        assert_eq!(classes("14.500"), classes("14.5"));
        assert_ne!(classes("14"), classes("'14'")[..1]);
        assert_ne!(classes("rand"), classes("round"));
    }

    #[test]
    fn a_bag_finds_its_words_in_any_order_at_one_place() {
        let index = Index::new(&[pack_of("harbour", &items())]);
        let bag = |entry: u32| (index.entry(entry).channel, index.entry(entry).field) == (Channel::Bag, Field::Prompt);
        let ours = (0..index.entries.len() as u32)
            .find(|&entry| bag(entry))
            .expect("the prompt has a bag");
        let family = index.entry(ours).family;
        let weight = |text: &str| {
            let bag = index
                .bags(family)
                .iter()
                .find(|bag| bag.entry == ours)
                .expect("it is there");
            best(bag, &places(text.as_bytes(), &Wanted::of(&[bag]))).map_or(0, |found| found.weight)
        };
        let words: Vec<&str> = LIGHTHOUSE_PROMPT.split_whitespace().rev().collect();
        assert_eq!(weight(&words.join(" ")), index.entry(ours).weight);
        let apart = words.join(&" filler".repeat(PLACE_UNITS));
        assert!(weight(&apart) < index.entry(ours).weight / 2);
        assert_eq!(weight("nothing at all"), 0);
    }

    #[test]
    fn bits_tell_how_seldom_a_class_is() {
        assert_eq!(units_table(&[0, 63, 31, 7], 63), [96, 0, 16, 48]);
        let most = |word: &str| classes(word).into_iter().map(bits).max();
        assert!(most("return") < most("palindrome"));
    }

    proptest! {
        #[test]
        fn any_bytes_are_fine(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\''), Just(b'\\'), Just(b'A'), Just(b'7')], 0..120)) {
            units(&bytes, |unit| assert!(unit.start < unit.end && unit.end <= bytes.len()));
        }
    }
}
