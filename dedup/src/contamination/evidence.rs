//! From the n-grams of a text to candidates: for each field that has any, the window in which it has most.
//!
//! ```text
//!   text ─► n-grams of each channel ─► hits (ours)                a text with too few is done here: nearly every file
//!        ─► evidence (field, hit), grouped by field
//!        ─► the window of each field in which its different n-grams weigh most     ► candidate
//! ```

use super::code::{self, Sink};
use super::grams::{Channel, Gram};
use super::index::{Entry, Index};
use super::views::{self, View};
use super::{literals, words};

/// A window may be this many times as long as the field that is looked for, in units: room for what was put between.
const STRETCH: usize = 2;
/// Units that it may be longer still, so that short fields have room as well: keys, comments, a helper's head.
const SLACK_UNITS: usize = 24;
/// Places of one n-gram in one file that are looked at: bounds the work on a file that repeats one for ever.
const MAX_PLACES: usize = 32;
/// An n-gram says something only with a word of so many letters: tables of numbers are alike everywhere.
const TELLING_LETTERS: usize = 3;
/// Units between a text and its views.
const VIEW_GAP: usize = 1 << 16;

/// Buffers that outlive one text.
#[derive(Debug, Default)]
pub struct Scratch {
    hits: Vec<Hit>,
    evidence: Vec<Evidence>,
}

/// An n-gram of ours in the text.
#[derive(Clone, Copy, Debug)]
struct Hit {
    /// Its number in the index.
    ngram: u32,
    /// Number of its first unit.
    unit: u32,
    /// Offset of its first byte.
    start: u32,
    /// Offset behind its last byte.
    end: u32,
}

/// A hit, as it counts for one field.
#[derive(Clone, Copy, Debug)]
struct Evidence {
    entry: u32,
    hit: Hit,
    weight: u64,
}

/// The heaviest window of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// The field, by its number in the index.
    pub(super) entry: u32,
    /// What its different n-grams weigh.
    pub(super) weight: u64,
    /// Number of its different n-grams that say something.
    pub(super) ngrams: usize,
    /// Units from its first n-gram to behind its last.
    pub(super) units: usize,
    /// Offset of its first byte.
    pub(super) start: usize,
    /// Offset behind its last byte.
    pub(super) end: usize,
}

/// The candidates in `text`, in order of fields.
pub(super) fn candidates(index: &Index, text: &[u8], scratch: &mut Scratch) -> Vec<Candidate> {
    let Scratch { hits, evidence } = scratch;
    collect_hits(index, text, hits);
    collect_evidence(index, hits, evidence);
    let groups = evidence.chunk_by(|a, b| a.entry == b.entry);
    groups
        .map(|group| heaviest(group, &index.entries[group[0].entry as usize], text))
        .collect()
}

/// The n-grams of ours in `text`, ascending, each once.
pub(super) fn ngrams(index: &Index, text: &[u8]) -> Vec<u64> {
    let mut hits = Vec::new();
    collect_hits(index, text, &mut hits);
    let mut hashes: Vec<u64> = hits.iter().map(|hit| index.hash(hit.ngram)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn collect_hits(index: &Index, text: &[u8], hits: &mut Vec<Hit>) {
    hits.clear();
    let mut hit = |gram: Gram| {
        if index.may_hold(gram.hash)
            && let Some(ngram) = index.number(gram.hash)
        {
            let (unit, start, end) = (gram.unit as u32, gram.start as u32, gram.end as u32);
            hits.push(Hit {
                ngram,
                unit,
                start,
                end,
            });
        }
    };
    words::scan(text, &mut hit);
    let mut units = literals::scan(text, &mut hit).max(code::scan(text, &mut Both(&mut hit)));
    for View { text, places } in views::views(text) {
        units += VIEW_GAP;
        let mut moved = |gram: Gram| {
            hit(Gram {
                unit: gram.unit + units,
                start: places[gram.start] as usize,
                end: places[gram.end - 1] as usize + 1,
                ..gram
            });
        };
        // The words of the text itself are blind to escapes, but for letters that are escaped.
        if !text.is_ascii() {
            words::scan(&text, &mut moved);
        }
        units += literals::scan(&text, &mut moved).max(code::scan(&text, &mut Both(&mut moved)));
    }
}

/// A sink for n-grams and names alike.
struct Both<'f, F>(&'f mut F);

impl<F: FnMut(Gram)> Sink for Both<'_, F> {
    fn code(&mut self, gram: Gram) {
        (self.0)(gram);
    }

    fn name(&mut self, gram: Gram) {
        (self.0)(gram);
    }
}

