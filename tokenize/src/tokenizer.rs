//! Turns the content of files into token ids: the Map `tokenize`.

use std::sync::Arc;

use arrow_array::{Array, BinaryArray, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Error, FileBatch, Result, TaskContext, columns};

use crate::TOKENS;
use crate::cache::{Key, PieceCache};
use crate::config::TokenizeConfig;
use crate::split::Splitter;
use crate::vocabulary::Vocabulary;

/// Encodes texts of one vocabulary; remembers what it has seen, so one belongs to one task (8 MiB).
pub struct Encoder {
    vocabulary: Vocabulary,
    cache: PieceCache,
}

impl Encoder {
    /// An encoder that has seen nothing yet. The first one of a vocabulary in a process loads its tables.
    pub fn new(vocabulary: Vocabulary) -> Self {
        Self {
            vocabulary,
            cache: PieceCache::new(),
        }
    }

    /// Appends the ids of `text` to `ids`: those of tiktoken's `encode_ordinary`. Time is linear in the text.
    pub fn encode(&mut self, text: &str, ids: &mut Vec<u32>) {
        let splitter = Splitter::new(text);
        let bytes = text.as_bytes();
        let mut start = 0;
        while start < bytes.len() {
            let end = splitter.end(self.vocabulary, start);
            match Key::of(bytes, start, end) {
                Some(key) if self.cache.recall(key, ids) => {}
                Some(key) => {
                    let found = self.merge(&bytes[start..end]);
                    self.cache.remember(key, &found);
                    ids.extend_from_slice(&found);
                }
                None => ids.extend_from_slice(&self.merge(&bytes[start..end])),
            }
            start = end;
        }
    }

    fn merge(&self, piece: &[u8]) -> Vec<u32> {
        self.vocabulary.tables().encode_via_backtracking(piece)
    }
}

/// The Map `tokenize`: adds the column [`TOKENS`].
#[derive(Clone, Debug)]
pub struct Tokenize {
    vocabulary: Vocabulary,
}

impl Tokenize {
    /// The stage, or what is wrong with the settings.
    ///
    /// # Errors
    /// A config error that names the key and says what is allowed.
    pub fn new(config: &TokenizeConfig) -> Result<Self> {
        Ok(Self {
            vocabulary: config.check()?,
        })
    }

    fn field() -> Field {
        Field::new(TOKENS, DataType::Binary, true)
    }
}

impl Map for Tokenize {
    fn name(&self) -> &str {
        "tokenize"
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        match input.field_with_name(columns::CONTENT).map(Field::data_type) {
            Ok(DataType::Utf8) => {}
            _ => {
                let error = Error::schema("stage `tokenize` needs the column `content` as text");
                return Err(error.hint("put `tokenize` behind the stage that decodes"));
            }
        }
        if input.field_with_name(TOKENS).is_ok() {
            return Err(Error::schema(format!(
                "column `{TOKENS}` is there already: columns are only added"
            )));
        }
        let mut fields = input.fields().to_vec();
        fields.push(Arc::new(Self::field()));
        Ok(Arc::new(Schema::new(fields)))
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(TokenizeTask {
            encoder: Encoder::new(self.vocabulary),
        }))
    }
}

struct TokenizeTask {
    encoder: Encoder,
}

impl MapTask for TokenizeTask {
    fn map(&mut self, batch: FileBatch) -> Result<FileBatch> {
        let content: &StringArray = columns::strings(batch.record(), columns::CONTENT)?;
        let mut ids = Vec::with_capacity(content.value_data().len() / 3);
        let mut offsets = vec![0i32];
        let mut valid = Vec::with_capacity(batch.num_rows());
        for row in 0..batch.num_rows() {
            valid.push(batch.is_kept(row) && content.is_valid(row));
            if valid[row] {
                self.encoder.encode(content.value(row), &mut ids);
            }
            offsets.push(offset(ids.len())?);
        }
        ids.iter_mut().for_each(|id| *id = id.to_le());
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let array = BinaryArray::try_new(offsets, Buffer::from_vec(ids), Some(NullBuffer::from(valid)))?;
        batch.with_column(Tokenize::field(), Arc::new(array))
    }
}

