//! Detectors: each annotates files with what it finds, one file a detector.
//!
//! ```text
//!   listing   flags::Attributes, flags::Vendored, license::LicenseTree      paths and a few small files
//!   content   encoding::Decode ► notebook::Notebooks ► language::Language ► flags::Generated, license::License
//! ```

pub mod encoding;
pub mod flags;
pub mod language;
pub mod license;
pub mod notebook;

use std::sync::Arc;

use arrow_array::{Array, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::{Error, FileBatch, Result, columns};

/// `input` with `fields` added, or which column is missing, has another type, or is there already.
pub(crate) fn extended(input: &Schema, needed: &[(&str, DataType)], fields: Vec<Field>) -> Result<SchemaRef> {
    for (name, data_type) in needed {
        let field = input
            .field_with_name(name)
            .map_err(|_| Error::schema(format!("column `{name}` is missing")))?;
        if field.data_type() != data_type {
            let found = field.data_type();
            return Err(Error::schema(format!(
                "column `{name}` has type {found}, not {data_type}"
            )));
        }
    }
    if let Some(field) = fields.iter().find(|field| input.field_with_name(field.name()).is_ok()) {
        return Err(Error::schema(format!("column `{}` is there already", field.name())));
    }
    let mut all = input.fields().to_vec();
    all.extend(fields.into_iter().map(Arc::new));
    Ok(Arc::new(Schema::new(all)))
}

/// A Utf8 column that need not be there.
pub(crate) fn optional_strings<'a>(batch: &'a FileBatch, name: &str) -> Option<&'a StringArray> {
    columns::strings(batch.record(), name).ok()
}

/// The value of row `i`, unless null.
pub(crate) fn string_at(array: &StringArray, i: usize) -> Option<&str> {
    array.is_valid(i).then(|| array.value(i))
}
