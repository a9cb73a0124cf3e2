//! What is measured once per file for all rules: counted when a rule first asks.
//!
//! Lengths are in Unicode characters; a line is what `schemas::text::lines` says. A character is alphabetic or
//! alphanumeric as Rust's `char` says, which follows the Unicode properties Alphabetic and N*. Python's `isalpha` and
//! `isalnum`, which most published numbers were measured with, go by general category L and leave out what Alphabetic
//! has besides: vowel signs of Indic scripts, letter-like numerals such as `Ⅷ`, circled letters. ASCII is the same.

mod counts;
mod encoded;
mod outline;
mod signs;
mod source;
mod visible;
mod vocabulary;

use std::rc::Rc;

use stackmill_schemas::syntax::SyntaxFacts;

use counts::{Counts, Letters};
pub use encoded::Encoded;
pub use outline::Outline;
pub use signs::Signs;
pub(crate) use signs::is_space;
pub use source::Source;
pub use visible::Visible;
pub use vocabulary::Vocabulary;

/// Facts of one file. Each group is measured when it is first asked for, then remembered.
pub struct Facts<'a> {
    text: &'a str,
    syntax: Option<SyntaxFacts>,
    counts: Option<Counts>,
    letters: Option<Letters>,
    encoded: Option<Encoded>,
    visible: Option<Visible>,
    signs: Option<Signs>,
    vocabulary: Option<Rc<Vocabulary>>,
    source: Option<Rc<Source>>,
    outline: Option<Option<Outline>>,
}

impl<'a> Facts<'a> {
    /// Facts of a file that reads `text`; `syntax` where it has been parsed.
    pub fn new(text: &'a str, syntax: Option<SyntaxFacts>) -> Self {
        Self {
            text,
            syntax,
            counts: None,
            letters: None,
            encoded: None,
            visible: None,
            signs: None,
            vocabulary: None,
            source: None,
            outline: None,
        }
    }

    /// Number of characters.
    pub fn characters(&mut self) -> u64 {
        self.letters().characters
    }

    /// Number of alphabetic characters.
    pub fn alphabetic(&mut self) -> u64 {
        self.letters().alphabetic
    }

    /// Number of alphabetic and numeric characters.
    pub fn alphanumeric(&mut self) -> u64 {
        self.letters().alphanumeric
    }

    /// Share of alphabetic characters, 0 to 1; 0 for an empty file.
    pub fn alphabetic_share(&mut self) -> f64 {
        share(self.alphabetic(), self.characters())
    }

    /// Share of alphanumeric characters, 0 to 1; 0 for an empty file.
    pub fn alphanumeric_share(&mut self) -> f64 {
        share(self.alphanumeric(), self.characters())
    }

    /// Number of lines.
    pub fn lines(&mut self) -> u64 {
        self.counts().lines
    }

    /// Length of the longest line, in characters without its line end.
    pub fn line_max(&mut self) -> u64 {
        self.counts().line_max
    }

    /// Mean length of a line, in characters without its line end; 0 for an empty file.
    pub fn line_mean(&mut self) -> f64 {
        let counts = self.counts();
        share(counts.line_characters, counts.lines)
    }

    /// Runs that look like encoded data.
    pub fn encoded(&mut self) -> Encoded {
        *self.encoded.get_or_insert_with(|| Encoded::of(self.text))
    }

    /// What a reader of the page would see, taking the text for HTML.
    pub fn visible(&mut self) -> Visible {
        *self.visible.get_or_insert_with(|| Visible::of(self.text))
    }

    /// White space, digits, replacement characters.
    pub fn signs(&mut self) -> Signs {
        *self.signs.get_or_insert_with(|| Signs::of(self.text))
    }

    /// Words and how they repeat.
    pub fn vocabulary(&mut self) -> Rc<Vocabulary> {
        let found = self
            .vocabulary
            .get_or_insert_with(|| Rc::new(Vocabulary::of(self.text)));
        Rc::clone(found)
    }

    /// Code and comments, taking the text for `language`, which is the same for all that ask.
    pub fn source(&mut self, language: Option<&str>) -> Rc<Source> {
        let found = self
            .source
            .get_or_insert_with(|| Rc::new(Source::of(self.text, language)));
        Rc::clone(found)
    }

    /// What lines of code do; `None` in languages that are not told apart.
    pub fn outline(&mut self, language: Option<&str>) -> Option<Outline> {
        let source = self.source(language);
        *self.outline.get_or_insert_with(|| Outline::of(&source, language))
    }

    /// What a parse told; `None` where the language has no grammar or the file was too long to parse.
    pub fn syntax(&self) -> Option<&SyntaxFacts> {
        self.syntax.as_ref()
    }

    /// The first `count` lines, line ends included.
    pub fn head(&self, count: usize) -> &'a str {
        let rest = stackmill_schemas::text::lines(self.text).nth(count);
        let end = rest.map_or(self.text.len(), |line| {
            line.as_ptr() as usize - self.text.as_ptr() as usize
        });
        &self.text[..end]
    }

    fn letters(&mut self) -> Letters {
        *self.letters.get_or_insert_with(|| Letters::of(self.text))
    }

    fn counts(&mut self) -> Counts {
        *self.counts.get_or_insert_with(|| Counts::of(self.text))
    }
}

/// `part / whole`, or 0 where there is no whole.
fn share(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        _ => part as f64 / whole as f64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_has_shares_of_zero() {
        let mut facts = Facts::new("", None);
        assert_eq!((facts.lines(), facts.line_max(), facts.characters()), (0, 0, 0));
        assert_eq!(
            (facts.line_mean(), facts.alphabetic_share(), facts.alphanumeric_share()),
            (0.0, 0.0, 0.0)
        );
    }

    #[test]
    fn lengths_are_in_characters() {
        let mut facts = Facts::new("äé\n1234\r\n", None);
        assert_eq!((facts.lines(), facts.line_max(), facts.line_mean()), (2, 4, 3.0));
        assert_eq!(
            (facts.characters(), facts.alphabetic(), facts.alphanumeric()),
            (9, 2, 6)
        );
    }

    #[test]
    fn the_head_ends_with_its_last_line_end() {
        let facts = Facts::new("a\r\nb\nc", None);
        assert_eq!(
            (facts.head(0), facts.head(1), facts.head(2), facts.head(9)),
            ("", "a\r\n", "a\r\nb\n", "a\r\nb\nc")
        );
    }
}
