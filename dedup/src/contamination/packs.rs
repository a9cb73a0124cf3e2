//! Benchmark packs: what is known of a benchmark, as hashes. No text of an item can be read out of a pack.
//!
//! ```text
//!   magic      8 bytes   "SMPACK\r\n"
//!   version    u32       3
//!   n-grams    5 × u8    length of an n-gram in each channel: words 6, code 11, literals 5, names 1, bags 1
//!   bits       u32       bits of an n-gram hash: 40
//!   seed       u64       seed of the word hashes
//!   sha256     32 bytes  of the benchmark's own file, unpacked
//!   flags      u8        bit 0: report only; bit 1: control, items that nobody published
//!   name       u16 length, bytes      then url and license in the same way
//!   languages  u8 number, then of each: u8 length, bytes
//!   counts     u32 items, u32 fields, u32 hashes
//!   items      one after the other:   u8 length of id, id, u8 length of family (0: the id; 255: that of the item
//!                                     before), family, u8 number of its language (255: none), u8 number of fields
//!   fields     in order of items:     u8 kind (place in FIELDS), u8 channel, u32 units, u32 n-grams, u16 hashes
//!   hashes     in order of fields:    40 bits each, ascending, each once
//!   checksum   u64       xxh3-64 of everything before it
//! ```
//! Numbers are little endian. A change of layout, of what a unit is or of how it is hashed raises `version`.
//!
//! **What a pack gives away.** The hashes of a field are sorted, so neither order nor repetition is stored. A hash has
//! 40 bits: any guessed line of common words can be tested against it, but of the 10^18 sequences of six words out of a
//! vocabulary of 1,000 about a million share each hash, so that going through all of them (which is the attack that
//! shorter n-grams would allow) yields mostly wrong ones. Rows of five short literals and names of functions are easier
//! to guess: whoever goes through a dictionary learns that an item has a function of some name. Whoever holds part of an
//! item can still confirm it, and can try to lengthen it word by word: packs keep benchmark text out of corpora and
//! repositories, they do not keep secrets. A benchmark that must stay secret should not be packed for others.

use std::collections::BTreeSet;

use stackmill_schemas::benchmark::Field;
use stackmill_schemas::error::{Error, Result};
use stackmill_schemas::ids::hex;

use super::grams::{Channel, HASH_BITS};
use super::unpack::{Reader, check_sum, check_version, damaged, read_items};
use super::words::SEED;

/// Version of the layout.
pub(super) const VERSION: u32 = 3;
/// The first bytes; the line end shows damage by text-mode transfers.
const MAGIC: &[u8; 8] = b"SMPACK\r\n";
/// Lengths of n-grams, by channel.
pub(super) const NGRAMS: [u8; 5] = {
    let mut lengths = [0; 5];
    let mut i = 0;
    while i < 5 {
        lengths[i] = Channel::ALL[i].ngram() as u8;
        i += 1;
    }
    lengths
};
/// In place of a family's length: the family is the item's id.
pub(super) const FAMILY_IS_ID: u8 = 0;
/// In place of a family's length: the family is that of the item before.
pub(super) const FAMILY_AS_BEFORE: u8 = 255;
/// In place of a language's number: the item has none.
pub(super) const NO_LANGUAGE: u8 = 255;
/// Bytes of one hash.
pub(super) const HASH_BYTES: usize = HASH_BITS as usize / 8;
/// What the name of a pack of control items begins with; the rest is that of its benchmark.
pub(super) const CONTROL_PREFIX: &str = "control-";
/// Longest id, in bytes.
const MAX_ID_BYTES: usize = 200;
/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// The packs that come with the program: [`SHIPPED`] are their names, [`EMBEDDED`] their bytes.
macro_rules! shipped {
    ($($name:literal),+ $(,)?) => {
        /// Names of the packs that come with the program.
        pub static SHIPPED: &[&str] = &[$($name),+];
        static EMBEDDED: &[(&str, &[u8])] =
            &[$(($name, include_bytes!(concat!("../../packs/", $name, ".pack")))),+];
    };
}

/// The packs of control items that come with the program, by the benchmark they were made of.
macro_rules! controls {
    ($($name:literal),+ $(,)?) => {
        static CONTROLS: &[(&str, &[u8])] =
            &[$(($name, include_bytes!(concat!("../../packs/control/", $name, ".pack")))),+];
    };
}

