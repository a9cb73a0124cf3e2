//! The code channel: tokens with identifiers renamed, comments and layout gone, and a rolling hash over every eleven.
//!
//! ```text
//!   total = 0                 ►  v = 0            a name is the distance to where it stood before in the window, or 0;
//!   for x in values:  # sum   ►  for v in v       keywords and names of the common libraries stay what they are
//!       total += x            ►  v += v           , ; : and \ are dropped; a string is its content, whatever its quotes
//! ```
//!
//! Comments and long strings are left out of the stream and are read afterwards as texts of their own: code that was
//! commented out, or that stands in a string, is code still. There is no parser: one lexer reads every language, and
//! what it misreads in a corpus it misreads in the benchmark alike.

use super::grams::{Channel, Gram, hash_bytes};
use super::kept::{KEPT, Kept, Table, find_kept};
use super::window::{Token, Window};

/// Length of an n-gram, in tokens: long enough that a loop over a list is not one, short enough for a function of three
/// lines.
pub(super) const NGRAM_TOKENS: usize = 11;
/// Seed of the token hashes.
pub(super) const SEED: u64 = 0x73_6d_70_61_63_6b_00_02;
/// Comments and strings below this many bytes hold no code worth reading.
const MIN_SEGMENT_BYTES: usize = 48;
/// How deep texts within texts are read: code in a comment, a string in that code.
const MAX_DEPTH: usize = 2;
/// Units between one text and a text within it, so that no window spans both.
const SEGMENT_GAP: usize = 4_096;
/// Longest string on one line that is one token, in bytes.
const MAX_STRING_BYTES: usize = 4_096;
/// Shortest name that the names channel sees, in letters and digits.
const MIN_NAME_BYTES: usize = 7;

/// What a byte may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Space,
    Newline,
    Word,
    Digit,
    Quote,
    Dropped,
    Mark,
}

const KINDS: [Kind; 256] = {
    let mut table = [Kind::Mark; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'\n' | b'\r' => Kind::Newline,
            0..=b' ' | 0x7f => Kind::Space,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | 0x80.. => Kind::Word,
            b'0'..=b'9' => Kind::Digit,
            b'"' | b'\'' | b'`' => Kind::Quote,
            b',' | b';' | b':' | b'\\' => Kind::Dropped,
            _ => Kind::Mark,
        };
        byte += 1;
    }
    table
};

fn kind(byte: u8) -> Kind {
    KINDS[usize::from(byte)]
}

/// In place of the last mark: a name that is no keyword.
const NAME: u8 = b'a';
/// In place of the last mark: a keyword.
const KEYWORD: u8 = b'k';
/// In place of the last mark: a keyword behind which a declared name stands.
const DECLARES: u8 = b'd';
/// In place of the last mark: a number.
const NUMBER: u8 = b'0';

/// Receives what a scan finds.
pub(super) trait Sink {
    /// An n-gram of tokens.
    fn code(&mut self, gram: Gram);
    /// A name, folded, with its place; called for names of enough letters only.
    fn name(&mut self, gram: Gram);
}

/// Reads `text`, and then the texts within it; returns the number of units, gaps included.
pub(super) fn scan(text: &[u8], sink: &mut impl Sink) -> usize {
    let mut lexer = Lexer::new(text);
    let mut segments = Vec::new();
    let mut unit = lexer.read(Segment::whole(text), 0, &mut segments, sink);
    let mut depth = 1;
    while depth <= MAX_DEPTH && !segments.is_empty() {
        let mut deeper = Vec::new();
        for segment in segments {
            unit = lexer.read(segment, unit + SEGMENT_GAP, &mut deeper, sink);
        }
        segments = deeper;
        depth += 1;
    }
    unit
}

/// A part of a text that is read alone.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: usize,
    end: usize,
    /// Whether its lines begin with comment marks, which are then no comments.
    commented: bool,
}

impl Segment {
    fn whole(text: &[u8]) -> Self {
        Self {
            start: 0,
            end: text.len(),
            commented: false,
        }
    }
}

/// A lexer over one text, with the tables it needs.
struct Lexer<'a> {
    text: &'a [u8],
    window: Window,
}

/// What one segment's reading knows.
struct Reading<'a, 's, S> {
    text: &'a [u8],
    at: usize,
    commented: bool,
    line_start: bool,
    /// The last mark: [`NAME`] for a name, [`KEYWORD`], [`DECLARES`], [`NUMBER`].
    previous: u8,
    comment: Option<(usize, usize)>,
    kept: &'s Table,
    segments: &'s mut Vec<Segment>,
    sink: &'s mut S,
}

impl<'a> Lexer<'a> {
    fn new(text: &'a [u8]) -> Self {
        Self {
            text,
            window: Window::new(),
        }
    }

