//! Raw bytes to text: which encoding a file has, and which files are no text at all.
//!
//! ```text
//!   trouble ─► failed     LFS pointer ─► dropped
//!   byte order mark ► UTF-8? ► UTF-16 without mark? ► NUL byte, magic number, control bytes ─► binary ► legacy guess, proved by decoding all
//! ```
//!
//! Speed on one core: 1.4 GB of UTF-8 a second; the legacy guess reads 69 MB a second, hence at most 64 KiB of a file.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::{FixedSizeBinaryBuilder, StringBuilder};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use serde::{Deserialize, Serialize};
use stackmill_schemas::file::Place;
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{ContentHash, FileBatch, Outcome, Reason, Result, TaskContext, columns};

use super::{extended, optional_strings, string_at};

/// Bytes that the guess of a legacy encoding looks at: detection is a hundred times slower than validation.
const GUESSED_BYTES: usize = 64 * 1024;
/// Bytes before the first one that is not UTF-8 that the guess sees too.
const GUESSED_BEFORE: usize = 1024;
/// Bytes in which control characters are counted.
const CONTROLS_BYTES: usize = 64 * 1024;
/// More control characters than one in this many bytes are no text.
const CONTROLS_SHARE: usize = 50;
/// Longest pointer file that Git LFS writes.
const LFS_BYTES: usize = 1024;
/// First line of every pointer file. Source: Git LFS, `docs/spec.md`.
const LFS_VERSION: &[u8] = b"version https://git-lfs.github.com/spec/v1";

/// First bytes of binary formats that may hold no NUL byte for long.
const MAGIC: &[(&[u8], &str)] = &[
    (b"%PDF-", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"GIF8", "GIF"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"7z\xbc\xaf", "7z"),
    (b"Rar!", "RAR"),
    (b"\x7fELF", "ELF"),
    (b"\xca\xfe\xba\xbe", "Java class or Mach-O"),
    (b"\xd0\xcf\x11\xe0", "OLE"),
    (b"OggS", "Ogg"),
    (b"fLaC", "FLAC"),
    (b"ID3", "MP3"),
    (b"RIFF", "RIFF"),
];

/// Settings of the stage `decode`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct DecodeConfig {
    /// Whether text in an encoding other than UTF-8 and UTF-16 is guessed and decoded; otherwise it is dropped as
    /// undecodable.
    pub legacy: bool,
}

impl Default for DecodeConfig {
    fn default() -> Self {
        Self { legacy: true }
    }
}

/// What the bytes of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// Text, without its byte order mark, and the WHATWG name of the encoding it had.
    Text(Cow<'a, str>, &'static str),
    /// A Git LFS pointer: the file itself is elsewhere.
    LfsPointer,
    /// No text, and what shows it.
    Binary(&'static str),
    /// Perhaps text, but in no encoding that fits all of it; and why.
    Undecodable(&'static str),
}

/// Decides what `bytes` are.
pub fn decode<'a>(bytes: &'a [u8], config: &DecodeConfig) -> Decoded<'a> {
    if is_lfs_pointer(bytes) {
        return Decoded::LfsPointer;
    }
    match Encoding::for_bom(bytes) {
        Some((encoding, length)) => decode_marked(&bytes[length..], encoding),
        None => decode_unmarked(bytes, config),
    }
}

fn is_lfs_pointer(bytes: &[u8]) -> bool {
    bytes.len() <= LFS_BYTES && bytes.starts_with(LFS_VERSION) && memchr::memmem::find(bytes, b"\noid ").is_some()
}

/// What a byte order mark promises must hold.
fn decode_marked<'a>(bytes: &'a [u8], encoding: &'static Encoding) -> Decoded<'a> {
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(text) if text.contains('\0') => Decoded::Binary("NUL byte"),
        Some(text) => Decoded::Text(text, encoding.name()),
        None if memchr::memchr(0, bytes).is_some() && encoding == UTF_8 => Decoded::Binary("NUL byte"),
        None => Decoded::Undecodable("malformed after its byte order mark"),
    }
}

