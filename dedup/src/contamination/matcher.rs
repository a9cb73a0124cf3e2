//! Which fields of which items are in a text, how much of each, of which tier, and where.

use std::fmt;
use std::sync::Arc;

use stackmill_schemas::benchmark::{Field, Found};

use super::DecontaminateConfig;
use super::bags;
pub use super::evidence::Scratch;
use super::evidence::{self, Candidate, candidates};
use super::index::{Entry, Index};
use super::judge::{Judged, counts, is_short_but_whole, judge, may_count};
use super::packs::Pack;
use super::quoted::is_whole_value;
use super::tiers::Tier;

/// Bytes of a file that are looked at: places are 32 bits wide.
const MAX_TEXT_BYTES: usize = u32::MAX as usize;

/// A field of a benchmark item, found in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The benchmark's name.
    pub benchmark: Arc<str>,
    /// The item's id.
    pub item: Arc<str>,
    /// The problem that the item is or was made from.
    pub family: Arc<str>,
    /// Which part of it.
    pub field: Field,
    /// What kind of copy it is.
    pub tier: Tier,
    /// Share of the field's n-grams, weighted, in thousandths rounded down.
    pub score: f64,
    /// The share from which this field is enough alone; a finding below it rests on several fields together.
    pub limit: f64,
    /// First line that holds any of it, from 1.
    pub start_line: usize,
    /// Last line that holds any of it.
    pub end_line: usize,
    /// Whether the benchmark is only ever reported: its items remove nothing.
    pub report_only: bool,
}

impl Finding {
    /// As tables have it.
    pub fn told(&self) -> Found {
        Found {
            benchmark: self.benchmark.to_string(),
            item: self.item.to_string(),
            family: self.family.to_string(),
            field: self.field,
            tier: self.tier.to_string(),
            score: self.score,
            start_line: self.start_line as u64,
            end_line: self.end_line as u64,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            benchmark,
            item,
            field,
            start_line,
            end_line,
            ..
        } = self;
        write!(f, "{benchmark}/{item} {field} lines {start_line}-{end_line}")
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
    report_only: bool,
    /// Id and family of each item.
    items: Vec<(Arc<str>, Arc<str>)>,
}

impl Names {
    fn of(pack: &Pack) -> Self {
        Self {
            benchmark: pack.name().into(),
            report_only: pack.source().report_only,
            items: pack
                .items()
                .iter()
                .map(|item| (item.id.as_str().into(), item.family.as_str().into()))
                .collect(),
        }
    }
}

impl Matcher {
    /// For `packs`; limits come from `config`. Order of packs, items and fields settles ties.
    pub fn new(packs: &[Pack], config: &DecontaminateConfig) -> Self {
        Self {
            index: Index::new(packs),
            names: packs.iter().map(Names::of).collect(),
            limits: config.clone(),
        }
    }

    /// Everything of the packs in `text` that is beyond its limit: by tier, then highest score first; of an item's field
    /// only the strongest.
    pub fn findings(&self, text: &str, scratch: &mut Scratch) -> Vec<Finding> {
        let text = &text.as_bytes()[..text.len().min(MAX_TEXT_BYTES)];
        let may_count = |entry: &Entry, weight: u64| may_count(entry, weight, &self.limits);
        let mut candidates = candidates(&self.index, text, may_count, scratch);
        if candidates.is_empty() {
            return Vec::new();
        }
        let counts = |entry: &Entry, candidate: &Candidate| counts(entry, candidate, &self.limits);
        bags::extend(&self.index, text, counts, &mut candidates);
        let mut judged = judge(&self.index, &candidates, &self.limits);
        if judged.is_empty() {
            return Vec::new();
        }
        for judged in &mut judged {
            // A row of a data set has the item and nothing else, however short it is.
            let Candidate { entry, start, end, .. } = judged.candidate;
            if is_short_but_whole(self.index.entry(entry), judged) && is_whole_value(text, start, end) {
                judged.tier = Tier::Normalised;
            }
        }
        judged.sort_by(|a, b| {
            a.tier
                .cmp(&b.tier)
                .then(b.share.total_cmp(&a.share))
                .then(a.candidate.entry.cmp(&b.candidate.entry))
        });
        let line_ends = ends_of_lines(text);
        let mut findings: Vec<Finding> = Vec::new();
        for judged in &judged {
            let finding = self.finding(judged, &line_ends);
            let same = |other: &Finding| {
                (&other.benchmark, &other.item, other.field) == (&finding.benchmark, &finding.item, finding.field)
            };
            if !findings.iter().any(same) {
                findings.push(finding);
            }
        }
        findings
    }

