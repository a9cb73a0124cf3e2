//! The languages that can be parsed: one row a grammar, in the file of its family, and one word a family.
//!
//! A row says which crate parses, and which kinds of its nodes define, call, import, comment and nest. A list that is
//! empty says that the language knows no such thing, or none that a tree could tell: the fact is then absent, never 0.

use tree_sitter_language::LanguageFn;

use stackmill_schemas::syntax::DefinitionKind;

macro_rules! families {
    ($($family:ident)*) => {
        $(mod $family;)*

        /// The rows of every family.
        const FAMILIES: &[&[Grammar]] = &[$($family::GRAMMARS),*];
    };
}

families! { c data ecma functional hardware jvm lisp scripts systems }

/// A language that can be parsed.
pub struct Grammar {
    /// Linguist's name.
    pub language: &'static str,
    /// Linguist's names of further languages that this grammar parses.
    pub dialects: &'static [&'static str],
    /// How paths end that it is for; empty: all others.
    pub suffix: &'static str,
    /// The grammar.
    pub(crate) function: LanguageFn,
    /// What its nodes mean.
    pub(super) nodes: Nodes,
}

impl Grammar {
    const fn new(language: &'static str, function: LanguageFn, nodes: Nodes) -> Self {
        Self {
            language,
            dialects: &[],
            suffix: "",
            function,
            nodes,
        }
    }

    const fn also(mut self, dialects: &'static [&'static str]) -> Self {
        self.dialects = dialects;
        self
    }

    #[cfg(feature = "heavy-grammars")]
    const fn only(mut self, suffix: &'static str) -> Self {
        self.suffix = suffix;
        self
    }

    fn is_of(&self, language: &str, path: &str) -> bool {
        (self.language == language || self.dialects.contains(&language)) && path.ends_with(self.suffix)
    }

    /// Whether definitions can be told.
    pub fn tells_definitions(&self) -> bool {
        !self.nodes.definitions.is_empty()
    }

    /// Whether functions can be told among them.
    pub fn tells_functions(&self) -> bool {
        let mut definitions = self.nodes.definitions.iter().flat_map(|defines| defines.iter());
        definitions.any(|define| define.kind == DefinitionKind::Function)
    }

    /// Whether calls can be told.
    pub fn tells_calls(&self) -> bool {
        !self.nodes.calls.is_empty()
    }

    /// Whether imports can be told.
    pub fn tells_imports(&self) -> bool {
        !self.nodes.imports.is_empty()
    }

    /// Whether comments can be told.
    pub fn tells_comments(&self) -> bool {
        !self.nodes.comments.is_empty()
    }

    /// Whether docstrings can be told from comments and strings.
    pub fn tells_docstrings(&self) -> bool {
        !self.nodes.docstrings.is_empty()
    }

    /// Whether what its compiler refuses can be told.
    pub fn tells_refused(&self) -> bool {
        self.language == "Python"
    }

    /// Whether blocks nest.
    pub fn tells_nesting(&self) -> bool {
        !self.nodes.blocks.is_empty()
    }
}

/// What the nodes of a grammar mean, by their kinds.
#[derive(Clone, Copy)]
pub(super) struct Nodes {
    /// What defines something under a name of its own; of several patterns that fit a node the first counts.
    pub(super) definitions: &'static [&'static [Define]],
    /// Calls, unless they are definitions or imports by their first word.
    pub(super) calls: &'static [&'static str],
    /// What brings in another file or module.
    pub(super) imports: &'static [Mark],
    /// Comments.
    pub(super) comments: &'static [&'static str],
    /// What documents: such a comment is no longer counted as one.
    pub(super) docstrings: &'static [Docstring],
    /// What counts one level of nesting.
    pub(super) blocks: &'static [&'static str],
}

impl Nodes {
    /// A language that only nests and comments.
    const fn nested(blocks: &'static [&'static str], comments: &'static [&'static str]) -> Self {
        Self {
            definitions: &[],
            calls: &[],
            imports: &[],
            comments,
            docstrings: &[],
            blocks,
        }
    }
}

/// A kind of node, possibly only with certain first words.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    /// The node's kind.
    pub(super) node: &'static str,
    /// What its first named child must read; empty: anything.
    pub(super) head: &'static [&'static str],
}

impl Mark {
    const fn of(node: &'static str) -> Self {
        Self { node, head: &[] }
    }

    const fn headed(mut self, head: &'static [&'static str]) -> Self {
        self.head = head;
        self
    }
}

/// A node that defines something.
#[derive(Clone, Copy)]
pub(super) struct Define {
    pub(super) mark: Mark,
    pub(super) kind: DefinitionKind,
    /// Where the name is; without one it is no definition.
    pub(super) name: Name,
    pub(super) has: Has,
}

/// Where the name of a definition is.
#[derive(Clone, Copy)]
pub(super) enum Name {
    /// In a field.
    Field(&'static str),
    /// At the end of a chain of such fields.
    Along(&'static str),
    /// In the first node below, in the order of the text, that is one of these; the first word does not count.
    First(&'static [&'static str]),
}

/// What a definition must have beside its kind.
#[derive(Clone, Copy)]
pub(super) enum Has {
    Anything,
    /// Something in a field.
    Field(&'static str),
    /// A node of this kind in a field.
    FieldOf(&'static str, &'static str),
    /// A named child of this number of one of these kinds.
    Child(u32, &'static [&'static str]),
}

const fn define(node: &'static str, kind: DefinitionKind) -> Define {
    Define {
        mark: Mark::of(node),
        kind,
        name: Name::Field("name"),
        has: Has::Anything,
    }
}

const fn function(node: &'static str) -> Define {
    define(node, DefinitionKind::Function)
}

const fn data_type(node: &'static str) -> Define {
    define(node, DefinitionKind::Type)
}

const fn macro_rule(node: &'static str) -> Define {
    define(node, DefinitionKind::Macro)
}

const fn entry(node: &'static str) -> Define {
    define(node, DefinitionKind::Entry)
}

impl Define {
    const fn named(mut self, field: &'static str) -> Self {
        self.name = Name::Field(field);
        self
    }

