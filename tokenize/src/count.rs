//! Counts the tokens of files, for rules that ask how well a tokenizer reads them: the Map `count-tokens`.

use std::sync::Arc;

use arrow_array::{Array, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Error, FileBatch, Result, TaskContext, columns};

use crate::tokenizer::Encoder;
use crate::vocabulary::Vocabulary;

/// The Map `count-tokens`: adds the column [`columns::TOKEN_COUNT`].
#[derive(Clone, Debug)]
pub struct CountTokens {
    vocabulary: Vocabulary,
}

impl CountTokens {
    /// Counts tokens of the vocabulary of that name; an unknown one is a config error.
    pub fn new(tokenizer: &str) -> Result<Self> {
        Ok(Self {
            vocabulary: Vocabulary::named(tokenizer)?,
        })
    }

    fn field() -> Field {
        Field::new(columns::TOKEN_COUNT, DataType::UInt64, true)
    }
}

impl Map for CountTokens {
    fn name(&self) -> &str {
        "count-tokens"
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        match input.field_with_name(columns::CONTENT).map(Field::data_type) {
            Ok(DataType::Utf8) => {}
            _ => return Err(Error::schema("stage `count-tokens` needs the column `content` as text")),
        }
        let mut fields = input.fields().to_vec();
        fields.push(Arc::new(Self::field()));
        Ok(Arc::new(Schema::new(fields)))
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(CountTask {
            encoder: Encoder::new(self.vocabulary),
        }))
    }
}

struct CountTask {
    encoder: Encoder,
}

impl MapTask for CountTask {
    fn map(&mut self, batch: FileBatch) -> Result<FileBatch> {
        let content: &StringArray = columns::strings(batch.record(), columns::CONTENT)?;
        let mut ids = Vec::new();
        let mut count = |row: usize| {
            ids.clear();
            let there = batch.is_kept(row) && content.is_valid(row);
            there.then(|| {
                self.encoder.encode(content.value(row), &mut ids);
                ids.len() as u64
            })
        };
        let counts: UInt64Array = (0..batch.num_rows()).map(&mut count).collect();
        batch.with_column(CountTokens::field(), Arc::new(counts))
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatch;

    use super::*;
    use crate::testing::context;

    #[test]
    fn each_text_has_its_number_of_tokens() {
        let schema = Schema::new(vec![
            Field::new(columns::FILE_ID, DataType::UInt64, false),
            Field::new(columns::CONTENT, DataType::Utf8, true),
        ]);
        let texts = StringArray::from(vec![Some("hello world"), None, Some("")]);
        let ids = UInt64Array::from_iter_values(0..3);
        let record =
            RecordBatch::try_new(Arc::new(schema), vec![Arc::new(ids), Arc::new(texts)]).expect("equal lengths");
        let stage = CountTokens::new("o200k_base").expect("known");
        let declared = stage.schema(&record.schema()).expect("text");
        let batch = FileBatch::new(record).expect("has ids");
        let after = stage
            .open(&context())
            .and_then(|mut task| task.map(batch))
            .expect("mapped");
        assert_eq!(after.record().schema(), declared);
        let counts = columns::u64s(after.record(), columns::TOKEN_COUNT).expect("added");
        assert_eq!(counts.iter().collect::<Vec<_>>(), [Some(2), None, Some(0)]);
        assert!(CountTokens::new("gpt2").is_err());
    }
}
