//! The Map `blocks` of a recipe that cuts: lines that an earlier file has, too, are taken out of the text.
//!
//! ```text
//!   block_spans   Binary, nullable: start u32 │ end u32, lines from 0, the last one left out; little endian, a span after
//!                 the other
//! ```
//! Of every block the file that comes first in keep order has all lines: what is cut is still in a file that was kept when
//! blocks were compared. A text of which nothing but blanks is left is dropped as `blocks: nothing-left`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::{Array as _, BinaryArray, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::file::Place;
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Error, FileBatch, Measure, Outcome, Reason, Result, TaskContext, columns};

use super::STAGE;

/// Where files end of which nothing is left.
const PLACE: Place<'static> = Place {
    stage: STAGE,
    rule: "nothing-left",
};

/// Blocks of the files of one home, as `block-runs` tells them.
#[derive(Debug, Default)]
pub struct Cuts(HashMap<u64, Vec<u8>>);

impl Cuts {
    /// Adds rows of the report.
    pub fn add(&mut self, runs: &RecordBatch) -> Result<()> {
        let ids = columns::u64s(runs, columns::FILE_ID)?;
        let (starts, ends) = (columns::u32s(runs, "start_line")?, columns::u32s(runs, "end_line")?);
        for row in 0..runs.num_rows() {
            let spans = self.0.entry(ids.value(row)).or_default();
            // The report counts from 1, and names the last line.
            spans.extend((starts.value(row) - 1).to_le_bytes());
            spans.extend(ends.value(row).to_le_bytes());
        }
        Ok(())
    }

    /// Adds the column `block_spans`.
    pub fn attach(&self, files: FileBatch) -> Result<FileBatch> {
        let ids = columns::u64s(files.record(), columns::FILE_ID)?.values().iter();
        let spans: BinaryArray = ids.map(|id| self.0.get(id)).collect();
        let field = Field::new(columns::BLOCK_SPANS, DataType::Binary, true);
        files.with_column(field, Arc::new(spans))
    }
}

/// Takes blocks out of `content` and adds the column `cut_lines`.
#[derive(Clone, Copy, Debug)]
pub struct Cut;

impl Map for Cut {
    fn name(&self) -> &'static str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        if input.field_with_name(columns::BLOCK_SPANS).is_err() {
            return Err(Error::schema(format!("stage `{STAGE}` needs the column `block_spans`")));
        }
        let mut fields = input.fields().to_vec();
        fields.push(Arc::new(cut_lines()));
        Ok(Arc::new(Schema::new(fields)))
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(*self))
    }
}

fn cut_lines() -> Field {
    Field::new(columns::CUT_LINES, DataType::UInt32, false)
}

impl MapTask for Cut {
    fn map(&mut self, mut batch: FileBatch) -> Result<FileBatch> {
        let texts = columns::strings(batch.record(), columns::CONTENT)?.clone();
        let spans = columns::binaries(batch.record(), columns::BLOCK_SPANS)?.clone();
        let (mut counts, mut cut) = (Vec::new(), Vec::new());
        for row in 0..batch.num_rows() {
            let spans = match batch.is_kept(row) && spans.is_valid(row) {
                true => spans.value(row),
                false => &[],
            };
            let text = texts.is_valid(row).then(|| texts.value(row));
            let (rest, count) = text.map_or((None, 0), |text| {
                let (rest, count) = without(text, spans);
                (Some(rest), count)
            });
            if count > 0 && rest.as_ref().is_some_and(|rest| rest.trim().is_empty()) {
                batch.decide(row, Outcome::Dropped, PLACE, left_nothing(count));
            }
            counts.push(count);
            cut.push(rest);
        }
        batch
            .replace_content(cut.into_iter().collect::<StringArray>())?
            .with_column(cut_lines(), Arc::new(UInt32Array::from(counts)))
    }
}

fn left_nothing(lines: u32) -> Reason {
    Reason {
        value: Some(Measure::Number(f64::from(lines))),
        ..Reason::default()
    }
}

/// A text without some of its lines, and how many went.
fn without(text: &str, spans: &[u8]) -> (String, u32) {
    if spans.is_empty() {
        return (text.to_owned(), 0);
    }
    let (numbers, _) = spans.as_chunks::<4>();
    let (pairs, _) = numbers.as_chunks::<2>();
    let mut spans: Vec<_> = pairs.iter().map(|pair| pair.map(u32::from_le_bytes)).collect();
    spans.sort_unstable();
    let mut spans = spans.into_iter().peekable();
    let (mut rest, mut count, mut cut_until) = (String::with_capacity(text.len()), 0, 0);
    for (number, line) in (0u32..).zip(text.split_inclusive('\n')) {
        while let Some([_, end]) = spans.next_if(|[start, _]| *start <= number) {
            cut_until = cut_until.max(end);
        }
        match number < cut_until {
            true => count += 1,
            false => rest.push_str(line),
        }
    }
    (rest, count)
}
