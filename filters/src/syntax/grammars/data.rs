//! Data, markup, queries and builds: languages most of which define and call nothing.

use super::{Docstring, Grammar, Mark, Nodes, data_type, entry, function, macro_rule};

pub(super) const GRAMMARS: &[Grammar] = &[
    Grammar::new("CMake", tree_sitter_cmake::LANGUAGE, CMAKE),
    Grammar::new("CSS", tree_sitter_css::LANGUAGE, CSS),
    Grammar::new("Dockerfile", tree_sitter_containerfile::LANGUAGE, DOCKERFILE),
    Grammar::new("HCL", tree_sitter_hcl::LANGUAGE, HCL),
    Grammar::new(
        "HTML",
        tree_sitter_html::LANGUAGE,
        Nodes::nested(&["element"], &["comment"]),
    ),
    Grammar::new(
        "JSON",
        tree_sitter_json::LANGUAGE,
        Nodes::nested(&["array", "object"], &["comment"]),
    )
    .also(&["GeoJSON", "JSON with Comments", "JSONLD", "TopoJSON"]),
    Grammar::new("Makefile", tree_sitter_make::LANGUAGE, MAKEFILE),
    Grammar::new(
        "Markdown",
        tree_sitter_md::LANGUAGE,
        Nodes::nested(&["block_quote", "list"], &[]),
    ),
    Grammar::new("Protocol Buffer", tree_sitter_proto::LANGUAGE, PROTOCOL_BUFFER),
    Grammar::new("SQL", tree_sitter_sequel::LANGUAGE, SQL),
    Grammar::new(
        "TOML",
        tree_sitter_toml_ng::LANGUAGE,
        Nodes::nested(&["array", "inline_table"], &["comment"]),
    ),
    Grammar::new(
        "XML",
        tree_sitter_xml::LANGUAGE_XML,
        Nodes::nested(&["element"], &["Comment"]),
    )
    .also(&["Ant Build System", "Maven POM", "SVG", "XML Property List", "XSLT"]),
    Grammar::new(
        "YAML",
        tree_sitter_yaml::LANGUAGE,
        Nodes::nested(
            &["block_mapping", "block_sequence", "flow_mapping", "flow_sequence"],
            &["comment"],
        ),
    ),
];

const CMAKE: Nodes = Nodes {
    definitions: &[&[
        function("function_def").first(&["unquoted_argument"]),
        macro_rule("macro_def").first(&["unquoted_argument"]),
    ]],
    calls: &["normal_command"],
    imports: &[Mark::of("normal_command").headed(&["add_subdirectory", "find_package", "include"])],
    comments: &["bracket_comment", "line_comment"],
    docstrings: &[],
    blocks: &["body"],
};
const CSS: Nodes = Nodes {
    calls: &["call_expression"],
    imports: &[Mark::of("import_statement")],
    ..Nodes::nested(&["block", "keyframe_block_list"], &["comment", "js_comment"])
};
/// Named stages are entries.
const DOCKERFILE: Nodes = Nodes {
    definitions: &[&[entry("from_instruction").named("as")]],
    ..Nodes::nested(&[], &["comment"])
};
/// Blocks with labels are entries, named by the first.
const HCL: Nodes = Nodes {
    definitions: &[&[entry("block").first(&["string_lit"]).with_child(1, &["string_lit"])]],
    calls: &["function_call"],
    ..Nodes::nested(&["block", "object"], &["comment"])
};
/// Targets of rules are entries.
const MAKEFILE: Nodes = Nodes {
    definitions: &[&[entry("rule").first(&["targets"]), macro_rule("define_directive")]],
    calls: &["function_call", "shell_function"],
    imports: &[Mark::of("include_directive")],
    ..Nodes::nested(&["conditional"], &["comment"])
};
const PROTOCOL_BUFFER: Nodes = Nodes {
    definitions: &[&[
        data_type("enum").first(&["enum_name"]),
        data_type("message").first(&["message_name"]),
        data_type("service").first(&["service_name"]),
        function("rpc").first(&["rpc_name"]),
    ]],
    imports: &[Mark::of("import")],
    docstrings: &[Docstring::Prefix("/**")],
    ..Nodes::nested(&["enum_body", "message_body"], &["comment"])
};
/// Tables and views are entries.
const SQL: Nodes = Nodes {
    definitions: &[&[
        entry("create_materialized_view").first(&["object_reference"]),
        entry("create_table").first(&["object_reference"]),
        entry("create_view").first(&["object_reference"]),
        function("create_function").first(&["object_reference"]),
        data_type("create_type").first(&["object_reference"]),
    ]],
    calls: &["invocation"],
    ..Nodes::nested(&["block", "subquery"], &["comment", "marginalia"])
};
