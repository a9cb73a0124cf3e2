//! Files that may be compressed, told apart by their first bytes, and inflated under counted limits.

use std::io::{BufRead, BufReader, Error as IoError, ErrorKind as Io, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use stackmill_schemas::path::escape;
use stackmill_schemas::{Error, Result, TaskContext};
use zstd::stream::read::Decoder as ZstdDecoder;

use super::place::{Hashing, Input};
use crate::store::{Reader, ours};

/// Output from which on the ratio is judged: short runs of equal bytes are no bombs.
pub(super) const JUDGED_FROM: u64 = 16 << 20;

/// Most memory that the dictionary of an xz file may ask for, in KiB: what `xz -9` asks for, and as much again (128 MiB).
const XZ_KIBIBYTES: u32 = 128 << 10;

type Raw = BufReader<Hashing<Reader>>;

enum Decoder {
    Plain(Raw),
    Gzip(Box<MultiGzDecoder<Raw>>),
    Zstd(Box<ZstdDecoder<'static, Raw>>),
    Bzip2(Box<MultiBzDecoder<Raw>>),
    Xz(Box<XzReader<Raw>>),
}

impl Decoder {
    /// The decoder that the first bytes of `raw` ask for.
    fn of(mut raw: Raw) -> std::io::Result<Self> {
        Ok(match raw.fill_buf()? {
            [0x1f, 0x8b, ..] => Self::Gzip(Box::new(MultiGzDecoder::new(raw))),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd(Box::new(ZstdDecoder::with_buffer(raw)?)),
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => Self::Bzip2(Box::new(MultiBzDecoder::new(raw))),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => {
                Self::Xz(Box::new(XzReader::new_mem_limit(raw, true, XZ_KIBIBYTES)))
            }
            _ => Self::Plain(raw),
        })
    }

    /// What is read from.
    fn raw(&self) -> &Raw {
        match self {
            Self::Plain(raw) => raw,
            Self::Gzip(decoder) => decoder.get_ref(),
            Self::Zstd(decoder) => decoder.get_ref(),
            Self::Bzip2(decoder) => decoder.get_ref(),
            Self::Xz(decoder) => decoder.inner(),
        }
    }

    fn into_raw(self) -> Raw {
        match self {
            Self::Plain(raw) => raw,
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
            Self::Bzip2(decoder) => decoder.into_inner(),
            Self::Xz(decoder) => decoder.into_inner(),
        }
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(raw) => raw.read(buffer),
            Self::Gzip(decoder) => decoder.read(buffer),
            Self::Zstd(decoder) => decoder.read(buffer),
            Self::Bzip2(decoder) => decoder.read(buffer),
            // What a file asks for is not what this machine is short of.
            Self::Xz(decoder) => decoder.read(buffer).map_err(|error| match error.kind() {
                Io::OutOfMemory => IoError::new(Io::InvalidData, "it asks for too much memory"),
                _ => error,
            }),
        }
    }
}

/// What inflating may cost.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Most bytes of output.
    pub(super) bytes: u64,
    /// Most bytes of output for a byte of input.
    pub(super) ratio: u64,
}

/// A file as it is without compression; the file itself is hashed on the way.
pub(super) struct Inflated {
    decoder: Decoder,
    /// What stands for the file, where a store told it beforehand.
    revision: Option<String>,
    limits: Limits,
    out: u64,
}

impl Inflated {
    /// Opens a file and looks at its first bytes.
    pub(super) fn open(input: &Input, limits: Limits) -> Result<Self> {
        Self::through(input, limits, Hashing::new)
    }

    /// As [`Inflated::open`], for contents that are held against ids of their own: the file itself is not hashed.
    pub(super) fn unhashed(input: &Input, limits: Limits) -> Result<Self> {
        Self::through(input, limits, Hashing::without_hash)
    }

    fn through(input: &Input, limits: Limits, count: fn(Reader) -> Hashing<Reader>) -> Result<Self> {
        let (reader, revision) = input.open()?;
        let unreadable = |error: &IoError| cannot_begin(input, error);
        let raw = BufReader::with_capacity(1 << 16, count(reader));
        let decoder = Decoder::of(raw).map_err(|error| unreadable(&error))?;
        Ok(Self {
            decoder,
            revision,
            limits,
            out: 0,
        })
    }

    /// Bytes of the file that were read so far.
    fn consumed(&self) -> u64 {
        self.decoder.raw().get_ref().length()
    }

    fn is_bomb(&self) -> Option<String> {
        if self.out > self.limits.bytes {
            return Some(format!("archive bomb: more than {} bytes", self.limits.bytes));
        }
        let too_dense = self.out > JUDGED_FROM && self.out / self.limits.ratio > self.consumed();
        too_dense.then(|| {
            format!(
                "archive bomb: more than {} bytes for each byte of the file",
                self.limits.ratio
            )
        })
    }

    /// Reads what is left and returns what stands for the file itself: its sha256, or what its store says.
    pub(super) fn finish(mut self, cx: &TaskContext) -> Result<String> {
        let mut buffer = vec![0; 1 << 16];
        while self.read(&mut buffer).map_err(|error| broken(&error))? > 0 {
            cx.check()?;
        }
        self.digest(cx)
    }

    /// As [`Inflated::finish`]; what is left of it is not inflated.
    pub(super) fn digest(self, cx: &TaskContext) -> Result<String> {
        if let Some(revision) = self.revision {
            return Ok(revision);
        }
        let mut hashing = self.decoder.into_raw().into_inner();
        hashing.drain(cx)?;
        Ok(hashing.finish().0)
    }
}

impl Read for Inflated {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.decoder.read(buffer)?;
        self.out += count as u64;
        match self.is_bomb() {
            Some(words) => Err(IoError::new(Io::FileTooLarge, words)),
            None => Ok(count),
        }
    }
}

