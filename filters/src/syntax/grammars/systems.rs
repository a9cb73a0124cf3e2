//! Compiled languages of several lines: Ada, Dart, Fortran, Go, Pascal, Rust, Solidity, Swift, Zig.

use super::{Docstring, Grammar, Mark, Nodes, data_type, function, macro_rule};

pub(super) const GRAMMARS: &[Grammar] = &[
    Grammar::new("Ada", tree_sitter_ada::LANGUAGE, ADA),
    Grammar::new("Dart", tree_sitter_dart_orchard::LANGUAGE, DART),
    Grammar::new("Fortran", tree_sitter_fortran::LANGUAGE, FORTRAN).also(&["Fortran Free Form"]),
    Grammar::new("Go", tree_sitter_go::LANGUAGE, GO),
    Grammar::new("Pascal", tree_sitter_pascal::LANGUAGE, PASCAL),
    Grammar::new("Rust", tree_sitter_rust::LANGUAGE, RUST),
    Grammar::new("Solidity", tree_sitter_solidity::LANGUAGE, SOLIDITY),
    Grammar::new("Swift", tree_sitter_swift::LANGUAGE, SWIFT),
    Grammar::new("Zig", tree_sitter_zig::LANGUAGE, ZIG),
];

const ADA: Nodes = Nodes {
    definitions: &[&[
        data_type("full_type_declaration").first(&["identifier"]),
        data_type("protected_type_declaration").first(&["identifier"]),
        data_type("subtype_declaration").first(&["identifier"]),
        data_type("task_type_declaration").first(&["identifier"]),
        function("expression_function_declaration").first(&["identifier"]),
        function("null_procedure_declaration").first(&["identifier"]),
        function("subprogram_body").first(&["identifier"]),
        function("subprogram_declaration").first(&["identifier"]),
    ]],
    calls: &["function_call", "procedure_call_statement"],
    imports: &[Mark::of("with_clause")],
    comments: &["comment"],
    docstrings: &[],
    blocks: &["sequence_of_statements"],
};
const DART: Nodes = Nodes {
    definitions: &[&[
        data_type("class_definition"),
        data_type("enum_declaration"),
        data_type("extension_declaration"),
        data_type("mixin_declaration").first(&["identifier"]),
        function("function_declaration").first(&["identifier"]),
        function("local_function_declaration").first(&["identifier"]),
        function("method_declaration").first(&["identifier"]),
    ]],
    calls: &["constructor_invocation", "method_invocation"],
    imports: &[Mark::of("import_or_export")],
    comments: &["comment"],
    docstrings: &[Docstring::Node("documentation_comment")],
    blocks: &["block", "switch_block"],
};
/// An element of an array looks like a call of a function, in the language as in the grammar.
const FORTRAN: Nodes = Nodes {
    definitions: &[&[
        data_type("derived_type_definition").first(&["type_name"]),
        function("function").first(&["name"]),
        function("module_procedure").first(&["name"]),
        function("subroutine").first(&["name"]),
    ]],
    calls: &["call_expression", "subroutine_call"],
    imports: &[
        Mark::of("include_statement"),
        Mark::of("preproc_include"),
        Mark::of("use_statement"),
    ],
    comments: &["comment"],
    docstrings: &[Docstring::Prefix("!>"), Docstring::Prefix("!!")],
    blocks: &[
        "block_construct",
        "do_loop",
        "if_statement",
        "select_case_statement",
        "where_statement",
    ],
};
const GO: Nodes = Nodes {
    definitions: &[&[
        data_type("type_alias"),
        data_type("type_spec"),
        function("function_declaration"),
        function("method_declaration"),
    ]],
    calls: &["call_expression"],
    imports: &[Mark::of("import_spec")],
    comments: &["comment"],
    docstrings: &[],
    blocks: &[
        "block",
        "expression_switch_statement",
        "select_statement",
        "type_switch_statement",
    ],
};
const PASCAL: Nodes = Nodes {
    definitions: &[&[data_type("declType"), function("defProc").first(&["identifier"])]],
    calls: &["exprCall"],
    imports: &[Mark::of("declUses")],
    comments: &["comment"],
    docstrings: &[],
    blocks: &["block"],
};
const RUST: Nodes = Nodes {
    definitions: &[&[
        data_type("enum_item"),
        data_type("struct_item"),
        data_type("trait_item"),
        data_type("union_item"),
        function("function_item"),
        function("function_signature_item"),
        macro_rule("macro_definition"),
    ]],
    calls: &["call_expression", "macro_invocation"],
    imports: &[Mark::of("extern_crate_declaration"), Mark::of("use_declaration")],
    comments: &["block_comment", "line_comment"],
    docstrings: &[
        Docstring::Prefix("///"),
        Docstring::Prefix("//!"),
        Docstring::Prefix("/**"),
        Docstring::Prefix("/*!"),
    ],
    blocks: &["block", "match_block"],
};
const SOLIDITY: Nodes = Nodes {
    definitions: &[&[
        data_type("contract_declaration"),
        data_type("enum_declaration"),
        data_type("interface_declaration"),
        data_type("library_declaration"),
        data_type("struct_declaration"),
        function("function_definition"),
        function("modifier_definition"),
    ]],
    calls: &["call_expression"],
    imports: &[Mark::of("import_directive")],
    comments: &["comment"],
    docstrings: &[Docstring::Prefix("///"), Docstring::Prefix("/**")],
    blocks: &["block_statement", "function_body"],
};
const SWIFT: Nodes = Nodes {
    definitions: &[&[
        data_type("class_declaration"),
        data_type("protocol_declaration"),
        data_type("typealias_declaration"),
        function("function_declaration"),
        function("init_declaration"),
        function("protocol_function_declaration"),
    ]],
    calls: &["call_expression"],
    imports: &[Mark::of("import_declaration")],
    comments: &["comment", "multiline_comment"],
    docstrings: &[Docstring::Prefix("///"), Docstring::Prefix("/**")],
    blocks: &["statements"],
};
const ZIG: Nodes = Nodes {
    definitions: &[&[
        data_type("variable_declaration").first(&["identifier"]).with_child(
            1,
            &[
                "enum_declaration",
                "opaque_declaration",
                "struct_declaration",
                "union_declaration",
            ],
        ),
        function("function_declaration"),
    ]],
    calls: &["call_expression"],
    imports: &[Mark::of("builtin_function").headed(&["@import"])],
    comments: &["comment"],
    docstrings: &[Docstring::Prefix("///"), Docstring::Prefix("//!")],
    blocks: &["block"],
};
