//! All that a text says of licenses, as one expression: tags, whole texts, notices.

use super::choice;
use super::expression::Terms;
use super::notices::{self, Notice};
use super::texts::{self, Found};
use super::words::Normal;

/// Bytes of a license file that are read.
const TEXT_BYTES: usize = 256 * 1024;
/// Lines of a file that count as its header.
const HEADER_LINES: usize = 64;
/// Bytes of a file that count as its header.
const HEADER_BYTES: usize = 8 * 1024;
/// What every tag starts with. Source: SPDX specification, annex on short-form identifiers.
const TAG: &str = "SPDX-License-Identifier:";
/// Words without one of which no header names a license: most files are done here.
const HINTS: &[&str] = &[
    "licen",
    "LICEN",
    "Licen",
    "GPL",
    "gpl",
    "SPDX",
    "ublic domain",
    "PUBLIC DOMAIN",
    "edistribut",
    "EDISTRIBUT",
    "ermission",
    "roprietary",
    "PROPRIETARY",
    "onfidential",
    "BSD",
    "CC0",
    "WTFPL",
    "terms as Perl",
    "reative Commons",
    "eerware",
    "EER-WARE",
    "opyright",
];

/// What the header of a file says, if anything.
pub(crate) fn header(text: &str) -> Option<Terms> {
    let head = head(text);
    if let Some(terms) = tags(head) {
        return Some(terms);
    }
    let bytes = head.as_bytes();
    let hinted = HINTS
        .iter()
        .any(|hint| memchr::memmem::find(bytes, hint.as_bytes()).is_some());
    hinted.then(|| scan(head))?
}

/// What a license file says, if anything.
pub(crate) fn document(text: &str) -> Option<Terms> {
    let text = &text[..text.floor_char_boundary(TEXT_BYTES)];
    let Some(tagged) = tags(text) else {
        return scan(text);
    };
    // A tag says it all, but for the texts of other licenses in the same file.
    let known = tagged.licenses().into_iter().map(str::to_owned).collect::<Vec<_>>();
    let texts = texts::scan(&Normal::new(text));
    let others = texts
        .iter()
        .filter(|found| !found.is_exception && !known.iter().any(|id| family(id) == family(found.id)));
    let others: Vec<Terms> = others.filter_map(|found| Terms::parse(found.id)).collect();
    Terms::all(std::iter::once(tagged).chain(others).collect())
}

/// What a few words say that stand where a license is expected: an identifier, an expression, a sentence.
pub(crate) fn named(words: &str) -> Option<Terms> {
    Terms::parse(words.trim().trim_end_matches('.')).or_else(|| document(words))
}

/// What a document says in which some license's whole text stands; nothing, if none does.
pub(crate) fn texts_and_notices(text: &str) -> Option<Terms> {
    let text = &text[..text.floor_char_boundary(TEXT_BYTES)];
    let normal = Normal::new(text);
    let texts = texts::scan(&normal);
    let holds_text = texts.iter().any(|found| !found.is_exception);
    holds_text.then(|| tags(text).or_else(|| scan_with(&normal, texts)))?
}

fn head(text: &str) -> &str {
    let text = &text[..text.floor_char_boundary(HEADER_BYTES)];
    let end = memchr::memchr_iter(b'\n', text.as_bytes()).nth(HEADER_LINES - 1);
    &text[..end.unwrap_or(text.len())]
}

/// All tags in a text: a file with several is under all of them. What cannot be read is as if it were not there.
fn tags(text: &str) -> Option<Terms> {
    let after = text.split(TAG).skip(1);
    let lines = after.filter_map(|rest| rest.split(['\n', '\r']).next());
    Terms::all(lines.filter_map(tag).collect())
}

/// An expression and what closes the comment around it.
fn tag(line: &str) -> Option<Terms> {
    let mut line = line;
    for close in ["*/", "-->", "#}", "%>", "\\n", "\"", "'", "*)", "--}", "-}", "#>"] {
        line = line.split(close).next().unwrap_or(line);
    }
    let line = line
        .trim()
        .trim_end_matches([';', '.', ',', '#', '*', '/', '-', ' ', '\t', '`', '>']);
    Terms::parse(line)
}

/// Texts and notices together.
fn scan(text: &str) -> Option<Terms> {
    let normal = Normal::new(text);
    let texts = texts::scan(&normal);
    scan_with(&normal, texts)
}

fn scan_with(normal: &Normal, texts: Vec<Found>) -> Option<Terms> {
    if is_exception_alone(&texts, normal.text().len()) {
        return None;
    }
    let mut notices = notices::scan(normal);
    notices.retain(|notice| !texts.iter().any(|found| belongs(normal.text(), notice, found)));
    let pieces = settle(pieces(texts, notices));
    choice::join(
        normal.text(),
        pieces
            .into_iter()
            .map(|piece| (piece.start, piece.end, piece.terms))
            .collect(),
    )
}

/// Of every ten words, how many of an exception's must be there for a text to be nothing but that exception.
const ALONE_OF_TEN: usize = 8;

/// An exception is no license: its text alone permits nothing.
fn is_exception_alone(texts: &[Found], length: usize) -> bool {
    match texts {
        [only] if only.is_exception => {
            let covered: usize = only.spans.iter().map(|(start, end)| end - start).sum();
            covered * 10 >= length * ALONE_OF_TEN
        }
        _ => false,
    }
}

/// Bytes around a license's text in which a vague notice only speaks of it or of its relatives.
const AROUND: usize = 600;
/// Bytes before a notice inside a license's text in which it may be announced as another license.
const ANNOUNCED: usize = 120;

