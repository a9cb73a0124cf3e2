//! From the n-grams of a text to candidates: for each field that has any, the window in which it has most.
//!
//! ```text
//!   text ─► n-grams of each channel ─► hits (ours)                a text with too few is done here: nearly every file
//!        ─► evidence (field, hit), grouped by field
//!        ─► the window of each field in which its different n-grams weigh most     ► candidate
//! ```

use super::classes::Classes;
use super::code::Lexer;
use super::grams::{Channel, Gram};
use super::index::{Entry, Index};
use super::lanes::{Batch, Sink};
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
    scan: Scan,
    /// N-grams that may be ours.
    passed: Vec<Gram>,
    hits: Vec<Hit>,
    evidence: Vec<Evidence>,
    weights: Weights,
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

/// The candidates in `text`, in order of fields. Fields are left out of which even all that is in the text, wherever it
/// stands, weighs too little to count; with them all the rest, if none but names is left.
pub(super) fn candidates(
    index: &Index,
    text: &[u8],
    may_count: impl Fn(&Entry, u64) -> bool,
    scratch: &mut Scratch,
) -> Vec<Candidate> {
    collect_hits(index, text, scratch);
    let Scratch {
        hits,
        evidence,
        weights,
        ..
    } = scratch;
    hits.sort_unstable_by_key(|hit| (hit.ngram, hit.unit));
    weights.weigh(index, hits);
    evidence.clear();
    if weights.choose(index, may_count) {
        collect_evidence(index, hits, weights, evidence);
    }
    weights.clear();
    let groups = evidence.chunk_by(|a, b| a.entry == b.entry);
    groups
        .map(|group| heaviest(group, &index.entries[group[0].entry as usize], text))
        .collect()
}

/// The n-grams of ours in `text`, ascending, each once.
pub(super) fn ngrams(index: &Index, text: &[u8]) -> Vec<u64> {
    let mut scratch = Scratch::default();
    collect_hits(index, text, &mut scratch);
    let mut hashes: Vec<u64> = scratch.hits.iter().map(|hit| index.hash(hit.ngram)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

fn collect_hits(index: &Index, text: &[u8], scratch: &mut Scratch) {
    let Scratch { scan, passed, hits, .. } = scratch;
    passed.clear();
    let mut filter = Filter { index, passed };
    let mut units = scan.read(text, true, &mut filter);
    let has_escapes = scan.classes.has_backslash;
    for View {
        text,
        places,
        has_words,
    } in views::views(text, has_escapes)
    {
        units += VIEW_GAP;
        let mut moved = Moved {
            filter: &mut filter,
            places: &places,
            units,
        };
        units += scan.read(&text, has_words, &mut moved);
    }
    hits.clear();
    hits.extend(passed.iter().filter_map(|gram| {
        Some(Hit {
            ngram: index.number(gram.hash)?,
            unit: gram.unit as u32,
            start: gram.start as u32,
            end: gram.end as u32,
        })
    }));
}

/// What reads a text in every channel.
#[derive(Debug, Default)]
struct Scan {
    classes: Classes,
    words: Batch,
    code: Lexer,
}

impl Scan {
    /// Shows `sink` what it wants of the n-grams of `text`; returns the number of units of code or literals.
    fn read(&mut self, text: &[u8], with_words: bool, sink: &mut impl Sink) -> usize {
        let classes = &mut self.classes;
        classes.read(text);
        if with_words && classes.is_spaceless {
            words::scan(text, |gram| {
                if sink.wants(Channel::Words, gram.hash) {
                    sink.take(Channel::Words, gram);
                }
            });
        } else if with_words {
            self.words.scan(text, classes, sink);
        }
        let literals = literals::scan(text, classes, sink);
        literals.max(self.code.scan(text, classes, sink))
    }
}

/// Lets n-grams through that may be ours.
struct Filter<'a> {
    index: &'a Index,
    passed: &'a mut Vec<Gram>,
}

impl Sink for Filter<'_> {
    #[inline(always)]
    fn wants(&self, channel: Channel, hash: u64) -> bool {
        self.index.may_hold(channel, hash)
    }

    fn choose(&self, channel: Channel, hashes: &[u64], out: &mut [u32]) -> usize {
        self.index.choose(channel, hashes, out)
    }

    fn take(&mut self, _channel: Channel, gram: Gram) {
        self.passed.push(gram);
    }
}

/// Puts the n-grams of a view where they came from.
struct Moved<'f, 'a> {
    filter: &'f mut Filter<'a>,
    places: &'f [u32],
    /// Units before the view.
    units: usize,
}

impl Sink for Moved<'_, '_> {
    #[inline(always)]
    fn wants(&self, channel: Channel, hash: u64) -> bool {
        self.filter.wants(channel, hash)
    }

