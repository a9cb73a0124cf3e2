//! Finds whole license texts by the shingles that they share with SPDX's.
//!
//! ```text
//!   index   shingle hash ─► licenses that hold it                     built at first use, 0.1 s
//!   scan    count ─► candidates that are nearly all there ─► the one that explains most, minus what it lacks;
//!           what it explains is taken out, and again, until nothing is left
//! ```

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

use spdx::text::{EXCEPTION_TEXTS, LICENSE_TEXTS};

use super::bsd;
use super::words::{Normal, Shingle};

/// Share of a license's shingles that must be there.
const PRESENT: f64 = 0.72;
/// Share of them that nothing else has explained yet.
const UNEXPLAINED: f64 = 0.5;
/// Share of the bytes from its first to its last word that must be its own.
const DENSE: f64 = 0.6;
/// What a missing shingle takes off, against one that is there.
const MISSING_WEIGHT: i64 = 2;
/// Licenses with fewer shingles than this are too short to be told from ordinary words.
const FEWEST_SHINGLES: usize = 8;
/// Licenses found in one text at most.
const MOST_FOUND: usize = 32;

/// A license or an exception whose text was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// SPDX identifier.
    pub(crate) id: &'static str,
    /// Whether it is an exception, to be joined by `WITH`.
    pub(crate) is_exception: bool,
    /// Whether it is of the BSD family.
    pub(crate) is_bsd: bool,
    /// How much of what only it says is there: 0 where it says nothing that the plain licenses of its family do not say.
    pub(crate) own_percent: u32,
    /// Its stretches in the normal text, in order: first byte and the one behind the last.
    pub(crate) spans: Vec<(usize, usize)>,
}

impl Found {
    /// Where it starts.
    pub(crate) fn start(&self) -> usize {
        self.spans.first().map_or(0, |span| span.0)
    }

    /// Where it ends.
    pub(crate) fn end(&self) -> usize {
        self.spans.last().map_or(0, |span| span.1)
    }

    /// Whether its words stand together. Where others stand between them, those may be further terms.
    fn is_dense(&self) -> bool {
        let covered: usize = self.spans.iter().map(|(start, end)| end - start).sum();
        covered as f64 >= DENSE * (self.end() - self.start()) as f64
    }

    /// Whether some of its words are among those from `start` to `end`.
    pub(crate) fn touches(&self, start: usize, end: usize) -> bool {
        let at = self.spans.partition_point(|span| span.1 <= start);
        self.spans.get(at).is_some_and(|span| span.0 < end)
    }
}

struct Text {
    id: &'static str,
    is_exception: bool,
    is_bsd: bool,
    shingles: u32,
    /// Of these, those that no plain license of the BSD family holds; counted in that family only.
    own: u32,
}

