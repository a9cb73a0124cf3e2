//! Blocks of code in an HTML page, found without building a tree.
//!
//! ```text
//!   <pre><code class="language-rust">…      <div class="highlight highlight-source-python"><pre>…
//!   <pre lang="c">…  data-lang, data-language      lang-x  brush: x  sourceCode x  highlight-x (Sphinx)
//! ```
//! A `pre` is a block where it, an element in it or one of the four around it names a language, or where it holds a
//! `code`. Line numbers beside the code are left out. The reader goes through a page once and forgives what browsers
//! forgive: tags that are not closed, cases, missing quotes. Comments, scripts, styles and the like are passed over.

mod entities;

use self::entities::push_decoded;

/// Most blocks of one page.
const MOST_BLOCKS: usize = 4096;

/// Most elements that are open at once; those inside more are not told apart.
const DEEPEST: usize = 512;

/// Elements around a `pre` that may name its language.
const AROUND: usize = 4;

/// Longest name of a language.
const LONGEST_NAME: usize = 32;

/// Elements whose content is no markup.
const RAW: [&str; 7] = ["script", "style", "textarea", "title", "noscript", "iframe", "template"];

/// Elements without an end.
const VOID: [&str; 10] = [
    "br", "img", "hr", "meta", "link", "input", "wbr", "col", "area", "source",
];

/// A block of code.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Block {
    /// What the page calls its language, in lower case.
    pub(super) language: Option<String>,
    pub(super) text: String,
}

/// An element that is open.
struct Open {
    name: String,
    language: Option<String>,
    /// Whether it holds line numbers.
    is_gutter: bool,
}

/// The blocks of a page, in order.
pub(super) fn blocks(page: &str) -> Vec<Block> {
    let mut reader = Reader {
        rest: page,
        open: Vec::new(),
        block: None,
        found: Vec::new(),
    };
    while !reader.rest.is_empty() && reader.found.len() < MOST_BLOCKS {
        reader.step();
    }
    reader.end_block();
    reader.found
}

/// A `pre` that is being read.
#[derive(Default)]
struct Pre {
    block: Block,
    has_code: bool,
    /// Open elements outside of it.
    outside: usize,
}

struct Reader<'a> {
    rest: &'a str,
    open: Vec<Open>,
    block: Option<Pre>,
    found: Vec<Block>,
}

impl<'a> Reader<'a> {
    /// Reads text up to the next tag, or a tag.
    fn step(&mut self) {
        let end = memchr::memchr(b'<', self.rest.as_bytes()).unwrap_or(self.rest.len());
        if end > 0 {
            let (text, rest) = self.rest.split_at(end);
            self.rest = rest;
            self.text(text);
            return;
        }
        let after = &self.rest[1..];
        if let Some(comment) = after.strip_prefix("!--") {
            self.rest = behind(comment, "-->");
        } else if after.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.start(after);
        } else if let Some(name) = after.strip_prefix('/') {
            let end = name.find('>').unwrap_or(name.len());
            let tag = name[..end].trim().to_ascii_lowercase();
            self.rest = name.get(end + 1..).unwrap_or_default();
            self.end(&tag);
        } else if after.starts_with(['!', '?']) {
            self.rest = behind(after, ">");
        } else {
            self.rest = after;
            self.text("<");
        }
    }

    fn text(&mut self, text: &str) {
        let is_gutter = self.open.iter().any(|open| open.is_gutter);
        if let Some(pre) = self.block.as_mut().filter(|_| !is_gutter) {
            push_decoded(&mut pre.block.text, text);
        }
    }

    fn start(&mut self, after: &'a str) {
        let tag = Tag::parse(after);
        self.rest = &after[tag.bytes..];
        if let Some(raw) = RAW.iter().find(|raw| **raw == tag.name) {
            self.rest = behind_raw(self.rest, raw);
            return;
        }
        match (tag.name.as_str(), &mut self.block) {
            ("br", Some(pre)) => pre.block.text.push('\n'),
            ("pre", None) => {
                // A line end right behind the tag is none of the text.
                let rest = self.rest.strip_prefix('\r').unwrap_or(self.rest);
                self.rest = rest.strip_prefix('\n').unwrap_or(rest);
                let around = self
                    .open
                    .iter()
                    .rev()
                    .take(AROUND)
                    .find_map(|open| open.language.clone());
                let mut pre = Pre {
                    outside: self.open.len(),
                    ..Pre::default()
                };
                pre.block.language = tag.language.clone().or(around);
                self.block = Some(pre);
            }
            (name, Some(pre)) => {
                pre.has_code |= name == "code";
                if let Some(language) = &tag.language {
                    pre.block.language = Some(language.clone());
                }
            }
            _ => {}
        }
        if !tag.is_closed && !VOID.contains(&tag.name.as_str()) && self.open.len() < DEEPEST {
            self.open.push(Open {
                name: tag.name,
                language: tag.language,
                is_gutter: tag.is_gutter,
            });
        }
    }

    fn end(&mut self, name: &str) {
        let inside = self.block.as_ref().map_or(0, |pre| pre.outside);
        let found = self.open.iter().rposition(|open| open.name == name);
        // What is open around a block is not closed within it, but for the block itself.
        let Some(at) = found.filter(|&at| at >= inside) else {
            if name == "pre" {
                self.end_block();
            }
            return;
        };
        self.open.truncate(at);
        if at == inside && name == "pre" {
            self.end_block();
        }
    }

    fn end_block(&mut self) {
        let Some(pre) = self.block.take() else { return };
        let text = &pre.block.text;
        let is_code = pre.has_code || pre.block.language.is_some();
        // Columns of line numbers are blocks of their own on many pages.
        let is_numbers = text
            .chars()
            .all(|character| character.is_ascii_digit() || character.is_whitespace());
        if is_code && !is_numbers {
            self.found.push(pre.block);
        }
    }
}

