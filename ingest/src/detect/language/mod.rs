//! The language of a file, by Linguist's names and in Linguist's order of evidence.
//!
//! ```text
//!   .gitattributes ► modeline ► file name ► interpreter ► extension ► XML head ► manual page ► rules ► words ► popularity
//!                    └──────────── each narrows what the one before left; one language left ends the search ──────────┘
//! ```
//!
//! Names, extensions and rules are Linguist's data; the words of the module `words` and the popularity behind them stand in for its
//! trained classifier. Speed on one core: 40,000 files a second where every third extension is ambiguous, 170,000 of
//! ordinary files.

mod evidence;
mod header;
mod heuristics;
mod tables;
mod words;

use std::sync::Arc;

use arrow_array::StringArray;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{FileBatch, FileColumns, Result, TaskContext, columns};

use super::{extended, optional_strings, string_at};
use tables::{Name, TABLES};

/// Settings of the stage `language`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct LanguageConfig {
    /// Whether `linguist-language` in `.gitattributes` decides before everything else, as on GitHub.
    pub attributes: bool,
}

impl Default for LanguageConfig {
    fn default() -> Self {
        Self { attributes: true }
    }
}

/// Adds the column `language`: Linguist's name, or null where nothing tells.
#[derive(Clone, Debug)]
pub struct Language {
    config: LanguageConfig,
}

impl Language {
    /// The stage with these settings.
    pub fn new(config: LanguageConfig) -> Self {
        Self { config }
    }
}

impl Map for Language {
    fn name(&self) -> &str {
        "language"
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        let needed = [(columns::PATH, DataType::Utf8), (columns::CONTENT, DataType::Utf8)];
        extended(
            input,
            &needed,
            vec![Field::new(columns::LANGUAGE, DataType::Utf8, true)],
        )
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(self.clone()))
    }
}

impl MapTask for Language {
    fn map(&mut self, batch: FileBatch) -> Result<FileBatch> {
        let attributes = optional_strings(&batch, columns::ATTRIBUTE_LANGUAGE).filter(|_| self.config.attributes);
        let notebooks = optional_strings(&batch, columns::NOTEBOOK_LANGUAGE);
        let files = FileColumns::new(batch.record())?;
        let language = |i: usize| {
            let file = batch.is_kept(i).then(|| files.row(i))?;
            let notebook = notebooks.and_then(|array| string_at(array, i));
            let attribute = notebook.or_else(|| attributes.and_then(|array| string_at(array, i)));
            detect(file.path(), file.text(), attribute)
        };
        let languages: StringArray = (0..batch.num_rows()).map(language).collect();
        batch.with_column(Field::new(columns::LANGUAGE, DataType::Utf8, true), Arc::new(languages))
    }
}

/// The language of the file at `path` with decoded content `text`; `attribute` is `linguist-language`, if set.
///
/// An empty file has the language that its name claims (Linguist gives it none).
pub fn detect(path: &str, text: &str, attribute: Option<&str>) -> Option<&'static str> {
    if let Some(name) = attribute.and_then(|alias| TABLES.by_alias(alias)) {
        return Some(name);
    }
    header::modeline(text).or_else(|| by_name_and_content(path, text))
}

/// Linguist's name of the language that people call `alias`.
pub(super) fn by_alias(alias: &str) -> Option<&'static str> {
    TABLES.by_alias(alias)
}

fn by_name_and_content(path: &str, text: &str) -> Option<Name> {
    let file_name = path.rsplit('/').next().unwrap_or(path);
    let lower = file_name.to_lowercase();
    let (extension, by_extension) = TABLES.by_extension(&lower);
    let mut candidates = TABLES.by_file_name(file_name).to_vec();
    if candidates.len() != 1 {
        let by_interpreter = header::interpreter(text).map_or(&[][..], |program| TABLES.by_interpreter(program));
        narrow(&mut candidates, by_interpreter);
    }
    if candidates.len() != 1 {
        narrow(&mut candidates, by_extension);
    }
    if candidates.is_empty() {
        candidates = by_shape(&lower, text);
    }
    match candidates.as_slice() {
        [one] => Some(one),
        several => by_content(&extension, several, text),
    }
}

/// Keeps what both name; where one names nothing, or they share nothing, what is there already stands.
fn narrow(candidates: &mut Vec<Name>, found: &[Name]) {
    if candidates.is_empty() {
        candidates.extend_from_slice(found);
    } else if candidates.iter().any(|name| found.contains(name)) {
        candidates.retain(|name| found.contains(name));
    }
}

/// An XML declaration, or a manual page's section as extension.
fn by_shape(lower_file_name: &str, text: &str) -> Vec<Name> {
    let head = text.split('\n').take(2);
    if head.clone().any(|line| line.contains("?xml version=")) {
        return vec!["XML"];
    }
    if is_manual_page(lower_file_name) {
        return vec!["Roff", "Roff Manpage"];
    }
    Vec::new()
}

/// `.1` to `.9` with letters behind, `.0p`, `.n`, `.man`, `.mdoc`; each may be followed by `.in`.
fn is_manual_page(lower_file_name: &str) -> bool {
    let name = lower_file_name.strip_suffix(".in").unwrap_or(lower_file_name);
    let Some((_, extension)) = name.rsplit_once('.') else {
        return false;
    };
    match extension.as_bytes() {
        [b'1'..=b'9', letters @ ..] => {
            !letters.first().is_some_and(u8::is_ascii_digit)
                && letters.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        }
        _ => matches!(extension, "0p" | "n" | "man" | "mdoc"),
    }
}

