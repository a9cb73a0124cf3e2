//! Cuts text into pieces as the published patterns do, without a regular expression: each piece in one look forward.
//!
//! ```text
//!   cl100k_base   '(?i:s|d|m|t|ll|ve|re)  |  [^\r\n\p{L}\p{N}]?\p{L}+  |  \p{N}{1,3}  |  ␠?[^\s\p{L}\p{N}]+[\r\n]*  |  spaces
//!   o200k_base    [^\r\n\p{L}\p{N}]?[U]*[W]+(?i:'s|…)?  |  [^\r\n\p{L}\p{N}]?[U]+[W]*(?i:'s|…)?  |  \p{N}{1,3}
//!                 |  ␠?[^\s\p{L}\p{N}]+[\r\n/]*  |  spaces             U = Lu Lt Lm Lo M     W = Ll Lm Lo M
//!   spaces        \s*[\r\n]+  |  \s+(?!\S)  |  \s+
//! ```
//! The first alternative that matches wins, as long as it can, giving back only where the rest needs it.

use crate::classes::{BYTES, LETTER, LOWER, MARK, NEWLINE, NUMBER, OTHER, SPACE, UNCASED, UPPER, characters};
use crate::vocabulary::Vocabulary;

/// What may start a word of o200k_base.
const STARTS: u8 = UPPER | UNCASED | MARK;
/// What may end a word of o200k_base.
const ENDS: u8 = LOWER | UNCASED | MARK;

/// A text and what is needed to cut it.
#[derive(Clone, Copy)]
pub(crate) struct Splitter<'a> {
    text: &'a str,
    bytes: &'a [u8],
    characters: &'static [u8],
}

/// Where the character at hand ends and what it is.
#[derive(Clone, Copy)]
struct Step {
    class: u8,
    end: usize,
}

