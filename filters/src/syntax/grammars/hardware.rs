//! Hardware description: SystemVerilog, Verilog, VHDL.

use super::{Grammar, Mark, Nodes, data_type, function};

pub(super) const GRAMMARS: &[Grammar] = &[
    #[cfg(feature = "heavy-grammars")]
    Grammar::new("SystemVerilog", tree_sitter_systemverilog::LANGUAGE, SYSTEM_VERILOG),
    #[cfg(feature = "heavy-grammars")]
    Grammar::new("Verilog", tree_sitter_verilog::LANGUAGE, VERILOG),
    Grammar::new("VHDL", tree_sitter_vhdl::LANGUAGE, VHDL),
];

#[cfg(feature = "heavy-grammars")]
const SYSTEM_VERILOG: Nodes = Nodes {
    definitions: &[&[
        data_type("class_declaration"),
        data_type("interface_declaration").first(&["simple_identifier"]),
        data_type("module_declaration").first(&["simple_identifier"]),
        function("function_body_declaration"),
        function("task_body_declaration"),
    ]],
    calls: &["system_tf_call", "tf_call"],
    imports: &[
        Mark::of("include_compiler_directive"),
        Mark::of("package_import_declaration"),
    ],
    comments: &["block_comment", "one_line_comment"],
    docstrings: &[],
    blocks: &["case_statement", "seq_block"],
};
#[cfg(feature = "heavy-grammars")]
const VERILOG: Nodes = Nodes {
    definitions: &[&[
        data_type("class_declaration").first(&["class_identifier"]),
        data_type("interface_declaration").first(&["interface_identifier"]),
        data_type("module_declaration").first(&["simple_identifier"]),
        function("function_body_declaration").first(&["function_identifier"]),
        function("task_body_declaration").first(&["task_identifier"]),
    ]],
    comments: &["comment"],
    ..SYSTEM_VERILOG
};
const VHDL: Nodes = Nodes {
    definitions: &[&[
        data_type("architecture_definition").named("architecture"),
        data_type("entity_declaration").named("entity"),
        function("subprogram_definition").first(&["identifier"]),
    ]],
    calls: &["function_call", "procedure_call_statement"],
    imports: &[Mark::of("library_clause"), Mark::of("use_clause")],
    comments: &["block_comment", "line_comment"],
    docstrings: &[],
    blocks: &["case_body", "if_statement_body", "loop_body", "sequential_block"],
};
