//! Benchmark packs: what is known of a benchmark, as hashes. No text of an item can be read out of a pack.
//!
//! ```text
//!   magic      8 bytes   "SMPACK\r\n"
//!   version    u32       1
//!   n-gram     u32       words in an n-gram: 6
//!   bits       u32       bits of an n-gram hash: 40
//!   seed       u64       seed of the word hashes
//!   sha256     32 bytes  of the benchmark's own file, unpacked
//!   name       u16 length, bytes      then url and license in the same way
//!   counts     u32 items, u32 fields, u32 hashes
//!   items      one after the other:   u8 length of id, id, u8 number of fields
//!   fields     in order of items:     u8 kind (0 prompt, 1 solution, 2 tests), u16 words, u16 hashes
//!   hashes     in order of fields:    40 bits each, ascending, each once
//!   checksum   u64       xxh3-64 of everything before it
//! ```
//! Numbers are little endian. A change of layout, of what a word is or of how it is hashed raises `version`.
//!
//! **What a pack gives away.** The hashes of a field are sorted, so neither order nor repetition is stored. A hash has
//! 40 bits: any guessed line of common words can be tested against it, but of the 10^18 sequences of six words out of a
//! vocabulary of 1,000 about a million share each hash, so that going through all of them (which is the attack that
//! shorter n-grams would allow) yields mostly wrong ones. Whoever holds part of an item can still confirm it, and can
//! try to lengthen it word by word: packs keep benchmark text out of corpora and repositories, they do not keep
//! secrets. A benchmark that must stay secret should not be packed for others.

use std::collections::BTreeSet;

use stackmill_schemas::benchmark::{BenchmarkItem, Field};
use stackmill_schemas::error::{Error, Result};
use stackmill_schemas::ids::hex;

use super::words::{self, HASH_BITS, NGRAM_WORDS, SEED};

/// Version of the layout.
const VERSION: u32 = 1;
/// The first bytes; the line end shows damage by text-mode transfers.
const MAGIC: &[u8; 8] = b"SMPACK\r\n";
/// Bytes of one hash.
const HASH_BYTES: usize = HASH_BITS as usize / 8;
/// Words of a field that are looked at; the rest of a longer one is left out.
const MAX_FIELD_WORDS: usize = u16::MAX as usize;
/// Longest id, in bytes.
const MAX_ID_BYTES: usize = 200;
/// Longest name, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Packs that come with the program: name and bytes.
static EMBEDDED: &[(&str, &[u8])] = &[
    ("humaneval", include_bytes!("../../packs/humaneval.pack")),
    ("mbpp", include_bytes!("../../packs/mbpp.pack")),
];

/// Names of the packs that come with the program.
pub static SHIPPED: &[&str] = &["humaneval", "mbpp"];

/// Where a benchmark comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackSource {
    /// Where its own file is published.
    pub url: String,
    /// License of that file, as published.
    pub license: String,
    /// SHA-256 of that file, unpacked if it was compressed: 64 hexadecimal digits.
    pub sha256: String,
}

/// One field of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackField {
    /// What it is for.
    pub field: Field,
    /// Its length in words.
    pub words: usize,
    /// Hashes of its n-grams: ascending, each once, never none.
    pub hashes: Vec<u64>,
}

/// One item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackItem {
    /// Its id.
    pub id: String,
    /// Its fields, in order of [`Field`]; those too short for an n-gram are not there.
    pub fields: Vec<PackField>,
}

/// A benchmark as hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pack {
    name: String,
    source: PackSource,
    items: Vec<PackItem>,
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
    /// Length of an n-gram in words.
    pub ngram_words: usize,
    /// Where the benchmark's own file is published.
    pub url: String,
    /// License of that file.
    pub license: String,
    /// SHA-256 of that file, unpacked.
    pub sha256: String,
}

/// The bytes of the pack of `items`: the same for the same input. `name` becomes the rule in verdicts.
///
/// # Errors
/// Kind config, for a name, an id or a source that cannot be stored, and for items without any n-gram.
pub fn build_pack(name: &str, source: &PackSource, items: &[BenchmarkItem]) -> Result<Vec<u8>> {
    check_name(name)?;
    let pack = Pack {
        name: name.to_owned(),
        source: source.clone(),
        items: items.iter().map(pack_item).collect(),
    };
    if pack.fields().next().is_none() {
        return Err(Error::config(format!(
            "benchmark `{name}` has no field of at least {NGRAM_WORDS} words"
        )));
    }
    check_items(&pack.items)?;
    encode(&pack)
}

