//! Structural shingles: n tokens in a row, with names known only by where they came before, and values not at all.
//!
//! ```text
//!   text      total = total + price * 2   // sum          sum = sum + cost * 19
//!   tokens    •0 = •2 + •0 * #                            •0 = •2 + •0 * #
//!             •d: a name that was d tokens before, inside the same n tokens (•0: nowhere there)
//! ```
//! So a shingle says which of its names are the same, whatever they are called; and what is written elsewhere in the file
//! does not change it (Baker 1997, "Parameterized Duplication in Strings", calls this the prev encoding). Keywords and
//! marks stand for themselves, numbers and texts for their kind. What formatters put in and take out is left out: `;`, and
//! `,` before a closing bracket.
//!
//! The hash is a rolling sum. Beside what comes and goes, it changes in one place: where the name that goes is next.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use xxhash_rust::xxh3::xxh3_64;

use crate::lexer::{Family, Kind, Lexer, Token};
use crate::near::shingle::TEXT_MAX;
use crate::near::sketch::mix;

/// Odd multiplier of the rolling sum: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;
/// Keys of names, of tokens and of shingles: digits of pi.
const NAME_KEY: u64 = 0x452_8219_38D0_1377;
const TOKEN_KEY: u64 = 0x13_198A_2E03_7073;
const SHINGLE_KEY: u64 = 0x4093_8222_99F3_1D00;
/// Capacity that is kept between files, in tokens.
const KEPT_CAPACITY: usize = 1 << 20;

/// A token as shingles know it.
#[derive(Clone, Copy)]
enum Code {
    /// What it stands for.
    Fixed(u64),
    /// A name: how many tokens ago it was there before, and how many tokens on it is there again; 0: not in n tokens.
    Name { before: u32, again: u32 },
}

/// Cuts texts into sets of structural shingles, one text at a time; keeps its buffers.
pub struct Shingler {
    ngram: usize,
    /// By the address of their family, of which there is one each.
    lexers: BTreeMap<usize, Lexer>,
    codes: Vec<Code>,
    /// Hash of a name, and where it was last; never walked.
    names: HashTable<(u64, usize)>,
    /// What a place in the window multiplies by; the first place last.
    powers: Vec<u64>,
    set: Vec<u32>,
}

impl Shingler {
    /// For shingles of `ngram` tokens, at least 1.
    pub fn new(ngram: u32) -> Self {
        let ngram = ngram.max(1) as usize;
        let powers = std::iter::successors(Some(1u64), |power| Some(power.wrapping_mul(MULTIPLIER)));
        Self {
            ngram,
            lexers: BTreeMap::new(),
            codes: Vec::new(),
            names: HashTable::new(),
            powers: powers.take(ngram).collect(),
            set: Vec::new(),
        }
    }

    /// The sorted set of the text's shingles; empty when it has fewer tokens than one shingle, is too long, or is in a
    /// language whose tokens nobody has described.
    pub fn set(&mut self, text: &[u8], language: &str) -> &[u32] {
        self.codes.clear();
        self.set.clear();
        self.names.clear();
        self.codes.shrink_to(KEPT_CAPACITY);
        self.set.shrink_to(KEPT_CAPACITY);
        if let Some(family) = Family::of(language).filter(|_| text.len() <= TEXT_MAX) {
            self.encode(text, family);
            self.roll();
            self.set.sort_unstable();
            self.set.dedup();
        }
        &self.set
    }

    fn encode(&mut self, text: &[u8], family: &'static Family) {
        let address = std::ptr::from_ref(family).addr();
        let lexer = self.lexers.entry(address).or_insert_with(|| Lexer::new(family));
        let mut tokens = lexer.tokens(text).peekable();
        while let Some(token) = tokens.next() {
            let bytes = &text[token.start..token.end];
            let next = tokens.peek().map(|next| text[next.start]);
            if is_layout(token, bytes, next) {
                continue;
            }
            let code = match token.kind {
                Kind::Word => name(&mut self.names, &mut self.codes, self.ngram, xxh3_64(bytes)),
                Kind::Mark => Code::Fixed(mix(u64::from(bytes[0]), TOKEN_KEY)),
                Kind::Keyword => Code::Fixed(mix(xxh3_64(bytes), TOKEN_KEY)),
                Kind::Number => Code::Fixed(mix(256, TOKEN_KEY)),
                Kind::Text => Code::Fixed(mix(257, TOKEN_KEY)),
            };
            self.codes.push(code);
        }
    }

    /// The rolling sum over every n tokens in a row.
    fn roll(&mut self) {
        let count = self.ngram;
        if self.codes.len() < count {
            return;
        }
        let mut sum = 0u64;
        for (end, code) in self.codes.iter().enumerate() {
            if let Some(start) = end.checked_sub(count) {
                sum = sum.wrapping_sub(self.leaving(start));
            }
            sum = sum.wrapping_mul(MULTIPLIER).wrapping_add(value(*code));
            if end + 1 >= count {
                self.set.push((mix(sum, SHINGLE_KEY) >> 32) as u32);
            }
        }
    }

