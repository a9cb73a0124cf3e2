//! Crawls made by hand, honest and hostile ones.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::SourceConfig;
use super::super::testing::{Listed, config, context, list, list_batch, opened, read, rows, write};
use super::*;

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("in memory");
    encoder.finish().expect("in memory")
}

fn record(kind: &str, uri: &str, more: &str, block: &[u8]) -> Vec<u8> {
    let head = format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {uri}\r\nWARC-Date: 2024-05-01T00:00:00Z\r\n{more}Content-Length: {}\r\n\r\n",
        block.len()
    );
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

fn answer(headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {headers}\r\n\r\n").as_bytes(), body].concat()
}

const PAGE: &[u8] = b"<pre><code class=\"language-python\">print(1 &lt; 2)</code></pre><pre lang=c>int x;</pre>";

/// Everything of a file, listed and read.
fn all(stored: &[u8]) -> Vec<(Listed, Result<Vec<u8>, String>)> {
    let root = tempfile::tempdir().expect("tempdir");
    write(&root.path().join("a.warc.gz"), stored);
    let (source, units) = opened(root.path(), "warc", "a.warc.gz");
    let cx = context(root.path());
    let batch = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
    let languages = stackmill_schemas::columns::strings(&batch, "attribute_language").expect("languages");
    assert!(rows(&batch).iter().enumerate().all(|(i, row)| {
        let is_python = row.path == "a/p.html/block-1";
        !is_python || languages.value(i) == "python"
    }));
    let contents = read(source.as_ref(), &units[0], &batch, &cx);
    rows(&batch).into_iter().zip(contents).collect()
}

#[test]
fn every_page_and_every_block_has_a_row() {
    let html = "200 OK\r\nContent-Type: text/html";
    let chunks = b"5\r\n<pre \r\n1f;x=y\r\nlang=c>int chunked;</pre> after\r\n0\r\n\r\n";
    let records = [
        record("warcinfo", "", "", b"software: x\r\n"),
        record("request", "https://h/a/p.html", "", b"GET / HTTP/1.1\r\n\r\n"),
        record("response", "https://h/a/p.html", "", &answer(html, PAGE)),
        record("metadata", "https://h/a/p.html", "", b"x"),
        record("response", "https://h/none", "", &answer(html, b"<p>nothing</p>")),
        record(
            "response",
            "https://h/gone",
            "",
            &answer("404 Not Found\r\nContent-Type: text/html", PAGE),
        ),
        record(
            "response",
            "https://h/i.png",
            "",
            &answer("200 OK\r\nContent-Type: image/png", b"\x89PNG"),
        ),
        record(
            "response",
            "https://h/s.py",
            "",
            &answer("200 OK\r\nContent-Type: text/x-python", b"x = 1"),
        ),
        record(
            "response",
            "https://h/c",
            "",
            &answer("200 OK\r\nTransfer-Encoding: chunked", chunks),
        ),
        record(
            "response",
            "https://h/z",
            "",
            &answer("200 OK\r\nContent-Encoding: gzip", &gzip(PAGE)),
        ),
        record("response", "https://h/broken", "", b"no answer"),
        record(
            "conversion",
            "https://h/wet",
            "Content-Type: text/plain\r\n",
            "# caf\u{e9}".as_bytes(),
        ),
        record("resource", "https://h/page", "Content-Type: text/html\r\n", PAGE),
    ];
    let expected: Vec<(&str, Result<&str, &str>)> = vec![
        ("a/p.html/block-1", Ok("print(1 < 2)")),
        ("a/p.html/block-2", Ok("int x;")),
        ("none", Err("the page has no block of code")),
        ("gone", Err("the answer has status 404")),
        ("i.png", Err("its type is `image/png`")),
        ("s.py", Ok("x = 1")),
        ("c/block-1", Ok("int chunked;")),
        ("z/block-1", Ok("print(1 < 2)")),
        ("z/block-2", Ok("int x;")),
        ("broken", Err("the answer has no end of its headers")),
        ("wet", Ok("# caf\u{e9}")),
        ("page/block-1", Ok("print(1 < 2)")),
        ("page/block-2", Ok("int x;")),
    ];
    let members = records.iter().map(|record| gzip(record)).collect::<Vec<_>>().concat();
    for stored in [records.concat(), members, gzip(&records.concat())] {
        let found = all(&stored);
        let facts: Vec<_> = found
            .iter()
            .map(|(row, content)| match (&row.trouble, content) {
                (Some(trouble), _) => (row.path.as_str(), Err(trouble.as_str())),
                (None, Ok(text)) => (row.path.as_str(), Ok(std::str::from_utf8(text).expect("text"))),
                (None, Err(words)) => (row.path.as_str(), Err(words.as_str())),
            })
            .collect();
        assert_eq!(facts, expected);
        assert!(found.iter().all(|(row, _)| row.repo_name == "h"));
        assert!(found.iter().all(|(row, _)| (row.mode == 0) == row.trouble.is_some()));
    }
}

