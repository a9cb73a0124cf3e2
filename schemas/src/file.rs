//! A batch of files on its way through the Maps of a pass, and one row of it as rules see it.

use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BinaryArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch,
    StringArray, UInt32Array, UInt64Array,
};
use arrow_schema::{DataType, Field, Schema};

use crate::columns;
use crate::error::{Error, Result};
use crate::ids::{BlobId, FileId};
use crate::verdict::{Decision, Measure, Outcome, Reason};

/// Rows, which of them are still kept, and the decisions about those that are not.
///
/// Columns are only added and rows only masked; only [`FileBatch::replace_content`] changes a column, and only
/// the stages `decode`, `headers` and `redact` call it.
#[derive(Clone, Debug)]
pub struct FileBatch {
    record: RecordBatch,
    kept: Vec<bool>,
    decisions: Vec<Decision>,
}

impl FileBatch {
    /// A batch in which every row is kept. `record` has a `file_id` column.
    pub fn new(record: RecordBatch) -> Result<Self> {
        columns::u64s(&record, columns::FILE_ID)?;
        let kept = vec![true; record.num_rows()];
        Ok(Self {
            record,
            kept,
            decisions: Vec::new(),
        })
    }

    /// The rows, masked ones included.
    pub fn record(&self) -> &RecordBatch {
        &self.record
    }

    /// Number of rows, masked ones included.
    pub fn num_rows(&self) -> usize {
        self.kept.len()
    }

    /// Whether row `i` is still kept.
    pub fn is_kept(&self, i: usize) -> bool {
        self.kept[i]
    }

    /// The rows still kept.
    pub fn kept_rows(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.kept.len()).filter(|&i| self.kept[i])
    }

    /// One flag a row: still kept?
    pub fn kept_mask(&self) -> BooleanArray {
        BooleanArray::from(self.kept.clone())
    }

    /// What has been decided about the masked rows, and notes about kept ones.
    pub fn decisions(&self) -> &[Decision] {
        &self.decisions
    }

    /// Takes the parts: rows, mask, decisions.
    pub fn into_parts(self) -> (RecordBatch, Vec<bool>, Vec<Decision>) {
        (self.record, self.kept, self.decisions)
    }

    /// Masks row `i` and records why. A row is masked once: the first decision stands.
    pub fn decide(&mut self, i: usize, outcome: Outcome, place: Place<'_>, reason: Reason) {
        if !std::mem::replace(&mut self.kept[i], false) {
            return;
        }
        let ids = self
            .record
            .column_by_name(columns::FILE_ID)
            .and_then(|c| c.as_any().downcast_ref::<UInt64Array>());
        let file_id = FileId(ids.map_or(0, |ids| ids.value(i)));
        let (stage, rule) = (place.stage.to_owned(), place.rule.to_owned());
        self.decisions.push(Decision {
            file_id,
            outcome,
            stage,
            rule,
            reason,
        });
    }

    /// Adds a column; a name that is there already is a schema error.
    pub fn with_column(mut self, field: Field, array: ArrayRef) -> Result<Self> {
        if self.record.column_by_name(field.name()).is_some() {
            return Err(Error::schema(format!(
                "column `{}` is there already: columns are only added",
                field.name()
            )));
        }
        let mut fields = self.record.schema().fields().to_vec();
        fields.push(Arc::new(field));
        let mut arrays = self.record.columns().to_vec();
        arrays.push(array);
        self.record = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        Ok(self)
    }

    /// Replaces `content`: for `decode` (Binary to Utf8), `headers`, `blocks` and `redact` (Utf8 to Utf8) alone.
    pub fn replace_content(mut self, content: StringArray) -> Result<Self> {
        let schema = self.record.schema();
        let at = schema.index_of(columns::CONTENT)?;
        let mut fields = schema.fields().to_vec();
        fields[at] = Arc::new(Field::new(columns::CONTENT, DataType::Utf8, true));
        let mut arrays = self.record.columns().to_vec();
        arrays[at] = Arc::new(content);
        self.record = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?;
        Ok(self)
    }
}

