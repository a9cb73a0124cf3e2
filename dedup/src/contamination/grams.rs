//! What the channels have in common: an n-gram of a text, its place, and how bits are spread over a hash.

use serde::{Deserialize, Serialize};

/// Bits of an n-gram hash. At 40, one n-gram in a million hits a set of a million by chance.
pub(super) const HASH_BITS: u32 = 40;

/// One way to read a text; each has n-grams of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Words, blind to punctuation, layout and escapes.
    Words,
    /// Tokens of code with identifiers renamed, without comments.
    Code,
    /// Numbers and quoted strings in a row: inputs and outputs.
    Literals,
    /// Names of what an item declares: never enough alone.
    Names,
    /// Rare words, numbers and strings in any order: never enough alone.
    Bag,
}

impl Channel {
    /// All channels, in the order of their numbers in packs.
    pub(super) const ALL: [Self; 5] = [Self::Words, Self::Code, Self::Literals, Self::Names, Self::Bag];

    /// Length of an n-gram, in units of the channel: words, tokens, literals, names, classes.
    pub(super) const fn ngram(self) -> usize {
        match self {
            Self::Words => super::words::NGRAM_WORDS,
            Self::Code => super::code::NGRAM_TOKENS,
            Self::Literals => super::literals::NGRAM_LITERALS,
            Self::Names | Self::Bag => 1,
        }
    }

    /// The hash that packs and indices hold: no two channels share one but by chance.
    pub(super) fn seal(self, state: u64) -> u64 {
        Self::sealed(state.wrapping_add(self.seal_key()))
    }

    /// What is added to a state before it is sealed.
    pub(super) const fn seal_key(self) -> u64 {
        (self as u64) << 56 | self as u64
    }

    /// The hash of a state to which the key has been added.
    #[inline(always)]
    pub(super) const fn sealed(state: u64) -> u64 {
        mix(state) >> (64 - HASH_BITS)
    }
}

/// One n-gram of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gram {
    /// Its hash, [`HASH_BITS`] wide.
    pub(super) hash: u64,
    /// Number of its first unit in the text, from 0.
    pub(super) unit: usize,
    /// Offset of its first byte.
    pub(super) start: usize,
    /// Offset behind its last byte.
    pub(super) end: usize,
}

/// Multiplier of [`mix`].
pub(super) const MIX: u64 = 0xd6e8_feb8_6659_fd93;

/// Spreads every bit over the word (xor-shift and multiply, twice).
#[inline(always)]
pub(super) const fn mix(mut x: u64) -> u64 {
    x = (x ^ x >> 32).wrapping_mul(MIX);
    x = (x ^ x >> 32).wrapping_mul(MIX);
    x ^ x >> 32
}

/// The state after `bytes`, in the order they stand.
pub(super) fn hash_bytes(seed: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    let (mut state, mut pending, mut length) = (seed, 0u64, 0u64);
    for byte in bytes {
        pending = pending << 8 | u64::from(byte);
        length += 1;
        if length.is_multiple_of(8) {
            state = mix(state ^ pending);
            pending = 0;
        }
    }
    mix(mix(state ^ pending).wrapping_add(length))
}
