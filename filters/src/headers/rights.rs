//! What makes a sentence a statement of rights, and not one about them.
//!
//! ```text
//!   Copyright (c) 2020 Somebody           a claim: a mark with a year, or with who holds it
//!   Licensed under the MIT license        a grant, or a license named as what something is under
//!   MIT License · License: MIT            a name or a tag alone
//!   Returns the copyright notice          none: it tells what code does
//!   The copyright header of a file        none: a word is no claim
//! ```

use super::phrases::{CUES, DEEDS, GRANTS, HOLDERS, LEGAL, NAMES, REMARKS, SUBJECTS, TAGS, TALK, UNDER, WEAK};
use super::{holds_any, words};

/// Longest line with parts (`jQuery v3 | (c) JS Foundation | MIT`) that is taken for a banner.
const LONGEST_BANNER: usize = 30;

/// Most words in front of the name of a license that stands alone: `The Foo project: MIT License`.
const LONGEST_TITLE: usize = 4;

/// Words of a rest that may follow a claim: the end of a long name.
const LONGEST_REST: usize = 3;

/// Words of a rest below a claim that ends in the middle of its names.
const LONGEST_NAMES: usize = 8;

/// Whether a sentence claims rights, grants them, or names the license that something is under.
pub(super) fn states(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    if tells(&lower) {
        return false;
    }
    let is_banner = sentence.contains(" | ") && words(sentence) <= LONGEST_BANNER;
    let parts = sentence.split(" | ").filter(|_| is_banner);
    grants(&lower)
        || claims(sentence)
        || parts
            .into_iter()
            .any(|part| claims(part) || grants(&part.to_lowercase()))
}

/// Whether a sentence in lower case grants rights, or names a license as what something is under.
pub(super) fn grants(lower: &str) -> bool {
    let start = lower.trim_start();
    let is_tag = TAGS.iter().any(|tag| start.starts_with(tag));
    let named = NAMES
        .iter()
        .filter_map(|name| lower.find(name).map(|at| (at, at + name.len())));
    let is_named = named.into_iter().any(|(start, end)| {
        let (before, after) = (&lower[..start], &lower[end..]);
        let is_alone = words(before) <= LONGEST_TITLE && after.split_whitespace().all(|word| !is_plain(word));
        is_alone || holds_any(lower, UNDER)
    });
    is_tag || is_named || holds_any(lower, GRANTS)
}

/// Whether a word behind the name of a license is one of another sentence: no version, no name in brackets.
fn is_plain(word: &str) -> bool {
    let kinds = ["", "version", "v", "license", "licence", "and", "or", "the", "-"];
    let bare = word.trim_matches([',', '.', ';', ':']);
    !word.contains(|c: char| c.is_ascii_digit() || "()[]/@|".contains(c)) && !kinds.contains(&bare)
}

/// Whether a sentence claims a copyright: a mark with a year, with another mark, or with a name.
fn claims(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let marked = lower.contains("copyright") || lower.contains("copr.");
    let sign = ["(c)", "©", "&copy;"]
        .iter()
        .find_map(|sign| Some((lower.find(sign)?, sign.len())));
    let is_list = lower.contains("(b)");
    match sign {
        Some(_) if marked => true,
        // Lower case may have other lengths than the text itself: what is behind the sign is looked for again.
        Some((at, length)) => {
            let after = lower[at + length..].trim_start();
            has_year(after.get(..4).unwrap_or_default())
                || !is_list && is_held(behind(sentence, &["(c)", "(C)", "©", "&copy;"]))
        }
        None => {
            marked
                && (has_year(&lower)
                    || starts_with_mark(&lower) && is_held(behind(sentence, &["copyright", "Copyright", "COPYRIGHT"])))
        }
    }
}

fn starts_with_mark(lower: &str) -> bool {
    [
        "copyright",
        "portions copyright",
        "this file is copyright",
        "this software is copyright",
    ]
    .iter()
    .any(|start| lower.trim_start().starts_with(start))
}

/// What is behind the first of `marks`.
fn behind<'a>(sentence: &'a str, marks: &[&str]) -> &'a str {
    let found = marks.iter().find_map(|mark| sentence.split_once(mark));
    found.map_or("", |(_, after)| after)
}

/// Whether a text begins with who holds rights: a name, or a word for such people.
fn is_held(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || ":-,".contains(c));
    let (is_by, name) = match ["by ", "the "].iter().find_map(|word| text.strip_prefix(word)) {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let lower = text.to_lowercase();
    let first = lower.split_whitespace().next().unwrap_or_default();
    let is_talk = TALK.contains(&first.trim_end_matches([':', ',', '.', ';']));
    let is_name = name.starts_with(|c: char| c.is_uppercase() || c == '<');
    !is_talk && (is_name && (is_by || words(name) <= 12) || holds_any(&lower, HOLDERS))
}

