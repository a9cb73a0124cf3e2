//! What each byte of a text may be, as bit maps: one bit a byte, 64 bytes at once.
//!
//! ```text
//!   text       ⏎     x1 = "a\n7"        bit of …
//!   words      0     11 00 0101         a letter, a digit, `_`, a byte of a non-ASCII character
//!   ink        0     11 01 111111       anything but blanks and line ends
//!   first      0     10 00 000000       the first ink of a line
//!   literals   0     00 00 100010       a digit or quote with no word before it: escapes are no words
//! ```
//!
//! Lexers walk over these maps instead of the text, so that blanks, and the middle of words, cost nothing.

use super::kernel::Kernel;

/// Bytes that are classified at once.
pub(super) const BLOCK: usize = 64;

/// Letters, digits and `_` of ASCII.
pub(super) const WORD: u8 = 1;
/// Blanks and control characters, but line ends.
pub(super) const BLANK: u8 = 2;
/// `\n` and `\r`.
pub(super) const LINE_END: u8 = 4;
/// Digits, `"` and `'`.
pub(super) const LITERAL: u8 = 8;
/// `\`.
pub(super) const BACKSLASH: u8 = 16;
/// Letters that are none behind a backslash: `n`, `r`, `t`.
pub(super) const ESCAPED: u8 = 32;
/// `$`, which names may have.
pub(super) const DOLLAR: u8 = 64;

/// `0` to `9`.
pub(super) const DIGIT: u8 = 1;
/// Quotes and `#`, which always need a closer look.
pub(super) const QUOTE: u8 = 2;
/// `/`.
pub(super) const SLASH: u8 = 4;
/// `*`.
pub(super) const STAR: u8 = 8;
/// `-`.
pub(super) const DASH: u8 = 16;
/// `.`.
pub(super) const POINT: u8 = 32;
/// Marks that are none at the start of a line.
pub(super) const MARGIN: u8 = 64;

/// Classes of ASCII bytes that only code has, by bit.
pub(super) const CODE_TABLE: [u8; 128] = {
    let mut table = [0; 128];
    let mut i = 0;
    while i < table.len() {
        table[i] = match i as u8 {
            b'0'..=b'9' => DIGIT,
            b'"' | b'\'' | b'`' => QUOTE,
            b'#' => QUOTE | MARGIN,
            b'/' => SLASH | MARGIN,
            b'*' => STAR | MARGIN,
            b'-' => DASH | MARGIN,
            b'.' => POINT | MARGIN,
            b'>' | b'+' | b'|' | b'%' => MARGIN,
            _ => 0,
        };
        i += 1;
    }
    table
};

/// Classes of ASCII bytes, by bit.
pub(super) const TABLE: [u8; 128] = {
    let mut table = [0; 128];
    let mut i = 0;
    while i < table.len() {
        let byte = i as u8;
        table[i] = match byte {
            b'0'..=b'9' => WORD | LITERAL,
            b'n' | b'r' | b't' => WORD | ESCAPED,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => WORD,
            b'\n' | b'\r' => LINE_END,
            0..=b' ' | 0x7f => BLANK,
            b'"' | b'\'' => LITERAL,
            b'\\' => BACKSLASH,
            b'$' => DOLLAR,
            _ => 0,
        };
        i += 1;
    }
    table
};

/// 64 bytes: a bit each says whether it has the class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) words: u64,
    pub(super) blanks: u64,
    pub(super) line_ends: u64,
    pub(super) literals: u64,
    pub(super) backslashes: u64,
    pub(super) escaped: u64,
    pub(super) dollars: u64,
    pub(super) digits: u64,
    pub(super) quotes: u64,
    pub(super) slashes: u64,
    pub(super) stars: u64,
    pub(super) dashes: u64,
    pub(super) points: u64,
    pub(super) margins: u64,
    /// Bytes of non-ASCII characters.
    pub(super) high: u64,
    /// First bytes that letters of scripts without spaces may have.
    pub(super) spaceless: u64,
}

impl Block {
    /// Of 64 bytes, in plain Rust: eight at once.
    pub(super) fn read(bytes: &[u8; BLOCK]) -> Self {
        let mut block = Self::default();
        for (i, eight) in bytes.as_chunks::<8>().0.iter().enumerate() {
            let classes = look_up(&TABLE, eight);
            let bits = |class: u8| gather(classes, class) << (8 * i);
            block.words |= bits(WORD);
            block.blanks |= bits(BLANK);
            block.line_ends |= bits(LINE_END);
            block.literals |= bits(LITERAL);
            block.backslashes |= bits(BACKSLASH);
            block.escaped |= bits(ESCAPED);
            block.dollars |= bits(DOLLAR);
            let classes = look_up(&CODE_TABLE, eight);
            let bits = |class: u8| gather(classes, class) << (8 * i);
            block.digits |= bits(DIGIT);
            block.quotes |= bits(QUOTE);
            block.slashes |= bits(SLASH);
            block.stars |= bits(STAR);
            block.dashes |= bits(DASH);
            block.points |= bits(POINT);
            block.margins |= bits(MARGIN);
            block.high |= gather(u64::from_le_bytes(*eight), 0x80) << (8 * i);
        }
        if block.high != 0 {
            let spaceless = |byte: u8| (0xe0..=0xe9).contains(&byte) && byte != 0xe2;
            let bits = bytes.iter().enumerate();
            block.spaceless = bits.fold(0, |bits, (i, byte)| bits | u64::from(spaceless(*byte)) << i);
        }
        block
    }
}

