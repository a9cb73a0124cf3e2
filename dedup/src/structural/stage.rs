//! The Map `structural`: adds the band hashes and the structural shingles of each kept file.

use std::sync::Arc;

use arrow_array::Array as _;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Error, FileBatch, Result, TaskContext, columns};

use super::shingle::Shingler;
use super::{STAGE, StructuralConfig};
use crate::near::planner::Banding;
use crate::near::sketch::Sketcher;
use crate::rows::{BinaryColumn, write_u32s, write_u64s};

/// Adds `bands` and `shingles` to a batch that has decoded `content` and `language`. Both are null where the row is
/// masked, or the file has fewer shingles than the settings ask for.
#[derive(Clone, Debug)]
pub struct Sketch {
    ngram: u32,
    minimum_shingles: usize,
    banding: Banding,
    seed: u64,
}

impl Sketch {
    pub(super) fn new(config: &StructuralConfig, banding: Banding) -> Self {
        Self {
            ngram: config.ngram,
            minimum_shingles: config.minimum_shingles as usize,
            banding,
            seed: config.seed,
        }
    }
}

impl Map for Sketch {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        for name in [columns::CONTENT, columns::LANGUAGE] {
            let field = input.field_with_name(name).ok();
            if field.is_none_or(|field| *field.data_type() != DataType::Utf8) {
                return Err(
                    Error::schema(format!("stage `{STAGE}` needs the column `{name}` as text"))
                        .hint("put it after `decode` and `language`"),
                );
            }
        }
        let mut fields = input.fields().to_vec();
        fields.extend([Arc::new(field(columns::BANDS)), Arc::new(field(columns::SHINGLES))]);
        Ok(Arc::new(Schema::new(fields)))
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(SketchTask {
            shingler: Shingler::new(self.ngram),
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
        let (mut bands, mut shingles) = (BinaryColumn::default(), BinaryColumn::default());
        let texts = columns::strings(batch.record(), columns::CONTENT)?;
        let languages = columns::strings(batch.record(), columns::LANGUAGE)?;
        for row in 0..batch.num_rows() {
            let is_there = batch.is_kept(row) && texts.is_valid(row) && languages.is_valid(row);
            let set = match is_there {
                true => self.shingler.set(texts.value(row).as_bytes(), languages.value(row)),
                false => &[],
            };
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