/// What follows the first `end`; nothing where there is none.
fn behind<'a>(text: &'a str, end: &str) -> &'a str {
    let found = memchr::memmem::find(text.as_bytes(), end.as_bytes());
    found.map_or("", |at| &text[at + end.len()..])
}

/// What follows `</name`, in any case; nothing where there is none. The tag's own end is passed over.
fn behind_raw<'a>(text: &'a str, name: &str) -> &'a str {
    let bytes = text.as_bytes();
    for at in memchr::memmem::find_iter(bytes, b"</") {
        let found = bytes.get(at + 2..at + 2 + name.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            return behind(&text[at..], ">");
        }
    }
    ""
}

/// A start tag.
struct Tag {
    name: String,
    language: Option<String>,
    is_gutter: bool,
    is_closed: bool,
    /// Bytes behind `<`, up to and with `>`.
    bytes: usize,
}

impl Tag {
    /// The tag that begins with its name.
    fn parse(text: &str) -> Self {
        let is_end = |character: char| character.is_ascii_whitespace() || matches!(character, '/' | '>');
        let end = text.find(is_end).unwrap_or(text.len());
        let mut tag = Self {
            name: text[..end].to_ascii_lowercase(),
            language: None,
            is_gutter: false,
            is_closed: false,
            bytes: text.len(),
        };
        let mut at = end;
        while let Some(next) = text[at..].find(|character: char| !character.is_ascii_whitespace()) {
            at += next;
            let rest = &text[at..];
            if rest.starts_with('>') {
                tag.bytes = at + 1;
                break;
            }
            if let Some(after) = rest.strip_prefix('/') {
                tag.is_closed = after.starts_with('>');
                at += 1;
                continue;
            }
            let (name, value, bytes) = attribute(rest);
            tag.note(name, value);
            at += bytes;
        }
        tag
    }

    fn note(&mut self, name: &str, value: &str) {
        match name.to_ascii_lowercase().as_str() {
            "lang" if self.name == "pre" || self.name == "code" => {
                self.language = plain(value).or(self.language.take());
            }
            "data-lang" | "data-language" | "data-code-language" => {
                self.language = plain(value).or(self.language.take());
            }
            "class" => {
                self.language = self.language.take().or_else(|| of_classes(value));
                self.is_gutter = value.split_ascii_whitespace().any(is_gutter);
            }
            _ => {}
        }
    }
}

/// Name and value of an attribute, and the bytes that they take.
fn attribute(text: &str) -> (&str, &str, usize) {
    let name_end = text.find(|character: char| character.is_ascii_whitespace() || matches!(character, '=' | '>' | '/'));
    // A stray `=` is a name, so that there is an end to it.
    let name_end = name_end.unwrap_or(text.len()).max(1);
    let spaces = text[name_end..].len() - text[name_end..].trim_ascii_start().len();
    let Some(value) = text[name_end + spaces..].strip_prefix('=') else {
        return (&text[..name_end], "", name_end);
    };
    let quoted = value.trim_ascii_start();
    let start = text.len() - quoted.len();
    match quoted.chars().next().filter(|quote| matches!(quote, '"' | '\'')) {
        Some(quote) => {
            let end = quoted[1..].find(quote).map_or(quoted.len() - 1, |at| at);
            (&text[..name_end], &quoted[1..=end], (start + end + 2).min(text.len()))
        }
        None => {
            let end = quoted.find(|character: char| character.is_ascii_whitespace() || character == '>');
            let end = end.unwrap_or(quoted.len());
            (&text[..name_end], &quoted[..end], start + end)
        }
    }
}

fn is_gutter(class: &str) -> bool {
    matches!(
        class,
        "lineno" | "linenos" | "linenodiv" | "linenumber" | "line-number" | "line-numbers-rows" | "gutter"
    )
}

/// The language that classes name.
fn of_classes(classes: &str) -> Option<String> {
    let mut words = classes.split_ascii_whitespace().take(32).peekable();
    while let Some(word) = words.next() {
        let named = [
            "highlight-source-",
            "language-",
            "lang-",
            "brush:",
            "highlight-text-",
            "highlight-",
        ]
        .iter()
        .find_map(|prefix| word.strip_prefix(prefix));
        let name = match (word, named) {
            ("sourceCode" | "src", _) | (_, Some("")) => words.peek().copied(),
            ("highlight", _) => None,
            (_, Some("default" | "none" | "nohighlight" | "plaintext")) => None,
            (_, named) => named,
        };
        if let Some(name) = name.and_then(|name| plain(name.trim_end_matches(';'))) {
            return Some(name.strip_prefix("src-").map(str::to_owned).unwrap_or(name));
        }
    }
    None
}

/// A name in lower case, if it can be that of a language.
fn plain(name: &str) -> Option<String> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "+#-_.".contains(character);
    let is_name = !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(is_part);
    is_name.then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
