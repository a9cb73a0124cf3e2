//! Tables with one file of code a row: Parquet (a row group is a unit) and JSON lines (a file is a unit).
//!
//! ```text
//!   their columns ─► ours (as mapped, else names in common use) ─► listing row: content is hashed, not kept
//!   or as a format has them: The Stack, The Pile, …              listing row: id and length where contents are elsewhere
//!   locator = number of the row in the unit << 32 | check       ─► read: the same rows again, checked by that
//! ```
//! Rows keep their order. A path starts without `/` (some data sets write one); a row without one is `row-N`, a row
//! without a repository belongs to the file it is in.

mod cells;
mod columns;
mod events;
mod formats;
mod jsonl;
mod parquet;
mod pulls;
mod record;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use arrow_array::RecordBatch;
use stackmill_schemas::lock::Unit;
use stackmill_schemas::stage::{Emit, Source};
use stackmill_schemas::{Result, TaskContext};

use self::formats::Layout;
pub use self::formats::{Change, Conversation};
pub(super) use self::parquet::texts as parquet_texts;
use self::record::Records;
pub use self::rows::{Group, Packer, Rows, Text, copy_name};
use super::Setup;
use super::contents::{Contents, Wanted};
use super::listing::Listing;
use super::place::{Input, expand, found_or_trouble};

/// The source behind `parquet = …` and `jsonl = …`.
pub(super) struct Table {
    setup: Setup,
    layout: Layout,
}

/// Opens the source; nothing is read yet.
pub(super) fn open(setup: Setup) -> Result<Table> {
    let layout = Layout::new(&setup)?;
    Ok(Table { setup, layout })
}

impl Source for Table {
    fn resolve(&self, cx: &TaskContext) -> Result<Vec<Unit>> {
        let mut units = Vec::new();
        for location in expand(&self.setup, Path::is_file)? {
            let input = Input::of(&self.setup, &location)?;
            match self.is_parquet() {
                true => units.extend(self.row_groups(location, &input)?),
                false => {
                    let ((revision_id, length_bytes), trouble) = input.resolved(cx)?;
                    units.push(Unit {
                        revision_id,
                        length_bytes,
                        trouble,
                        ..self.unit(input.name(), location)
                    });
                }
            }
        }
        Ok(units)
    }

    fn list(&self, unit: &Unit, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let listing = Listing::new(&self.setup.config, emit, cx);
        let (input, group) = self.place(unit)?;
        let mut records = Records::new(unit, input.name(), listing);
        input.settled(match group {
            Some(group) => parquet::list(&input, group, &self.layout, &mut records),
            None => jsonl::list(&input, &self.layout, &self.setup.config, &mut records, cx),
        })?;
        records.finish()
    }

    fn read(&self, unit: &Unit, wanted: &RecordBatch, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let wanted = Wanted::new(wanted)?;
        let mut contents = Contents::new(&self.setup.config, emit, cx);
        let (input, group) = self.place(unit)?;
        match group {
            Some(group) => parquet::read(&input, group, &self.layout, &wanted, &mut contents)?,
            None => jsonl::read(&input, &self.layout, &self.setup.config, &wanted, &mut contents)?,
        }
        contents.finish()
    }

    fn reads_in_order(&self) -> bool {
        true
    }
}

impl Table {
    fn is_parquet(&self) -> bool {
        self.setup.key == "parquet"
    }

    /// One unit a row group; one with trouble where the file cannot be read.
    fn row_groups(&self, location: String, input: &Input) -> Result<Vec<Unit>> {
        let name = input.name();
        input.expected()?;
        let ((revision_id, groups), trouble) = found_or_trouble(input.settled(parquet::row_groups(input)))?;
        if trouble.is_some() {
            return Ok(vec![Unit {
                trouble,
                ..self.unit(name, location)
            }]);
        }
        let unit = |(group, length_bytes)| Unit {
            revision_id: revision_id.clone(),
            length_bytes,
            ..self.unit(format!("{name}#{group}"), format!("{location}#{group}"))
        };
        Ok(groups.into_iter().enumerate().map(unit).collect())
    }

    /// A unit about which nothing else is known.
    fn unit(&self, repo_name: String, location: String) -> Unit {
        Unit {
            source: self.setup.config.name().to_owned(),
            repo_name,
            revision_id: String::new(),
            location,
            length_bytes: 0,
            metadata: BTreeMap::new(),
            trouble: None,
        }
    }

    /// The file of a unit, and its row group where it is a Parquet file.
    fn place(&self, unit: &Unit) -> Result<(Input, Option<usize>)> {
        let location = unit.location.rsplit_once('#').filter(|_| self.is_parquet());
        let split = location.and_then(|(file, group)| Some((file, Some(group.parse().ok()?))));
        let (file, group) = split.unwrap_or((&unit.location, None));
        Ok((Input::of(&self.setup, file)?, group))
    }
}
