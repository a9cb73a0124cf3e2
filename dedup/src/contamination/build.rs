//! From benchmark items to packs: which n-grams of which fields are kept.
//!
//! ```text
//!   field        words   code   literals   names      Names are those that are called or declared in two fields of an
//!   prompt         x               x         ╲        item at least.
//!   docstring      x               x          ╲
//!   solution       x       x                  one set an item
//!   tests          x               x          ╱
//!   examples                       x         ╱
//! ```
//!
//! A family is stored once: of an item's field only those n-grams are kept that no earlier item of its family has. Of
//! what is left, the smallest hashes are kept, up to a number: a sample that does not depend on where an n-gram stands,
//! so that the share found of it estimates the share found of all.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use stackmill_schemas::benchmark::{BenchmarkItem, Field};
use stackmill_schemas::error::{Error, Result};

use super::classes::Classes;
use super::grams::{Channel, Gram};
use super::packs::{Pack, PackField, PackItem, PackSource, check_items, check_name, encode};
use super::{bags, code, literals, words};

/// Most n-grams kept of a field of the first item of a family.
const MAX_NGRAMS: usize = 112;
/// Most n-grams kept of its tests, which repeat themselves.
const MAX_TEST_NGRAMS: usize = 64;
/// Most n-grams kept of a field of every further item: it is one of dozens of translations.
const MAX_DERIVED_NGRAMS: usize = 9;
/// Most n-grams kept of a field of a benchmark that is only ever reported.
const MAX_REPORTED_NGRAMS: usize = 32;
/// The same for code, of which parts are alike everywhere: a smaller sample may happen to hold just those.
const MAX_DERIVED_CODE: usize = 32;
/// A field of a further item is dropped if fewer n-grams than this are new in it.
const MIN_NEW_NGRAMS: usize = 8;
/// A field of a further item is dropped if less than this share of its n-grams is new.
const MIN_NEW_SHARE: f64 = 0.3;
/// Units of a field that are looked at; the rest of a longer one is left out.
pub(super) const MAX_FIELD_UNITS: usize = 1 << 20;
/// A line of prose has this many words of letters at least.
const MIN_PROSE_WORDS: usize = 5;
/// A name belongs to an item if so many of its fields declare or call it.
const MIN_NAME_FIELDS: usize = 2;
/// Fewest classes of a bag.
const MIN_BAG: usize = 3;
/// Most classes of a bag: the rarest.
const MAX_BAG: usize = 40;
/// Words of fewer bits (in sixteenths) are in every other place: they tell nothing.
const MIN_BAG_BITS: u64 = 24;
/// Most names of an item.
const MAX_NAMES: usize = 8;

/// The bytes of the pack of `items`: the same for the same input. `name` becomes the rule in verdicts.
///
/// # Errors
/// Kind config, for a name, an id or a source that cannot be stored, and for items without any n-gram.
pub fn build_pack(name: &str, source: &PackSource, items: &[BenchmarkItem]) -> Result<Vec<u8>> {
    let mut families = Families::default();
    let most = most_ngrams(source);
    let items = items.iter().map(|item| families.pack(item, most)).collect();
    encoded(name, source, items)
}

/// Most n-grams of a field of the first item of a family.
pub(super) fn most_ngrams(source: &PackSource) -> usize {
    match source.report_only {
        true => MAX_REPORTED_NGRAMS,
        false => MAX_NGRAMS,
    }
}

/// The bytes of a pack that has any field.
pub(super) fn encoded(name: &str, source: &PackSource, items: Vec<PackItem>) -> Result<Vec<u8>> {
    check_name(name)?;
    let pack = Pack {
        name: name.to_owned(),
        source: source.clone(),
        items,
    };
    if pack.fields().next().is_none() {
        return Err(Error::config(format!(
            "benchmark `{name}` has no field long enough to be found"
        )));
    }
    check_items(&pack.items)?;
    encode(&pack)
}

/// What is stored of each family so far.
#[derive(Default)]
pub(super) struct Families {
    known: BTreeMap<String, HashSet<(Channel, u64)>>,
}

