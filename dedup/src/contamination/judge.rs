//! Which candidates are findings, and of which tier: each channel by its own limit, then all of a family together.
//!
//! ```text
//!   candidate ─► share = weight found / weight of the field ─► strength = share / limit   (1: enough alone)
//!   family    ─► text + code + data (+ name) ≥ TOGETHER, from two sides at least, near each other ► enough together
//! ```

use stackmill_schemas::benchmark::Field;

use super::DecontaminateConfig;
use super::bags;
use super::evidence::Candidate;
use super::grams::Channel;
use super::index::{Entry, Index, WHOLE};
use super::sides::{LEAST_STRENGTH, Sides};
use super::tiers::Tier;

/// Least weight of a window: that of one n-gram which no other family has.
const MINIMUM_WEIGHT: u64 = WHOLE as u64;
/// Least weight of code: what is left of a short function without what everybody writes is no evidence.
const MINIMUM_CODE_WEIGHT: u64 = 4 * WHOLE as u64;
/// Share of a solution's n-grams of code from which it counts as found.
const CODE_SHARE: f64 = 0.5;
/// Fewest n-grams of code that say something: 12 of them, one after the other, are 22 tokens.
const MINIMUM_CODE_TOKENS: usize = 12;
/// Number of n-grams of code below which evidence is little, and must be nearly whole.
const SHORT_CODE: usize = 24;
/// Share of a field's n-grams of literals from which it counts as found.
const LITERAL_SHARE: f64 = 0.3;
/// Fewest n-grams of literals that say something: 4 of them, one after the other, are 8 literals.
const MINIMUM_LITERALS: usize = 4;
/// Number of n-grams of literals below which evidence is little, and must be nearly whole.
const SHORT_LITERALS: usize = 12;
/// N-grams of a field below which it has half of its strength: one may agree by chance, whatever number it stands for
/// where a sample was kept.
const FEW_NGRAMS: usize = 2;
/// Share of the words from which a copy is one word for word.
const VERBATIM_SHARE: f64 = 0.95;
/// Share of the field from which a copy is whole, but for names and layout.
const WHOLE_SHARE: f64 = 0.6;
/// Share of a field too short to tell that is reported as such: all of it, but for rounding.
const ALL: f64 = 0.99;
/// Share of the bag of a text, and bits, from which it is as strong as a bag may be.
const TEXT_BAG: (f64, f64) = (0.5, 26.0);
/// The same of the bag of tests and examples.
const DATA_BAG: (f64, f64) = (0.6, 22.0);
/// Bits of each class that do not count: what every eighth place has tells nothing, however much of it there is.
const EASY_BITS: f64 = 3.0;
/// Share of a bag below which it counts for nothing.
const LEAST_BAG_SHARE: f64 = 0.25;
/// Bits below which it counts for nothing.
const LEAST_BAG_BITS: f64 = 8.0;
/// Most strength of a bag that is not enough alone.
const MOST_BAG_STRENGTH: f64 = 0.95;
/// Share, classes and bits of a class from which the bag of tests and examples is enough alone: nobody else has so many
/// of them, if they are no small numbers.
const WHOLE_BAG: (f64, usize, f64) = (0.7, 12, 4.0);
/// Bytes between candidates of one family that are still one place.
const NEAR_BYTES: usize = 4_000;

/// A candidate that was judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Judged {
    pub(super) candidate: Candidate,
    /// Weight found, as a share of the field's.
    pub(super) share: f64,
    /// The share that is enough alone.
    pub(super) limit: f64,
    /// Share over limit, at most 1; less than 1 if anything is missing.
    strength: f64,
    pub(super) tier: Tier,
}

/// The findings among `candidates`, which are in order of fields.
pub(super) fn judge(index: &Index, candidates: &[Candidate], config: &DecontaminateConfig) -> Vec<Judged> {
    let mut judged: Vec<Judged> = candidates
        .iter()
        .map(|candidate| one(index.entry(candidate.entry), candidate, config))
        .collect();
    judged.sort_by_key(|judged| (index.entry(judged.candidate.entry).family, judged.candidate.entry));
    let mut out = Vec::new();
    for family in judged.chunk_by(|a, b| index.entry(a.candidate.entry).family == index.entry(b.candidate.entry).family)
    {
        out.extend(family_findings(index, family));
    }
    out
}

/// Whether all of a solution was found, of which enough is its own, though it is too short to tell by its words.
pub(super) fn is_short_but_whole(entry: &Entry, judged: &Judged) -> bool {
    let is_solution = (entry.channel, entry.field) == (Channel::Words, Field::Solution);
    is_solution && judged.tier == Tier::TooShort && judged.share >= ALL && judged.candidate.weight >= MINIMUM_WEIGHT
}

/// Whether a field of which a text has this weight may count for anything, alone or with others: what is below the least
/// strength does not, whatever its tier.
pub(super) fn may_count(entry: &Entry, weight: u64, config: &DecontaminateConfig) -> bool {
    let (limit, ..) = limits(entry, config);
    entry.channel == Channel::Names || weight as f64 / entry.weight as f64 / limit >= LEAST_STRENGTH
}

/// Whether a candidate counts for something: names always do.
pub(super) fn counts(entry: &Entry, candidate: &Candidate, config: &DecontaminateConfig) -> bool {
    entry.channel == Channel::Names || one(entry, candidate, config).strength >= LEAST_STRENGTH
}

