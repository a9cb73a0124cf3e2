//! Functional languages: Elixir, Elm, Erlang, F#, Gleam, Haskell, Nix, OCaml.

#[cfg(feature = "heavy-grammars")]
use super::Define;
use super::{Docstring, Grammar, Mark, Nodes, data_type, function, macro_rule};

pub(super) const GRAMMARS: &[Grammar] = &[
    Grammar::new("Elixir", tree_sitter_elixir::LANGUAGE, ELIXIR),
    Grammar::new("Elm", tree_sitter_elm::LANGUAGE, ELM),
    Grammar::new("Erlang", tree_sitter_erlang::LANGUAGE, ERLANG),
    #[cfg(feature = "heavy-grammars")]
    Grammar::new("F#", tree_sitter_fsharp::LANGUAGE_SIGNATURE, F_SHARP_SIGNATURE).only(".fsi"),
    #[cfg(feature = "heavy-grammars")]
    Grammar::new("F#", tree_sitter_fsharp::LANGUAGE_FSHARP, F_SHARP),
    Grammar::new("Gleam", tree_sitter_gleam::LANGUAGE, GLEAM),
    Grammar::new("Haskell", tree_sitter_haskell::LANGUAGE, HASKELL),
    Grammar::new("Nix", tree_sitter_nix::LANGUAGE, NIX),
    #[cfg(feature = "heavy-grammars")]
    Grammar::new("OCaml", tree_sitter_ocaml::LANGUAGE_OCAML_INTERFACE, OCAML).only(".mli"),
    #[cfg(feature = "heavy-grammars")]
    Grammar::new("OCaml", tree_sitter_ocaml::LANGUAGE_OCAML, OCAML),
];

/// Everything in Elixir is a call: its first word says what it does.
const ELIXIR: Nodes = Nodes {
    definitions: &[&[
        data_type("call")
            .first(&["alias"])
            .headed(&["defimpl", "defmodule", "defprotocol"]),
        function("call")
            .first(&["identifier"])
            .headed(&["def", "defdelegate", "defguard", "defp"]),
        macro_rule("call")
            .first(&["identifier"])
            .headed(&["defmacro", "defmacrop"]),
    ]],
    calls: &["call"],
    imports: &[Mark::of("call").headed(&["alias", "import", "require", "use"])],
    comments: &["comment"],
    docstrings: &[Docstring::Headed("call", &["doc", "moduledoc", "typedoc"])],
    blocks: &["anonymous_function", "do_block"],
};
const ELM: Nodes = Nodes {
    definitions: &[&[
        data_type("type_alias_declaration"),
        data_type("type_declaration"),
        function("value_declaration").first(&["lower_case_identifier"]),
    ]],
    calls: &["function_call_expr"],
    imports: &[Mark::of("import_clause")],
    comments: &["block_comment", "line_comment"],
    docstrings: &[Docstring::Prefix("{-|")],
    blocks: &["case_of_expr", "if_else_expr", "let_in_expr"],
};
const ERLANG: Nodes = Nodes {
    definitions: &[&[
        data_type("record_decl"),
        function("fun_decl").first(&["atom"]),
        macro_rule("pp_define").first(&["macro_lhs"]),
    ]],
    calls: &["call"],
    imports: &[
        Mark::of("import_attribute"),
        Mark::of("pp_include"),
        Mark::of("pp_include_lib"),
    ],
    comments: &["comment"],
    docstrings: &[],
    blocks: &["clause_body"],
};
#[cfg(feature = "heavy-grammars")]
const F_SHARP_TYPES: &[Define] = &[data_type("type_definition").first(&["identifier"])];
#[cfg(feature = "heavy-grammars")]
const F_SHARP: Nodes = Nodes {
    definitions: &[
        F_SHARP_TYPES,
        &[
            function("function_or_value_defn")
                .first(&["identifier"])
                .with_child(0, &["function_declaration_left"]),
            function("method_or_prop_defn"),
        ],
    ],
    calls: &["application_expression"],
    imports: &[Mark::of("import_decl")],
    comments: &["block_comment", "line_comment"],
    docstrings: &[Docstring::Node("xml_doc"), Docstring::Prefix("///")],
    blocks: &[
        "for_expression",
        "if_expression",
        "match_expression",
        "try_expression",
        "while_expression",
    ],
};
#[cfg(feature = "heavy-grammars")]
const F_SHARP_SIGNATURE: Nodes = Nodes {
    definitions: &[F_SHARP_TYPES, &[function("value_definition").first(&["identifier"])]],
    calls: &[],
    blocks: &[],
    ..F_SHARP
};
const GLEAM: Nodes = Nodes {
    definitions: &[&[
        data_type("type_alias").first(&["type_identifier"]),
        data_type("type_definition").first(&["type_identifier"]),
        function("external_function"),
        function("function"),
    ]],
    calls: &["function_call"],
    imports: &[Mark::of("import")],
    comments: &["comment"],
    docstrings: &[Docstring::Node("module_comment"), Docstring::Node("statement_comment")],
    blocks: &["block", "case", "function_body"],
};
/// Each equation of a function counts.
const HASKELL: Nodes = Nodes {
    definitions: &[&[
        data_type("class"),
        data_type("data_type"),
        data_type("newtype"),
        data_type("type_synonym"),
        function("function"),
    ]],
    calls: &["apply"],
    imports: &[Mark::of("import")],
    comments: &["comment"],
    docstrings: &[Docstring::Node("haddock")],
    blocks: &["case", "do", "let_in"],
};
const NIX: Nodes = Nodes {
    definitions: &[&[function("binding")
        .named("attrpath")
        .with_field("expression", "function_expression")]],
    calls: &["apply_expression"],
    imports: &[Mark::of("apply_expression").headed(&["import"])],
    comments: &["comment"],
    docstrings: &[Docstring::Prefix("/**")],
    blocks: &["attrset_expression", "let_expression", "rec_attrset_expression"],
};
#[cfg(feature = "heavy-grammars")]
const OCAML: Nodes = Nodes {
    definitions: &[&[
        data_type("type_binding"),
        function("let_binding").named("pattern").with_child(1, &["parameter"]),
        function("method_definition").first(&["method_name"]),
        function("value_specification").first(&["value_name"]),
    ]],
    calls: &["application_expression"],
    imports: &[
        Mark::of("include_module"),
        Mark::of("open_module"),
        Mark::of("open_module_signature"),
    ],
    comments: &["comment"],
    docstrings: &[Docstring::Prefix("(**")],
    blocks: &[
        "for_expression",
        "if_expression",
        "match_expression",
        "try_expression",
        "while_expression",
    ],
};
