//! Words of code that keep their identity where names are renamed: keywords, and names of common libraries.

use std::sync::LazyLock;

use super::code::SEED;
use super::grams::hash_bytes;

/// Words that are the language's own, in one of the common languages: they keep their identity.
const KEYWORDS: &str = "and as assert async await break case catch class const continue def del elif else elseif elsif enum \
    except extends extern false final finally fn for foreach from fun func function global goto if implements import in \
    instanceof interface is lambda let namespace none not or pass private protected public raise rescue return static \
    struct sub super throw true try typeof undefined unless unsigned void while with yield";

/// Names of common libraries that nobody renames; as they are good names for variables too, they keep their identity
/// only where they are called or looked up in something, or where something is looked up in them.
const LIBRARY: &str = "abs add all any append apply array bin bool ceil charat chars chr clear collect columns concat contains \
    copy count counter datetime defaultdict delete dict drop dtype empty endswith enumerate exec exit extend filter find \
    findall first float floor format get getitem group groupby hash heapq heappop heappush hex index indexof insert int \
    isalpha isdigit isinstance islower isupper items iter itertools join json keys len length list log lower lstrip map \
    math max mean merge min next np numpy object open ord os pandas pd pi plot pop pow print println push put random range \
    re read reduce remove replace reset_index reshape reverse reversed round rstrip self set shape size slice some sort \
    sorted split sqrt startswith std str string strip substring sum swap tail this title to_string tolist trim tuple type \
    uniq unique update upper val value_counts values vec vector write zip";

/// Keywords behind which a declared name stands; without one they are names themselves.
const DECLARING: &str = "class def fn fun func function sub";

/// What is known of a word that is in one of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// A keyword.
    Keyword,
    /// A name of a library.
    Library,
    /// A keyword behind which a declared name stands.
    Declaring,
}

/// Slots of the table of kept words: a power of two, eight times their number, so that words stand in their own.
const KEPT_SLOTS: usize = 2048;

/// Bits that say which words may be kept: less than one of a hundred others passes.
pub(super) const KEPT_BITS: usize = 1 << 15;

/// What is known of each word, by hash.
pub(super) struct Table {
    /// A bit for each word, by the low bits of its hash: most other words are told by one look.
    pub(super) bits: [u64; KEPT_BITS / 64],
    hashes: [u64; KEPT_SLOTS],
    kept: [Option<Kept>; KEPT_SLOTS],
}

/// The lists, by hash; a word stands in the first free slot from its own on.
pub(super) static KEPT: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        bits: [0; KEPT_BITS / 64],
        hashes: [0; KEPT_SLOTS],
        kept: [None; KEPT_SLOTS],
    };
    for (words, kept) in [
        (DECLARING, Kept::Declaring),
        (KEYWORDS, Kept::Keyword),
        (LIBRARY, Kept::Library),
    ] {
        for word in words.split_whitespace() {
            table.add(hash_bytes(SEED, word.bytes()), kept);
        }
    }
    table
});

impl Table {
    fn add(&mut self, hash: u64, kept: Kept) {
        if self.find(hash).is_some() {
            return;
        }
        let mut slots = (0..KEPT_SLOTS).map(|step| (hash as usize + step) % KEPT_SLOTS);
        self.bits[hash as usize % KEPT_BITS / 64] |= 1 << (hash % 64);
        if let Some(free) = slots.find(|slot| self.kept[*slot].is_none()) {
            (self.hashes[free], self.kept[free]) = (hash, Some(kept));
        }
    }

    /// Whether anything may be known of the word with this hash.
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        self.bits[hash as usize % KEPT_BITS / 64] >> (hash % 64) & 1 != 0
    }

    /// What is known of the word with this hash.
    pub(super) fn find(&self, hash: u64) -> Option<Kept> {
        let mut slot = hash as usize % KEPT_SLOTS;
        while let Some(kept) = self.kept[slot] {
            if self.hashes[slot] == hash {
                return Some(kept);
            }
            slot = (slot + 1) % KEPT_SLOTS;
        }
        None
    }
}
