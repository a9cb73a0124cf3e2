//! From a tree to facts, in one walk, and in none where nothing is asked that the root does not tell.

use tree_sitter::{Node, Tree, TreeCursor};

use stackmill_schemas::syntax::{Definition, DefinitionKind, Span, SyntaxFacts};

use super::facts::{Fact, FactSet};
use super::grammars::{Docstring, Has, Name};
use super::meanings::{self, Defining, Meanings};
use super::refused::Refusals;

/// Nodes below a definition that are searched for its name.
const NAME_NODES: usize = 64;

/// Facts of `tree`, which was parsed from `text`: those that are `wanted` and that the language knows.
pub(super) fn facts(tree: &Tree, text: &[u8], meanings: &Meanings, wanted: FactSet) -> SyntaxFacts {
    let facts = empty(text, meanings, wanted);
    let mut reading = Reading {
        meanings,
        text,
        mask: mask(&facts),
        errors: facts.error_bytes.is_some() && tree.root_node().has_error(),
        refusals: meanings
            .refused
            .as_ref()
            .filter(|_| facts.refused.is_some())
            .map(Refusals::new),
        facts,
        open: Vec::new(),
        depth: 0,
        errors_end: 0,
        signature: None,
    };
    if reading.mask != 0 || reading.errors || reading.refusals.is_some() {
        reading.walk(&mut tree.walk());
    }
    if let Some(refusals) = &reading.refusals {
        reading.facts.refused = Some(refusals.count());
    }
    reading.facts
}

/// Facts at zero, absent where they are not wanted or not known to the language.
fn empty(text: &[u8], meanings: &Meanings, wanted: FactSet) -> SyntaxFacts {
    let grammar = meanings.grammar;
    let number = |fact, known: bool| (wanted.has(fact) && known).then_some(0);
    let spans = |fact, known: bool| (wanted.has(fact) && known).then(Vec::new);
    let defines = grammar.tells_definitions();
    SyntaxFacts {
        bytes: text.len() as u64,
        error_bytes: number(Fact::ErrorBytes, true),
        nodes: number(Fact::Nodes, true),
        nesting: number(Fact::Nesting, grammar.tells_nesting()),
        definitions: number(Fact::Definitions, defines),
        calls: number(Fact::Calls, grammar.tells_calls()),
        function_lines: number(Fact::FunctionLines, grammar.tells_functions()),
        function_bytes: number(Fact::FunctionBytes, grammar.tells_functions()),
        refused: number(Fact::Refused, grammar.tells_refused()),
        definition_spans: (wanted.has(Fact::DefinitionSpans) && defines).then(Vec::new),
        imports: spans(Fact::Imports, grammar.tells_imports()),
        comments: spans(Fact::Comments, grammar.tells_comments()),
        docstrings: spans(Fact::Docstrings, grammar.tells_docstrings()),
    }
}

/// What nodes must be looked at for `facts`. Definitions, imports and docstrings are told from calls by their words.
fn mask(facts: &SyntaxFacts) -> u8 {
    let functions = facts.function_lines.is_some() || facts.function_bytes.is_some();
    let definitions = facts.definitions.is_some() || facts.definition_spans.is_some() || functions;
    let (calls, documents) = (facts.calls.is_some(), facts.docstrings.is_some());
    let comments = facts.comments.is_some() || documents;
    let parts = [
        (facts.nodes.is_some(), meanings::NAMED),
        (definitions || calls || documents, meanings::DEFINES),
        (calls, meanings::CALLS),
        (calls || facts.imports.is_some(), meanings::IMPORTS),
        (comments, meanings::COMMENTS),
        (comments || calls, meanings::DOCUMENTS),
        (facts.nesting.is_some(), meanings::NESTS),
    ];
    parts.iter().filter(|(asked, _)| *asked).map(|(_, flag)| flag).sum()
}

/// A node that the walk is inside of.
#[derive(Clone, Copy)]
struct Open {
    kind: u16,
    nests: bool,
    is_function: bool,
}

struct Reading<'a> {
    meanings: &'a Meanings,
    text: &'a [u8],
    /// Flags that matter.
    mask: u8,
    /// Whether errors are wanted, and there are some.
    errors: bool,
    /// Where refusals are wanted.
    refusals: Option<Refusals<'a>>,
    facts: SyntaxFacts,
    open: Vec<Open>,
    depth: u64,
    errors_end: usize,
    /// Where the name of the last function starts: what looks like a call there is the function's own signature.
    signature: Option<usize>,
}

