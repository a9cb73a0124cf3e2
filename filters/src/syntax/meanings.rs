//! What a grammar's nodes mean, by the numbers of their kinds: made once a parser from the grammar's row.

use tree_sitter::Language;

use super::grammars::{Define, Docstring, Grammar, Has, Mark, Name};
use super::refused::Kinds;

/// Kinds of nodes that are named.
pub(super) const NAMED: u8 = 1;
/// Kinds that may define.
pub(super) const DEFINES: u8 = 1 << 1;
/// Kinds that call.
pub(super) const CALLS: u8 = 1 << 2;
/// Kinds that may import.
pub(super) const IMPORTS: u8 = 1 << 3;
/// Kinds that are comments.
pub(super) const COMMENTS: u8 = 1 << 4;
/// Kinds that may document.
pub(super) const DOCUMENTS: u8 = 1 << 5;
/// Kinds that nest.
pub(super) const NESTS: u8 = 1 << 6;

/// A pattern of the row for a kind, with the numbers of the further kinds that it names.
pub(super) struct Defining {
    pub(super) kind: u16,
    pub(super) define: &'static Define,
    /// Kinds that [`Name::First`] looks for.
    pub(super) names: Vec<u16>,
    /// Kinds that [`Has`] asks for.
    pub(super) has: Vec<u16>,
}

/// A row by numbers.
pub(super) struct Meanings {
    pub(super) grammar: &'static Grammar,
    /// By kind: what it may be.
    flags: Vec<u8>,
    pub(super) defines: Vec<Defining>,
    pub(super) imports: Vec<(u16, &'static Mark)>,
    /// With the kind itself (0 for prefixes of comments), and that of what it must be right below.
    pub(super) documents: Vec<(u16, u16, &'static Docstring)>,
    /// What its compiler refuses, where that is known.
    pub(super) refused: Option<Kinds>,
}

impl Meanings {
    /// The row of `grammar` in the numbers of `language`.
    pub(super) fn new(grammar: &'static Grammar, language: &Language) -> Self {
        let nodes = &grammar.nodes;
        let id = |kind: &str| language.id_for_node_kind(kind, true);
        let ids = |kinds: &[&str]| kinds.iter().map(|kind| id(kind)).collect();
        let defining = |define: &'static Define| Defining {
            kind: id(define.mark.node),
            define,
            names: match define.name {
                Name::First(kinds) => ids(kinds),
                Name::Field(_) | Name::Along(_) => Vec::new(),
            },
            has: match define.has {
                Has::Child(_, kinds) => ids(kinds),
                Has::FieldOf(_, kind) => ids(&[kind]),
                Has::Anything | Has::Field(_) => Vec::new(),
            },
        };
        let documenting = |docstring: &'static Docstring| match docstring {
            Docstring::Prefix(_) => (0, 0, docstring),
            Docstring::Node(kind) | Docstring::InFunction(kind) | Docstring::Headed(kind, _) => {
                (id(kind), 0, docstring)
            }
            Docstring::Under(kind, parent) => (id(kind), id(parent), docstring),
        };
        let mut this = Self {
            grammar,
            flags: (0..language.node_kind_count() as u16)
                .map(|kind| u8::from(language.node_kind_is_named(kind)) * NAMED)
                .collect(),
            defines: nodes
                .definitions
                .iter()
                .flat_map(|defines| defines.iter())
                .map(defining)
                .collect(),
            imports: nodes.imports.iter().map(|mark| (id(mark.node), mark)).collect(),
            documents: nodes.docstrings.iter().map(documenting).collect(),
            refused: grammar.tells_refused().then(|| Kinds::of_python(language)),
        };
        this.mark(nodes.calls.iter().map(|kind| id(kind)).collect(), CALLS);
        this.mark(nodes.comments.iter().map(|kind| id(kind)).collect(), COMMENTS);
        this.mark(nodes.blocks.iter().map(|kind| id(kind)).collect(), NESTS);
        this.mark(this.defines.iter().map(|defining| defining.kind).collect(), DEFINES);
        this.mark(this.imports.iter().map(|import| import.0).collect(), IMPORTS);
        this.mark(this.documents.iter().map(|document| document.0).collect(), DOCUMENTS);
        this
    }

    fn mark(&mut self, kinds: Vec<u16>, flag: u8) {
        for kind in kinds {
            self.flags[usize::from(kind)] |= flag;
        }
    }

    /// What a kind may be.
    pub(super) fn flags(&self, kind: u16) -> u8 {
        self.flags.get(usize::from(kind)).copied().unwrap_or(0)
    }
}
