//! JavaScript and TypeScript, with and without JSX.

use super::{Define, Docstring, Grammar, Mark, Nodes, data_type, function};

const DEFINITIONS: &[Define] = &[
    data_type("class_declaration"),
    function("function_declaration"),
    function("generator_function_declaration"),
    function("method_definition"),
];
const TYPED: &[Define] = &[
    data_type("abstract_class_declaration"),
    data_type("enum_declaration"),
    data_type("interface_declaration"),
    data_type("type_alias_declaration"),
    function("abstract_method_signature"),
    function("function_signature"),
    function("method_signature"),
];
const JAVASCRIPT: Nodes = Nodes {
    definitions: &[DEFINITIONS],
    calls: &["call_expression", "new_expression"],
    imports: &[
        Mark::of("import_statement"),
        Mark::of("call_expression").headed(&["require", "import"]),
    ],
    comments: &["comment", "html_comment"],
    docstrings: &[Docstring::Prefix("/**")],
    blocks: &["statement_block", "switch_body"],
};
const TYPESCRIPT: Nodes = Nodes {
    definitions: &[DEFINITIONS, TYPED],
    ..JAVASCRIPT
};

/// JSX is part of the JavaScript grammar, and its files are JavaScript to Linguist.
pub(super) const GRAMMARS: &[Grammar] = &[
    Grammar::new("JavaScript", tree_sitter_javascript::LANGUAGE, JAVASCRIPT),
    Grammar::new("TSX", tree_sitter_typescript::LANGUAGE_TSX, TYPESCRIPT),
    Grammar::new("TypeScript", tree_sitter_typescript::LANGUAGE_TYPESCRIPT, TYPESCRIPT),
];
