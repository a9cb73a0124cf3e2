//! The Map `blocks`: a hash for each line, and anchors among windows of lines.
//!
//! ```text
//!   lines     l0 l1 l2 l3 l4 l5 …      `lines` = 8
//!   windows   w0 w1 w2 …               of 4 lines each: half a block
//!   anchors   the least of every 5 windows in a row, the last of equals: a block of 8 lines has 5, so one at least
//! ```

use std::sync::Arc;

use arrow_array::Array as _;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Error, FileBatch, Result, TaskContext, columns};
use xxhash_rust::xxh3::xxh3_64;

use super::STAGE;
use crate::rows::{BinaryColumn, write_u64s};

/// Odd multiplier of the rolling sum: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// Adds `bands` and `shingles` to a batch that has decoded `content`. Both are null where the row is masked or has too few
/// lines.
#[derive(Clone, Debug)]
pub struct Sketch {
    lines: usize,
}

impl Sketch {
    pub(super) fn new(lines: usize) -> Self {
        Self { lines }
    }
}

impl Map for Sketch {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        let content = input.field_with_name(columns::CONTENT).ok();
        if content.is_none_or(|field| *field.data_type() != DataType::Utf8) {
            return Err(
                Error::schema("stage `blocks` needs the column `content` as text").hint("put it after `decode`")
            );
        }
        let mut fields = input.fields().to_vec();
        fields.extend([Arc::new(field(columns::BANDS)), Arc::new(field(columns::SHINGLES))]);
        Ok(Arc::new(Schema::new(fields)))
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(SketchTask {
            lines: self.lines,
            hashes: Vec::new(),
        }))
    }
}

fn field(name: &str) -> Field {
    Field::new(name, DataType::Binary, true)
}

struct SketchTask {
    lines: usize,
    hashes: Vec<u64>,
}

impl MapTask for SketchTask {
    fn map(&mut self, batch: FileBatch) -> Result<FileBatch> {
        let (mut bands, mut shingles) = (BinaryColumn::default(), BinaryColumn::default());
        let texts = columns::strings(batch.record(), columns::CONTENT)?;
        for row in 0..batch.num_rows() {
            self.hashes.clear();
            if batch.is_kept(row) && texts.is_valid(row) {
                self.hashes
                    .extend(texts.value(row).lines().map(|line| xxh3_64(line.as_bytes())));
            }
            if self.hashes.len() < self.lines {
                bands.push_null()?;
                shingles.push_null()?;
                continue;
            }
            bands.push_with(|bytes| write_u64s(bytes, &anchors(&self.hashes, self.lines)))?;
            shingles.push_with(|bytes| write_u64s(bytes, &self.hashes))?;
        }
        batch
            .with_column(field(columns::BANDS), bands.finish()?)?
            .with_column(field(columns::SHINGLES), shingles.finish()?)
    }
}

/// Hashes of every `count` lines in a row.
pub(super) fn windows(lines: &[u64], count: usize) -> Vec<u64> {
    let leaving = (0..count).fold(1u64, |product, _| product.wrapping_mul(MULTIPLIER));
    let mut sum = 0u64;
    let mut windows = Vec::with_capacity(lines.len().saturating_sub(count) + 1);
    for (end, line) in lines.iter().enumerate() {
        sum = sum.wrapping_mul(MULTIPLIER).wrapping_add(*line);
        if let Some(start) = end.checked_sub(count) {
            sum = sum.wrapping_sub(lines[start].wrapping_mul(leaving));
        }
        if end + 1 >= count {
            windows.push(xxh3_64(&sum.to_le_bytes()));
        }
    }
    windows
}

/// The anchors of a file that has `minimum` lines or more, sorted, each once.
fn anchors(lines: &[u64], minimum: usize) -> Vec<u64> {
    let count = minimum / 2;
    let windows = windows(lines, count);
    let reach = minimum - count + 1;
    let mut anchors = Vec::new();
    let mut least: Option<usize> = None;
    for end in reach..=windows.len() {
        let start = end - reach;
        // Only the newcomer has to be looked at, unless the least has gone.
        least = match least.filter(|least| *least >= start) {
            Some(least) if windows[end - 1] > windows[least] => Some(least),
            Some(_) => Some(end - 1),
            None => (start..end).rev().min_by_key(|window| windows[*window]),
        };
        anchors.extend(least.map(|least| windows[least]));
        anchors.dedup();
    }
    anchors.sort_unstable();
    anchors.dedup();
    anchors
}
