//! License texts as words: without case, punctuation, comment signs, markup and copyright lines.
//!
//! ```text
//!   " * Licensed under the <b>Apache License</b>, Version 2.0"
//!   text   "licensed under the apache license version 2.0"       for phrases
//!   counted  ^^^^^^^^ ^^^^^ ^^^ ^^^^^^ ^^^^^^^ ^^^^^^^           for shingles: no numbers, no single letters
//! ```

/// One word of a [`Normal`] text.
#[derive(Clone, Copy, Debug)]
struct Word {
    start: u32,
    end: u32,
    counted: bool,
    /// Part of a name in a program: `EXPORT_SYMBOL_GPL`.
    is_glued: bool,
}

/// Words behind which a slash offers a choice: `MIT/Apache-2.0`; elsewhere it is part of a path.
const BEFORE_SLASH: &[&str] = &[
    "mit",
    "bsd",
    "apache",
    "isc",
    "expat",
    "zlib",
    "gpl",
    "lgpl",
    "agpl",
    "mpl",
    "epl",
    "gplv2",
    "gplv3",
    "gpl2",
    "gpl3",
    "gplv2+",
    "gplv3+",
    "lgplv3",
    "unlicense",
    "artistic",
];

/// A text as words joined by single spaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Normal {
    text: String,
    words: Vec<Word>,
    /// Whether the next word goes on with a name in a program.
    is_glue_pending: bool,
}

/// Longest piece of markup that is taken out.
const TAG_BYTES: usize = 200;
/// Words in a shingle: long enough that ordinary prose shares none with a license.
pub(crate) const SHINGLE_WORDS: usize = 4;

/// A hash of some consecutive counted words, and where they stand in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shingle {
    /// The hash.
    pub(crate) hash: u64,
    /// Offset of the first byte.
    pub(crate) start: u32,
    /// Offset behind the last byte.
    pub(crate) end: u32,
}

impl Normal {
    /// Takes `input` apart.
    pub(crate) fn new(input: &str) -> Self {
        let mut normal = Self::default();
        normal.text.reserve(input.len());
        for line in input.split(['\n', '\r']) {
            let counted = !is_copyright(line);
            normal.push_line(line, counted);
        }
        normal
    }

    /// The words, joined by single spaces.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    fn push_line(&mut self, line: &str, counted: bool) {
        let mut rest = line;
        let mut word = String::new();
        while let Some(character) = rest.chars().next() {
            if let Some(length) = tag(rest) {
                self.push_word(&mut word, counted);
                rest = &rest[length..];
                continue;
            }
            rest = &rest[character.len_utf8()..];
            let next_is_digit = rest.starts_with(|c: char| c.is_ascii_digit());
            match character {
                c if c.is_alphanumeric() => word.extend(c.to_lowercase()),
                '.' if next_is_digit && word.ends_with(|c: char| c.is_ascii_digit()) => word.push('.'),
                '+' if !word.is_empty() => word.push('+'),
                _ => {
                    self.push_word(&mut word, counted);
                    let seen = &line[..line.len() - rest.len()];
                    self.push_sign(character, seen, rest);
                }
            }
        }
        self.push_word(&mut word, counted);
    }

    fn push_word(&mut self, word: &mut String, counted: bool) {
        if word.is_empty() {
            return;
        }
        if word == "https" {
            word.pop();
        }
        if word.starts_with("licence") {
            word.replace_range(..7, "license");
        }
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        let start = self.text.len() as u32;
        self.text.push_str(word);
        let says = word.chars().nth(1).is_some() && !word.starts_with(|c: char| c.is_ascii_digit());
        self.words.push(Word {
            start,
            end: self.text.len() as u32,
            counted: counted && says && !matches!(word.as_str(), "dnl" | "rem"),
            is_glued: std::mem::take(&mut self.is_glue_pending),
        });
        word.clear();
    }

    /// What a sign between `seen`, whose last character it is, and `rest` says: most say nothing.
    fn push_sign(&mut self, sign: char, seen: &str, rest: &str) {
        match sign {
            '_' => {
                let is_inside = |text: &str| text.trim_end_matches('_').ends_with(char::is_alphanumeric);
                if is_inside(seen) && rest.starts_with(char::is_alphanumeric) {
                    self.is_glue_pending = true;
                    if let Some(last) = self.words.last_mut() {
                        last.is_glued = true;
                    }
                }
            }
            '/' | '|'
                if rest.trim_start_matches([' ', '|']).starts_with(char::is_alphabetic) && self.offers(seen, rest) =>
            {
                self.push_word(&mut "or".to_owned(), false);
            }
            _ => {}
        }
    }

    /// Whether a slash between `seen` and `rest` stands between two licenses.
    fn offers(&self, seen: &str, rest: &str) -> bool {
        let mut last = self.text.rsplit(' ');
        let is_version = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        let (word, before) = (last.next(), last.next());
        let name = word.filter(|word| !is_version(word)).or(before).unwrap_or_default();
        // `MIT/X11` is one license; an address is none.
        let is_same = rest.get(..3).is_some_and(|next| next.eq_ignore_ascii_case("x11"));
        let token = seen.rsplit([' ', '\t']).next().unwrap_or_default();
        let is_address = token.contains("//") || token.contains("www.") || token.contains(".org");
        BEFORE_SLASH.contains(&name) && !is_same && !is_address
    }

    /// Whether the word at byte `start` is part of a name in a program.
    pub(crate) fn is_glued(&self, start: usize) -> bool {
        let at = self.words.partition_point(|word| (word.end as usize) <= start);
        self.words.get(at).is_some_and(|word| word.is_glued)
    }

    /// The shingles, in order.
    pub(crate) fn shingles(&self) -> Vec<Shingle> {
        let hashed = self.hashed();
        let combine = |window: &[(u64, u32, u32)]| Shingle {
            hash: window.iter().fold(0, |sum: u64, (hash, ..)| {
                (sum ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23)
            }),
            start: window[0].1,
            end: window[SHINGLE_WORDS - 1].2,
        };
        hashed.windows(SHINGLE_WORDS).map(combine).collect()
    }

    /// Hash, start and end of every counted word. `non`, `sub` and `re` are one with what follows: hyphens come and go.
    fn hashed(&self) -> Vec<(u64, u32, u32)> {
        let text = |word: &Word| &self.text[word.start as usize..word.end as usize];
        let mut hashed = Vec::with_capacity(self.words.len());
        let mut prefix: Option<&Word> = None;
        for word in self.words.iter().filter(|word| word.counted) {
            match prefix.take() {
                Some(first) => hashed.push((hash(&format!("{}{}", text(first), text(word))), first.start, word.end)),
                None if matches!(text(word), "non" | "sub" | "re") => prefix = Some(word),
                None => hashed.push((hash(text(word)), word.start, word.end)),
            }
        }
        hashed
    }
}

