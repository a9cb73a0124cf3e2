//! What is added to a table at hand: columns as people expect them, and verdicts.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, Int32Array, ListArray, StringArray, UInt64Array};
use arrow_buffer::{OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use stackmill_schemas::ids::hex;
use stackmill_schemas::{Decision, Error, FileBatch, FileId, Outcome, Result, columns};

/// Column of tokens, as `tokenize` adds it.
const TOKENS: &str = "tokens";

/// The columns of `table` with others behind them; a name may be there once.
pub(super) fn extended(table: &Schema, added: Vec<Field>) -> Result<SchemaRef> {
    if let Some(twice) = added.iter().find(|field| table.index_of(field.name()).is_ok()) {
        return Err(
            Error::schema(format!("the table has a column `{}` already", twice.name()))
                .hint("rename or drop it: columns are only added"),
        );
    }
    let fields: Fields = table
        .fields()
        .iter()
        .cloned()
        .chain(added.into_iter().map(Arc::new))
        .collect();
    let mut metadata = table.metadata().clone();
    // It says which columns there are, and would now be wrong.
    metadata.remove("huggingface");
    Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
}

/// The type of a column once shown.
pub(super) fn shown_type(field: &Field) -> DataType {
    match (field.name().as_str(), field.data_type()) {
        (TOKENS, _) => DataType::new_list(DataType::Int32, false),
        (_, DataType::Binary) => DataType::new_list(DataType::UInt64, false),
        (_, DataType::FixedSizeBinary(_)) => DataType::Utf8,
        (_, other) => other.clone(),
    }
}

/// A Map's column as people expect it: lists of numbers instead of their bytes, hexadecimal digits instead of ids.
pub(super) fn shown(name: &str, column: &ArrayRef) -> Result<ArrayRef> {
    if let Some(fixed) = column.as_fixed_size_binary_opt() {
        let texts = (0..fixed.len()).map(|row| fixed.is_valid(row).then(|| hex(fixed.value(row))));
        return Ok(Arc::new(texts.collect::<StringArray>()));
    }
    let Some(bytes) = column.as_binary_opt::<i32>() else {
        return Ok(column.clone());
    };
    let starts = &bytes.values()[bytes.offsets()[0] as usize..];
    let end = (bytes.offsets()[bytes.len()] - bytes.offsets()[0]) as usize;
    let (width, data_type, values): (i32, _, ArrayRef) = match name {
        TOKENS => {
            let ids = starts[..end].as_chunks().0.iter().map(|id| i32::from_le_bytes(*id));
            (4, DataType::Int32, Arc::new(Int32Array::from_iter_values(ids)))
        }
        _ => {
            let hashes = starts[..end].as_chunks().0.iter().map(|hash| u64::from_le_bytes(*hash));
            (8, DataType::UInt64, Arc::new(UInt64Array::from_iter_values(hashes)))
        }
    };
    let first = bytes.offsets()[0];
    let offsets: ScalarBuffer<i32> = bytes.offsets().iter().map(|offset| (offset - first) / width).collect();
    let item = Arc::new(Field::new_list_field(data_type, false));
    let list = ListArray::try_new(item, OffsetBuffer::new(offsets), values, bytes.nulls().cloned())?;
    Ok(Arc::new(list))
}

/// Verdicts, row by row: `verdict`, `stage`, `rule`, `value`, `limit`, `because`, `trouble`.
#[derive(Default)]
pub(super) struct Verdicts {
    columns: [StringBuilder; 7],
}

impl Verdicts {
    const NAMES: [&str; 7] = ["verdict", "stage", "rule", "value", "limit", "because", "trouble"];

    pub(super) fn fields() -> impl Iterator<Item = Field> {
        Self::NAMES
            .into_iter()
            .map(|name| Field::new(name, DataType::Utf8, true))
    }

    /// Appends the rows of a batch.
    pub(super) fn push(&mut self, files: &FileBatch) -> Result<()> {
        let decisions: BTreeMap<FileId, &Decision> = files.decisions().iter().map(|d| (d.file_id, d)).collect();
        let ids = columns::u64s(files.record(), columns::FILE_ID)?;
        ids.values()
            .iter()
            .for_each(|id| self.row(decisions.get(&FileId(*id)).copied()));
        Ok(())
    }

    /// Appends a row; without a decision it is kept.
    pub(super) fn row(&mut self, decision: Option<&Decision>) {
        let cells = match decision.filter(|decision| decision.outcome != Outcome::Kept) {
            None => [
                Some(Outcome::Kept.as_str().to_owned()),
                None,
                None,
                None,
                None,
                None,
                None,
            ],
            Some(decision) => [
                Some(decision.outcome.as_str().to_owned()),
                Some(decision.stage.clone()),
                Some(decision.rule.clone()),
                decision.reason.value.as_ref().map(ToString::to_string),
                decision.reason.limit.as_ref().map(ToString::to_string),
                decision.because_text(),
                decision.reason.trouble.clone(),
            ],
        };
        for (column, cell) in self.columns.iter_mut().zip(cells) {
            column.append_option(cell);
        }
    }

    pub(super) fn finish(mut self) -> impl Iterator<Item = ArrayRef> {
        let arrays = self
            .columns
            .each_mut()
            .map(|column| Arc::new(column.finish()) as ArrayRef);
        arrays.into_iter()
    }
}
