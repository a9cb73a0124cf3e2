//! A fast lexer: texts become words, keywords, numbers, texts and marks, by the signs of the language's family.
//!
//! ```text
//!   text     total += f(x, "a b");  // sum        one pass over bytes, nothing is allocated for a token
//!   tokens   Word Mark Mark Word Mark Word Mark Text Mark Mark        comments, blanks and documentation are no tokens
//! ```
//! It does not parse: whatever stands in a file comes out as tokens, in linear time, and nothing is refused. What is
//! begun and never ended (a comment, a text that may go over lines) ends with the file.

mod languages;

use memchr::memchr;
use memchr::memmem;

pub use languages::Family;
use languages::{LANGUAGES, Quote, Reach};

/// Longest regular expression, in bytes: a slash without its other half in reach is a mark.
const EXPRESSION_MAX: usize = 256;
/// Longest delimiter of a raw text in C++, in bytes.
const DELIMITER_MAX: usize = 16;
/// Longest character between single quotes, in bytes: `'\u{10FFFF}'`.
const CHARACTER_MAX: usize = 12;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name.
    Word,
    /// A word that the language has taken.
    Keyword,
    /// A number.
    Number,
    /// A text, a character or a regular expression, with its signs.
    Text,
    /// One byte of anything else.
    Mark,
}

/// A token: what it is, and where it is in the text, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

impl Family {
    /// The family of a language, by Linguist's name, if it is known.
    pub fn of(language: &str) -> Option<&'static Self> {
        let found = LANGUAGES.iter().find(|(_, names)| names.contains(&language));
        found.map(|(family, _)| family)
    }

    /// What is assumed of languages that are not known: comments, texts and keywords as in C, comments after `#`.
    pub fn any() -> &'static Self {
        languages::DEFAULT
    }
}

/// What a byte may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Blank,
    Line,
    Word,
    Digit,
    /// A comment, a text, or else a word or a mark.
    Sign,
    Mark,
}

/// Cuts texts of one family into tokens; made once for many texts.
pub struct Lexer {
    family: &'static Family,
    classes: [Class; 256],
    /// Whether a byte goes on with a word.
    inside: [bool; 256],
    /// Sorted.
    keywords: Vec<&'static str>,
    /// Length of the longest.
    keyword_max: usize,
}

impl Lexer {
    /// For texts in languages of `family`.
    pub fn new(family: &'static Family) -> Self {
        let mut keywords: Vec<&str> = family.keywords.split_ascii_whitespace().collect();
        keywords.sort_unstable();
        let extra = |byte: u8| family.word.as_bytes().contains(&byte);
        let inside = std::array::from_fn(|byte| {
            let byte = byte as u8;
            byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii() || extra(byte)
        });
        Self {
            family,
            classes: std::array::from_fn(|byte| class(family, byte as u8, &inside)),
            inside,
            keyword_max: keywords.iter().map(|word| word.len()).max().unwrap_or(0),
            keywords,
        }
    }

    /// The tokens of `text`, in order.
    pub fn tokens<'a>(&'a self, text: &'a [u8]) -> Tokens<'a> {
        Tokens {
            lexer: self,
            text,
            at: 0,
            is_first: true,
            before: Before::Nothing,
        }
    }

    fn is_keyword(&self, word: &[u8]) -> bool {
        if word.len() > self.keyword_max {
            return false;
        }
        let found = match self.family.folds_case {
            false => self.keywords.binary_search_by(|keyword| keyword.as_bytes().cmp(word)),
            true => self.keywords.binary_search_by(|keyword| {
                let folded = word.iter().map(u8::to_ascii_lowercase);
                keyword.bytes().cmp(folded)
            }),
        };
        found.is_ok()
    }
}

fn class(family: &Family, byte: u8, inside: &[bool; 256]) -> Class {
    let begins = |sign: &str| sign.as_bytes().first() == Some(&byte);
    let signs = family.line.iter().chain(family.block.iter().map(|(open, _)| open));
    let is_sign = signs
        .chain(family.quotes.iter().map(|quote| &quote.open))
        .any(|sign| begins(sign));
    match byte {
        _ if is_sign => Class::Sign,
        b'/' if family.expressions => Class::Sign,
        b'\n' => Class::Line,
        b' ' | b'\t' | b'\r' | 0x0B | 0x0C => Class::Blank,
        b'0'..=b'9' => Class::Digit,
        _ if inside[byte as usize] => Class::Word,
        _ => Class::Mark,
    }
}

