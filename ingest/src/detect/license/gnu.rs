//! Notices of the GNU family: names, and versions that stand before or after them, some words away.
//!
//! ```text
//!   under the terms of version 2 of the GNU General Public License
//!   the GNU Lesser General Public License as published by the Free Software Foundation; either version 2.1 of the
//!   License, or (at your option) any later version      ·      GPLv3+      ·      GPL version 2 or version 3
//! ```

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::expression::Terms;
use super::notices::Notice;
use super::words::Normal;

/// Bytes behind a name in which its version may stand.
const AFTER: usize = 260;
/// Bytes before a name in which its version may stand.
const BEFORE: usize = 60;

struct Patterns {
    name: Regex,
    after: Regex,
    before: Regex,
    later: Regex,
    also: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let new = |pattern: &str| Regex::new(pattern).ok();
    let name = concat!(
        r"(?-u:\b)(?:gnu (?P<old>lesser |library )?public licenses?",
        r"|(?:gnu )?(?:(?P<long>affero|lesser|library or lesser|library)? ?",
        r"(?:general (?P<swapped>lesser |library )?public licenses?|(?P<fdl>(?:free|gnu) documentation license))",
        r"|(?:gnu ?(?:lesser )?)?(?P<short>agpl|lgpl|gpl|gfdl)(?: license)?(?: ?(?:versions?|ver|v)? ?(?P<version>[123](?:\.[0123])?)(?:\.0)?)?(?P<plus>\+| ?plus)?",
        r"|gnu org (?:copyleft|licenses) (?P<page>lesser|lgpl|agpl|fdl|gpl)(?: (?P<paged>[123]\.[0123]))?))(?-u:\b|$| )"
    );
    Some(Patterns {
        name: new(name)?,
        after: new(
            r"^ ?(?:(?:[a-z]+ ){0,14}?(?:versions?|ver|v) ?|(?:[a-z0-9]+ ){0,30}?either version )?(?P<version>[123](?:\.[0123])?)(?:\.0)?(?P<plus>\+)?(?-u:\b|$| )",
        )?,
        before: new(
            r"(?:(?:version|ver|v) ?(?P<also>[123](?:\.[0123])?) or )?(?:version|ver|v) ?(?P<version>[123](?:\.[0123])?)(?P<plus>\+)?(?P<later> or (?:any )?(?:later|newer|greater|higher|above))?(?: only)?(?: versions?)?(?: of)?(?: the)?(?: terms)?(?: of)?(?: the)?(?: gnu)? ?$",
        )?,
        later: new(
            r"^(?: [a-z]+){0,5}? ?(?:or|and) (?:[a-z]+ ){0,4}?(?:later|newer|greater|higher|above|subsequent)|^(?: [a-z]+){0,5}? any later",
        )?,
        also: new(
            r"^(?: of the [a-z]+)? or (?:at your option )?(?:version |v)?(?P<version>[123](?:\.[0123])?)(?-u:\b)",
        )?,
    })
});

/// A name and what stands around it.
struct Mention {
    family: &'static str,
    start: usize,
    end: usize,
    version: Option<Version>,
    /// The version that a name without one stands for, or any later.
    oldest: &'static str,
    /// Whether it is an abbreviation, which may as well be part of something else's name.
    is_short: bool,
}

struct Version {
    number: String,
    is_later: bool,
    /// A second version that may be chosen instead.
    also: Option<String>,
}

/// The notices of the GNU family in a normal text. A family whose version is named somewhere is not reported without it.
pub(crate) fn scan(normal: &Normal) -> Vec<Notice> {
    let text = normal.text();
    let Some(patterns) = PATTERNS.as_ref() else {
        return Vec::new();
    };
    if !text.contains("gpl")
        && !text.contains("public license")
        && !text.contains("documentation license")
        && !text.contains("gfdl")
    {
        return Vec::new();
    }
    let mut mentions = patterns.mentions(text);
    mentions.retain(|mention| mention.is_meant(normal));
    // Of a license that is named without its version, the newest name tells the most.
    let mut newest: BTreeMap<&str, &'static str> = BTreeMap::new();
    for mention in &mentions {
        let known = newest.entry(mention.family).or_default();
        *known = mention.oldest.max(known);
    }
    for mention in &mut mentions {
        mention.oldest = newest[mention.family];
    }
    let mut versioned: BTreeMap<&str, bool> = BTreeMap::new();
    for mention in &mentions {
        *versioned.entry(mention.family).or_default() |= mention.version.is_some();
    }
    let has_lesser = versioned.contains_key("LGPL");
    let has_version = versioned.values().any(|is_versioned| *is_versioned);
    mentions
        .iter()
        .filter(|mention| match mention.version {
            Some(_) => true,
            // The lesser license refers to the general one.
            None if versioned[mention.family] || mention.family == "GPL" && has_lesser => false,
            // `See the … for more details` goes with a notice, whichever license it names.
            None => !(has_version && refers(&text[..mention.start])),
        })
        .filter_map(Mention::notice)
        .collect()
}