/// What stands inside a license is part of it: its title, how to apply it, what it is compatible with; unless it is
/// announced as an alternative to it. Exceptions name the license that they are exceptions from, versions do not.
fn belongs(text: &str, notice: &Notice, found: &Found) -> bool {
    let (start, end) = (notice.start, notice.end);
    if found.is_exception {
        let is_base = notice.terms.licenses().iter().any(|id| is_base(id, found.id));
        return (notice.is_vague || !is_base) && found.touches(start, end);
    }
    if is_title(text, notice, found) {
        return true;
    }
    if !(found.start() <= start && end <= found.end()) {
        let around = if notice.is_vague { AROUND } else { 0 };
        return found.touches(start.saturating_sub(around), end + around);
    }
    let before = &text[text.floor_char_boundary(start.saturating_sub(ANNOUNCED))..start];
    let words = ["alternatively", "dual license", "also be distributed under"];
    !words.iter().any(|word| before.contains(word)) || found.touches(start, end)
}

/// Bytes before a license's text in which its title stands.
const TITLE: usize = 150;

/// Whether a notice only titles a text of its own family: what the text says counts. Titles of the GNU family say more than
/// its texts: whether later versions may be chosen.
fn is_title(text: &str, notice: &Notice, found: &Found) -> bool {
    let between = text.get(notice.end..found.start());
    let Terms::One(id) = &notice.terms else {
        return false;
    };
    between.is_some_and(|between| between.len() <= TITLE && !between.split(' ').any(|word| word == "or"))
        && family(id) == family(found.id)
        && !id.contains("GPL-")
}

/// A text or a notice.
struct Piece {
    start: usize,
    end: usize,
    terms: Terms,
    is_text: bool,
    is_vague: bool,
}

/// Texts, their exceptions joined to them, and notices, in order.
fn pieces(texts: Vec<Found>, notices: Vec<Notice>) -> Vec<Piece> {
    let (exceptions, licenses): (Vec<Found>, Vec<Found>) = texts.into_iter().partition(|found| found.is_exception);
    let text = |found: Found| Piece {
        start: found.start(),
        end: found.end(),
        terms: Terms::parse(found.id).unwrap_or_else(|| Terms::One(found.id.to_owned())),
        is_text: true,
        is_vague: false,
    };
    let notice = |notice: Notice| Piece {
        start: notice.start,
        end: notice.end,
        terms: notice.terms,
        is_text: false,
        is_vague: notice.is_vague,
    };
    let mut all: Vec<Piece> = licenses
        .into_iter()
        .map(text)
        .chain(notices.into_iter().map(notice))
        .collect();
    all.sort_by_key(|piece| (piece.start, piece.end));
    for exception in exceptions {
        let base = |piece: &&mut Piece| matches!(&piece.terms, Terms::One(id) if is_base(id, exception.id) && !id.contains(" WITH "));
        if let Some(piece) = all
            .iter_mut()
            .filter(base)
            .max_by_key(|piece| (piece.start <= exception.start(), piece.start))
        {
            piece.terms = Terms::One(format!("{} WITH {}", piece.terms, exception.id));
        }
    }
    all
}

/// Whether `exception` is one from `license`: all but two are from the GNU family.
fn is_base(license: &str, exception: &str) -> bool {
    match exception {
        "LLVM-exception" | "Swift-exception" => license == "Apache-2.0",
        _ => license.contains("GPL-"),
    }
}

/// Pieces of one text that are looked at: what names more licenses than this is a list of them.
const MOST_PIECES: usize = 256;

/// Drops what something more precise says too.
fn settle(mut pieces: Vec<Piece>) -> Vec<Piece> {
    pieces.truncate(MOST_PIECES);
    let stands = |at: usize| !(0..pieces.len()).any(|other| other != at && supersedes(&pieces[other], &pieces[at]));
    let kept: Vec<bool> = (0..pieces.len()).map(stands).collect();
    let mut kept = kept.into_iter();
    pieces.retain(|_| kept.next().unwrap_or(true));
    pieces
}

/// Licenses that dedicate to the public domain.
const DEDICATIONS: &[&str] = &[
    "CC0-1.0",
    "Unlicense",
    "CC-PDDC",
    "PDDL-1.0",
    "NIST-PD",
    "SAX-PD",
    "ANTLR-PD",
    "CFITSIO",
];

/// Whether `other` says what `piece` says, and more precisely.
fn supersedes(other: &Piece, piece: &Piece) -> bool {
    let Terms::One(id) = &piece.terms else {
        return false;
    };
    other.terms.licenses().into_iter().any(|precise| {
        let vague = piece.is_vague && !other.is_vague && family(precise) == family(id);
        // A bare text says nothing of later versions: the notice that goes with it does.
        let later = !other.is_text
            && id
                .strip_suffix("-only")
                .is_some_and(|base| precise.strip_suffix("-or-later") == Some(base));
        // The lesser license rests on the general one's text.
        let rests = piece.is_text && id == "GPL-3.0-only" && precise.starts_with("LGPL-3.0");
        // Who dedicates by a known text calls that a dedication to the public domain; a translation is not the original.
        let dedicated = id == super::PUBLIC_DOMAIN && DEDICATIONS.contains(&precise);
        let ported = id.starts_with("CC-")
            && precise
                .strip_prefix(id.as_str())
                .is_some_and(|rest| rest.starts_with('-'));
        let excepted = precise.split_once(" WITH ").is_some_and(|(base, _)| base == id);
        vague || later || rests || dedicated || ported || excepted
    })
}

/// `BSD` of `BSD-3-Clause`.
fn family(id: &str) -> &str {
    id.split(['-', ' ']).next().unwrap_or(id)
}
