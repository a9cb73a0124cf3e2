//! The comments of a language: how they begin and end, by Linguist's names; languages without an entry are left alone.

use std::ops::Range;

/// How the comments of a language look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Syntax {
    /// What begins a comment that goes to the end of its line.
    pub(super) line: &'static [&'static str],
    /// What begins and ends a comment of any length.
    pub(super) block: &'static [(&'static str, &'static str)],
    /// What begins a line comment or a block that documents code, or is none: it is never looked into.
    pub(super) never: &'static [&'static str],
    /// Whether code begins only where `<?php` or `<?hh` says so.
    pub(super) opened: bool,
}

const NONE: Syntax = Syntax {
    line: &[],
    block: &[],
    never: &[],
    opened: false,
};
const C: Syntax = Syntax {
    line: &["//"],
    block: &[("/*", "*/")],
    never: &["///", "//!", "//#", "//go:", "//export ", "//line "],
    ..NONE
};
const RUST: Syntax = Syntax {
    never: &["///", "//!", "/*!", "/**"],
    ..C
};
const CSS: Syntax = Syntax { line: &[], ..C };
const PHP: Syntax = Syntax {
    line: &["//", "#"],
    never: &["#["],
    opened: true,
    ..C
};
const HASH: Syntax = Syntax {
    line: &["#"],
    never: &[
        "#!",
        "#'",
        "#:",
        "#cloud-config",
        "#compdef",
        "#lang",
        "#pragma",
        "#requires",
    ],
    ..NONE
};
const RUBY: Syntax = Syntax {
    block: &[("=begin", "=end")],
    ..HASH
};
const POWERSHELL: Syntax = Syntax {
    block: &[("<#", "#>")],
    ..HASH
};
const DASH: Syntax = Syntax {
    line: &["--"],
    never: &["---", "--|", "-- |", "--!", "--:"],
    ..NONE
};
const SQL: Syntax = Syntax {
    line: &["--"],
    block: &[("/*", "*/")],
    never: &["/*!", "/*+"],
    ..NONE
};
const HASKELL: Syntax = Syntax {
    line: &["--"],
    block: &[("{-", "-}")],
    never: &["{-#", "{-|", "{- |", "--|", "-- |", "-- ^"],
    ..NONE
};
const LUA: Syntax = Syntax {
    line: &["--"],
    block: &[("--[[", "]]")],
    never: &["---", "--!"],
    ..NONE
};
const LISP: Syntax = Syntax {
    line: &[";"],
    never: &[],
    ..NONE
};
const PERCENT: Syntax = Syntax {
    line: &["%"],
    never: &["%!", "%&", "%%"],
    ..NONE
};
const ML: Syntax = Syntax {
    block: &[("(*", "*)")],
    never: &["(**"],
    ..NONE
};
const MARKUP: Syntax = Syntax {
    block: &[("<!--", "-->")],
    never: &["<!--[if", "<!--#"],
    ..NONE
};
const PROLOG: Syntax = Syntax {
    block: &[("/*", "*/")],
    never: &["%!", "%%", "/**"],
    ..PERCENT
};
/// Hashes may be the preprocessor's: only those with a space behind them are comments.
const ASSEMBLY: Syntax = Syntax {
    line: &[";", "//", "# ", "dnl"],
    block: &[("/*", "*/")],
    ..NONE
};
const M4: Syntax = Syntax {
    line: &["dnl", "#"],
    ..HASH
};
const INI: Syntax = Syntax {
    line: &["#", ";"],
    ..HASH
};
const BATCH: Syntax = Syntax {
    line: &["rem", "REM", "Rem", "@rem", "@REM", "::"],
    ..NONE
};
const FORTH: Syntax = Syntax { line: &["\\"], ..NONE };
const ROFF: Syntax = Syntax {
    line: &[".\\\"", "'\\\""],
    ..NONE
};
const QUOTE: Syntax = Syntax {
    line: &["'"],
    never: &["'''"],
    ..NONE
};
const BANG: Syntax = Syntax {
    line: &["!"],
    never: &["!$", "!DIR$", "!dir$"],
    ..NONE
};