    /// Reads one segment whose first token has number `unit`; returns the number behind its last.
    fn read<S: Sink>(&mut self, segment: Segment, unit: usize, segments: &mut Vec<Segment>, sink: &mut S) -> usize {
        self.window.start(unit);
        let mut reading = Reading {
            text: &self.text[..segment.end],
            at: segment.start,
            commented: segment.commented,
            line_start: true,
            previous: 0,
            comment: None,
            kept: &KEPT,
            segments,
            sink,
        };
        while reading.at < segment.end {
            reading.step(&mut self.window);
        }
        reading.end_comment();
        self.window.next
    }
}

impl<S: Sink> Reading<'_, '_, S> {
    fn step(&mut self, window: &mut Window) {
        let byte = self.text[self.at];
        match kind(byte) {
            Kind::Newline => {
                self.line_start = true;
                self.at += 1;
            }
            Kind::Space => self.at += 1,
            Kind::Word => self.word(window),
            Kind::Digit => self.number(window),
            Kind::Quote => self.quote(window),
            Kind::Dropped => self.mark(byte),
            Kind::Mark if self.line_start && self.line_mark(byte) => {}
            Kind::Mark if self.is_comment(byte) => self.skip_comment(),
            // Brackets around a term are a matter of taste; those of a call are not, and one of them says it.
            Kind::Mark if byte == b')' || byte == b'(' && !matches!(self.previous, NAME | b']' | b')') => {
                self.mark(byte);
            }
            Kind::Mark => {
                if let Some(gram) = window.push(Token::mark(byte), self.at, self.at + 1) {
                    self.sink.code(gram);
                }
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
            self.segments.push(Segment { start, end, commented });
        }
    }

    fn word(&mut self, window: &mut Window) {
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
        let (is_name, previous) = match find_kept(self.kept, folded) {
            Some(Kept::Keyword) => (false, KEYWORD),
            Some(Kept::Declaring) if kind(next) == Kind::Word => (false, DECLARES),
            Some(Kept::Library) if used && self.previous != DECLARES => (false, NAME),
            _ => (true, NAME),
        };
        let token = Token::word(folded, is_name);
        self.previous = previous;
        if let Some(gram) = window.push(token, start, self.at) {
            self.sink.code(gram);
        }
        if let Some(hash) = fold_name(word, folded) {
            let unit = window.next - 1;
            let end = self.at;
            self.sink.name(Gram { hash, unit, start, end });
        }
    }

    fn number(&mut self, window: &mut Window) {
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
        if let Some(gram) = window.push(Token::fixed(hash), start, self.at) {
            self.sink.code(gram);
        }
    }

    fn quote(&mut self, window: &mut Window) {
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
        if let Some(gram) = window.push(Token::fixed(hash), start, self.at) {
            self.sink.code(gram);
        }
    }
}

/// Length of the string at the start of `text`, quotes included: on one line, unless between backticks.
fn string_length(text: &[u8]) -> Option<usize> {
    let quote = text[0];
    let mut at = 1;
    while at < text.len().min(MAX_STRING_BYTES) {
        match text[at] {
            b'\\' => at += 1,
            b'\n' | b'\r' if quote != b'`' => return None,
            byte if byte == quote => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The hash of a name without case and underscores, so that `closest_vowel` is `closestVowel`; none for short names.
/// `folded`: the hash of the whole word without case.
fn fold_name(word: &[u8], folded: u64) -> Option<u64> {
    if word.len() < MIN_NAME_BYTES {
        return None;
    }
    let letters = word.iter().filter(|byte| **byte != b'_').count();
    let state = match letters {
        _ if letters == word.len() => folded,
        MIN_NAME_BYTES.. => hash_bytes(
            SEED,
            word.iter().filter(|byte| **byte != b'_').map(u8::to_ascii_lowercase),
        ),
        _ => return None,
    };
    Some(Channel::Names.seal(state))
}

/// A sink that takes the n-grams alone.
pub(super) struct OnlyCode<'f, F>(pub(super) &'f mut F);

impl<F: FnMut(Gram)> Sink for OnlyCode<'_, F> {
    fn code(&mut self, gram: Gram) {
        (self.0)(gram);
    }

    fn name(&mut self, _gram: Gram) {}
}

/// A sink that takes the names alone.
pub(super) struct OnlyNames<'f, F>(pub(super) &'f mut F);

impl<F: FnMut(Gram)> Sink for OnlyNames<'_, F> {
    fn code(&mut self, _gram: Gram) {}

