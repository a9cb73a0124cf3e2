//! What a parse tells: plain facts, never a tree, so that parsing can happen in another process.

use serde::{Deserialize, Serialize};

/// Facts of one parsed file. A fact is absent where nobody asked for it, or where the language knows no such thing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SyntaxFacts {
    /// Length of what was parsed, in bytes.
    pub bytes: u64,
    /// Bytes inside ERROR nodes, each counted once, plus one for each missing token.
    pub error_bytes: Option<u64>,
    /// Named nodes of the tree.
    pub nodes: Option<u64>,
    /// Blocks around the innermost one, itself included; 0 without any.
    pub nesting: Option<u64>,
    /// Functions, methods, classes, structs, traits and the like that have a name.
    pub definitions: Option<u64>,
    /// Calls of functions, methods, macros and constructors.
    pub calls: Option<u64>,
    /// Lines of the longest function; 0 without any.
    pub function_lines: Option<u64>,
    /// Bytes of the longest function; 0 without any.
    pub function_bytes: Option<u64>,
    /// Places that the grammar takes and the language's compiler refuses.
    pub refused: Option<u64>,
    /// Where the definitions are, in the order of their starts.
    pub definition_spans: Option<Vec<Definition>>,
    /// Where something is imported, in the order of the text.
    pub imports: Option<Vec<Span>>,
    /// Comments that do not document, in the order of the text.
    pub comments: Option<Vec<Span>>,
    /// Comments and strings that document, in the order of the text.
    pub docstrings: Option<Vec<Span>>,
}

/// Bytes of a text, from `start` up to `end`, in UTF-8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

/// One definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// What is defined.
    pub kind: DefinitionKind,
    /// The whole definition.
    pub span: Span,
    /// Its name.
    pub name: Span,
}

/// What a definition defines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DefinitionKind {
    /// A function, method or constructor, with or without its body.
    Function,
    /// A class, struct, enum, trait, interface, message, hardware module and the like.
    Type,
    /// A macro.
    Macro,
    /// Anything else that has a name of its own: a table, a target, a stage.
    Entry,
}

impl DefinitionKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Function, Self::Type, Self::Macro, Self::Entry];

    /// The word used in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Type => "type",
            Self::Macro => "macro",
            Self::Entry => "entry",
        }
    }
}

/// How a parse ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Parsed {
    /// With facts.
    Facts(Box<SyntaxFacts>),
    /// No grammar for the language.
    NoGrammar,
    /// The declared work budget was used up: `(steps, limit)`.
    OverBudget(u64, u64),
    /// The parser's process died or was stopped, twice: in words.
    Crashed(String),
}
