//! The rows of the inputs that were not removed, as they were: the same columns and the same format, a file for each input table.
//!
//! ```text
//!   ledger, in order of units ─┬─► JSON lines: copied while both are walked
//!                              └─► row groups: one bit a row, then the groups of a file in order
//! ```
//! Units are in order of their names, in which row group 10 comes before row group 2; hence the bits.

use std::collections::{BTreeMap, BTreeSet};

use stackmill_ingest::sources::{Group, Packer, Rows, Text, copy_name, rows_at};
use stackmill_schemas::lock::Unit;
use stackmill_schemas::{Error, Result, columns};

use super::{Batches, fits, ledger};
use crate::Recipe;
use crate::lock;
use crate::output::Output;
use crate::shard::ShardWriter;
use crate::workdir::Workdir;

/// The folder of the files.
pub const FOLDER: &str = "kept";

/// A file of the inputs: its source and its location.
type Table = (String, String);

/// Which rows of a row group are kept.
struct Wanted {
    unit: Unit,
    bits: Vec<u64>,
}

/// Copies the kept rows of every table that `recipe` names into files below [`FOLDER`]; `data` is its finished run.
///
/// # Errors
/// An input is no longer what was read, or the row groups have more rows than `memory` has bits.
pub fn write(data: &Output, to: &Workdir, recipe: &Recipe, memory: u64) -> Result<()> {
    let lock = lock::read(data)?.ok_or_else(|| Error::bug("a data set without a lock"))?;
    let mut copying = Copying {
        recipe,
        to,
        names: names(&lock.units),
        groups: BTreeMap::new(),
        memory,
        bytes: 0,
    };
    let mut ledger = Ledger::open(data)?;
    for unit in &lock.units {
        copying.unit(unit, &mut ledger)?;
    }
    copying.finish()
}

/// What is copied where.
struct Copying<'a> {
    recipe: &'a Recipe,
    to: &'a Workdir,
    names: BTreeMap<Table, String>,
    /// Row groups by number, of every Parquet file.
    groups: BTreeMap<Table, BTreeMap<usize, Wanted>>,
    memory: u64,
    bytes: u64,
}

impl Copying<'_> {
    /// Copies a unit, or notes what is wanted of it.
    fn unit(&mut self, unit: &Unit, ledger: &mut Ledger<'_>) -> Result<()> {
        if ledger.passes_over(unit)? {
            return Ok(());
        }
        match self.rows(unit)? {
            None => ledger.skip(unit),
            Some(Rows::Lines(text)) => self.lines(unit, text, ledger),
            Some(Rows::Parquet(group)) => self.group(unit, &group, ledger),
        }
    }

    fn rows(&self, unit: &Unit) -> Result<Option<Rows>> {
        let source = self.recipe.sources.iter().find(|source| source.name() == unit.source);
        let source = source.ok_or_else(|| Error::bug(format!("no source `{}`", unit.source)))?;
        rows_at(source, &self.recipe.base, &self.recipe.stores, unit)
    }

    fn lines(&self, unit: &Unit, text: Text, ledger: &mut Ledger<'_>) -> Result<()> {
        let name = &self.names[&table_of(unit).0];
        let mut out = Packer::new(name, self.to.publish(&format!("{FOLDER}/{name}"))?)?;
        text.copy(|| ledger.is_kept(unit), &mut out)?;
        out.finish()?.commit().map(drop)
    }

    fn group(&mut self, unit: &Unit, group: &Group, ledger: &mut Ledger<'_>) -> Result<()> {
        let rows = group.rows()?;
        self.bytes += rows / 8;
        fits(self.bytes, self.memory)?;
        let mut bits = vec![0; rows.div_ceil(64) as usize];
        for row in 0..rows {
            bits[(row / 64) as usize] |= u64::from(ledger.is_kept(unit)?) << (row % 64);
        }
        let (table, number) = table_of(unit);
        let unit = unit.clone();
        let groups = self.groups.entry(table).or_default();
        groups.insert(number, Wanted { unit, bits });
        Ok(())
    }

    /// Copies the row groups.
    fn finish(self) -> Result<()> {
        for (table, groups) in &self.groups {
            let path = format!("{FOLDER}/{}", self.names[table]);
            let mut out: Option<ShardWriter> = None;
            for Wanted { unit, bits } in groups.values() {
                let Some(Rows::Parquet(group)) = self.rows(unit)? else {
                    return Err(Error::bug("a row group that is none"));
                };
                let out = match &mut out {
                    Some(out) => out,
                    None => out.insert(ShardWriter::create(self.to, &path, &group.schema())?),
                };
                let is_wanted = |row: u64| bits[(row / 64) as usize] >> (row % 64) & 1 == 1;
                group.copy(is_wanted, |batch| out.write(batch))?;
            }
            out.map(ShardWriter::commit).transpose()?;
        }
        Ok(())
    }
}

