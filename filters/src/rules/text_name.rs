//! Drops plain text that its name does not mark as documentation.
//!
//! # Why
//! `.txt` is what word lists, logs, licenses and data dumps are called; what a reader of code wants from plain text is
//! the readme and the list of requirements.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::text_name::Config};
//!
//! let dropped = |path| Sample::path(path).language("Text").dropped_by(Config::default());
//! assert!(dropped("requirements-dev.txt")?.is_none());
//! assert!(dropped("docs/README.txt")?.is_none());
//! assert!(dropped("words.txt")?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173): of Text, only files with "requirement" in the
//! lower-cased name, or whose name without extension is one of readme, notes, todo, description, cmakelists.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{Check, Needs, Rule, on_list, words};

/// Settings of `text-name`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Languages that the rule looks at, as Linguist names them.
    pub languages: Vec<String>,
    /// Names without extension that are kept, in any case.
    pub stems: Vec<String>,
    /// Parts of a name that keep it, in any case.
    pub parts: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            languages: words(&["Text"]),
            stems: words(&["readme", "notes", "todo", "description", "cmakelists"]),
            parts: words(&["requirement"]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "text-name";
    const SUMMARY: &'static str = "drops plain text that its name does not mark as documentation";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["path", "language"];
    type Check = Self;

    fn build(mut self) -> Result<Self> {
        self.parts.iter_mut().for_each(|part| part.make_ascii_lowercase());
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        if !on_list(&self.languages, file.language()) {
            return Verdict::Keep;
        }
        let name = file.file_name();
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let lower = name.to_ascii_lowercase();
        match on_list(&self.stems, Some(stem)) || self.parts.iter().any(|part| lower.contains(part.as_str())) {
            true => Verdict::Keep,
            false => Verdict::Drop(Reason::entry(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn names_decide_for_text_alone() {
        let cases = [
            ("a/README.TXT", "Text", true),
            ("readme", "Text", true),
            ("readme.de.txt", "Text", false),
            ("CMakeLists.txt", "Text", true),
            ("dev-Requirements.in", "Text", true),
            ("requirements/words.txt", "Text", false),
            ("words.txt", "Text", false),
            ("words.txt", "Markdown", true),
            ("", "Text", false),
        ];
        for (path, language, kept) in cases {
            let reason = Sample::path(path)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{path} {language}");
        }
    }
}
