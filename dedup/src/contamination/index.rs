//! From packs to what a scan needs: a filter over n-gram hashes, and for each n-gram the fields that hold it.
//!
//! ```text
//!   filter     u64 words; an n-gram sets two bits in the one word that its upper bits choose      ► most n-grams stop here
//!   hashes     ascending, each once; the place of a hash is the n-gram's number
//!   postings   starts[number] .. starts[number + 1]: (field, weight)
//! ```

use std::collections::BTreeMap;

use stackmill_schemas::benchmark::Field;

use super::packs::{Pack, PackField};

/// The fields that hold each n-gram.
type Turned = BTreeMap<u64, Vec<Posting>>;

/// Filter bits spent on one n-gram: with two bits set, less than 2% of foreign n-grams pass.
const FILTER_BITS: usize = 16;
/// An n-gram in more items of a benchmark than this is its boilerplate and says nothing about any of them.
const MAX_ITEMS_WITH_NGRAM: usize = 16;
/// Weight of an n-gram that no other item of its benchmark has. Divisible by every number up to
/// [`MAX_ITEMS_WITH_NGRAM`], so that weights are whole numbers and their sums exact.
pub(super) const WHOLE: u64 = 720_720;

/// A field of an item of a pack.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Place of the pack in the list.
    pub(super) pack: usize,
    /// Place of the item in the pack.
    pub(super) item: usize,
    /// The field.
    pub(super) field: Field,
    /// Its length in words.
    pub(super) words: usize,
    /// Weight of all its n-grams together.
    pub(super) weight: u64,
}

/// A field that holds an n-gram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    /// Place of the field in [`Index::entries`].
    pub(super) entry: u32,
    /// What the n-gram is worth there: [`WHOLE`], divided by the number of items of the pack that hold it.
    pub(super) weight: u64,
}

/// Packs, turned around.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// Every field of every pack: the order that settles ties.
    pub(super) entries: Vec<Entry>,
    filter: Vec<u64>,
    hashes: Vec<u64>,
    starts: Vec<u32>,
    postings: Vec<Posting>,
}

impl Index {
    /// Turns `packs` around.
    pub(super) fn new(packs: &[Pack]) -> Self {
        let mut entries = Vec::new();
        let mut turned = Turned::new();
        for (pack, packed) in packs.iter().enumerate() {
            let weights = weights(packed);
            for (item, packed) in packed.items().iter().enumerate() {
                for field in &packed.fields {
                    let weight = post(field, entries.len() as u32, &weights, &mut turned);
                    let (field, words) = (field.field, field.words);
                    entries.push(Entry {
                        pack,
                        item,
                        field,
                        words,
                        weight,
                    });
                }
            }
        }
        Self::flatten(entries, turned)
    }

    fn flatten(entries: Vec<Entry>, turned: Turned) -> Self {
        let words = (turned.len() * FILTER_BITS / 64).next_power_of_two();
        let mut index = Self {
            entries,
            filter: vec![0; words],
            hashes: Vec::with_capacity(turned.len()),
            starts: vec![0],
            postings: Vec::new(),
        };
        for (hash, postings) in turned {
            let (slot, bits) = index.filter_place(hash);
            index.filter[slot] |= bits;
            index.hashes.push(hash);
            index.postings.extend(postings);
            index.starts.push(index.postings.len() as u32);
        }
        index
    }

    /// Word of the filter and bits in it.
    #[inline]
    fn filter_place(&self, hash: u64) -> (usize, u64) {
        let slot = (hash >> 12) as usize & (self.filter.len() - 1);
        (slot, 1 << (hash & 63) | 1 << (hash >> 6 & 63))
    }

