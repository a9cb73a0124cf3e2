//! The Map `near`: adds the band hashes and the shingle set of each kept file.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Error, FileBatch, Result, TaskContext, columns};

use super::planner::Banding;
use super::shingle::Shingler;
use super::sketch::Sketcher;
use super::{NearConfig, PLACE, Words};
use crate::rows::{BinaryColumn, write_u32s, write_u64s};

/// Adds `bands` and `shingles` to a batch that has decoded `content`. Both are null where the row is masked, has no
/// content, has fewer shingles than the settings ask for, or is longer than [`super::shingle::TEXT_MAX`].
#[derive(Clone, Debug)]
pub struct Sketch {
    ngram: u32,
    words: Words,
    minimum_shingles: usize,
    banding: Banding,
    seed: u64,
}

impl Sketch {
    pub(super) fn new(config: &NearConfig, banding: Banding) -> Self {
        Self {
            ngram: config.ngram,
            words: config.words,
            minimum_shingles: config.minimum_shingles as usize,
            banding,
            seed: config.seed,
        }
    }
}

impl Map for Sketch {
    fn name(&self) -> &str {
        PLACE.stage
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        let content = input.field_with_name(columns::CONTENT).ok();
        if content.is_none_or(|field| *field.data_type() != DataType::Utf8) {
            return Err(Error::schema("stage `near` needs the column `content` as text").hint("put it after `decode`"));
        }
        if [columns::BANDS, columns::SHINGLES]
            .iter()
            .any(|name| input.column_with_name(name).is_some())
        {
            return Err(Error::schema("stage `near` finds its columns there already").hint("name the stage once"));
        }
        let mut fields = input.fields().to_vec();
        fields.extend([Arc::new(field(columns::BANDS)), Arc::new(field(columns::SHINGLES))]);
        Ok(Arc::new(Schema::new(fields)))
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(SketchTask {
            shingler: Shingler::new(self.ngram).of(self.words),
            sketcher: Sketcher::new(self.banding, self.seed),
            minimum_shingles: self.minimum_shingles,
            hashes: Vec::new(),
        }))
    }
}

fn field(name: &str) -> Field {
    Field::new(name, DataType::Binary, true)
}

struct SketchTask {
    shingler: Shingler,
    sketcher: Sketcher,
    minimum_shingles: usize,
    hashes: Vec<u64>,
}

impl MapTask for SketchTask {
    fn map(&mut self, batch: FileBatch) -> Result<FileBatch> {
        let texts = columns::strings(batch.record(), columns::CONTENT)?;
        // Sets are about as long as their texts; to grow there by doubling would copy them twice.
        let room = texts.offsets().lengths().sum();
        let (mut bands, mut shingles) = (BinaryColumn::default(), BinaryColumn::with_capacity(room));
        for (i, text) in texts.iter().enumerate() {
            let text = text.filter(|_| batch.is_kept(i)).unwrap_or_default();
            let set = self.shingler.set(text.as_bytes());
            if set.len() < self.minimum_shingles {
                bands.push_null()?;
                shingles.push_null()?;
                continue;
            }
            self.hashes.clear();
            self.sketcher.bands(set, &mut self.hashes);
            bands.push_with(|bytes| write_u64s(bytes, &self.hashes))?;
            shingles.push_with(|bytes| write_u32s(bytes, set))?;
        }
        batch
            .with_column(field(columns::BANDS), bands.finish()?)?
            .with_column(field(columns::SHINGLES), shingles.finish()?)
    }
}