impl<'a> Splitter<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            text,
            bytes: text.as_bytes(),
            characters: characters(),
        }
    }

    /// Where the piece that starts at `start` ends; `start` is a border of a piece before the end of the text.
    pub(crate) fn end(&self, vocabulary: Vocabulary, start: usize) -> usize {
        match vocabulary {
            Vocabulary::Cl100kBase => self.cl100k(start),
            Vocabulary::O200kBase => self.o200k(start),
        }
    }

    /// The pieces in order.
    #[cfg(test)]
    pub(crate) fn pieces(self, vocabulary: Vocabulary) -> impl Iterator<Item = &'a str> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let from = start;
            (from < self.bytes.len()).then(|| {
                start = self.end(vocabulary, from);
                &self.text[from..start]
            })
        })
    }

    fn cl100k(&self, start: usize) -> usize {
        let first = self.step(start);
        if first.class & LETTER != 0 {
            return self.run(first.end, LETTER);
        }
        if first.class & NUMBER != 0 {
            return self.number(first.end);
        }
        if let Some(end) = self.contraction(start) {
            return end;
        }
        if first.class & NEWLINE == 0 {
            let next = self.step(first.end);
            if next.class & LETTER != 0 {
                return self.run(next.end, LETTER);
            }
        }
        self.symbols(start, first, |byte| byte == b'\r' || byte == b'\n')
    }

    fn o200k(&self, start: usize) -> usize {
        let first = self.step(start);
        if first.class & NUMBER != 0 {
            return self.number(first.end);
        }
        match self.word(start, first) {
            Some(end) => self.contraction(end).unwrap_or(end),
            None => self.symbols(start, first, |byte| matches!(byte, b'\r' | b'\n' | b'/')),
        }
    }

    /// End of a word of o200k_base without its contraction. A mark is both a prefix and a letter: where the first
    /// alternative needs it as a letter, it is a word alone, and the second one is not asked.
    fn word(&self, start: usize, first: Step) -> Option<usize> {
        if first.class & LETTER != 0 {
            return Some(self.mixed(start).unwrap_or_else(|capitals| capitals));
        }
        if first.class & NEWLINE != 0 {
            return None;
        }
        match self.mixed(first.end) {
            Ok(end) => Some(end),
            Err(_) if first.class & MARK != 0 => Some(first.end),
            Err(capitals) => (capitals > first.end).then_some(capitals),
        }
    }

    /// End of `U*W+` at `at`; as an error, the end of `U*` where no `W` is to be had.
    ///
    /// The run of `U` goes on as a run of `W`; where none follows, it gives back what stands behind its last `W`.
    fn mixed(&self, at: usize) -> Result<usize, usize> {
        let capitals = self.run(at, STARTS);
        let end = self.run(capitals, ENDS);
        if end > capitals {
            return Ok(end);
        }
        let mut run = self.text[at..capitals].char_indices().rev();
        let kept = run.find(|(_, character)| self.characters[*character as usize] & ENDS != 0);
        kept.map(|(offset, character)| at + offset + character.len_utf8())
            .ok_or(capitals)
    }

    /// End of ` ?[^\s\p{L}\p{N}]+` with the tail that `is_tail` allows, else of a piece of white space.
    fn symbols(&self, start: usize, first: Step, is_tail: impl Fn(u8) -> bool) -> usize {
        let body = if self.bytes[start] == b' ' { first.end } else { start };
        let end = self.run(body, OTHER);
        if end == body {
            return self.spaces(start, first);
        }
        let tail = self.bytes[end..].iter().position(|byte| !is_tail(*byte));
        tail.map_or(self.bytes.len(), |length| end + length)
    }

    /// End of `\s*[\r\n]+`, else of a run without its last character where something follows it.
    fn spaces(&self, start: usize, first: Step) -> usize {
        let end = self.run(first.end, SPACE);
        let run = &self.bytes[start..end];
        if let Some(newline) = run.iter().rposition(|byte| *byte == b'\n' || *byte == b'\r') {
            return start + newline + 1;
        }
        if end == self.bytes.len() || end == first.end {
            return end;
        }
        let last = self.text[start..end].chars().next_back().map_or(0, char::len_utf8);
        end - last
    }

    /// End of up to three numbers, the first of which ends at `at`.
    fn number(&self, at: usize) -> usize {
        let second = self.step(at);
        if second.class & NUMBER == 0 {
            return at;
        }
        let third = self.step(second.end);
        if third.class & NUMBER == 0 {
            second.end
        } else {
            third.end
        }
    }

    /// End of `(?i:'s|'t|'re|'ve|'m|'ll|'d)` at `at`. The long s (U+017F) is an s to a pattern that ignores case.
    fn contraction(&self, at: usize) -> Option<usize> {
        let [b'\'', rest @ ..] = self.bytes.get(at..)? else {
            return None;
        };
        let lower = |i: usize| rest.get(i).map_or(0, u8::to_ascii_lowercase);
        match (lower(0), lower(1)) {
            (b's' | b'd' | b'm' | b't', _) => Some(at + 2),
            (b'l', b'l') | (b'v' | b'r', b'e') => Some(at + 3),
            _ => rest.starts_with("ſ".as_bytes()).then_some(at + 3),
        }
    }

    /// End of the run of characters of one of the classes in `wanted`.
    #[inline]
    fn run(&self, mut at: usize, wanted: u8) -> usize {
        loop {
            let rest = &self.bytes[at..];
            at += rest
                .iter()
                .position(|byte| BYTES[usize::from(*byte)] & wanted == 0)
                .unwrap_or(rest.len());
            let step = self.step(at);
            if step.class & wanted == 0 {
                return at;
            }
            at = step.end;
        }
    }

    /// The character at `at`; no class at the end of the text.
    #[inline]
    fn step(&self, at: usize) -> Step {
        match self.bytes.get(at) {
            Some(byte) if byte.is_ascii() => Step {
                class: BYTES[usize::from(*byte)],
                end: at + 1,
            },
            Some(_) => self.long_step(at),
            None => Step { class: 0, end: at },
        }
    }

    fn long_step(&self, at: usize) -> Step {
        let character = self.text[at..].chars().next().map_or('\0', |character| character);
        Step {
            class: self.characters[character as usize],
            end: at + character.len_utf8(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn theirs(vocabulary: Vocabulary, text: &str) -> Vec<&str> {
        match vocabulary {
            Vocabulary::Cl100kBase => bpe_openai::cl100k_base().split(text).collect(),
            Vocabulary::O200kBase => bpe_openai::o200k_base().split(text).collect(),
        }
    }

    fn same(text: &str) {
        for vocabulary in Vocabulary::ALL {
            let ours: Vec<_> = Splitter::new(text).pieces(vocabulary).collect();
            assert_eq!(ours, theirs(vocabulary, text), "{vocabulary:?} {text:?}");
        }
    }

    #[test]
    fn pieces_of_known_texts() {
        let pieces = |vocabulary, text| Splitter::new(text).pieces(vocabulary).collect::<Vec<_>>();
        let cl100k = |text| pieces(Vocabulary::Cl100kBase, text);
        let o200k = |text| pieces(Vocabulary::O200kBase, text);
        assert_eq!(
            cl100k("I'd  say\n\n  x1234"),
            ["I", "'d", " ", " say", "\n\n", " ", " x", "123", "4"]
        );
        assert_eq!(o200k("HTTPServer'S //\n/x"), ["HTTPServer'S", " //\n/", "x"]);
        assert_eq!(o200k("getHTTP日本A"), ["get", "HTTP日本", "A"]);
    }

    #[test]
    fn every_short_text_of_troublesome_characters() {
        let alphabet = [
            '\'', 's', 'S', 'ſ', 'l', 'e', 'R', ' ', '\t', '\n', '\r', '/', '1', '²', 'ʰ', '日', '\u{301}', '🦀',
            '\u{a0}',
        ];
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            texts = texts
                .iter()
                .flat_map(|text| alphabet.map(|c| format!("{text}{c}")))
                .collect();
            texts.iter().for_each(|text| same(text));
        }
    }

    proptest! {
        #[test]
        fn any_text(text in any::<String>()) {
            same(&text);
        }

        #[test]
        fn longer_texts_of_troublesome_characters(text in "['sSſlLvVeErRdmtT \t\n\r/.a-cA-C0-9²ʰǅ日\u{301}🦀\u{a0}\u{2028}]{0,60}") {
            same(&text);
        }
    }
}
