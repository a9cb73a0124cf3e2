//! Which fields of which items are in a text, how much of each, and where.
//!
//! ```text
//!   text ─► n-grams ─► hits (ours, in order)          a text with too few is done here: nearly every file
//!        ─► evidence (field, hit), grouped by field
//!        ─► the window of each field in which its different n-grams weigh most
//!        ─► weight of the window / weight of the field  = share
//! ```

use std::fmt;
use std::sync::Arc;

use stackmill_schemas::benchmark::Field;

use super::DecontaminateConfig;
use super::index::{Entry, Index, WHOLE};
use super::packs::Pack;
use super::words::{self, NGRAM_WORDS};

/// A window may be this many times as long as the field that is looked for, in words: room for what was put between.
const STRETCH: usize = 2;
/// Words that it may be longer still, so that short fields have room as well: keys, comments.
const SLACK_WORDS: usize = 16;
/// Places of one n-gram in one file that are looked at: bounds the work on a file that repeats one for ever.
const MAX_PLACES: usize = 32;
/// Bytes of a file that are looked at: places are 32 bits wide.
const MAX_TEXT_BYTES: usize = u32::MAX as usize;
/// An n-gram says something only with a word of so many letters: tables of numbers are alike everywhere.
const TELLING_LETTERS: usize = 3;
/// Least weight of a window: that of one n-gram which no other item has.
const MINIMUM_WEIGHT: u64 = WHOLE;

/// A field of a benchmark item, found in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The benchmark's name.
    pub benchmark: Arc<str>,
    /// The item's id.
    pub item: Arc<str>,
    /// Which part of it.
    pub field: Field,
    /// Share of the field's n-grams, weighted, in thousandths rounded down.
    pub score: f64,
    /// The share that was allowed.
    pub limit: f64,
    /// First line that holds any of it, from 1.
    pub first_line: usize,
    /// Last line that holds any of it.
    pub last_line: usize,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            benchmark,
            item,
            field,
            first_line,
            last_line,
            ..
        } = self;
        write!(f, "{benchmark}/{item} {field} lines {first_line}-{last_line}")
    }
}

/// Finds items of packs in texts.
#[derive(Debug)]
pub struct Matcher {
    index: Index,
    names: Vec<Names>,
    limits: DecontaminateConfig,
}

/// What a pack and its items are called.
#[derive(Debug)]
struct Names {
    benchmark: Arc<str>,
    items: Vec<Arc<str>>,
}

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
    /// Number of its first word.
    word: u32,
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

/// The heaviest window of a field: a run of its evidence, and what it amounts to.
struct Window<'a> {
    evidence: &'a [Evidence],
    weight: u64,
    ngrams: usize,
}

impl Matcher {
    /// For `packs`; limits come from `config`. Order of packs, items and fields settles ties.
    pub fn new(packs: &[Pack], config: &DecontaminateConfig) -> Self {
        let names = |pack: &Pack| Names {
            benchmark: pack.name().into(),
            items: pack.items().iter().map(|item| item.id.as_str().into()).collect(),
        };
        Self {
            index: Index::new(packs),
            names: packs.iter().map(names).collect(),
            limits: config.clone(),
        }
    }

    /// Everything of the packs in `text` that is beyond its limit, highest score first.
    pub fn findings(&self, text: &str, scratch: &mut Scratch) -> Vec<Finding> {
        let text = &text.as_bytes()[..text.len().min(MAX_TEXT_BYTES)];
        self.collect_hits(text, &mut scratch.hits);
        let fewest = self.limits.minimum_prompt_ngrams.min(self.limits.minimum_code_ngrams);
        if scratch.hits.len() < fewest {
            return Vec::new();
        }
        self.collect_evidence(scratch);
        let mut line_ends = Vec::new();
        let mut findings = Vec::new();
        for evidence in scratch.evidence.chunk_by(|a, b| a.entry == b.entry) {
            if evidence.len() >= fewest
                && let Some((window, limit)) = self.judge(evidence, text)
            {
                if line_ends.is_empty() {
                    line_ends = ends_of_lines(text);
                }
                findings.push(self.finding(&window, limit, &line_ends));
            }
        }
        findings.sort_by(|a, b| b.score.total_cmp(&a.score));
        findings
    }

    fn collect_hits(&self, text: &[u8], hits: &mut Vec<Hit>) {
        hits.clear();
        words::scan(text, |gram| {
            if self.index.may_hold(gram.hash)
                && let Some(ngram) = self.index.number(gram.hash)
            {
                let (word, start, end) = (gram.word as u32, gram.start as u32, gram.end as u32);
                hits.push(Hit {
                    ngram,
                    word,
                    start,
                    end,
                });
            }
        });
    }