fn check_name(name: &str) -> Result<()> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.bytes().all(fits) {
        return Err(Error::config(format!("`{name}` is no name of a benchmark"))
            .hint("up to 64 lower-case letters, digits, `-` and `_`"));
    }
    Ok(())
}

fn check_items(items: &[PackItem]) -> Result<()> {
    let mut seen = BTreeSet::new();
    for PackItem { id, fields } in items {
        if id.is_empty() || id.len() > MAX_ID_BYTES || id.chars().any(char::is_control) {
            return Err(Error::config(format!("`{}` is no id of an item", id.escape_debug()))
                .hint(format!("1 to {MAX_ID_BYTES} bytes without control characters")));
        }
        if !seen.insert(id) {
            return Err(Error::config(format!("item `{id}` is there twice")));
        }
        if !fields.is_sorted_by(|a, b| a.field < b.field) {
            return Err(Error::config(format!(
                "a field of item `{id}` is there twice or out of order"
            )));
        }
    }
    Ok(())
}

fn pack_item(item: &BenchmarkItem) -> PackItem {
    let mut fields: Vec<PackField> = item
        .fields
        .iter()
        .filter(|(field, _)| FIELDS.contains(field))
        .filter_map(|(field, text)| pack_field(*field, text))
        .collect();
    fields.sort_by_key(|field| field.field);
    PackItem {
        id: item.id.clone(),
        fields,
    }
}

fn pack_field(field: Field, text: &str) -> Option<PackField> {
    let mut hashes = BTreeSet::new();
    let words = words::scan(text.as_bytes(), |gram| {
        if gram.word + NGRAM_WORDS <= MAX_FIELD_WORDS {
            hashes.insert(gram.hash);
        }
    });
    (!hashes.is_empty()).then(|| PackField {
        field,
        words: words.min(MAX_FIELD_WORDS),
        hashes: hashes.into_iter().collect(),
    })
}

fn encode(pack: &Pack) -> Result<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    for number in [VERSION, NGRAM_WORDS as u32, HASH_BITS] {
        out.extend(number.to_le_bytes());
    }
    out.extend(SEED.to_le_bytes());
    out.extend(digest(&pack.source.sha256)?);
    for text in [&pack.name, &pack.source.url, &pack.source.license] {
        out.extend(narrow::<u16>(text.len(), "bytes of a name")?.to_le_bytes());
        out.extend(text.as_bytes());
    }
    let hashes = pack.fields().map(|field| field.hashes.len()).sum();
    for count in [pack.items.len(), pack.fields().count(), hashes] {
        out.extend(narrow::<u32>(count, "entries of a table")?.to_le_bytes());
    }
    for item in &pack.items {
        out.push(narrow(item.id.len(), "bytes of an id")?);
        out.extend(item.id.as_bytes());
        out.push(narrow(item.fields.len(), "fields of an item")?);
    }
    for field in pack.fields() {
        out.push(kind_of(field.field));
        out.extend(narrow::<u16>(field.words, "words of a field")?.to_le_bytes());
        out.extend(narrow::<u16>(field.hashes.len(), "hashes of a field")?.to_le_bytes());
    }
    for hash in pack.fields().flat_map(|field| &field.hashes) {
        out.extend(&hash.to_le_bytes()[..HASH_BYTES]);
    }
    out.extend(xxhash_rust::xxh3::xxh3_64(&out).to_le_bytes());
    Ok(out)
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

/// The kinds of fields that a pack holds: the others are parts of these.
const FIELDS: [Field; 3] = [Field::Prompt, Field::Solution, Field::Tests];

fn kind_of(field: Field) -> u8 {
    match field {
        Field::Prompt | Field::Docstring | Field::Signature => 0,
        Field::Solution => 1,
        Field::Tests | Field::Examples => 2,
    }
}

