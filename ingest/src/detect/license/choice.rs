//! Joins the licenses that a text names: `AND`, unless its words between, before or behind them offer a choice.
//!
//! ```text
//!   under the MIT license or the Apache license          a choice: the word between them
//!   under the MIT, BSD or Apache license                 a choice of three: a list is what its last link is
//!   dual licensed under MIT and GPL                      a choice: announced
//!   the library is under MIT, the tools under GPL        both
//! ```

use super::expression::Terms;

/// Words between two licenses that make them a choice, and how many bytes may be between those.
const BETWEEN: &[(&str, usize)] = &[
    ("alternatively", 400),
    ("either", 400),
    ("dual", 400),
    ("dually", 400),
    ("choice", 400),
    ("option", 400),
];
/// Bytes between two licenses that an `or` may join, and how near to one of them it must be.
const OR_REACH: usize = 200;
const OR_NEAR: usize = 60;
/// Words before or behind an `or` that make it join something else: `and/or`, `or later`, `or modify`.
const OR_AFTER: &[&str] = &["and"];
const OR_BEFORE: &[&str] = &[
    "later",
    "any",
    "newer",
    "higher",
    "above",
    "greater",
    "modify",
    "modified",
    "distribute",
    "redistribute",
    "copy",
    "sell",
    "implied",
    "otherwise",
];
/// What announces an alternative to all that was granted before it, how near to the license, and how far behind the other.
const ALTERNATIVE: &str = "alternatively";
const ALTERNATIVE_NEAR: usize = 160;
const ALTERNATIVE_REACH: usize = 3000;
/// Words before licenses that announce a choice between them.
const ANNOUNCES: &[&str] = &[
    "dual",
    "either",
    "multi license",
    "tri license",
    "triple license",
    "terms of both",
];
/// The same for licenses further apart, as in a list of items.
const ANNOUNCES_LIST: &[&str] = &[
    "one of the following",
    "any of the following",
    "choice of",
    "one of two",
    "two mutually exclusive",
    "choose one",
    "choose any one",
];
/// Words behind two licenses that made a choice between them.
const CONCLUDES: &[&str] = &[
    "one of the above",
    "at your option one",
    "at your choice",
    "whichever you prefer",
    "whichever license",
    "of these licenses",
    "of these two licenses",
];
/// Bytes before, between and behind in which those are looked for.
const NEAR: usize = 80;
const NEAR_IN_LIST: usize = 260;
const BEHIND: usize = 250;
/// Words that may stand between two items of a list without a link.
const IN_LIST: &[&str] = &["the", "license", "licenses", "a"];

/// What stands between two licenses makes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    /// A choice.
    Or,
    /// Both.
    And,
    /// Whatever the next link is: a comma.
    Open,
}

/// A license in the text: its first mention, and the end of its last before the next license.
struct Item {
    first: (usize, usize),
    end: usize,
    terms: Terms,
}

/// Joins what was found, in order: any of neighbours between which the text speaks of a choice, all of the rest.
pub(crate) fn join(text: &str, found: Vec<(usize, usize, Terms)>) -> Option<Terms> {
    let mut items: Vec<Item> = Vec::new();
    for (start, end, terms) in found {
        match items.last_mut() {
            // Repeated, by its address for one.
            Some(last) if last.terms == terms => last.end = last.end.max(end),
            _ => items.push(Item {
                first: (start, end),
                end,
                terms,
            }),
        }
    }
    let mut links: Vec<Link> = Vec::new();
    let mut announced = 0;
    for pair in items.windows(2) {
        let link = link(text, &pair[0], &pair[1], announced);
        if link == Link::And {
            announced = pair[1].first.0;
        }
        links.push(link);
    }
    let mut next = Link::And;
    for link in links.iter_mut().rev() {
        if *link == Link::Open {
            *link = next;
        }
        next = *link;
    }
    let mut groups: Vec<Vec<Terms>> = Vec::new();
    let before = std::iter::once(Link::And).chain(links);
    for (item, link) in items.into_iter().zip(before) {
        match groups.last_mut() {
            Some(group) if link == Link::Or => group.push(item.terms),
            _ => groups.push(vec![item.terms]),
        }
    }
    let parts: Vec<Terms> = groups.into_iter().filter_map(Terms::any).collect();
    Terms::all(unrepeated(parts))
}