    const fn along(mut self, field: &'static str) -> Self {
        self.name = Name::Along(field);
        self
    }

    const fn first(mut self, kinds: &'static [&'static str]) -> Self {
        self.name = Name::First(kinds);
        self
    }

    const fn headed(mut self, head: &'static [&'static str]) -> Self {
        self.mark.head = head;
        self
    }

    const fn having(mut self, field: &'static str) -> Self {
        self.has = Has::Field(field);
        self
    }

    const fn with_field(mut self, field: &'static str, kind: &'static str) -> Self {
        self.has = Has::FieldOf(field, kind);
        self
    }

    const fn with_child(mut self, number: u32, kinds: &'static [&'static str]) -> Self {
        self.has = Has::Child(number, kinds);
        self
    }
}

/// What documents something.
#[derive(Clone, Copy)]
pub(super) enum Docstring {
    /// A comment that begins so, and goes on with another character.
    Prefix(&'static str),
    /// A kind of node.
    Node(&'static str),
    /// A kind of node right below another.
    Under(&'static str, &'static str),
    /// A kind of node right below the definition of a function, if something follows.
    InFunction(&'static str),
    /// A kind of node with one of these first words.
    Headed(&'static str, &'static [&'static str]),
}

/// Every grammar, by family. Requests name a grammar by its place here: both ends are one program.
pub fn grammars() -> impl Iterator<Item = &'static Grammar> {
    FAMILIES.iter().flat_map(|family| family.iter())
}

/// The place of the grammar for a file, if there is one.
pub(super) fn find(language: Option<&str>, path: &str) -> Option<u32> {
    let language = language?;
    grammars()
        .position(|grammar| grammar.is_of(language, path))
        .map(|at| at as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(nodes: &Nodes) -> Vec<&'static str> {
        let defines = || nodes.definitions.concat();
        let mut kinds: Vec<&str> = [nodes.calls, nodes.comments, nodes.blocks].concat();
        kinds.extend(defines().iter().map(|define| define.mark.node));
        kinds.extend(nodes.imports.iter().map(|mark| mark.node));
        for define in defines() {
            match define.name {
                Name::First(names) => kinds.extend(names),
                Name::Field(_) | Name::Along(_) => {}
            }
            match define.has {
                Has::Child(_, of) => kinds.extend(of),
                Has::FieldOf(_, of) => kinds.push(of),
                Has::Anything | Has::Field(_) => {}
            }
        }
        for docstring in nodes.docstrings {
            match docstring {
                Docstring::Node(kind) | Docstring::InFunction(kind) | Docstring::Headed(kind, _) => kinds.push(kind),
                Docstring::Under(kind, parent) => kinds.extend([kind, parent]),
                Docstring::Prefix(_) => {}
            }
        }
        kinds
    }

    fn fields(nodes: &Nodes) -> Vec<&'static str> {
        let mut fields = Vec::new();
        for define in nodes.definitions.concat() {
            match define.name {
                Name::Field(field) | Name::Along(field) => fields.push(field),
                Name::First(_) => {}
            }
            match define.has {
                Has::Field(field) | Has::FieldOf(field, _) => fields.push(field),
                Has::Anything | Has::Child(..) => {}
            }
        }
        fields
    }

    #[test]
    fn every_kind_and_field_is_one_of_its_grammar() {
        let mut findings = Vec::new();
        for grammar in grammars() {
            let language = tree_sitter::Language::new(grammar.function);
            let unknown = kinds(&grammar.nodes)
                .into_iter()
                .filter(|kind| language.id_for_node_kind(kind, true) == 0);
            findings.extend(unknown.map(|kind| format!("{}: {kind}", grammar.language)));
            let unknown = fields(&grammar.nodes)
                .into_iter()
                .filter(|field| language.field_id_for_name(field).is_none());
            findings.extend(unknown.map(|field| format!("{}: field {field}", grammar.language)));
        }
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn a_language_has_one_grammar_for_each_file() {
        let names: Vec<(&str, &str)> = grammars()
            .flat_map(|grammar| {
                grammar
                    .dialects
                    .iter()
                    .chain([&grammar.language])
                    .map(|name| (*name, grammar.suffix))
            })
            .collect();
        let mut unique = names.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), names.len());
        for grammar in grammars() {
            let path = format!("a{}", grammar.suffix);
            let found = find(Some(grammar.language), &path).and_then(|at| grammars().nth(at as usize));
            assert!(
                found.is_some_and(|found| std::ptr::eq(found, grammar)),
                "{}: narrow rows come first",
                grammar.language
            );
        }
    }

    #[test]
    fn languages_are_found_by_their_name() {
        let found = |name| {
            find(Some(name), "a")
                .and_then(|at| grammars().nth(at as usize))
                .map(|found| found.language)
        };
        assert_eq!(found("Rust"), Some("Rust"));
        assert_eq!(found("Objective-C++"), Some("Objective-C"));
        assert_eq!((found("rust"), found(""), find(None, "a")), (None, None, None));
    }
}