impl Families {
    pub(super) fn pack(&mut self, item: &BenchmarkItem, most: usize) -> PackItem {
        let first = !self.known.contains_key(&item.family);
        let known = self.known.entry(item.family.clone()).or_default();
        let mut fields = Vec::new();
        let mut own = Vec::new();
        for field in fields_of(item, first) {
            fields.extend(new_part(&field, known, first.then_some(most)));
            let hashes = field.hashes.iter().map(|&hash| (field.channel, hash));
            // The fields of a first item stand for themselves; those of the others are only there for what they add.
            if first {
                own.extend(hashes);
            } else {
                known.extend(hashes);
            }
        }
        known.extend(own);
        PackItem {
            id: item.id.clone(),
            family: item.family.clone(),
            language: item.language.clone(),
            fields,
        }
    }
}

/// What no earlier item of the family has, cut to size. `first`: most n-grams, for the first item of a family.
pub(super) fn new_part(field: &PackField, known: &HashSet<(Channel, u64)>, first: Option<usize>) -> Option<PackField> {
    let new: Vec<u64> = field
        .hashes
        .iter()
        .copied()
        .filter(|&hash| first.is_some() || !known.contains(&(field.channel, hash)))
        .collect();
    let few = new.len() < MIN_NEW_NGRAMS || (new.len() as f64) < MIN_NEW_SHARE * field.hashes.len() as f64;
    if new.is_empty() || first.is_none() && few {
        return None;
    }
    let most = match first {
        Some(most) if field.field == Field::Tests => most.min(MAX_TEST_NGRAMS),
        Some(most) => most,
        None if field.channel == Channel::Code => MAX_DERIVED_CODE,
        None => MAX_DERIVED_NGRAMS,
    };
    let (ngrams, hashes) = (new.len(), new[..new.len().min(most)].to_vec());
    Some(PackField {
        ngrams,
        hashes,
        ..field.clone()
    })
}

/// Every field in every channel it has, whole.
pub(super) fn fields_of(item: &BenchmarkItem, first: bool) -> Vec<PackField> {
    let mut out = Vec::new();
    for (field, text) in &item.fields {
        out.extend(
            channels_of(*field, first)
                .iter()
                .filter_map(|&channel| pack_field(*field, channel, text)),
        );
    }
    if first && item.fields.iter().all(|(field, _)| *field != Field::Docstring) {
        let prompts = out
            .iter()
            .filter(|packed| (packed.field, packed.channel) == (Field::Prompt, Channel::Words));
        let most = prompts.map(|packed| packed.ngrams).max().unwrap_or(0);
        let prompts = item.fields.iter().filter(|(field, _)| *field == Field::Prompt);
        let docstrings = prompts.filter_map(|(_, text)| pack_field(Field::Docstring, Channel::Words, &prose(text)));
        // Where the prompt is nothing else, it stands there already.
        out.extend(docstrings.filter(|docstring| docstring.ngrams < most));
    }
    out.extend(names(item));
    if first {
        out.extend(bags_of(item));
    }
    out.sort_by_key(|field| (field.field, field.channel));
    out
}

/// Solutions of further items, which are many, are read as code alone.
fn channels_of(field: Field, first: bool) -> &'static [Channel] {
    match field {
        Field::Prompt | Field::Docstring | Field::Tests => &[Channel::Words, Channel::Literals],
        Field::Solution if first => &[Channel::Words, Channel::Code],
        Field::Solution => &[Channel::Code],
        Field::Examples => &[Channel::Literals],
        Field::Signature => &[],
    }
}