/// Whether what stands before a name only refers to a license that has been granted already.
fn refers(before: &str) -> bool {
    let before = before.trim_end();
    ["see the", "copy of the", "copy of"]
        .iter()
        .any(|words| before.ends_with(words))
}

impl Patterns {
    fn mentions(&self, text: &str) -> Vec<Mention> {
        let mut mentions: Vec<Mention> = Vec::new();
        for captures in self.name.captures_iter(text) {
            let whole = captures.get_match();
            let named = |name: &str| captures.name(name).map(|found| found.as_str());
            let kinds = ["old", "long", "swapped", "fdl", "short", "page"];
            let kind = kinds.into_iter().find_map(named).unwrap_or("gpl").trim();
            let (family, oldest) = kind_of(kind);
            let end = whole.start() + whole.as_str().trim_end().len();
            let mut mention = Mention {
                family,
                start: whole.start(),
                end,
                version: None,
                oldest,
                is_short: named("short").is_some(),
            };
            if let Some(version) = captures.name("version").or(captures.name("paged")) {
                mention.set(self, version.as_str(), captures.name("plus").is_some(), text);
            }
            mentions.push(mention);
        }
        let starts: Vec<usize> = mentions
            .iter()
            .skip(1)
            .map(|mention| mention.start)
            .chain([text.len()])
            .collect();
        for (mention, next) in mentions.iter_mut().zip(starts) {
            if mention.version.is_none() {
                self.look_around(text, mention, next);
            }
        }
        mentions
    }

    /// Looks for the version before or after a name, no further than the next name.
    fn look_around(&self, text: &str, mention: &mut Mention, next: usize) {
        let before = &text[floor(text, mention.start.saturating_sub(BEFORE))..mention.start];
        if let Some(captures) = self.before.captures(before) {
            mention.start -= before.len() - captures.get_match().start();
            let is_later = captures.name("later").is_some() || captures.name("plus").is_some();
            let also = captures.name("also").map(|also| also.as_str().to_owned());
            mention.set(self, &captures["version"], is_later, text);
            if let Some(version) = mention.version.as_mut().filter(|_| also.is_some()) {
                version.also = also;
            }
            return;
        }
        let limit = floor(text, next.min(mention.end + AFTER).max(mention.end));
        if let Some(captures) = self.after.captures(&text[mention.end..limit]) {
            mention.end += captures.get_match().as_str().trim_end().len();
            mention.set(self, &captures["version"], captures.name("plus").is_some(), text);
        }
    }
}

/// The family that a word in a name tells, and the oldest version that has this name.
fn kind_of(word: &str) -> (&'static str, &'static str) {
    match word {
        "affero" | "agpl" => ("AGPL", "3"),
        "free documentation license" | "gnu documentation license" | "gfdl" | "fdl" => ("GFDL", "1.1"),
        "lesser" => ("LGPL", "2.1"),
        "library" | "library or lesser" | "lgpl" => ("LGPL", "2"),
        _ => ("GPL", "1"),
    }
}

/// Bytes around a bare abbreviation in which licenses must be spoken of.
const CONTEXT: usize = 60;
/// Words of which one must be there.
const SPEAKS: &[&str] = &[
    "licen",
    "under",
    "terms",
    "released",
    "distribut",
    "covered by",
    "copying",
    "dual",
];
/// Words behind an abbreviation that make it speak of something else.
const OTHER_BEHIND: &[&str] = &[
    "compatible",
    "incompatible",
    "symbol",
    "symbols",
    "only symbol",
    "friendly",
    "violation",
    "d ",
];
/// Words before an abbreviation that make it speak of something else.
const OTHER_BEFORE: &[&str] = &["non", "export symbol", "anti"];
/// Bytes of a text that is nothing but a name.
const NAME_BYTES: usize = 40;

/// The last border of characters at or before `at`.
fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}