fn hash(word: &str) -> u64 {
    xxhash_rust::xxh3::xxh3_64(word.as_bytes())
}

/// A line that names who holds the rights: it differs from project to project. `copyright notice` at the start of a line
/// is none of them.
fn is_copyright(line: &str) -> bool {
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '(' && c != '©');
    let lower = |text: &str, length: usize| text.chars().take(length).collect::<String>().to_lowercase();
    let head = lower(line, 20);
    if head.starts_with("(c) ") || head.starts_with('©') || head.starts_with("all rights reserved") {
        return true;
    }
    let Some(rest) = ["copyright", "portions copyright"]
        .iter()
        .find(|start| head.starts_with(*start))
    else {
        return false;
    };
    let rest = line.get(rest.len()..).unwrap_or_default().trim_start();
    let next = lower(rest, 8);
    let goes_on = [
        "notice", "license", "licence", "holder", "owner", "law", "and ", "or ", "in ", "statemen", "interest",
        "disclaim",
    ];
    rest.starts_with(|c: char| !c.is_lowercase()) && !goes_on.iter().any(|word| next.starts_with(word))
        || next.starts_with("by ")
}

/// Length of a piece of markup or a placeholder at the start of `text`: `<b>`, `</p>`, `<year>`, `<who@where>`; not an address
/// of the web, which may be what names a license.
fn tag(text: &str) -> Option<usize> {
    if !text.starts_with('<') {
        return None;
    }
    let end = memchr::memchr(b'>', &text.as_bytes()[..text.len().min(TAG_BYTES)])?;
    let inner = &text[1..end];
    let starts = inner.starts_with(|c: char| c.is_alphabetic() || c == '/');
    (starts && !inner.contains("://") && !inner.contains('<')).then_some(end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_and_markup_vanish() {
        let text = " * Licensed under the <b>Apache Licence</b>, Version 2.0 (the \"License\")\n// GPLv2+ or v3.";
        let normal = Normal::new(text);
        assert_eq!(
            normal.text(),
            "licensed under the apache license version 2.0 the license gplv2+ or v3"
        );
        assert_eq!(
            Normal::new("a <http://x.org/y> <not\nclosed").text(),
            "a http x org y not closed"
        );
        assert_eq!(Normal::new("").text(), "");
    }

    #[test]
    fn layout_and_holders_do_not_change_shingles() {
        let hashes = |text: &str| Normal::new(text).shingles().iter().map(|s| s.hash).collect::<Vec<_>>();
        let plain = hashes("Copyright (c) 2001 A\n\npermission is hereby granted to use this");
        let dressed = hashes("# (c) 1999 B. and C.\n# 1. Permission is\n# hereby granted,\n#\n# to use <i>this</i>");
        assert_eq!(plain.len(), 7 - SHINGLE_WORDS + 1);
        assert_eq!(plain, dressed);
        assert!(hashes("three words only").is_empty());
        assert_eq!(
            hashes("merchantability and non-infringement of it"),
            hashes("merchantability and noninfringement of it")
        );
    }
}
