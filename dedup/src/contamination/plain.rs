//! The code channel byte by byte and token by token: the safe twin that the vectorised one is tested against.

use super::code::{Kind, MAX_DEPTH, MIN_SEGMENT_BYTES, NGRAM_TOKENS, SEED, SEGMENT_GAP, kind, string_length};
use super::events::fold_name;
use super::grams::{Channel, Gram, hash_bytes, mix};
use super::kept::{KEPT, Kept};

/// In place of the last mark: a name that is no keyword.
const NAME: u8 = b'a';
/// In place of the last mark: a keyword.
const KEYWORD: u8 = b'k';
/// In place of the last mark: a keyword behind which a declared name stands.
const DECLARES: u8 = b'd';
/// In place of the last mark: a number.
const NUMBER: u8 = b'0';

/// What a text holds: n-grams, then names, in the order they stand, and the number of units.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Plain {
    pub(super) code: Vec<Gram>,
    pub(super) names: Vec<Gram>,
    pub(super) units: usize,
}

/// Reads `text`, and then the texts within it.
pub(super) fn scan(text: &[u8]) -> Plain {
    let mut out = Plain::default();
    let mut segments = vec![(0, text.len(), false)];
    for depth in 0..=MAX_DEPTH {
        let mut deeper = Vec::new();
        for (start, end, commented) in segments {
            let unit = if depth == 0 { 0 } else { out.units + SEGMENT_GAP };
            let mut reading = Reading {
                text: &text[..end],
                at: start,
                commented,
                line_start: true,
                previous: 0,
                comment: None,
                unit,
                tokens: Vec::new(),
                segments: &mut deeper,
                names: &mut out.names,
            };
            while reading.at < end {
                reading.step();
            }
            reading.end_comment();
            let tokens = reading.tokens;
            out.code.extend(ngrams(&tokens, unit));
            out.units = unit + tokens.len();
        }
        segments = deeper;
    }
    out
}

/// A token: a fixed hash, or a name.
#[derive(Clone, Copy)]
struct Token {
    hash: u64,
    is_name: bool,
    tells: bool,
    start: usize,
    end: usize,
}

/// Every eleven tokens, as the layout says: names by how far back they stood in the window.
fn ngrams(tokens: &[Token], unit: usize) -> Vec<Gram> {
    let windows = tokens.windows(NGRAM_TOKENS).enumerate();
    let telling = windows.filter(|(_, window)| window.iter().any(|token| token.tells));
    telling
        .map(|(i, window)| Gram {
            hash: Channel::Code.seal((0..NGRAM_TOKENS).fold(0, |sum: u64, at| {
                sum.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(worth(window, at))
            })),
            unit: unit + i,
            start: window[0].start,
            end: window[NGRAM_TOKENS - 1].end,
        })
        .collect()
}

fn worth(window: &[Token], at: usize) -> u64 {
    let token = window[at];
    if !token.is_name {
        return mix(token.hash);
    }
    // Names share 1,024 slots; whichever stood in this one last is the one that is known.
    let same_slot = |other: &usize| window[*other].is_name && window[*other].hash % 1024 == token.hash % 1024;
    let last = (0..at).rev().find(same_slot);
    let distance = last
        .filter(|last| window[*last].hash == token.hash)
        .map_or(0, |last| at - last);
    mix(SEED ^ 0x100 ^ (distance as u64) << 32)
}

/// What one segment's reading knows.
struct Reading<'a, 's> {
    text: &'a [u8],
    at: usize,
    commented: bool,
    line_start: bool,
    /// The last mark: [`NAME`] for a name, [`KEYWORD`], [`DECLARES`], [`NUMBER`].
    previous: u8,
    comment: Option<(usize, usize)>,
    unit: usize,
    tokens: Vec<Token>,
    segments: &'s mut Vec<(usize, usize, bool)>,
    names: &'s mut Vec<Gram>,
}

impl Reading<'_, '_> {
    fn step(&mut self) {
        let byte = self.text[self.at];
        match kind(byte) {
            Kind::Newline => {
                self.line_start = true;
                self.at += 1;
            }
            Kind::Space => self.at += 1,
            Kind::Word => self.word(),
            Kind::Digit => self.number(),
            Kind::Quote => self.quote(),
            Kind::Dropped => self.mark(byte),
            Kind::Mark if self.line_start && self.line_mark(byte) => {}
            Kind::Mark if self.is_comment(byte) => self.skip_comment(),
            // Brackets around a term are a matter of taste; those of a call are not, and one of them says it.
            Kind::Mark if byte == b')' || byte == b'(' && !matches!(self.previous, NAME | b']' | b')') => {
                self.mark(byte);
            }
            Kind::Mark => {
                self.token(
                    u64::from(byte),
                    (false, !b"=.([{".contains(&byte)),
                    self.at,
                    self.at + 1,
                );
                self.mark(byte);
            }
        }
    }

    fn mark(&mut self, byte: u8) {
        self.line_start = false;
        self.previous = byte;
        self.at += 1;
    }