fn pack_field(field: Field, channel: Channel, text: &str) -> Option<PackField> {
    let mut hashes = BTreeSet::new();
    let mut units = 0;
    let mut keep = |gram: Gram| {
        if gram.unit + channel.ngram() <= MAX_FIELD_UNITS {
            hashes.insert(gram.hash);
            units = units.max(gram.unit + channel.ngram());
        }
    };
    match channel {
        Channel::Words => words::scan(text.as_bytes(), keep),
        Channel::Literals => {
            let text = text.as_bytes();
            literals::scan(text, &Classes::of(text), &mut code::Only(Channel::Literals, &mut keep))
        }
        Channel::Code => code::scan(text.as_bytes(), &mut code::Only(Channel::Code, &mut keep)),
        Channel::Names | Channel::Bag => 0,
    };
    (!hashes.is_empty()).then(|| PackField {
        field,
        channel,
        units,
        ngrams: hashes.len(),
        hashes: hashes.into_iter().collect(),
    })
}

/// The lines of a text that are prose: mostly words, no example.
fn prose(text: &str) -> String {
    text.lines()
        .filter(|line| is_prose(line))
        .flat_map(|line| [line, "\n"])
        .collect()
}

fn is_prose(line: &str) -> bool {
    let line = line.trim();
    let words = line.split_whitespace();
    let plain = |word: &&str| {
        word.trim_matches(|c: char| c.is_ascii_punctuation())
            .chars()
            .all(char::is_alphabetic)
    };
    let (count, prose) = (words.clone().count(), words.filter(plain).count());
    !line.starts_with(">>>") && prose >= MIN_PROSE_WORDS && 4 * prose >= 3 * count
}

/// The rare words of what the prompt says, and the numbers and strings of examples and tests.
fn bags_of(item: &BenchmarkItem) -> Vec<PackField> {
    let (mut text, mut data) = (BTreeSet::new(), BTreeSet::new());
    for (field, content) in item.fields.iter().filter(|(field, _)| *field != Field::Solution) {
        bags::units(content.as_bytes(), |unit| {
            if unit.is_data {
                data.insert(unit.class);
            }
        });
        let told = match field {
            Field::Prompt | Field::Docstring => prose(content),
            Field::Signature => content.clone(),
            _ => continue,
        };
        bags::units(told.as_bytes(), |unit| {
            if !unit.is_data && bags::bits(unit.class) >= MIN_BAG_BITS {
                text.insert(unit.class);
            }
        });
    }
    [(Field::Prompt, text), (Field::Tests, data)]
        .into_iter()
        .filter(|(_, classes)| classes.len() >= MIN_BAG)
        .map(|(field, classes)| {
            let mut hashes: Vec<u64> = classes.into_iter().map(u64::from).collect();
            hashes.sort_by_key(|&hash| (std::cmp::Reverse(bags::bits(hash as u16)), hash));
            hashes.truncate(MAX_BAG);
            hashes.sort_unstable();
            PackField {
                field,
                channel: Channel::Bag,
                units: hashes.len(),
                ngrams: hashes.len(),
                hashes,
            }
        })
        .collect()
}

