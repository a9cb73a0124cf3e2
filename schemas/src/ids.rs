//! What names a file: its place in the run, its git blob id, and the hash of its raw bytes.

use std::fmt;

/// A file's number inside one run: `split << 32 | row`. Order of ids is order of (repo_name, revision_id, path).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u64);

impl FileId {
    /// The id of row `row` of split `split`.
    pub fn new(split: u32, row: u32) -> Self {
        Self(u64::from(split) << 32 | u64::from(row))
    }

    /// The split that listed the file.
    pub fn split(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The file's row in its split's listing (and in its ledger part).
    pub fn row(self) -> u32 {
        self.0 as u32
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.split(), self.row())
    }
}

/// A git object id (SHA-1 of `blob <length>\0<content>`): equality of files rests on it together with the length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 20]);

impl BlobId {
    /// From 40 hexadecimal digits.
    pub fn from_hex(hex: &str) -> Option<Self> {
        let mut id = [0; 20];
        if hex.len() != 40 || !hex.is_ascii() {
            return None;
        }
        for (i, byte) in id.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Self(id))
    }
}

/// xxh3-128 of the raw bytes: for speed, never for trust.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 16]);

impl ContentHash {
    /// The hash of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(xxhash_rust::xxh3::xxh3_128(bytes).to_be_bytes())
    }
}

/// Lower-case hexadecimal digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)] as char);
        out.push(DIGITS[usize::from(byte & 15)] as char);
    }
    out
}

macro_rules! hex_display {
    ($($type:ty),*) => {$(
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }
        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    )*};
}
hex_display!(BlobId, ContentHash);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_ids_sort_by_split_then_row() {
        assert!(FileId::new(1, 0) > FileId::new(0, u32::MAX));
        assert_eq!((FileId::new(7, 9).split(), FileId::new(7, 9).row()), (7, 9));
    }

    #[test]
    fn blob_ids_round_trip_through_hex() {
        let hex = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
        assert_eq!(BlobId::from_hex(hex).map(|id| id.to_string()).as_deref(), Some(hex));
        assert_eq!(BlobId::from_hex("e69d"), None);
        assert_eq!(BlobId::from_hex(&"zz".repeat(20)), None);
    }
}