shipped! {
    "bigcodebench",
    "classeval",
    "codexglue",
    "cosqa",
    "cruxeval",
    "cseprompts",
    "ds1000",
    "humaneval",
    "humaneval-plus",
    "humaneval-x",
    "humaneval-xl",
    "humanevalpack",
    "leetcode",
    "mbpp",
    "mbpp-plus",
    "mbxp",
    "mhumaneval",
    "multilingual-humaneval",
    "multipl-e",
}

controls! {
    "bigcodebench",
    "classeval",
    "cruxeval",
    "cseprompts",
    "ds1000",
    "humaneval",
    "humaneval-plus",
    "humaneval-x",
    "humaneval-xl",
    "humanevalpack",
    "leetcode",
    "mbpp",
    "mbpp-plus",
    "mbxp",
    "mhumaneval",
    "multilingual-humaneval",
    "multipl-e",
}

/// Where a benchmark comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackSource {
    /// Where its own file is published.
    pub url: String,
    /// License of that file, as published.
    pub license: String,
    /// SHA-256 of that file, unpacked if it was compressed: 64 hexadecimal digits.
    pub sha256: String,
    /// Whether finding its items is only ever reported: they were taken from public code in the first place, or are too
    /// short to be anybody's.
    pub report_only: bool,
    /// Whether the items are made up, to tell what chance alone finds: see [`super::build_control`].
    pub control: bool,
}

/// One field of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackField {
    /// What it is for.
    pub field: Field,
    /// How it was read.
    pub channel: Channel,
    /// Its length in units of the channel.
    pub units: usize,
    /// Number of its different n-grams, without those of earlier items of its family.
    pub ngrams: usize,
    /// Hashes of these n-grams, or of a sample of them: ascending, each once, never none.
    pub hashes: Vec<u64>,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackItem {
    /// Its id.
    pub id: String,
    /// The problem it is or was made from.
    pub family: String,
    /// Its programming language.
    pub language: Option<String>,
    /// Its fields, in order of [`Field`] and [`Channel`]; those without an n-gram of their own are not there.
    pub fields: Vec<PackField>,
}

/// A benchmark as hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    pub(super) name: String,
    pub(super) source: PackSource,
    pub(super) items: Vec<PackItem>,
}

/// What there is to say of a pack.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct PackInfo {
    /// The benchmark's name: the rule in verdicts.
    pub name: String,
    /// Version of the layout.
    pub version: u32,
    /// Number of items.
    pub items: usize,
    /// Number of fields long enough to be indexed.
    pub fields: usize,
    /// Number of n-gram hashes over all fields.
    pub ngrams: usize,
    /// Number of families.
    pub families: usize,
    /// Whether its findings are only ever reported.
    pub report_only: bool,
    /// Where the benchmark's own file is published.
    pub url: String,
    /// License of that file.
    pub license: String,
    /// SHA-256 of that file, unpacked.
    pub sha256: String,
}

pub(super) fn check_name(name: &str) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(fits) {
        return Err(Error::config(format!("`{name}` is no name of a benchmark"))
            .hint("up to 64 lower-case letters, digits, `-` and `_`"));
    }
    Ok(())
}

pub(super) fn check_items(items: &[PackItem]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for PackItem { id, family, fields, .. } in items {
        if id.is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
            return Err(Error::config(format!("`{}` is no id of an item", id.escape_debug()))
                .hint(format!("1 to {MAX_ID_BYTES} bytes without control characters")));
        }
        if !seen.insert(id) {
            return Err(Error::config(format!("item `{id}` is there twice")));
        }
        if family.is_empty() || family.len() > MAX_ID_BYTES || family.chars().any(char::is_control) {
            return Err(
                Error::config(format!("`{}` is no name of a family", family.escape_debug()))
                    .hint(format!("1 to {MAX_ID_BYTES} bytes without control characters")),
            );
        }
        if !fields.is_sorted_by_key(|field| (field.field, field.channel)) {
            return Err(Error::config(format!("the fields of item `{id}` are out of order")));
        }
    }
    Ok(())
}

