//! A web server of files: heads, ranges, entity tags; some paths are refused or never answered well.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// What is under a path.
#[derive(Clone, Debug)]
pub enum Page {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A status instead.
    Status(u16),
    /// Its head as it should be; a status in place of its bytes.
    HeadOf(Vec<u8>, u16),
}

/// A server; it lives as long as the tests.
#[derive(Debug)]
pub struct Web {
    address: String,
}

impl Web {
    /// Serves pages by path; every other path is not found.
    pub fn of<const N: usize>(pages: [(&str, Page); N]) -> Self {
        let pages: BTreeMap<String, Page> = pages.into_iter().map(|(path, page)| (path.to_owned(), page)).collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("because this machine has a loopback address");
        let address = listener.local_addr().expect("because it is bound").to_string();
        let pages = Arc::new(pages);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let pages = pages.clone();
                std::thread::spawn(move || answer(stream, &pages));
            }
        });
        Self { address }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

/// Answers one request; whoever hangs up early is not our business.
fn answer(mut stream: TcpStream, pages: &BTreeMap<String, Page>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let first = lines.next()?.ok()?;
    let (method, rest) = first.split_once(" /")?;
    let page = pages.get(rest.split(' ').next()?);
    let mut range = None;
    for line in lines.map_while(Result::ok).take_while(|line| !line.is_empty()) {
        let lower = line.to_ascii_lowercase();
        range = lower.strip_prefix("range: bytes=").map(str::to_owned).or(range);
    }
    let is_head = method == "HEAD";
    let status = match page {
        None => Err(404),
        Some(Page::Status(status)) => Err(*status),
        Some(Page::HeadOf(_, status)) if !is_head => Err(*status),
        Some(Page::Bytes(bytes) | Page::HeadOf(bytes, _)) => Ok(bytes),
    };
    let (head, body) = match status {
        Err(status) => (format!("{status} x\r\nContent-Length: 0"), &[][..]),
        Ok(bytes) => part(bytes, range.as_deref()),
    };
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(if is_head { &[] } else { body }).ok()
}

/// The head and the bytes of a range, written `first-last`.
fn part<'a>(bytes: &'a [u8], range: Option<&str>) -> (String, &'a [u8]) {
    let tag = format!(
        "ETag: \"{}\"\r\nLast-Modified: Fri, 02 Jan 2026 00:00:00 GMT",
        bytes.len()
    );
    let bounds = range.and_then(|range| range.split_once('-'));
    let Some((first, last)) = bounds.and_then(|(first, last)| Some((first.parse::<usize>().ok()?, last))) else {
        return (format!("200 OK\r\n{tag}\r\nContent-Length: {}", bytes.len()), bytes);
    };
    let end = last
        .parse()
        .map_or(bytes.len(), |last: usize| bytes.len().min(last + 1));
    let body = &bytes[first.min(end)..end];
    let all = bytes.len();
    let head = format!(
        "206 Partial\r\n{tag}\r\nContent-Range: bytes {first}-{}/{all}\r\nContent-Length: {}",
        end.saturating_sub(1),
        body.len()
    );
    (head, body)
}
