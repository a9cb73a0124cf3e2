//! One made-up file, to try a rule on: for tests, examples and the `[[test]]` rows of recipes.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema};

use stackmill_schemas::syntax::SyntaxFacts;
use stackmill_schemas::{FileBatch, FileColumns, Reason, Result, Verdict, columns};

use crate::facts::Facts;
use crate::rule::{Check, Rule};

/// A file that exists only here; whatever is not given is empty or absent.
#[derive(Clone, Debug, Default)]
pub struct Sample<'a> {
    /// The path.
    pub path: &'a str,
    /// The decoded text.
    pub text: &'a str,
    /// Linguist's name of the language.
    pub language: Option<&'a str>,
    /// `permissive`, `no_license` or `non_permissive`.
    pub license_type: Option<&'a str>,
    /// A third party's copy.
    pub is_vendor: bool,
    /// Written by a program.
    pub is_generated: bool,
    /// Length of the raw bytes; `None`: that of the text.
    pub length_bytes: Option<u64>,
    /// Stars of the repository.
    pub stars: Option<i64>,
    /// The score of the source's table.
    pub score: Option<f64>,
    /// What a table of issues or commits tells of its row, by column.
    pub numbers: Vec<(&'a str, i64)>,
    /// The texts among that, as the first line of a commit's message.
    pub told: Vec<(&'a str, &'a str)>,
    /// Tokens of the text.
    pub token_count: Option<u64>,
    /// What a parse told.
    pub syntax: Option<SyntaxFacts>,
}

impl<'a> Sample<'a> {
    /// A file of which only the text matters.
    pub fn text(text: &'a str) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    /// A file of which only the path matters.
    pub fn path(path: &'a str) -> Self {
        Self {
            path,
            ..Self::default()
        }
    }

    /// A commit of which only the first line of its message matters.
    pub fn subject(subject: &'a str) -> Self {
        Self {
            told: vec![(columns::CHANGE_SUBJECT, subject)],
            ..Self::default()
        }
    }

    /// The same file in another language.
    #[must_use]
    pub fn language(self, language: &'a str) -> Self {
        Self {
            language: Some(language),
            ..self
        }
    }

    /// What `rule` says of it; `Err` where the rule refuses its own settings.
    pub fn verdict<R: Rule>(&self, rule: R) -> Result<Verdict> {
        let record = self.record()?;
        let file = FileColumns::new(&record)?.row(0);
        let mut facts = Facts::new(file.text(), self.syntax.clone());
        Ok(rule.build()?.check(file, &mut facts))
    }

    /// Why `rule` drops it; `None` where it does not.
    pub fn dropped_by<R: Rule>(&self, rule: R) -> Result<Option<Reason>> {
        Ok(match self.verdict(rule)? {
            Verdict::Drop(reason) => Some(reason),
            Verdict::Keep | Verdict::Failed(_) => None,
        })
    }

    /// A batch of this one file, with the columns that rules read.
    pub fn batch(&self) -> Result<FileBatch> {
        FileBatch::new(self.record()?)
    }

    fn record(&self) -> Result<RecordBatch> {
        let text = |value: Option<&str>| Arc::new(StringArray::from(vec![value])) as ArrayRef;
        let number = |value: u64| Arc::new(UInt64Array::from(vec![value])) as ArrayRef;
        let flag = |value: bool| Arc::new(BooleanArray::from(vec![value])) as ArrayRef;
        let length = self.length_bytes.unwrap_or(self.text.len() as u64);
        let mut columns = vec![
            (columns::FILE_ID, DataType::UInt64, number(0)),
            (columns::PATH, DataType::Utf8, text(Some(self.path))),
            (columns::LENGTH_BYTES, DataType::UInt64, number(length)),
            (columns::IS_VENDOR, DataType::Boolean, flag(self.is_vendor)),
            (columns::CONTENT, DataType::Utf8, text(Some(self.text))),
            (columns::LANGUAGE, DataType::Utf8, text(self.language)),
            (columns::IS_GENERATED, DataType::Boolean, flag(self.is_generated)),
            (columns::LICENSE_TYPE, DataType::Utf8, text(self.license_type)),
            (
                columns::STARS,
                DataType::Int64,
                Arc::new(Int64Array::from(vec![self.stars])) as ArrayRef,
            ),
            (
                columns::SCORE,
                DataType::Float64,
                Arc::new(Float64Array::from(vec![self.score])) as ArrayRef,
            ),
            (
                columns::TOKEN_COUNT,
                DataType::UInt64,
                Arc::new(UInt64Array::from(vec![self.token_count])) as ArrayRef,
            ),
        ];
        columns.extend(self.numbers.iter().map(|(name, value)| {
            let array = Arc::new(Int64Array::from(vec![*value])) as ArrayRef;
            (*name, DataType::Int64, array)
        }));
        columns.extend(
            self.told
                .iter()
                .map(|(name, value)| (*name, DataType::Utf8, text(Some(value)))),
        );
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, kind, _)| Field::new(*name, kind.clone(), true))
            .collect();
        let arrays = columns.into_iter().map(|(_, _, array)| array).collect();
        Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
    }
}
