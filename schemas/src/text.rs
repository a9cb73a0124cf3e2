//! What a line, a word and an n-gram is: defined once, used by rules, near-duplicates and decontamination alike.

/// Lines as Python's `splitlines` would cut source code: at `\n`, `\r\n` and lone `\r`; no empty last line.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let Some(end) = rest.bytes().position(|byte| byte == b'\n' || byte == b'\r') else {
            return Some(std::mem::take(&mut rest));
        };
        let width = if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        let line = &rest[..end];
        rest = &rest[end + width..];
        Some(line)
    })
}

/// Whether a byte belongs to a word: ASCII letters, digits, `_`, and every byte of a non-ASCII character.
pub const fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// A word and where it starts, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<'a> {
    /// Offset of the first byte.
    pub start: usize,
    /// The bytes as they stand; compare them with ASCII case folded.
    pub bytes: &'a [u8],
}

/// Maximal runs of word bytes, in order.
pub fn words(text: &[u8]) -> impl Iterator<Item = Word<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + text[at..].iter().position(|&byte| is_word_byte(byte))?;
        let length = text[start..]
            .iter()
            .position(|&byte| !is_word_byte(byte))
            .unwrap_or(text.len() - start);
        at = start + length;
        Some(Word {
            start,
            bytes: &text[start..at],
        })
    })
}

/// The candidate that a mistyped word most likely meant: fewest edits, at most a third of the word; ties go to the first.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (word.chars().count() / 3).max(1);
    let distance = |candidate: &'a str| (edits(word, candidate), candidate);
    candidates
        .into_iter()
        .map(distance)
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|d| d.1)
}

/// Optimal string alignment distance in characters: replaced, added, left out, or two neighbours swapped.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(row[j - 1] + 1).min(rows[i - 1][j] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_in_python() {
        assert_eq!(lines("a\nb\r\nc\rd").collect::<Vec<_>>(), ["a", "b", "c", "d"]);
        assert_eq!(lines("a\n\n").collect::<Vec<_>>(), ["a", ""]);
        assert_eq!(lines("").count(), 0);
    }

    #[test]
    fn words_are_runs_of_word_bytes() {
        let found: Vec<_> = words("let é_1 = x+y;".as_bytes()).map(|w| (w.start, w.bytes)).collect();
        assert_eq!(found, [(0, &b"let"[..]), (4, "é_1".as_bytes()), (11, b"x"), (13, b"y")]);
    }

    #[test]
    fn a_mistyped_word_finds_its_neighbour() {
        let known = ["limit", "value", "languages"];
        assert_eq!(nearest("limt", known), Some("limit"));
        assert_eq!(nearest("langages", known), Some("languages"));
        assert_eq!(nearest("zzz", known), None);
        assert_eq!(
            (edits("kitten", "sitting"), edits("", "abc"), edits("nera", "near")),
            (3, 3, 1)
        );
    }
}