    /// Evidence, sorted by field and then by place.
    fn collect_evidence(&self, scratch: &mut Scratch) {
        let Scratch { hits, evidence } = scratch;
        evidence.clear();
        hits.sort_unstable_by_key(|hit| (hit.ngram, hit.word));
        for places in hits.chunk_by(|a, b| a.ngram == b.ngram) {
            for hit in &places[..places.len().min(MAX_PLACES)] {
                let postings = self.index.postings(hit.ngram).iter();
                evidence.extend(postings.map(|posting| Evidence {
                    entry: posting.entry,
                    hit: *hit,
                    weight: posting.weight,
                }));
            }
        }
        evidence.sort_unstable_by_key(|evidence| (evidence.entry, evidence.hit.word));
    }

    fn entry(&self, evidence: &[Evidence]) -> &Entry {
        &self.index.entries[evidence[0].entry as usize]
    }

    /// The heaviest window of a field, and its limit, where it is beyond it.
    fn judge<'a>(&self, evidence: &'a [Evidence], text: &[u8]) -> Option<(Window<'a>, f64)> {
        let entry = self.entry(evidence);
        let (minimum, share) = match entry.field {
            Field::Prompt | Field::Docstring | Field::Signature => {
                (self.limits.minimum_prompt_ngrams, self.limits.prompt_share)
            }
            Field::Solution => (self.limits.minimum_code_ngrams, self.limits.solution_share),
            Field::Tests | Field::Examples => (self.limits.minimum_code_ngrams, self.limits.tests_share),
        };
        let window = heaviest(evidence, entry.words * STRETCH + SLACK_WORDS);
        let limit = if window.ngrams < self.limits.short_ngrams {
            share.max(self.limits.short_share)
        } else {
            share
        };
        let enough = window.weight >= MINIMUM_WEIGHT
            && window.weight as f64 >= limit * entry.weight as f64
            && window.telling_ngrams(text) >= minimum;
        enough.then_some((window, limit))
    }

    fn finding(&self, window: &Window<'_>, limit: f64, line_ends: &[usize]) -> Finding {
        let entry = self.entry(window.evidence);
        let names = &self.names[entry.pack];
        let line = |offset: u32| 1 + line_ends.partition_point(|&end| end <= offset as usize);
        let places = || window.evidence.iter().map(|evidence| evidence.hit);
        Finding {
            benchmark: Arc::clone(&names.benchmark),
            item: Arc::clone(&names.items[entry.item]),
            field: entry.field,
            score: (window.weight as f64 / entry.weight as f64 * 1000.0).floor() / 1000.0,
            limit,
            first_line: line(places().map(|hit| hit.start).min().unwrap_or(0)),
            last_line: line(places().map(|hit| hit.end - 1).max().unwrap_or(0)),
        }
    }
}

/// Offsets behind each line end, as [`stackmill_schemas::text::lines`] cuts lines.
fn ends_of_lines(text: &[u8]) -> Vec<usize> {
    let is_end = |(i, byte): &(usize, &u8)| **byte == b'\n' || **byte == b'\r' && text.get(i + 1) != Some(&b'\n');
    text.iter().enumerate().filter(is_end).map(|(i, _)| i + 1).collect()
}

/// The run of `evidence` (of one field, in order of place) that spans at most `reach` words and whose different
/// n-grams weigh most; the first of those that weigh the same.
fn heaviest(evidence: &[Evidence], reach: usize) -> Window<'_> {
    let mut ngrams: Vec<u32> = evidence.iter().map(|evidence| evidence.hit.ngram).collect();
    ngrams.sort_unstable();
    ngrams.dedup();
    let mut counts = vec![0u32; ngrams.len()];
    let slot = |evidence: &Evidence| ngrams.partition_point(|&ngram| ngram < evidence.hit.ngram);
    let (mut first, mut weight, mut different) = (0, 0, 0);
    let mut best = Window {
        evidence: &evidence[..1],
        weight: 0,
        ngrams: 0,
    };
    for (last, next) in evidence.iter().enumerate() {
        let count = &mut counts[slot(next)];
        if *count == 0 {
            (weight, different) = (weight + next.weight, different + 1);
        }
        *count += 1;
        while (next.hit.word - evidence[first].hit.word) as usize + NGRAM_WORDS > reach {
            let count = &mut counts[slot(&evidence[first])];
            *count -= 1;
            if *count == 0 {
                (weight, different) = (weight - evidence[first].weight, different - 1);
            }
            first += 1;
        }
        if weight > best.weight {
            best = Window {
                evidence: &evidence[first..=last],
                weight,
                ngrams: different,
            };
        }
    }
    best
}

