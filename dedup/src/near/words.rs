//! Words and their hashes, in plain Rust: where they begin and end, how each becomes 32 bits, how n become a shingle.
//!
//! ```text
//!   text     let  mut  total = total + 1 ;
//!   classes  111001110011111000111110001000      1 bit a byte, 64 at once
//!   starts   0    5    10      18      26        bit set, the one before it not
//!   ends     3    8    15      23      27        bit not set, the one before it set
//!   hash     bytes 0–7 · K0  +  (bytes 8–15 · K1) turned by 32; longer words are folded in by 8; then stirred, upper half
//! ```
//! Its steps are those that 8 lanes can take at once: `super::kernel` does, with the same bits.

/// Bytes that are classified at once.
pub(super) const BLOCK: usize = 64;
/// Bytes of a segment: its marks stay in the first cache.
pub(super) const SEGMENT: usize = 64 * BLOCK;
/// Shingles that are summed at once.
const ROLLED: usize = 16;
/// Odd keys of the word hash: digits of pi.
pub(super) const KEYS: [u64; 4] = [
    0x243F_6A88_85A3_08D3,
    0x1319_8A2E_0370_7345,
    0xA409_3822_299F_31D1,
    0x082E_FA98_EC4E_6C89,
];

/// What a word is made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Alphabet {
    /// All ones if bytes of non-ASCII characters belong to words.
    pub(super) high: u64,
    /// Top bits of the bytes whose ASCII case is folded: all or none.
    pub(super) fold: u64,
}

impl Alphabet {
    /// As `schemas::text` says, case folded.
    pub(super) const FOLDED: Self = Self {
        high: u64::MAX,
        fold: 0x8080_8080_8080_8080,
    };
    /// ASCII letters, digits and `_` as they stand.
    pub(super) const ASCII: Self = Self { high: 0, fold: 0 };

    /// Not 0 for ASCII bytes of words.
    pub(super) const TABLE: [u8; 2 * BLOCK] = {
        let mut table = [0; 2 * BLOCK];
        let mut byte = 0;
        while byte < table.len() {
            table[byte] = ((byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_') as u8;
            byte += 1;
        }
        table
    };

    /// Sets bit 5 of every ASCII byte. Among word bytes this makes capitals small and leaves digits; `_` becomes 0x7F,
    /// which no other word byte is.
    fn folded(self, bytes: u64) -> u64 {
        bytes | (!bytes & self.fold) >> 2
    }
}

/// A part of a text, at most [`SEGMENT`] bytes.
#[derive(Clone, Copy)]
pub(super) struct Segment<'a> {
    pub(super) bytes: &'a [u8],
    /// Where it starts in the text, a multiple of [`BLOCK`].
    pub(super) start: u32,
}

/// Positions, with room for a block more behind them.
#[derive(Clone, Debug)]
pub(super) struct Positions {
    values: Vec<u32>,
    count: usize,
}

impl Positions {
    fn new() -> Self {
        // A segment has a border every second byte; one may be left from the segment before it.
        let values = vec![0; SEGMENT / 2 + 1 + BLOCK];
        Self { values, count: 0 }
    }

    /// The room behind the last position. There always is some, because [`Marks::clear_closed`] follows a segment.
    pub(super) fn room(&mut self) -> &mut [u32; BLOCK] {
        let room = self.values[self.count..].first_chunk_mut();
        room.expect("because a segment has no more positions than were provided for")
    }

    /// The first `count` of the room are positions now.
    pub(super) fn grow(&mut self, count: u32) {
        self.count += count as usize;
    }
}

/// Borders of words.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    pub(super) starts: Positions,
    pub(super) ends: Positions,
    /// 1 inside a word.
    inside: u64,
}

impl Marks {
    pub(super) fn new() -> Self {
        Self {
            starts: Positions::new(),
            ends: Positions::new(),
            inside: 0,
        }
    }

    /// Forgets everything, for another text.
    pub(super) fn clear(&mut self) {
        (self.starts.count, self.ends.count, self.inside) = (0, 0, 0);
    }

