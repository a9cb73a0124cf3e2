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

use super::classes::{BLOCK, Classes, is_set, next_clear, next_set};
use super::events::Events;
use super::grams::{Channel, Gram, hash_bytes, mix};
use super::lanes::Sink;
use super::window::Tokens;

/// Length of an n-gram, in tokens: long enough that a loop over a list is not one, short enough for a function of three
/// lines.
pub(super) const NGRAM_TOKENS: usize = 11;
/// Seed of the token hashes.
pub(super) const SEED: u64 = 0x73_6d_70_61_63_6b_00_02;
/// Comments and strings below this many bytes hold no code worth reading.
pub(super) const MIN_SEGMENT_BYTES: usize = 48;
/// How deep texts within texts are read: code in a comment, a string in that code.
pub(super) const MAX_DEPTH: usize = 2;
/// Units between one text and a text within it, so that no window spans both.
pub(super) const SEGMENT_GAP: usize = 4_096;
/// Longest string on one line that is one token, in bytes.
const MAX_STRING_BYTES: usize = 4_096;

/// What a byte may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
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

pub(super) fn kind(byte: u8) -> Kind {
    KINDS[usize::from(byte)]
}

/// Reads `text`, and then the texts within it; returns the number of units, gaps included.
pub(super) fn scan(text: &[u8], sink: &mut impl Sink) -> usize {
    Lexer::default().scan(text, &Classes::of(text), sink)
}

/// A part of a text that is read alone.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: usize,
    end: usize,
    /// Whether its lines begin with comment marks, which are then no comments.
    commented: bool,
}

/// Buffers that outlive one text.
#[derive(Debug, Default)]
pub(super) struct Lexer {
    events: Events,
    tokens: Tokens,
    segments: Vec<Segment>,
    deeper: Vec<Segment>,
}

impl Lexer {
    /// Shows `sink` what it wants of the n-grams and names of `text`, then of the texts within it; returns the number of
    /// units, gaps included.
    pub(super) fn scan(&mut self, text: &[u8], classes: &Classes, sink: &mut impl Sink) -> usize {
        let whole = Segment {
            start: 0,
            end: text.len(),
            commented: false,
        };
        self.segments.clear();
        self.segments.push(whole);
        let mut unit = 0;
        for depth in 0..=MAX_DEPTH {
            let segments = std::mem::take(&mut self.segments);
            for segment in &segments {
                self.tokens.start(unit);
                self.read(text, classes, *segment, sink);
                unit = self.tokens.next() + SEGMENT_GAP;
            }
            self.segments = std::mem::replace(&mut self.deeper, segments);
            self.deeper.clear();
            if self.segments.is_empty() || depth == MAX_DEPTH {
                break;
            }
        }
        unit - SEGMENT_GAP
    }

    fn read(&mut self, text: &[u8], classes: &Classes, segment: Segment, sink: &mut impl Sink) {
        self.events.start(classes.kernel);
        let text = &text[..segment.end];
        let mut reading = Reading {
            text,
            classes,
            at: segment.start,
            commented: segment.commented,
            comment: None,
            events: &mut self.events,
            segments: &mut self.deeper,
        };
        reading.margin();
        reading.fill();
        while reading.at < text.len() {
            // The last event may still change: digits behind a point, letters before a quote.
            reading.events.settle(1, text, &mut self.tokens, sink);
            reading.fill();
        }
        reading.end_comment();
        self.events.settle(0, text, &mut self.tokens, sink);
    }
}

/// What one segment's reading knows.
struct Reading<'a, 's> {
    text: &'a [u8],
    classes: &'a Classes,
    at: usize,
    commented: bool,
    comment: Option<(usize, usize)>,
    events: &'s mut Events,
    segments: &'s mut Vec<Segment>,
}

impl Reading<'_, '_> {
    /// Reads until the events are full or the segment ends.
    fn fill(&mut self) {
        while !self.events.is_full() && self.at < self.text.len() {
            let block_end = self.text.len().min(self.at / BLOCK * BLOCK + BLOCK);
            let closer = next_set(&self.classes.closer, self.at, block_end);
            if self.at < closer {
                self.events.plain(self.classes, self.at, closer);
                self.at = closer;
            }
            if closer < block_end {
                self.look();
            }
        }
    }

    /// Reads what stands where the maps alone do not tell what it is.
    fn look(&mut self) {
        let byte = self.text[self.at];
        match kind(byte) {
            Kind::Quote => self.quote(),
            Kind::Word => {
                // Within letters that began as a number.
                self.events.close(self.at);
                let end = next_clear(&self.classes.names, self.at, self.text.len());
                self.push(end);
            }
            _ => self.mark(byte, is_set(&self.classes.first, self.at)),
        }
    }

