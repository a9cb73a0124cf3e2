//! Phrases that name a license: notices in file headers, sentences in documents, names in manifests.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::expression::Terms;
use super::phrases::{BARE, ID_PREFIX, PARTNERS, Phrase, SPELLINGS, SURE_PREFIX};
use super::wordings::PHRASES;
use super::words::Normal;

/// A phrase that names a license.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    /// What it says.
    pub(crate) terms: Terms,
    /// Whether it names a family (`BSD license`) or no version: anything more precise is preferred to it.
    pub(crate) is_vague: bool,
    /// Offset of its first byte in the normal text.
    pub(crate) start: usize,
    /// Offset behind its last byte.
    pub(crate) end: usize,
}

/// The notices in a normal text, in order. Of those that overlap, precise ones are preferred, then the first, then the
/// longest.
pub(crate) fn scan(normal: &Normal) -> Vec<Notice> {
    let text = normal.text();
    let mut notices = phrases(text);
    notices.extend(super::gnu::scan(normal));
    notices.extend(identifiers(text));
    notices.extend(super::names::scan(text));
    let bare = bare(text, &notices);
    notices.extend(bare);
    notices.sort_by_key(|notice| (notice.is_vague, notice.start, std::cmp::Reverse(notice.end)));
    let mut kept: BTreeMap<usize, Notice> = BTreeMap::new();
    for notice in notices {
        let before = kept.range(..notice.end).next_back();
        if before.is_none_or(|(_, other)| other.end <= notice.start) {
            kept.insert(notice.start, notice);
        }
    }
    kept.into_values().collect()
}

