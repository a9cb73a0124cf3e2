//! The `[[test]]` rows of a recipe: a small file each, sent through the very Maps of a run, and what should become of it.
//!
//! Duplicates are a matter of many files, so `exact` and `near` have no part in it; every other stage has.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, BooleanArray, Int64Array, RecordBatch, StringArray};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stackmill_ingest::detect::license::LicenseTree;
use stackmill_schemas::path::escape;
use stackmill_schemas::{Decision, Error, FileBatch, FileId, Outcome, Result, TaskContext, columns};

use crate::frames::{Names, Rows};
use crate::known::Known;
use crate::passes::verdicts::measured;
use crate::passes::{Fused, Meter, listing};
use crate::recipe::Recipe;
use crate::stages::Stages;

/// Repository of a file whose test names none.
const REPOSITORY: &str = "test";

/// One `[[test]]` table: a file, and what is expected of it. What is not named is not compared, but for the verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct TestConfig {
    /// What the test is called; default: its path.
    pub name: Option<String>,
    /// Path of the file in its repository.
    pub path: String,
    /// The file's text, in place of `file`.
    pub text: Option<String>,
    /// Where the file is, from the recipe's folder, in place of `text`.
    pub file: Option<String>,
    /// What is known of the repository: `name`, `stars`, `forks`, `license`, and any column of `[metadata]` or of
    /// a source's `metadata`.
    pub repository: BTreeMap<String, Value>,
    /// What `.gitattributes` says of the file.
    pub attributes: AttributesConfig,
    /// `kept` (default), `dropped` or `failed`.
    pub verdict: Outcome,
    /// The stage that decided.
    pub stage: Option<String>,
    /// The rule that decided.
    pub rule: Option<String>,
    /// Part of the reason, as the ledger has it: `value 1200, limit 1000`.
    pub reason: Option<String>,
    /// Linguist's name of the language; `""`: none.
    pub language: Option<String>,
    /// SPDX expression; `""`: none.
    pub license: Option<String>,
    /// `permissive`, `no_license` or `non_permissive`.
    pub license_type: Option<String>,
    /// The text as it would be published: headers stripped, addresses and keys redacted.
    pub content: Option<String>,
}

/// What `.gitattributes` says of a test's file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct AttributesConfig {
    /// `linguist-language`
    pub language: Option<String>,
    /// `linguist-vendored`
    pub vendored: Option<bool>,
    /// `linguist-generated`
    pub generated: Option<bool>,
}

impl Default for TestConfig {
    fn default() -> Self {
        Self {
            name: None,
            path: String::new(),
            text: None,
            file: None,
            repository: BTreeMap::new(),
            attributes: AttributesConfig::default(),
            verdict: Outcome::Kept,
            stage: None,
            rule: None,
            reason: None,
            language: None,
            license: None,
            license_type: None,
            content: None,
        }
    }
}

impl TestConfig {
    /// The test, if it makes sense.
    pub(crate) fn checked(self) -> Result<Self> {
        if self.path.is_empty() {
            return Err(Error::config("a test needs a `path`").hint("path = \"src/main.rs\""));
        }
        if self.text.is_some() == self.file.is_some() {
            return Err(Error::config("a test needs either `text` or `file`")
                .hint("`text` holds the file itself, `file` says where it is"));
        }
        let decided = [&self.stage, &self.rule, &self.reason].iter().any(|key| key.is_some());
        match self.verdict == Outcome::Kept && decided {
            true => Err(Error::config("`stage`, `rule` and `reason` say why a file is not kept")
                .hint("add verdict = \"dropped\" or verdict = \"failed\"")),
            false => Ok(self),
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.path)
    }

    fn bytes(&self, recipe: &Recipe) -> Result<Vec<u8>> {
        match (&self.text, &self.file) {
            (None, Some(file)) => Ok(recipe.file(file, "test's file")?.1),
            (text, _) => Ok(text.clone().unwrap_or_default().into_bytes()),
        }
    }
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Happened {
    /// `kept`, `dropped` or `failed`.
    pub verdict: &'static str,
    /// The stage that decided; empty: it was kept.
    pub stage: String,
    /// The rule that decided; empty: it was kept.
    pub rule: String,
    /// Why, as the ledger has it.
    pub reason: String,
    /// Linguist's name of the language; empty: none.
    pub language: String,
    /// SPDX expression; empty: none.
    pub license: String,
    /// Type of the license.
    pub license_type: String,
    /// The text at the end.
    pub content: String,
}

/// A test that was run.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// Its name.
    pub name: String,
    /// Whether all that it expected happened.
    pub passed: bool,
    /// What it expected and did not get: key, expected, found.
    pub differences: Vec<[String; 3]>,
    /// What happened.
    pub happened: Happened,
}

/// Every Map of a recipe, open for one file after the other.
pub struct Trial<'a> {
    recipe: &'a Recipe,
    known: &'a Known,
    rows: Rows<'a>,
    maps: Fused,
}