    fn name(&mut self, gram: Gram) {
        (self.0)(gram);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hashes of the n-grams, and how many units were read.
    fn grams(text: &str) -> Vec<u64> {
        let mut out = Vec::new();
        scan(text.as_bytes(), &mut OnlyCode(&mut |gram: Gram| out.push(gram.hash)));
        out
    }

    fn names(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        scan(
            text.as_bytes(),
            &mut OnlyNames(&mut |gram: Gram| out.push(text[gram.start..gram.end].to_owned())),
        );
        out
    }

    const SUM: &str = "def lamps(values, limit):\n    total = 0\n    for x in values:\n        if x < limit:\n            \
        total += x * 2\n    return total\n";

    #[test]
    fn names_comments_and_layout_do_not_count() {
        let sum = grams(SUM);
        assert!(sum.len() > 10, "{}", sum.len());
        for same in [
            "def f(a, b):\n\tc = 0\n\tfor i in a:\n\t\tif (i < b):\n\t\t\tc += (i * 2)\n\treturn c",
            "def f(a, b): c = 0; for i in a: if i < b: c += i * 2; return c;",
            "def lampsOf(values, limit):\n    # adds them up\n    total = 0 # so far\n    for x in values:\n        \"\"\"why\"\"\"\n\
                if x < limit:\n total += x * 2\n    return total\n",
            "+def f(a, b):\n+    c = 0\n+    for i in a:\n+        if i < b:\n+            c += i * 2\n+    return c\n",
        ] {
            assert_eq!(grams(same), sum, "{same}");
        }
        assert_ne!(grams(&SUM.replace("x < limit", "limit < x")), sum);
        assert_ne!(grams(&SUM.replace("* 2", "* 3")), sum);
        assert_ne!(grams(&SUM.replace("total += x", "limit += x")), sum);
    }

    #[test]
    fn methods_are_functions_and_quotes_are_taste() {
        let plain = grams("if name == 'ab' and size(name) > limit: return join(name, 'c') + other");
        assert!(!plain.is_empty());
        assert_eq!(
            grams(
                "if self.name == \"ab\" and self.size(self.name) > self.limit: return join(self.name, f\"c\") + other"
            ),
            plain
        );
    }

    #[test]
    fn code_in_comments_and_strings_is_read_behind_the_text() {
        let sum = grams(SUM);
        let commented: String = SUM.lines().map(|line| format!("    # {line}\n")).collect();
        for text in [commented, format!("TEXT = \"\"\"{SUM}\"\"\""), format!("/*{SUM}*/")] {
            let found = grams(&text);
            assert!(sum.iter().all(|hash| found.contains(hash)), "{text}");
        }
    }

    #[test]
    fn divisions_are_no_comments() {
        let with = grams("while a > 0: b = a // 10; c = b % 10; a = b + c; return a");
        let without = grams("while a > 0: b = a; c = b % 10; a = b + c; return a");
        assert_ne!(with, without);
        assert_eq!(
            grams("while (a > 0) { b = a; // 10\n c = b % 10; a = b + c; return a }").len(),
            grams("while (a > 0) { b = a;\n c = b % 10; a = b + c; return a }").len()
        );
    }

    #[test]
    fn lists_of_names_and_numbers_are_no_evidence() {
        let list: String = (0..30).map(|i| format!("NAME_{i} = {i},\n")).collect();
        assert!(grams(&list).is_empty());
    }

    #[test]
    fn names_are_told_without_case_and_underscores() {
        assert_eq!(
            names("closest_vowel(word) + abc_de + abcdefg"),
            ["closest_vowel", "abcdefg"]
        );
        let hash = |name: &[u8]| fold_name(name, hash_bytes(SEED, name.iter().map(u8::to_ascii_lowercase)));
        assert_eq!(hash(b"closest_vowel"), hash(b"closestVowel"));
        assert_eq!(hash(b"a_b_c_d"), None);
    }

    #[test]
    fn library_names_are_variables_where_they_are_not_used() {
        assert_eq!(grams(&SUM.replace("values", "count")), grams(SUM));
        let call = "if limit < 1: return sorted(values) + values[0] * limit";
        assert_ne!(grams(call), grams(&call.replace("sorted", "lamps")));
    }

    proptest! {
        #[test]
        fn a_window_depends_on_nothing_outside(before in "[a-z =+(]{0,60}\n", after in "\n[a-z =+)]{0,60}") {
            let sum = grams(SUM);
            let all = grams(&format!("{before}{SUM}{after}"));
            prop_assert!(sum.iter().all(|hash| all.contains(hash)));
        }

        #[test]
        fn any_bytes_are_fine(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'/'), Just(b'*'), Just(b'#'), Just(b'\n')], 0..200)) {
            scan(&bytes, &mut OnlyCode(&mut |gram: Gram| assert!(gram.start < gram.end && gram.end <= bytes.len())));
        }
    }
}