    /// Goes on to `end`; what stands before it is one event.
    fn push(&mut self, end: usize) {
        self.events.push(self.at, end);
        self.at = end;
    }

    fn mark(&mut self, byte: u8, line_start: bool) {
        if line_start && self.line_mark(byte) {
            self.margin();
        } else if self.is_comment(byte, line_start) {
            self.skip_comment();
            if line_start {
                self.margin();
            }
        } else if byte == b'.' && self.ends_number() {
            self.fraction();
        } else {
            self.push(self.at + 1);
        }
    }

    /// Passes over marks and comments at the start of a line, behind which it still starts.
    fn margin(&mut self) {
        loop {
            self.at = next_set(&self.classes.ink, self.at, self.text.len());
            let Some(&byte) = self.text.get(self.at) else { return };
            if kind(byte) != Kind::Mark {
                return;
            }
            if !self.line_mark(byte) {
                if !self.is_comment(byte, true) {
                    return;
                }
                self.skip_comment();
            }
        }
    }

    /// Whether the last event is a number that ends here, and a digit follows behind the point.
    fn ends_number(&self) -> bool {
        let follows = self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit);
        let last = self.events.last();
        follows && last.is_some_and(|(start, end)| end == self.at && self.text[start].is_ascii_digit())
    }

    /// Adds what follows the point to the number before it.
    fn fraction(&mut self) {
        let rest = &self.text[self.at..];
        let is_part = |at: usize| match rest[at] {
            b'.' => rest.get(at + 1).is_some_and(u8::is_ascii_digit),
            byte => byte.is_ascii_alphanumeric() || byte == b'_',
        };
        self.at += (0..rest.len()).take_while(|&at| is_part(at)).count();
        self.events.extend(self.at);
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

    fn is_comment(&self, byte: u8, line_start: bool) -> bool {
        let next = self.text.get(self.at + 1).copied().unwrap_or(0);
        match byte {
            b'#' => next != b'[' && next != b'{',
            b'/' if next == b'*' => true,
            b'/' if next == b'/' => line_start || self.follows(b";{},"),
            b'-' if next == b'-' => line_start,
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

    /// Whether one of `marks` is the last event.
    fn follows(&self, marks: &[u8]) -> bool {
        let last = self.events.last();
        last.is_some_and(|(start, _)| marks.contains(&self.text[start]))
    }

    fn quote(&mut self) {
        let (start, quote) = (self.at, self.text[self.at]);
        let rest = &self.text[start..];
        let triple = [quote; 3];
        if quote != b'`' {
            self.drop_prefix();
        }
        if quote != b'`' && rest.starts_with(&triple) {
            let length = memchr::memmem::find(&rest[3..], &triple).map_or(0, |at| at + 6);
            if length > 0 {
                self.segment(start + 3, start + length - 3, false);
            }
            self.push(start + length.max(3));
            return;
        }
        let Some(length) = string_length(rest) else {
            self.push(start + 1);
            return;
        };
        let content = &rest[1..length - 1];
        if content.contains(&b'\n') {
            self.push(start + length);
            self.segment(start + 1, self.at - 1, false);
            return;
        }
        let hash = if content.contains(&b'\\') {
            hash_bytes(SEED ^ 2, content.iter().copied().filter(|&byte| byte != b'\\'))
        } else {
            hash_slice(SEED ^ 2, content)
        };
        self.at = start + length;
        self.events.push_string(hash, start, self.at);
    }

    /// Takes the letters before a quote back: they are part of how the string is written.
    fn drop_prefix(&mut self) {
        if let Some((start, end)) = self.events.last()
            && end == self.at
            && end - start <= 2
            && self.text[start..end].iter().all(|byte| b"rbfuRBFU".contains(byte))
        {
            self.events.pop();
        }
    }
}

/// The state after `bytes`, as [`hash_bytes`] has it.
fn hash_slice(seed: u64, bytes: &[u8]) -> u64 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let state = eights
        .iter()
        .fold(seed, |state, eight| mix(state ^ u64::from_be_bytes(*eight)));
    let pending = rest.iter().fold(0, |pending, &byte| pending << 8 | u64::from(byte));
    mix(mix(state ^ pending).wrapping_add(bytes.len() as u64))
}

/// Length of the string at the start of `text`, quotes included: on one line, unless between backticks.
pub(super) fn string_length(text: &[u8]) -> Option<usize> {
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

/// A sink that takes every n-gram of one channel.
pub(super) struct Only<'f, F>(pub(super) Channel, pub(super) &'f mut F);

impl<F: FnMut(Gram)> Sink for Only<'_, F> {
    fn wants(&self, channel: Channel, _hash: u64) -> bool {
        channel == self.0
    }

    fn take(&mut self, _channel: Channel, gram: Gram) {
        (self.1)(gram);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::events;
    use super::super::kernel::Kernel;
    use super::super::plain::{self, Plain};
    use super::*;
    use crate::near::kernel::Level;

    /// Hashes of the n-grams, and how many units were read.
    fn grams(text: &str) -> Vec<u64> {
        let mut out = Vec::new();
        scan(
            text.as_bytes(),
            &mut Only(Channel::Code, &mut |gram: Gram| out.push(gram.hash)),
        );
        out
    }

    fn names(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        scan(
            text.as_bytes(),
            &mut Only(Channel::Names, &mut |gram: Gram| {
                out.push(text[gram.start..gram.end].to_owned());
            }),
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
        let hash = |name: &[u8]| events::fold_name(name, hash_bytes(SEED, name.iter().map(u8::to_ascii_lowercase)));
        assert_eq!(hash(b"closest_vowel"), hash(b"closestVowel"));
        assert_eq!(hash(b"a_b_c_d"), None);
        let long = "aBc_".repeat(40);
        let short = long.replace('_', "");
        assert!(hash(long.as_bytes()).is_some_and(|folded| Some(folded) == hash(short.as_bytes())));
    }

    #[test]
    fn library_names_are_variables_where_they_are_not_used() {
        assert_eq!(grams(&SUM.replace("values", "count")), grams(SUM));
        let call = "if limit < 1: return sorted(values) + values[0] * limit";
        assert_ne!(grams(call), grams(&call.replace("sorted", "lamps")));
    }

    /// Pieces of code and of what disturbs lexers.
    fn pieces() -> impl Strategy<Value = String> {
        let disturbing = [
            "self.",
            "this.",
            "return ",
            "def ",
            "range(",
            "print",
            ".join(",
            "r\"",
            "f'",
            "\"\"\"",
            "\'\'\'",
            "/*",
            "*/",
            "//",
            "\n# ",
            "\n// ",
            "--",
            ">>> ",
            "...",
            "\n+",
            "3é",
            "5$",
            "0xFFu",
            "1.5e3",
            "é",
            "Ünï",
            "values",
            "1.",
            "u8\"a\"",
            "a_rather_long_identifier",
            "\n",
            "    ",
        ];
        let piece = prop_oneof![
            4 => "[a-e]{1,2}",
            1 => "[a-z_]{6,20}",
            2 => "[-+*/#.,;:=(){}<>|%\"'`\\\\$!]",
            2 => "[ \n\r\t]{1,3}",
            1 => "[0-9]{1,3}(\\.[0-9]{1,2})?",
            2 => prop::sample::select(disturbing.to_vec()).prop_map(str::to_owned),
        ];
        proptest::collection::vec(piece, 0..400).prop_map(|pieces| pieces.concat())
    }

    fn read_by(level: Level, text: &[u8]) -> Plain {
        let mut out = Plain::default();
        let classes = Classes::by(Kernel::new(level), text);
        let mut code = |gram| out.code.push(gram);
        let mut lexer = Lexer::default();
        out.units = lexer.scan(text, &classes, &mut Only(Channel::Code, &mut code));
        let mut name = |gram| out.names.push(gram);
        lexer.scan(text, &classes, &mut Only(Channel::Names, &mut name));
        out
    }

    #[test]
    fn long_texts_are_read_in_batches_and_nothing_is_lost_between() {
        let line = |i: usize| format!("self.total_{i} += f\"{i}\" + {i}.5 * values[{i}] # note {i}\nself.\n r'x'\n");
        let text: String = (0..500).map(line).collect();
        for skipped in 0..70 {
            let text = &text.as_bytes()[skipped..];
            assert_eq!(read_by(Level::best(), text), plain::scan(text), "{skipped}");
        }
        assert_eq!(read_by(Level::Portable, text.as_bytes()), plain::scan(text.as_bytes()));
    }

    proptest! {
        #[test]
        fn every_level_reads_what_the_plain_twin_reads(text in pieces()) {
            let expected = plain::scan(text.as_bytes());
            prop_assert_eq!(&read_by(Level::Portable, text.as_bytes()), &expected);
            prop_assert_eq!(&read_by(Level::best(), text.as_bytes()), &expected);
        }

        #[test]
        fn a_window_depends_on_nothing_outside(before in "[a-z =+(]{0,60}\n", after in "\n[a-z =+)]{0,60}") {
            let sum = grams(SUM);
            let all = grams(&format!("{before}{SUM}{after}"));
            prop_assert!(sum.iter().all(|hash| all.contains(hash)));
        }

        #[test]
        fn any_bytes_are_fine(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'"'), Just(b'/'), Just(b'*'), Just(b'#'), Just(b'\n')], 0..200)) {
            scan(&bytes, &mut Only(Channel::Code, &mut |gram: Gram| assert!(gram.start < gram.end && gram.end <= bytes.len())));
        }
    }
}
