//! Linguist's languages, indexed by everything that can name one: file name, extension, interpreter, alias.

use std::collections::HashMap;
use std::sync::LazyLock;

use linguist::definitions::LANGUAGES;

/// Linguist's name of a language.
pub(crate) type Name = &'static str;

/// Extensions that too many unrelated programs use: without support by the content they say nothing.
/// Source: Linguist, `generic.yml`.
const GENERIC: &[&str] = &[
    ".1",
    ".2",
    ".3",
    ".4",
    ".5",
    ".6",
    ".7",
    ".8",
    ".9",
    ".action",
    ".alg",
    ".app",
    ".cmp",
    ".msg",
    ".network",
    ".resource",
    ".sol",
    ".srv",
    ".stl",
    ".tag",
    ".target",
    ".url",
];

/// Indices from what a file shows to the languages that claim it, each list in order of names.
pub(crate) struct Tables {
    file_names: HashMap<&'static str, Vec<Name>>,
    extensions: HashMap<String, Vec<Name>>,
    interpreters: HashMap<&'static str, Vec<Name>>,
    aliases: HashMap<String, Name>,
}

/// Built at first use, once per process.
pub(crate) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

impl Tables {
    fn new() -> Self {
        let mut languages: Vec<_> = LANGUAGES.iter().collect();
        languages.sort_by_key(|(name, _)| name.as_str());
        let mut tables = Self {
            file_names: HashMap::new(),
            extensions: HashMap::new(),
            interpreters: HashMap::new(),
            aliases: HashMap::new(),
        };
        for (name, language) in languages {
            let name: Name = name.as_str();
            for file_name in language.filenames.iter().flatten() {
                insert(tables.file_names.entry(file_name.as_str()).or_default(), name);
            }
            for extension in language.extensions.iter().flatten() {
                insert(tables.extensions.entry(extension.to_lowercase()).or_default(), name);
            }
            for interpreter in language.interpreters.iter().flatten() {
                insert(tables.interpreters.entry(interpreter.as_str()).or_default(), name);
            }
            for alias in language.aliases.iter().flatten() {
                tables.aliases.entry(alias.to_lowercase()).or_insert(name);
            }
        }
        // A language's own name is stronger than another's alias.
        for name in LANGUAGES.keys() {
            let lower = name.to_lowercase();
            tables.aliases.insert(lower.replace(char::is_whitespace, "-"), name);
            tables.aliases.insert(lower, name);
        }
        tables
    }

    /// Languages that claim the whole file name.
    pub(crate) fn by_file_name(&self, file_name: &str) -> &[Name] {
        self.file_names.get(file_name).map_or(&[], Vec::as_slice)
    }

    /// Languages that claim the longest known extension of `file_name`, with that extension.
    pub(crate) fn by_extension(&self, lower_file_name: &str) -> (String, &[Name]) {
        let known = extensions(lower_file_name)
            .find_map(|extension| Some((extension, self.extensions.get(extension)?.as_slice())));
        match known {
            Some((extension, _)) if GENERIC.contains(&extension) => (extension.to_owned(), &[]),
            Some((extension, names)) => (extension.to_owned(), names),
            None => (extensions(lower_file_name).last().unwrap_or_default().to_owned(), &[]),
        }
    }

    /// Languages that an interpreter runs.
    pub(crate) fn by_interpreter(&self, interpreter: &str) -> &[Name] {
        self.interpreters.get(interpreter).map_or(&[], Vec::as_slice)
    }

    /// The language that a modeline, an attribute or a person calls `alias`, in any case.
    pub(crate) fn by_alias(&self, alias: &str) -> Option<Name> {
        self.aliases.get(&alias.to_lowercase()).copied()
    }
}

fn insert(names: &mut Vec<Name>, name: Name) {
    if !names.contains(&name) {
        names.push(name);
    }
}

/// Every suffix that starts with a dot, longest first: `a.d.ts` has `.d.ts` and `.ts`.
fn extensions(file_name: &str) -> impl Iterator<Item = &str> {
    file_name.match_indices('.').map(|(at, _)| &file_name[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_known_extension_counts() {
        let (extension, names) = TABLES.by_extension("page.blade.php");
        assert_eq!((extension.as_str(), names), (".blade.php", &["Blade"][..]));
        assert_eq!(TABLES.by_extension("x.unknown.rs").1, ["RenderScript", "Rust", "XML"]);
        assert_eq!(TABLES.by_extension("noextension").1.len(), 0);
        assert_eq!(TABLES.by_extension("a.sol"), (".sol".to_owned(), &[][..]));
    }

    #[test]
    fn names_win_over_aliases_and_case_does_not_count() {
        assert_eq!(TABLES.by_alias("C++"), Some("C++"));
        assert_eq!(TABLES.by_alias("Visual-Basic-6.0"), Some("Visual Basic 6.0"));
        assert_eq!(TABLES.by_alias("golang"), Some("Go"));
        assert_eq!(TABLES.by_alias("no such language"), None);
    }

    #[test]
    fn file_names_and_interpreters() {
        assert_eq!(TABLES.by_file_name("Makefile"), ["Makefile"]);
        assert_eq!(TABLES.by_file_name("makefile.unknown").len(), 0);
        assert_eq!(TABLES.by_interpreter("python3"), ["Python"]);
    }
}
