//! A file cut into code and comments, and the texts between quotes of its code.
//!
//! ```text
//!   x = "//"  # note     ─►   code      x = "//"  \n
//!                             comments  # note
//! ```
//! A scanner of line comments, block comments and quotes; nothing is parsed. What opens a comment goes by language, in
//! families; a language of none has no comments. Python's texts in three quotes count as comments where they stand alone.
//! A quote that is not closed on its line quotes nothing, but for those that may go on (three quotes, back quotes).

/// Code and comments of a file, each in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The file without its comments; line ends stay.
    pub code: String,
    /// The comments with their marks; line ends inside block comments stay.
    pub comments: String,
}

/// How a language writes comments and quotes.
#[derive(Clone, Copy, Default)]
struct Syntax {
    line: &'static [&'static str],
    block: &'static [(&'static str, &'static str)],
    /// Quotes that close on their line.
    quotes: &'static str,
    /// Quotes that may go on over lines.
    long: &'static [&'static str],
    /// Whether long quotes that stand alone are comments.
    documents: bool,
}

const C: Syntax = Syntax {
    line: &["//"],
    block: &[("/*", "*/")],
    quotes: "\"'",
    long: &["`"],
    documents: false,
};
const HASH: Syntax = Syntax {
    line: &["#"],
    block: &[],
    quotes: "\"'",
    long: &[],
    documents: false,
};

/// Languages of each family, in lower case, as Linguist names them.
const FAMILIES: &[(&[&str], Syntax)] = &[
    (
        &[
            "actionscript",
            "apex",
            "arduino",
            "c",
            "c#",
            "c++",
            "cuda",
            "d",
            "dart",
            "glsl",
            "go",
            "groovy",
            "hlsl",
            "java",
            "javascript",
            "json with comments",
            "jsonnet",
            "kotlin",
            "less",
            "objective-c",
            "objective-c++",
            "opencl",
            "protocol buffer",
            "qml",
            "scala",
            "scss",
            "solidity",
            "swift",
            "systemverilog",
            "tsx",
            "typescript",
            "v",
            "verilog",
            "zig",
        ],
        C,
    ),
    (
        &["rust"],
        Syntax {
            quotes: "\"",
            long: &[],
            ..C
        },
    ),
    (
        &["php"],
        Syntax {
            line: &["//", "#"],
            ..C
        },
    ),
    (&["css"], Syntax { line: &[], ..C }),
    (
        &["python", "starlark", "cython"],
        Syntax {
            long: &["\"\"\"", "'''"],
            documents: true,
            ..HASH
        },
    ),
    (
        &[
            "awk",
            "cmake",
            "crystal",
            "dockerfile",
            "elixir",
            "fish",
            "gdscript",
            "ignore list",
            "julia",
            "makefile",
            "meson",
            "nim",
            "nix",
            "perl",
            "r",
            "ruby",
            "shell",
            "tcl",
            "toml",
            "yaml",
        ],
        HASH,
    ),
    (
        &["powershell"],
        Syntax {
            block: &[("<#", "#>")],
            ..HASH
        },
    ),
    (&["sql", "plpgsql", "plsql", "tsql"], Syntax { line: &["--"], ..C }),
    (
        &["lua"],
        Syntax {
            line: &["--"],
            block: &[("--[[", "]]")],
            quotes: "\"'",
            ..HASH
        },
    ),
    (
        &["haskell", "elm", "purescript"],
        Syntax {
            line: &["--"],
            block: &[("{-", "-}")],
            quotes: "\"",
            ..HASH
        },
    ),
    (
        &["ada", "vhdl"],
        Syntax {
            line: &["--"],
            quotes: "\"",
            ..HASH
        },
    ),
    (
        &["tex", "erlang", "prolog", "matlab"],
        Syntax {
            line: &["%"],
            quotes: "",
            ..HASH
        },
    ),
    (
        &[
            "assembly",
            "clojure",
            "common lisp",
            "emacs lisp",
            "ini",
            "racket",
            "scheme",
        ],
        Syntax {
            line: &[";"],
            quotes: "\"",
            ..HASH
        },
    ),
    (
        &["html", "xml", "svg", "vue", "svelte", "markdown", "xslt"],
        Syntax {
            line: &[],
            block: &[("<!--", "-->")],
            quotes: "",
            ..HASH
        },
    ),
    (
        &["ocaml", "f#", "standard ml"],
        Syntax {
            line: &[],
            block: &[("(*", "*)")],
            quotes: "\"",
            ..HASH
        },
    ),
];

fn syntax(language: Option<&str>) -> Syntax {
    let Some(language) = language else {
        return Syntax::default();
    };
    let language = language.to_lowercase();
    let family = FAMILIES.iter().find(|(names, _)| names.contains(&language.as_str()));
    family.map_or(Syntax::default(), |(_, syntax)| *syntax)
}