    /// What the window's sum loses with its first token: its own part, and what its name's next place gains by it.
    fn leaving(&self, start: usize) -> u64 {
        let place = |at: usize| self.powers[self.ngram - 1 - (at - start)];
        match self.codes[start] {
            Code::Fixed(hash) => hash.wrapping_mul(place(start)),
            Code::Name { again: 0, .. } => unknown().wrapping_mul(place(start)),
            Code::Name { again, .. } => {
                let next = mix(u64::from(again), NAME_KEY).wrapping_sub(unknown());
                let next = next.wrapping_mul(place(start + again as usize));
                unknown().wrapping_mul(place(start)).wrapping_add(next)
            }
        }
    }
}

/// Whether a token is there for its looks.
fn is_layout(token: Token, bytes: &[u8], next: Option<u8>) -> bool {
    let closes = || next.is_none_or(|next| matches!(next, b')' | b']' | b'}'));
    token.kind == Kind::Mark && (bytes == b";" || bytes == b"\\" || bytes == b"," && closes())
}

/// A name at the end of `codes`; the place where it was before hears of it if it is in reach.
fn name(names: &mut HashTable<(u64, usize)>, codes: &mut [Code], ngram: usize, hash: u64) -> Code {
    let here = codes.len();
    let before = match names.entry(hash, |found| found.0 == hash, |found| found.0) {
        Entry::Occupied(mut found) => Some(std::mem::replace(&mut found.get_mut().1, here)),
        Entry::Vacant(free) => {
            free.insert((hash, here));
            None
        }
    };
    let distance = before.map(|before| here - before).filter(|distance| *distance < ngram);
    let before = distance.unwrap_or(0) as u32;
    if let Some(Code::Name { again, .. }) = distance.and_then(|distance| codes.get_mut(here - distance)) {
        *again = before;
    }
    Code::Name { before, again: 0 }
}

/// What a token adds to the sum when it comes in.
fn value(code: Code) -> u64 {
    match code {
        Code::Fixed(hash) => hash,
        Code::Name { before, .. } => mix(u64::from(before), NAME_KEY),
    }
}

/// A name that was not in the window before.
fn unknown() -> u64 {
    mix(0, NAME_KEY)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn set(text: &str, language: &str, ngram: u32) -> Vec<u32> {
        Shingler::new(ngram).set(text.as_bytes(), language).to_vec()
    }

    #[test]
    fn names_values_comments_and_layout_do_not_show() {
        let one = "def area(width, height):\n    # of a box\n    return width * height + 'a'\n";
        let two = "def f(\n  a,\n  b,\n):\n  \"\"\"What it is.\"\"\"\n  return a * b + \"bcd\"\n";
        assert_eq!(set(one, "Python", 6), set(two, "Python", 6));
        assert!(!set(one, "Python", 6).is_empty());
        let one = "for (let i = 0; i < n; i++) { a(i); } // x";
        let two = "for (let k = 9; k < m; k++) {\n  /* y */ b(k)\n}";
        assert_eq!(set(one, "JavaScript", 5), set(two, "JavaScript", 5));
    }

    #[test]
    fn which_names_are_the_same_shows() {
        for (one, two) in [
            ("a = b + a", "a = b + b"),
            ("a(b)", "a(a)"),
            ("if a: b", "while a: b"),
            ("a + b", "a - b"),
            ("f(1)", "f('1')"),
        ] {
            assert_ne!(set(one, "Python", 3), set(two, "Python", 3), "{one} {two}");
        }
    }

    #[test]
    fn what_is_too_short_or_unknown_has_no_set() {
        assert_eq!(set("a b c", "C", 4).len(), 0);
        assert_eq!(set("a b c d", "C", 4).len(), 1);
        assert_eq!(set("a b c d", "Markdown", 4).len(), 0);
    }

    /// Shingles as what they mean: for each token of a window the first place of its name there, or itself.
    fn plain(tokens: &[&'static str], ngram: usize) -> BTreeSet<Vec<Result<usize, &'static str>>> {
        let place = |window: &[&'static str], token: &'static str| match token {
            "a" | "b" | "c" | "d" => Ok(window.iter().position(|other| *other == token).unwrap_or(0)),
            other => Err(other),
        };
        let windows = tokens.windows(ngram);
        windows
            .map(|window| window.iter().map(|token| place(window, token)).collect())
            .collect()
    }

    proptest! {
        /// As many shingles as there are distinct windows, and equal ones for any other names.
        #[test]
        fn shingles_are_distinct_windows(
            tokens in prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d", "+", "-", "if"]), 0..60),
            ngram in 1u32..9,
        ) {
            let text = tokens.join(" ");
            let found = set(&text, "C", ngram);
            prop_assert_eq!(found.len(), plain(&tokens, ngram as usize).len());
            let renamed = text.replace('a', "x").replace('b', "y").replace('c', "a").replace('d', "bb");
            prop_assert_eq!(set(&renamed, "C", ngram), found);
        }
    }
}
