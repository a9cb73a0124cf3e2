//! From packs to what a scan needs: a filter over n-gram hashes, and for each n-gram the fields that hold it.
//!
//! ```text
//!   filters    one a channel: u64 words; an n-gram sets three bits in the one word that its upper bits choose
//!                                                                                             ► most n-grams stop here
//!   buckets    by the upper bits of a hash: where its hashes begin
//!   hashes     ascending, each once; the place of a hash is the n-gram's number
//!   postings   starts[number] .. starts[number + 1]: (field, weight)
//! ```

use std::collections::BTreeMap;

use stackmill_schemas::benchmark::Field;

use super::bags::{self, Bag};
use super::common;
use super::grams::{Channel, HASH_BITS};
use super::packs::Pack;

/// Filter bits spent on five places of n-grams, at least: with three bits set, 1 to 6% of foreign n-grams pass.
const FILTER_BITS: usize = 22;
/// How many times shorter the coarse filter is.
const COARSER: usize = 4;
/// N-grams in a bucket: two to four of them are looked at to find one.
const BUCKET_NGRAMS: usize = 2;
/// An n-gram in more families of a benchmark than this is its boilerplate and says nothing about any of them.
const MAX_FAMILIES_WITH_NGRAM: usize = 16;
/// Weight of an n-gram that no other family of its benchmark has. Divisible by every number up to
/// [`MAX_FAMILIES_WITH_NGRAM`], so that weights are whole numbers and their sums exact.
pub(super) const WHOLE: u32 = 720_720;

/// An n-gram of ordinary code is worth this many times less: it adds up to nothing, but is still seen.
const COMMON_DIVISOR: u32 = 64;

/// A field of an item of a pack.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Place of the pack in the list.
    pub(super) pack: usize,
    /// Place of the item in the pack.
    pub(super) item: usize,
    /// Number of its family: the same in every pack.
    pub(super) family: u32,
    /// The field.
    pub(super) field: Field,
    /// How it was read.
    pub(super) channel: Channel,
    /// Its length in units of the channel.
    pub(super) units: usize,
    /// How many of its n-grams stand behind each one that is kept, at least 1.
    pub(super) scale: f64,
    /// Weight of all its n-grams together.
    pub(super) weight: u64,
}

/// A field that holds an n-gram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Posting {
    /// Place of the field in [`Index::entries`].
    pub(super) entry: u32,
    /// What the n-gram is worth there: [`WHOLE`], divided by the number of families of the pack that hold it.
    pub(super) weight: u32,
}

/// Packs, turned around.
#[derive(Clone, Debug)]
pub(super) struct Index {
    /// Every field of every pack: the order that settles ties.
    pub(super) entries: Vec<Entry>,
    /// In order of families.
    bags: Vec<Bag>,
    filters: [Filter; Channel::ALL.len()],
    buckets: Vec<u32>,
    /// Bits of a hash below those that choose its bucket.
    shift: u32,
    hashes: Vec<u64>,
    starts: Vec<u32>,
    postings: Vec<Posting>,
    /// For each pack of control items, the place of the benchmark that they were made of.
    models: Vec<Option<usize>>,
}

impl Index {
    /// Turns `packs` around.
    pub(super) fn new(packs: &[Pack]) -> Self {
        let mut families = Families::default();
        let mut entries = Vec::new();
        let mut rows = Vec::new();
        let mut bags_of = Vec::new();
        for (pack, packed) in packs.iter().enumerate() {
            for (item, packed) in packed.items().iter().enumerate() {
                let family = families.number(&packed.family);
                for field in &packed.fields {
                    let entry = entries.len() as u32;
                    let mut weight = 0;
                    if field.channel == Channel::Bag {
                        let classes: Vec<u16> = field.hashes.iter().map(|&hash| hash as u16).collect();
                        weight = classes.iter().map(|&class| bags::bits(class)).sum();
                        bags_of.push(Bag { family, entry, classes });
                    } else {
                        rows.extend(field.hashes.iter().map(|&hash| (hash, entry)));
                    }
                    entries.push(Entry {
                        pack,
                        item,
                        family,
                        field: field.field,
                        channel: field.channel,
                        units: field.units,
                        scale: field.ngrams as f64 / field.hashes.len() as f64,
                        weight,
                    });
                }
            }
        }
        rows.sort_unstable();
        bags_of.sort_by_key(|bag| bag.family);
        let model = |pack: &Pack| packs.iter().position(|other| Some(other.name()) == pack.control_of());
        let models = packs.iter().map(model).collect();
        Self::flatten(entries, bags_of, models, &rows)
    }