    /// The bits where words start and end, of a block's classes.
    #[inline]
    pub(super) fn borders(&mut self, classes: u64) -> [u64; 2] {
        let before = classes << 1 | self.inside;
        self.inside = classes >> 63;
        [classes & !before, !classes & before]
    }

    /// Ends the last word where the text ends, unless it has ended before.
    pub(super) fn close(&mut self, text: &[u8]) {
        if self.starts.count > self.ends.count {
            self.ends.room()[0] = text.len() as u32;
            self.ends.grow(1);
        }
    }

    /// Starts and ends of the words that have both.
    pub(super) fn words(&self) -> (&[u32], &[u32]) {
        let closed = self.ends.count;
        (&self.starts.values[..closed], &self.ends.values[..closed])
    }

    /// Forgets the words that have both borders.
    pub(super) fn clear_closed(&mut self) {
        let open = self.starts.count - self.ends.count;
        self.starts.values.copy_within(self.ends.count..self.starts.count, 0);
        (self.starts.count, self.ends.count) = (open, 0);
    }
}

/// The kernel in plain Rust.
pub(super) struct Portable;

impl Portable {
    pub(super) fn mark(self, segment: Segment<'_>, alphabet: Alphabet, marks: &mut Marks) {
        self.mark_with(segment, alphabet, marks, classes);
    }