pub(super) fn encode(pack: &Pack) -> Result<Vec<u8>> {
    let mut out = head(pack)?;
    let languages = languages(pack);
    out.push(narrow(languages.len(), "languages")?);
    for language in &languages {
        out.push(narrow(language.len(), "bytes of a language")?);
        out.extend(language.as_bytes());
    }
    let hashes = pack.fields().map(|field| field.hashes.len()).sum();
    for count in [pack.items.len(), pack.fields().count(), hashes] {
        out.extend(narrow::<u32>(count, "entries of a table")?.to_le_bytes());
    }
    let mut before = "";
    for item in &pack.items {
        encode_item(item, before, &languages, &mut out)?;
        before = &item.family;
    }
    for field in pack.fields() {
        out.push(kind_of(field.field));
        out.push(field.channel as u8);
        out.extend(narrow::<u32>(field.units, "units of a field")?.to_le_bytes());
        out.extend(narrow::<u32>(field.ngrams, "n-grams of a field")?.to_le_bytes());
        out.extend(narrow::<u16>(field.hashes.len(), "hashes of a field")?.to_le_bytes());
    }
    for hash in pack.fields().flat_map(|field| &field.hashes) {
        out.extend(&hash.to_le_bytes()[..HASH_BYTES]);
    }
    out.extend(xxhash_rust::xxh3::xxh3_64(&out).to_le_bytes());
    Ok(out)
}

/// Everything before the table of languages.
fn head(pack: &Pack) -> Result<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    out.extend(VERSION.to_le_bytes());
    out.extend(NGRAMS);
    out.extend(HASH_BITS.to_le_bytes());
    out.extend(SEED.to_le_bytes());
    out.extend(digest(&pack.source.sha256)?);
    out.push(u8::from(pack.source.report_only) | u8::from(pack.source.control) << 1);
    for text in [&pack.name, &pack.source.url, &pack.source.license] {
        out.extend(narrow::<u16>(text.len(), "bytes of a name")?.to_le_bytes());
        out.extend(text.as_bytes());
    }
    Ok(out)
}

/// The languages of a pack, in order of their first item.
fn languages(pack: &Pack) -> Vec<&str> {
    let mut languages = Vec::new();
    for language in pack.items.iter().filter_map(|item| item.language.as_deref()) {
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    languages
}

fn encode_item(item: &PackItem, before: &str, languages: &[&str], out: &mut Vec<u8>) -> Result<()> {
    out.push(narrow(item.id.len(), "bytes of an id")?);
    out.extend(item.id.as_bytes());
    if item.family == item.id {
        out.push(FAMILY_IS_ID);
    } else if item.family == before {
        out.push(FAMILY_AS_BEFORE);
    } else {
        out.push(narrow(item.family.len(), "bytes of a family")?);
        out.extend(item.family.as_bytes());
    }
    let place = languages
        .iter()
        .position(|language| Some(*language) == item.language.as_deref());
    out.push(place.map_or(NO_LANGUAGE, |place| place as u8));
    out.push(narrow(item.fields.len(), "fields of an item")?);
    Ok(())
}

fn narrow<N: TryFrom<usize>>(count: usize, what: &str) -> Result<N> {
    N::try_from(count).map_err(|_| Error::config(format!("too many {what}: {count}")))
}

fn digest(sha256: &str) -> Result<[u8; 32]> {
    let mut out = [0; 32];
    let refused =
        || Error::config(format!("`{}` is no sha256", sha256.escape_debug())).hint("it has 64 hexadecimal digits");
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(refused());
    }
    for (byte, digits) in out.iter_mut().zip(sha256.as_bytes().chunks_exact(2)) {
        let digits = std::str::from_utf8(digits).map_err(|_| refused())?;
        *byte = u8::from_str_radix(digits, 16).map_err(|_| refused())?;
    }
    Ok(out)
}

/// Fields in the order of their numbers.
pub(super) const FIELDS: [Field; 6] = [
    Field::Prompt,
    Field::Solution,
    Field::Tests,
    Field::Docstring,
    Field::Signature,
    Field::Examples,
];

fn kind_of(field: Field) -> u8 {
    FIELDS.iter().position(|other| *other == field).unwrap_or(0) as u8
}

