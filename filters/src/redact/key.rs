//! Finds PEM blocks of private keys: whole, cut off, or as a string in code with `\n` between the lines.
//!
//! ```text
//!   -----BEGIN RSA PRIVATE KEY-----      label: anything that ends in PRIVATE KEY or PRIVATE KEY BLOCK
//!   Proc-Type: 4,ENCRYPTED               headers, in old files
//!   MIIEowIBAAKCAQEA…                    base64, in lines, in string literals, or in one piece
//!   -----END RSA PRIVATE KEY-----        may be missing
//! ```
//! A block without key material is left alone: code that looks for the marker, placeholders such as `...`.

use memchr::memmem;

use super::{Kind, Span};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// Longest label, in bytes.
const LABEL: usize = 64;
/// Shortest run of base64 that counts as key material, in characters: longer than words, shorter than any key.
const MATERIAL: usize = 32;

/// Appends every private key of `text`.
pub(super) fn find(text: &str, spans: &mut Vec<Span>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(found) = memmem::find(&bytes[at..], BEGIN) {
        let start = at + found;
        at = start + BEGIN.len();
        let Some(body) = label_end(bytes, at) else { continue };
        let end = match closing(bytes, body) {
            Some((footer, end)) if has_material(&bytes[body..footer]) => Some(end),
            Some(_) => None,
            None => cut_off(bytes, body),
        };
        if let Some(end) = end {
            spans.push(Span {
                start,
                end,
                kind: Kind::PrivateKey,
            });
            at = end;
        }
    }
}

/// Where the dashes after a private key's label end.
fn label_end(bytes: &[u8], start: usize) -> Option<usize> {
    let window = &bytes[start..bytes.len().min(start + LABEL)];
    let length = memmem::find(window, DASHES)?;
    let label = &window[..length];
    let is_private = label.ends_with(b"PRIVATE KEY") || label.ends_with(b"PRIVATE KEY BLOCK");
    is_private.then_some(start + length + DASHES.len())
}

/// Where the footer starts and ends, if the next dashes belong to one.
fn closing(bytes: &[u8], body: usize) -> Option<(usize, usize)> {
    let footer = body + memmem::find(&bytes[body..], DASHES)?;
    if !bytes[footer..].starts_with(END) {
        return None;
    }
    let label = footer + END.len();
    Some((footer, label_end(bytes, label).unwrap_or(label)))
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn has_material(body: &[u8]) -> bool {
    body.split(|byte| !is_base64(*byte)).any(|run| run.len() >= MATERIAL)
}

/// Where a block without a footer ends: after the last run of base64 that only line ends, quotes and the like part from
/// the one before it.
fn cut_off(bytes: &[u8], body: usize) -> Option<usize> {
    let mut end = None;
    let mut at = after_headers(bytes, body);
    loop {
        at += bytes[at..].iter().take_while(|byte| is_between(**byte)).count();
        // `\n` and `\r` of a string literal stand before the run; their letters are base64 characters, too.
        let length = bytes[at..].iter().take_while(|byte| is_base64(**byte)).count();
        let run = &bytes[at..at + length];
        let is_material = length >= MATERIAL || (end.is_some() && run.ends_with(b"="));
        if !is_material {
            return end;
        }
        at += length;
        end = Some(at);
    }
}

fn is_between(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b'\\' | b'"' | b'\'' | b'`' | b',' | b'.' | b';' | b'#' | b'*')
}

/// Skips lines such as `Proc-Type: 4,ENCRYPTED`, up to a few.
fn after_headers(bytes: &[u8], body: usize) -> usize {
    const HEADERS: usize = 8;
    let mut at = body;
    for _ in 0..HEADERS {
        let line = bytes[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count() + at;
        let length = bytes[line..]
            .iter()
            .take(4 * LABEL)
            .take_while(|byte| !matches!(byte, b'\n' | b'\r'))
            .count();
        if memmem::find(&bytes[line..line + length], b": ").is_none() {
            break;
        }
        at = line + length;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "MIIEowIBAAKCAQEAvz8Qk0Fh2b1n4ZQm3sX9pR7tYwLd5uGcJeHaKxNfVoTiBrSj";

    fn redacted(text: &str) -> String {
        let mut spans = Vec::new();
        find(text, &mut spans);
        spans.iter().rev().fold(text.to_owned(), |text, span| {
            format!("{}<KEY>{}", &text[..span.start], &text[span.end..])
        })
    }

    #[test]
    fn whole_blocks_go() {
        for label in [
            "RSA PRIVATE KEY",
            "PRIVATE KEY",
            "EC PRIVATE KEY",
            "OPENSSH PRIVATE KEY",
            "PGP PRIVATE KEY BLOCK",
        ] {
            let block = format!("a\n-----BEGIN {label}-----\n{LINE}\n{LINE}\nab==\n-----END {label}-----\nb");
            assert_eq!(redacted(&block), "a\n<KEY>\nb", "{label}");
        }
        let headers = format!(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B\n\n{LINE}\n-----END RSA PRIVATE KEY-----"
        );
        assert_eq!(redacted(&headers), "<KEY>");
        let one_line = format!(r#"k = "-----BEGIN PRIVATE KEY-----\n{LINE}\n{LINE}\n-----END PRIVATE KEY-----\n";"#);
        assert_eq!(redacted(&one_line), r#"k = "<KEY>\n";"#);
        let literals = format!("\"-----BEGIN PRIVATE KEY-----\\n\"\n\"{LINE}\\n\"\n\"-----END PRIVATE KEY-----\\n\"");
        assert_eq!(redacted(&literals), "\"<KEY>\\n\"");
    }

    #[test]
    fn cut_off_blocks_go_up_to_their_last_line() {
        let cut = format!("-----BEGIN RSA PRIVATE KEY-----\n{LINE}\n{LINE}\nab==\n\nint main() {{}}");
        assert_eq!(redacted(&cut), "<KEY>\n\nint main() {}");
        let headers = format!("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n{LINE}\n");
        assert_eq!(redacted(&headers), "<KEY>\n");
        let two = format!(
            "-----BEGIN PRIVATE KEY-----\n{LINE}\n-----BEGIN PRIVATE KEY-----\n{LINE}\n-----END PRIVATE KEY-----"
        );
        assert_eq!(redacted(&two), "<KEY>\n<KEY>");
        let escaped = format!(r#""-----BEGIN PRIVATE KEY-----\n{LINE}\n{LINE}""#);
        assert_eq!(redacted(&escaped), "\"<KEY>\"");
    }

    #[test]
    fn markers_without_a_key_stay() {
        let kept = [
            "text.startswith('-----BEGIN RSA PRIVATE KEY-----')".to_owned(),
            "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----".to_owned(),
            "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----".to_owned(),
            format!("-----BEGIN PUBLIC KEY-----\n{LINE}\n-----END PUBLIC KEY-----"),
            format!("-----BEGIN CERTIFICATE-----\n{LINE}\n-----END CERTIFICATE-----"),
            "-----BEGIN PRIVATE KEY-----".to_owned(),
            "-----BEGIN ".to_owned(),
        ];
        for text in &kept {
            assert_eq!(redacted(text), *text);
        }
    }

    #[test]
    fn material_has_its_shortest_length() {
        let block = |length| {
            format!(
                "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
                &LINE[..length]
            )
        };
        assert_eq!(redacted(&block(MATERIAL)), "<KEY>");
        assert_eq!(redacted(&block(MATERIAL - 1)), block(MATERIAL - 1));
    }
}