/// Which languages have which comments.
const LANGUAGES: &[(Syntax, &[&str])] = &[
    (
        C,
        &[
            "ActionScript",
            "Apex",
            "C",
            "C#",
            "C++",
            "Chapel",
            "CUDA",
            "Cuda",
            "D",
            "Dart",
            "GLSL",
            "Go",
            "Groovy",
            "HLSL",
            "Haxe",
            "JSON with Comments",
            "JSX",
            "Java",
            "JavaScript",
            "Kotlin",
            "Less",
            "Metal",
            "Objective-C",
            "Objective-C++",
            "OpenCL",
            "POV-Ray SDL",
            "Processing",
            "Protocol Buffer",
            "SCSS",
            "Scala",
            "Solidity",
            "Swift",
            "SystemVerilog",
            "TSX",
            "Thrift",
            "TypeScript",
            "V",
            "Vala",
            "Verilog",
            "WGSL",
            "Zig",
        ],
    ),
    (RUST, &["Rust"]),
    (CSS, &["CSS"]),
    (PHP, &["Hack", "PHP"]),
    (
        HASH,
        &[
            "Awk",
            "BitBake",
            "CMake",
            "Cython",
            "Dockerfile",
            "Elixir",
            "GDScript",
            "GN",
            "GAP",
            "Gnuplot",
            "Golo",
            "HCL",
            "Just",
            "Makefile",
            "Meson",
            "Nit",
            "Nix",
            "Perl",
            "Python",
            "R",
            "Raku",
            "Sed",
            "Shell",
            "Starlark",
            "TOML",
            "Tcl",
            "YAML",
            "fish",
        ],
    ),
    (RUBY, &["Crystal", "Ruby"]),
    (POWERSHELL, &["PowerShell"]),
    (DASH, &["Ada", "VHDL"]),
    (SQL, &["PLSQL", "PLpgSQL", "SQL", "TSQL"]),
    (HASKELL, &["Elm", "Haskell", "PureScript"]),
    (LUA, &["Lua", "Luau"]),
    (
        LISP,
        &[
            "Clojure",
            "Common Lisp",
            "Emacs Lisp",
            "LLVM",
            "Racket",
            "Rebol",
            "Scheme",
        ],
    ),
    (PERCENT, &["Erlang", "MATLAB", "TeX"]),
    (PROLOG, &["Prolog"]),
    (ASSEMBLY, &["Assembly", "Unix Assembly"]),
    (M4, &["M4", "M4Sugar"]),
    (INI, &["INI"]),
    (BATCH, &["Batchfile"]),
    (FORTH, &["Forth"]),
    (ROFF, &["Roff", "Roff Manpage"]),
    (ML, &["OCaml", "Rocq Prover", "Standard ML", "Wolfram Language"]),
    (MARKUP, &["HTML", "SVG", "Vue", "XML", "XSLT"]),
    (QUOTE, &["VBA", "Visual Basic .NET"]),
    (BANG, &["Fortran", "Fortran Free Form"]),
];

/// The comments of a language, if they are known.
pub(super) fn of(language: &str) -> Option<Syntax> {
    let found = LANGUAGES.iter().find(|(_, names)| names.contains(&language));
    found.map(|(syntax, _)| *syntax)
}

/// Languages whose headers are stripped, by Linguist's names, in alphabetical order.
pub fn languages() -> Vec<&'static str> {
    let mut names: Vec<_> = LANGUAGES.iter().flat_map(|(_, names)| names.iter().copied()).collect();
    names.sort_unstable();
    names
}

/// A comment, or a run of line comments, at the start of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment<'a> {
    /// What it says: a line each, without the signs of the comment.
    pub(super) lines: Vec<&'a str>,
    /// Where each line ends, in a run of line comments; nothing is known of the lines of a block.
    ends: Vec<usize>,
    /// Its bytes, up to and with the end of its last line.
    pub(super) length: usize,
    /// Whether it may be taken out if it says nothing but licenses.
    pub(super) plain: bool,
}

impl Comment<'_> {
    /// The bytes of some of its lines; none in a block.
    pub(super) fn bytes(&self, lines: Range<usize>) -> Option<Range<usize>> {
        let start = lines
            .start
            .checked_sub(1)
            .map_or(Some(&0), |above| self.ends.get(above));
        Some(*start?..*self.ends.get(lines.end.checked_sub(1)?)?)
    }
}