impl Pack {
    /// Reads a pack: every length, the order of hashes and the checksum are verified.
    ///
    /// # Errors
    /// Kind input, for anything that [`super::build_pack`] of this version did not write.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader { rest: bytes };
        if reader.take(MAGIC.len()).ok() != Some(&MAGIC[..]) {
            return Err(Error::input(
                "not a benchmark pack: it does not start with its magic bytes",
            ));
        }
        check_version(&mut reader)?;
        check_sum(bytes)?;
        let sha256 = hex(reader.take(32)?);
        let flags = reader.u8()?;
        if flags > 3 {
            return Err(damaged("it has unknown flags"));
        }
        let (name, url, license) = (reader.text16()?, reader.text16()?, reader.text16()?);
        check_name(&name).map_err(|error| damaged(error.message()))?;
        if flags & 2 != 0 && !name.starts_with(CONTROL_PREFIX) {
            return Err(damaged("its control items are of no benchmark"));
        }
        let languages = (0..reader.u8()?).map(|_| reader.text8()).collect::<Result<Vec<_>>>()?;
        let items = read_items(&mut reader, &languages)?;
        check_items(&items).map_err(|error| damaged(error.message()))?;
        Ok(Self {
            name,
            source: PackSource {
                url,
                license,
                sha256,
                report_only: flags & 1 != 0,
                control: flags & 2 != 0,
            },
            items,
        })
    }

    /// The pack of this name that comes with the program; `control-NAME` are the control items of NAME.
    pub fn shipped(name: &str) -> Option<Self> {
        let (packs, name) = match name.strip_prefix(CONTROL_PREFIX) {
            Some(benchmark) => (CONTROLS, benchmark),
            None => (EMBEDDED, name),
        };
        let (_, bytes) = packs.iter().find(|(shipped, _)| *shipped == name)?;
        Self::parse(bytes).ok()
    }

    /// The benchmark of which the items were made, if they are control items.
    pub fn control_of(&self) -> Option<&str> {
        self.source.control.then(|| self.name.strip_prefix(CONTROL_PREFIX))?
    }

    /// Number of items with a field of their own: the others stand there for their family.
    pub fn own_items(&self) -> usize {
        self.items.iter().filter(|item| !item.fields.is_empty()).count()
    }

    /// The benchmark's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the benchmark comes from.
    pub fn source(&self) -> &PackSource {
        &self.source
    }

    /// The items, in the order of the benchmark.
    pub fn items(&self) -> &[PackItem] {
        &self.items
    }

    /// What there is to say of it.
    pub fn info(&self) -> PackInfo {
        PackInfo {
            name: self.name.clone(),
            version: VERSION,
            items: self.items.len(),
            fields: self.fields().count(),
            ngrams: self.fields().map(|field| field.hashes.len()).sum(),
            families: self
                .items
                .iter()
                .map(|item| &item.family)
                .collect::<BTreeSet<_>>()
                .len(),
            report_only: self.source.report_only,
            url: self.source.url.clone(),
            license: self.source.license.clone(),
            sha256: self.source.sha256.clone(),
        }
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &PackField> {
        self.items.iter().flat_map(|item| &item.fields)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stackmill_schemas::error::ErrorKind;

    use super::super::build::build_pack;
    use super::super::tests::{item, items, pack_of, source};
    use super::*;
    use stackmill_schemas::benchmark::BenchmarkItem;

    /// Fields and hashes of the pack of [`items`].
    const FIELDS_STORED: usize = 12;
    const HASHES_STORED: usize = 162;

    fn bytes() -> Vec<u8> {
        build_pack("harbour", &source(), &items()).expect("the items are sound")
    }

    /// `bytes` with a checksum that fits them.
    fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
        let body = bytes.len().saturating_sub(8);
        let sum = xxhash_rust::xxh3::xxh3_64(&bytes[..body]);
        bytes.truncate(body);
        bytes.extend(sum.to_le_bytes());
        bytes
    }

    #[test]
    fn a_pack_comes_back_as_it_went() {
        let pack = Pack::parse(&bytes()).expect("a sound pack");
        assert_eq!((pack.name(), pack.source()), ("harbour", &source()));
        let ids: Vec<_> = pack.items().iter().map(|item| item.id.as_str()).collect();
        assert_eq!(ids, ["Harbour/1", "Harbour/2"]);
        let words: Vec<_> = pack
            .fields()
            .filter(|field| field.channel == Channel::Words)
            .map(|field| (field.field, field.units, field.hashes.len()))
            .collect();
        let expected = [
            (Field::Prompt, 36, 31),
            (Field::Docstring, 26, 21),
            (Field::Solution, 24, 19),
            (Field::Tests, 20, 15),
            (Field::Prompt, 15, 10),
            (Field::Solution, 9, 4),
        ];
        assert_eq!(words, expected);
        assert_eq!(encode(&pack).expect("a sound pack"), bytes());
        let info = pack.info();
        assert_eq!((info.items, info.families, info.version), (2, 2, 3));
        assert_eq!((info.fields, info.ngrams), (FIELDS_STORED, HASHES_STORED));
    }

    #[test]
    fn fields_too_short_for_an_ngram_are_left_out() {
        let short = [
            item("A", &[(Field::Prompt, "five words are not enough")]),
            item("B", &[(Field::Tests, "a b c d e f")]),
        ];
        let pack = pack_of("short", &short);
        assert_eq!((pack.items()[0].fields.len(), pack.items()[1].fields.len()), (0, 1));
        let error = build_pack("short", &source(), &short[..1]).expect_err("nothing to look for");
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn what_cannot_be_stored_is_refused() {
        let refused = |name: &str, source: &PackSource, items: &[BenchmarkItem]| {
            build_pack(name, source, items).map_err(|error| error.kind()) == Err(ErrorKind::Config)
        };
        let text = [(Field::Prompt, "a b c d e f g")];
        for name in ["", "Harbour", "a/b", "a b", &"a".repeat(65)] {
            assert!(refused(name, &source(), &items()), "{name}");
        }
        for id in ["", "a\nb", &"a".repeat(201)] {
            assert!(refused("harbour", &source(), &[item(id, &text)]), "{id}");
        }
        assert!(refused("harbour", &source(), &[item("A", &text), item("A", &text)]));
        for sha256 in ["", "0f", &"g".repeat(64), &"é".repeat(32)] {
            assert!(
                refused(
                    "harbour",
                    &PackSource {
                        sha256: sha256.into(),
                        ..source()
                    },
                    &items()
                ),
                "{sha256}"
            );
        }
        assert!(refused(
            "harbour",
            &PackSource {
                url: "u".repeat(65_536),
                ..source()
            },
            &items()
        ));
    }

    #[test]
    fn no_text_can_be_read_out() {
        let bytes = bytes();
        let folded = bytes.to_ascii_lowercase();
        let holds = |needle: &[u8]| folded.windows(needle.len()).any(|window| window == needle);
        for text in items()
            .iter()
            .flat_map(|item| &item.fields)
            .map(|(_, text)| text.to_ascii_lowercase())
        {
            for piece in text.as_bytes().windows(8) {
                assert!(!holds(piece), "{}", String::from_utf8_lossy(piece));
            }
            for word in stackmill_schemas::text::words(text.as_bytes()).filter(|word| word.bytes.len() >= 4) {
                assert!(!holds(word.bytes), "{}", String::from_utf8_lossy(word.bytes));
            }
        }
        assert!(
            holds(b"harbour/2"),
            "ids are there, so the search above can find things"
        );
    }

    #[test]
    fn a_pack_is_ids_counts_and_hashes_and_nothing_else() {
        let names = ["harbour", &source().url, &source().license]
            .iter()
            .map(|text| 2 + text.len())
            .sum::<usize>();
        let items = 2 * (1 + "Harbour/1".len() + 3);
        assert_eq!(
            bytes().len(),
            8 + 2 * 4
                + 5
                + 8
                + 32
                + 1
                + names
                + 1
                + 3 * 4
                + items
                + 12 * FIELDS_STORED
                + HASH_BYTES * HASHES_STORED
                + 8
        );
    }

    #[test]
    fn neither_order_nor_repetition_of_words_is_stored() {
        let once = "a b c d e f a b c d e"; // n-grams abcdef bcdefa cdefab defabc efabcd fabcde
        let turned = "d e f a b c d e f a b"; // the same six, in another order
        let pack = |text| pack_of("order", &[item("A", &[(Field::Prompt, text)])]);
        assert_eq!(pack(once), pack(turned));
    }

    #[test]
    fn shipped_packs_are_sound_small_and_look_random() {
        let names: Vec<_> = EMBEDDED.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, SHIPPED);
        for (name, bytes) in EMBEDDED {
            let pack = Pack::parse(bytes).expect("shipped packs are sound");
            assert_eq!(Pack::shipped(name), Some(pack.clone()));
            assert_eq!(pack.name(), *name);
            assert!(bytes.len() < 5 << 20, "{name} has {} bytes", bytes.len());
            // Of long fields the smallest hashes are kept, so that upper bytes are not quite even.
            let hashes = pack.fields().filter(|field| field.channel != Channel::Bag);
            let hashes: Vec<u8> = hashes
                .flat_map(|field| &field.hashes)
                .flat_map(|hash| hash.to_le_bytes().into_iter().take(HASH_BYTES))
                .collect();
            assert!(bits_per_byte(&hashes) > 7.5, "{name}");
        }
        let items = |name| Pack::shipped(name).map(|pack| pack.items().len());
        assert_eq!(
            [items("humaneval"), items("mbpp"), items("harbour")],
            [Some(164), Some(974), None]
        );
    }

    /// Shannon entropy of single bytes; English and code have 4 to 5 bits.
    fn bits_per_byte(bytes: &[u8]) -> f64 {
        let mut counts = [0.0f64; 256];
        bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1.0);
        let shares = counts
            .iter()
            .filter(|count| **count > 0.0)
            .map(|count| count / bytes.len() as f64);
        shares.map(|share| -share * share.log2()).sum()
    }

    #[test]
    fn damage_is_refused() {
        let sound = bytes();
        for length in 0..sound.len() {
            assert_eq!(
                Pack::parse(&sound[..length]).map_err(|error| error.kind()),
                Err(ErrorKind::Input),
                "{length}"
            );
        }
        for i in 0..sound.len() {
            let mut bytes = sound.clone();
            bytes[i] ^= 1;
            assert!(Pack::parse(&bytes).is_err(), "byte {i}");
        }
        assert!(Pack::parse(&[sound, vec![0]].concat()).is_err());
    }

    #[test]
    fn lies_under_a_fitting_checksum_are_refused() {
        let sound = bytes();
        let message = |at: usize, with: &[u8]| {
            let mut bytes = sound.clone();
            bytes[at..at + with.len()].copy_from_slice(with);
            Pack::parse(&sealed(bytes)).expect_err("it lies").message().to_owned()
        };
        let names = (2 + 7) + (2 + source().url.len()) + (2 + source().license.len());
        let counts = 8 + 2 * 4 + 5 + 8 + 32 + 1 + names + 1;
        let first_item = counts + 12;
        let hashes = sound.len() - 8 - HASHES_STORED * HASH_BYTES;
        let fields = hashes - 12 * FIELDS_STORED;
        assert!(message(8, &1u32.to_le_bytes()).contains("version 1"));
        assert!(message(12, &[7]).contains("n-gram length"));
        assert!(message(61, &[2]).contains("control items are of no"));
        assert!(message(64, b"H").contains("no name"));
        assert!(message(counts, &u32::MAX.to_le_bytes()).contains("damaged"));
        assert!(message(counts + 4, &u32::MAX.to_le_bytes()).contains("damaged"));
        assert!(message(counts + 8, &(1 + HASHES_STORED as u32).to_le_bytes()).contains("contradict"));
        assert!(message(first_item + 10, &[FAMILY_AS_BEFORE]).contains("no item is before"));
        assert!(message(first_item + 11, &[0]).contains("unknown language"));
        assert!(message(hashes, &[0xff; HASH_BYTES]).contains("hashes of a field are out of order"));
        assert!(message(fields, &[9]).contains("unknown kind"));
        assert!(message(fields + 1, &[9]).contains("unknown channel"));
        assert!(message(fields, &[2]).contains("out of order"));
        assert!(message(fields + 2, &[35]).contains("more n-grams"));
        assert!(message(fields + 6, &[30]).contains("more n-grams"));
    }

    #[test]
    fn families_and_languages_come_back() {
        let made = |id: &str, family: &str, language: Option<&str>| BenchmarkItem {
            id: id.into(),
            family: family.into(),
            language: language.map(Into::into),
            fields: vec![(Field::Prompt, format!("some words that only item {id} has {id}"))],
        };
        let list = [
            made("A/1", "A/1", Some("Python")),
            made("B/1", "A/1", Some("Rust")),
            made("C/1", "A/1", None),
            made("D", "E", Some("Python")),
        ];
        let pack = pack_of("families", &list);
        let back: Vec<_> = pack
            .items()
            .iter()
            .map(|item| (item.family.as_str(), item.language.as_deref()))
            .collect();
        assert_eq!(
            back,
            [
                ("A/1", Some("Python")),
                ("A/1", Some("Rust")),
                ("A/1", None),
                ("E", Some("Python"))
            ]
        );
    }

    proptest! {
        #[test]
        fn hostile_bytes_never_panic(changes in proptest::collection::vec((any::<usize>(), any::<u8>()), 1..6), cut in any::<usize>()) {
            let mut bytes = bytes();
            for (at, byte) in changes {
                let at = at % bytes.len();
                bytes[at] = byte;
            }
            bytes.truncate(bytes.len() - cut % 40);
            // Whatever it answers, what it accepts must be written the same way again.
            let bytes = sealed(bytes);
            if let Ok(pack) = Pack::parse(&bytes) {
                prop_assert_eq!(encode(&pack).expect("it was read from a pack"), bytes);
            }
        }
    }
}
