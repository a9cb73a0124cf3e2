//! The tables `rows.parquet` (every input row once) and `removed.parquet` (duplicates and their keepers).

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, StringBuilder, UInt64Builder};
use arrow_array::{ArrayRef, BooleanArray, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::{Error, Result, columns};

use super::{BARS, Figures, Links, Names, Root, name_of};
use crate::shard::ShardWriter;
use crate::workdir::Workdir;

/// Columns that `rows.parquet` takes over from the ledger.
const FROM_LEDGER: [&str; 8] = [
    columns::FILE_ID,
    columns::SOURCE,
    columns::REPO_NAME,
    columns::PATH,
    "verdict",
    "stage",
    "rule",
    "trouble",
];

/// Both tables, being written.
pub(super) struct Tables {
    rows: ShardWriter,
    rows_schema: SchemaRef,
    removed: ShardWriter,
}

fn rows_schema() -> SchemaRef {
    let field = |name: &str| match name {
        columns::FILE_ID => Field::new(name, DataType::UInt64, false),
        columns::SOURCE | columns::REPO_NAME | "verdict" => Field::new(name, DataType::Utf8, false),
        _ => Field::new(name, DataType::Utf8, true),
    };
    let mut fields: Vec<Field> = FROM_LEDGER.iter().map(|name| field(name)).collect();
    fields.push(Field::new(columns::CLUSTER_ID, DataType::UInt64, true));
    fields.push(Field::new("keeper", DataType::Boolean, false));
    Arc::new(Schema::new(fields))
}

fn removed_schema() -> SchemaRef {
    let text = |name: &str| Field::new(name, DataType::Utf8, false);
    let number = |name: &str| Field::new(name, DataType::UInt64, false);
    Arc::new(Schema::new(vec![
        number(columns::FILE_ID),
        text(columns::REPO_NAME),
        text(columns::PATH),
        number("keeper_file_id"),
        text("keeper_repo_name"),
        text("keeper_path"),
        Field::new("similarity", DataType::Float64, false),
        text("rule"),
    ]))
}

impl Tables {
    pub(super) fn create(to: &Workdir) -> Result<Self> {
        let rows_schema = rows_schema();
        Ok(Self {
            rows: ShardWriter::create(to, "rows.parquet", &rows_schema)?,
            rows_schema,
            removed: ShardWriter::create(to, "removed.parquet", &removed_schema())?,
        })
    }

    /// Adds a batch of the ledger.
    pub(super) fn add(
        &mut self,
        batch: &RecordBatch,
        links: &Links,
        names: &Names,
        figures: &mut Figures,
    ) -> Result<()> {
        let files = columns::u64s(batch, columns::FILE_ID)?.values();
        let roots: Vec<Option<Root>> = files.iter().map(|&file| links.root(file)).collect::<Result<_>>()?;
        self.rows.write(&self.rows_of(batch, &roots)?)?;
        let mut removed = Removed::default();
        for (row, root) in roots.iter().enumerate() {
            match root {
                Some(root) => {
                    removed.add(batch, row, root, names)?;
                    figures.remove(root);
                }
                None => figures.count(batch, row)?,
            }
            figures.rows += 1;
        }
        self.removed.write(&removed.finish()?)
    }

    fn rows_of(&self, batch: &RecordBatch, roots: &[Option<Root>]) -> Result<RecordBatch> {
        let verdicts = columns::strings(batch, "verdict")?;
        let files = columns::u64s(batch, columns::FILE_ID)?;
        let kept = |row: usize| verdicts.value(row) == "kept";
        let cluster = |(row, root): (usize, &Option<Root>)| match root {
            Some(root) => Some(root.keeper),
            None => kept(row).then(|| files.value(row)),
        };
        let taken = |name: &&str| {
            batch
                .column_by_name(name)
                .cloned()
                .ok_or_else(|| Error::bug(format!("no `{name}`")))
        };
        let mut arrays: Vec<ArrayRef> = FROM_LEDGER.iter().map(taken).collect::<Result<_>>()?;
        arrays.push(Arc::new(roots.iter().enumerate().map(cluster).collect::<UInt64Array>()));
        arrays.push(Arc::new(
            (0..roots.len()).map(|row| Some(kept(row))).collect::<BooleanArray>(),
        ));
        Ok(RecordBatch::try_new(self.rows_schema.clone(), arrays)?)
    }

    pub(super) fn commit(self) -> Result<()> {
        self.rows.commit()?;
        self.removed.commit().map(drop)
    }
}

impl Figures {
    fn remove(&mut self, root: &Root) {
        match root.similarity {
            None => self.removed_exact += 1,
            Some(similarity) => {
                self.removed_near += 1;
                self.similarities[((similarity * BARS as f64) as usize).min(BARS - 1)] += 1;
            }
        }
    }

    fn count(&mut self, batch: &RecordBatch, row: usize) -> Result<()> {
        if columns::strings(batch, "verdict")?.value(row) == "kept" {
            self.kept += 1;
            return Ok(());
        }
        let (stages, rules) = (columns::strings(batch, "stage")?, columns::strings(batch, "rule")?);
        let why = format!("{}: {}", stages.value(row), rules.value(row));
        *self.not_compared.entry(why).or_default() += 1;
        Ok(())
    }
}

/// Rows of `removed.parquet`.
#[derive(Default)]
struct Removed {
    files: [UInt64Builder; 2],
    /// Repository and path of the row, then of its keeper.
    names: [StringBuilder; 4],
    similarity: Float64Builder,
    rule: StringBuilder,
}

impl Removed {
    fn add(&mut self, batch: &RecordBatch, row: usize, root: &Root, names: &Names) -> Result<()> {
        let text = |name: &str| columns::strings(batch, name).map(|column| column.value(row));
        let file = columns::u64s(batch, columns::FILE_ID)?.value(row);
        let (repo, path) = name_of(names, root.keeper)?;
        let values = [text(columns::REPO_NAME)?, text(columns::PATH)?, repo, path];
        self.names
            .iter_mut()
            .zip(values)
            .for_each(|(builder, value)| builder.append_value(value));
        self.files
            .iter_mut()
            .zip([file, root.keeper])
            .for_each(|(builder, id)| builder.append_value(id));
        self.similarity.append_value(root.similarity.unwrap_or(1.0));
        self.rule
            .append_value(if root.similarity.is_none() { "exact" } else { "near" });
        Ok(())
    }

    fn finish(mut self) -> Result<RecordBatch> {
        let [file, keeper] = &mut self.files;
        let [repo, path, keeper_repo, keeper_path] = &mut self.names;
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(file.finish()),
            Arc::new(repo.finish()),
            Arc::new(path.finish()),
            Arc::new(keeper.finish()),
            Arc::new(keeper_repo.finish()),
            Arc::new(keeper_path.finish()),
            Arc::new(self.similarity.finish()),
            Arc::new(self.rule.finish()),
        ];
        Ok(RecordBatch::try_new(removed_schema(), arrays)?)
    }
}
