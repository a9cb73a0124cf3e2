//! Finds IP addresses of the public internet.
//!
//! Left alone: private, loopback, link-local, shared, documentation, benchmark, multicast and reserved ranges (RFC 6890),
//! networks (`91.0.0.0`), public resolvers that everybody writes down (`8.8.8.8`), and what only looks like an address:
//! version numbers, section numbers, object identifiers. Four numbers below 20 are taken for one of those: among
//! addresses they are 1 in 27,000, among four-part versions nearly all.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Kind, Span, is_escape_letter, is_word};

/// Resolvers that stand in public documentation.
const RESOLVERS_V4: [[u8; 4]; 16] = [
    [1, 0, 0, 1],
    [1, 1, 1, 1],
    [4, 2, 2, 1],
    [4, 2, 2, 2],
    [8, 8, 4, 4],
    [8, 8, 8, 8],
    [9, 9, 9, 9],
    [94, 140, 14, 14],
    [94, 140, 15, 15],
    [114, 114, 114, 114],
    [119, 29, 29, 29],
    [149, 112, 112, 112],
    [208, 67, 220, 220],
    [208, 67, 222, 222],
    [223, 5, 5, 5],
    [223, 6, 6, 6],
];

const RESOLVERS_V6: [[u16; 8]; 6] = [
    [0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8844],
    [0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888],
    [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1001],
    [0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111],
    [0x2620, 0xfe, 0, 0, 0, 0, 0, 0x9],
    [0x2620, 0xfe, 0, 0, 0, 0, 0, 0xfe],
];

/// Words that make a version of the number after them; a word that contains `version` or
/// `identifier` is one too.
const VERSION_WORDS: [&str; 11] = [
    "build", "chapter", "oid", "rc", "release", "rev", "revision", "sec", "section", "v", "ver",
];

/// How many bytes before an address are looked at for such a word.
const CONTEXT: usize = 40;

/// All four numbers below this: a version.
const SMALL: u8 = 20;

/// Appends every public IPv4 address of `text`.
pub(super) fn find_v4(text: &str, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let mut done = 0;
    for dot in memchr::memchr_iter(b'.', bytes) {
        if dot <= done || !digit(dot - 1) || !digit(dot + 1) {
            continue;
        }
        let before = bytes[..dot]
            .iter()
            .rev()
            .take(4)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let start = dot - before;
        let Some((octets, end)) = octets(bytes, start) else {
            continue;
        };
        done = end;
        if starts_alone(bytes, start) && ends_alone(bytes, end) && is_public_v4(octets) && !is_version(bytes, start) {
            spans.push(Span {
                start,
                end,
                kind: Kind::Ipv4,
            });
        }
    }
}

/// Four numbers of 0 to 255 without leading zeros, and where they end.
fn octets(bytes: &[u8], start: usize) -> Option<([u8; 4], usize)> {
    let mut octets = [0; 4];
    let mut at = start;
    for (i, octet) in octets.iter_mut().enumerate() {
        if i > 0 {
            at = (bytes.get(at) == Some(&b'.')).then_some(at + 1)?;
        }
        let length = bytes[at..]
            .iter()
            .take(4)
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let digits = std::str::from_utf8(&bytes[at..at + length]).ok()?;
        if length > 1 && digits.starts_with('0') {
            return None;
        }
        *octet = digits.parse().ok()?;
        at += length;
    }
    Some((octets, at))
}

/// Nothing before it that makes it part of a longer number or name.
fn starts_alone(bytes: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1) else {
        return true;
    };
    match bytes[before] {
        b'.' => false,
        byte if is_word(byte) => is_escape_letter(bytes, before),
        _ => true,
    }
}

/// Nothing after it that does so: a letter, a further number, `-beta`, `.jar`.
fn ends_alone(bytes: &[u8], end: usize) -> bool {
    let word = |at: usize| bytes.get(at).copied().is_some_and(is_word);
    match bytes.get(end) {
        Some(b'.') => !word(end + 1),
        Some(b'-') => !bytes.get(end + 1).is_some_and(u8::is_ascii_alphabetic),
        Some(_) => !word(end),
        None => true,
    }
}

fn is_public_v4(octets: [u8; 4]) -> bool {
    let address = Ipv4Addr::from(octets);
    let [a, b, c, _] = octets;
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || matches!(a, 0 | 224..)
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18);
    // Arcs of X.500, of the Trusted Computing Group and browsers, of Curve25519 and its kin.
    let is_oid = matches!((a, b, c), (2, 5, 0..=50) | (2, 23, 133 | 140) | (1, 3, 101));
    let is_network = octets[1..] == [0, 0, 0];
    let is_small = octets.iter().all(|octet| *octet < SMALL);
    !(special || is_oid || is_network || is_small || RESOLVERS_V4.contains(&octets))
}