impl Mention {
    /// Whether a license is meant: not a word in a program's name, nor in talk of what goes with licenses.
    fn is_meant(&self, normal: &Normal) -> bool {
        let text = normal.text();
        if !self.is_short || text.len() <= NAME_BYTES && !normal.is_glued(self.start) {
            return true;
        }
        let before = &text[floor(text, self.start.saturating_sub(CONTEXT))..self.start];
        let behind = &text[self.end..floor(text, self.end + CONTEXT)];
        let is_other = OTHER_BEHIND.iter().any(|words| behind.trim_start().starts_with(words))
            || OTHER_BEFORE.iter().any(|words| before.trim_end().ends_with(words));
        let is_spoken_of = SPEAKS.iter().any(|word| before.contains(word) || behind.contains(word));
        !normal.is_glued(self.start) && (self.version.is_some() || is_spoken_of && !is_other)
    }

    /// Sets the version, and what follows it: `or later`, `or version 3`.
    fn set(&mut self, patterns: &Patterns, number: &str, is_later: bool, text: &str) {
        let rest = &text[self.end..];
        let rest = &rest[..floor(rest, AFTER)];
        let also = patterns.also.captures(rest);
        let later = patterns.later.find(rest).filter(|_| also.is_none());
        self.version = Some(Version {
            number: number.to_owned(),
            is_later: is_later || later.is_some(),
            also: also.as_ref().map(|captures| captures["version"].to_owned()),
        });
        let also_end = also.map_or(0, |captures| captures.get_match().end());
        self.end += later.map_or(also_end, |later| later.end());
    }

    fn notice(&self) -> Option<Notice> {
        let id = |number: &str, is_later: bool| {
            let number = if number.contains('.') {
                number.to_owned()
            } else {
                format!("{number}.0")
            };
            let suffix = if is_later { "or-later" } else { "only" };
            // There is no general license 2.1: who writes so means the lesser one.
            let family = if (self.family, number.as_str()) == ("GPL", "2.1") {
                "LGPL"
            } else {
                self.family
            };
            Terms::parse(&format!("{family}-{number}-{suffix}"))
        };
        let terms = match &self.version {
            Some(version) => {
                let first = id(&version.number, version.is_later)?;
                let second = version.also.as_ref().and_then(|number| id(number, false));
                Terms::any(std::iter::once(first).chain(second).collect())?
            }
            None => id(self.oldest, self.family != "AGPL")?,
        };
        Some(Notice {
            terms,
            is_vague: self.version.is_none(),
            start: self.start,
            end: self.end,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        let mut all: Vec<String> = scan(&Normal::new(text))
            .iter()
            .map(|notice| notice.terms.to_string())
            .collect();
        all.dedup();
        all
    }

    #[test]
    fn versions_before_behind_and_inside_the_name() {
        for (text, expression) in [
            (
                "under the terms of the GNU General Public License as published by the Free Software Foundation; either version 2 of the License, or (at your option) any later version. See the GNU General Public License for more details.",
                "GPL-2.0-or-later",
            ),
            (
                "GNU General Public License version 2 only, as published by",
                "GPL-2.0-only",
            ),
            (
                "under version 2.1 of the GNU Lesser General Public License",
                "LGPL-2.1-only",
            ),
            (
                "under version 3 or later of the GNU Affero General Public License",
                "AGPL-3.0-or-later",
            ),
            ("GNU General Public License v2.0", "GPL-2.0-only"),
            ("License: GPLv3+", "GPL-3.0-or-later"),
            ("LGPL-2.1-or-later", "LGPL-2.1-or-later"),
            ("GPL version 2 or later", "GPL-2.0-or-later"),
            ("the GPL", "GPL-1.0-or-later"),
            ("GNU Library General Public License", "LGPL-2.0-or-later"),
            (
                "the GNU General Public License, version 2 or (at your option) version 3 of the License.",
                "GPL-2.0-only OR GPL-3.0-only",
            ),
            (
                "GNU Free Documentation License, Version 1.2 or any later version",
                "GFDL-1.2-or-later",
            ),
        ] {
            assert_eq!(terms(text), [expression], "{text}");
        }
    }

    #[test]
    fn ordinary_words_are_no_notice() {
        assert!(terms("public void generalPublic() {}").is_empty());
        assert!(terms("gplot and gplx").is_empty());
        assert!(terms("[![Documentation](x)] ![License](y)").is_empty());
        assert!(terms("EXPORT_SYMBOL_GPL(under) /* GPL-compatible license */ LICENSE_GPL").is_empty());
        assert_eq!(terms("GPL-9.0"), ["GPL-1.0-or-later"]);
    }

    #[test]
    fn the_lesser_license_covers_its_reference_to_the_general_one() {
        let text = "the GNU Lesser General Public License version 3; see the GNU General Public License";
        assert_eq!(terms(text), ["LGPL-3.0-only"]);
    }
}