impl Source {
    /// Cuts `text`, taking it for `language`.
    pub(super) fn of(text: &str, language: Option<&str>) -> Self {
        let syntax = syntax(language);
        let mut source = Self::default();
        let (mut at, mut unquoted) = (0, 0);
        while at < text.len() {
            let rest = &text[at..];
            let plain = rest.find(|first| syntax.may_begin(first)).unwrap_or(rest.len());
            let (code, marked) = rest.split_at(plain);
            source.code.push_str(code);
            at += plain;
            if marked.is_empty() {
                break;
            }
            match syntax.piece(marked, &source.code, at >= unquoted) {
                Piece::Comment(length) => {
                    source.comment(&marked[..length], &marked[length..]);
                    at += length;
                }
                Piece::Code(length) => {
                    source.code.push_str(&marked[..length]);
                    at += length;
                }
                Piece::Unclosed(line) => unquoted = at + line,
            }
        }
        source
    }

    /// Comments are kept apart by line ends, so that lines of comments can be counted.
    fn comment(&mut self, piece: &str, after: &str) {
        self.comments.push_str(piece);
        if after.starts_with('\n') || after.starts_with('\r') {
            self.comments.push('\n');
        }
    }

    /// Lines of the code that are not blank.
    pub fn code_lines(&self) -> impl Iterator<Item = &str> {
        filled_lines(&self.code)
    }

    /// Lines of the comments that are not blank.
    pub fn comment_lines(&self) -> impl Iterator<Item = &str> {
        filled_lines(&self.comments)
    }

    /// Share of the code's lines that pass `test`, blank ones left out; 0 where there is none.
    pub fn line_share(&self, mut test: impl FnMut(&str) -> bool) -> f64 {
        let (mut lines, mut found) = (0, 0);
        for line in self.code_lines() {
            lines += 1;
            found += u64::from(test(line));
        }
        super::share(found, lines)
    }

    /// Texts between quotes in the code, without the quotes, empty ones left out. Three quotes go before one; a text in
    /// single quotes ends on its line, unless `across_lines`. Nothing is escaped: this is how OpenCoder's filters read.
    pub fn strings(&self, across_lines: bool) -> Vec<&str> {
        let text = self.code.as_str();
        let mut strings = Vec::new();
        let mut unclosed = [false; 4];
        let mut at = 0;
        while let Some(found) = memchr::memchr2(b'"', b'\'', &text.as_bytes()[at..]) {
            let start = at + found;
            at = match quoted(text, start, across_lines, &mut unclosed) {
                Some((inside, end)) => {
                    strings.extend(Some(inside).filter(|inside| !inside.is_empty()));
                    end
                }
                None => start + 1,
            };
        }
        strings
    }
}

/// The text between quotes that starts at `start`, and where it ends. `unclosed` remembers which closing quotes are known
/// not to follow any more, so that no text is searched twice.
fn quoted<'a>(text: &'a str, start: usize, across_lines: bool, unclosed: &mut [bool; 4]) -> Option<(&'a str, usize)> {
    const MARKS: [&str; 4] = ["'''", "\"\"\"", "'", "\""];
    for (mark, unclosed) in MARKS.iter().zip(unclosed) {
        if *unclosed || !text[start..].starts_with(mark) {
            continue;
        }
        let inside = start + mark.len();
        let over_lines = mark.len() == 3 || across_lines;
        let bytes = &text.as_bytes()[inside..];
        let found = match over_lines {
            true => memchr::memmem::find(bytes, mark.as_bytes()),
            false => memchr::memchr2(mark.as_bytes()[0], b'\n', bytes).filter(|&end| bytes[end] != b'\n'),
        };
        match found {
            Some(length) => return Some((&text[inside..inside + length], inside + length + mark.len())),
            None => *unclosed = over_lines,
        }
    }
    None
}

fn filled_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|line| !line.trim().is_empty())
}

impl Syntax {
    /// Whether a comment or a quote may begin with `first`.
    fn may_begin(&self, first: char) -> bool {
        let marks = self.line.iter().chain(self.long);
        let blocks = self.block.iter().map(|(open, _)| open);
        self.quotes.contains(first) || marks.chain(blocks).any(|mark| mark.starts_with(first))
    }

    /// What `text` starts with; `before` is the code up to here. Quotes that close on their line count only `if_quoted`.
    fn piece(&self, text: &str, before: &str, if_quoted: bool) -> Piece {
        if let Some((open, close)) = self.block.iter().find(|(open, _)| text.starts_with(open)) {
            let end = memchr::memmem::find(&text.as_bytes()[open.len()..], close.as_bytes());
            return Piece::Comment(end.map_or(text.len(), |end| open.len() + end + close.len()));
        }
        if self.line.iter().any(|mark| text.starts_with(mark)) {
            return Piece::Comment(text.find(['\n', '\r']).unwrap_or(text.len()));
        }
        if let Some(mark) = self.long.iter().find(|mark| text.starts_with(*mark)) {
            let length = closed(text, mark, true).unwrap_or(text.len());
            return match self.documents && stands_alone(before, &text[length..]) {
                true => Piece::Comment(length),
                false => Piece::Code(length),
            };
        }
        let first = text.chars().next().map_or(1, char::len_utf8);
        let mark = &text[..first];
        match if_quoted && self.quotes.contains(mark) {
            false => Piece::Code(first),
            true => closed(text, mark, false)
                .map_or_else(|| Piece::Unclosed(text.find('\n').unwrap_or(text.len())), Piece::Code),
        }
    }
}