    /// Marks by `classes` of whole blocks.
    #[inline(always)]
    pub(super) fn mark_with(
        self,
        segment: Segment<'_>,
        alphabet: Alphabet,
        marks: &mut Marks,
        classes: impl Fn(&[u8; BLOCK], Alphabet) -> u64,
    ) {
        let (blocks, rest) = segment.bytes.as_chunks::<BLOCK>();
        let mut at = segment.start;
        let mut mark = |classes| {
            let [starts, ends] = marks.borders(classes);
            write(starts, at, marks.starts.room());
            marks.starts.grow(starts.count_ones());
            write(ends, at, marks.ends.room());
            marks.ends.grow(ends.count_ones());
            at += BLOCK as u32;
        };
        blocks.iter().for_each(|block| mark(classes(block, alphabet)));
        if !rest.is_empty() {
            // Zero is no word byte, so what is missing ends a word.
            let mut block = [0; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            mark(classes(&block, alphabet));
        }
    }

    pub(super) fn hash(self, text: &[u8], alphabet: Alphabet, marks: &Marks, out: &mut Vec<u32>) {
        self.hash_each(text, alphabet, marks.words(), out);
    }

    #[inline(always)]
    pub(super) fn hash_each(self, text: &[u8], alphabet: Alphabet, words: (&[u32], &[u32]), out: &mut Vec<u32>) {
        let words = words.0.iter().zip(words.1);
        out.extend(words.map(|(start, end)| hash_word(text, *start, *end, alphabet)));
    }

    pub(super) fn roll(self, words: &[u32], powers: &[u32], out: &mut Vec<u32>) {
        self.roll_each(words, powers, out);
    }

    /// [`ROLLED`] sums at once, so that vectors can take them.
    #[inline(always)]
    pub(super) fn roll_each(self, words: &[u32], powers: &[u32], out: &mut Vec<u32>) {
        let Some(last) = words.len().checked_sub(powers.len()) else {
            return;
        };
        out.reserve(last + 1);
        let whole = (last + 1) / ROLLED * ROLLED;
        for first in (0..whole).step_by(ROLLED) {
            let mut sums = [0u32; ROLLED];
            for (place, power) in powers.iter().enumerate() {
                let words = words[first + place..].first_chunk::<ROLLED>();
                let words = words.expect("because the last of them is a word of the last shingle or before it");
                for (sum, word) in sums.iter_mut().zip(words) {
                    *sum = sum.wrapping_add(word.wrapping_mul(*power));
                }
            }
            out.extend_from_slice(&sums);
        }
        let sum = |words: &[u32]| {
            let parts = words.iter().zip(powers).map(|(word, power)| word.wrapping_mul(*power));
            parts.fold(0u32, u32::wrapping_add)
        };
        out.extend((whole..=last).map(|first| sum(&words[first..])));
    }
}

/// Positions of the bits, from `at`, eight at once; those too many are overwritten later.
#[inline]
fn write(mut bits: u64, at: u32, room: &mut [u32; BLOCK]) {
    for eight in room.as_chunks_mut::<8>().0 {
        for place in eight {
            *place = at + bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
        }
        if bits == 0 {
            return;
        }
    }
}

/// One bit a byte of `block`: is it a word byte?
fn classes(block: &[u8; BLOCK], alphabet: Alphabet) -> u64 {
    let (eights, _) = block.as_chunks::<8>();
    let eights = eights.iter().enumerate();
    eights.fold(0, |mask, (i, eight)| {
        mask | word_bits(u64::from_le_bytes(*eight), alphabet) << (8 * i)
    })
}

/// [`classes`] of 8 bytes at once: arithmetic on all of them in one register, no carry between them.
fn word_bits(bytes: u64, alphabet: Alphabet) -> u64 {
    const fn all(byte: u8) -> u64 {
        u64::from_le_bytes([byte; 8])
    }
    let low = bytes & all(0x7F);
    let folded = low | all(0x20);
    // The top bit of each byte of `from(x, c)` says: byte >= c. Holds because both are below 128.
    let from = |bytes: u64, first: u8| bytes.wrapping_add(all(0x80 - first));
    let letters = from(folded, b'a') & !from(folded, b'z' + 1);
    let digits = from(low, b'0') & !from(low, b'9' + 1);
    let underscores = from(low, b'_') & !from(low, b'_' + 1);
    let ascii = (letters | digits | underscores) & !bytes;
    let words = (ascii | bytes & alphabet.high) & all(0x80);
    // Gathers the eight top bits into the lowest byte.
    (words >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56
}

/// The word `text[start..end]` as 32 bits.
#[inline(always)]
pub(super) fn hash_word(text: &[u8], start: u32, end: u32, alphabet: Alphabet) -> u32 {
    let (start, length) = (start as usize, (end - start) as usize);
    let [first, then] = match text[start..].first_chunk::<16>() {
        Some(bytes) => halves(bytes),
        None => halves(&padded(&text[start..])),
    };
    let in_first = length.min(8);
    let first = alphabet.folded(first) & low(in_first);
    let then = alphabet.folded(then) & low(length.min(16) - in_first);
    let mut hash = first
        .wrapping_mul(KEYS[0])
        .wrapping_add(then.wrapping_mul(KEYS[1]).rotate_left(32));
    if length > 16 {
        hash = fold_in(hash, &text[start + 16..start + length], alphabet);
    }
    hash ^= hash >> 32;
    (hash.wrapping_mul(KEYS[2]) >> 32) as u32
}

/// The rest of a long word, 8 bytes a step.
#[inline(never)]
fn fold_in(hash: u64, rest: &[u8], alphabet: Alphabet) -> u64 {
    rest.chunks(8).fold(hash, |hash, eight| {
        let [bytes, _] = halves(&padded(eight));
        let bytes = alphabet.folded(bytes) & low(eight.len());
        (hash ^ hash >> 32).wrapping_mul(KEYS[3]).wrapping_add(bytes)
    })
}

/// A mask of so many low bytes, 0 to 8.
#[inline(always)]
fn low(bytes: usize) -> u64 {
    u64::MAX.checked_shr(64 - 8 * bytes as u32).unwrap_or(0)
}

fn halves(bytes: &[u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(*bytes);
    [both as u64, (both >> 64) as u64]
}

#[cold]
fn padded(bytes: &[u8]) -> [u8; 16] {
    let mut sixteen = [0; 16];
    let count = bytes.len().min(16);
    sixteen[..count].copy_from_slice(&bytes[..count]);
    sixteen
}