    /// `rows`: pairs of n-gram and entry, ascending.
    fn flatten(entries: Vec<Entry>, bags: Vec<Bag>, models: Vec<Option<usize>>, rows: &[(u64, u32)]) -> Self {
        let different = rows.chunk_by(|a, b| a.0 == b.0).count();
        let mut sizes = [0; Channel::ALL.len()];
        rows.iter()
            .for_each(|row| sizes[entries[row.1 as usize].channel as usize] += 1);
        let mut index = Self {
            entries,
            bags,
            filters: sizes.map(Filter::new),
            buckets: Vec::new(),
            shift: HASH_BITS - (different / BUCKET_NGRAMS).max(2).ilog2(),
            hashes: Vec::with_capacity(different),
            starts: vec![0],
            postings: Vec::with_capacity(rows.len()),
            models,
        };
        let mut families = Vec::new();
        for group in rows.chunk_by(|a, b| a.0 == b.0) {
            index.post(group, &mut families);
        }
        index.buckets = vec![0; (1 << (HASH_BITS - index.shift)) + 1];
        for hash in &index.hashes {
            index.buckets[(hash >> index.shift) as usize + 1] += 1;
        }
        let mut before = 0;
        for bucket in &mut index.buckets {
            before += *bucket;
            *bucket = before;
        }
        index
    }

    /// Adds one n-gram: `group` are the entries that hold it. It is worth [`WHOLE`] divided by the number of families of
    /// the pack that hold it; boilerplate is left out. In a pack of control items it is worth what it is in the benchmark
    /// that they were made of. `families`: room for theirs.
    fn post(&mut self, group: &[(u64, u32)], families: &mut Vec<u32>) {
        let before = self.postings.len();
        let is_common = common::holds(group[0].0);
        let pack_of = |row: &(u64, u32)| self.entries[row.1 as usize].pack;
        for pack in group.chunk_by(|a, b| pack_of(a) == pack_of(b)) {
            let family = |row: &(u64, u32)| self.entries[row.1 as usize].family;
            let number = self.entries[pack[0].1 as usize].pack;
            let model = self.models[number].map(|model| group.iter().filter(move |row| pack_of(row) == model));
            families.clear();
            families.extend(model.into_iter().flatten().map(family));
            if families.is_empty() {
                families.extend(pack.iter().map(family));
            }
            families.sort_unstable();
            families.dedup();
            if families.len() <= MAX_FAMILIES_WITH_NGRAM {
                let weight = WHOLE / families.len() as u32 / if is_common { COMMON_DIVISOR } else { 1 };
                self.postings
                    .extend(pack.iter().map(|&(_, entry)| Posting { entry, weight }));
            }
        }
        if self.postings.len() == before {
            return;
        }
        for posting in &self.postings[before..] {
            let entry = &mut self.entries[posting.entry as usize];
            entry.weight += u64::from(posting.weight);
            self.filters[entry.channel as usize].add(group[0].0);
        }
        self.hashes.push(group[0].0);
        self.starts.push(self.postings.len() as u32);
    }

    /// The bags of a family.
    pub(super) fn bags(&self, family: u32) -> &[Bag] {
        let first = self.bags.partition_point(|bag| bag.family < family);
        let number = self.bags[first..].partition_point(|bag| bag.family == family);
        &self.bags[first..first + number]
    }

    /// The field of this number.
    pub(super) fn entry(&self, number: u32) -> &Entry {
        &self.entries[number as usize]
    }

    /// Whether the n-gram may be one of ours: never wrong when it says no.
    #[inline(always)]
    pub(super) fn may_hold(&self, channel: Channel, hash: u64) -> bool {
        self.filters[channel as usize].may_hold(hash)
    }

    /// Writes the places of the `hashes` that may be ours to `out`, and returns their number. First all are looked up in
    /// the coarse filter, which the second cache holds, then those that pass in the fine one: no branch, and no look waits
    /// for another.
    pub(super) fn choose(&self, channel: Channel, hashes: &[u64], out: &mut [u32]) -> usize {
        let filter = &self.filters[channel as usize];
        let mut passed = 0;
        for (place, hash) in hashes.iter().enumerate() {
            out[passed] = place as u32;
            passed += usize::from(filter.may_hold_coarsely(*hash));
        }
        let mut chosen = 0;
        for at in 0..passed {
            let place = out[at];
            out[chosen] = place;
            chosen += usize::from(filter.may_hold(hashes[place as usize]));
        }
        chosen
    }

    /// The number of an n-gram of ours.
    pub(super) fn number(&self, hash: u64) -> Option<u32> {
        let bucket = (hash >> self.shift) as usize;
        let first = self.buckets[bucket] as usize;
        let within = &self.hashes[first..self.buckets[bucket + 1] as usize];
        within
            .iter()
            .position(|&other| other == hash)
            .map(|at| (first + at) as u32)
    }

