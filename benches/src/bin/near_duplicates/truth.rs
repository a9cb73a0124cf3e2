//! All pairs of files at or above 0.7, exactly: an inverted index over prefixes, written apart from the product.
//!
//! Words are runs of ASCII letters, digits, `_` and non-ASCII bytes, lower-cased; a file is the set of its 5 words in a
//! row. Grams are numbered from rare to common; two sets at 0.7 share one of the first `n − ⌈0.7 n⌉ + 1` of each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use stackmill_dedup::near::NearConfig;
use stackmill_dedup::near::shingle::Shingler;
use stackmill_dedup::near::sketch::Sketcher;
use xxhash_rust::xxh3::xxh3_64;

/// The threshold.
const THRESHOLD: f64 = 0.7;
/// Words in a row.
const WORDS: usize = 5;
/// Smaller sets are no evidence, as in the product's defaults.
const FEWEST: usize = 6;

/// Sets of grams by file, each sorted from rare to common; empty where it is too small.
pub(crate) struct Truth {
    sets: Vec<Vec<u32>>,
    /// Pairs at or above the threshold, the lower row first.
    pub(crate) pairs: Vec<(u32, u32)>,
}

impl Truth {
    pub(crate) fn new(texts: &[String]) -> Self {
        let sets = numbered(texts);
        let pairs = pairs(&sets);
        Self { sets, pairs }
    }

    /// The Jaccard index of two files.
    pub(crate) fn similarity(&self, a: u32, b: u32) -> f64 {
        jaccard(&self.sets[a as usize], &self.sets[b as usize])
    }

    /// What a tool did that removed `removed`: rows with their keepers, where it names them.
    pub(crate) fn judge(&self, removed: &BTreeMap<u32, Option<u32>>) {
        let near = |a: u32, b: u32| self.similarity(a, b) >= THRESHOLD;
        let mut neighbours: HashMap<u32, Vec<u32>> = HashMap::new();
        for (a, b) in &self.pairs {
            neighbours.entry(*a).or_default().push(*b);
            neighbours.entry(*b).or_default().push(*a);
        }
        let kept = |row: &u32| !removed.contains_key(row);
        let excused = |row: &u32| neighbours.get(row).is_some_and(|near| near.iter().any(kept));
        let alone = removed.keys().filter(|row| !excused(row)).count();
        let wrong = removed
            .iter()
            .filter(|(row, keeper)| keeper.is_some_and(|keeper| !near(**row, keeper)));
        let both = self.pairs.iter().filter(|(a, b)| kept(a) && kept(b)).count();
        println!(
            "removed {}; keeper below 0.7: {}; no kept file at 0.7: {alone}; pairs at 0.7 both kept: {both} of {} ({:.2}%)",
            removed.len(),
            wrong.count(),
            self.pairs.len(),
            100.0 * both as f64 / self.pairs.len().max(1) as f64
        );
    }
}

/// Prints the pairs, and how many of them share a band of the product's sketch.
pub(crate) fn report(texts: &[String]) {
    let truth = Truth::new(texts);
    let files: BTreeSet<u32> = truth.pairs.iter().flat_map(|(a, b)| [*a, *b]).collect();
    println!(
        "{} files, {} pairs at 0.7 among {} files",
        texts.len(),
        truth.pairs.len(),
        files.len()
    );
    let config = NearConfig::default();
    let Ok(banding) = config.validate() else { return };
    let mut shingler = Shingler::new(config.ngram);
    let mut sketcher = Sketcher::new(banding, config.seed);
    let bands = files.into_iter().map(|file| {
        let mut bands = Vec::new();
        sketcher.bands(shingler.set(texts[file as usize].as_bytes()), &mut bands);
        bands.pop();
        (file, bands)
    });
    let bands: HashMap<u32, Vec<u64>> = bands.collect();
    let meet = |(a, b): &&(u32, u32)| bands[a].iter().zip(&bands[b]).any(|(a, b)| a == b);
    let found = truth.pairs.iter().filter(meet).count();
    println!(
        "{banding:?}: {found} of them share a band, {:.4}",
        found as f64 / truth.pairs.len().max(1) as f64
    );
}

fn grams(text: &str) -> Vec<u64> {
    let lower = text.to_ascii_lowercase();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80;
    let words: Vec<&[u8]> = lower
        .as_bytes()
        .split(|byte| !is_word(byte))
        .filter(|word| !word.is_empty())
        .collect();
    let mut grams: Vec<u64> = words.windows(WORDS).map(|words| xxh3_64(&words.join(&b' '))).collect();
    grams.sort_unstable();
    grams.dedup();
    grams
}

fn numbered(texts: &[String]) -> Vec<Vec<u32>> {
    let sets: Vec<Vec<u64>> = texts.iter().map(|text| grams(text)).collect();
    let mut unsorted_counts: HashMap<u64, u32> = HashMap::new();
    sets.iter()
        .flatten()
        .for_each(|gram| *unsorted_counts.entry(*gram).or_default() += 1);
    let mut order: Vec<(u32, u64)> = unsorted_counts.into_iter().map(|(gram, count)| (count, gram)).collect();
    order.sort_unstable();
    let numbers: HashMap<u64, u32> = order.iter().map(|(_, gram)| *gram).zip(0..).collect();
    let number = |set: Vec<u64>| {
        let mut set: Vec<u32> = set.iter().map(|gram| numbers[gram]).collect();
        set.sort_unstable();
        match set.len() < FEWEST {
            true => Vec::new(),
            false => set,
        }
    };
    sets.into_iter().map(number).collect()
}

fn pairs(sets: &[Vec<u32>]) -> Vec<(u32, u32)> {
    let mut index: HashMap<u32, Vec<u32>> = HashMap::new();
    let mut pairs = Vec::new();
    let mut unsorted_candidates = HashSet::new();
    for (row, set) in (0u32..).zip(sets).filter(|(_, set)| !set.is_empty()) {
        let least = (THRESHOLD * set.len() as f64).ceil() as usize;
        unsorted_candidates.clear();
        for gram in &set[..set.len() - least + 1] {
            let files = index.entry(*gram).or_default();
            unsorted_candidates.extend(files.iter().copied());
            files.push(row);
        }
        let near = |other: &&u32| jaccard(&sets[**other as usize], set) >= THRESHOLD;
        let mut found: Vec<u32> = unsorted_candidates.iter().filter(near).copied().collect();
        found.sort_unstable();
        pairs.extend(found.into_iter().map(|other| (other, row)));
    }
    pairs
}

fn jaccard(a: &[u32], b: &[u32]) -> f64 {
    if (a.len().min(b.len()) as f64) < THRESHOLD * a.len().max(b.len()) as f64 {
        return 0.0;
    }
    let (mut i, mut j, mut shared) = (0, 0, 0usize);
    while i < a.len() && j < b.len() {
        let (x, y) = (a[i], b[j]);
        shared += usize::from(x == y);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    shared as f64 / (a.len() + b.len() - shared).max(1) as f64
}
