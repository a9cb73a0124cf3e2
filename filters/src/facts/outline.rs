//! What a line of code does, by its words: defines a function or a type, imports, returns, declares. Nothing is parsed.
//!
//! Languages: C, C++, C#, Go, Java, JavaScript (with TypeScript) and Python. OpenCoder counts the same things with Python's
//! parser, a JavaScript parser and regular expressions for the others; the rules that use this say what differs.

use super::source::Source;

/// Number of lines by what they do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Lines of code that are not blank.
    pub lines: u64,
    /// Function definitions.
    pub functions: u64,
    /// Functions whose body is one `return`, in Python.
    pub one_return_functions: u64,
    /// Imports, includes, usings.
    pub imports: u64,
    /// Types.
    pub types: u64,
    /// Returns of nothing, a name or a literal; in Python any return of one line.
    pub simple_returns: u64,
    /// Declarations without an expression to compute.
    pub simple_declarations: u64,
    /// Assignments and declarations of any kind, parameters of functions included.
    pub variables: u64,
}

impl Outline {
    /// `None` where `language` is not one of those above.
    pub(super) fn of(source: &Source, language: Option<&str>) -> Option<Self> {
        let family = Family::of(language?)?;
        let mut outline = Self::default();
        let mut after_function = false;
        for line in source.code_lines().map(str::trim) {
            outline.lines += 1;
            let is_function = family.is_function(line);
            outline.functions += u64::from(is_function);
            outline.one_return_functions += u64::from(after_function && starts_with_word(line, "return"));
            outline.imports += u64::from(family.is_import(line));
            outline.types += u64::from(family.is_type(line));
            outline.simple_returns += u64::from(family.is_simple_return(line));
            outline.simple_declarations += u64::from(family.is_simple_declaration(line));
            outline.variables += u64::from(is_function && has_parameters(line) || family.is_variable(line));
            after_function = is_function && family == Family::Python;
        }
        Some(outline)
    }

    /// Functions, imports, types, simple returns and simple declarations by lines: 0 for pure logic.
    pub fn no_logic(&self) -> f64 {
        let plain = self.functions + self.imports + self.types + self.simple_returns + self.simple_declarations;
        super::share(plain, self.lines)
    }