impl<'a> Trial<'a> {
    /// Opens every Map of `stages`, in the order of a run.
    pub fn open(recipe: &'a Recipe, stages: &'a Stages, cx: &TaskContext) -> Result<Self> {
        let names = Names {
            content: columns::CONTENT.to_owned(),
            path: columns::PATH.to_owned(),
        };
        let maps = [&stages.listing, &stages.content, &stages.syntax];
        Ok(Self {
            recipe,
            known: &stages.known,
            rows: Rows::new(names, stages, FileId(0), true),
            maps: Fused::of(maps.into_iter().flatten().map(AsRef::as_ref), cx)?,
        })
    }

    /// Runs a test.
    pub fn run(&mut self, test: &TestConfig) -> Result<Tried> {
        let table = table(test, &test.bytes(self.recipe)?)?;
        let row = self.rows.of(&table)?.remove(0);
        let row = self.known.given(&row, &test.repository)?;
        let mut file = FileBatch::new(row)?;
        listing::refuse_giants(&mut file)?;
        let file = self.maps.map(file, &Meter::default())?;
        let happened = happened(&file);
        let differences = differences(test, &happened);
        Ok(Tried {
            name: test.name().to_owned(),
            passed: differences.is_empty(),
            differences,
            happened,
        })
    }
}

/// The file as a table of one row, with what its listing would say.
fn table(test: &TestConfig, content: &[u8]) -> Result<RecordBatch> {
    let text = |value: Option<&str>| Arc::new(StringArray::from(vec![value])) as ArrayRef;
    let flag = |value| Arc::new(BooleanArray::from(vec![value])) as ArrayRef;
    let number = |key: &str| {
        let value = test.repository.get(key);
        match value.map(Value::as_i64) {
            Some(None) => Err(Error::config(format!(
                "test `{}`: `{key}` is not a whole number",
                test.name()
            ))),
            other => Ok(Arc::new(Int64Array::from(vec![other.flatten()])) as ArrayRef),
        }
    };
    let known = |key: &str| test.repository.get(key).and_then(Value::as_str);
    let inherited =
        known("license").and_then(|license| LicenseTree::new(Some(license)).inherited(test.path.as_bytes()));
    let attributes = &test.attributes;
    let table = [
        (
            columns::CONTENT,
            Arc::new(BinaryArray::from_vec(vec![content])) as ArrayRef,
        ),
        (columns::PATH, text(Some(&escape(test.path.as_bytes())))),
        (columns::REPO_NAME, text(Some(known("name").unwrap_or(REPOSITORY)))),
        (columns::STARS, number(columns::STARS)?),
        (columns::FORKS, number(columns::FORKS)?),
        (
            columns::INHERITED_LICENSE,
            text(inherited.as_ref().map(|(license, _)| license.as_str())),
        ),
        (
            columns::LICENSE_EVIDENCE,
            text(inherited.as_ref().map(|(_, evidence)| evidence.as_str())),
        ),
        (columns::ATTRIBUTE_LANGUAGE, text(attributes.language.as_deref())),
        (columns::ATTRIBUTE_VENDORED, flag(attributes.vendored)),
        (columns::ATTRIBUTE_GENERATED, flag(attributes.generated)),
    ];
    Ok(RecordBatch::try_from_iter(table)?)
}

fn happened(file: &FileBatch) -> Happened {
    let text = |name: &str| {
        let found = columns::strings(file.record(), name).ok();
        let value = found.and_then(|array| array.iter().next().flatten());
        value.unwrap_or_default().to_owned()
    };
    let decision = file.decisions().first();
    let word = |get: fn(&Decision) -> &str| decision.map(get).unwrap_or_default().to_owned();
    let reason = decision.map(measured).unwrap_or_default();
    Happened {
        verdict: decision.map_or(Outcome::Kept, |decision| decision.outcome).as_str(),
        stage: word(|decision| &decision.stage),
        rule: word(|decision| &decision.rule),
        reason: reason.trim().trim_start_matches('(').trim_end_matches(')').to_owned(),
        language: text(columns::LANGUAGE),
        license: text(columns::LICENSE_EXPRESSION),
        license_type: text(columns::LICENSE_TYPE),
        content: text(columns::CONTENT),
    }
}

/// What was expected and did not happen: key, expected, found.
fn differences(test: &TestConfig, happened: &Happened) -> Vec<[String; 3]> {
    let mut differences = Vec::new();
    let mut differs = |key: &str, expected: &str, found: &str| {
        differences.push([key, expected, found].map(str::to_owned));
    };
    if test.verdict.as_str() != happened.verdict {
        differs("verdict", test.verdict.as_str(), happened.verdict);
    }
    if let Some(reason) = test.reason.as_ref().filter(|reason| !happened.reason.contains(*reason)) {
        differs("reason", reason, &happened.reason);
    }
    for (key, expected, found) in [
        ("stage", &test.stage, &happened.stage),
        ("rule", &test.rule, &happened.rule),
        ("language", &test.language, &happened.language),
        ("license", &test.license, &happened.license),
        ("license-type", &test.license_type, &happened.license_type),
        ("content", &test.content, &happened.content),
    ] {
        if let Some(expected) = expected.as_ref().filter(|expected| *expected != found) {
            differs(key, expected, found);
        }
    }
    differences
}
