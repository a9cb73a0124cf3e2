//! Lisps: Clojure, Common Lisp, Emacs Lisp, Racket, Scheme. What a list does its first word says; what is a call only
//! macro expansion could tell, so calls are not counted.

use super::{Docstring, Grammar, Mark, Nodes, data_type, function, macro_rule};

pub(super) const GRAMMARS: &[Grammar] = &[
    Grammar::new("Clojure", tree_sitter_clojure_orchard::LANGUAGE, CLOJURE),
    Grammar::new("Common Lisp", tree_sitter_commonlisp::LANGUAGE_COMMONLISP, COMMON_LISP),
    Grammar::new("Emacs Lisp", tree_sitter_elisp::LANGUAGE, EMACS_LISP),
    Grammar::new("Racket", tree_sitter_racket::LANGUAGE, RACKET),
    Grammar::new("Scheme", tree_sitter_scheme::LANGUAGE, SCHEME),
];

const CLOJURE: Nodes = Nodes {
    definitions: &[&[
        data_type("list_lit")
            .first(&["sym_lit"])
            .headed(&["definterface", "defprotocol", "defrecord", "deftype"]),
        function("list_lit")
            .first(&["sym_lit"])
            .headed(&["defmethod", "defmulti", "defn", "defn-"]),
        macro_rule("list_lit").first(&["sym_lit"]).headed(&["defmacro"]),
    ]],
    calls: &[],
    imports: &[Mark::of("list_lit").headed(&[":import", ":require", ":use", "import", "require", "use"])],
    comments: &["comment"],
    docstrings: &[Docstring::InFunction("str_lit")],
    blocks: &["list_lit"],
};
const COMMON_LISP: Nodes = Nodes {
    definitions: &[&[
        data_type("list_lit")
            .first(&["sym_lit"])
            .headed(&["defclass", "defstruct", "deftype"]),
        function("defun").first(&["sym_lit"]),
    ]],
    calls: &[],
    imports: &[Mark::of("list_lit").headed(&["import", "require", "use-package"])],
    comments: &["block_comment", "comment"],
    docstrings: &[Docstring::InFunction("str_lit")],
    blocks: &["list_lit"],
};
const EMACS_LISP: Nodes = Nodes {
    definitions: &[&[function("function_definition"), macro_rule("macro_definition")]],
    calls: &[],
    imports: &[Mark::of("list").headed(&["require"])],
    comments: &["comment"],
    docstrings: &[Docstring::InFunction("string")],
    blocks: &["list", "special_form"],
};
const SCHEME: Nodes = Nodes {
    definitions: &[&[
        function("list")
            .first(&["symbol"])
            .headed(&["define"])
            .with_child(1, &["list"]),
        macro_rule("list").first(&["symbol"]).headed(&["define-syntax"]),
        data_type("list").first(&["symbol"]).headed(&["define-record-type"]),
    ]],
    calls: &[],
    imports: &[Mark::of("list").headed(&["import", "require", "use-modules"])],
    comments: &["block_comment", "comment"],
    docstrings: &[],
    blocks: &["list"],
};
const RACKET: Nodes = Nodes {
    definitions: &[&[
        function("list")
            .first(&["symbol"])
            .headed(&["define"])
            .with_child(1, &["list"]),
        macro_rule("list")
            .first(&["symbol"])
            .headed(&["define-syntax", "define-syntax-rule"]),
        data_type("list")
            .first(&["symbol"])
            .headed(&["define-struct", "struct"]),
    ]],
    ..SCHEME
};