fn decode_unmarked<'a>(bytes: &'a [u8], config: &DecodeConfig) -> Decoded<'a> {
    let utf8 = std::str::from_utf8(bytes);
    if memchr::memchr(0, bytes).is_some() {
        return decode_utf16(bytes).unwrap_or(Decoded::Binary("NUL byte"));
    }
    match utf8 {
        Ok(text) => Decoded::Text(Cow::Borrowed(text), UTF_8.name()),
        Err(error) => match binary(bytes) {
            Some(why) => Decoded::Binary(why),
            None if config.legacy => decode_legacy(bytes, error.valid_up_to()),
            None => Decoded::Undecodable("not UTF-8"),
        },
    }
}

/// UTF-16 without a mark: of source code, nearly every second byte is NUL and none of the others is.
fn decode_utf16(bytes: &[u8]) -> Option<Decoded<'_>> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let nuls = |side: usize| pairs.iter().filter(|pair| pair[side] == 0).count();
    let encoding = match (nuls(0), nuls(1)) {
        (0, high) if 2 * high >= pairs.len() => UTF_16LE,
        (high, 0) if 2 * high >= pairs.len() => UTF_16BE,
        _ => return None,
    };
    // One pair alone proves nothing: two bytes of which one is NUL are as likely a number.
    if !odd.is_empty() || pairs.len() < 2 {
        return None;
    }
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes)?;
    let controls = text.chars().filter(|&character| is_odd_control(character)).count();
    (controls * CONTROLS_SHARE <= pairs.len()).then(|| Decoded::Text(text, encoding.name()))
}

/// Why bytes without NUL that are not UTF-8 are no text, if so.
fn binary(bytes: &[u8]) -> Option<&'static str> {
    if let Some((_, name)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(name);
    }
    let head = &bytes[..bytes.len().min(CONTROLS_BYTES)];
    let controls = head
        .iter()
        .filter(|&&byte| is_odd_control(char::from(byte)) && byte < 0x80)
        .count();
    (controls * CONTROLS_SHARE > head.len()).then_some("control bytes")
}

/// Control characters that text files do not use: all but tab, line ends, form feed, backspace, escape and DOS's end.
fn is_odd_control(character: char) -> bool {
    character.is_control() && !matches!(character, '\t'..='\r' | '\x08' | '\x1a' | '\x1b' | '\u{85}')
}

/// The encoding that chardetng guesses from the text around the first byte that is not UTF-8, if it fits the whole.
fn decode_legacy(bytes: &[u8], first_bad: usize) -> Decoded<'_> {
    let start = first_bad.saturating_sub(GUESSED_BEFORE);
    let end = bytes.len().min(start + GUESSED_BYTES);
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&bytes[start..end], end == bytes.len());
    let encoding = detector.guess(None, Utf8Detection::Deny);
    match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        // Single-byte encodings map every byte, some to controls that no text has.
        Some(text)
            if text
                .chars()
                .any(|c| matches!(c, '\u{80}'..='\u{84}' | '\u{86}'..='\u{9f}')) =>
        {
            Decoded::Undecodable("bytes that no encoding gives a character")
        }
        Some(text) => Decoded::Text(text, encoding.name()),
        None => Decoded::Undecodable("malformed in the likeliest encoding"),
    }
}

/// Replaces `content` by text and adds `content_hash` (of the raw bytes) and `encoding`.
///
/// Files that cannot be read fail (`unreadable`); pointers, binary files and undecodable ones are dropped
/// (`lfs-pointer`, `binary`, `undecodable`). Empty files stay: whether they are wanted is a rule's business.
#[derive(Clone, Debug)]
pub struct Decode {
    config: DecodeConfig,
}

impl Decode {
    /// The stage with these settings.
    pub fn new(config: DecodeConfig) -> Self {
        Self { config }
    }
}

const HASH_BYTES: i32 = 16;

fn added() -> Vec<Field> {
    vec![
        Field::new(columns::CONTENT_HASH, DataType::FixedSizeBinary(HASH_BYTES), true),
        Field::new(columns::ENCODING, DataType::Utf8, true),
    ]
}