struct Compiled {
    set: RegexSet,
    phrases: Vec<(Regex, &'static Phrase)>,
}

static COMPILED: LazyLock<Option<Compiled>> = LazyLock::new(|| {
    let phrases = PHRASES
        .iter()
        .map(|phrase| Some((Regex::new(&phrase.pattern()).ok()?, phrase)))
        .collect::<Option<Vec<_>>>()?;
    let set = RegexSet::new(phrases.iter().map(|(regex, _)| regex.as_str())).ok()?;
    Some(Compiled { set, phrases })
});

fn phrases(text: &str) -> Vec<Notice> {
    let Some(compiled) = COMPILED.as_ref() else {
        return Vec::new();
    };
    let mut notices = Vec::new();
    for (regex, phrase) in compiled.set.matches(text).iter().map(|at| &compiled.phrases[at]) {
        for captures in regex.captures_iter(text) {
            let whole = captures.get_match();
            let version = captures.iter().skip(1).flatten().next();
            let Some((id, is_vague)) = phrase.id(version.map_or("", |version| version.as_str())) else {
                continue;
            };
            notices.extend(Terms::parse(&id).map(|terms| Notice {
                terms,
                is_vague,
                start: whole.start(),
                end: whole.end(),
            }));
        }
    }
    notices
}

impl Phrase {
    /// The expression for the version that the phrase captured, and whether it is a guess.
    fn id(&self, version: &str) -> Option<(String, bool)> {
        if self.versions.is_empty() {
            return Some((self.id.to_owned(), self.is_vague));
        }
        let with = |version: &str| self.id.replace("{}", version);
        let plain = SPELLINGS
            .iter()
            .fold(version.to_owned(), |version, (from, to)| version.replace(from, to));
        // `2 0` and `20` stand in addresses for 2.0.
        let dotted = match plain.as_bytes() {
            [major @ b'0'..=b'9'] => format!("{}.0", *major as char),
            [major @ b'0'..=b'9', minor @ b'0'..=b'9'] => format!("{}.{}", *major as char, *minor as char),
            [b'0'..=b'9', ..] => plain.replace(' ', "."),
            _ => plain.replace(' ', "-"),
        };
        let known = |version: &&str| !version.is_empty() && Terms::parse(&with(version)).is_some();
        if let Some(version) = [plain.as_str(), dotted.as_str()].into_iter().find(known) {
            return Some((with(version), false));
        }
        // `CC BY-SA` without its number; a name without anything.
        let guesses = [format!("{dotted}-{}", self.default), self.default.to_owned()];
        let guess = guesses.iter().map(String::as_str).find(known)?;
        Some((with(guess), true))
    }
}

/// Identifiers of SPDX's list by the first word of their normal text, longest first: that text, and how it is written.
static IDENTIFIERS: LazyLock<HashMap<String, Vec<(String, &'static str)>>> = LazyLock::new(|| {
    let mut all: HashMap<String, Vec<(String, &'static str)>> = HashMap::new();
    for license in spdx::identifiers::LICENSES {
        let text = Normal::new(license.name).text().to_owned();
        let first = text.split(' ').next().unwrap_or_default().to_owned();
        all.entry(first).or_default().push((text, license.name));
    }
    all.values_mut()
        .for_each(|ids| ids.sort_by(|a, b| (b.0.len(), &a.0).cmp(&(a.0.len(), &b.0))));
    all
});

/// What announces an identifier, and whether it announces any word as one.
static BEFORE_IDENTIFIER: LazyLock<Vec<(Regex, bool)>> = LazyLock::new(|| {
    let prefixes = [(SURE_PREFIX, true), (ID_PREFIX, false)];
    let compiled = prefixes
        .into_iter()
        .filter_map(|(prefix, is_sure)| Some((Regex::new(prefix).ok()?, is_sure)));
    compiled.collect()
});

/// `license: BSD-3-Clause`, `licensed under the Apache-2.0`: an identifier behind a word that announces it.
fn identifiers(text: &str) -> Vec<Notice> {
    let named = |start: usize, is_sure: bool| {
        let rest = &text[start..];
        let (normal, id) = IDENTIFIERS.get(rest.split(' ').next()?)?.iter().find(|(normal, _)| {
            rest.strip_prefix(normal.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })?;
        // A single ordinary word (`Fair`, `Intel`, `Vim`) is rarely meant as an identifier.
        let is_sure =
            is_sure || normal.contains(' ') || matches!(*id, "MIT" | "ISC" | "WTFPL" | "Zlib" | "0BSD" | "Unlicense");
        let terms = is_sure.then(|| Terms::parse(id))??;
        Some(Notice {
            terms,
            is_vague: false,
            start,
            end: start + normal.len(),
        })
    };
    let starts = |(before, is_sure): &'static (Regex, bool)| {
        let found: Vec<usize> = before.find_iter(text).map(|found| found.end()).collect();
        found.into_iter().map(move |start| (start, *is_sure))
    };
    let starts = BEFORE_IDENTIFIER.iter().flat_map(starts);
    starts.filter_map(|(start, is_sure)| named(start, is_sure)).collect()
}

/// Bytes around a bare name in which licenses must be spoken of.
const CONTEXT: usize = 60;
/// Words of which one must be there.
const SPEAKS: &[&str] = &["licen", "dual", "released under", "distributed under", "terms of"];
/// What stands right before a bare name that is alone.
const GRANTS: &[&str] = &[
    "license",
    "license is",
    "licensed",
    "licensed as",
    "licensed under",
    "licensed under the",
    "released under",
    "released under the",
    "distributed under",
    "distributed under the",
    "available under the",
    "under the terms of the",
];
/// What may stand between two names of one list.
const LINKS: &[&str] = &[
    "",
    "or",
    "and",
    "and or",
    "the",
    "or the",
    "and the",
    "or under the",
    "and under the",
    "license or",
];

/// Bare names beside other names or bare names (`MIT/GPL2`, `BSD or Apache`), or right behind what grants a license.
fn bare(text: &str, notices: &[Notice]) -> Vec<Notice> {
    let mut names: Vec<(usize, usize, Option<&str>)> =
        notices.iter().map(|notice| (notice.start, notice.end, None)).collect();
    let mut at = 0;
    for word in text.split(' ') {
        let (start, end) = (at, at + word.len());
        at = end + 1;
        let known = BARE.iter().find(|(name, _)| *name == word);
        names.extend(known.map(|(_, id)| (start, end, Some(*id))));
        names.extend(PARTNERS.contains(&word).then_some((start, end, None)));
    }
    names.sort_by_key(|(start, end, id)| (*start, std::cmp::Reverse(*end), id.is_some()));
    let mut reached = 0;
    names.retain(|(start, end, _)| {
        let is_free = *start >= reached;
        reached = reached.max(*end);
        is_free
    });
    let linked = |a: usize, b: usize| {
        let (Some(a), Some(b)) = (names.get(a), names.get(b)) else {
            return false;
        };
        text.get(a.1..b.0)
            .is_some_and(|between| LINKS.contains(&between.trim()))
    };
    let named = |(at, (start, end, id)): (usize, &(usize, usize, Option<&str>))| {
        let before = text[text.floor_char_boundary(start.saturating_sub(CONTEXT))..*start].trim_end();
        let around =
            &text[text.floor_char_boundary(start.saturating_sub(CONTEXT))..text.floor_char_boundary(end + CONTEXT)];
        let is_listed =
            (at > 0 && linked(at - 1, at) || linked(at, at + 1)) && SPEAKS.iter().any(|word| around.contains(word));
        let is_granted = || {
            GRANTS
                .iter()
                .any(|words| before == *words || before.strip_suffix(words).is_some_and(|rest| rest.ends_with(' ')))
        };
        let id = (*id).filter(|_| is_listed || is_granted())?;
        let terms = Terms::parse(id)?;
        Some(Notice {
            terms,
            is_vague: true,
            start: *start,
            end: *end,
        })
    };
    names.iter().enumerate().filter_map(named).collect()
}