/// Evidence, sorted by field and then by place.
fn collect_evidence(index: &Index, hits: &mut [Hit], evidence: &mut Vec<Evidence>) {
    evidence.clear();
    hits.sort_unstable_by_key(|hit| (hit.ngram, hit.unit));
    for places in hits.chunk_by(|a, b| a.ngram == b.ngram) {
        for hit in &places[..places.len().min(MAX_PLACES)] {
            let postings = index.postings(hit.ngram).iter();
            evidence.extend(postings.map(|posting| Evidence {
                entry: posting.entry,
                hit: *hit,
                weight: u64::from(posting.weight),
            }));
        }
    }
    evidence.sort_unstable_by_key(|evidence| (evidence.entry, evidence.hit.unit));
}

/// The run of `evidence` (of one field, in order of place) that spans no more units than the field may take and whose
/// different n-grams weigh most; the first of those that weigh the same.
fn heaviest(evidence: &[Evidence], entry: &Entry, text: &[u8]) -> Candidate {
    let reach = entry.units * STRETCH + SLACK_UNITS;
    let length = entry.channel.ngram();
    let mut ngrams: Vec<u32> = evidence.iter().map(|evidence| evidence.hit.ngram).collect();
    ngrams.sort_unstable();
    ngrams.dedup();
    let mut counts = vec![0u32; ngrams.len()];
    let slot = |evidence: &Evidence| ngrams.partition_point(|&ngram| ngram < evidence.hit.ngram);
    let (mut first, mut weight) = (0, 0);
    let (mut best, mut most) = (&evidence[..1], 0);
    for (last, next) in evidence.iter().enumerate() {
        let count = &mut counts[slot(next)];
        weight += if *count == 0 { next.weight } else { 0 };
        *count += 1;
        while (next.hit.unit - evidence[first].hit.unit) as usize + length > reach {
            let count = &mut counts[slot(&evidence[first])];
            *count -= 1;
            weight -= if *count == 0 { evidence[first].weight } else { 0 };
            first += 1;
        }
        if weight > most {
            (best, most) = (&evidence[first..=last], weight);
        }
    }
    let places = || best.iter().map(|evidence| evidence.hit);
    Candidate {
        entry: best[0].entry,
        weight: most,
        ngrams: telling(best, entry.channel, text),
        units: (best[best.len() - 1].hit.unit - best[0].hit.unit) as usize + length,
        start: places().map(|hit| hit.start).min().unwrap_or(0) as usize,
        end: places().map(|hit| hit.end).max().unwrap_or(0) as usize,
    }
}

/// Number of different n-grams that say something: of words, those with one that is more than a number or a letter.
fn telling(evidence: &[Evidence], channel: Channel, text: &[u8]) -> usize {
    let tells = |evidence: &&Evidence| {
        let hit = evidence.hit;
        channel != Channel::Words || has_word(&text[hit.start as usize..hit.end as usize])
    };
    let mut ngrams: Vec<u32> = evidence
        .iter()
        .filter(tells)
        .map(|evidence| evidence.hit.ngram)
        .collect();
    ngrams.sort_unstable();
    ngrams.dedup();
    ngrams.len()
}

fn has_word(ngram: &[u8]) -> bool {
    let letters = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
    ngram
        .split(|byte| !letters(byte))
        .any(|word| word.len() >= TELLING_LETTERS)
}
