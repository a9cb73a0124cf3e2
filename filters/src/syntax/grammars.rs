//! The languages that can be parsed. A grammar costs one entry: Linguist's name, the crate's constant, and which nodes
//! define something.

use tree_sitter_language::LanguageFn;

/// A language that can be parsed.
pub struct Grammar {
    /// Linguist's name.
    pub language: &'static str,
    /// The grammar.
    pub(super) function: LanguageFn,
    /// Kinds of nodes that define a function, a type or the like under a name of its own.
    pub definitions: &'static [&'static str],
}

#[cfg(test)]
impl Grammar {
    /// The grammar itself.
    pub(crate) fn function(&self) -> LanguageFn {
        self.function
    }
}

/// Every grammar, by name. Requests name a grammar by its place here: both ends are one program.
pub static GRAMMARS: &[Grammar] = &[
    Grammar {
        language: "JavaScript",
        function: tree_sitter_javascript::LANGUAGE,
        definitions: &[
            "class_declaration",
            "function_declaration",
            "generator_function_declaration",
            "method_definition",
        ],
    },
    Grammar {
        language: "Python",
        function: tree_sitter_python::LANGUAGE,
        definitions: &["class_definition", "function_definition"],
    },
    Grammar {
        language: "Rust",
        function: tree_sitter_rust::LANGUAGE,
        definitions: &[
            "enum_item",
            "function_item",
            "function_signature_item",
            "macro_definition",
            "struct_item",
            "trait_item",
            "union_item",
        ],
    },
];

/// The place of a language's grammar, if it has one.
pub(super) fn find(language: Option<&str>) -> Option<u32> {
    let language = language?;
    GRAMMARS
        .iter()
        .position(|grammar| grammar.language == language)
        .map(|at| at as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_a_node_of_its_grammar() {
        for grammar in GRAMMARS {
            let language = tree_sitter::Language::new(grammar.function);
            for kind in grammar.definitions {
                assert_ne!(language.id_for_node_kind(kind, true), 0, "{}: {kind}", grammar.language);
            }
        }
    }

    #[test]
    fn languages_are_found_by_their_name() {
        assert_eq!(
            find(Some("Rust")).map(|at| GRAMMARS[at as usize].language),
            Some("Rust")
        );
        assert_eq!((find(Some("rust")), find(Some("")), find(None)), (None, None, None));
    }
}
