//! Paths as text: git paths are bytes, columns are UTF-8.
//!
//! Bytes that are not valid UTF-8, and control characters, are written `\xNN`; a backslash is doubled. So every path
//! has one spelling, no two paths share one, and the ledger can be read on a terminal.

use std::fmt::Write as _;

/// The text form of a path.
pub fn escape(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' => out.push_str("\\\\"),
                c if c.is_control() => {
                    let mut buffer = [0; 4];
                    c.encode_utf8(&mut buffer)
                        .bytes()
                        .for_each(|byte| push_hex(&mut out, byte));
                }
                c => out.push(c),
            }
        }
        chunk.invalid().iter().for_each(|&byte| push_hex(&mut out, byte));
    }
    out
}

fn push_hex(out: &mut String, byte: u8) {
    let _ = write!(out, "\\x{byte:02x}");
}

/// The bytes of a path from its text form; what is no escape stands for itself.
pub fn unescape(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = bytes.get(i + 2..i + 4).and_then(|h| std::str::from_utf8(h).ok());
        match (bytes[i], bytes.get(i + 1)) {
            (b'\\', Some(b'\\')) => {
                out.push(b'\\');
                i += 2;
            }
            (b'\\', Some(b'x')) if hex.is_some_and(|h| u8::from_str_radix(h, 16).is_ok()) => {
                out.push(hex.and_then(|h| u8::from_str_radix(h, 16).ok()).unwrap_or_default());
                i += 4;
            }
            (byte, _) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    out
}

/// Why a path is not one that a repository may hold, if so: absolute, `..`, empty components, or over 4,096 bytes.
pub fn hostile(path: &[u8]) -> Option<&'static str> {
    if path.is_empty() {
        return Some("empty path");
    }
    if path.len() > 4096 {
        return Some("path over 4096 bytes");
    }
    if path[0] == b'/' {
        return Some("absolute path");
    }
    path.split(|&byte| byte == b'/').find_map(|component| match component {
        b".." => Some("path leaves the repository"),
        b"" | b"." => Some("path with an empty component"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_comes_back() {
        for path in [
            &b"src/main.rs"[..],
            b"a\\b",
            b"caf\xc3\xa9",
            b"bad\xff\xfe",
            b"nl\nend",
            b"\\x41",
        ] {
            assert_eq!(unescape(&escape(path)), path);
        }
        assert_eq!(escape(b"a\xffb\\"), "a\\xffb\\\\");
    }

    #[test]
    fn hostile_paths_are_named() {
        assert_eq!(hostile(b"src/lib.rs"), None);
        assert_eq!(hostile(b"a..b/c"), None);
        for path in [&b"/etc/passwd"[..], b"a/../b", b"a//b", b"", b"./a", &[b'a'; 4097]] {
            assert!(hostile(path).is_some());
        }
    }
}