impl Pack {
    /// Reads a pack: every length, the order of hashes and the checksum are verified.
    ///
    /// # Errors
    /// Kind input, for anything that [`build_pack`] of this version did not write.
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
        let (name, url, license) = (reader.text16()?, reader.text16()?, reader.text16()?);
        check_name(&name).map_err(|error| damaged(error.message()))?;
        let items = read_items(&mut reader)?;
        check_items(&items).map_err(|error| damaged(error.message()))?;
        Ok(Self {
            name,
            source: PackSource { url, license, sha256 },
            items,
        })
    }

    /// The pack of this name that comes with the program.
    pub fn shipped(name: &str) -> Option<Self> {
        let (_, bytes) = EMBEDDED.iter().find(|(shipped, _)| *shipped == name)?;
        Self::parse(bytes).ok()
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
            ngram_words: NGRAM_WORDS,
            url: self.source.url.clone(),
            license: self.source.license.clone(),
            sha256: self.source.sha256.clone(),
        }
    }

    fn fields(&self) -> impl Iterator<Item = &PackField> {
        self.items.iter().flat_map(|item| &item.fields)
    }
}

fn check_version(reader: &mut Reader<'_>) -> Result<()> {
    let (version, words, bits, seed) = (reader.u32()?, reader.u32()?, reader.u32()?, reader.u64()?);
    if version != VERSION {
        return Err(
            Error::input(format!("the pack has version {version}, this program reads {VERSION}"))
                .hint("build it again with `stackmill benchmarks build`"),
        );
    }
    if (words, bits, seed) != (NGRAM_WORDS as u32, HASH_BITS, SEED) {
        return Err(damaged(
            "n-gram length, hash width or seed are not those of its version",
        ));
    }
    Ok(())
}

fn check_sum(bytes: &[u8]) -> Result<()> {
    let Some((body, sum)) = bytes.split_last_chunk::<8>() else {
        return Err(damaged("it ends too early"));
    };
    if xxhash_rust::xxh3::xxh3_64(body) != u64::from_le_bytes(*sum) {
        return Err(damaged("its checksum does not fit"));
    }
    Ok(())
}

/// Everything between the counts and the checksum. Tables grow only by what has been read, so a count that lies costs
/// nothing.
fn read_items(reader: &mut Reader<'_>) -> Result<Vec<PackItem>> {
    let (items, fields, hashes) = (reader.u32()?, reader.u32()?, reader.u32()?);
    let mut out = Vec::new();
    let mut sizes = Vec::new();
    for _ in 0..items {
        let length = usize::from(reader.u8()?);
        let id = reader.text(length)?;
        sizes.push(usize::from(reader.u8()?));
        out.push(PackItem { id, fields: Vec::new() });
    }
    let table = (0..fields).map(|_| read_field(reader)).collect::<Result<Vec<_>>>()?;
    let total: usize = table.iter().map(|(_, _, count)| count).sum();
    if sizes.iter().sum::<usize>() != table.len() || total as u64 != u64::from(hashes) {
        return Err(damaged("its counts contradict each other"));
    }
    let mut table = table.into_iter();
    for (item, size) in out.iter_mut().zip(sizes) {
        for (field, words, count) in table.by_ref().take(size) {
            let hashes = read_hashes(reader, count)?;
            item.fields.push(PackField { field, words, hashes });
        }
    }
    if reader.rest.len() != 8 {
        return Err(damaged("something follows the hashes"));
    }
    Ok(out)
}

fn read_field(reader: &mut Reader<'_>) -> Result<(Field, usize, usize)> {
    let kind = usize::from(reader.u8()?);
    let (words, hashes) = (usize::from(reader.u16()?), usize::from(reader.u16()?));
    let field = *FIELDS.get(kind).ok_or_else(|| damaged("a field has an unknown kind"))?;
    if hashes == 0 || hashes + NGRAM_WORDS > words + 1 {
        return Err(damaged("a field has more n-grams than its words allow, or none"));
    }
    Ok((field, words, hashes))
}

fn read_hashes(reader: &mut Reader<'_>, count: usize) -> Result<Vec<u64>> {
    let bytes = reader.take(count * HASH_BYTES)?;
    let hashes: Vec<u64> = bytes
        .chunks_exact(HASH_BYTES)
        .map(|chunk| chunk.iter().rev().fold(0, |hash, &byte| hash << 8 | u64::from(byte)))
        .collect();
    if !hashes.is_sorted_by(|a, b| a < b) {
        return Err(damaged("the hashes of a field are out of order"));
    }
    Ok(hashes)
}