/// The file of a unit, and the number of its row group where it is one.
fn table_of(unit: &Unit) -> (Table, usize) {
    let group = unit.location.rsplit_once('#');
    let (file, number) = group
        .and_then(|(file, number)| Some((file, number.parse().ok()?)))
        .unwrap_or((&unit.location, 0));
    ((unit.source.clone(), file.to_owned()), number)
}

/// A name for the file of every table: its own; where several have the same, `2-NAME` and so on.
fn names(units: &[Unit]) -> BTreeMap<Table, String> {
    let (mut names, mut taken) = (BTreeMap::new(), BTreeSet::new());
    for table in units.iter().map(|unit| table_of(unit).0) {
        if names.contains_key(&table) {
            continue;
        }
        let own = table.1.rsplit('/').next().unwrap_or_default();
        let own = copy_name(own).to_owned();
        let mut name = own.clone();
        for number in 2.. {
            if taken.insert(name.clone()) {
                break;
            }
            name = format!("{number}-{own}");
        }
        names.insert(table, name);
    }
    names
}

/// The rows of a ledger, one after the other.
struct Ledger<'a> {
    batches: Batches<'a>,
    batch: Option<arrow_array::RecordBatch>,
    row: usize,
}

impl<'a> Ledger<'a> {
    fn open(data: &'a Output) -> Result<Self> {
        let mut ledger = Self {
            batches: ledger(data)?,
            batch: None,
            row: 0,
        };
        ledger.fill()?;
        Ok(ledger)
    }

    /// Brings the next batch where this one is used up.
    fn fill(&mut self) -> Result<()> {
        while self.batch.as_ref().is_none_or(|batch| self.row >= batch.num_rows()) {
            self.row = 0;
            self.batch = self.batches.next().transpose()?;
            if self.batch.is_none() {
                return Ok(());
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Result<()> {
        self.row += 1;
        self.fill()
    }

    /// Text of the row that comes next; none at the end, or if it is null.
    fn text(&self, column: &str) -> Result<Option<&str>> {
        use arrow_array::Array as _;
        let Some(batch) = &self.batch else { return Ok(None) };
        let texts = columns::strings(batch, column)?;
        Ok(texts.is_valid(self.row).then(|| texts.value(self.row)))
    }

    /// Whether the next row is of `unit`'s source.
    fn is_of(&self, unit: &Unit) -> Result<bool> {
        Ok(self.text(columns::SOURCE)? == Some(&unit.source))
    }

    /// Whether the row that comes next, which is one of `unit`, stays: it is no duplicate, as far as anybody knows.
    fn is_kept(&mut self, unit: &Unit) -> Result<bool> {
        if !self.is_of(unit)? || self.text(columns::PATH)?.is_none() {
            return Err(Error::input("it has more rows than were read").context(unit.location.clone()));
        }
        let is_duplicate = ["exact", "near"].map(Some).contains(&self.text("stage")?);
        self.next()?;
        Ok(!is_duplicate)
    }

    /// Whether the whole of `unit` is one row, because it could not be read.
    fn passes_over(&mut self, unit: &Unit) -> Result<bool> {
        let is_whole = self.text(columns::PATH)?.is_none() && self.text(columns::REPO_NAME)? == Some(&unit.repo_name);
        if is_whole && self.is_of(unit)? {
            self.next()?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Passes over the rows of a unit that is no table: the next ones of its source.
    fn skip(&mut self, unit: &Unit) -> Result<()> {
        while self.is_of(unit)? {
            self.next()?;
        }
        Ok(())
    }
}