    /// Functions by lines.
    pub fn function_share(&self) -> f64 {
        super::share(self.functions, self.lines)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Family {
    C,
    Java,
    Go,
    JavaScript,
    Python,
}

/// Words that a C-like line with parentheses may start with and still define no function.
const CONTROL: [&str; 12] = [
    "if", "else", "for", "while", "switch", "catch", "return", "do", "new", "throw", "using", "case",
];
const TYPES: [&str; 6] = ["class", "struct", "interface", "enum", "record", "union"];
const MODIFIERS: [&str; 12] = [
    "public",
    "private",
    "protected",
    "internal",
    "static",
    "final",
    "abstract",
    "sealed",
    "export",
    "default",
    "partial",
    "typedef",
];

impl Family {
    fn of(language: &str) -> Option<Self> {
        Some(match language.to_lowercase().as_str() {
            "c" | "c++" => Self::C,
            "java" | "c#" => Self::Java,
            "go" => Self::Go,
            "javascript" | "typescript" | "tsx" => Self::JavaScript,
            "python" => Self::Python,
            _ => return None,
        })
    }

    fn is_function(self, line: &str) -> bool {
        match self {
            Self::Python => starts_with_word(line, "def") || line.starts_with("async def "),
            Self::Go => starts_with_word(line, "func"),
            Self::JavaScript => words(line).any(|word| word == "function"),
            Self::C | Self::Java => is_signature(line),
        }
    }

    fn is_import(self, line: &str) -> bool {
        match self {
            Self::Python => words(line).any(|word| word == "import"),
            Self::C => line
                .strip_prefix('#')
                .is_some_and(|rest| rest.trim_start().starts_with("include")),
            Self::Java => starts_with_word(line, "import") || (starts_with_word(line, "using") && !line.contains('(')),
            Self::Go | Self::JavaScript => starts_with_word(line, "import") || line.contains("require("),
        }
    }

    fn is_type(self, line: &str) -> bool {
        let first = words(line).find(|word| !MODIFIERS.contains(word)).unwrap_or_default();
        match self {
            Self::Python | Self::JavaScript => first == "class",
            Self::Go => first == "type" && words(line).any(|word| word == "struct" || word == "interface"),
            Self::C | Self::Java => TYPES.contains(&first) && !line.ends_with(';'),
        }
    }

    fn is_simple_return(self, line: &str) -> bool {
        let Some(value) = line.strip_prefix("return") else {
            return false;
        };
        if value.starts_with(|next: char| next.is_alphanumeric() || next == '_') {
            return false;
        }
        self == Self::Python || is_plain(value.trim().trim_end_matches(';').trim())
    }

    fn is_simple_declaration(self, line: &str) -> bool {
        let words_before_value = || words(line.split('=').next().unwrap_or_default());
        match self {
            Self::Python => false,
            Self::Go => starts_with_word(line, "var") && !line.contains('=') && !line.contains('('),
            Self::JavaScript => {
                let first = words(line).next().unwrap_or_default();
                let value = line.split_once('=').map_or("", |(_, value)| value);
                ["let", "var", "const"].contains(&first) && is_plain(value.trim().trim_end_matches(';').trim())
            }
            Self::C | Self::Java => {
                let control = words(line)
                    .next()
                    .is_some_and(|word| CONTROL.contains(&word) || word == "break");
                line.ends_with(';')
                    && !line.contains(['(', '='])
                    && !self.is_import(line)
                    && !control
                    && words_before_value().count() >= 2
            }
        }
    }

    fn is_variable(self, line: &str) -> bool {
        let first = words(line).next().unwrap_or_default();
        match self {
            Self::Go if first == "var" || first == "const" => true,
            Self::JavaScript if ["let", "var", "const"].contains(&first) => true,
            Self::Python => first == "for" || names_a_value(line),
            Self::C | Self::Java if self.is_simple_declaration(line) => true,
            _ => assigns(line),
        }
    }
}

/// Whether a line of C, C++, C# or Java looks like the head of a function: words, a name, parentheses, no operator before
/// them, and nothing behind them that ends a statement.
fn is_signature(line: &str) -> bool {
    let Some((head, tail)) = line.split_once('(') else {
        return false;
    };
    let names = words(head).count();
    let plain = head
        .chars()
        .all(|c| c.is_alphanumeric() || "_<>[]*&:~,? \t".contains(c));
    let control = words(head).any(|word| CONTROL.contains(&word));
    let open = line.ends_with('{') || line.ends_with(')') || line.ends_with(',') || tail.contains('{');
    names >= 2 && plain && !control && open
}

fn has_parameters(line: &str) -> bool {
    let inside = line.split_once('(').map_or("", |(_, rest)| rest);
    inside.starts_with(|first: char| first.is_alphabetic() || "_*.".contains(first))
}

/// Whether a line has an assignment: `=` that is no comparison, no default and no arrow.
fn assigns(line: &str) -> bool {
    let bytes = line.as_bytes();
    let before_calls = memchr::memchr(b'(', bytes).unwrap_or(bytes.len());
    memchr::memchr_iter(b'=', &bytes[..before_calls]).any(|at| {
        let before = at.checked_sub(1).map_or(b' ', |before| bytes[before]);
        let after = bytes.get(at + 1).copied().unwrap_or(b' ');
        !b"=!<>".contains(&before) && !b"=>".contains(&after)
    })
}

/// Whether a line of Python gives a plain name its value: no attribute, no item, no annotation, no `+=`.
fn names_a_value(line: &str) -> bool {
    let name = line.split('=').next().unwrap_or_default().trim_end();
    assigns(line) && !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// Nothing, one name, one number, or one text without calls and operators.
fn is_plain(value: &str) -> bool {
    let quoted = value.len() >= 2 && value.starts_with(['"', '\'']) && value.ends_with(['"', '\'']);
    quoted
        || value
            .trim_start_matches(['-', '!'])
            .chars()
            .all(|c| c.is_alphanumeric() || "_.".contains(c))
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .filter(|word| !word.is_empty())
}

fn starts_with_word(line: &str, word: &str) -> bool {
    line.strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric() || next == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(language: &str, text: &str) -> Outline {
        let source = Source::of(text, Some(language));
        Outline::of(&source, Some(language)).expect("a known language")
    }

    #[test]
    fn lines_do_what_their_words_say() {
        let text = "import os\n# note\n\nclass A:\n    def f(self):\n        return self.x\n    def g():\n        y = 1\n        return y + 1\n";
        let expected = Outline {
            lines: 7,
            functions: 2,
            one_return_functions: 1,
            imports: 1,
            types: 1,
            simple_returns: 2,
            simple_declarations: 0,
            variables: 2,
        };
        assert_eq!(outline("Python", text), expected);
        assert_eq!(expected.no_logic(), 6.0 / 7.0);
    }

    #[test]
    fn families_have_their_own_words() {
        let cases = [
            (
                "C",
                "#include <a.h>\nint f(int a) {\nint x;\nx = g(a);\nreturn x;\n}\nif (x) {",
                [1, 1, 0, 1, 1],
            ),
            (
                "Java",
                "import a.b;\npublic class A {\nprivate int x;\npublic int f() {\nreturn x + 1;\n}\n}",
                [1, 1, 1, 0, 1],
            ),
            (
                "Go",
                "import \"a\"\ntype T struct {\n}\nfunc (t T) f() {\nvar x int\nreturn\n}",
                [1, 1, 1, 1, 1],
            ),
            (
                "JavaScript",
                "const a = require('b');\nfunction f(x) {\nlet y;\nreturn y;\n}\nclass B {}",
                [1, 1, 1, 1, 1],
            ),
        ];
        for (language, text, expected) in cases {
            let found = outline(language, text);
            let found = [
                found.functions,
                found.imports,
                found.types,
                found.simple_returns,
                found.simple_declarations,
            ];
            assert_eq!(found, expected, "{language}");
        }
        assert!(Outline::of(&Source::default(), Some("Haskell")).is_none());
    }

    #[test]
    fn assignments_are_no_comparisons() {
        for (line, expected) in [
            ("x = 1", true),
            ("x == 1", false),
            ("a <= b", false),
            ("f(x=1)", false),
            ("x += 1", true),
            ("=> 1", false),
        ] {
            assert_eq!(assigns(line), expected, "{line}");
        }
        assert_eq!(outline("Python", "self.x = 1\ny += 1\nz: int = 1\n").variables, 0);
        assert_eq!(outline("C", "x == 1;").variables, 0);
        assert_eq!(outline("C", "int f(int a)\n{").variables, 1);
    }
}