/// Names that several fields of the item declare or call.
fn names(item: &BenchmarkItem) -> Option<PackField> {
    let mut fields: BTreeMap<u64, BTreeSet<Field>> = BTreeMap::new();
    for (field, text) in &item.fields {
        let bytes = text.as_bytes();
        code::scan(
            bytes,
            &mut code::Only(Channel::Names, &mut |gram: Gram| {
                if bytes.get(gram.end) == Some(&b'(') {
                    fields.entry(gram.hash).or_default().insert(*field);
                }
            }),
        );
    }
    let shared = fields.into_iter().filter(|(_, fields)| fields.len() >= MIN_NAME_FIELDS);
    let hashes: Vec<u64> = shared.map(|(hash, _)| hash).take(MAX_NAMES).collect();
    let names = hashes.len();
    (names > 0).then_some(PackField {
        field: Field::Signature,
        channel: Channel::Names,
        units: names,
        ngrams: names,
        hashes,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{LIGHTHOUSE_PROMPT, LIGHTHOUSE_SOLUTION, item, pack_of};
    use super::*;

    fn words_from(first: usize, count: usize) -> String {
        (first..first + count).map(|i| format!("word{i} ")).collect()
    }

    fn of_family(id: &str, family: &str, fields: &[(Field, &str)]) -> BenchmarkItem {
        BenchmarkItem {
            family: family.to_owned(),
            ..item(id, fields)
        }
    }

    fn fields(pack: &Pack, at: usize, channel: Channel) -> Vec<&PackField> {
        pack.items()[at]
            .fields
            .iter()
            .filter(|field| field.channel == channel)
            .collect()
    }

    #[test]
    fn long_fields_are_sampled_by_hash_and_know_how_long_they_were() {
        let text = words_from(0, 300);
        let pack = pack_of("p", &[item("A", &[(Field::Prompt, &text)])]);
        let field = fields(&pack, 0, Channel::Words)[0];
        assert_eq!((field.units, field.ngrams, field.hashes.len()), (300, 295, MAX_NGRAMS));
        let mut all = Vec::new();
        words::scan(text.as_bytes(), |gram| all.push(gram.hash));
        all.sort_unstable();
        assert_eq!(field.hashes, all[..MAX_NGRAMS]);
        let tests = pack_of("p", &[item("A", &[(Field::Tests, &text)])]);
        assert_eq!(fields(&tests, 0, Channel::Words)[0].hashes.len(), MAX_TEST_NGRAMS);
    }

    #[test]
    fn of_a_family_only_what_is_new_is_stored() {
        let (prompt, own) = (words_from(0, 40), words_from(100, 40));
        let mixed = format!("{prompt}{own}");
        let items = [
            of_family("A", "F", &[(Field::Prompt, &prompt)]),
            of_family("B", "F", &[(Field::Prompt, &prompt)]),
            of_family("C", "F", &[(Field::Prompt, &mixed)]),
            of_family("D", "G", &[(Field::Prompt, &prompt)]),
        ];
        let pack = pack_of("p", &items);
        let stored: Vec<_> = (0..4).map(|at| fields(&pack, at, Channel::Words).len()).collect();
        assert_eq!(stored, [1, 0, 1, 1]);
        let new = fields(&pack, 2, Channel::Words)[0];
        assert_eq!((new.units, new.ngrams, new.hashes.len()), (80, 40, MAX_DERIVED_NGRAMS));
    }

    #[test]
    fn a_little_that_is_new_is_not_worth_storing() {
        let prompt = words_from(0, 40);
        let with = |new: usize| format!("{prompt}{}", words_from(100, new));
        let stored = |new: usize| {
            let text = with(new);
            let items = [
                of_family("A", "F", &[(Field::Prompt, &prompt)]),
                of_family("B", "F", &[(Field::Prompt, &text)]),
            ];
            fields(&pack_of("p", &items), 1, Channel::Words).len()
        };
        // 35 n-grams are known; 15 of 50 are the share itself.
        assert_eq!((stored(14), stored(15)), (0, 1));
    }

    #[test]
    fn docstrings_are_taken_out_of_prompts() {
        let pack = pack_of(
            "p",
            &[item(
                "A",
                &[
                    (Field::Prompt, LIGHTHOUSE_PROMPT),
                    (Field::Solution, LIGHTHOUSE_SOLUTION),
                ],
            )],
        );
        let kinds: Vec<_> = pack.items()[0]
            .fields
            .iter()
            .map(|field| (field.field, field.channel))
            .collect();
        assert!(kinds.contains(&(Field::Docstring, Channel::Words)));
        assert!(kinds.contains(&(Field::Solution, Channel::Code)));
        assert!(kinds.contains(&(Field::Signature, Channel::Names)));
        let text = prose(LIGHTHOUSE_PROMPT);
        assert!(
            text.contains("every lamp") && !text.contains(">>>") && !text.contains("def"),
            "{text}"
        );
    }

    #[test]
    fn names_are_those_of_two_fields() {
        let both = [
            (Field::Solution, "def blink_schedule(x): return sorted_lamps(x)"),
            (Field::Tests, "assert blink_schedule(1)"),
        ];
        let name = names(&item("A", &both)).expect("one name is in both");
        assert_eq!((name.hashes.len(), name.channel), (1, Channel::Names));
        assert_eq!(names(&item("A", &both[..1])), None);
    }
}