/// Classes of eight bytes, a byte each; non-ASCII ones have none.
fn look_up(table: &[u8; 128], eight: &[u8; 8]) -> u64 {
    let ascii = |byte: u8| if byte < 0x80 { u8::MAX } else { 0 };
    u64::from_le_bytes(eight.map(|byte| table[usize::from(byte & 0x7f)] & ascii(byte)))
}

/// The bit `class` of each of eight bytes, in one byte.
fn gather(classes: u64, class: u8) -> u64 {
    let bits = classes >> class.trailing_zeros() & u64::from_le_bytes([1; 8]);
    bits.wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// Bit maps of a text.
#[derive(Debug, Default)]
pub(super) struct Classes {
    /// What has read them, and reads on.
    pub(super) kernel: Kernel,
    pub(super) words: Vec<u64>,
    /// Bytes of names in code: those of words, and `$`.
    pub(super) names: Vec<u64>,
    pub(super) ink: Vec<u64>,
    pub(super) first: Vec<u64>,
    /// First bytes of names, and marks.
    pub(super) starts: Vec<u64>,
    /// Bytes behind names and marks: as many as starts, but for one behind the text.
    pub(super) ends: Vec<u64>,
    /// Where a lexer has to look closer: quotes, what may be a comment, marks at the margin, points of numbers.
    pub(super) closer: Vec<u64>,
    pub(super) literals: Vec<u64>,
    /// Whether the text has a backslash.
    pub(super) has_backslash: bool,
    /// Whether it may have letters of scripts without spaces.
    pub(super) is_spaceless: bool,
}

/// What the block before leaves behind: one bit each.
struct Carry {
    word: u64,
    backslash: u64,
    escaped: u64,
    /// A line begins, or its blanks go on.
    line: u64,
    name: u64,
    mark: u64,
    /// A name that begins with a digit goes on.
    number: u64,
}

impl Classes {
    /// Of `text`, for those who read only one.
    pub(super) fn of(text: &[u8]) -> Self {
        Self::by(Kernel::default(), text)
    }

    /// Of `text`, by one kernel.
    pub(super) fn by(kernel: Kernel, text: &[u8]) -> Self {
        let mut classes = Self {
            kernel,
            ..Self::default()
        };
        classes.read(text);
        classes
    }

    /// Reads the maps of `text`.
    pub(super) fn read(&mut self, text: &[u8]) {
        // One more, for what ends with the text.
        self.clear(text.len() / BLOCK + 1);
        self.kernel.classify(text, self);
    }

    fn clear(&mut self, blocks: usize) {
        let maps = [
            &mut self.words,
            &mut self.names,
            &mut self.ink,
            &mut self.first,
            &mut self.starts,
            &mut self.ends,
            &mut self.closer,
            &mut self.literals,
        ];
        for map in maps {
            // All blocks are written, but perhaps for the last one.
            map.resize(blocks, 0);
            map[blocks - 1] = 0;
        }
        (self.has_backslash, self.is_spaceless) = (false, false);
    }

    /// Classifies by `read`, block after block. What the last block lacks is blank.
    #[inline(always)]
    pub(super) fn fill(&mut self, text: &[u8], read: impl Fn(&[u8; BLOCK]) -> Block) {
        let mut carry = Carry {
            word: 0,
            backslash: 0,
            escaped: 0,
            line: 1,
            name: 0,
            mark: 0,
            number: 0,
        };
        let (blocks, rest) = text.as_chunks::<BLOCK>();
        let (mut backslashes, mut spaceless) = (0, 0);
        for (i, bytes) in blocks.iter().enumerate() {
            let block = read(bytes);
            backslashes |= block.backslashes;
            spaceless |= block.spaceless;
            self.put(i, block, &mut carry);
        }
        if !rest.is_empty() {
            let mut bytes = [b' '; BLOCK];
            bytes[..rest.len()].copy_from_slice(rest);
            let block = read(&bytes);
            backslashes |= block.backslashes;
            spaceless |= block.spaceless;
            self.put(blocks.len(), block, &mut carry);
        } else {
            self.ends[blocks.len()] = carry.name | carry.mark;
        }
        (self.has_backslash, self.is_spaceless) = (backslashes != 0, spaceless != 0);
    }

    #[inline(always)]
    fn put(&mut self, at: usize, block: Block, carry: &mut Carry) {
        let next = |bits: u64, carry: &mut u64| {
            let moved = bits << 1 | *carry;
            *carry = bits >> 63;
            moved
        };
        self.words[at] = block.words | block.high;
        self.names[at] = block.words | block.high | block.dollars;
        self.ink[at] = !(block.blanks | block.line_ends);
        let escaped = block.escaped & next(block.backslashes, &mut carry.backslash);
        let before = next(block.words, &mut carry.word) & !next(escaped, &mut carry.escaped);
        self.literals[at] = block.literals & !before;
        // A bit at the start of a run of blanks is carried to the end of it.
        let starts = block.line_ends << 1 | carry.line;
        let (ended, overflow) = starts.overflowing_add(block.blanks);
        self.first[at] = ended & self.ink[at];
        carry.line = block.line_ends >> 63 | u64::from(overflow);
        self.put_code(at, block, carry);
    }

    #[inline(always)]
    fn put_code(&mut self, at: usize, block: Block, carry: &mut Carry) {
        let names = self.names[at];
        let marks = self.ink[at] & !names;
        let before = names << 1 | carry.name;
        let starts = names & !before;
        self.starts[at] = starts | marks;
        self.ends[at] = before & !names | marks << 1 | carry.mark;
        (carry.name, carry.mark) = (names >> 63, marks >> 63);
        // Bits at the starts of runs are carried to their ends: what changes on the way belongs to a number.
        let (ended, overflow) = (starts & block.digits | carry.number).overflowing_add(names);
        carry.number = u64::from(overflow);
        let numbers = (ended ^ names) & names;
        // What stands behind the last byte is unknown: it is looked at.
        let followed = |bits: u64| bits >> 1 | 1 << 63;
        self.closer[at] = block.quotes
            | block.slashes & followed(block.slashes | block.stars)
            | block.dashes & followed(block.dashes)
            | block.margins & self.first[at]
            | ended & !names & block.points & followed(block.digits)
            | numbers & (block.high | block.dollars);
    }
}

/// The first bit of `map` from `at` on, or `end`.
#[inline(always)]
pub(super) fn next_set(map: &[u64], at: usize, end: usize) -> usize {
    next(map, at, end, 0)
}

/// The first bit of `map` from `at` on that is not set, or `end`.
#[inline(always)]
pub(super) fn next_clear(map: &[u64], at: usize, end: usize) -> usize {
    next(map, at, end, u64::MAX)
}

#[inline(always)]
fn next(map: &[u64], at: usize, end: usize, flip: u64) -> usize {
    let mut block = at / BLOCK;
    let Some(word) = map.get(block) else { return end };
    let mut bits = (word ^ flip) >> (at % BLOCK) << (at % BLOCK);
    while bits == 0 {
        block += 1;
        let Some(word) = map.get(block) else { return end };
        bits = word ^ flip;
    }
    (block * BLOCK + bits.trailing_zeros() as usize).min(end)
}

/// Whether bit `at` is set.
#[inline(always)]
pub(super) fn is_set(map: &[u64], at: usize) -> bool {
    map[at / BLOCK] >> (at % BLOCK) & 1 != 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::near::kernel::Level;

    fn maps(level: Level, text: &[u8]) -> Classes {
        Classes::by(Kernel::new(level), text)
    }

    fn at(map: &[u64], length: usize) -> Vec<usize> {
        (0..length).filter(|at| is_set(map, *at)).collect()
    }

    #[test]
    fn maps_say_what_bytes_may_be() {
        let text = b"\n  x1 = \"a\\n7\"// 2.5";
        let maps = Classes::of(text);
        assert_eq!(at(&maps.words, text.len()), [3, 4, 9, 11, 12, 17, 19]);
        assert_eq!(at(&maps.first, text.len()), [3]);
        assert_eq!(at(&maps.literals, text.len()), [8, 12, 17, 19]);
        assert_eq!(
            at(&maps.starts, text.len()),
            [3, 6, 8, 9, 10, 11, 13, 14, 15, 17, 18, 19]
        );
        assert_eq!(at(&maps.closer, text.len()), [8, 13, 14, 18]);
        assert!(maps.has_backslash && !maps.is_spaceless);
        assert!(Classes::of("数".as_bytes()).is_spaceless && !Classes::of("—é".as_bytes()).is_spaceless);
    }

    proptest! {
        #[test]
        fn every_level_says_the_same(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), 32u8..64, Just(b' '), Just(b'\n'), Just(b'.')], 0..300)) {
            let (mut plain, best) = (maps(Level::Portable, &bytes), maps(Level::best(), &bytes));
            plain.kernel = best.kernel;
            prop_assert_eq!(format!("{plain:?}"), format!("{best:?}"));
        }

        #[test]
        fn starts_and_ends_come_in_pairs(text in "[ab1.$ \n(é]{0,300}") {
            let maps = Classes::of(text.as_bytes());
            let count = |map: &[u64]| map.iter().map(|bits| bits.count_ones()).sum::<u32>();
            prop_assert_eq!(count(&maps.starts), count(&maps.ends));
        }
    }
}