    /// Whether the n-gram may be one of ours: never wrong when it says no.
    #[inline]
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        let (slot, bits) = self.filter_place(hash);
        self.filter[slot] & bits == bits
    }

    /// The number of an n-gram of ours.
    pub(super) fn number(&self, hash: u64) -> Option<u32> {
        self.hashes.binary_search(&hash).ok().map(|number| number as u32)
    }

    /// The fields that hold n-gram `number`.
    pub(super) fn postings(&self, number: u32) -> &[Posting] {
        let at = number as usize;
        &self.postings[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// Adds the n-grams of a field to `turned`; returns what they weigh together.
fn post(field: &PackField, entry: u32, weights: &BTreeMap<u64, u64>, turned: &mut Turned) -> u64 {
    let mut total = 0;
    for hash in &field.hashes {
        let weight = weights.get(hash).copied().unwrap_or(0);
        if weight > 0 {
            turned.entry(*hash).or_default().push(Posting { entry, weight });
            total += weight;
        }
    }
    total
}

/// What each n-gram of a pack is worth: [`WHOLE`] divided by the number of items that hold it, nothing for boilerplate.
fn weights(pack: &Pack) -> BTreeMap<u64, u64> {
    let mut items: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
    for (item, packed) in pack.items().iter().enumerate() {
        for hash in packed.fields.iter().flat_map(|field| &field.hashes) {
            let (count, last) = items.entry(*hash).or_insert((0, usize::MAX));
            if *last != item {
                (*count, *last) = (*count + 1, item);
            }
        }
    }
    let weight = |count| {
        if count <= MAX_ITEMS_WITH_NGRAM {
            WHOLE / count as u64
        } else {
            0
        }
    };
    items
        .into_iter()
        .map(|(hash, (count, _))| (hash, weight(count)))
        .collect()
}

#[cfg(test)]
mod tests {
    use stackmill_schemas::benchmark::BenchmarkItem;

    use super::super::tests::{item, items, pack_of};
    use super::*;

    #[test]
    fn every_ngram_passes_the_filter_and_few_others_do() {
        let pack = pack_of("harbour", &items());
        let index = Index::new(std::slice::from_ref(&pack));
        let ours = pack
            .items()
            .iter()
            .flat_map(|item| &item.fields)
            .flat_map(|field| &field.hashes);
        for hash in ours {
            assert!(index.may_hold(*hash) && index.number(*hash).is_some());
        }
        let foreign = (0..100_000u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24);
        let passed = foreign
            .filter(|&hash| index.number(hash).is_none() && index.may_hold(hash))
            .count();
        assert!(passed < 2_000, "{passed} of 100,000 passed");
    }

    #[test]
    fn an_ngram_of_several_items_is_worth_a_fraction_and_boilerplate_nothing() {
        let text = "shared words that stand in all of them"; // 8 words, 3 n-grams
        let own = |i: usize| format!("{text}{}", format!(" own{i}").repeat(6)); // 14 words: 3 shared n-grams, 6 own ones
        let weight_of = |items: usize| {
            let list: Vec<BenchmarkItem> = (0..items)
                .map(|i| item(&format!("I/{i}"), &[(Field::Prompt, own(i).as_str())]))
                .collect();
            Index::new(&[pack_of("shared", &list)]).entries[0].weight
        };
        assert_eq!(weight_of(1), 9 * WHOLE);
        assert_eq!(weight_of(4), 3 * WHOLE / 4 + 6 * WHOLE);
        assert_eq!(weight_of(MAX_ITEMS_WITH_NGRAM), 3 * (WHOLE / 16) + 6 * WHOLE);
        assert_eq!(weight_of(MAX_ITEMS_WITH_NGRAM + 1), 6 * WHOLE);
    }

    #[test]
    fn an_ngram_in_two_fields_of_one_item_is_whole_and_packs_do_not_dilute_each_other() {
        let list = [item(
            "I/1",
            &[(Field::Prompt, "a b c d e f"), (Field::Tests, "a b c d e f")],
        )];
        let index = Index::new(&[pack_of("one", &list), pack_of("two", &list)]);
        assert_eq!(
            index.entries.iter().map(|entry| entry.weight).collect::<Vec<_>>(),
            [WHOLE; 4]
        );
        let number = index.number(pack_of("one", &list).items()[0].fields[0].hashes[0]);
        assert_eq!(index.postings(number.expect("it is ours")).len(), 4);
    }

    #[test]
    fn weights_divide_without_remainder() {
        assert!((1..=MAX_ITEMS_WITH_NGRAM as u64).all(|items| WHOLE.is_multiple_of(items)));
    }
}