impl Map for Decode {
    fn name(&self) -> &str {
        "decode"
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        let output = extended(input, &[(columns::CONTENT, DataType::Binary)], added())?;
        let mut fields = output.fields().to_vec();
        fields[output.index_of(columns::CONTENT)?] = Arc::new(Field::new(columns::CONTENT, DataType::Utf8, true));
        Ok(Arc::new(Schema::new(fields)))
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(self.clone()))
    }
}

impl MapTask for Decode {
    fn map(&mut self, mut batch: FileBatch) -> Result<FileBatch> {
        let rows = batch.num_rows();
        let raw = columns::binaries(batch.record(), columns::CONTENT)?.clone();
        let mut content = StringBuilder::with_capacity(rows, raw.value_data().len());
        let mut hashes = FixedSizeBinaryBuilder::with_capacity(rows, HASH_BYTES);
        let mut encodings = StringBuilder::new();
        for i in 0..rows {
            let text = match unreadable(&batch, &raw, i) {
                None => self.decided(&mut batch, i, raw.value(i)),
                Some(trouble) => {
                    batch.decide(i, Outcome::Failed, place("unreadable"), Reason::trouble(trouble));
                    None
                }
            };
            match &text {
                Some(_) => hashes.append_value(ContentHash::of(raw.value(i)).0)?,
                None => hashes.append_null(),
            }
            content.append_option(text.as_ref().map(|(text, _)| text));
            encodings.append_option(text.as_ref().map(|(_, encoding)| *encoding));
        }
        let arrays: [ArrayRef; 2] = [Arc::new(hashes.finish()), Arc::new(encodings.finish())];
        let decoded = batch.replace_content(content.finish())?;
        added()
            .into_iter()
            .zip(arrays)
            .try_fold(decoded, |batch, (field, array)| batch.with_column(field, array))
    }
}

/// What keeps row `i` from being read, if anything. Masked rows are not asked again: no decision replaces theirs.
fn unreadable(batch: &FileBatch, raw: &dyn Array, i: usize) -> Option<String> {
    let trouble = optional_strings(batch, columns::TROUBLE).and_then(|array| string_at(array, i));
    match trouble {
        Some(trouble) => Some(trouble.to_owned()),
        None if raw.is_null(i) => Some("no content".to_owned()),
        None => None,
    }
}

fn place(rule: &str) -> Place<'_> {
    Place { stage: "decode", rule }
}