/// The number of bytes that `count` ids take in a column.
fn offset(count: usize) -> Result<i32> {
    let bytes = count.checked_mul(4).and_then(|bytes| i32::try_from(bytes).ok());
    bytes.ok_or_else(|| Error::resource("the tokens of one batch take over 2 GiB").hint("use smaller batches"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::context;
    use arrow_array::{RecordBatch, UInt64Array};
    use stackmill_schemas::file::Place;
    use stackmill_schemas::{Outcome, Reason};

    fn batch(texts: &[Option<&str>]) -> FileBatch {
        let content = Field::new(columns::CONTENT, DataType::Utf8, true);
        let schema = Schema::new(vec![Field::new(columns::FILE_ID, DataType::UInt64, false), content]);
        let ids = UInt64Array::from_iter_values(0..texts.len() as u64);
        let columns: Vec<Arc<dyn Array>> = vec![Arc::new(ids), Arc::new(StringArray::from(texts.to_vec()))];
        let record = RecordBatch::try_new(Arc::new(schema), columns).expect("equal lengths");
        FileBatch::new(record).expect("has ids")
    }

    fn tokenized(batch: FileBatch) -> Vec<Option<Vec<u32>>> {
        let stage = Tokenize::new(&TokenizeConfig::default()).expect("valid");
        let declared = stage.schema(&batch.record().schema()).expect("text");
        let after = stage
            .open(&context())
            .and_then(|mut task| task.map(batch))
            .expect("mapped");
        assert_eq!(after.record().schema(), declared);
        let tokens = columns::binaries(after.record(), TOKENS).expect("added");
        let ids = |bytes: &[u8]| {
            bytes
                .as_chunks()
                .0
                .iter()
                .map(|word| u32::from_le_bytes(*word))
                .collect()
        };
        tokens.iter().map(|bytes| bytes.map(ids)).collect()
    }

    #[test]
    fn kept_texts_get_their_ids_and_other_rows_null() {
        let mut batch = batch(&[
            Some("hello world"),
            None,
            Some(""),
            Some("dropped"),
            Some("<|endoftext|>"),
        ]);
        let place = Place {
            stage: "rules",
            rule: "test",
        };
        batch.decide(3, Outcome::Dropped, place, Reason::default());
        let theirs = |text| Some(tiktoken_rs::o200k_base_singleton().encode_ordinary(text));
        let tokens = tokenized(batch);
        assert_eq!(
            tokens,
            [theirs("hello world"), None, Some(vec![]), None, theirs("<|endoftext|>")]
        );
        assert!(tokens[4].as_ref().is_some_and(|ids| ids.len() > 1));
    }

    #[test]
    fn a_batch_without_rows_stays_empty() {
        assert!(tokenized(batch(&[])).is_empty());
    }

    #[test]
    fn content_must_be_text_and_tokens_must_be_new() {
        let stage = Tokenize::new(&TokenizeConfig::default()).expect("valid");
        let schema = |fields: &[(&str, DataType)]| {
            Schema::new(
                fields
                    .iter()
                    .map(|(name, t)| Field::new(*name, t.clone(), true))
                    .collect::<Vec<_>>(),
            )
        };
        for input in [
            schema(&[]),
            schema(&[(columns::CONTENT, DataType::Binary)]),
            schema(&[(columns::CONTENT, DataType::Utf8), (TOKENS, DataType::Binary)]),
        ] {
            assert!(stage.schema(&input).is_err());
        }
    }

    #[test]
    fn offsets_end_at_two_gibibytes() {
        assert_eq!(offset(i32::MAX as usize / 4).ok(), Some(i32::MAX - 3));
        assert!(offset(i32::MAX as usize / 4 + 1).is_err());
        assert!(offset(usize::MAX).is_err());
    }
}
