//! One record of a zip file's central directory.
//!
//! ```text
//!   0 PK\1\2   4 made by: version, host   8 flags   10 method   16 crc   20 stored   24 length
//!   28 bytes of name   30 of extra   32 of comment   34 disk   38 attributes   42 offset   46 name, extra, comment
//! ```

use super::super::paths::Trouble;
use super::entry::{Kind, without_dots};

/// Bytes of a record without what varies.
pub(super) const RECORD_BYTES: u64 = 46;

/// Unix, the host whose attributes hold a file's mode.
const UNIX: u64 = 3;

/// The part of a mode that tells files, links, pipes and devices apart.
const TYPE_BITS: u64 = 0o170_000;

/// Names in the second half of code page 437, as Unicode has them: `\x80` is the first.
/// Source: Unicode, mapping table `CP437.TXT`.
const CODE_PAGE: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// What the central directory says of one entry.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) path: Vec<u8>,
    /// Bytes of the name as it is stored.
    pub(super) name_bytes: u64,
    pub(super) kind: Kind,
    pub(super) is_executable: bool,
    pub(super) method: u64,
    pub(super) crc: u32,
    /// Bytes of the data.
    pub(super) stored: u64,
    /// Bytes of the content.
    pub(super) length: u64,
    /// Where the local header is.
    pub(super) offset: u64,
}

/// A number of `count` bytes, little endian.
pub(super) fn number(bytes: &[u8], at: usize, count: usize) -> u64 {
    let digits = bytes[at..at + count].iter().rev();
    digits.fold(0, |number, &byte| number << 8 | u64::from(byte))
}

impl Record {
    /// Bytes of name, extra and comment; none where it is no record.
    pub(super) fn varying(fixed: &[u8]) -> Option<u64> {
        let bytes = |at| number(fixed, at, 2);
        fixed
            .starts_with(b"PK\x01\x02")
            .then(|| bytes(28) + bytes(30) + bytes(32))
    }

    /// The record of `fixed` and `rest`, of which [`Record::varying`] told the length; none where it is broken.
    pub(super) fn parse(fixed: &[u8], rest: &[u8]) -> Option<Self> {
        let (name, rest) = rest.split_at(number(fixed, 28, 2) as usize);
        let extra = Extra::parse(&rest[..number(fixed, 30, 2) as usize], fixed)?;
        let host = number(fixed, 5, 1);
        let mode = if host == UNIX { number(fixed, 40, 2) } else { 0 };
        let flags = number(fixed, 8, 2);
        let mut path = extra.name.unwrap_or_else(|| decoded(name, flags & 0x800 != 0));
        // Only DOS and NTFS write backslashes for slashes.
        if matches!(host, 0 | 10 | 11) && !path.contains(&b'/') {
            path.iter_mut()
                .filter(|byte| **byte == b'\\')
                .for_each(|byte| *byte = b'/');
        }
        without_dots(&mut path);
        let kind = match mode & TYPE_BITS {
            _ if path.ends_with(b"/") => Kind::Folder,
            _ if flags & 1 != 0 => Kind::Refused(Trouble::EntryEncrypted),
            0o040_000 => Kind::Folder,
            0o120_000 => Kind::Link,
            0 | 0o100_000 => Kind::File,
            _ => Kind::Refused(Trouble::EntryNotRegular),
        };
        Some(Self {
            path,
            name_bytes: name.len() as u64,
            kind,
            is_executable: mode & 0o100 != 0,
            method: number(fixed, 10, 2),
            crc: number(fixed, 16, 4) as u32,
            stored: extra.stored,
            length: extra.length,
            offset: extra.offset,
        })
    }
}

/// What the extra fields may say better.
struct Extra {
    name: Option<Vec<u8>>,
    length: u64,
    stored: u64,
    offset: u64,
}

impl Extra {
    /// Fields of extra are `id, u16 | bytes, u16 | …`: 1 is zip64, 0x7075 the name in UTF-8.
    fn parse(mut extra: &[u8], fixed: &[u8]) -> Option<Self> {
        let [stored, length, offset] = [20, 24, 42].map(|at| number(fixed, at, 4));
        let mut found = Self {
            name: None,
            length,
            stored,
            offset,
        };
        while extra.len() >= 4 {
            let (id, length) = (number(extra, 0, 2), number(extra, 2, 2) as usize);
            let field = extra.get(4..4 + length)?;
            match id {
                1 => found.widen(field)?,
                0x7075 if field.len() > 5 => found.name = Some(field[5..].to_vec()),
                _ => {}
            }
            extra = &extra[4 + length..];
        }
        Some(found)
    }

    /// Takes from a zip64 field what did not fit into 32 bits.
    fn widen(&mut self, field: &[u8]) -> Option<()> {
        let mut wide = field.chunks_exact(8).map(|bytes| number(bytes, 0, 8));
        for narrow in [&mut self.length, &mut self.stored, &mut self.offset] {
            if *narrow == 0xffff_ffff {
                *narrow = wide.next()?;
            }
        }
        Some(())
    }
}

/// A name as UTF-8: as it is where it says so, or looks so; else it is in code page 437.
fn decoded(name: &[u8], is_utf8: bool) -> Vec<u8> {
    if is_utf8 || std::str::from_utf8(name).is_ok() {
        return name.to_vec();
    }
    let unicode = |&byte: &u8| match byte {
        0..0x80 => char::from(byte),
        high => CODE_PAGE
            .chars()
            .nth(usize::from(high) - 0x80)
            .unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    name.iter().map(unicode).collect::<String>().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text_in_one_encoding_or_the_other() {
        assert_eq!(CODE_PAGE.chars().count(), 128);
        assert_eq!(decoded(b"caf\x82.c\xff", false), "café.c\u{a0}".as_bytes());
        assert_eq!(decoded("café".as_bytes(), false), "café".as_bytes());
        assert_eq!(decoded(b"caf\x82", true), b"caf\x82");
    }

    #[test]
    fn numbers_are_little_endian() {
        assert_eq!(number(&[0, 1, 2, 3], 1, 2), 0x0201);
        assert_eq!(number(&[0xff; 8], 0, 8), u64::MAX);
    }
}