impl Decode {
    /// The text of a kept row, or none and a decision.
    fn decided<'a>(&self, batch: &mut FileBatch, i: usize, bytes: &'a [u8]) -> Option<(Cow<'a, str>, &'static str)> {
        if !batch.is_kept(i) {
            return None;
        }
        let (rule, because) = match decode(bytes, &self.config) {
            Decoded::Text(text, encoding) => return Some((text, encoding)),
            Decoded::LfsPointer => ("lfs-pointer", "Git LFS pointer"),
            Decoded::Binary(why) => ("binary", why),
            Decoded::Undecodable(why) => ("undecodable", why),
        };
        batch.decide(i, Outcome::Dropped, place(rule), Reason::entry(because));
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{BinaryArray, RecordBatch, StringArray, UInt64Array};
    use proptest::prelude::*;

    const RUSSIAN: &str =
        "// Эта функция считает сумму всех элементов списка и печатает результат на экран\nint сумма;\n";
    const JAPANESE: &str =
        "// この関数はリストの要素の合計を計算して画面に表示します。日本語のコメントです。\nint x;\n";
    const CHINESE: &str = "// 这个函数计算列表中所有元素的总和并在屏幕上打印结果。这是中文的注释。\nint x;\n";
    const KOREAN: &str = "// 이 함수는 목록에 있는 모든 요소의 합계를 계산하고 결과를 화면에 출력합니다.\nint x;\n";
    const FRENCH: &str = "// Cette méthode vérifie si l'élément a été trouvé à la fin de la liste déjà triée\nint x;\n";

    fn decoded(bytes: &[u8]) -> Decoded<'_> {
        decode(bytes, &DecodeConfig::default())
    }

    fn text(bytes: &[u8]) -> Option<(String, &'static str)> {
        match decoded(bytes) {
            Decoded::Text(text, encoding) => Some((text.into_owned(), encoding)),
            _ => None,
        }
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn legacy_encodings_are_guessed() {
        for (sample, name) in [
            (RUSSIAN, "windows-1251"),
            (RUSSIAN, "KOI8-U"),
            (JAPANESE, "Shift_JIS"),
            (JAPANESE, "EUC-JP"),
            (CHINESE, "GBK"),
            (KOREAN, "EUC-KR"),
            (FRENCH, "windows-1252"),
        ] {
            let encoding = Encoding::for_label(name.as_bytes()).expect("a WHATWG name");
            let (bytes, _, lost) = encoding.encode(sample);
            assert!(!lost, "{name}");
            assert_eq!(text(&bytes), Some((sample.to_owned(), name)));
            let strict = decode(&bytes, &DecodeConfig { legacy: false });
            assert_eq!(strict, Decoded::Undecodable("not UTF-8"));
        }
    }

    #[test]
    fn the_guess_looks_where_the_trouble_is() {
        let mut bytes = "int ascii;\n".repeat(2 * GUESSED_BYTES / 11).into_bytes();
        bytes.extend_from_slice(&encoding_rs::WINDOWS_1251.encode(RUSSIAN).0);
        assert_eq!(text(&bytes).map(|(_, encoding)| encoding), Some("windows-1251"));
    }

    #[test]
    fn marks_are_stripped_and_must_hold() {
        assert_eq!(text(b"\xef\xbb\xbfint x;"), Some(("int x;".to_owned(), "UTF-8")));
        assert_eq!(text(b"\xff\xfei\0n\0"), Some(("in".to_owned(), "UTF-16LE")));
        assert_eq!(text(b"\xfe\xff\0i\0n"), Some(("in".to_owned(), "UTF-16BE")));
        assert_eq!(text(b"\xef\xbb\xbf"), Some((String::new(), "UTF-8")));
        let malformed = Decoded::Undecodable("malformed after its byte order mark");
        assert_eq!(decoded(b"\xef\xbb\xbf\xff"), malformed);
        assert_eq!(decoded(b"\xff\xfea"), malformed);
        assert_eq!(decoded(b"\xff\xfe\0\xd8a\0"), malformed);
        assert_eq!(decoded(b"\xff\xfea\0\0\0"), Decoded::Binary("NUL byte"));
        assert_eq!(decoded(b"\xef\xbb\xbfa\0"), Decoded::Binary("NUL byte"));
    }

    #[test]
    fn nul_bytes_are_binary_or_utf16() {
        assert_eq!(decoded(b"text\0text"), Decoded::Binary("NUL byte"));
        assert_eq!(decoded(b"\0"), Decoded::Binary("NUL byte"));
        assert_eq!(decoded(b"a\0"), Decoded::Binary("NUL byte"));
        assert_eq!(text(b"a\0b\0"), Some(("ab".to_owned(), "UTF-16LE")));
        assert_eq!(text(b"\0a\0b"), Some(("ab".to_owned(), "UTF-16BE")));
        assert_eq!(decoded(b"a\0b\0\0\0"), Decoded::Binary("NUL byte"));
        assert_eq!(decoded(&[1, 0, 2, 0, 3, 0]), Decoded::Binary("NUL byte"));
    }

    #[test]
    fn magic_numbers_and_control_bytes_are_binary() {
        assert_eq!(decoded(b"\x1f\x8b\x08\xff\xff"), Decoded::Binary("gzip"));
        assert_eq!(
            decoded(b"%PDF-1.4 ascii only"),
            Decoded::Text("%PDF-1.4 ascii only".into(), "UTF-8")
        );
        let mut bytes = vec![b'a'; 49];
        bytes.push(0xe9);
        assert!(text(&bytes).is_some());
        bytes[0] = 1;
        assert!(text(&bytes).is_some(), "one control in fifty bytes");
        bytes[1] = 1;
        assert_eq!(decoded(&bytes), Decoded::Binary("control bytes"));
        assert_eq!(
            text(b"\x01\x02 valid UTF-8 stays text").map(|(_, encoding)| encoding),
            Some("UTF-8")
        );
    }

    #[test]
    fn pointers_are_recognised_up_to_their_longest() {
        let pointer = |padding: usize| {
            let mut bytes = LFS_VERSION.to_vec();
            bytes.extend_from_slice(b"\noid sha256:4d7a\nsize 12345\n");
            bytes.resize(bytes.len() + padding, b'x');
            bytes
        };
        let length = pointer(0).len();
        assert_eq!(decoded(&pointer(0)), Decoded::LfsPointer);
        assert_eq!(decoded(&pointer(LFS_BYTES - length)), Decoded::LfsPointer);
        assert!(text(&pointer(LFS_BYTES - length + 1)).is_some());
        assert!(text(LFS_VERSION).is_some(), "a document may quote the first line");
    }

    fn batch(contents: Vec<Option<&[u8]>>, trouble: Vec<Option<&str>>) -> FileBatch {
        let ids = UInt64Array::from_iter_values(0..contents.len() as u64);
        let columns: Vec<(&str, ArrayRef)> = vec![
            (columns::FILE_ID, Arc::new(ids)),
            (columns::CONTENT, Arc::new(BinaryArray::from(contents))),
            (columns::TROUBLE, Arc::new(StringArray::from(trouble))),
        ];
        FileBatch::new(
            RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)))
                .expect("columns fit"),
        )
        .expect("a batch")
    }

    #[test]
    fn the_stage_adds_columns_and_masks_what_is_no_text() {
        let contents: Vec<Option<&[u8]>> = vec![
            Some(b"\xef\xbb\xbfhi"),
            Some(b"a\0b"),
            None,
            Some(b""),
            None,
            Some(b"masked"),
        ];
        let mut input = batch(contents, vec![None, None, Some("broken object"), None, None, None]);
        let earlier = Place {
            stage: "rules",
            rule: "path",
        };
        input.decide(5, Outcome::Dropped, earlier, Reason::default());
        let stage = Decode::new(DecodeConfig::default());
        let schema = stage.schema(&input.record().schema()).expect("fits");
        let output = stage.clone().map(input).expect("decodes");
        assert_eq!(output.record().schema(), schema);
        let content = columns::strings(output.record(), columns::CONTENT).expect("text");
        assert_eq!(
            content.iter().collect::<Vec<_>>(),
            [Some("hi"), None, None, Some(""), None, None]
        );
        let hashes = columns::fixed(output.record(), columns::CONTENT_HASH).expect("hashes");
        assert_eq!(hashes.value(0), ContentHash::of(b"\xef\xbb\xbfhi").0);
        assert!(hashes.is_null(1) && hashes.is_null(5));
        let decisions: Vec<_> = output
            .decisions()
            .iter()
            .map(|d| (d.file_id.0, d.outcome, d.rule.as_str()))
            .collect();
        let dropped = Outcome::Dropped;
        let failed = Outcome::Failed;
        assert_eq!(
            decisions,
            [
                (5, dropped, "path"),
                (1, dropped, "binary"),
                (2, failed, "unreadable"),
                (4, failed, "unreadable")
            ]
        );
    }

    proptest! {
        #[test]
        fn utf8_and_utf16_come_back(sample in "[^\0\u{feff}\u{1}-\u{8}]{3,200}") {
            let expect = |name| Some((sample.clone(), name));
            prop_assert_eq!(text(sample.as_bytes()), expect("UTF-8"));
            let marked = format!("\u{feff}{sample}");
            prop_assert_eq!(text(marked.as_bytes()), expect("UTF-8"));
            prop_assert_eq!(text(&utf16(&marked, u16::to_le_bytes)), expect("UTF-16LE"));
            prop_assert_eq!(text(&utf16(&marked, u16::to_be_bytes)), expect("UTF-16BE"));
        }

        #[test]
        fn what_is_decoded_can_be_encoded_again(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Decoded::Text(text, name) = decoded(&bytes) {
                let encoding = Encoding::for_label(name.as_bytes()).expect("a WHATWG name");
                if encoding.is_single_byte() || encoding == UTF_8 && Encoding::for_bom(&bytes).is_none() {
                    prop_assert_eq!(&*encoding.encode(&text).0, &bytes[..]);
                }
            }
        }
    }
}