impl Syntax {
    /// The comment that `text` begins with; none where it begins with something else, or where other code follows in the
    /// comment's last line, or where it cannot be told where the comment ends.
    pub(super) fn comment<'a>(&self, text: &'a str) -> Option<Comment<'a>> {
        let start = text.trim_start_matches([' ', '\t']);
        // A block's sign may begin with a line comment's: `--[[`.
        let block = self.block.iter().find(|(open, _)| start.starts_with(open));
        match block {
            Some((open, close)) => self.block(text, start, open, close),
            None => self.run(text),
        }
    }

    fn is_never(&self, comment: &str) -> bool {
        // A row of slashes, hashes or stars is decoration.
        let rest = comment.trim_start_matches(['/', '#', '-', '*', '%', ';', '!', '\'', '(', '=']);
        let decoration = rest.trim().is_empty() && comment.trim().len() > 4;
        !decoration && self.never.iter().any(|sign| comment.starts_with(sign))
    }

    fn block<'a>(&self, text: &'a str, start: &'a str, open: &str, close: &str) -> Option<Comment<'a>> {
        let inside = &start[open.len()..];
        let end = inside.find(close)?;
        let (inside, after) = (&inside[..end], &inside[end + close.len()..]);
        let line = after.split_inclusive('\n').next().unwrap_or_default();
        // Some languages nest comments, some do not: where it matters, nobody here decides.
        if !line.trim().is_empty() || inside.contains(open) {
            return None;
        }
        let words = inside
            .lines()
            .map(|line| line.trim().trim_matches(['*', '|', '#']).trim());
        Some(Comment {
            lines: words.collect(),
            ends: Vec::new(),
            length: text.len() - after.len() + line.len(),
            plain: !self.is_never(start),
        })
    }

    /// Line comments one below the other; one that is never looked into is alone.
    fn run<'a>(&self, text: &'a str) -> Option<Comment<'a>> {
        let (mut lines, mut ends, mut length) = (Vec::new(), Vec::new(), 0);
        for line in text.split_inclusive('\n') {
            let comment = line.trim();
            let Some(sign) = self.line.iter().find(|sign| begins(comment, sign)) else {
                break;
            };
            // The next line belongs to it in C, whatever it looks like.
            if comment.ends_with('\\') && *sign != "\\" {
                return None;
            }
            if self.is_never(comment) || is_directive(comment) || is_modeline(comment) {
                if lines.is_empty() {
                    let (lines, length) = (vec![comment], line.len());
                    return Some(Comment {
                        lines,
                        ends,
                        length,
                        plain: false,
                    });
                }
                break;
            }
            if self.block.iter().any(|(open, _)| comment.starts_with(open)) {
                break;
            }
            let last = sign.trim_end().chars().next_back().filter(|last| !last.is_alphabetic());
            let rest = &comment[sign.len()..];
            lines.push(last.map_or(rest, |last| rest.trim_matches(last)).trim());
            length += line.len();
            ends.push(length);
        }
        (length > 0).then_some(Comment {
            lines,
            ends,
            length,
            plain: true,
        })
    }
}

/// Whether a line begins with the sign of a comment; one of letters is a word.
fn begins(line: &str, sign: &str) -> bool {
    let word = sign.ends_with(char::is_alphabetic) || sign == "\\";
    line.strip_prefix(sign)
        .is_some_and(|rest| !word || rest.is_empty() || rest.starts_with([' ', '\t']))
}

/// Words that a program looks for in a comment: whoever takes such a comment out changes what programs do.
const DIRECTIVES: &[&str] = &[
    "$id$",
    "$schema",
    "%yaml",
    "+build",
    "<reference",
    "@charset",
    "@file",
    "@flow",
    "@format",
    "@generated",
    "@jest",
    "@jsx",
    "@module",
    "@namespace",
    "@noflow",
    "@package",
    "@phpstan",
    "@ts-",
    "@vitest",
    "auto-generated",
    "autogenerated",
    "biome-",
    "checkstyle",
    "clang-format",
    "codegen",
    "coding:",
    "coding=",
    "compile-flags",
    "cython:",
    "deno-",
    "dg-",
    "distutils:",
    "do not edit",
    "dprint",
    "edition:",
    "encoding:",
    "encoding=",
    "escape=",
    "eslint",
    "exported ",
    "filecheck",
    "flake8",
    "fmt:",
    "frozen_string_literal",
    "generated by",
    "global ",
    "globals ",
    "go:",
    "ignore-",
    "isort:",
    "istanbul",
    "jshint",
    "jslint",
    "ktlint",
    "language_level",
    "luacheck",
    "mypy",
    "nolint",
    "noqa",
    "nosec",
    "oxlint",
    "phpcs",
    "pragma",
    "prettier",
    "psalm",
    "pylint",
    "pyright",
    "region ",
    "rubocop",
    "ruff:",
    "run:",
    "rustfmt",
    "selene:",
    "shellcheck",
    "sourcemappingurl",
    "spotless",
    "swift-tools-version",
    "swiftformat",
    "swiftlint",
    "syntax=",
    "tslint",
    "type:",
    "typed:",
    "vtest",
    "warn_indent",
    "yaml-language-server",
];

/// What editors look for: in a line comment also interpreters do.
const MODELINES: &[&str] = &["-*-", "vim:", "vi:", "ex:"];

/// Whether this line tells an editor how to show the file.
pub(super) fn is_modeline(line: &str) -> bool {
    holds(line, MODELINES)
}

/// Whether a program looks for something in this line.
pub(super) fn is_directive(line: &str) -> bool {
    holds(line, DIRECTIVES)
}

/// Whether one of `words` stands in a line, in any case, and not at the end of another word.
fn holds(line: &str, words: &[&str]) -> bool {
    let lower = line.to_lowercase();
    let begins = |at: usize| !lower[..at].ends_with(char::is_alphanumeric);
    words
        .iter()
        .any(|word| lower.match_indices(word).any(|(at, _)| begins(at)))
}