/// Where a decision is taken.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The stage, as in the recipe.
    pub stage: &'a str,
    /// The rule inside the stage.
    pub rule: &'a str,
}

/// The well-known columns of a batch, looked up once; [`FileColumns::row`] gives one file.
#[derive(Clone, Copy, Debug)]
pub struct FileColumns<'a> {
    record: &'a RecordBatch,
    file_id: &'a UInt64Array,
    repo_name: Option<&'a StringArray>,
    path: Option<&'a StringArray>,
    mode: Option<&'a UInt32Array>,
    length_bytes: Option<&'a UInt64Array>,
    blob_id: Option<&'a FixedSizeBinaryArray>,
    text: Option<&'a StringArray>,
    bytes: Option<&'a BinaryArray>,
    language: Option<&'a StringArray>,
    license_type: Option<&'a StringArray>,
    is_vendor: Option<&'a BooleanArray>,
    is_generated: Option<&'a BooleanArray>,
    stars: Option<&'a Int64Array>,
    score: Option<&'a Float64Array>,
    token_count: Option<&'a UInt64Array>,
}

impl<'a> FileColumns<'a> {
    /// Looks the columns up; those that are not there yet read as absent.
    pub fn new(record: &'a RecordBatch) -> Result<Self> {
        fn get<'a, A: Array + 'static>(record: &'a RecordBatch, name: &str) -> Option<&'a A> {
            record
                .column_by_name(name)
                .and_then(|column| column.as_any().downcast_ref())
        }
        Ok(Self {
            record,
            file_id: columns::u64s(record, columns::FILE_ID)?,
            repo_name: get(record, columns::REPO_NAME),
            path: get(record, columns::PATH),
            mode: get(record, columns::MODE),
            length_bytes: get(record, columns::LENGTH_BYTES),
            blob_id: get(record, columns::BLOB_ID),
            text: get(record, columns::CONTENT),
            bytes: get(record, columns::CONTENT),
            language: get(record, columns::LANGUAGE),
            license_type: get(record, columns::LICENSE_TYPE),
            is_vendor: get(record, columns::IS_VENDOR),
            is_generated: get(record, columns::IS_GENERATED),
            stars: get(record, columns::STARS),
            score: get(record, columns::SCORE),
            token_count: get(record, columns::TOKEN_COUNT),
        })
    }

    /// Row `i` of the batch.
    pub fn row(&self, i: usize) -> FileRow<'a> {
        FileRow { columns: *self, i }
    }
}

/// One file: what a rule sees.
#[derive(Clone, Copy, Debug)]
pub struct FileRow<'a> {
    columns: FileColumns<'a>,
    i: usize,
}

impl<'a> FileRow<'a> {
    fn string(&self, column: Option<&'a StringArray>) -> Option<&'a str> {
        column
            .filter(|array| array.is_valid(self.i))
            .map(|array| array.value(self.i))
    }

    fn flag(&self, column: Option<&'a BooleanArray>) -> bool {
        column.is_some_and(|array| array.is_valid(self.i) && array.value(self.i))
    }

    /// The file's number in this run.
    pub fn file_id(&self) -> FileId {
        FileId(self.columns.file_id.value(self.i))
    }

    /// The repository's name; empty where unknown.
    pub fn repo_name(&self) -> &'a str {
        self.string(self.columns.repo_name).unwrap_or_default()
    }