/// Limits of a field: (share, fewest n-grams, n-grams below which evidence is little).
fn limits(entry: &Entry, config: &DecontaminateConfig) -> (f64, usize, usize) {
    match (entry.channel, entry.field) {
        (Channel::Code, _) => (CODE_SHARE, MINIMUM_CODE_TOKENS, SHORT_CODE),
        (Channel::Literals, _) => (LITERAL_SHARE, MINIMUM_LITERALS, SHORT_LITERALS),
        (_, Field::Solution) => (config.solution_share, config.minimum_code_ngrams, config.short_ngrams),
        (_, Field::Tests | Field::Examples) => (config.tests_share, config.minimum_code_ngrams, config.short_ngrams),
        _ => (config.prompt_share, config.minimum_prompt_ngrams, config.short_ngrams),
    }
}

fn one(entry: &Entry, candidate: &Candidate, config: &DecontaminateConfig) -> Judged {
    if entry.channel == Channel::Bag {
        return of_bag(entry, candidate);
    }
    let share = candidate.weight as f64 / entry.weight as f64;
    let (limit, fewest, few) = limits(entry, config);
    // A sample was kept of a long field: what was found of it stands for more.
    let ngrams = (candidate.ngrams as f64 * entry.scale) as usize;
    let weight = (candidate.weight as f64 * entry.scale) as u64;
    let limit = if ngrams < few {
        limit.max(config.short_share)
    } else {
        limit
    };
    let strength = (share / limit).min(1.0) * (candidate.ngrams as f64 / FEW_NGRAMS as f64).min(1.0);
    let least = if entry.channel == Channel::Code {
        MINIMUM_CODE_WEIGHT
    } else {
        MINIMUM_WEIGHT
    };
    let tier = match () {
        () if ngrams < fewest => Tier::TooShort,
        () if weight < least => Tier::Common,
        () => tier(entry, candidate, share),
    };
    let strength = match tier {
        Tier::TooShort if weight >= MINIMUM_WEIGHT => strength.min(0.99),
        Tier::TooShort | Tier::Common if entry.channel != Channel::Names => 0.0,
        _ if entry.channel == Channel::Names => 0.0,
        _ => strength,
    };
    Judged {
        candidate: *candidate,
        share,
        limit,
        strength,
        tier,
    }
}

/// A bag counts by its share and by its bits: a few rare words are as telling as many that are not.
fn of_bag(entry: &Entry, candidate: &Candidate) -> Judged {
    let share = candidate.weight as f64 / entry.weight.max(1) as f64;
    let bits = candidate.weight as f64 / bags::PARTS as f64 - EASY_BITS * candidate.ngrams as f64;
    let (limit, enough) = if entry.field == Field::Tests {
        DATA_BAG
    } else {
        TEXT_BAG
    };
    let is_whole = entry.field == Field::Tests
        && share >= WHOLE_BAG.0
        && candidate.ngrams >= WHOLE_BAG.1
        && bits >= WHOLE_BAG.2 * candidate.ngrams as f64;
    let strength = if is_whole {
        1.0
    } else if bits < LEAST_BAG_BITS || share < LEAST_BAG_SHARE {
        0.0
    } else {
        ((share / limit).min(1.0) * (bits / enough).min(1.0)).min(MOST_BAG_STRENGTH)
    };
    Judged {
        candidate: *candidate,
        share,
        limit,
        strength,
        tier: Tier::Derivative,
    }
}

fn tier(entry: &Entry, candidate: &Candidate, share: f64) -> Tier {
    match entry.channel {
        Channel::Words if share >= VERBATIM_SHARE && candidate.units <= entry.units + entry.units / 8 => Tier::Verbatim,
        Channel::Words | Channel::Code if share >= WHOLE_SHARE => Tier::Normalised,
        _ => Tier::Derivative,
    }
}

/// The findings of one family: those that are enough alone, or else what is enough together.
fn family_findings(index: &Index, family: &[Judged]) -> Vec<Judged> {
    let alone: Vec<Judged> = family.iter().filter(|judged| judged.strength >= 1.0).copied().collect();
    if !alone.is_empty() {
        return alone;
    }
    let Some(strongest) = family.iter().max_by(|a, b| a.strength.total_cmp(&b.strength)) else {
        return Vec::new();
    };
    let near = |judged: &&Judged| {
        judged.candidate.start <= strongest.candidate.end + NEAR_BYTES
            && strongest.candidate.start <= judged.candidate.end + NEAR_BYTES
    };
    let mut sides = Sides::default();
    for judged in family.iter().filter(near) {
        let entry = index.entry(judged.candidate.entry);
        sides.add(entry, judged.strength, judged.candidate.weight);
    }
    if sides.are_enough() {
        return vec![Judged {
            tier: Tier::Derivative,
            ..*strongest
        }];
    }
    let told = |judged: &&Judged| match judged.tier {
        Tier::Common => judged.share >= judged.limit,
        Tier::TooShort => judged.share >= ALL,
        _ => false,
    };
    let is_field = |judged: &&Judged| index.entry(judged.candidate.entry).channel != Channel::Names;
    family.iter().filter(is_field).filter(told).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strength of `ngrams` found of a field of tests, of which 4 n-grams were kept for 100.
    fn strength(ngrams: usize) -> f64 {
        let whole = u64::from(WHOLE);
        let entry = Entry {
            pack: 0,
            item: 0,
            family: 0,
            field: Field::Tests,
            channel: Channel::Words,
            units: 100,
            scale: 25.0,
            weight: 4 * whole,
        };
        let candidate = Candidate {
            entry: 0,
            weight: ngrams as u64 * whole,
            ngrams,
            units: 6 * ngrams,
            start: 0,
            end: 100,
        };
        one(&entry, &candidate, &DecontaminateConfig::default()).strength
    }

    #[test]
    fn one_ngram_of_a_sample_is_not_enough_alone() {
        assert!(strength(1) < 0.5, "{}", strength(1));
        assert!(strength(2) >= 1.0);
    }
}
