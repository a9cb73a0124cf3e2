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

/// Slots of the table of kept words: a power of two, eight times their number, so that most words are told by one look.
const KEPT_SLOTS: usize = 2048;

/// What is known of each word, by hash.
pub(super) type Table = [Option<(u64, Kept)>; KEPT_SLOTS];

/// The lists, by hash; a word stands in the first free slot from its own on.
pub(super) static KEPT: LazyLock<Table> = LazyLock::new(|| {
    let mut table = [None; KEPT_SLOTS];
    for (words, kept) in [
        (DECLARING, Kept::Declaring),
        (KEYWORDS, Kept::Keyword),
        (LIBRARY, Kept::Library),
    ] {
        for word in words.split_whitespace() {
            let hash = hash_bytes(SEED, word.bytes());
            if find_kept(&table, hash).is_none() {
                let free = (0..KEPT_SLOTS)
                    .map(|step| (hash as usize + step) % KEPT_SLOTS)
                    .find(|&slot| table[slot].is_none());
                free.into_iter().for_each(|slot| table[slot] = Some((hash, kept)));
            }
        }
    }
    table
});

/// What is known of the word with this hash.
pub(super) fn find_kept(table: &Table, hash: u64) -> Option<Kept> {
    let mut slot = hash as usize % KEPT_SLOTS;
    while let Some((other, kept)) = table[slot] {
        if other == hash {
            return Some(kept);
        }
        slot = (slot + 1) % KEPT_SLOTS;
    }
    None
}
