//! The HTTP answer in a `response` record.

use std::io::Read as _;

use flate2::read::{MultiGzDecoder, ZlibDecoder};

use super::record::{MOST_HEADERS, header, split};

/// An answer.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) status: u16,
    /// Its `Content-Type`.
    pub(super) media: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// The answer in a block; `most` is what its body may become, else why it is none.
    pub(super) fn parse(block: &[u8], most: u64) -> Result<Self, String> {
        let (head, body) = halves(block).ok_or("the answer has no end of its headers")?;
        let mut lines = head.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
        let status = lines.next().and_then(status).ok_or("the answer has no status")?;
        let headers: Vec<_> = lines.filter_map(split).collect();
        let is_chunked = header(&headers, "Transfer-Encoding").is_some_and(|how| how.eq_ignore_ascii_case("chunked"));
        // Crawlers keep the header of what they have put together already.
        let whole = is_chunked.then(|| joined(body)).flatten();
        let body = whole.as_deref().unwrap_or(body);
        let coding = header(&headers, "Content-Encoding")
            .unwrap_or("identity")
            .to_ascii_lowercase();
        Ok(Self {
            status,
            media: header(&headers, "Content-Type").map(str::to_owned),
            body: decoded(body, &coding, most)?,
        })
    }
}

/// Headers and body.
fn halves(block: &[u8]) -> Option<(&[u8], &[u8])> {
    let head = &block[..block.len().min(MOST_HEADERS)];
    let crlf = memchr::memmem::find(head, b"\r\n\r\n").map(|at| (at, at + 4));
    let lf = memchr::memmem::find(head, b"\n\n").map(|at| (at, at + 2));
    let (end, start) = [crlf, lf].into_iter().flatten().min()?;
    Some((&block[..end], &block[start..]))
}

/// The number in `HTTP/1.1 200 OK`.
fn status(line: &[u8]) -> Option<u16> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix("HTTP/")?;
    line.split(' ').nth(1)?.parse().ok()
}

/// Chunks put together; none where they are no chunks.
///
/// ```text
///   size in hexadecimal [; …]⏎ bytes⏎ … 0⏎
/// ```
fn joined(body: &[u8]) -> Option<Vec<u8>> {
    let (mut whole, mut rest) = (Vec::new(), body);
    loop {
        let end = memchr::memchr(b'\n', &rest[..rest.len().min(256)])?;
        let size = std::str::from_utf8(&rest[..end]).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 1..];
        if size == 0 {
            return Some(whole);
        }
        // A page that was cut short ends within a chunk.
        whole.extend_from_slice(&rest[..size.min(rest.len())]);
        if size >= rest.len() {
            return Some(whole);
        }
        rest = rest[size..]
            .strip_prefix(b"\r\n")
            .or_else(|| rest[size..].strip_prefix(b"\n"))?;
    }
}

/// A body without its coding. One that is not in the coding it claims is taken as it is: crawlers keep that header, too.
fn decoded(body: &[u8], coding: &str, most: u64) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let read = match coding {
        "gzip" | "x-gzip" if body.starts_with(&[0x1f, 0x8b]) => {
            MultiGzDecoder::new(body).take(most + 1).read_to_end(&mut out)
        }
        "deflate" if body.first().is_some_and(|first| first & 0xf == 8) => {
            ZlibDecoder::new(body).take(most + 1).read_to_end(&mut out)
        }
        "br" | "zstd" | "compress" => return Err(format!("the answer is encoded as `{coding}`")),
        _ => return Ok(body.to_vec()),
    };
    match read {
        _ if out.len() as u64 > most => Err(format!("longer than {most} bytes")),
        // What could be read of a page that is cut short is a page.
        Ok(_) => Ok(out),
        Err(_) if !out.is_empty() => Ok(out),
        Err(_) => Err("the answer is broken".to_owned()),
    }
}