    /// Marks at the start of a line that are no code: of diffs, quotations, doctests, and of comments where they are read.
    fn line_mark(&mut self, byte: u8) -> bool {
        let rest = &self.text[self.at..];
        let at_margin = self.at == 0 || kind(self.text[self.at - 1]) == Kind::Newline;
        let length = match byte {
            b'>' if rest.starts_with(b">>>") => 3,
            b'.' if rest.starts_with(b"...") => 3,
            b'+' | b'-' | b'>' | b'|' if at_margin => 1,
            b'#' | b'*' | b'%' if self.commented => 1,
            b'/' if self.commented => rest.iter().take_while(|&&byte| byte == b'/').count(),
            _ => return false,
        };
        self.at += length;
        true
    }

    fn is_comment(&self, byte: u8) -> bool {
        let next = self.text.get(self.at + 1).copied().unwrap_or(0);
        match byte {
            b'#' => next != b'[' && next != b'{',
            b'/' if next == b'*' => true,
            b'/' if next == b'/' => self.line_start || matches!(self.previous, b';' | b'{' | b'}' | b','),
            b'-' if next == b'-' => self.line_start,
            _ => false,
        }
    }

    fn skip_comment(&mut self) {
        let rest = &self.text[self.at..];
        if rest.starts_with(b"/*") {
            let length = memchr::memmem::find(rest, b"*/").map_or(2, |at| at + 2);
            if length > 2 {
                self.segment(self.at + 2, self.at + length - 2, true);
            }
            self.at += length;
            return;
        }
        let length = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
        let end = self.at + length;
        // Lines of one comment belong together; anything between them ends it.
        match &mut self.comment {
            Some((_, last)) if self.text[*last..self.at].iter().all(u8::is_ascii_whitespace) => *last = end,
            _ => {
                self.end_comment();
                self.comment = Some((self.at, end));
            }
        }
        self.at = end;
    }

    fn end_comment(&mut self) {
        if let Some((start, end)) = self.comment.take() {
            self.segment(start, end, true);
        }
    }

    fn segment(&mut self, start: usize, end: usize, commented: bool) {
        if end - start >= MIN_SEGMENT_BYTES {
            self.segments.push((start, end, commented));
        }
    }

    fn word(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        let length = rest
            .iter()
            .take_while(|&&byte| matches!(kind(byte), Kind::Word | Kind::Digit))
            .count();
        let word = &rest[..length];
        self.at += length;
        self.line_start = false;
        // The letters before a quote are part of how the string is written.
        if length <= 2
            && matches!(rest.get(length), Some(b'"' | b'\''))
            && word.iter().all(|byte| b"rbfuRBFU".contains(byte))
        {
            return;
        }
        if (word == b"self" || word == b"this") && rest.get(length) == Some(&b'.') {
            (self.at, self.previous) = (self.at + 1, b'.');
            return;
        }
        let folded = hash_bytes(SEED, word.iter().map(u8::to_ascii_lowercase));
        let next = rest[length..].iter().find(|byte| **byte != b' ').copied().unwrap_or(0);
        let used = self.previous == b'.' || next == b'(' || next == b'.';
        let (is_name, previous) = match KEPT.find(folded) {
            Some(Kept::Keyword) => (false, KEYWORD),
            Some(Kept::Declaring) if kind(next) == Kind::Word => (false, DECLARES),
            Some(Kept::Library) if used && self.previous != DECLARES => (false, NAME),
            _ => (true, NAME),
        };
        self.previous = previous;
        let (unit, end) = (self.unit + self.tokens.len(), self.at);
        self.token(folded, (is_name, !is_name), start, end);
        if let Some(hash) = fold_name(word, folded) {
            self.names.push(Gram { hash, unit, start, end });
        }
    }

    fn number(&mut self) {
        let start = self.at;
        let rest = &self.text[start..];
        let is_part = |at: usize| match rest[at] {
            b'.' => rest.get(at + 1).is_some_and(u8::is_ascii_digit),
            byte => byte.is_ascii_alphanumeric() || byte == b'_',
        };
        let length = (0..rest.len()).take_while(|&at| is_part(at)).count();
        let hash = hash_bytes(SEED ^ 1, rest[..length].iter().copied());
        self.at += length;
        self.line_start = false;
        self.previous = NUMBER;
        self.token(hash, (false, false), start, self.at);
    }

    fn quote(&mut self) {
        let (start, quote) = (self.at, self.text[self.at]);
        let rest = &self.text[start..];
        self.line_start = false;
        self.previous = quote;
        let triple = [quote; 3];
        if quote != b'`' && rest.starts_with(&triple) {
            let length = memchr::memmem::find(&rest[3..], &triple).map_or(0, |at| at + 6);
            if length > 0 {
                self.segment(start + 3, start + length - 3, false);
            }
            self.at += length.max(3);
            return;
        }
        let Some(length) = string_length(rest) else {
            self.at += 1;
            return;
        };
        let content = &rest[1..length - 1];
        self.at += length;
        if content.contains(&b'\n') {
            self.segment(start + 1, self.at - 1, false);
            return;
        }
        let hash = hash_bytes(SEED ^ 2, content.iter().copied().filter(|&byte| byte != b'\\'));
        self.token(hash, (false, false), start, self.at);
    }

    fn token(&mut self, hash: u64, (is_name, tells): (bool, bool), start: usize, end: usize) {
        self.tokens.push(Token {
            hash,
            is_name,
            tells,
            start,
            end,
        });
    }
}
