//! What a grammar takes and the language's own compiler refuses: grammars are lenient, and remember old versions.
//!
//! ```text
//!   Python   print and exec as statements, `print >> file`       Python 2
//!            a block without a statement
//!            return, yield and await outside functions
//!            an indented statement that is in no block
//!            imports from __future__ below other statements
//! ```
//! Source: the grammar and the symbol table of CPython 3, whose `compile` refuses each of these.

use tree_sitter::{Language, Node};

/// Numbers of the kinds that matter, for Python.
#[derive(Clone, Debug)]
pub(super) struct Kinds {
    /// What Python 3 does not have.
    gone: [u16; 3],
    /// What must be inside a function.
    inside: [u16; 3],
    functions: [u16; 2],
    block: u16,
    comment: u16,
    future: u16,
    /// A statement that is an expression, and the string that it is where it documents.
    expression: u16,
    string: u16,
}

impl Kinds {
    /// Those of `language`, which is Python's grammar.
    pub(super) fn of_python(language: &Language) -> Self {
        let id = |kind: &str| language.id_for_node_kind(kind, true);
        Self {
            gone: ["print_statement", "exec_statement", "chevron"].map(id),
            inside: ["return_statement", "yield", "await"].map(id),
            functions: ["function_definition", "lambda"].map(id),
            block: id("block"),
            comment: id("comment"),
            future: id("future_import_statement"),
            expression: id("expression_statement"),
            string: id("string"),
        }
    }
}

/// Where a walk is, as far as refusals depend on it.
#[derive(Debug)]
pub(super) struct Refusals<'a> {
    kinds: &'a Kinds,
    count: u64,
    /// Functions around.
    functions: u64,
    /// By block around: whether it holds a statement.
    blocks: Vec<bool>,
    /// Whether a statement of the file was seen that may not be above imports from the future.
    has_begun: bool,
}

impl<'a> Refusals<'a> {
    /// At the start of a text.
    pub(super) fn new(kinds: &'a Kinds) -> Self {
        Self {
            kinds,
            count: 0,
            functions: 0,
            blocks: Vec::new(),
            has_begun: false,
        }
    }

    /// How many were found.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Enters `node`, which is right below one of kind `above`, `depth` nodes deep.
    pub(super) fn enter(&mut self, node: &Node<'_>, above: Option<u16>, depth: usize, text: &[u8]) {
        let (kinds, kind) = (self.kinds, node.kind_id());
        if !node.is_named() || kind == kinds.comment {
            return;
        }
        if above == Some(kinds.block)
            && let Some(is_filled) = self.blocks.last_mut()
        {
            *is_filled = true;
        }
        let is_astray = self.functions == 0 && kinds.inside.contains(&kind);
        let is_late = depth == 1 && self.is_late(node);
        let is_indented = depth == 1 && is_indented(node, text);
        let found = [kinds.gone.contains(&kind), is_astray, is_late, is_indented];
        self.count += u64::from(found.contains(&true));
        self.functions += u64::from(kinds.functions.contains(&kind));
        if kind == kinds.block {
            self.blocks.push(false);
        }
    }

    /// Leaves a node of this kind.
    pub(super) fn leave(&mut self, kind: u16) {
        if self.kinds.functions.contains(&kind) {
            self.functions = self.functions.saturating_sub(1);
        }
        if kind == self.kinds.block && self.blocks.pop() == Some(false) {
            self.count += 1;
        }
    }

    /// Whether a statement of the file is an import from the future below others; a string may be above it.
    fn is_late(&mut self, node: &Node<'_>) -> bool {
        if node.kind_id() == self.kinds.future {
            return self.has_begun;
        }
        let is_text = node.kind_id() == self.kinds.expression
            && node
                .named_child(0)
                .is_some_and(|child| child.kind_id() == self.kinds.string);
        self.has_begun |= !is_text;
        false
    }
}

/// Whether only blanks stand before a node in its line, and some do.
fn is_indented(node: &Node<'_>, text: &[u8]) -> bool {
    let start = node.start_byte();
    let column = node.start_position().column.min(start);
    column > 0
        && text[start - column..start]
            .iter()
            .all(|byte| matches!(byte, b' ' | b'\t'))
}