impl Reading<'_> {
    /// Walks with a cursor, never by recursion: depth costs heap, not stack. The cursor's own depth is not asked: that
    /// takes time in proportion to it, and a chain of 100,000 operators is that deep.
    fn walk(&mut self, cursor: &mut TreeCursor<'_>) {
        loop {
            let node = cursor.node();
            let open = self.enter(&node);
            let inside = self.mask != 0 || self.refusals.is_some() || node.has_error();
            if inside && cursor.goto_first_child() {
                self.open.push(open);
                continue;
            }
            self.leave(open);
            while !cursor.goto_next_sibling() {
                if !cursor.goto_parent() {
                    return;
                }
                if let Some(open) = self.open.pop() {
                    self.leave(open);
                }
            }
        }
    }

    fn leave(&mut self, open: Open) {
        self.depth -= u64::from(open.nests);
        if let Some(refusals) = &mut self.refusals {
            refusals.leave(open.kind);
        }
    }

    fn enter(&mut self, node: &Node<'_>) -> Open {
        let kind = node.kind_id();
        let flags = self.meanings.flags(kind) & self.mask;
        let nests = flags & meanings::NESTS != 0;
        if self.errors {
            self.count_errors(node);
        }
        if let Some(refusals) = &mut self.refusals {
            let above = self.open.last().map(|open| open.kind);
            refusals.enter(node, above, self.open.len(), self.text);
        }
        if let Some(nodes) = &mut self.facts.nodes {
            *nodes += u64::from(flags & meanings::NAMED != 0);
        }
        self.depth += u64::from(nests);
        if let Some(nesting) = &mut self.facts.nesting {
            *nesting = self.depth.max(*nesting);
        }
        let is_function = flags & !(meanings::NAMED | meanings::NESTS) != 0 && self.tell(node, kind, flags);
        Open {
            kind,
            nests,
            is_function,
        }
    }

    /// Nodes come in the order of their start, so an error inside an error starts before the outer one ends.
    fn count_errors(&mut self, node: &Node<'_>) {
        let Some(bytes) = &mut self.facts.error_bytes else {
            return;
        };
        if node.is_error() {
            let start = node.start_byte().max(self.errors_end);
            *bytes += node.end_byte().saturating_sub(start) as u64;
            self.errors_end = node.end_byte().max(self.errors_end);
        }
        *bytes += u64::from(node.is_missing());
    }

    /// Tells what a node is, and whether it is a function.
    fn tell(&mut self, node: &Node<'_>, kind: u16, flags: u8) -> bool {
        if flags & meanings::DEFINES != 0
            && let Some(defined) = self.define(node, kind)
        {
            return defined == DefinitionKind::Function;
        }
        if flags & (meanings::COMMENTS | meanings::DOCUMENTS) != 0 && self.comment(node, kind, flags) {
            return false;
        }
        if flags & meanings::IMPORTS != 0 && self.imports(node, kind) {
            if let Some(imports) = &mut self.facts.imports {
                imports.push(span(node));
            }
        } else if flags & meanings::CALLS != 0
            && self.signature != Some(node.start_byte())
            && let Some(calls) = &mut self.facts.calls
        {
            *calls += 1;
        }
        false
    }

    fn define(&mut self, node: &Node<'_>, kind: u16) -> Option<DefinitionKind> {
        let mut patterns = self.meanings.defines.iter().filter(|defining| defining.kind == kind);
        let (defined, name) = patterns.find_map(|defining| {
            let head = self.head(node, defining.define.mark.head)?;
            let name = match has(node, defining) {
                true => name(node, defining, head),
                false => None,
            };
            Some((defining.define.kind, span(&name?))).filter(|(_, name)| name.end > name.start)
        })?;
        if let Some(definitions) = &mut self.facts.definitions {
            *definitions += 1;
        }
        if let Some(spans) = &mut self.facts.definition_spans {
            spans.push(Definition {
                kind: defined,
                span: span(node),
                name,
            });
        }
        if defined == DefinitionKind::Function {
            self.signature = Some(name.start as usize);
            self.measure(node);
        }
        Some(defined)
    }

    fn measure(&mut self, node: &Node<'_>) {
        if let Some(lines) = &mut self.facts.function_lines {
            let (start, end) = (node.start_position(), node.end_position());
            // A node that ends with its line end does not reach into the next line.
            let last = end.row - usize::from(end.column == 0 && end.row > start.row);
            *lines = ((last - start.row + 1) as u64).max(*lines);
        }
        if let Some(bytes) = &mut self.facts.function_bytes {
            *bytes = (node.byte_range().len() as u64).max(*bytes);
        }
    }

    /// Where the first word ends, if there must be one and it is among `words`; the node's start if there need not.
    fn head(&self, node: &Node<'_>, words: &[&str]) -> Option<usize> {
        if words.is_empty() {
            return Some(node.start_byte());
        }
        let first = node.named_child(0)?;
        let word = self.text.get(first.byte_range())?;
        words
            .iter()
            .any(|wanted| wanted.as_bytes() == word)
            .then(|| first.end_byte())
    }

    fn imports(&self, node: &Node<'_>, kind: u16) -> bool {
        let mut marks = self.meanings.imports.iter().filter(|(import, _)| *import == kind);
        marks.any(|(_, mark)| self.head(node, mark.head).is_some())
    }

    /// Tells a comment or a docstring; `false` where the node is neither.
    fn comment(&mut self, node: &Node<'_>, kind: u16, flags: u8) -> bool {
        let is_comment = flags & meanings::COMMENTS != 0;
        let documents = self.documents(node, kind, is_comment);
        let spans = match documents {
            true => &mut self.facts.docstrings,
            false if is_comment => &mut self.facts.comments,
            false => return false,
        };
        if let Some(spans) = spans {
            spans.push(span(node));
        }
        true
    }

    fn documents(&self, node: &Node<'_>, kind: u16, is_comment: bool) -> bool {
        let above = self.open.last();
        let mut rules = self.meanings.documents.iter();
        rules.any(|(of, parent, docstring)| match docstring {
            Docstring::Prefix(prefix) => is_comment && self.begins(node, prefix),
            _ if *of != kind => false,
            Docstring::Node(_) => true,
            Docstring::Under(..) => above.is_some_and(|above| above.kind == *parent),
            Docstring::InFunction(_) => {
                above.is_some_and(|above| above.is_function) && node.next_named_sibling().is_some()
            }
            Docstring::Headed(_, words) => self.head(node, words).is_some(),
        })
    }

    /// Whether a comment begins so, and goes on otherwise: rulers (`/*****`, `//////`) and `/**/` do not document.
    fn begins(&self, node: &Node<'_>, prefix: &str) -> bool {
        let text = self.text.get(node.byte_range()).unwrap_or_default();
        let Some(rest) = text.strip_prefix(prefix.as_bytes()) else {
            return false;
        };
        !rest
            .first()
            .is_some_and(|next| *next == b'/' || prefix.as_bytes().last() == Some(next))
    }
}

