//! One stage over tables at hand: the Maps that it needs, and which of their columns are shown.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema, SchemaRef};
use arrow_select::concat::concat;
use stackmill_schemas::stage::Map;
use stackmill_schemas::{FileBatch, FileId, Result, ResultExt, TaskContext};

use super::output::{self, Verdicts};
use super::rows::{Names, Rows};
use crate::job::Stages;
use crate::passes::{Fused, Meter, listing};

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

/// What became of a table.
pub(super) struct Mapped {
    /// Batches in order.
    pub(super) files: Vec<FileBatch>,
}

impl Mapped {
    fn column(&self, schema: &Schema, name: &str) -> Result<ArrayRef> {
        let at = schema.index_of(name)?;
        let parts: Vec<&dyn Array> = self
            .files
            .iter()
            .map(|files| files.record().column(at).as_ref())
            .collect();
        match parts.is_empty() {
            true => Ok(arrow_array::new_empty_array(schema.field(at).data_type())),
            false => Ok(concat(&parts)?),
        }
    }
}

impl<'a> Single<'a> {
    /// The Maps of `stages` whose names are in `wanted`, in running order; their `columns` are shown, and verdicts too
    /// if `verdicts`. `identify`: whether rows get their git blob ids.
    pub fn open(stages: &'a Stages, names: Names, wanted: &[String], identify: bool, cx: TaskContext) -> Result<Self> {
        let mut maps: Vec<&dyn Map> = Vec::new();
        for pass in [&stages.listing, &stages.content, &stages.syntax] {
            maps.extend(
                pass.iter()
                    .map(AsRef::as_ref)
                    .filter(|map| wanted.iter().any(|name| name == map.name())),
            );
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

    /// The table with the stage's columns.
    pub fn apply(&mut self, table: &RecordBatch) -> Result<RecordBatch> {
        let schema = self.schema(&table.schema())?;
        let mapped = self.map(table)?;
        let mut arrays = table.columns().to_vec();
        for column in &self.columns {
            arrays.push(output::shown(
                &column.name,
                &mapped.column(&self.schema, &column.name)?,
            )?);
        }
        if self.verdicts {
            let mut verdicts = Verdicts::default();
            mapped.files.iter().try_for_each(|files| verdicts.push(files))?;
            arrays.extend(verdicts.finish());
        }
        RecordBatch::try_new(schema, arrays).context("the columns of the result")
    }

    pub(super) fn map(&mut self, table: &RecordBatch) -> Result<Mapped> {
        let mut files = Vec::new();
        for rows in self.rows.of(table)? {
            self.cx.check()?;
            let mut batch = FileBatch::new(rows)?;
            listing::refuse_giants(&mut batch)?;
            files.push(self.maps.map(batch, &Meter::default())?);
        }
        Ok(Mapped { files })
    }
}