/// What joins two neighbours. `head` is where the group that the first belongs to may have been announced, or 0.
fn link(text: &str, last: &Item, this: &Item, head: usize) -> Link {
    let between = text.get(last.first.1..this.first.0).unwrap_or_default();
    let gap = this.first.0.saturating_sub(last.end);
    let group = if head == 0 { last.first.0 } else { head };
    let before = |bytes: usize| &text[text.floor_char_boundary(group.saturating_sub(bytes))..group];
    let announces = |words: &[&str], bytes: usize| {
        let before = before(bytes).replace("either version", "");
        words.iter().any(|word| before.contains(word))
    };
    let chosen =
        |(word, bytes): &(&str, usize)| between.len() <= *bytes && between.split(' ').any(|other| other == *word);
    let lead = &text[text.floor_char_boundary(this.first.0.saturating_sub(ALTERNATIVE_NEAR))..this.first.0];
    let is_alternative = gap <= ALTERNATIVE_REACH && lead.contains(ALTERNATIVE);
    let behind = &text[this.first.1..text.floor_char_boundary(this.first.1 + BEHIND)];
    let is_choice = is_alternative
        || has_or(between)
        || BETWEEN.iter().any(chosen)
        || gap <= NEAR && (announces(ANNOUNCES, NEAR) || CONCLUDES.iter().any(|words| behind.contains(words)))
        || gap <= NEAR_IN_LIST && announces(ANNOUNCES_LIST, NEAR_IN_LIST);
    let is_listed = || {
        between
            .split(' ')
            .all(|word| word.is_empty() || IN_LIST.contains(&word))
    };
    match is_choice {
        true => Link::Or,
        false if is_listed() => Link::Open,
        false => Link::And,
    }
}

/// Whether an `or` between two licenses joins these.
fn has_or(between: &str) -> bool {
    let words: Vec<&str> = between.split(' ').filter(|word| !word.is_empty()).collect();
    let bytes = |words: &[&str]| words.iter().map(|word| word.len() + 1).sum::<usize>();
    let joins = |at: usize| {
        let (before, behind) = (words[..at].last(), words.get(at + 1));
        words[at] == "or"
            && before.is_none_or(|word| !OR_AFTER.contains(word))
            && behind.is_none_or(|word| !OR_BEFORE.contains(word))
            && bytes(&words[at..]).min(bytes(&words[..at])) <= OR_NEAR
    };
    between.len() <= OR_REACH && (0..words.len()).any(joins)
}

/// Without what a choice among the rest names too: who offers a choice mentions what there is to choose.
fn unrepeated(parts: Vec<Terms>) -> Vec<Terms> {
    let is_repeated = |at: usize| {
        let own = parts[at].licenses();
        let names_all =
            |other: &Terms| matches!(other, Terms::Any(_)) && own.iter().all(|id| other.licenses().contains(id));
        let is_wider = |(other, part): (usize, &Terms)| {
            let is_same = part.licenses().len() == own.len();
            other != at && names_all(part) && (!is_same || other < at)
        };
        parts.iter().enumerate().any(is_wider)
    };
    let kept: Vec<bool> = (0..parts.len()).map(|at| !is_repeated(at)).collect();
    let kept = parts
        .into_iter()
        .zip(kept)
        .filter_map(|(part, is_kept)| is_kept.then_some(part));
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::super::scan;

    #[test]
    fn choices_and_lists() {
        for (text, expression) in [
            (
                "Licensed under the MIT license or the Apache License, Version 2.0",
                "MIT OR Apache-2.0",
            ),
            (
                "Licensed under the MIT, BSD or Apache-2.0 license",
                "MIT OR BSD-3-Clause OR Apache-2.0",
            ),
            ("License: MIT, Apache-2.0 and ISC license", "MIT AND Apache-2.0 AND ISC"),
            ("Licensed under MIT/Apache-2.0", "MIT OR Apache-2.0"),
            (
                "Dual licensed under the MIT and GPL-2.0 licenses",
                "MIT OR GPL-2.0-only",
            ),
            ("MODULE_LICENSE(\"Dual BSD/GPL\")", "BSD-3-Clause OR GPL-1.0-or-later"),
            (
                "The library is under the MIT license. The tools are under the GPLv2.",
                "MIT AND GPL-2.0-only",
            ),
            (
                "under the MIT license. This tool is free software; you can redistribute it and/or modify it under the terms of the GNU General Public License version 2",
                "MIT AND GPL-2.0-only",
            ),
            (
                "licensed under one of the following licenses: 1) the Common Public License 1.0, a copy of which is available from the Open Source Initiative 2) the ISC license, a copy of which is there too",
                "CPL-1.0 OR ISC",
            ),
            (
                "Version: MPL 1.1/GPL 2.0/LGPL 2.1",
                "MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-only",
            ),
            (
                "subject to the Mozilla Public License Version 1.1 (the \"License\"); you may not use this file except in compliance with the License. Software distributed under the License is distributed on an \"AS IS\" basis. Alternatively, the contents of this file may be used under the terms of either the GNU General Public License Version 2 or later, or the GNU Lesser General Public License Version 2.1 or later",
                "MPL-1.1 OR GPL-2.0-or-later OR LGPL-2.1-or-later",
            ),
            (
                "either the GNU Lesser General Public License, version 2.1 or later, or the Mozilla Public License, version 1.1",
                "LGPL-2.1-or-later OR MPL-1.1",
            ),
        ] {
            assert_eq!(
                scan::document(text).map(|terms| terms.to_string()).as_deref(),
                Some(expression),
                "{text}"
            );
        }
    }
}