/// What stands where a comment or a quote may begin.
enum Piece {
    /// A comment of so many bytes.
    Comment(usize),
    /// A quoted text, or a single character.
    Code(usize),
    /// A quote that nothing closes on its line, which goes on for so many bytes: no quote on it counts.
    Unclosed(usize),
}

/// Where a quoted text that `text` starts with ends: behind the next `mark` that no backslash stands before.
fn closed(text: &str, mark: &str, over_lines: bool) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = mark.len();
    while at < bytes.len() {
        match bytes[at] {
            b'\n' if !over_lines => return None,
            b'\\' => at += 2,
            _ if bytes[at..].starts_with(mark.as_bytes()) => return Some(at + mark.len()),
            _ => at += 1,
        }
    }
    None
}

/// How far [`stands_alone`] looks, so that a long line costs no more than a short one.
const SIGHT: usize = 256;

/// Whether a line's start and its end stand on the two sides, and no bracket or operator before.
fn stands_alone(before: &str, after: &str) -> bool {
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(SIGHT))..];
    let line = near.rsplit('\n').next().unwrap_or_default().trim();
    let prefix = line.is_empty() || ["r", "u", "b", "R", "U", "B"].contains(&line);
    let last = near.trim_end().chars().next_back();
    let open = last.is_some_and(|last| "=([{,+\\%".contains(last));
    let rest = &after[..after.floor_char_boundary(SIGHT)];
    let rest = rest.split('\n').next().unwrap_or_default().trim();
    prefix && !open && (rest.is_empty() || rest.starts_with('#') || rest.starts_with(';'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(language: &str, text: &str) -> (String, String) {
        let source = Source::of(text, Some(language));
        (source.code, source.comments)
    }

    #[test]
    fn comments_go_by_language() {
        let cases = [
            ("C", "int x; // note\n/* a\nb */y", "int x; \ny", "// note\n/* a\nb */"),
            ("Go", "a := \"//\" // b", "a := \"//\" ", "// b"),
            ("Go", "`/* a\n*/` // b", "`/* a\n*/` ", "// b"),
            ("Rust", "fn f<'a>() {} // b", "fn f<'a>() {} ", "// b"),
            (
                "Python",
                "x = '#' # n\n\"\"\"doc\"\"\"\n",
                "x = '#' \n\n",
                "# n\n\"\"\"doc\"\"\"\n",
            ),
            ("Python", "x = \"\"\"a # b\"\"\"\n", "x = \"\"\"a # b\"\"\"\n", ""),
            ("Python", "f(\n  \"\"\"a\"\"\"\n)", "f(\n  \"\"\"a\"\"\"\n)", ""),
            ("SQL", "select 1 -- one\n", "select 1 \n", "-- one\n"),
            ("HTML", "<p><!-- a -->b", "<p>b", "<!-- a -->"),
            ("Lua", "x --[[ a\nb ]] y -- z", "x  y ", "--[[ a\nb ]]-- z"),
            ("C", "char c = '\\''; // it's", "char c = '\\''; ", "// it's"),
            ("C", "don't // a", "don't ", "// a"),
            ("Unheard of", "# a // b", "# a // b", ""),
            ("C", "/* never closed", "", "/* never closed"),
        ];
        for (language, text, code, comments) in cases {
            assert_eq!(cut(language, text), (code.to_owned(), comments.to_owned()), "{text:?}");
        }
    }

    #[test]
    fn strings_are_what_stands_between_quotes() {
        let strings = |text: &str, across| {
            let source = Source::of(text, None);
            source
                .strings(across)
                .into_iter()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            strings("a 'b' \"c\" '' '''d\n'e''' \"\"\"f\"\"\"", false),
            ["b", "c", "d\n'e", "f"]
        );
        assert_eq!(strings("don't\n'x'", false), ["x"]);
        assert_eq!(strings("don't\n'x", true), ["t\n"]);
        assert_eq!(strings("'''a 'b'", false), ["a ",]);
        assert_eq!(strings("\"a\nb\"", false), Vec::<String>::new());
    }

    #[test]
    fn shares_of_lines_leave_blank_ones_out() {
        let source = Source::of("a\n\n  \nb // c\n// d\n", Some("C"));
        assert_eq!(source.code_lines().count(), 2);
        assert_eq!(source.comment_lines().count(), 2);
        assert_eq!(source.line_share(|line| line.contains('b')), 0.5);
        assert_eq!(Source::default().line_share(|_| true), 0.0);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_but_line_ends(text in "[/*#\"'`a\\\\\né -]{0,60}", language in prop::sample::select(vec!["C", "Python", "Lua", "PHP"])) {
            let source = Source::of(&text, Some(language));
            let count = |text: &str| text.chars().filter(|character| *character != '\n').count();
            prop_assert_eq!(count(&source.code) + count(&source.comments), count(&text));
        }
    }
}