impl Window<'_> {
    /// Number of different n-grams with a word that is more than a number or a letter.
    fn telling_ngrams(&self, text: &[u8]) -> usize {
        let telling = self.evidence.iter().filter(|evidence| {
            let hit = evidence.hit;
            is_telling(&text[hit.start as usize..hit.end as usize])
        });
        let mut ngrams: Vec<u32> = telling.map(|evidence| evidence.hit.ngram).collect();
        ngrams.sort_unstable();
        ngrams.dedup();
        ngrams.len()
    }
}

fn is_telling(ngram: &[u8]) -> bool {
    let letters = |byte: &u8| byte.is_ascii_alphabetic() || *byte >= 0x80;
    ngram
        .split(|byte| !letters(byte))
        .any(|word| word.len() >= TELLING_LETTERS)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{LIGHTHOUSE_PROMPT, LIGHTHOUSE_SOLUTION, item, items, pack_of};
    use super::*;

    fn found_in(packs: &[Pack], text: &str) -> Vec<String> {
        let matcher = Matcher::new(packs, &DecontaminateConfig::default());
        matcher
            .findings(text, &mut Scratch::default())
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    fn found(text: &str) -> Vec<String> {
        found_in(&[pack_of("harbour", &items())], text)
    }

    fn words_from(first: usize, count: usize) -> String {
        (first..first + count).map(|i| format!("word{i} ")).collect()
    }

    #[test]
    fn every_field_is_found_with_its_lines() {
        let text = format!("# notes\r\n\r\n{LIGHTHOUSE_SOLUTION}\rdone()");
        assert_eq!(found(&text), ["harbour/Harbour/1 solution lines 3-8"]);
        assert_eq!(found(LIGHTHOUSE_PROMPT), ["harbour/Harbour/1 prompt lines 1-5"]);
    }

    #[test]
    fn another_layout_is_found_too() {
        let one_line = LIGHTHOUSE_SOLUTION
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .to_uppercase();
        assert_eq!(found(&one_line), ["harbour/Harbour/1 solution lines 1-1"]);
        let comment = LIGHTHOUSE_PROMPT.replace('\n', "\r\n// ");
        assert_eq!(found(&comment), ["harbour/Harbour/1 prompt lines 1-5"]);
        let json = serde_json::json!([{ "prompt": LIGHTHOUSE_PROMPT }]).to_string();
        let twice = serde_json::json!({ "row": json }).to_string();
        assert_eq!(
            [found(&json), found(&twice)],
            [["harbour/Harbour/1 prompt lines 1-1"]; 2]
        );
    }

    #[test]
    fn half_a_prompt_is_enough_and_a_phrase_of_it_is_not() {
        let words: Vec<_> = LIGHTHOUSE_PROMPT.split_whitespace().collect();
        assert_eq!(found(&words[..words.len() / 2].join(" ")).len(), 1);
        assert!(found("return the seconds at which every lamp shines").is_empty());
    }

    #[test]
    fn shares_are_limits_that_are_reached_not_passed() {
        // 26 words are 21 n-grams; code is found from a share of 0.45, which is 9.45 of them: 15 words are too few.
        let pack = [pack_of("p", &[item("A", &[(Field::Solution, &words_from(0, 26))])])];
        assert_eq!(
            (
                found_in(&pack, &words_from(3, 14)).len(),
                found_in(&pack, &words_from(3, 15)).len()
            ),
            (0, 1)
        );
        // 25 words are 20 n-grams, so 9 of them are the share itself.
        let pack = [pack_of("p", &[item("A", &[(Field::Solution, &words_from(0, 25))])])];
        assert_eq!(
            (
                found_in(&pack, &words_from(3, 13)).len(),
                found_in(&pack, &words_from(3, 14)).len()
            ),
            (0, 1)
        );
    }

    #[test]
    fn little_evidence_must_be_nearly_whole_and_none_is_enough_below_the_minimum() {
        let both = |words: usize| {
            [
                (Field::Prompt, words_from(0, words)),
                (Field::Tests, words_from(0, words)),
            ]
        };
        let found = |field: usize, whole: usize, part: usize| {
            let (kind, text) = &both(whole)[field];
            let pack = pack_of("p", &[item("A", &[(*kind, text.as_str())])]);
            found_in(&[pack], &words_from(0, part)).len()
        };
        assert_eq!((found(0, 13, 10), found(0, 13, 11)), (0, 1), "5 and 6 of 8 n-grams");
        assert_eq!((found(0, 7, 7), found(0, 8, 8)), (0, 1), "2 and 3 n-grams of a prompt");
        assert_eq!((found(1, 9, 9), found(1, 10, 10)), (0, 1), "4 and 5 n-grams of tests");
    }

    #[test]
    fn scattered_pieces_are_no_item() {
        let pack = [pack_of("p", &[item("A", &[(Field::Solution, &words_from(0, 60))])])];
        // Five pieces of 7 n-grams each: 35 of 55, enough if they stand together.
        let pieces = |between: usize| {
            let piece = |i: usize| format!("{}\n{}", words_from(12 * i, 12), "filler() ".repeat(between));
            (0..5).map(piece).collect::<String>()
        };
        assert_eq!(
            (found_in(&pack, &pieces(10)).len(), found_in(&pack, &pieces(100)).len()),
            (1, 0)
        );
    }

    #[test]
    fn the_first_of_several_copies_is_named() {
        let text = format!("\n{LIGHTHOUSE_SOLUTION}{}", "filler()\n".repeat(100));
        assert_eq!(found(&text.repeat(3)), ["harbour/Harbour/1 solution lines 2-7"]);
    }

    #[test]
    fn what_several_items_share_must_amount_to_one_ngram() {
        let found_of = |items: usize| {
            let text = words_from(0, 8); // 3 n-grams
            let list: Vec<_> = (0..items)
                .map(|i| item(&format!("I/{i}"), &[(Field::Prompt, text.as_str())]))
                .collect();
            found_in(&[pack_of("p", &list)], &text).len()
        };
        assert_eq!((found_of(3), found_of(4)), (3, 0));
    }

    #[test]
    fn numbers_alone_say_nothing() {
        let table: String = (0..40).map(|i| format!("{}, ", i * i % 10)).collect();
        let pack = [pack_of("p", &[item("A", &[(Field::Tests, &table)])])];
        assert!(found_in(&pack, &table).is_empty());
        let calls: String = (0..40).map(|i| format!("assert area({i}) == {}\n", i * i)).collect();
        let pack = [pack_of("p", &[item("A", &[(Field::Tests, &calls)])])];
        assert_eq!(found_in(&pack, &calls).len(), 1);
    }

    #[test]
    fn scaffolding_that_all_items_share_is_no_evidence() {
        let scaffold = "def check(candidate):\n    assert candidate is not None, \"nothing to call here\"\n";
        let tests: Vec<_> = (0..40)
            .map(|i| format!("{scaffold}{}", words_from(100 * i, 12)))
            .collect();
        let items: Vec<_> = (0..40)
            .map(|i| item(&format!("I/{i}"), &[(Field::Tests, tests[i].as_str())]))
            .collect();
        let pack = [pack_of("p", &items)];
        assert!(found_in(&pack, &scaffold.repeat(3)).is_empty());
        assert_eq!(found_in(&pack, &tests[7]), ["p/I/7 tests lines 2-3"]);
    }

    #[test]
    fn the_highest_score_comes_first_and_order_settles_ties() {
        let prompt = words_from(0, 30);
        let same = [
            item("B", &[(Field::Prompt, &prompt)]),
            item("A", &[(Field::Prompt, &prompt)]),
        ];
        let packs = [pack_of("two", &same), pack_of("one", &same[1..])];
        let all = [
            "two/B prompt lines 1-1",
            "two/A prompt lines 1-1",
            "one/A prompt lines 1-1",
        ];
        assert_eq!(found_in(&packs, &prompt), all);
        let whole = pack_of("whole", &[item("C", &[(Field::Prompt, &words_from(0, 15))])]);
        let packs = [pack_of("one", &same[1..]), whole];
        assert_eq!(
            found_in(&packs, &words_from(0, 15)),
            ["whole/C prompt lines 1-1", "one/A prompt lines 1-1"]
        );
    }

    #[test]
    fn a_window_counts_each_ngram_once() {
        let pack = [pack_of("p", &[item("A", &[(Field::Prompt, &words_from(0, 45))])])];
        assert!(found_in(&pack, &format!("{}\n", words_from(0, 9)).repeat(50)).is_empty());
    }

    #[test]
    fn an_item_behind_many_copies_of_its_pieces_is_found() {
        let text = format!("{}{LIGHTHOUSE_PROMPT}", "[2, 3], 12) [0, 6] ".repeat(2_000));
        assert_eq!(found(&text), ["harbour/Harbour/1 prompt lines 1-5"]);
    }

    #[test]
    fn lines_are_counted_as_everywhere() {
        let ends = |text: &str| ends_of_lines(text.as_bytes());
        assert_eq!(ends("a\nb\r\nc\rd"), [2, 5, 7]);
        assert_eq!(ends("\r\r\n\n"), [1, 3, 4]);
        assert_eq!(ends(""), [0usize; 0]);
    }

    #[test]
    fn empty_and_short_texts_hold_nothing() {
        for text in ["", " ", "one", "\u{0}\u{0}", "\\", "é"] {
            assert!(found(text).is_empty());
        }
    }
}
