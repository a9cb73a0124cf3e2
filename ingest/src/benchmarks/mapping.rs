//! Benchmarks of anybody's: which columns of a table are which fields, in TOML.
//!
//! ```text
//!   name = "harbour"                        the pack's name
//!   id = "task_id"                          a text, or a number: `harbour/12`
//!   family = "origin"                       the problem it was made from; its own id, if there is none
//!   language = "Python"                     or  language-column = "lang"
//!
//!   [fields]
//!   prompt = "question"
//!   solution = ["prompt + code", "other"]   two of them, the first of two columns, one behind the other
//!   tests = "checks.list"                   a column inside another
//! ```

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use stackmill_schemas::benchmark::{BenchmarkItem, Field};
use stackmill_schemas::error::{Error, Result, ResultExt};

use super::{Named, Parts, Row, Sheet, language_of, of_files, rows};

/// The layout of a benchmark's tables, in its owner's words.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Mapping {
    /// Its name in verdicts and findings.
    pub name: String,
    /// Where it is published.
    #[serde(default)]
    pub url: String,
    /// License of its files.
    #[serde(default)]
    pub license: String,
    /// Whether its items are ordinary code of public repositories, which remove nothing.
    #[serde(default)]
    pub report_only: bool,
    /// Column of the ids.
    id: String,
    /// Column of the problems that items were made from.
    family: Option<String>,
    /// The language of all its code.
    language: Option<String>,
    /// Column that says the language.
    language_column: Option<String>,
    /// Columns of each field.
    fields: BTreeMap<Field, Columns>,
}

/// One column or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Columns {
    One(String),
    Several(Vec<String>),
}

impl Columns {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(column) => std::slice::from_ref(column),
            Self::Several(columns) => columns,
        }
    }
}

/// What stands between columns of which one text is made.
const BEHIND: &str = " + ";

impl Mapping {
    /// Refuses a mapping that maps nothing.
    ///
    /// # Errors
    /// Kind config.
    pub fn check(&self) -> Result<()> {
        match self.fields.values().all(|columns| columns.as_slice().is_empty()) {
            true => Err(Error::config("[fields] names no column")
                .hint("prompt, docstring, signature, solution, tests or examples = a column")),
            false => Ok(()),
        }
    }

    /// Reads the items of JSON, JSON-lines, CSV, TSV or Parquet files, packed by gzip or not.
    ///
    /// # Errors
    /// Kind input for a file that is damaged, and for a column that no row has.
    pub fn read(&self, files: &[Named]) -> Result<Vec<BenchmarkItem>> {
        let items = of_files(files, |sheet| self.items(sheet)).with_context(|| format!("benchmark `{}`", self.name))?;
        match items.is_empty() {
            true => Err(Error::input(format!(
                "no file of benchmark `{}` holds an item",
                self.name
            ))),
            false => Ok(items),
        }
    }

    fn items(&self, sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
        let mut missing: BTreeSet<&str> = self.columns().collect();
        let items = rows(sheet.text, |row| {
            missing.retain(|column| !row.has(column));
            self.item(row)
        })?;
        match missing.first() {
            Some(column) => Err(Error::input(format!("field `{column}` is missing"))
                .hint("columns are named as the files have them; `a.b` is `b` inside `a`")),
            None => Ok(items),
        }
    }

    /// Every column but the id's, which each row has to have.
    fn columns(&self) -> impl Iterator<Item = &str> {
        let fields = self.fields.values().flat_map(Columns::as_slice);
        let others = self.family.iter().chain(&self.language_column);
        others.chain(fields).flat_map(|column| column.split(BEHIND))
    }

    fn item(&self, row: &Row) -> Result<BenchmarkItem> {
        let id = self.id_of(row)?;
        let said = self.language_column.as_ref().and_then(|column| row.any(column));
        let said = said.as_deref().or(self.language.as_deref());
        let family = self.family.as_ref().and_then(|column| row.any(column));
        let mut parts = Parts::of(id.clone(), said.and_then(language_of)).family(family.unwrap_or(id));
        for (field, columns) in &self.fields {
            for column in columns.as_slice() {
                let texts: Vec<String> = column.split(BEHIND).filter_map(|column| row.any(column)).collect();
                parts = parts.with(*field, texts.join("\n"));
            }
        }
        Ok(parts.item())
    }

    fn id_of(&self, row: &Row) -> Result<String> {
        let id = row.any(&self.id).ok_or_else(|| {
            Error::input(format!("field `{}` is missing", self.id)).hint("every row has to have an id")
        })?;
        match id.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Ok(format!("{}/{id}", self.name)),
            false => Ok(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use stackmill_schemas::error::ErrorKind;

    use super::*;

    fn mapping() -> Mapping {
        let text = serde_json::json!({"name": "harbour", "id": "no", "family": "origin", "language-column": "lang",
            "fields": {"prompt": "about.question", "solution": ["head + body", "other"], "tests": "checks"}});
        serde_json::from_value(text).expect("a mapping")
    }

    fn read(mapping: &Mapping, name: &str, text: &str) -> Result<Vec<BenchmarkItem>> {
        mapping.read(&[(name.to_owned(), text.as_bytes().to_vec())])
    }

    #[test]
    fn columns_become_fields() {
        let row = r#"{"no": 12, "origin": null, "lang": "cpp", "about": {"question": "Count."}, "head": "int f() {",
            "body": "return 2; }", "other": "", "checks": ["f() == 2", 7]}"#;
        let items = read(&mapping(), "rows.jsonl", &row.replace('\n', " ")).expect("an item");
        let item = &items[0];
        assert_eq!((item.id.as_str(), item.family.as_str()), ("harbour/12", "harbour/12"));
        assert_eq!(item.language.as_deref(), Some("C++"));
        let field = |kind, text: &str| (kind, text.to_owned());
        assert_eq!(
            item.fields,
            [
                field(Field::Prompt, "Count."),
                field(Field::Solution, "int f() {\nreturn 2; }"),
                field(Field::Tests, "f() == 2\n7")
            ]
        );
    }

    #[test]
    fn tables_of_cells_are_read_alike() {
        let text =
            serde_json::json!({"name": "harbour", "id": "key", "language": "Python", "fields": {"solution": "code"}});
        let mapping: Mapping = serde_json::from_value(text).expect("a mapping");
        let items = read(
            &mapping,
            "rows.csv",
            "key,code\na-1,\"def f():\n  return 2\"\na-2,pass\n",
        )
        .expect("items");
        assert_eq!((items.len(), items[0].id.as_str()), (2, "a-1"));
        assert_eq!(items[0].fields, [(Field::Solution, "def f():\n  return 2".to_owned())]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let nothing = serde_json::json!({"name": "x", "id": "y", "fields": {"prompt": []}});
        let nothing: Mapping = serde_json::from_value(nothing).expect("a mapping");
        assert_eq!(nothing.check().map_err(|error| error.kind()), Err(ErrorKind::Config));
        assert!(mapping().check().is_ok());
        let rows = [
            (r#"{"origin": "a"}"#, "field `no` is missing"),
            (
                r#"{"no": "a", "lang": "go", "about": {"question": "x"}, "head": 1, "body": 2, "other": 3}"#,
                "field `checks` is missing",
            ),
            ("7", "not a JSON object"),
            ("\n", "no items"),
        ];
        for (row, words) in rows {
            let error = read(&mapping(), "rows.jsonl", row).expect_err(words);
            assert_eq!(error.kind(), ErrorKind::Input);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