fn has(node: &Node<'_>, defining: &Defining) -> bool {
    match defining.define.has {
        Has::Anything => true,
        Has::Field(field) => node.child_by_field_name(field).is_some(),
        Has::FieldOf(field, _) => {
            let there = node.child_by_field_name(field);
            there.is_some_and(|there| defining.has.contains(&there.kind_id()))
        }
        Has::Child(number, _) => {
            let there = node.named_child(number);
            there.is_some_and(|there| defining.has.contains(&there.kind_id()))
        }
    }
}

/// The node that names a definition; `after` is where its first word ends.
fn name<'a>(node: &Node<'a>, defining: &Defining, after: usize) -> Option<Node<'a>> {
    match defining.define.name {
        Name::Field(field) => node.child_by_field_name(field),
        Name::Along(field) => along(node, field),
        Name::First(_) => first(node, &defining.names, after),
    }
}

/// Declarators wrap each other; some wrap without naming the field.
fn along<'a>(node: &Node<'a>, field: &str) -> Option<Node<'a>> {
    let mut inner = node.child_by_field_name(field)?;
    for _ in 0..NAME_NODES {
        let next = match inner.child_by_field_name(field) {
            None if inner.kind().ends_with("_declarator") => inner.named_child(0),
            next => next,
        };
        match next {
            Some(next) => inner = next,
            None => return Some(inner),
        }
    }
    None
}

fn first<'a>(node: &Node<'a>, kinds: &[u16], after: usize) -> Option<Node<'a>> {
    let mut cursor = node.walk();
    for _ in 0..NAME_NODES {
        if !next(&mut cursor) {
            return None;
        }
        let node = cursor.node();
        if kinds.contains(&node.kind_id()) && node.start_byte() >= after {
            return Some(node);
        }
    }
    None
}

/// Moves to the next node in the order of the text.
fn next(cursor: &mut TreeCursor<'_>) -> bool {
    if cursor.goto_first_child() {
        return true;
    }
    while !cursor.goto_next_sibling() {
        if !cursor.goto_parent() {
            return false;
        }
    }
    true
}

fn span(node: &Node<'_>) -> Span {
    Span {
        start: node.start_byte() as u32,
        end: node.end_byte() as u32,
    }
}