fn list_with(stored: &[u8], change: impl Fn(&mut SourceConfig)) -> Result<Vec<Listed>> {
    let root = tempfile::tempdir().expect("tempdir");
    write(&root.path().join("a.warc"), stored);
    let mut config = config("warc", "a.warc");
    change(&mut config);
    let cx = context(root.path());
    let source = super::super::open(&config, root.path())?;
    let units = source.resolve(&cx)?;
    list(source.as_ref(), &units[0], &cx)
}

#[test]
fn hostile_records_are_bounded() {
    let page = record(
        "response",
        "https://h/a",
        "",
        &answer("200 OK\r\nContent-Type: text/html", PAGE),
    );
    let two = [page.clone(), page.clone()].concat();
    let rows = list_with(&two, |config| config.max_entry_bytes = 50).expect("listed");
    let troubles: Vec<_> = rows.iter().map(|row| row.trouble.as_deref()).collect();
    assert_eq!(troubles, [Some("longer than 50 bytes"); 2]);
    let bomb = answer("200 OK\r\nContent-Encoding: gzip", &gzip(&vec![b' '; 1 << 20]));
    let rows = list_with(&record("response", "https://h/a", "", &bomb), |config| {
        config.max_entry_bytes = 4096;
    });
    assert_eq!(
        rows.expect("listed")[0].trouble.as_deref(),
        Some("longer than 4096 bytes")
    );
    for (stored, words) in [
        (page[..page.len() - 10].to_vec(), "cut short"),
        (page[..40].to_vec(), "cut short"),
        (
            b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
            "record 0 does not begin with its version",
        ),
        (
            b"WARC/1.0\r\nWARC-Type: response\r\n\r\n".to_vec(),
            "record 0 does not tell its length",
        ),
        (
            [page.clone(), b"WARC/1.1\r\nA: ".to_vec(), vec![b'x'; 70_000]].concat(),
            "record 1 has more than 65536 bytes",
        ),
    ] {
        let error = list_with(&stored, |_| {}).expect_err(words);
        assert!(
            error.message().contains(words) && error.is_permanent_trouble(),
            "{error}"
        );
    }
    assert_eq!(list_with(b"", |_| {}).map(|rows| rows.len()).ok(), Some(0));
}

#[test]
fn a_changed_crawl_is_not_what_the_lock_says() {
    let root = tempfile::tempdir().expect("tempdir");
    let path = root.path().join("a.warc");
    let page = |body: &[u8]| {
        record(
            "response",
            "https://h/a",
            "",
            &answer("200 OK\r\nContent-Type: text/html", body),
        )
    };
    write(&path, &[page(PAGE), page(PAGE)].concat());
    let (source, units) = opened(root.path(), "warc", "a.warc");
    let cx = context(root.path());
    let batch = list_batch(source.as_ref(), &units[0], &cx).expect("listed");
    write(&path, &page(b"<pre lang=c>int y;</pre>"));
    assert!(
        list(source.as_ref(), &units[0], &cx)
            .expect_err("changed")
            .message()
            .contains("changed since the lock")
    );
    let contents = read(source.as_ref(), &units[0], &batch, &cx);
    let troubles: Vec<_> = contents
        .iter()
        .map(|content| content.as_ref().expect_err("changed").as_str())
        .collect();
    assert_eq!(
        troubles,
        [
            "its length is not the listed one",
            "the page has no such block",
            "the file has no such record",
            "the file has no such record"
        ]
    );
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(flips in proptest::collection::vec((0..2000_usize, 0..=255_u8), 1..12)) {
        let page = record("response", "https://h/a", "", &answer("200 OK\r\nTransfer-Encoding: chunked", PAGE));
        let mut bytes = [page.clone(), record("conversion", "x", "", b"text"), page].concat();
        for (at, value) in flips {
            let length = bytes.len();
            bytes[at % length] = value;
        }
        if let Ok(rows) = list_with(&bytes, |_| {}) {
            proptest::prop_assert!(rows.iter().all(|row| row.trouble.is_some() || row.blob.is_some()));
        }
    }
}