/// Whether what stands before it says that it is a version: `version = "…"`, `Chrome/…`, `lib-…`, `==…`, `## …`.
fn is_version(bytes: &[u8], start: usize) -> bool {
    let before = &bytes[start.saturating_sub(CONTEXT)..start];
    let line = memchr::memrchr2(b'\n', b'\r', before).map_or(before, |end| &before[end + 1..]);
    let (last, ahead) = match line.split_last() {
        None => return false,
        Some((last, ahead)) => (*last, ahead.last().copied().unwrap_or(b' ')),
    };
    match last {
        b'/' | b'-' => (is_word(ahead) || ahead == b')') && !is_multiaddress(line),
        b'=' => matches!(ahead, b'=' | b'<' | b'>' | b'~' | b'!'),
        b'^' | b'~' => true,
        _ => is_heading(line) || is_version_word(line),
    }
}

/// `/ip4/1.2.3.4`, and ranges `1.2.3.4-5.6.7.8`.
fn is_multiaddress(line: &[u8]) -> bool {
    let word = line[..line.len() - 1]
        .rsplit(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'.'))
        .next();
    let word = word.unwrap_or_default();
    matches!(word, b"ip" | b"ip4" | b"tcp" | b"udp") || octets(word, 0).is_some_and(|(_, end)| end == word.len())
}

/// A line that begins with `#` or `=` signs alone.
fn is_heading(line: &[u8]) -> bool {
    line.len() < CONTEXT
        && line.contains(&b'#')
        && line.iter().all(|byte| matches!(byte, b'#' | b' '))
        && line.ends_with(b"# ")
}

fn is_version_word(line: &[u8]) -> bool {
    let between = |byte: &u8| {
        matches!(
            byte,
            b' ' | b'\t' | b'"' | b'\'' | b'=' | b':' | b'(' | b'[' | b'{' | b'>' | b',' | b'`'
        )
    };
    let gap = line.iter().rev().take_while(|byte| between(byte)).count();
    let rest = &line[..line.len() - gap];
    let length = rest
        .iter()
        .rev()
        .take_while(|byte| is_word(**byte) || matches!(byte, b'-' | b'.'))
        .count();
    let phrase = String::from_utf8_lossy(&rest[rest.len() - length..]).to_ascii_lowercase();
    let word = phrase
        .rsplit(['-', '_', '.'])
        .find(|part| !part.is_empty())
        .unwrap_or_default();
    phrase.contains("version") || phrase.contains("identifier") || VERSION_WORDS.contains(&word)
}

/// Appends every public IPv6 address of `text`. Public addresses start with `2` or `3` and three more digits, so the
/// first colon of one has such a group before it.
pub(super) fn find_v6(text: &str, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    for colon in memchr::memchr_iter(b':', bytes) {
        let Some(start) = colon.checked_sub(4) else { continue };
        let is_first = matches!(bytes[start], b'2' | b'3') && bytes[start..colon].iter().all(u8::is_ascii_hexdigit);
        if !is_first || !group_starts(bytes, start) {
            continue;
        }
        if let Some(end) = address_v6(text, start) {
            spans.push(Span {
                start,
                end,
                kind: Kind::Ipv6,
            });
        }
    }
}

fn group_starts(bytes: &[u8], start: usize) -> bool {
    match start.checked_sub(1).map(|before| (before, bytes[before])) {
        None => true,
        Some((_, b':' | b'.')) => false,
        Some((before, byte)) => !is_word(byte) || is_escape_letter(bytes, before),
    }
}

/// Where the public address that starts at `start` ends.
fn address_v6(text: &str, start: usize) -> Option<usize> {
    const LONGEST: usize = 45;
    let bytes = text.as_bytes();
    let part = |byte: &&u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let length = bytes[start..].iter().take(LONGEST + 1).take_while(part).count();
    let token = text[start..start + length].trim_end_matches('.');
    // `2a00::1:` in a sentence; `2a00::` itself ends with its colons.
    let token = token
        .strip_suffix(':')
        .filter(|shorter| !shorter.ends_with(':'))
        .unwrap_or(token);
    let address: Ipv6Addr = token.parse().ok()?;
    let end = start + token.len();
    let ends = !bytes.get(end).copied().is_some_and(is_word);
    (ends && is_public_v6(address)).then_some(end)
}