fn damaged(how: &str) -> Error {
    Error::input(format!("the pack is damaged: {how}")).hint("build it again with `stackmill benchmarks build`")
}

/// Takes bytes off the front, never more than there are.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (head, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or_else(|| damaged("it ends too early"))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (head, rest) = self
            .rest
            .split_first_chunk()
            .ok_or_else(|| damaged("it ends too early"))?;
        self.rest = rest;
        Ok(*head)
    }

    fn u8(&mut self) -> Result<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self, length: usize) -> Result<String> {
        let bytes = self.take(length)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| damaged("a name is no UTF-8"))
    }

    fn text16(&mut self) -> Result<String> {
        let length = usize::from(self.u16()?);
        self.text(length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stackmill_schemas::error::ErrorKind;

    use super::super::tests::{item, items, pack_of, source};
    use super::*;

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

    fn hash_section(bytes: &[u8]) -> &[u8] {
        let hashes = Pack::parse(bytes).expect("a sound pack").info().ngrams;
        &bytes[bytes.len() - 8 - hashes * HASH_BYTES..bytes.len() - 8]
    }

    #[test]
    fn a_pack_comes_back_as_it_went() {
        let pack = Pack::parse(&bytes()).expect("a sound pack");
        assert_eq!((pack.name(), pack.source()), ("harbour", &source()));
        let ids: Vec<_> = pack.items().iter().map(|item| item.id.as_str()).collect();
        assert_eq!(ids, ["Harbour/1", "Harbour/2"]);
        let words: Vec<_> = pack
            .fields()
            .map(|field| (field.field, field.words, field.hashes.len()))
            .collect();
        let expected = [
            (Field::Prompt, 36, 31),
            (Field::Solution, 24, 19),
            (Field::Tests, 20, 15),
            (Field::Prompt, 15, 10),
            (Field::Solution, 9, 4),
        ];
        assert_eq!(words, expected);
        assert_eq!(encode(&pack).expect("a sound pack"), bytes());
        let info = pack.info();
        assert_eq!((info.items, info.fields, info.ngrams, info.version), (2, 5, 79, 1));
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
        assert!(refused("harbour", &source(), &[item("A", &[text[0], text[0]])]));
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
    fn long_fields_are_cut() {
        let mut text: String = (0..MAX_FIELD_WORDS).map(|i| format!("w{i} ")).collect();
        let full = pack_of("long", &[item("A", &[(Field::Tests, &text)])]);
        assert_eq!(
            full.items()[0].fields[0].hashes.len(),
            MAX_FIELD_WORDS - NGRAM_WORDS + 1
        );
        text.push_str("and more of it");
        assert_eq!(pack_of("long", &[item("A", &[(Field::Tests, &text)])]), full);
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
        let items = 2 * (1 + "Harbour/1".len() + 1);
        assert_eq!(
            bytes().len(),
            8 + 3 * 4 + 8 + 32 + names + 3 * 4 + items + 5 * 5 + 79 * HASH_BYTES + 8
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
            assert!(bytes.len() < 300 * 1024, "{name} has {} bytes", bytes.len());
            assert!(bits_per_byte(hash_section(bytes)) > 7.99);
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
        let counts = 8 + 3 * 4 + 8 + 32 + (2 + 7) + (2 + source().url.len()) + (2 + source().license.len());
        let hashes = sound.len() - 8 - 79 * HASH_BYTES;
        assert!(message(8, &2u32.to_le_bytes()).contains("version 2"));
        assert!(message(12, &7u32.to_le_bytes()).contains("n-gram length"));
        assert!(message(62, b"H").contains("no name"));
        assert!(message(counts, &u32::MAX.to_le_bytes()).contains("damaged"));
        assert!(message(counts + 4, &u32::MAX.to_le_bytes()).contains("damaged"));
        assert!(message(counts + 8, &80u32.to_le_bytes()).contains("contradict"));
        assert!(message(hashes, &[0xff; HASH_BYTES]).contains("hashes of a field are out of order"));
        assert!(message(hashes - 25, &[9]).contains("unknown kind"));
        assert!(message(hashes - 25, &[2]).contains("a field of item `Harbour/1` is there twice"));
        assert!(message(hashes - 20, &[0]).contains("a field of item `Harbour/1` is there twice"));
        assert!(message(hashes - 24, &[35]).contains("more n-grams"));
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
