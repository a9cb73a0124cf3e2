//! Phrases that name a license: notices in file headers, sentences in documents, names in manifests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Regex, RegexSet};

use super::expression::Terms;
use super::phrases::{ID_PREFIX, PHRASES, Phrase};

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
pub(crate) fn scan(text: &str) -> Vec<Notice> {
    let mut notices = phrases(text);
    notices.extend(super::gnu::scan(text));
    notices.extend(identifiers(text));
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
        .map(|phrase| Some((bounded(phrase.pattern)?, phrase)))
        .collect::<Option<Vec<_>>>()?;
    let set = RegexSet::new(phrases.iter().map(|(regex, _)| regex.as_str())).ok()?;
    Some(Compiled { set, phrases })
});

/// Whole words only.
fn bounded(pattern: &str) -> Option<Regex> {
    Regex::new(&format!(r"(?-u:\b)(?:{pattern})(?-u:\b)")).ok()
}

fn phrases(text: &str) -> Vec<Notice> {
    let Some(compiled) = COMPILED.as_ref() else {
        return Vec::new();
    };
    let mut notices = Vec::new();
    for (regex, phrase) in compiled.set.matches(text).iter().map(|at| &compiled.phrases[at]) {
        for captures in regex.captures_iter(text) {
            let whole = captures.get_match();
            let version = captures.get(1).map_or("", |version| version.as_str());
            let Some((id, is_vague)) = phrase.id(version) else {
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
        match self.id.split_once("{}") {
            None => Some((self.id.to_owned(), self.is_vague)),
            Some((before, after)) => {
                let version = version.trim().replace(' ', "-");
                let known = |version: &str| Terms::parse(&format!("{before}{version}{after}")).is_some();
                let longer = format!("{version}.0");
                let fits = [version.as_str(), longer.as_str()]
                    .into_iter()
                    .find(|version| known(version));
                match fits {
                    Some(version) => Some((format!("{before}{version}{after}"), false)),
                    None if self.default.is_empty() => None,
                    None => Some((format!("{before}{}{after}", self.default), true)),
                }
            }
        }
    }
}

/// Identifiers of SPDX's list as normal text, longest first, each with how it is written.
static IDENTIFIERS: LazyLock<Vec<(String, &'static str)>> = LazyLock::new(|| {
    let mut all: Vec<(String, &'static str)> = spdx::identifiers::LICENSES
        .iter()
        .map(|license| (super::words::Normal::new(license.name).text().to_owned(), license.name))
        .collect();
    all.sort_by(|a, b| (b.0.len(), &a.0).cmp(&(a.0.len(), &b.0)));
    all
});

static BEFORE_IDENTIFIER: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(ID_PREFIX).ok());

/// `license: BSD-3-Clause`, `licensed under the Apache-2.0`: an identifier behind a word that announces it.
fn identifiers(text: &str) -> Vec<Notice> {
    let Some(before) = BEFORE_IDENTIFIER.as_ref() else {
        return Vec::new();
    };
    let starts = before.find_iter(text).map(|found| found.end());
    let named = |start: usize| {
        let rest = &text[start..];
        let (normal, id) = IDENTIFIERS.iter().find(|(normal, _)| {
            rest.strip_prefix(normal.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        })?;
        // A single ordinary word (`Fair`, `Intel`, `Vim`) is rarely meant as an identifier.
        let is_sure = normal.contains(' ') || matches!(*id, "MIT" | "ISC" | "WTFPL" | "Zlib" | "0BSD" | "Unlicense");
        let terms = is_sure.then(|| Terms::parse(id))??;
        Some(Notice {
            terms,
            is_vague: false,
            start,
            end: start + normal.len(),
        })
    };
    starts.filter_map(named).collect()
}

/// Words that make a choice of the licenses on both sides, and how many bytes may be between those.
const CHOICE: &[(&str, usize)] = &[
    ("or", 200),
    ("alternatively", 400),
    ("either", 400),
    ("dual", 400),
    ("dually", 400),
    ("choice", 400),
    ("option", 400),
];
/// Words before two licenses that announce a choice between them.
const ANNOUNCES: &[&str] = &["dual", "either"];
/// Words behind two licenses that made a choice between them.
const CONCLUDES: &[&str] = &[
    "one of the above",
    "at your option one",
    "at your choice",
    "whichever you prefer",
    "of these licenses",
];
/// Bytes before and behind in which those are looked for.
const NEAR: usize = 80;
const BEHIND: usize = 250;

/// Joins what was found, in order: any of neighbours between which the text speaks of a choice, all of the rest.
pub(crate) fn join(text: &str, found: Vec<(usize, usize, Terms)>) -> Option<Terms> {
    let mut groups: Vec<Vec<Terms>> = Vec::new();
    // Where the first mention of the last license ended: it may have been repeated since, by its address for one.
    let (mut since, mut end_of_last, mut is_announced) = (0, 0, false);
    for (start, end, terms) in found {
        match groups.last_mut() {
            Some(group) if group.last() == Some(&terms) => {}
            Some(group) if is_choice(text, (since, end_of_last), (start, end), is_announced) => {
                group.push(terms);
                since = end;
            }
            _ => {
                let before = &text[text.floor_char_boundary(start.saturating_sub(NEAR))..start];
                is_announced = ANNOUNCES.iter().any(|word| before.contains(word));
                groups.push(vec![terms]);
                since = end;
            }
        }
        end_of_last = end_of_last.max(end);
    }
    let parts: Vec<Terms> = groups.into_iter().filter_map(Terms::any).collect();
    Terms::all(unrepeated(parts))
}

/// Whether the text offers the license before (`since` its first mention, to the end of its last) and this one as a
/// choice.
fn is_choice(text: &str, last: (usize, usize), this: (usize, usize), is_announced: bool) -> bool {
    let between = text.get(last.0..this.0).unwrap_or_default();
    let chosen =
        |(word, bytes): &(&str, usize)| between.len() <= *bytes && between.split(' ').any(|other| other == *word);
    let is_near = this.0.saturating_sub(last.1) <= NEAR;
    let behind = &text[this.1..text.floor_char_boundary(this.1 + BEHIND)];
    CHOICE.iter().any(chosen) || is_near && (is_announced || CONCLUDES.iter().any(|words| behind.contains(words)))
}

/// Without licenses that a choice among the rest names too: who offers a choice mentions what there is to choose.
fn unrepeated(parts: Vec<Terms>) -> Vec<Terms> {
    let offered: Vec<String> = parts
        .iter()
        .filter(|part| matches!(part, Terms::Any(_)))
        .flat_map(|part| part.licenses().into_iter().map(str::to_owned))
        .collect();
    let mut parts = parts;
    parts.retain(|part| !matches!(part, Terms::One(id) if offered.contains(id)));
    parts
}
