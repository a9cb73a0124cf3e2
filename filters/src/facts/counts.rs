//! Counts of characters, letters and lines, in passes over bytes that compile to vector instructions.

/// Lines and their lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Number of lines.
    pub(super) lines: u64,
    /// Length of the longest, in characters.
    pub(super) line_max: u64,
    /// Sum of their lengths, in characters.
    pub(super) line_characters: u64,
}

impl Counts {
    pub(super) fn of(text: &str) -> Self {
        match text.is_ascii() {
            true => Self::with(text.as_bytes(), <[u8]>::len),
            false => Self::with(text.as_bytes(), characters),
        }
    }

    /// Cuts at `\n`, `\r\n` and `\r`; `measure` gives a line's length.
    fn with(bytes: &[u8], measure: impl Fn(&[u8]) -> usize) -> Self {
        let mut counts = Self::default();
        let mut start = 0;
        for end in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            if end < start {
                continue; // the `\n` of a `\r\n` that has been taken already
            }
            counts.add(measure(&bytes[start..end]));
            start = end + 1 + usize::from(bytes[end..].starts_with(b"\r\n"));
        }
        if start < bytes.len() {
            counts.add(measure(&bytes[start..]));
        }
        counts
    }

    fn add(&mut self, length: usize) {
        self.lines += 1;
        self.line_max = self.line_max.max(length as u64);
        self.line_characters += length as u64;
    }
}

/// Number of characters: bytes that do not continue one.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !is_continuation(**byte)).count()
}

/// Characters by class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Letters {
    /// All.
    pub(super) characters: u64,
    /// Alphabetic.
    pub(super) alphabetic: u64,
    /// Alphabetic or numeric.
    pub(super) alphanumeric: u64,
}

/// So many bytes are summed in a `u8` without overflow, which keeps sixteen or more lanes in one register.
const LANE: usize = 240;

impl Letters {
    pub(super) fn of(text: &str) -> Self {
        let mut letters = Self::default();
        let mut ascii = true;
        for chunk in text.as_bytes().chunks(LANE) {
            let alphabetic = count(chunk, is_letter);
            letters.alphabetic += alphabetic;
            letters.alphanumeric += alphabetic + count(chunk, is_digit);
            letters.characters += chunk.len() as u64 - count(chunk, is_continuation);
            ascii &= chunk.is_ascii();
        }
        if !ascii {
            letters.add_beyond_ascii(text);
        }
        letters
    }

    fn add_beyond_ascii(&mut self, text: &str) {
        for character in text.chars().filter(|character| !character.is_ascii()) {
            let alphabetic = character.is_alphabetic();
            self.alphabetic += u64::from(alphabetic);
            self.alphanumeric += u64::from(alphabetic || character.is_numeric());
        }
    }
}

/// Number of bytes of a chunk of at most [`LANE`] that pass `test`.
fn count(chunk: &[u8], test: impl Fn(u8) -> bool) -> u64 {
    u64::from(chunk.iter().map(|byte| u8::from(test(*byte))).sum::<u8>())
}

fn is_letter(byte: u8) -> bool {
    (byte | 0x20).wrapping_sub(b'a') < 26
}

fn is_digit(byte: u8) -> bool {
    byte.wrapping_sub(b'0') < 10
}

fn is_continuation(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stackmill_schemas::text::lines;

    use super::*;

    proptest! {
        #[test]
        fn lines_are_those_of_schemas(text in "[ab é\n\r]{0,60}") {
            let lengths: Vec<u64> = lines(&text).map(|line| line.chars().count() as u64).collect();
            let expected = Counts {
                lines: lengths.len() as u64,
                line_max: lengths.iter().copied().max().unwrap_or(0),
                line_characters: lengths.iter().sum(),
            };
            prop_assert_eq!(Counts::of(&text), expected);
        }

        #[test]
        fn letters_are_those_of_char(text in "\\PC{0,600}") {
            let count = |test: fn(char) -> bool| text.chars().filter(|character| test(*character)).count() as u64;
            let expected = Letters {
                characters: count(|_| true),
                alphabetic: count(char::is_alphabetic),
                alphanumeric: count(char::is_alphanumeric),
            };
            prop_assert_eq!(Letters::of(&text), expected);
        }
    }
}