/// Global unicast, but documentation and resolvers.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let groups = address.segments();
    let is_documentation = (groups[0] == 0x2001 && groups[1] == 0x0db8) || (groups[0] == 0x3fff && groups[1] < 0x1000);
    let is_network = groups[1..].iter().all(|group| *group == 0);
    groups[0] & 0xe000 == 0x2000 && !is_documentation && !is_network && !RESOLVERS_V6.contains(&groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<&str> {
        let mut spans = Vec::new();
        find_v4(text, &mut spans);
        find_v6(text, &mut spans);
        spans.iter().map(|span| &text[span.start..span.end]).collect()
    }

    #[test]
    fn public_addresses_are_found() {
        let cases = [
            ("51.15.16.17", "51.15.16.17"),
            ("http://51.15.16.17:8080/x", "51.15.16.17"),
            ("host = '51.15.16.17'", "51.15.16.17"),
            ("host == \"51.15.16.17\"", "51.15.16.17"),
            ("ping 51.15.16.17.", "51.15.16.17"),
            ("51.15.16.17/24", "51.15.16.17"),
            ("\\n51.15.16.17", "51.15.16.17"),
            ("/ip4/51.15.16.17/tcp", "51.15.16.17"),
            ("(255.255.255.0, 99.255.0.255)", "99.255.0.255"),
            ("[2a00:1450:4001:81b::200e]:443", "2a00:1450:4001:81b::200e"),
            (
                "at 2A00:1450:4001:081b:0000:0000:0000:200E: up",
                "2A00:1450:4001:081b:0000:0000:0000:200E",
            ),
            ("2a00:1450::1/64", "2a00:1450::1"),
            ("is 2a00::5.", "2a00::5"),
        ];
        for (text, address) in cases {
            assert_eq!(found(text), [address], "{text}");
        }
        assert_eq!(
            found("51.15.16.17-51.15.16.99, 91.2.3.250"),
            ["51.15.16.17", "51.15.16.99", "91.2.3.250"]
        );
    }

    #[test]
    fn special_addresses_are_left_alone() {
        let special = [
            "10.1.2.30",
            "172.16.0.40",
            "172.31.255.255",
            "192.168.1.100",
            "127.0.0.1",
            "169.254.169.254",
            "0.0.0.0",
            "192.0.2.55",
            "198.51.100.7",
            "203.0.113.99",
            "198.18.1.77",
            "224.0.0.251",
            "239.255.255.250",
            "255.255.255.255",
            "100.64.1.80",
            "8.8.8.8",
            "1.1.1.1",
            "208.67.222.222",
            "91.0.0.0",
            "::1",
            "fe80::1ff:fe23:4567:890a",
            "fd00::1",
            "ff02::1",
            "2001:db8::1",
            "3fff::1",
            "2001:4860:4860::8888",
            "2606:4700:4700::1111",
            "2a00::",
        ];
        for text in special {
            assert!(found(text).is_empty(), "{text}");
        }
        let borders = [
            "172.15.0.40",
            "172.32.0.40",
            "100.63.1.80",
            "100.128.1.80",
            "198.17.1.77",
            "198.20.1.77",
            "223.0.0.251",
        ];
        assert!(borders.iter().all(|text| found(text).len() == 1));
    }

    #[test]
    fn numbers_that_are_not_addresses_are_left_alone() {
        let numbers = [
            "1.2.3.4",
            "1.3.6.1",
            "2.5.4.97",
            "2.5.29.37",
            "2.23.140.1",
            "1.3.101.112",
            "OBJECT_IDENTIFIER { 51.15.16.17 }",
            "1.3.6.1.4.1.99.2",
            "51.15.16",
            "51.15.16.17.18",
            "51.15.16.256",
            "051.15.16.17",
            "v51.15.16.17",
            "version 51.15.16.17",
            "version = \"51.15.16.17\"",
            "\"version\": \"51.15.16.17\"",
            "AssemblyVersion(\"51.15.16.17\")",
            "Chrome/51.15.16.17",
            "libfoo-51.15.16.17",
            "foo==51.15.16.17",
            "foo>=51.15.16.17",
            "^51.15.16.17",
            "51.15.16.17-beta",
            "foo_51.15.16.17",
            "51.15.16.17.jar",
            "## 51.15.16.17 Title",
            "Section 51.15.16.17",
            "ver: 51.15.16.17",
            "3.14",
            "1..2",
            "...",
            "51.15.16.17x",
            "x51.15.16.17",
            "20:30:40",
            "2023:10:11 12:13:14",
            "2023:10:11",
            "std::abc",
            "2abc::de_f",
            "x2a00::5",
            "2a00:5",
            "2a00::5x",
            ":2a00::5",
            "2a00::5::6",
        ];
        for text in numbers {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn the_word_must_be_on_the_same_line() {
        assert!(found("version\n51.15.16.17").len() == 1);
        assert!(found("server: 51.15.16.17").len() == 1);
        assert!(
            found("conversions 51.15.16.17").is_empty(),
            "a word that contains `version` is taken for one"
        );
    }
}
