//! Vendored, generated and documentation files, as Linguist and `.gitattributes` see them.
//!
//! ```text
//!   listing   Vendored    path + linguist-vendored       ► is_vendor
//!   content   Generated   path, text + linguist-generated ► is_generated
//! ```

mod attributes;
mod generated;
mod paths;

use std::sync::Arc;

use arrow_array::{Array, BooleanArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::file::FileRow;
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{FileBatch, FileColumns, Result, TaskContext, columns};

pub use attributes::{Attributes, FileAttributes};
pub use generated::is_generated;
pub use paths::{is_documentation, is_vendored};

use super::extended;

/// Adds the column `is_vendor`: a third party's copy. Runs in the listing phase; `.gitattributes` decides first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vendored;

impl Vendored {
    /// The stage; it has no settings.
    pub fn new() -> Self {
        Self
    }
}

impl Map for Vendored {
    fn name(&self) -> &str {
        "list"
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        let field = Field::new(columns::IS_VENDOR, DataType::Boolean, true);
        extended(input, &[(columns::PATH, DataType::Utf8)], vec![field])
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(*self))
    }
}

impl MapTask for Vendored {
    fn map(&mut self, batch: FileBatch) -> Result<FileBatch> {
        flag(batch, columns::IS_VENDOR, columns::ATTRIBUTE_VENDORED, |file| {
            is_vendored(file.path())
        })
    }
}

/// Adds the column `is_generated`: written by a program. Runs on decoded content; `.gitattributes` decides first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Generated;

impl Generated {
    /// The stage; it has no settings.
    pub fn new() -> Self {
        Self
    }
}

impl Map for Generated {
    fn name(&self) -> &str {
        "flags"
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        let needed = [(columns::PATH, DataType::Utf8), (columns::CONTENT, DataType::Utf8)];
        let field = Field::new(columns::IS_GENERATED, DataType::Boolean, true);
        extended(input, &needed, vec![field])
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(*self))
    }
}

impl MapTask for Generated {
    fn map(&mut self, batch: FileBatch) -> Result<FileBatch> {
        flag(batch, columns::IS_GENERATED, columns::ATTRIBUTE_GENERATED, |file| {
            is_generated(file.path(), file.text())
        })
    }
}

/// Adds a flag: what the attribute says, else what `detect` finds; null in masked rows.
fn flag(batch: FileBatch, name: &str, attribute: &str, detect: fn(FileRow<'_>) -> bool) -> Result<FileBatch> {
    let said = columns::booleans(batch.record(), attribute).ok();
    let files = FileColumns::new(batch.record())?;
    let value = |i: usize| {
        let said = said.filter(|array| array.is_valid(i)).map(|array| array.value(i));
        batch.is_kept(i).then(|| said.unwrap_or_else(|| detect(files.row(i))))
    };
    let flags: BooleanArray = (0..batch.num_rows()).map(value).collect();
    batch.with_column(Field::new(name, DataType::Boolean, true), Arc::new(flags))
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
    use stackmill_schemas::file::Place;
    use stackmill_schemas::{Outcome, Reason};

    #[test]
    fn attributes_decide_before_paths_and_masked_rows_are_null() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            (columns::FILE_ID, Arc::new(UInt64Array::from(vec![0, 1, 2, 3]))),
            (
                columns::PATH,
                Arc::new(StringArray::from(vec!["vendor/a.c", "vendor/b.c", "src/c.c", "d.c"])),
            ),
            (
                columns::ATTRIBUTE_VENDORED,
                Arc::new(BooleanArray::from(vec![None, Some(false), Some(true), None])),
            ),
        ];
        let named = columns.into_iter().map(|(name, array)| (name, array, true));
        let record = RecordBatch::try_from_iter_with_nullable(named).expect("columns fit");
        let mut batch = FileBatch::new(record).expect("a batch");
        let place = Place {
            stage: "list",
            rule: "path",
        };
        batch.decide(3, Outcome::Dropped, place, Reason::default());
        let schema = Vendored::new().schema(&batch.record().schema()).expect("fits");
        let output = Vendored::new().map(batch).expect("maps");
        assert_eq!(output.record().schema(), schema);
        let flags = columns::booleans(output.record(), columns::IS_VENDOR).expect("flags");
        assert_eq!(
            flags.iter().collect::<Vec<_>>(),
            [Some(true), Some(false), Some(true), None]
        );
    }
}
