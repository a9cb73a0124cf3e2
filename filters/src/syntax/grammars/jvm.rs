//! Languages of the Java virtual machine and .NET that look like Java: C#, Groovy, Java, Kotlin, Scala.

use super::{Define, Docstring, Grammar, Mark, Nodes, data_type, function};

const DOCSTRINGS: &[Docstring] = &[Docstring::Prefix("/**")];
const DEFINITIONS: &[Define] = &[
    data_type("annotation_type_declaration"),
    data_type("class_declaration"),
    data_type("enum_declaration"),
    data_type("interface_declaration"),
    data_type("record_declaration"),
    function("compact_constructor_declaration"),
    function("constructor_declaration"),
    function("method_declaration"),
];
const JAVA: Nodes = Nodes {
    definitions: &[DEFINITIONS],
    calls: &[
        "method_invocation",
        "object_creation_expression",
        "explicit_constructor_invocation",
    ],
    imports: &[Mark::of("import_declaration")],
    comments: &["line_comment", "block_comment"],
    docstrings: DOCSTRINGS,
    blocks: &["block", "constructor_body", "switch_block"],
};

pub(super) const GRAMMARS: &[Grammar] = &[
    Grammar::new("C#", tree_sitter_c_sharp::LANGUAGE, C_SHARP),
    Grammar::new(
        "Groovy",
        tree_sitter_groovy::LANGUAGE,
        Nodes {
            definitions: &[DEFINITIONS, &[function("function_definition")]],
            calls: &[
                "method_invocation",
                "object_creation_expression",
                "explicit_constructor_invocation",
                "juxt_function_call",
            ],
            ..JAVA
        },
    )
    .also(&["Gradle"]),
    Grammar::new("Java", tree_sitter_java::LANGUAGE, JAVA),
    Grammar::new("Kotlin", tree_sitter_kotlin_ng::LANGUAGE, KOTLIN).also(&["Gradle Kotlin DSL"]),
    Grammar::new("Scala", tree_sitter_scala::LANGUAGE, SCALA),
];

const C_SHARP: Nodes = Nodes {
    definitions: &[&[
        data_type("class_declaration"),
        data_type("delegate_declaration"),
        data_type("enum_declaration"),
        data_type("interface_declaration"),
        data_type("record_declaration"),
        data_type("struct_declaration"),
        function("constructor_declaration"),
        function("destructor_declaration"),
        function("local_function_statement"),
        function("method_declaration"),
    ]],
    calls: &["invocation_expression", "object_creation_expression"],
    imports: &[Mark::of("using_directive")],
    comments: &["comment"],
    docstrings: &[Docstring::Prefix("///"), Docstring::Prefix("/**")],
    blocks: &["block", "switch_body"],
};
const KOTLIN: Nodes = Nodes {
    definitions: &[&[
        data_type("class_declaration"),
        data_type("object_declaration"),
        data_type("type_alias").first(&["identifier"]),
        function("function_declaration"),
    ]],
    calls: &["call_expression", "constructor_invocation"],
    imports: &[Mark::of("import")],
    comments: &["line_comment", "block_comment"],
    docstrings: DOCSTRINGS,
    blocks: &["block", "lambda_literal", "when_expression"],
};
const SCALA: Nodes = Nodes {
    definitions: &[&[
        data_type("class_definition"),
        data_type("enum_definition"),
        data_type("object_definition"),
        data_type("trait_definition"),
        data_type("type_definition"),
        function("function_declaration"),
        function("function_definition"),
    ]],
    calls: &["call_expression", "instance_expression"],
    imports: &[Mark::of("import_declaration")],
    comments: &["comment", "block_comment"],
    docstrings: DOCSTRINGS,
    blocks: &["block", "indented_block", "case_block"],
};
