//! What the content pass leaves to later ones: schemas of its tables, and rows made for them.

use std::sync::Arc;

use arrow_array::{RecordBatch, UInt64Array, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::{Result, columns};

use super::listing::{SURVIVES, UNIT};

/// The columns of survivors with their contents, as the first content Map sees them.
pub fn read_schema(survivors: &Schema) -> SchemaRef {
    let mut fields: Vec<_> = survivors
        .fields()
        .iter()
        .filter(|field| ![columns::TROUBLE, SURVIVES].contains(&field.name().as_str()))
        .cloned()
        .collect();
    fields.push(Arc::new(Field::new(columns::CONTENT, DataType::Binary, true)));
    fields.push(Arc::new(Field::new(columns::TROUBLE, DataType::Utf8, true)));
    Arc::new(Schema::new(fields))
}

/// Column of the bytes that a text has, in place of the text.
pub const TEXT_BYTES: &str = "text_bytes";

/// The schema of what is kept, where nobody reads texts any more.
pub fn without_content(schema: &Schema) -> SchemaRef {
    let text_bytes = Arc::new(Field::new(TEXT_BYTES, DataType::UInt64, false));
    let field = |field: &Arc<Field>| match field.name() == columns::CONTENT {
        true => Arc::clone(&text_bytes),
        false => Arc::clone(field),
    };
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// What is kept, with the lengths of texts for the texts.
pub fn drop_content(kept: &RecordBatch) -> Result<RecordBatch> {
    let content = columns::strings(kept, columns::CONTENT)?;
    let lengths = (0..kept.num_rows()).map(|row| content.value_length(row) as u64);
    let at = kept.schema().index_of(columns::CONTENT)?;
    let mut arrays = kept.columns().to_vec();
    arrays[at] = Arc::new(UInt64Array::from_iter_values(lengths));
    Ok(RecordBatch::try_new(without_content(&kept.schema()), arrays)?)
}

/// What the work shard holds: everything but what has gone elsewhere.
pub fn shard_columns(schema: &Schema) -> Vec<usize> {
    let elsewhere = [
        columns::BANDS,
        columns::SHINGLES,
        columns::TROUBLE,
        columns::LOCATOR,
        UNIT,
    ];
    (0..schema.fields().len())
        .filter(|&i| !elsewhere.contains(&schema.field(i).name().as_str()))
        .collect()
}

/// The columns of the side file of shingle sets.
pub fn side_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(columns::FILE_ID, DataType::UInt64, false),
        Field::new(columns::BLOB_ID, DataType::FixedSizeBinary(20), true),
        Field::new(columns::SHINGLES, DataType::Binary, true),
    ]))
}

/// What the ledger says of a file beyond its listing.
pub fn notes_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(columns::FILE_ID, DataType::UInt64, false),
        Field::new(columns::LANGUAGE, DataType::Utf8, true),
        Field::new(columns::LICENSE_TYPE, DataType::Utf8, true),
    ]))
}

/// What the ledger is told of files; nothing by stages that are off.
pub fn notes(files: &RecordBatch) -> Result<RecordBatch> {
    let column = |field: &Arc<Field>| match files.column_by_name(field.name()) {
        Some(column) => column.clone(),
        None => new_null_array(field.data_type(), files.num_rows()),
    };
    let schema = notes_schema();
    let columns = schema.fields().iter().map(column).collect();
    Ok(RecordBatch::try_new(schema, columns)?)
}

/// The columns of `schema`, by name.
pub fn project(record: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let at = |field: &Arc<Field>| record.schema().index_of(field.name());
    let indices = schema
        .fields()
        .iter()
        .map(at)
        .collect::<std::result::Result<Vec<_>, _>>()?;
    let columns = indices.iter().map(|&i| record.column(i).clone()).collect();
    Ok(RecordBatch::try_new(schema.clone(), columns)?)
}