    /// The hash of n-gram `number`.
    pub(super) fn hash(&self, number: u32) -> u64 {
        self.hashes[number as usize]
    }

    /// The fields that hold n-gram `number`.
    pub(super) fn postings(&self, number: u32) -> &[Posting] {
        let at = number as usize;
        &self.postings[self.starts[at] as usize..self.starts[at + 1] as usize]
    }
}

/// Which n-grams of a channel may be there. The filter of code and those of the short channels stay in the second cache.
#[derive(Clone, Debug)]
struct Filter {
    words: Vec<u64>,
    /// [`COARSER`] times shorter: one bit for an n-gram.
    coarse: Vec<u64>,
}

impl Filter {
    /// For so many places of n-grams: one that is in several fields has several.
    fn new(places: usize) -> Self {
        let bits = (places * FILTER_BITS / 5).max(64).next_power_of_two();
        Self {
            words: vec![0; bits / 64],
            coarse: vec![0; (bits / COARSER).div_ceil(64)],
        }
    }

    /// A word, and the bits in it.
    #[inline(always)]
    fn place(&self, hash: u64) -> (usize, u64) {
        let slot = (hash >> 18) as usize & (self.words.len() - 1);
        (slot, 1 << (hash & 63) | 1 << (hash >> 6 & 63) | 1 << (hash >> 12 & 63))
    }

    fn add(&mut self, hash: u64) {
        let (slot, bits) = self.place(hash);
        self.words[slot] |= bits;
        let (slot, bit) = self.coarse_place(hash);
        self.coarse[slot] |= bit;
    }

    #[inline(always)]
    fn coarse_place(&self, hash: u64) -> (usize, u64) {
        let bit = (hash >> 18) as usize;
        ((bit / 64) & (self.coarse.len() - 1), 1 << (bit & 63))
    }

    #[inline(always)]
    fn may_hold_coarsely(&self, hash: u64) -> bool {
        let (slot, bit) = self.coarse_place(hash);
        self.coarse[slot] & bit != 0
    }

    #[inline(always)]
    fn may_hold(&self, hash: u64) -> bool {
        let (slot, bits) = self.place(hash);
        self.words[slot] & bits == bits
    }
}

/// Numbers of families, blind to case: packs of one family may spell it differently.
#[derive(Default)]
struct Families {
    numbers: BTreeMap<String, u32>,
}

impl Families {
    fn number(&mut self, family: &str) -> u32 {
        let next = self.numbers.len() as u32;
        *self.numbers.entry(family.to_ascii_lowercase()).or_insert(next)
    }
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
            .filter(|field| field.channel != Channel::Bag)
            .flat_map(|field| field.hashes.iter().map(|hash| (field.channel, *hash)));
        for (channel, hash) in ours {
            assert!(index.may_hold(channel, hash) && index.number(hash).is_some());
        }
        let foreign = (0..100_000u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 24);
        let passed = foreign
            .filter(|&hash| index.number(hash).is_none() && index.may_hold(Channel::Words, hash))
            .count();
        assert!(passed < 6_000, "{passed} of 100,000 passed");
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
        let whole = u64::from(WHOLE);
        assert_eq!(weight_of(1), 9 * whole);
        assert_eq!(weight_of(4), 3 * whole / 4 + 6 * whole);
        assert_eq!(weight_of(MAX_FAMILIES_WITH_NGRAM), 3 * (whole / 16) + 6 * whole);
        assert_eq!(weight_of(MAX_FAMILIES_WITH_NGRAM + 1), 6 * whole);
    }

    #[test]
    fn an_ngram_in_two_fields_of_one_item_is_whole_and_packs_do_not_dilute_each_other() {
        let list = [item(
            "I/1",
            &[
                (Field::Prompt, "lamps shine over every quiet harbour"),
                (Field::Tests, "lamps shine over every quiet harbour"),
            ],
        )];
        let index = Index::new(&[pack_of("one", &list), pack_of("two", &list)]);
        assert_eq!(
            index
                .entries
                .iter()
                .filter(|entry| entry.channel != Channel::Bag)
                .map(|entry| entry.weight)
                .collect::<Vec<_>>(),
            [u64::from(WHOLE); 4]
        );
        let number = index.number(pack_of("one", &list).items()[0].fields[0].hashes[0]);
        assert_eq!(index.postings(number.expect("it is ours")).len(), 4);
    }

    #[test]
    fn weights_divide_without_remainder() {
        assert!((1..=MAX_FAMILIES_WITH_NGRAM as u64).all(|items| u64::from(WHOLE).is_multiple_of(items)));
    }
}