/// Whether there is a year from 1900 to 2099.
fn has_year(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20")))
}

/// Whether a sentence in lower case tells what code does, or how it is used: `(this function) returns …`, `usage: …`.
pub(super) fn tells(lower: &str) -> bool {
    let start = lower.trim_start();
    if REMARKS.iter().any(|remark| start.starts_with(remark)) {
        return true;
    }
    let mut verbs = start
        .split_whitespace()
        .take(4)
        .skip_while(|word| SUBJECTS.contains(word));
    verbs.next().is_some_and(is_deed)
}

fn is_deed(word: &str) -> bool {
    let word = word.trim_end_matches([':', ',', '.']);
    let is = |stem: &str| DEEDS.contains(&stem);
    let stem = |end: &str| word.strip_suffix(end).is_some_and(is);
    is(word) || stem("s") || stem("es") || word.strip_suffix("ies").is_some_and(|stem| is(&format!("{stem}y")))
}

/// Whether a sentence in lower case is more of a license that began above it.
pub(super) fn goes_on(lower: &str) -> bool {
    let weak = WEAK.iter().filter(|word| lower.contains(*word)).count();
    holds_any(lower, LEGAL) || weak > 1 || weak == 1 && holds_any(lower, CUES)
}

/// Whether a sentence is the rest of a claim above it: years, an address, more of those who hold the rights.
pub(super) fn is_rest(above: &str, sentence: &str) -> bool {
    let (above, lower) = (above.trim_end(), sentence.trim().to_lowercase());
    let last = above.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    let is_open = above.ends_with([',', '&', '-']) || ["and", "by", "of", "the", "at", "for"].contains(&last.as_str());
    let is_name = lower.contains('@') || holds_any(&format!("{lower} "), HOLDERS) || lower.starts_with("and ");
    match is_open {
        true => words(&lower) <= LONGEST_NAMES && !lower.ends_with(':'),
        false => words(&lower) <= LONGEST_REST && !lower.ends_with(':') && (is_name || has_year(&lower)),
    }
}

/// Whether a sentence may be the rest of a name, if more of a license comes below it.
pub(super) fn may_be_name(sentence: &str) -> bool {
    words(sentence) <= LONGEST_REST && sentence.starts_with(char::is_uppercase) && !tells(&sentence.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_stated_by_claims_grants_and_names() {
        for sentence in [
            "Copyright (c) 2020 Somebody",
            "(c) JS Foundation and other contributors",
            "jQuery v3 | (c) JS Foundation and other contributors | jquery.org/license",
            "normalize.css v8.0.1 | MIT License | github.com/necolas/normalize.css",
            "Copyright 2017-2020, the authors",
            "COPYRIGHT 1999 SOMEBODY",
            "Copyright The Kubernetes Authors.",
            "Copyright Facebook, Inc. and its affiliates.",
            "copyright the project's contributors",
            "© Somebody",
            "Portions Copyright 2003 Somebody",
            "The MIT License (MIT)",
            "Apache License, Version 2.0",
            "GNU General Public License v3.0",
            "License: MIT",
            "@license MIT",
            "Licensed under the MIT license.",
            "This file is in the public domain.",
            "SPDX-License-Identifier: MIT",
        ] {
            assert!(states(sentence), "{sentence}");
        }
    }

    /// Mutation: take the word `copyright`, or the name of a license, for a statement.
    #[test]
    fn sentences_about_rights_are_none() {
        for sentence in [
            "This parses the Copyright field of the license.",
            "Returns the copyright notice",
            "Copyright of books.",
            "Copyright Header Checker",
            "Copyright notice of a file",
            "Checks that a crate has an MIT License",
            "This function verifies copyrighted works of 2020",
            "The license: field of a manifest",
            "One of (a) one, (b) two, (c) Three",
            "usage: foo [-x]",
            "Detects Apache License, Version 2.0",
            "Turns a license agreement into a tree of its clauses",
        ] {
            assert!(!states(sentence), "{sentence}");
        }
        assert!(goes_on("see the license for details") && goes_on("without even the implied warranty"));
        assert!(!goes_on("license manager") && tells("returns the copyright notice"));
        assert!(is_rest("Copyright 2020 Somebody and", "Foo Project") && is_rest("Copyright 1990,", "1991 Foo"));
        assert!(
            !is_rest("Copyright 2020 Somebody", "usage: foo [-x]")
                && !is_rest("Copyright 2020 Somebody", "Counts pages")
        );
    }
}
