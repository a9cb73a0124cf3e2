//! C and what grew out of it: C, C++, Cuda, Objective-C and the shader languages.

use super::{Define, Docstring, Grammar, Mark, Nodes, data_type, function, macro_rule};

const TYPES: &[Define] = &[
    data_type("struct_specifier").having("body"),
    data_type("union_specifier").having("body"),
    data_type("enum_specifier").having("body"),
    data_type("type_definition").along("declarator"),
];
const FUNCTIONS: &[Define] = &[
    function("function_definition").along("declarator"),
    macro_rule("preproc_function_def"),
];
const CLASSES: &[Define] = &[
    data_type("class_specifier").having("body"),
    data_type("alias_declaration"),
    data_type("concept_definition"),
];
const OBJECTS: &[Define] = &[
    data_type("class_interface").first(&["identifier"]),
    data_type("class_implementation").first(&["identifier"]),
    data_type("protocol_declaration").first(&["identifier"]),
    function("method_definition").first(&["identifier"]),
    function("method_declaration").first(&["identifier"]),
];
const DOCSTRINGS: &[Docstring] = &[
    Docstring::Prefix("/**"),
    Docstring::Prefix("/*!"),
    Docstring::Prefix("///"),
    Docstring::Prefix("//!"),
];
const C: Nodes = Nodes {
    definitions: &[TYPES, FUNCTIONS],
    calls: &["call_expression"],
    imports: &[Mark::of("preproc_include")],
    comments: &["comment"],
    docstrings: DOCSTRINGS,
    blocks: &["compound_statement"],
};
const CPP: Nodes = Nodes {
    definitions: &[TYPES, FUNCTIONS, CLASSES],
    calls: &["call_expression", "new_expression"],
    ..C
};

pub(super) const GRAMMARS: &[Grammar] = &[
    Grammar::new("C", tree_sitter_c::LANGUAGE, C),
    Grammar::new("C++", tree_sitter_cpp::LANGUAGE, CPP),
    Grammar::new("Cuda", tree_sitter_cuda::LANGUAGE, CPP),
    Grammar::new("GLSL", tree_sitter_glsl::LANGUAGE_GLSL, C),
    Grammar::new("HLSL", tree_sitter_hlsl::LANGUAGE_HLSL, CPP),
    Grammar::new(
        "Objective-C",
        tree_sitter_objc::LANGUAGE,
        Nodes {
            definitions: &[TYPES, FUNCTIONS, OBJECTS],
            calls: &["call_expression", "message_expression"],
            imports: &[Mark::of("preproc_include"), Mark::of("module_import")],
            ..C
        },
    )
    .also(&["Objective-C++"]),
];