/// Extensions whose languages words tell apart better than Linguist's rules do: the rules for them look for single
/// words (`BEGIN;`, `namespace x {`, `Attribute VB_Name`) that several of the languages share.
const WORDS_FIRST: &[&str] = &[".sql", ".inc", ".bas", ".fs"];

fn by_content(extension: &str, candidates: &[Name], text: &str) -> Option<Name> {
    let bytes = text.as_bytes();
    let content = &bytes[..bytes.len().min(heuristics::CONSIDERED_BYTES)];
    if WORDS_FIRST.contains(&extension) {
        let decided = evidence::heaviest(candidates, content).filter(|&(_, lead)| lead > 0);
        if let Some((name, _)) = decided {
            return Some(name);
        }
    }
    let found = heuristics::disambiguate(extension, content);
    if let [one] = found {
        return Some(one);
    }
    let candidates = if found.is_empty() { candidates } else { found };
    evidence::heaviest(candidates, content).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, RecordBatch, UInt64Array};
    use stackmill_schemas::file::Place;
    use stackmill_schemas::{Outcome, Reason};

    #[test]
    fn evidence_counts_in_linguists_order() {
        for (path, text, language) in [
            ("src/main.rs", "fn main() {}\n", Some("Rust")),
            ("a/Makefile", "all:\n", Some("Makefile")),
            ("a.c", "// vim: ft=cpp\n", Some("C++")),
            ("tool", "#!/usr/bin/env python3\n", Some("Python")),
            ("tool.xyz", "<?xml version=\"1.0\"?>\n", Some("XML")),
            ("ls.1", ".TH LS 1\n.SH NAME\n", Some("Roff Manpage")),
            ("ls.1ssl", ".TH LS 1\n.SH NAME\n", Some("Roff Manpage")),
            ("a.10", "x", None),
            ("A.H", "class X { std::string s; };\n", Some("C++")),
            ("analysis.R", "x <- 1\n", Some("R")),
            ("noidea", "words\n", None),
            ("", "", None),
            ("x.sol", "pragma solidity ^0.8.0;\ncontract A {}\n", Some("Solidity")),
            ("package/__init__.py", "", Some("Python")),
            ("new.sql", "select 1;\n", Some("SQL")),
            ("view.html.erb", "<p>", Some("HTML+ERB")),
        ] {
            assert_eq!(detect(path, text, None), language, "{path}");
        }
    }

    #[test]
    fn an_attribute_decides_and_an_unknown_one_does_not() {
        assert_eq!(detect("a.h", "", Some("objective-c")), Some("Objective-C"));
        assert_eq!(detect("a.h", "", Some("klingon")), Some("C"));
    }

    #[test]
    fn dialects_of_sql_are_told_apart() {
        for (text, language) in [
            ("CREATE TABLE t (id INT AUTO_INCREMENT) ENGINE=InnoDB;\n", "SQL"),
            ("SET NOCOUNT ON\nGO\nDECLARE @a INT\nGO\n", "TSQL"),
            (
                "create or replace package body p is\n v varchar2(3);\nend;\n/\n",
                "PLSQL",
            ),
            (
                "CREATE FUNCTION f() RETURNS trigger AS $$\nBEGIN RETURN NEW; END\n$$ LANGUAGE plpgsql;\n",
                "PLpgSQL",
            ),
        ] {
            assert_eq!(detect("x.sql", text, None), Some(language));
        }
    }

    #[test]
    fn the_stage_adds_a_column_and_leaves_masked_rows_alone() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            (columns::FILE_ID, Arc::new(UInt64Array::from(vec![0, 1, 2]))),
            (columns::PATH, Arc::new(StringArray::from(vec!["a.rs", "b.h", "c.py"]))),
            (columns::CONTENT, Arc::new(StringArray::from(vec!["fn f() {}", "", ""]))),
            (
                columns::ATTRIBUTE_LANGUAGE,
                Arc::new(StringArray::from(vec![None, Some("C++"), None])),
            ),
        ];
        let named = columns.into_iter().map(|(name, array)| (name, array, true));
        let record = RecordBatch::try_from_iter_with_nullable(named).expect("columns fit");
        let mut batch = FileBatch::new(record).expect("a batch");
        let place = Place {
            stage: "rules",
            rule: "path",
        };
        batch.decide(2, Outcome::Dropped, place, Reason::default());
        let languages = |attributes| {
            let mut stage = Language::new(LanguageConfig { attributes });
            let schema = stage.schema(&batch.record().schema()).expect("fits");
            let output = stage.map(batch.clone()).expect("maps");
            assert_eq!(output.record().schema(), schema);
            let column = columns::strings(output.record(), columns::LANGUAGE)
                .expect("text")
                .clone();
            column.iter().map(|name| name.map(str::to_owned)).collect::<Vec<_>>()
        };
        assert_eq!(languages(true), [Some("Rust".into()), Some("C++".into()), None]);
        assert_eq!(languages(false), [Some("Rust".into()), Some("C".into()), None]);
        let output = Language::new(LanguageConfig::default())
            .map(batch.clone())
            .expect("maps");
        assert!(
            Language::new(LanguageConfig::default())
                .schema(&output.record().schema())
                .is_err()
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_and_no_path_panics(path in ".{0,40}", text in "(?s).{0,400}", extension in "[a-z]{1,4}") {
            let _ = detect(&path, &text, None);
            let _ = detect(&format!("{path}.{extension}"), &text, Some(&path));
        }
    }
}
