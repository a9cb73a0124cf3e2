//! What a record is as files: blocks of code of a page, or one text.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use stackmill_schemas::path::escape;

use super::super::SourceConfig;
use super::html;
use super::message::Message;
use super::record::Record;

/// Bytes of a page in which it may name its encoding. Source: HTML, "determining the character encoding".
const ENCODING_BYTES: usize = 1024;

/// A file of a page.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: String,
    /// The language that the page claims for it.
    pub(super) language: Option<String>,
    /// Its text, or why it is not wanted.
    pub(super) text: Result<String, String>,
}

/// A record as files; there is at least one.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) host: String,
    pub(super) date: Option<String>,
    pub(super) files: Vec<File>,
}

impl Page {
    /// The files of a record; none where it is about another record.
    pub(super) fn of(record: &Record, config: &SourceConfig) -> Option<Self> {
        let kind = record.header("WARC-Type")?.to_ascii_lowercase();
        if !matches!(kind.as_str(), "response" | "resource" | "conversion") {
            return None;
        }
        let (host, path) = place(record.header("WARC-Target-URI").unwrap_or_default());
        let files = match text(record, &kind, config) {
            Err(words) => vec![one(&path, Err(words))],
            Ok(Text::Other(text)) => vec![one(&path, Ok(text))],
            Ok(Text::Html(page)) => blocks(&path, &page),
        };
        let date = record.header("WARC-Date").map(|date| escape(date.as_bytes()));
        Some(Self { host, date, files })
    }
}

fn one(path: &str, text: Result<String, String>) -> File {
    File {
        path: path.to_owned(),
        language: None,
        text,
    }
}

fn blocks(path: &str, page: &str) -> Vec<File> {
    let found = html::blocks(page);
    if found.is_empty() {
        return vec![one(path, Err("the page has no block of code".to_owned()))];
    }
    let file = |(number, block): (usize, html::Block)| File {
        path: format!("{path}/block-{}", number + 1),
        language: block.language,
        text: Ok(block.text),
    };
    found.into_iter().enumerate().map(file).collect()
}

enum Text {
    Html(String),
    Other(String),
}

/// The text of a record, or why there is none.
fn text(record: &Record, kind: &str, config: &SourceConfig) -> Result<Text, String> {
    if record.length > config.max_entry_bytes {
        return Err(format!("longer than {} bytes", config.max_entry_bytes));
    }
    if kind != "response" {
        let media = record.header("Content-Type").unwrap_or("text/plain");
        return decoded(&record.block, media);
    }
    let message = Message::parse(&record.block, config.max_entry_bytes)?;
    match (message.status, message.media) {
        (200, Some(media)) => decoded(&message.body, &media),
        (200, None) => decoded(&message.body, "text/html"),
        (status, _) => Err(format!("the answer has status {status}")),
    }
}

fn decoded(body: &[u8], media: &str) -> Result<Text, String> {
    let (kind, parameters) = media.split_once(';').unwrap_or((media, ""));
    let kind = kind.trim().to_ascii_lowercase();
    let charset = parameters
        .to_ascii_lowercase()
        .split_once("charset=")
        .map(|(_, label)| label.to_owned());
    match kind.as_str() {
        "text/html" | "application/xhtml+xml" => Ok(Text::Html(unicode(body, charset.or_else(|| declared(body))))),
        other if is_text(other) => Ok(Text::Other(unicode(body, charset))),
        other => Err(format!("its type is `{}`", escape(other.as_bytes()))),
    }
}

/// Types whose names do not say that they are text.
fn is_text(kind: &str) -> bool {
    let others = [
        "application/javascript",
        "application/json",
        "application/xml",
        "application/x-sh",
    ];
    kind.starts_with("text/") || others.contains(&kind) || kind.ends_with("+json") || kind.ends_with("+xml")
}

/// The encoding that a page names near its beginning.
fn declared(body: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&body[..body.len().min(ENCODING_BYTES)]).to_ascii_lowercase();
    Some(head.split_once("charset=")?.1.to_owned())
}

/// Text in the encoding of a label, else in UTF-8, else in what browsers take such pages for.
fn unicode(body: &[u8], label: Option<String>) -> String {
    let label = label.unwrap_or_default();
    let label = label.trim_start_matches(['"', '\'', ' ']);
    let end = label.find(['"', '\'', ' ', ';', '>', '/']).unwrap_or(label.len());
    let guessed = match std::str::from_utf8(body) {
        Ok(_) => UTF_8,
        // A page that is cut short may end within a character.
        Err(error) if error.error_len().is_none() => UTF_8,
        Err(_) => WINDOWS_1252,
    };
    let encoding = Encoding::for_label(&label.as_bytes()[..end]).unwrap_or(guessed);
    encoding.decode(body).0.into_owned()
}

/// Host and path of a URI: no scheme, user or port; components that are empty or dots are left out.
fn place(uri: &str) -> (String, String) {
    let uri = uri.trim_matches(['<', '>']);
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let rest = rest.split('#').next().unwrap_or_default();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit('@').next().unwrap_or(host);
    let host = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| match port.parse::<u16>() {
            Ok(_) => name,
            Err(_) => host,
        });
    let (path, query) = path
        .split_once('?')
        .map_or((path, None), |(path, query)| (path, Some(query)));
    let components = path
        .split('/')
        .filter(|component| !matches!(*component, "" | "." | ".."));
    let mut path = components.collect::<Vec<_>>().join("/");
    if path.is_empty() {
        "index".clone_into(&mut path);
    }
    if let Some(query) = query {
        // A query is no folder.
        path = format!("{path}?{}", query.replace('/', "%2F"));
    }
    let host = host.to_ascii_lowercase();
    (
        if host.is_empty() {
            "unknown".to_owned()
        } else {
            escape(host.as_bytes())
        },
        path,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_a_host_and_a_path() {
        for (uri, host, path) in [
            ("https://Example.com/a/b.html", "example.com", "a/b.html"),
            ("http://example.com:8080/?x=a/b#c", "example.com", "index?x=a%2Fb"),
            ("<http://u:p@example.com/a/../b//>", "example.com", "a/b"),
            ("https://example.com", "example.com", "index"),
            ("", "unknown", "index"),
        ] {
            assert_eq!(place(uri), (host.to_owned(), path.to_owned()), "{uri}");
        }
    }

    #[test]
    fn text_is_in_the_encoding_it_names() {
        let html = |body: &[u8], media: &str| match decoded(body, media) {
            Ok(Text::Html(text) | Text::Other(text)) => text,
            Err(words) => words,
        };
        assert_eq!(html(b"caf\xe9", "text/html; charset=ISO-8859-1"), "café");
        assert_eq!(
            html(b"<meta charset=\"koi8-r\">\xc1", "text/html"),
            "<meta charset=\"koi8-r\">а"
        );
        assert_eq!(html("é".as_bytes(), "TEXT/plain"), "é");
        assert_eq!(html(b"caf\xe9 x", "text/html"), "café x");
        assert_eq!(html(b"x", "image/png"), "its type is `image/png`");
    }
}
