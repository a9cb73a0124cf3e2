//! Builds batches of packed sequences, span by span.
//!
//! ```text
//!   input_ids    ┌ a a a a • ┬ b b • ┬ c c c ┐      • = end of document, counted as a token of its document
//!   cu_seqlens   0           5       8      11      leading 0, last = length
//!   docs         (a, 0..5)   (b, 0..3) (c, 0..3)    the rest of c, 3.., stands in the next sequence
//! ```

use std::sync::{Arc, LazyLock};

use arrow_array::{ArrayRef, Int32Array, ListArray, RecordBatch, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use stackmill_schemas::Result;
use stackmill_schemas::stage::Emit;

/// Ids after which a batch is handed on: 8 MiB, exceeded by less than one sequence.
const BATCH_IDS: usize = 1 << 21;

static ITEM: LazyLock<FieldRef> = LazyLock::new(|| Arc::new(Field::new("item", DataType::Int32, false)));

static SPAN_FIELDS: LazyLock<Fields> = LazyLock::new(|| {
    let field = |name: &str| Field::new(name, DataType::Int32, false);
    Fields::from(vec![field("shard"), field("row"), field("start"), field("end")])
});

static SPAN: LazyLock<FieldRef> =
    LazyLock::new(|| Arc::new(Field::new("item", DataType::Struct(SPAN_FIELDS.clone()), false)));

/// The columns of packed sequences.
pub(crate) fn schema() -> SchemaRef {
    let list = |name: &str, item: &FieldRef| Field::new(name, DataType::List(Arc::clone(item)), false);
    Arc::new(Schema::new(vec![
        list("input_ids", &ITEM),
        list("cu_seqlens", &ITEM),
        list("docs", &SPAN),
    ]))
}

/// A part of a document: which tokens of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) shard: i32,
    pub(crate) row: i32,
    pub(crate) start: i32,
    pub(crate) end: i32,
}

impl Span {
    fn length(self) -> i32 {
        self.end - self.start
    }
}

/// The sequences of the batch that is being built, as flat columns; emitted when it is large enough.
pub(crate) struct Sequences<'e, 'f> {
    emit: &'e mut Emit<'f>,
    ids: Vec<i32>,
    spans: Vec<Span>,
    /// Tokens of each closed sequence.
    lengths: Vec<usize>,
    /// Spans of each closed sequence.
    span_counts: Vec<usize>,
    open_length: usize,
    open_spans: usize,
}

impl<'e, 'f> Sequences<'e, 'f> {
    pub(crate) fn new(emit: &'e mut Emit<'f>) -> Self {
        Self {
            emit,
            ids: Vec::new(),
            spans: Vec::new(),
            lengths: Vec::new(),
            span_counts: Vec::new(),
            open_length: 0,
            open_spans: 0,
        }
    }

    /// Tokens in the open sequence.
    pub(crate) fn open_length(&self) -> usize {
        self.open_length
    }

    /// Appends a span to the open sequence; `ids` are its tokens, one for each number from start to end.
    pub(crate) fn append(&mut self, span: Span, ids: impl Iterator<Item = i32>) {
        self.ids.extend(ids);
        self.spans.push(span);
        self.open_length += span.length() as usize;
        self.open_spans += 1;
    }

    /// Ends the open sequence, if it holds anything.
    pub(crate) fn close(&mut self) -> Result<()> {
        if self.open_length == 0 {
            return Ok(());
        }
        self.lengths.push(std::mem::take(&mut self.open_length));
        self.span_counts.push(std::mem::take(&mut self.open_spans));
        if self.ids.len() < BATCH_IDS {
            Ok(())
        } else {
            self.flush()
        }
    }

    /// Ends the open sequence and hands the last batch on.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.close()?;
        if self.lengths.is_empty() { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<()> {
        let lengths = std::mem::take(&mut self.lengths);
        let span_counts = std::mem::take(&mut self.span_counts);
        let spans = std::mem::take(&mut self.spans);
        let ids = Arc::new(Int32Array::from(std::mem::take(&mut self.ids)));
        let borders = Arc::new(Int32Array::from(borders(&spans, &span_counts)));
        let columns: Vec<ArrayRef> = vec![
            list(&ITEM, lengths, ids)?,
            list(&ITEM, span_counts.iter().map(|count| count + 1), borders)?,
            list(&SPAN, span_counts.iter().copied(), span_array(&spans)?)?,
        ];
        self.emit.emit(RecordBatch::try_new(schema(), columns)?)
    }
}

/// For each sequence 0, then where each of its spans ends.
fn borders(spans: &[Span], counts: &[usize]) -> Vec<i32> {
    let mut borders = Vec::with_capacity(spans.len() + counts.len());
    let mut rest = spans;
    for count in counts {
        let (of_sequence, behind) = rest.split_at(*count);
        rest = behind;
        let mut end = 0;
        borders.push(end);
        for span in of_sequence {
            end += span.length();
            borders.push(end);
        }
    }
    borders
}

fn span_array(spans: &[Span]) -> Result<ArrayRef> {
    let column = |get: fn(&Span) -> i32| -> ArrayRef { Arc::new(Int32Array::from_iter_values(spans.iter().map(get))) };
    let columns = vec![
        column(|s| s.shard),
        column(|s| s.row),
        column(|s| s.start),
        column(|s| s.end),
    ];
    Ok(Arc::new(StructArray::try_new(SPAN_FIELDS.clone(), columns, None)?))
}

fn list(item: &FieldRef, lengths: impl IntoIterator<Item = usize>, values: ArrayRef) -> Result<ArrayRef> {
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, None)?))
}
