//! Scripting languages: Julia, Lua, Perl, PHP, PowerShell, Python, R, Ruby, Shell.

use super::{Docstring, Grammar, Mark, Nodes, data_type, function, macro_rule};

pub(super) const GRAMMARS: &[Grammar] = &[
    Grammar::new("Julia", tree_sitter_julia::LANGUAGE, JULIA),
    Grammar::new("Lua", tree_sitter_lua::LANGUAGE, LUA),
    Grammar::new("Perl", ts_parser_perl::LANGUAGE, PERL),
    Grammar::new("PHP", tree_sitter_php::LANGUAGE_PHP, PHP),
    Grammar::new("PowerShell", tree_sitter_powershell::LANGUAGE, POWERSHELL),
    Grammar::new("Python", tree_sitter_python::LANGUAGE, PYTHON).also(&["Starlark"]),
    Grammar::new("R", tree_sitter_r::LANGUAGE, R),
    Grammar::new("Ruby", tree_sitter_ruby::LANGUAGE, RUBY),
    Grammar::new("Shell", tree_sitter_bash::LANGUAGE, SHELL),
];

const JULIA: Nodes = Nodes {
    definitions: &[&[
        data_type("abstract_definition").first(&["identifier"]),
        data_type("primitive_definition").first(&["identifier"]),
        data_type("struct_definition").first(&["identifier"]),
        function("function_definition").first(&["identifier"]),
        function("assignment")
            .first(&["identifier"])
            .with_child(0, &["call_expression"]),
        macro_rule("macro_definition").first(&["identifier"]),
    ]],
    calls: &["call_expression", "broadcast_call_expression", "macrocall_expression"],
    imports: &[Mark::of("import_statement"), Mark::of("using_statement")],
    comments: &["line_comment", "block_comment"],
    docstrings: &[Docstring::Under("string_literal", "source_file")],
    blocks: &[
        "for_statement",
        "function_definition",
        "if_statement",
        "let_statement",
        "try_statement",
        "while_statement",
    ],
};
const LUA: Nodes = Nodes {
    definitions: &[&[function("function_declaration")]],
    calls: &["function_call"],
    imports: &[Mark::of("function_call").headed(&["require"])],
    comments: &["comment"],
    docstrings: &[Docstring::Prefix("---")],
    blocks: &["block"],
};
const PERL: Nodes = Nodes {
    definitions: &[&[
        data_type("class_statement"),
        function("method_declaration_statement"),
        function("subroutine_declaration_statement"),
    ]],
    calls: &[
        "ambiguous_function_call_expression",
        "coderef_call_expression",
        "function_call_expression",
        "method_call_expression",
    ],
    imports: &[Mark::of("use_statement"), Mark::of("require_expression")],
    comments: &["comment"],
    docstrings: &[Docstring::Node("pod")],
    blocks: &["block"],
};
const PHP: Nodes = Nodes {
    definitions: &[&[
        data_type("class_declaration"),
        data_type("enum_declaration"),
        data_type("interface_declaration"),
        data_type("trait_declaration"),
        function("function_definition"),
        function("method_declaration"),
    ]],
    calls: &[
        "function_call_expression",
        "member_call_expression",
        "nullsafe_member_call_expression",
        "object_creation_expression",
        "scoped_call_expression",
    ],
    imports: &[
        Mark::of("include_expression"),
        Mark::of("include_once_expression"),
        Mark::of("namespace_use_declaration"),
        Mark::of("require_expression"),
        Mark::of("require_once_expression"),
    ],
    comments: &["comment"],
    docstrings: &[Docstring::Prefix("/**")],
    blocks: &["colon_block", "compound_statement", "match_block", "switch_block"],
};
const POWERSHELL: Nodes = Nodes {
    definitions: &[&[
        data_type("class_statement").first(&["simple_name"]),
        data_type("enum_statement").first(&["simple_name"]),
        function("class_method_definition").first(&["simple_name"]),
        function("function_statement").first(&["function_name"]),
    ]],
    calls: &["command"],
    imports: &[Mark::of("command").headed(&["Import-Module", "import-module", "ipmo"])],
    comments: &["comment"],
    docstrings: &[],
    blocks: &["script_block", "statement_block", "switch_body"],
};
const PYTHON: Nodes = Nodes {
    definitions: &[&[data_type("class_definition"), function("function_definition")]],
    calls: &["call"],
    imports: &[
        Mark::of("future_import_statement"),
        Mark::of("import_from_statement"),
        Mark::of("import_statement"),
    ],
    comments: &["comment"],
    docstrings: &[Docstring::Under("string", "expression_statement")],
    blocks: &["block"],
};
const R: Nodes = Nodes {
    definitions: &[&[function("binary_operator")
        .named("lhs")
        .with_field("rhs", "function_definition")]],
    calls: &["call"],
    imports: &[Mark::of("call").headed(&["library", "require", "requireNamespace", "source"])],
    comments: &["comment"],
    docstrings: &[Docstring::Prefix("#'")],
    blocks: &["braced_expression"],
};
const RUBY: Nodes = Nodes {
    definitions: &[&[
        data_type("class"),
        data_type("module"),
        function("method"),
        function("singleton_method"),
    ]],
    calls: &["call"],
    imports: &[Mark::of("call").headed(&["autoload", "load", "require", "require_relative"])],
    comments: &["comment"],
    docstrings: &[],
    blocks: &["begin", "block", "case", "do", "do_block", "else", "method", "then"],
};
const SHELL: Nodes = Nodes {
    definitions: &[&[function("function_definition")]],
    calls: &["command"],
    imports: &[Mark::of("command").headed(&[".", "source"])],
    comments: &["comment"],
    docstrings: &[],
    blocks: &[
        "case_statement",
        "compound_statement",
        "do_group",
        "if_statement",
        "subshell",
    ],
};