/// Takes what is a hash already as it is.
#[derive(Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes
            .iter()
            .for_each(|&byte| self.0 = self.0.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

struct Index {
    texts: Vec<Text>,
    /// Shingle to a run of `postings`.
    runs: HashMap<u64, (u32, u32), BuildHasherDefault<Hashed>>,
    postings: Vec<u16>,
}

static INDEX: LazyLock<Index> = LazyLock::new(Index::new);

impl Index {
    fn new() -> Self {
        let mut texts: Vec<Text> = Vec::new();
        let mut pairs: Vec<(u64, u16)> = Vec::new();
        let mut seen: HashMap<Vec<u64>, ()> = HashMap::new();
        for (id, text, is_exception) in sources() {
            let normal = Normal::new(&text);
            let mut hashes: Vec<u64> = normal.shingles().iter().map(|shingle| shingle.hash).collect();
            hashes.sort_unstable();
            hashes.dedup();
            // Several identifiers share one text: the first of them stands for it.
            if hashes.len() < FEWEST_SHINGLES || seen.insert(hashes.clone(), ()).is_some() {
                continue;
            }
            pairs.extend(hashes.iter().map(|&hash| (hash, texts.len() as u16)));
            texts.push(Text {
                id,
                is_exception,
                is_bsd: bsd::is_one(normal.text()),
                shingles: hashes.len() as u32,
                own: 0,
            });
        }
        pairs.sort_unstable();
        let mut runs: HashMap<_, _, BuildHasherDefault<Hashed>> = HashMap::default();
        for (at, (hash, _)) in pairs.iter().enumerate() {
            runs.entry(*hash).or_insert((at as u32, at as u32)).1 = at as u32 + 1;
        }
        let postings = pairs.into_iter().map(|(_, text)| text).collect();
        let mut index = Self { texts, runs, postings };
        let all: Vec<&[u16]> = index.runs.keys().map(|&hash| index.holders(hash)).collect();
        let own: Vec<u32> = (0..index.texts.len()).map(|text| index.own(text, &all)).collect();
        index.texts.iter_mut().zip(own).for_each(|(text, own)| text.own = own);
        index
    }

    /// How many of some shingles, given by who holds them, only `text` holds and no plain license of the BSD family.
    fn own(&self, text: usize, holders: &[&[u16]]) -> u32 {
        if !self.texts[text].is_bsd {
            return 0;
        }
        let is_plain = |holder: &u16| bsd::PLAIN.contains(&self.texts[usize::from(*holder)].id);
        let is_own = |held: &&&[u16]| held.contains(&(text as u16)) && !held.iter().any(is_plain);
        holders.iter().filter(is_own).count() as u32
    }

    fn holders(&self, hash: u64) -> &[u16] {
        self.runs
            .get(&hash)
            .map_or(&[], |&(start, end)| &self.postings[start as usize..end as usize])
    }
}

/// Wordings as common as SPDX's own: license, and what many say instead of what SPDX says.
const VARIANTS: &[(&str, &[(&str, &str)])] = &[
    ("BSD-3-Clause", &[(BSD_NAMES, "The name of the author may not be used")]),
    (
        "BSD-3-Clause",
        &[(BSD_NAMES, "The names of its contributors may not be used")],
    ),
    (
        "ISC",
        &[
            ("ISC DISCLAIMS", "THE AUTHOR DISCLAIMS"),
            ("SHALL ISC BE", "SHALL THE AUTHOR BE"),
        ],
    ),
    (
        "ISC",
        &[
            ("ISC DISCLAIMS", "THE AUTHOR DISCLAIMS"),
            ("SHALL ISC BE", "SHALL THE AUTHOR BE"),
            ("and/or", "and"),
        ],
    ),
    ("Zlib", &[("the authors be held", "the author be held")]),
];
const BSD_NAMES: &str = "Neither the name of the copyright holder nor the names of its contributors may be used";
/// Where a license ends and what many leave out begins: advice on how to apply it, another license that it rests on.
const ENDS: &[&str] = &[
    "END OF TERMS AND CONDITIONS",
    "GNU GENERAL PUBLIC LICENSE\nVersion 3",
    "How to apply this License",
    "How to Apply These Terms",
];

/// Texts in the order in which identifiers that share one are preferred: current ones first, `-only` before `-or-later`.
fn sources() -> Vec<(&'static str, Cow<'static, str>, bool)> {
    let rank = |id: &str| {
        let deprecated = spdx::license_id(id).is_some_and(spdx::LicenseId::is_deprecated)
            || spdx::exception_id(id).is_some_and(spdx::ExceptionId::is_deprecated);
        (deprecated, id.ends_with("-or-later"), id.len())
    };
    let own = |(id, text): &(&'static str, &'static str)| (*id, Cow::Borrowed(*text), false);
    let exceptions = EXCEPTION_TEXTS
        .iter()
        .map(|(id, text)| (*id, Cow::Borrowed(*text), true));
    let variants = VARIANTS.iter().map(|(id, changes)| {
        let text = spdx::license_id(id).map_or("", spdx::LicenseId::text);
        let changed = changes
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        (*id, Cow::Owned(changed), false)
    });
    let short = LICENSE_TEXTS.iter().flat_map(|(id, text)| {
        let terms = ENDS
            .iter()
            .filter_map(|end| text.split_once(end).map(|(terms, _)| terms));
        terms.map(|terms| (*id, Cow::Borrowed(terms), false))
    });
    let mut all: Vec<_> = LICENSE_TEXTS
        .iter()
        .map(own)
        .chain(exceptions)
        .chain(variants)
        .chain(short)
        .collect();
    all.sort_by_key(|(id, ..)| (rank(id), *id));
    all
}

/// The licenses whose texts are in `normal`, in order of their first words.
pub(crate) fn scan(normal: &Normal) -> Vec<Found> {
    let index = &*INDEX;
    let mut shingles = normal.shingles();
    shingles.sort_by_key(|shingle| (shingle.hash, shingle.start));
    shingles.dedup_by_key(|shingle| shingle.hash);
    let mut present = vec![0u32; index.texts.len()];
    let holders: Vec<&[u16]> = shingles.iter().map(|shingle| index.holders(shingle.hash)).collect();
    holders
        .iter()
        .copied()
        .flatten()
        .for_each(|&text| present[usize::from(text)] += 1);
    let enough = |text: &usize| f64::from(present[*text]) >= PRESENT * f64::from(index.texts[*text].shingles);
    let mut candidates: Vec<usize> = (0..present.len()).filter(enough).collect();
    let mut unexplained = vec![true; shingles.len()];
    let mut found = Vec::new();
    while !candidates.is_empty() && found.len() < MOST_FOUND {
        let fresh = fresh_counts(&candidates, &holders, &unexplained);
        let score = |at: usize| {
            let text = candidates[at];
            let missing = i64::from(index.texts[text].shingles) - i64::from(present[text]);
            i64::from(fresh[at]) - MISSING_WEIGHT * missing
        };
        let still = |at: usize| f64::from(fresh[at]) >= UNEXPLAINED * f64::from(present[candidates[at]]);
        let best = (0..candidates.len())
            .filter(|&at| still(at))
            .max_by_key(|&at| (score(at), std::cmp::Reverse(at)));
        let Some(text) = best.map(|at| candidates[at]) else {
            break;
        };
        let mut taken = take(text, index, (&shingles, &holders), &mut unexplained);
        taken.own_percent = index.own(text, &holders) * 100 / index.texts[text].own.max(1);
        if taken.is_dense() {
            found.push(taken);
        }
        candidates = (0..candidates.len())
            .filter(|&at| still(at) && candidates[at] != text)
            .map(|at| candidates[at])
            .collect();
    }
    bsd::settle(normal.text(), &mut found);
    found
}

/// How many shingles of each candidate nothing has explained yet.
fn fresh_counts(candidates: &[usize], holders: &[&[u16]], unexplained: &[bool]) -> Vec<u32> {
    let mut counts = vec![0; candidates.len()];
    for (held, _) in holders.iter().zip(unexplained).filter(|(_, fresh)| **fresh) {
        for &text in *held {
            if let Ok(at) = candidates.binary_search(&usize::from(text)) {
                counts[at] += 1;
            }
        }
    }
    counts
}

/// Takes out what `text` explains, and says where it is.
fn take(text: usize, index: &Index, shingles: (&[Shingle], &[&[u16]]), unexplained: &mut [bool]) -> Found {
    let mut parts = Vec::new();
    for ((shingle, held), fresh) in shingles.0.iter().zip(shingles.1).zip(unexplained) {
        if *fresh && held.contains(&(text as u16)) {
            *fresh = false;
            parts.push((shingle.start as usize, shingle.end as usize));
        }
    }
    parts.sort_unstable();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (start, end) in parts {
        match spans.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => spans.push((start, end)),
        }
    }
    Found {
        id: index.texts[text].id,
        is_exception: index.texts[text].is_exception,
        is_bsd: index.texts[text].is_bsd,
        own_percent: 0,
        spans,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<&'static str> {
        scan(&Normal::new(text)).iter().map(|found| found.id).collect()
    }

    fn text(id: &str) -> &'static str {
        spdx::license_id(id).map_or("", spdx::LicenseId::text)
    }

    #[test]
    fn every_text_is_found_in_itself() {
        let all = sources();
        let is_found = |text: &&Text| {
            let mut own = all.iter().filter(|(id, ..)| *id == text.id);
            own.any(|(_, source, _)| ids(source).contains(&text.id))
        };
        let missed: Vec<_> = INDEX
            .texts
            .iter()
            .filter(|text| !is_found(text))
            .map(|text| text.id)
            .collect();
        assert!(missed.len() <= 3, "{missed:?}");
    }

    #[test]
    fn neighbours_are_told_apart() {
        for id in [
            "MIT",
            "MIT-0",
            "X11",
            "ISC",
            "0BSD",
            "BSD-2-Clause",
            "BSD-3-Clause",
            "Apache-2.0",
            "Zlib",
            "Unlicense",
            "MPL-2.0",
            "LGPL-2.1-only",
            "GPL-3.0-only",
            "AGPL-3.0-only",
        ] {
            assert_eq!(ids(text(id)), [id]);
        }
    }

    #[test]
    fn several_texts_in_one_file_are_all_found() {
        let both = format!("{}\n=====\n{}", text("MIT"), text("BSD-3-Clause"));
        assert_eq!(ids(&both), ["MIT", "BSD-3-Clause"]);
        assert!(ids("This is a program that prints numbers, and it is not a license at all.").is_empty());
        assert!(ids("").is_empty());
    }
}