/// Our error for a file that cannot even be looked at.
fn cannot_begin(input: &Input, error: &IoError) -> Error {
    let words = || Error::input(format!("it cannot be read: {}", error.kind()));
    ours(error).unwrap_or_else(words).context(input.to_string())
}

/// Our error for one of inflating or unpacking a foreign file.
pub(super) fn broken(error: &IoError) -> Error {
    if let Some(ours) = ours(error).or_else(|| Error::shortage(error)) {
        return ours;
    }
    match error.kind() {
        Io::FileTooLarge => Error::input(error.to_string()).hint("raise the limits of the source if it is not hostile"),
        Io::UnexpectedEof => Error::input("the file is cut short"),
        // Decoders quote what they choked on: no byte of a stranger's may reach a terminal as it is.
        _ => Error::input(format!("the file is broken: {}", escape(error.to_string().as_bytes()))),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::Command;

    use flate2::write::GzEncoder;

    use super::super::place::sha256_of;
    use super::super::testing::{context, write};
    use super::*;

    const LIMITS: Limits = Limits {
        bytes: 64 << 20,
        ratio: 200,
    };

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(content).expect("in memory");
        encoder.finish().expect("in memory")
    }

    /// What the system's own tool makes of `content`.
    fn made_by(tool: &str, content: &[u8]) -> Vec<u8> {
        let folder = tempfile::tempdir().expect("tempdir");
        write(&folder.path().join("a"), content);
        let made = Command::new(tool).arg("-9c").arg(folder.path().join("a")).output();
        made.expect("the tool is installed").stdout
    }

    fn inflate(stored: &[u8], limits: Limits) -> Result<Vec<u8>> {
        let folder = tempfile::tempdir().expect("tempdir");
        let (path, cx) = (folder.path().join("a"), context(folder.path()));
        write(&path, stored);
        let mut inflated = Inflated::open(&Input::local(&path), limits)?;
        let mut content = Vec::new();
        inflated.read_to_end(&mut content).map_err(|error| broken(&error))?;
        assert_eq!(
            inflated.finish(&cx).ok(),
            sha256_of(&path, &cx).ok().map(|(hash, _)| hash)
        );
        Ok(content)
    }

    #[test]
    fn every_compression_is_told_by_its_first_bytes() {
        let text = b"fn main() {}\n".repeat(1000);
        let two_members = [gzip(&text), gzip(b"more")].concat();
        assert_eq!(inflate(&text, LIMITS).ok(), Some(text.clone()));
        assert_eq!(
            inflate(&zstd::encode_all(&text[..], 3).expect("zstd"), LIMITS).ok(),
            Some(text.clone())
        );
        assert_eq!(inflate(&two_members, LIMITS).ok(), Some([&text[..], b"more"].concat()));
        for tool in ["bzip2", "xz"] {
            let two_streams = [made_by(tool, &text), made_by(tool, b"more")].concat();
            assert_eq!(
                inflate(&two_streams, LIMITS).ok(),
                Some([&text[..], b"more"].concat()),
                "{tool}"
            );
        }
        assert_eq!(inflate(b"", LIMITS).ok(), Some(Vec::new()));
    }

    #[test]
    fn bombs_are_refused_at_the_limit() {
        let bytes = |bytes| Limits { bytes, ..LIMITS };
        assert!(inflate(&gzip(&[0; 1000]), bytes(1000)).is_ok());
        assert!(
            inflate(&gzip(&[0; 1001]), bytes(1000))
                .expect_err("bytes")
                .message()
                .contains("archive bomb")
        );
        let zeros = vec![0; (JUDGED_FROM + (1 << 20)) as usize];
        assert!(
            inflate(&gzip(&zeros), LIMITS)
                .expect_err("ratio")
                .message()
                .contains("for each byte")
        );
        assert!(inflate(&gzip(&zeros[..JUDGED_FROM as usize]), LIMITS).is_ok());
        let loose = Limits { ratio: 2000, ..LIMITS };
        assert!(inflate(&gzip(&zeros), loose).is_ok());
    }

    #[test]
    fn broken_files_are_errors_of_the_input() {
        let whole = gzip(&b"abc".repeat(1000));
        for end in [1, 5, whole.len() - 9, whole.len() - 1] {
            let error = inflate(&whole[..end.max(3)], LIMITS).expect_err("cut short");
            assert_eq!(error.message(), "the file is cut short", "{end}");
        }
        for whole in [
            whole,
            made_by("bzip2", &b"abc".repeat(1000)),
            made_by("xz", &b"abc".repeat(1000)),
        ] {
            assert!(inflate(&whole[..whole.len() - 9], LIMITS).is_err());
            let (mut flipped, middle) = (whole.clone(), whole.len() / 2);
            flipped[middle] ^= 1;
            assert!(inflate(&flipped, LIMITS).is_err());
        }
    }

    #[test]
    fn an_xz_file_may_not_ask_for_any_memory() {
        let mut stored = made_by("xz", b"abc");
        // The dictionary of the one block: header of the stream 12 bytes, then size, flags, id and size of the filter's
        // properties, and the property itself: 40 stands for 4 GiB. The header's CRC32 follows, padded to four bytes.
        assert_eq!(stored[12..16], [2, 0, 0x21, 1]);
        stored[16] = 40;
        let mut crc = flate2::Crc::new();
        crc.update(&stored[12..20]);
        stored[20..24].copy_from_slice(&crc.sum().to_le_bytes());
        let error = inflate(&stored, LIMITS).expect_err("4 GiB");
        assert!(
            error.is_permanent_trouble() && error.message().contains("memory"),
            "{error}"
        );
    }
}