/// What the last token was, as far as later ones depend on it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// Something that has a value, or a bracket that closes one.
    Operand,
    /// A colon, a semicolon or a closing brace.
    Border,
    /// A keyword, an opening bracket, a comma, an operator.
    Operator,
}

/// The tokens of one text.
pub struct Tokens<'a> {
    lexer: &'a Lexer,
    text: &'a [u8],
    at: usize,
    /// Whether no token of this line was seen yet.
    is_first: bool,
    before: Before,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        while let Some(byte) = self.text.get(self.at) {
            let start = self.at;
            match self.lexer.classes[*byte as usize] {
                Class::Blank => self.at += 1,
                Class::Line => {
                    self.at += 1;
                    self.is_first = true;
                }
                Class::Word => return Some(self.word(start)),
                Class::Digit => {
                    self.at = self.number_end(start);
                    return Some(self.token(Kind::Number, start));
                }
                Class::Mark => return Some(self.mark(start)),
                Class::Sign => {
                    if let Some(token) = self.sign(start) {
                        return Some(token);
                    }
                }
            }
        }
        None
    }
}

impl Tokens<'_> {
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn token(&mut self, kind: Kind, start: usize) -> Token {
        self.is_first = false;
        self.before = match kind {
            Kind::Keyword => Before::Operator,
            Kind::Mark => match self.text[start] {
                b')' | b']' => Before::Operand,
                b':' | b';' | b'}' => Before::Border,
                _ => Before::Operator,
            },
            _ => Before::Operand,
        };
        let end = self.at;
        Token { kind, start, end }
    }

    fn mark(&mut self, start: usize) -> Token {
        self.at = start + 1;
        self.token(Kind::Mark, start)
    }

    fn word(&mut self, start: usize) -> Token {
        let rest = &self.text[start..];
        let length = rest.iter().position(|byte| !self.lexer.inside[*byte as usize]);
        self.at = start + length.unwrap_or(rest.len()).max(1);
        let prefixes = self.lexer.family.prefixes.as_bytes();
        let word = &self.text[start..self.at];
        if word.len() <= 2
            && word.iter().all(|byte| prefixes.contains(byte))
            && let Some(end) = self.quote().and_then(|quote| self.quote_end(quote))
        {
            self.at = end;
            return self.token(Kind::Text, start);
        }
        match self.lexer.is_keyword(&self.text[start..self.at]) {
            true => self.token(Kind::Keyword, start),
            false => self.token(Kind::Word, start),
        }
    }

    /// Digits, letters, and points and signs where a number has them.
    fn number_end(&self, start: usize) -> usize {
        let byte = |at: usize| self.text.get(at).copied().unwrap_or(b' ');
        let mut at = start + 1;
        loop {
            let exponent = matches!(byte(at - 1), b'e' | b'E') && !matches!(byte(start + 1), b'x' | b'X');
            let goes_on = match byte(at) {
                b'.' => byte(at + 1).is_ascii_digit(),
                b'+' | b'-' => exponent && byte(at + 1).is_ascii_digit(),
                other => other.is_ascii_alphanumeric() || other == b'_',
            };
            if !goes_on {
                return at;
            }
            at += 1;
        }
    }

    /// A comment (no token), a text, or what is left: a word or a mark.
    fn sign(&mut self, start: usize) -> Option<Token> {
        if let Some(end) = self.comment_end() {
            // Signs of comments may begin with the line's end.
            self.is_first |= self.text[start] == b'\n';
            self.at = end;
            return None;
        }
        if let Some((quote, end)) = self.quote().and_then(|quote| Some((quote, self.quote_end(quote)?))) {
            let is_alone = self.is_first && matches!(self.before, Before::Nothing | Before::Border | Before::Operand);
            self.at = end;
            return match quote.reach == Reach::Documentation && is_alone {
                true => None,
                false => Some(self.token(Kind::Text, start)),
            };
        }
        let byte = self.text[start];
        if byte == b'/'
            && self.lexer.family.expressions
            && self.before != Before::Operand
            && let Some(end) = self.expression_end()
        {
            self.at = end;
            return Some(self.token(Kind::Text, start));
        }
        match byte {
            b'\n' => {
                self.at += 1;
                self.is_first = true;
                None
            }
            _ if self.lexer.inside[byte as usize] => Some(self.word(start)),
            _ => Some(self.mark(start)),
        }
    }

    /// The end of the comment that begins here, if one does.
    fn comment_end(&self) -> Option<usize> {
        let (rest, family) = (self.rest(), self.lexer.family);
        let block = family.block.iter().find(|(open, _)| rest.starts_with(open.as_bytes()));
        if let Some((open, close)) = block {
            let length = match family.nests {
                true => nested_end(rest, open.as_bytes(), close.as_bytes()),
                false => memmem::find(&rest[open.len()..], close.as_bytes()).map(|at| open.len() + at + close.len()),
            };
            return Some(self.at + length.unwrap_or(rest.len()));
        }
        let is_line = family.line.iter().any(|open| rest.starts_with(open.as_bytes()));
        is_line.then(|| self.at + memchr(b'\n', rest).unwrap_or(rest.len()))
    }

    /// The kind of text that begins here.
    fn quote(&self) -> Option<&'static Quote> {
        let rest = self.rest();
        let quotes = self.lexer.family.quotes.iter();
        quotes.into_iter().find(|quote| rest.starts_with(quote.open.as_bytes()))
    }

    /// Where it ends; none where it is no text after all.
    fn quote_end(&self, quote: &Quote) -> Option<usize> {
        let (rest, open) = (self.rest(), quote.open.len());
        let length = match quote.reach {
            Reach::Character => return character_length(rest).map(|length| self.at + length),
            Reach::Delimited => {
                let reach = &rest[open..rest.len().min(open + DELIMITER_MAX + 1)];
                let delimiter = &reach[..memchr(b'(', reach)?];
                let close = [b")", delimiter, quote.close.as_bytes()].concat();
                memmem::find(rest, &close).map(|at| at + close.len())
            }
            Reach::Hashed => {
                let hashes = rest.iter().skip(open - 1).take_while(|byte| **byte == b'#').count();
                rest.get(open - 1 + hashes).filter(|byte| **byte == b'"')?;
                let close = [quote.close.as_bytes(), &rest[open - 1..open - 1 + hashes]].concat();
                let inside = open + hashes;
                memmem::find(&rest[inside..], &close).map(|at| inside + at + close.len())
            }
            reach => text_length(rest, quote, reach == Reach::Line),
        };
        Some(self.at + length.unwrap_or(rest.len()))
    }

    fn expression_end(&self) -> Option<usize> {
        let rest = self.rest();
        let mut at = 1;
        while at < rest.len().min(EXPRESSION_MAX) {
            match rest[at] {
                b'\n' => return None,
                b'\\' => at += 1,
                b'/' => return (at > 1).then_some(self.at + at + 1),
                _ => {}
            }
            at += 1;
        }
        None
    }
}

