//! The records of a WARC file, one after the other.
//!
//! ```text
//!   WARC/1.0⏎  Name: value⏎ …  ⏎  Content-Length bytes  ⏎⏎        ⏎ is CR LF; a lone LF is understood
//! ```

use std::io::{BufRead, BufReader, Read};

use stackmill_schemas::{Error, Result, TaskContext};

use super::super::SourceConfig;
use super::super::inflate::{Inflated, Limits, broken};
use super::super::place::Input;

/// Most bytes of the headers of one record, and of an HTTP answer: 64 KiB.
pub(super) const MOST_HEADERS: usize = 64 << 10;

/// Names and values.
type Headers = Vec<(String, String)>;

/// One record.
#[derive(Debug, Default)]
pub(super) struct Record {
    headers: Headers,
    /// The block; what lies beyond the limit of an entry is not here.
    pub(super) block: Vec<u8>,
    /// Bytes of the block as announced.
    pub(super) length: u64,
}

impl Record {
    /// A header, by its name in any case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }
}

/// A header, by its name in any case; the first of several.
pub(super) fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.as_str())
}

/// Name and value of a header line.
pub(super) fn split(line: &[u8]) -> Option<(String, String)> {
    let line = String::from_utf8_lossy(line);
    let (name, value) = line.split_once(':')?;
    Some((name.trim().to_owned(), value.trim().to_owned()))
}

/// The records of a file.
pub(super) struct Records {
    reader: BufReader<Inflated>,
    most: u64,
    number: u64,
}

impl Records {
    pub(super) fn open(input: &Input, config: &SourceConfig) -> Result<Self> {
        let limits = Limits {
            bytes: u64::MAX,
            ratio: config.max_ratio,
        };
        Ok(Self {
            reader: BufReader::with_capacity(1 << 16, Inflated::open(input, limits)?),
            most: config.max_entry_bytes,
            number: 0,
        })
    }

    /// The next record and its number; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<(u64, Record)>> {
        self.next_from(0)
    }

    /// The next record whose number is `first` or more; the blocks of those before are passed over.
    pub(super) fn next_from(&mut self, first: u64) -> Result<Option<(u64, Record)>> {
        loop {
            let Some((headers, length)) = self.headers()? else {
                return Ok(None);
            };
            let number = self.number;
            self.number += 1;
            let wanted = if number < first { 0 } else { length.min(self.most) };
            let mut block = Vec::new();
            let read = (&mut self.reader).take(wanted).read_to_end(&mut block);
            let read = read.map_err(|error| broken(&error))? as u64;
            if read < wanted || self.skip(length - wanted)? < length - wanted {
                return Err(Error::input("the file is cut short"));
            }
            if number >= first {
                let record = Record { headers, block, length };
                return Ok(Some((number, record)));
            }
        }
    }

    fn skip(&mut self, bytes: u64) -> Result<u64> {
        let mut rest = (&mut self.reader).take(bytes);
        std::io::copy(&mut rest, &mut std::io::sink()).map_err(|error| broken(&error))
    }

    /// Headers and the length of a block.
    fn headers(&mut self) -> Result<Option<(Headers, u64)>> {
        let mut left = MOST_HEADERS;
        let mut line = self.line(&mut left)?;
        while line.as_deref() == Some(b"") {
            line = self.line(&mut left)?;
        }
        let Some(version) = line else { return Ok(None) };
        if !version.starts_with(b"WARC/") {
            return Err(self.malformed("does not begin with its version"));
        }
        let mut headers = Vec::new();
        loop {
            let line = self
                .line(&mut left)?
                .ok_or_else(|| Error::input("the file is cut short"))?;
            if line.is_empty() {
                break;
            }
            headers.extend(split(&line));
        }
        let length = header(&headers, "Content-Length").and_then(|length| length.parse().ok());
        match length {
            Some(length) => Ok(Some((headers, length))),
            None => Err(self.malformed("does not tell its length")),
        }
    }

    fn malformed(&self, words: &str) -> Error {
        Error::input(format!("the file is broken: record {} {words}", self.number))
    }

    /// A line without its end; none at the end of the file. `left` is how much the headers may still take.
    fn line(&mut self, left: &mut usize) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let read = (&mut self.reader).take(*left as u64).read_until(b'\n', &mut line);
        let read = read.map_err(|error| broken(&error))?;
        *left -= read;
        if *left == 0 {
            return Err(self.malformed(&format!("has more than {MOST_HEADERS} bytes of headers")));
        }
        let end = line
            .iter()
            .rposition(|byte| !matches!(byte, b'\r' | b'\n'))
            .map_or(0, |last| last + 1);
        line.truncate(end);
        Ok((read > 0).then_some(line))
    }

    /// Reads what is left, and returns what stands for the file.
    pub(super) fn finish(self, cx: &TaskContext) -> Result<String> {
        self.reader.into_inner().finish(cx)
    }
}