    fn choose(&self, channel: Channel, hashes: &[u64], out: &mut [u32]) -> usize {
        self.filter.choose(channel, hashes, out)
    }

    fn take(&mut self, channel: Channel, gram: Gram) {
        let moved = Gram {
            unit: gram.unit + self.units,
            start: self.places[gram.start] as usize,
            end: self.places[gram.end - 1] as usize + 1,
            ..gram
        };
        self.filter.take(channel, moved);
    }
}

/// What the text has of each field, wherever it stands.
#[derive(Debug, Default)]
struct Weights {
    /// By field; 0 for most.
    totals: Vec<u64>,
    /// Fields whose total is not 0.
    touched: Vec<u32>,
}

impl Weights {
    /// Adds up the different n-grams of `hits`, which are in order of n-grams.
    fn weigh(&mut self, index: &Index, hits: &[Hit]) {
        self.totals.resize(index.entries.len(), 0);
        for places in hits.chunk_by(|a, b| a.ngram == b.ngram) {
            for posting in index.postings(places[0].ngram) {
                let total = &mut self.totals[posting.entry as usize];
                if *total == 0 {
                    self.touched.push(posting.entry);
                }
                *total += u64::from(posting.weight);
            }
        }
    }

    /// Keeps what may count; whether any field but names is left.
    fn choose(&mut self, index: &Index, may_count: impl Fn(&Entry, u64) -> bool) -> bool {
        let mut left = false;
        for &entry in &self.touched {
            let total = &mut self.totals[entry as usize];
            let field = index.entry(entry);
            let counts = may_count(field, *total);
            left |= counts && field.channel != Channel::Names;
            *total = if counts { *total } else { 0 };
        }
        left
    }

    fn clear(&mut self) {
        for entry in self.touched.drain(..) {
            self.totals[entry as usize] = 0;
        }
    }
}

/// Evidence for what `weights` has kept, sorted by field and then by place. `hits` are in order of n-grams.
fn collect_evidence(index: &Index, hits: &[Hit], weights: &Weights, evidence: &mut Vec<Evidence>) {
    for places in hits.chunk_by(|a, b| a.ngram == b.ngram) {
        let postings = index.postings(places[0].ngram).iter();
        for posting in postings.filter(|posting| weights.totals[posting.entry as usize] != 0) {
            evidence.extend(places.iter().take(MAX_PLACES).map(|hit| Evidence {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::DecontaminateConfig;
    use super::super::judge::{judge, may_count};
    use super::super::tests::{LIGHTHOUSE_PROMPT, LIGHTHOUSE_SOLUTION, items, pack_of};
    use super::*;

    /// Field, tier and share of each finding, and the number of candidates.
    fn found(index: &Index, text: &str, leaves_out: bool) -> (Vec<String>, usize) {
        let config = DecontaminateConfig::default();
        let counts = |entry: &Entry, weight: u64| !leaves_out || may_count(entry, weight, &config);
        let candidates = candidates(index, text.as_bytes(), counts, &mut Scratch::default());
        let judged = judge(index, &candidates, &config);
        let told = judged
            .iter()
            .map(|judged| format!("{} {} {}", judged.candidate.entry, judged.tier, judged.share));
        (told.collect(), candidates.len())
    }

    #[test]
    fn what_weighs_too_little_is_left_out() {
        let words: String = (0..120).map(|i| format!("word{i} ")).collect();
        let fields = [(stackmill_schemas::benchmark::Field::Prompt, words.as_str())];
        let index = Index::new(&[pack_of("p", &[super::super::tests::item("A", &fields)])]);
        // 4 of 112 n-grams that are kept of 115 are below .15 of the share of .25; all n-grams of 40 words are above.
        let part = |count: usize| words.split_inclusive(' ').take(count).collect::<String>();
        assert_eq!(found(&index, &part(8), false).1, 1);
        assert_eq!(found(&index, &part(8), true).1, 0);
        assert_eq!(found(&index, &part(40), true), found(&index, &part(40), false));
    }

    proptest! {
        #[test]
        fn no_finding_is_lost_by_it(cuts in proptest::collection::vec((0usize..60, 0usize..30), 0..6)) {
            let index = Index::new(&[pack_of("harbour", &items())]);
            let whole = format!("{LIGHTHOUSE_PROMPT}\n{LIGHTHOUSE_SOLUTION}");
            let words: Vec<&str> = whole.split_inclusive(' ').collect();
            let piece = |(start, length): &(usize, usize)| words.iter().skip(*start).take(*length).copied().collect::<String>();
            let text: String = cuts.iter().map(piece).collect();
            prop_assert_eq!(found(&index, &text, true).0, found(&index, &text, false).0);
        }
    }
}
