//! Which characters are letters, numbers and white space, by the same Unicode tables that the oracles' patterns use.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, HirKind};

/// `Lu`, `Lt`.
pub(crate) const UPPER: u8 = 1;
/// `Ll`.
pub(crate) const LOWER: u8 = 2;
/// `Lm`, `Lo`.
pub(crate) const UNCASED: u8 = 4;
/// `M`; carries [`OTHER`] too.
pub(crate) const MARK: u8 = 8;
/// `N`.
pub(crate) const NUMBER: u8 = 16;
/// `\s`; carries [`NEWLINE`] too where it is one.
pub(crate) const SPACE: u8 = 32;
/// Carriage return and line feed.
pub(crate) const NEWLINE: u8 = 64;
/// Neither letter nor number nor white space.
pub(crate) const OTHER: u8 = 128;
/// `L`.
pub(crate) const LETTER: u8 = UPPER | LOWER | UNCASED;

/// Classes of single bytes; those that only occur inside longer characters have none.
pub(crate) const BYTES: [u8; 256] = bytes();

const fn bytes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        classes[byte] = match byte as u8 {
            b'A'..=b'Z' => UPPER,
            b'a'..=b'z' => LOWER,
            b'0'..=b'9' => NUMBER,
            b'\n' | b'\r' => SPACE | NEWLINE,
            b'\t' | 0x0B | 0x0C | b' ' => SPACE,
            _ => OTHER,
        };
        byte += 1;
    }
    classes
}

/// Classes of all characters, one byte a code point (1.1 MB).
static CHARACTERS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut classes = vec![0; 0x11_0000];
    for (pattern, class) in [
        (r"[\p{Lu}\p{Lt}]", UPPER),
        (r"\p{Ll}", LOWER),
        (r"[\p{Lm}\p{Lo}]", UNCASED),
        (r"\p{M}", MARK),
        (r"\p{N}", NUMBER),
        (r"\s", SPACE),
        (r"[\r\n]", NEWLINE),
        (r"[^\s\p{L}\p{N}]", OTHER),
    ] {
        for (first, last) in ranges(pattern) {
            classes[first..=last].iter_mut().for_each(|c| *c |= class);
        }
    }
    classes
});

fn ranges(pattern: &str) -> Vec<(usize, usize)> {
    let parsed = regex_syntax::parse(pattern).expect("because the patterns are constants, each tested");
    match parsed.into_kind() {
        HirKind::Class(Class::Unicode(class)) => class
            .iter()
            .map(|range| (range.start() as usize, range.end() as usize))
            .collect(),
        _ => Vec::new(),
    }
}

/// The classes of every code point, to be indexed by it.
pub(crate) fn characters() -> &'static [u8] {
    &CHARACTERS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_agree_with_the_unicode_tables() {
        assert_eq!(BYTES[..128], characters()[..128]);
        assert!(BYTES[128..].iter().all(|class| *class == 0));
    }

    #[test]
    fn every_character_is_exactly_one_of_letter_number_space_other() {
        for (code, class) in characters()
            .iter()
            .enumerate()
            .filter(|(code, _)| char::from_u32(*code as u32).is_some())
        {
            let kinds = [LETTER, NUMBER, SPACE, OTHER]
                .into_iter()
                .filter(|kind| class & kind != 0)
                .count();
            assert_eq!(kinds, 1, "U+{code:04X}");
        }
    }

    #[test]
    fn known_characters_have_their_class() {
        for (character, class) in [
            ('ǅ', UPPER),
            ('ſ', LOWER),
            ('ʰ', UNCASED),
            ('語', UNCASED),
            ('\u{301}', MARK | OTHER),
            ('Ⅷ', NUMBER),
            ('²', NUMBER),
            ('\u{a0}', SPACE),
            ('\u{2028}', SPACE),
            ('\u{200b}', OTHER),
            ('🦀', OTHER),
        ] {
            assert_eq!(characters()[character as usize], class, "{character:?}");
        }
    }
}