/// Length of a comment that may hold others; none if it does not end.
fn nested_end(text: &[u8], open: &[u8], close: &[u8]) -> Option<usize> {
    let (mut depth, mut at) = (0u32, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with(open) {
            depth = depth.saturating_add(1);
            at += open.len();
        } else if rest.starts_with(close) {
            depth -= 1;
            at += close.len();
            if depth == 0 {
                return Some(at);
            }
        } else {
            at += 1;
        }
    }
    None
}

/// Length of a text with its signs; one of a line ends with the line at the latest. None if it does not end.
fn text_length(text: &[u8], quote: &Quote, is_line: bool) -> Option<usize> {
    let close = quote.close.as_bytes();
    let mut at = quote.open.len();
    while at < text.len() {
        match text[at] {
            b'\\' if quote.escapes => at += 2,
            byte if byte == close[0] && text[at..].starts_with(close) => return Some(at + close.len()),
            b'\n' if is_line => return Some(at),
            _ => at += 1,
        }
    }
    None
}

/// Length of `'x'` or `'\…'`; none of anything else.
fn character_length(text: &[u8]) -> Option<usize> {
    let within = &text[..text.len().min(CHARACTER_MAX)];
    let close = match within.get(1)? {
        b'\n' | b'\'' => return None,
        b'\\' => 3 + memchr(b'\'', within.get(3..)?)?,
        byte if byte.is_ascii() => 2,
        _ => 2 + memchr(b'\'', within.get(2..)?)?,
    };
    (within.get(close) == Some(&b'\'')).then_some(close + 1)
}

#[cfg(test)]
mod tests;
