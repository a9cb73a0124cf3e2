//! One stage over tables at hand: the Maps that it needs, and which of their columns are shown.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::concat::concat;
use stackmill_schemas::stage::Map;
use stackmill_schemas::{FileBatch, FileId, Result, ResultExt, TaskContext, columns};

use super::output::{self, Verdicts};
use super::rows::{BATCH_ROWS, Names, Rows};
use crate::passes::{Fused, Meter, listing};
use crate::stages::Stages;

/// A batch of the result has about this many rows at most, and this much content (64 MiB).
const GROUP_ROWS: usize = 8192;
const GROUP_BYTES: u64 = 64 << 20;
/// Name of the Maps that look at listings.
const LIST: &str = "list";

/// A column that a stage adds.
#[derive(Clone, Debug)]
pub struct Column {
    /// As the Map calls it.
    pub name: String,
    /// As the result calls it.
    pub shown: String,
}

/// Some Maps of a recipe, over one table after the other.
pub struct Single<'a> {
    rows: Rows<'a>,
    maps: Fused,
    schema: SchemaRef,
    columns: Vec<Column>,
    verdicts: bool,
    cx: TaskContext,
}

/// Columns of the rows that become one batch of the result.
#[derive(Default)]
struct Group {
    rows: usize,
    bytes: u64,
    parts: Vec<Vec<ArrayRef>>,
    verdicts: Verdicts,
}

impl Group {
    fn push(&mut self, files: &FileBatch, columns: &[Column]) -> Result<()> {
        let lengths = columns::u64s(files.record(), columns::LENGTH_BYTES)?;
        self.rows += files.num_rows();
        self.bytes += lengths.values().iter().sum::<u64>();
        let found = |column: &Column| {
            Ok(files
                .record()
                .column(files.record().schema().index_of(&column.name)?)
                .clone())
        };
        self.parts.push(columns.iter().map(found).collect::<Result<_>>()?);
        self.verdicts.push(files)
    }

    /// Below it no column of the result comes near the 2 GiB of its offsets, with 8 bytes a byte of content.
    fn is_full(&self) -> bool {
        self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES
    }

    fn finish(self, columns: &[Column], verdicts: bool) -> Result<Vec<ArrayRef>> {
        let mut arrays = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let parts: Vec<&dyn Array> = self.parts.iter().map(|part| part[at].as_ref()).collect();
            arrays.push(output::shown(&column.name, &concat(&parts)?)?);
        }
        arrays.extend(self.verdicts.finish().filter(|_| verdicts));
        Ok(arrays)
    }
}

impl<'a> Single<'a> {
    /// The Maps of `stages` whose names are in `wanted`, in running order; their `columns` are shown, and verdicts too
    /// if `verdicts`. `identify`: whether rows get their git blob ids.
    pub fn open(stages: &'a Stages, names: Names, wanted: &[String], identify: bool, cx: TaskContext) -> Result<Self> {
        let mut maps: Vec<&dyn Map> = Vec::new();
        for pass in [&stages.listing, &stages.content, &stages.syntax] {
            let input = Rows::schema();
            let known = pass.iter().map(AsRef::as_ref);
            maps.extend(known.filter(|map: &&dyn Map| is_wanted(*map, wanted, &input)));
        }
        let mut schema = Rows::schema();
        for map in &maps {
            schema = map.schema(&schema).with_context(|| format!("stage `{}`", map.name()))?;
        }
        Ok(Self {
            rows: Rows::new(names, stages, FileId(0), identify),
            maps: Fused::of(maps.iter().copied(), &cx)?,
            schema,
            columns: Vec::new(),
            verdicts: false,
            cx,
        })
    }

    /// Shows `columns`, and verdicts if `verdicts`.
    #[must_use]
    pub fn showing(mut self, columns: Vec<Column>, verdicts: bool) -> Self {
        self.columns = columns;
        self.verdicts = verdicts;
        self
    }

    /// The columns of the result for a table of columns `table`.
    pub fn schema(&self, table: &Schema) -> Result<SchemaRef> {
        let mut added = Vec::new();
        for column in &self.columns {
            let field = self.schema.field_with_name(&column.name)?;
            added.push(Field::new(&column.shown, output::shown_type(field), true));
        }
        if self.verdicts {
            added.extend(Verdicts::fields());
        }
        output::extended(table, added)
    }

    /// The table with the stage's columns, in one batch or more.
    pub fn apply(&mut self, table: &RecordBatch) -> Result<Vec<RecordBatch>> {
        let schema = self.schema(&table.schema())?;
        let (mut done, mut first, mut group) = (Vec::new(), 0, Group::default());
        for start in (0..table.num_rows()).step_by(BATCH_ROWS) {
            for rows in self.rows(table, start)? {
                group.push(&self.map(rows)?, &self.columns)?;
                if group.is_full() || first + group.rows == table.num_rows() {
                    let part = table.slice(first, group.rows);
                    first += group.rows;
                    let added = std::mem::take(&mut group).finish(&self.columns, self.verdicts)?;
                    let arrays = part.columns().iter().cloned().chain(added).collect();
                    done.push(RecordBatch::try_new(schema.clone(), arrays).context("the columns of the result")?);
                }
            }
        }
        Ok(done)
    }

    /// At most [`BATCH_ROWS`] rows of the table, from row `start` on.
    pub(super) fn rows(&mut self, table: &RecordBatch, start: usize) -> Result<Vec<RecordBatch>> {
        let length = BATCH_ROWS.min(table.num_rows() - start);
        self.rows.of(&table.slice(start, length))
    }

    /// Sends rows through the Maps.
    pub(super) fn map(&mut self, rows: RecordBatch) -> Result<FileBatch> {
        self.cx.check()?;
        let mut batch = FileBatch::new(rows)?;
        listing::refuse_giants(&mut batch)?;
        self.maps.map(batch, &Meter::default())
    }
}

/// Whether `map` is one of those wanted. Of `list` only flags are: a table is no listing, and its paths lead nowhere, so
/// that none is hostile.
fn is_wanted(map: &dyn Map, wanted: &[String], input: &SchemaRef) -> bool {
    let adds = || {
        map.schema(input)
            .is_ok_and(|output| output.fields().len() > input.fields().len())
    };
    wanted.iter().any(|name| name == map.name()) && (map.name() != LIST || adds())
}
