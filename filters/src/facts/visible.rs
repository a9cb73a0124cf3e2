//! What a reader of an HTML page sees: the text outside tags, comments, scripts and styles.

/// Visible text of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    /// Visible characters; a run of white space counts as one, white space at both ends as none, an entity as one.
    pub characters: u64,
    /// Characters of the whole file.
    pub of: u64,
}

impl Visible {
    /// Measures `text` in one pass; markup that is not closed hides the rest.
    pub fn of(text: &str) -> Self {
        let mut counter = Counter::default();
        let mut rest = text;
        while let Some(open) = memchr::memchr(b'<', rest.as_bytes()) {
            let (before, markup) = rest.split_at(open);
            counter.add(before);
            rest = match markup_length(markup) {
                0 => {
                    counter.add("<");
                    &markup[1..]
                }
                length => {
                    counter.gap = true;
                    &markup[length..]
                }
            };
        }
        counter.add(rest);
        Self {
            characters: counter.characters,
            of: text.chars().count() as u64,
        }
    }

    /// Share of the file that is visible, 0 to 1; 0 for an empty file.
    pub fn share(&self) -> f64 {
        super::share(self.characters, self.of)
    }
}

#[derive(Default)]
struct Counter {
    characters: u64,
    gap: bool,
}

impl Counter {
    fn add(&mut self, text: &str) {
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            if character.is_whitespace() {
                self.gap = true;
                continue;
            }
            self.characters += 1 + u64::from(self.gap && self.characters > 0);
            self.gap = false;
            if character == '&' {
                rest = rest.as_str()[entity_length(rest.as_str())..].chars();
            }
        }
    }
}

/// Length of an entity's name or number with its semicolon; 0 where there is none.
fn entity_length(text: &str) -> usize {
    const LONGEST: usize = 32;
    let name = text
        .bytes()
        .take(LONGEST)
        .position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'#'));
    match name {
        Some(length) if length > 0 && text.as_bytes()[length] == b';' => length + 1,
        _ => 0,
    }
}

/// Length of the tag, comment, script or style that `markup` starts with; 0 where `<` is just a character.
fn markup_length(markup: &str) -> usize {
    let bytes = markup.as_bytes();
    let whole = markup.len();
    if bytes.starts_with(b"<!--") {
        return memchr::memmem::find(bytes, b"-->").map_or(whole, |end| end + 3);
    }
    if !bytes
        .get(1)
        .is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?'))
    {
        return 0;
    }
    let Some(tag) = memchr::memchr(b'>', bytes).map(|end| end + 1) else {
        return whole;
    };
    for name in ["script", "style"] {
        if is_tag(&bytes[1..], name) {
            return closing_tag(&bytes[tag..], name).map_or(whole, |end| tag + end);
        }
    }
    tag
}

fn is_tag(bytes: &[u8], name: &str) -> bool {
    bytes.len() > name.len()
        && bytes[..name.len()].eq_ignore_ascii_case(name.as_bytes())
        && !bytes[name.len()].is_ascii_alphanumeric()
}

/// Where `</name` ends, its `>` included.
fn closing_tag(bytes: &[u8], name: &str) -> Option<usize> {
    let close = memchr::memmem::find_iter(bytes, b"</").find(|&at| is_tag(&bytes[at + 2..], name))?;
    let length = memchr::memchr(b'>', &bytes[close..]).map_or(bytes.len() - close, |end| end + 1);
    Some(close + length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_is_invisible() {
        let cases = [
            ("", 0),
            ("plain  text\n", 10),
            ("<p>a</p>\n <p class=\"x\">b</p>", 3),
            ("a<!-- <p>hidden</p> -->b", 3),
            ("<SCRIPT>var a = '</b>';</SCRIPT ><style>p{}</style>x", 1),
            ("<script>never closed", 0),
            ("1 < 2 &amp; 3", 9),
            ("a & b", 5),
            ("<a", 0),
            ("<scripted>x</scripted>", 1),
        ];
        for (text, characters) in cases {
            assert_eq!(Visible::of(text).characters, characters, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_more_is_visible_than_there_is(text in "[<>/!a &;é\n-]{0,80}") {
            let visible = Visible::of(&text);
            prop_assert!(visible.characters <= visible.of);
        }
    }
}
