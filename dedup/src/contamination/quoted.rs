//! Whether a place in a text is the whole of a quoted string: a value of a data set's row, not a part of something else.

/// Bytes behind the last word that a string may still have: brackets, marks, escapes.
const MOST_BEHIND: usize = 16;

/// Whether `start..end` (from its first word to behind its last) is all of a string that is a value: behind a colon, a
/// comma or a bracket, and with nothing but marks before its closing quote.
pub(super) fn is_whole_value(text: &[u8], start: usize, end: usize) -> bool {
    let Some((b'"', before)) = text[..start].split_last() else {
        return false;
    };
    let before = before.trim_ascii_end().last();
    matches!(before, Some(b':' | b',' | b'[')) && closes(&text[end..])
}

fn closes(rest: &[u8]) -> bool {
    let mut bytes = rest.iter().take(MOST_BEHIND);
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return true,
            b'\\' => drop(bytes.next()),
            byte if byte.is_ascii_alphanumeric() || *byte >= 0x80 => return false,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole(text: &str) -> bool {
        let start = text.find("def").unwrap_or(0);
        let end = text.find("find").map_or(0, |at| at + 4);
        is_whole_value(text.as_bytes(), start, end)
    }

    #[test]
    fn values_are_whole_and_parts_are_not() {
        assert!(is_whole(
            r#"{"code": "def f(text):\n    return text.find(\",\")\n", "id": 1}"#
        ));
        assert!(is_whole(r#"["def f(text): return text.find()"]"#));
        assert!(!is_whole(r#"{"code": "x = 1; def f(text): return text.find()"}"#));
        assert!(!is_whole(r#"{"code": "def f(text): return text.find() + 1"}"#));
        assert!(!is_whole(r#"print("def f(text): return text.find()")"#));
        assert!(!is_whole(r#""def f(text): return text.find()"#) && !is_whole("def f(text): text.find()"));
    }
}