    /// The n-grams of the packs that are in `text`, by hash, ascending, each once: what a list of common ones is made of.
    pub fn ngrams(&self, text: &str) -> Vec<u64> {
        evidence::ngrams(&self.index, &text.as_bytes()[..text.len().min(MAX_TEXT_BYTES)])
    }

    fn finding(&self, judged: &Judged, line_ends: &[usize]) -> Finding {
        let entry = self.index.entry(judged.candidate.entry);
        let names = &self.names[entry.pack];
        let (item, family) = &names.items[entry.item];
        let line = |offset: usize| 1 + line_ends.partition_point(|&end| end <= offset);
        Finding {
            benchmark: Arc::clone(&names.benchmark),
            item: Arc::clone(item),
            family: Arc::clone(family),
            field: entry.field,
            tier: judged.tier,
            score: (judged.share * 1000.0).floor() / 1000.0,
            limit: judged.limit,
            start_line: line(judged.candidate.start),
            end_line: line(judged.candidate.end.saturating_sub(1)),
            report_only: names.report_only,
        }
    }
}

/// Offsets behind each line end, as [`stackmill_schemas::text::lines`] cuts lines.
fn ends_of_lines(text: &[u8]) -> Vec<usize> {
    let is_end = |(i, byte): &(usize, &u8)| **byte == b'\n' || **byte == b'\r' && text.get(i + 1) != Some(&b'\n');
    text.iter().enumerate().filter(is_end).map(|(i, _)| i + 1).collect()
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
            .filter(|found| Tier::COPIES.contains(&found.tier) && found.field != Field::Docstring)
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

    fn tiers(pack: &Pack, text: &str) -> Vec<(Field, Tier)> {
        let matcher = Matcher::new(std::slice::from_ref(pack), &DecontaminateConfig::default());
        let findings = matcher.findings(text, &mut Scratch::default());
        findings.iter().map(|found| (found.field, found.tier)).collect()
    }

    #[test]
    fn tiers_tell_copies_from_disguises() {
        let pack = pack_of("harbour", &items());
        let renamed = LIGHTHOUSE_SOLUTION
            .replace("blink_schedule", "f")
            .replace("moments", "a")
            .replace("second", "b")
            .replace("lamps", "c")
            .replace("lamp", "d")
            .replace("period", "e");
        assert_eq!(tiers(&pack, LIGHTHOUSE_SOLUTION), [(Field::Solution, Tier::Verbatim)]);
        assert_eq!(tiers(&pack, &renamed), [(Field::Solution, Tier::Normalised)]);
        let words: Vec<_> = LIGHTHOUSE_PROMPT.split_whitespace().collect();
        assert!(tiers(&pack, &words[..words.len() / 2].join(" ")).contains(&(Field::Prompt, Tier::Derivative)));
    }

    #[test]
    fn renamed_code_is_found_in_strings_comments_and_json() {
        let renamed = LIGHTHOUSE_SOLUTION
            .replace("moments", "a")
            .replace("second", "b")
            .replace("lamp", "cd");
        let commented: String = renamed.lines().map(|line| format!("# {line}\n")).collect();
        let json = serde_json::json!({ "cells": [{ "source": renamed }] }).to_string();
        for text in [&renamed, &commented, &json, &serde_json::json!([json]).to_string()] {
            assert_eq!(found(text).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_is_too_short_to_tell_is_said_to_be() {
        let pack = pack_of("p", &[item("A", &[(Field::Solution, &words_from(0, 9))])]);
        assert_eq!(tiers(&pack, &words_from(0, 9)), [(Field::Solution, Tier::TooShort)]);
        assert!(tiers(&pack, &words_from(0, 8)).is_empty());
    }

    #[test]
    fn weak_evidence_of_two_sides_is_enough_together_if_it_is_near() {
        let (prompt, tests) = (words_from(0, 60), words_from(100, 60));
        let fields = [(Field::Prompt, prompt.as_str()), (Field::Tests, tests.as_str())];
        let pack = [pack_of("p", &[item("A", &fields)])];
        // 11 of 55 n-grams of the prompt (limit .3) and 12 of the tests (limit .3): neither is enough.
        let (one, other) = (words_from(0, 16), words_from(100, 17));
        assert!(found_in(&pack, &one).is_empty() && found_in(&pack, &other).is_empty());
        assert_eq!(found_in(&pack, &format!("{one}\n{other}")).len(), 1);
        assert!(found_in(&pack, &format!("{one}\n{}{other}", "filler()\n".repeat(1_000))).is_empty());
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
