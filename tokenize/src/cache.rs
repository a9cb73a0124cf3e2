//! Remembers the ids of short pieces: a fixed number of slots, each found by a hash and trusted only after its bytes
//! have been compared.
//!
//! ```text
//!   slot (64 bytes)   ┌ key: 32 bytes ────────────────────┬ ids: 8 × u32 ──────────┐
//!                     │ piece, zero-padded (31) │ length  │ up to 7 ids    │ count │
//!                     └─────────────────────────┴─────────┴────────────────┴───────┘
//! ```
//! Direct-mapped: a newer piece takes the slot of an older one. What is remembered never shows in the ids.

/// Longest piece that is remembered, in bytes.
pub(crate) const LONGEST_PIECE: usize = 31;
/// Most ids of a piece that is remembered.
const MOST_IDS: usize = 7;
/// Number of slots (8 MiB a task).
const SLOTS: usize = 1 << 17;

/// For each length, the bytes of a key that belong to the piece.
const MASKS: [[u128; 2]; LONGEST_PIECE + 1] = masks();

const fn masks() -> [[u128; 2]; LONGEST_PIECE + 1] {
    let mut masks = [[0; 2]; LONGEST_PIECE + 1];
    let mut length = 1;
    while length <= LONGEST_PIECE {
        masks[length] = match length {
            0..=15 => [(1 << (8 * length)) - 1, 0],
            16 => [u128::MAX, 0],
            _ => [u128::MAX, (1 << (8 * (length - 16))) - 1],
        };
        length += 1;
    }
    masks
}

/// A piece of 1 to [`LONGEST_PIECE`] bytes as two numbers; different pieces have different keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key([u128; 2]);

impl Key {
    /// The key of `bytes[start..end]`, or nothing where the piece is empty or too long to be remembered.
    #[inline]
    pub(crate) fn of(bytes: &[u8], start: usize, end: usize) -> Option<Self> {
        let length = end - start;
        if !(1..=LONGEST_PIECE).contains(&length) {
            return None;
        }
        let raw = match bytes[start..].first_chunk::<32>() {
            Some(chunk) => *chunk,
            None => padded(&bytes[start..end]),
        };
        let [low, high] = MASKS[length];
        let number = |half: usize| {
            let mut number = [0; 16];
            number.copy_from_slice(&raw[16 * half..16 * half + 16]);
            u128::from_le_bytes(number)
        };
        Some(Self([number(0) & low, number(1) & high | (length as u128) << 120]))
    }

    #[inline]
    fn slot(self) -> usize {
        let [low, high] = self.0;
        let fold = |number: u128, first: u64, second: u64| {
            let product = u128::from(number as u64 ^ first) * u128::from((number >> 64) as u64 ^ second);
            product as u64 ^ (product >> 64) as u64
        };
        let hash = fold(low, 0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03)
            ^ fold(high, 0x8CB9_2BA7_2F3D_8DD7, 0xABC9_8388_FB8F_AC03);
        (hash >> 32) as usize % SLOTS
    }
}

fn padded(piece: &[u8]) -> [u8; 32] {
    let mut raw = [0; 32];
    raw[..piece.len()].copy_from_slice(piece);
    raw
}

#[derive(Clone, Copy)]
#[repr(align(64))]
struct Slot {
    key: Key,
    ids: [u32; MOST_IDS],
    count: u32,
}

/// The slots of one task.
pub(crate) struct PieceCache {
    slots: Vec<Slot>,
}

impl PieceCache {
    pub(crate) fn new() -> Self {
        let empty = Slot {
            key: Key([0; 2]),
            ids: [0; MOST_IDS],
            count: 0,
        };
        Self {
            slots: vec![empty; SLOTS],
        }
    }

    /// Appends the ids of the piece to `ids` where it is remembered; whether it is.
    #[inline]
    pub(crate) fn recall(&self, key: Key, ids: &mut Vec<u32>) -> bool {
        let slot = &self.slots[key.slot()];
        if slot.key != key {
            return false;
        }
        match slot.count {
            1 => ids.push(slot.ids[0]),
            count => ids.extend_from_slice(&slot.ids[..count as usize]),
        }
        true
    }

    /// Remembers the ids of a piece, if they are few enough.
    pub(crate) fn remember(&mut self, key: Key, ids: &[u32]) {
        if ids.len() > MOST_IDS {
            return;
        }
        let slot = &mut self.slots[key.slot()];
        slot.key = key;
        slot.ids[..ids.len()].copy_from_slice(ids);
        slot.count = ids.len() as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(piece: &[u8]) -> Option<Key> {
        Key::of(piece, 0, piece.len())
    }

    #[test]
    fn pieces_up_to_the_longest_have_keys() {
        assert_eq!(key(b""), None);
        assert!(key(&[b'a'; LONGEST_PIECE]).is_some());
        assert_eq!(key(&[b'a'; LONGEST_PIECE + 1]), None);
    }

    #[test]
    fn keys_tell_lengths_apart_and_ignore_what_follows() {
        assert_ne!(key(b"a"), key(b"a\0"));
        for length in 1..=LONGEST_PIECE {
            let (text, other) = ([b'x'; 64], [[b'x'; 31].as_slice(), &[b'y'; 33]].concat());
            assert_eq!(Key::of(&text, 0, length), key(&text[..length]));
            assert_eq!(Key::of(&text, 0, length), Key::of(&other, 31 - length, 31));
            let mut changed = text;
            changed[length - 1] = b'z';
            assert_ne!(Key::of(&text, 0, length), Key::of(&changed, 0, length));
        }
    }

    #[test]
    fn equal_hashes_of_different_pieces_are_told_apart() {
        let first = key(b"first").expect("short");
        let twin = (0u32..)
            .filter_map(|n| key(&n.to_le_bytes()))
            .find(|twin| twin.slot() == first.slot())
            .expect("because slots are few");
        let (mut cache, mut ids) = (PieceCache::new(), Vec::new());
        cache.remember(first, &[1, 2]);
        assert!(!cache.recall(twin, &mut ids) && ids.is_empty());
        cache.remember(twin, &[3]);
        assert!(!cache.recall(first, &mut ids));
        assert!(cache.recall(twin, &mut ids));
        assert_eq!(ids, [3]);
    }

    #[test]
    fn a_piece_of_too_many_ids_is_not_remembered() {
        let (mut cache, mut ids) = (PieceCache::new(), Vec::new());
        let key = key(b"piece").expect("short");
        cache.remember(key, &[9; MOST_IDS + 1]);
        assert!(!cache.recall(key, &mut ids));
        cache.remember(key, &[9; MOST_IDS]);
        assert!(cache.recall(key, &mut ids));
        assert_eq!(ids, [9; MOST_IDS]);
    }
}