    /// The path, escaped as [`crate::path`] says; empty in the row of an unreadable repository.
    pub fn path(&self) -> &'a str {
        self.string(self.columns.path).unwrap_or_default()
    }

    /// The last component of the path.
    pub fn file_name(&self) -> &'a str {
        let path = self.path();
        path.rsplit('/').next().unwrap_or(path)
    }

    /// What follows the last dot of the file name, without the dot; empty where there is none or the name starts with it.
    pub fn extension(&self) -> &'a str {
        match self.file_name().rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => extension,
            _ => "",
        }
    }

    /// Git file mode.
    pub fn mode(&self) -> u32 {
        self.columns.mode.map_or(0, |array| array.value(self.i))
    }

    /// Length of the raw bytes.
    pub fn length_bytes(&self) -> u64 {
        self.columns.length_bytes.map_or(0, |array| array.value(self.i))
    }

    /// Git blob id.
    pub fn blob_id(&self) -> Option<BlobId> {
        let array = self.columns.blob_id.filter(|array| array.is_valid(self.i))?;
        array.value(self.i).try_into().ok().map(BlobId)
    }

    /// The decoded text; empty before the content phase.
    pub fn text(&self) -> &'a str {
        self.string(self.columns.text).unwrap_or_default()
    }

    /// The bytes of the content, decoded or not.
    pub fn bytes(&self) -> &'a [u8] {
        match self.columns.bytes {
            Some(array) if array.is_valid(self.i) => array.value(self.i),
            _ => self.text().as_bytes(),
        }
    }

    /// Linguist's name of the language.
    pub fn language(&self) -> Option<&'a str> {
        self.string(self.columns.language)
    }

    /// `permissive`, `non_permissive` or `no_license`.
    pub fn license_type(&self) -> Option<&'a str> {
        self.string(self.columns.license_type)
    }

    /// The value of any column of numbers, flags or text; none where it is null or not there.
    pub fn value(&self, column: &str) -> Option<Measure> {
        let array = self.columns.record.column_by_name(column)?;
        let any = array.as_any();
        if array.is_null(self.i) {
            return None;
        }
        let number = |number: f64| Some(Measure::Number(number));
        match array.data_type() {
            DataType::Int64 => number(any.downcast_ref::<Int64Array>()?.value(self.i) as f64),
            DataType::UInt64 => number(any.downcast_ref::<UInt64Array>()?.value(self.i) as f64),
            DataType::Float64 => number(any.downcast_ref::<Float64Array>()?.value(self.i)),
            DataType::Boolean => Some(any.downcast_ref::<BooleanArray>()?.value(self.i).to_string().into()),
            DataType::Utf8 => Some(any.downcast_ref::<StringArray>()?.value(self.i).into()),
            _ => None,
        }
    }

    /// The value of a column of whole numbers; none where it is null or not there.
    pub fn number(&self, column: &str) -> Option<i64> {
        let array = self.columns.record.column_by_name(column)?;
        let array = array.as_any().downcast_ref::<Int64Array>()?;
        array.is_valid(self.i).then(|| array.value(self.i))
    }

    /// The value of a column of texts; none where it is null or not there.
    pub fn words(&self, column: &str) -> Option<&'a str> {
        let array = self.columns.record.column_by_name(column)?;
        self.string(array.as_any().downcast_ref())
    }

    /// Stars of the repository.
    pub fn stars(&self) -> Option<i64> {
        let array = self.columns.stars.filter(|array| array.is_valid(self.i))?;
        Some(array.value(self.i))
    }

    /// The score that the source's table gives the file.
    pub fn score(&self) -> Option<f64> {
        let array = self.columns.score.filter(|array| array.is_valid(self.i))?;
        Some(array.value(self.i))
    }

    /// Number of tokens of the decoded text.
    pub fn token_count(&self) -> Option<u64> {
        let array = self.columns.token_count.filter(|array| array.is_valid(self.i))?;
        Some(array.value(self.i))
    }

    /// A third party's copy.
    pub fn is_vendor(&self) -> bool {
        self.flag(self.columns.is_vendor)
    }

    /// Written by a program.
    pub fn is_generated(&self) -> bool {
        self.flag(self.columns.is_generated)
    }
}
