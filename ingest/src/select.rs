//! What a listing alone refuses: hostile paths, unreadable entries, symlinks, submodules.

use arrow_array::{Array, StringArray, UInt32Array};
use arrow_schema::{Schema, SchemaRef};
use stackmill_schemas::columns::{self, strings, u32s};
use stackmill_schemas::file::Place;
use stackmill_schemas::path::{hostile, unescape};
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Error, FileBatch, Outcome, Reason, Result, TaskContext};

/// Name of the stage, in the ledger.
const STAGE: &str = "list";

/// Git's mode of a symlink.
const SYMLINK: u32 = 0o120000;

/// Git's mode of a submodule.
const SUBMODULE: u32 = 0o160000;

/// Mode of a row that the source's settings do not ask for.
const NOT_WANTED: u32 = 0;

/// The Map `list`: decides about rows of a listing that are no files to read.
///
/// | rule | outcome | row |
/// |---|---|---|
/// | `hostile-path` | failed | its path leaves the repository, is absolute, empty, or too long |
/// | `unreadable` | failed | the source had trouble with it, or with its whole repository (no path) |
/// | `symlink` | dropped | it is a symbolic link |
/// | `not-wanted` | dropped | the source's settings do not ask for it: mode 0, and its trouble says why |
/// | `submodule` | dropped | it is a commit of another repository |
#[derive(Clone, Copy, Debug, Default)]
pub struct Select;

impl Select {
    /// The Map; it has no settings.
    pub fn new() -> Self {
        Self
    }
}

impl Map for Select {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        for name in [columns::PATH, columns::MODE, columns::TROUBLE] {
            if input.column_with_name(name).is_none() {
                return Err(Error::schema(format!("stage `{STAGE}`: column `{name}` is missing")));
            }
        }
        Ok(SchemaRef::new(input.clone()))
    }

    fn open(&self, _cx: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(Self))
    }
}

impl MapTask for Select {
    fn map(&mut self, mut batch: FileBatch) -> Result<FileBatch> {
        let record = batch.record().clone();
        let rows = Rows {
            path: strings(&record, columns::PATH)?,
            mode: u32s(&record, columns::MODE)?,
            trouble: strings(&record, columns::TROUBLE)?,
        };
        let kept: Vec<usize> = batch.kept_rows().collect();
        for i in kept {
            if let Some((outcome, rule, reason)) = rows.verdict(i) {
                batch.decide(i, outcome, Place { stage: STAGE, rule }, reason);
            }
        }
        Ok(batch)
    }
}

struct Rows<'a> {
    path: &'a StringArray,
    mode: &'a UInt32Array,
    trouble: &'a StringArray,
}

impl Rows<'_> {
    /// What becomes of row `i`, unless it is kept. A hostile path has a rule of its own, so it is asked for first.
    fn verdict(&self, i: usize) -> Option<(Outcome, &'static str, Reason)> {
        let path = self.path.is_valid(i).then(|| unescape(self.path.value(i)));
        if let Some(trouble) = path.as_deref().and_then(hostile) {
            return Some((Outcome::Failed, "hostile-path", Reason::trouble(trouble)));
        }
        if self.trouble.is_valid(i) && path.is_some() && self.mode.value(i) == NOT_WANTED {
            let words = Reason::trouble(self.trouble.value(i));
            return Some((Outcome::Dropped, "not-wanted", words));
        }
        if self.trouble.is_valid(i) {
            return Some((Outcome::Failed, "unreadable", Reason::trouble(self.trouble.value(i))));
        }
        match self.mode.value(i) {
            SYMLINK => Some((Outcome::Dropped, "symlink", Reason::default())),
            SUBMODULE => Some((Outcome::Dropped, "submodule", Reason::default())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, RecordBatch, UInt64Array};

    use super::*;

    fn batch(rows: &[(Option<&str>, u32, Option<&str>)]) -> FileBatch {
        let columns: Vec<(&str, ArrayRef)> = vec![
            (
                columns::FILE_ID,
                Arc::new(UInt64Array::from_iter_values(0..rows.len() as u64)),
            ),
            (
                columns::PATH,
                Arc::new(rows.iter().map(|row| row.0).collect::<StringArray>()),
            ),
            (
                columns::MODE,
                Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.1))),
            ),
            (
                columns::TROUBLE,
                Arc::new(rows.iter().map(|row| row.2).collect::<StringArray>()),
            ),
        ];
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
            .map_err(Error::from)
            .and_then(FileBatch::new)
            .expect("a batch")
    }

    #[test]
    fn every_row_has_its_rule() {
        let rows = [
            (Some("src/main.rs"), 0o100644, None),
            (Some("run.sh"), 0o100755, None),
            (Some("link"), SYMLINK, None),
            (Some("lib"), SUBMODULE, None),
            (Some("broken"), SYMLINK, Some("the blob is broken")),
            (Some("a/../b"), 0o100644, Some("path leaves the repository")),
            (Some("/etc/passwd"), 0o100644, None),
            (Some("a\\x2f\\x2fb"), 0o100644, None),
            (None, 0, Some("the repository has no commits")),
            (Some(""), 0o100644, None),
        ];
        let expected = [
            None,
            None,
            Some((Outcome::Dropped, "symlink", None)),
            Some((Outcome::Dropped, "submodule", None)),
            Some((Outcome::Failed, "unreadable", Some("the blob is broken"))),
            Some((Outcome::Failed, "hostile-path", Some("path leaves the repository"))),
            Some((Outcome::Failed, "hostile-path", Some("absolute path"))),
            Some((Outcome::Failed, "hostile-path", Some("path with an empty component"))),
            Some((Outcome::Failed, "unreadable", Some("the repository has no commits"))),
            Some((Outcome::Failed, "hostile-path", Some("empty path"))),
        ];
        let batch = Select::new().map(batch(&rows)).expect("mapped");
        for (i, expected) in expected.iter().enumerate() {
            let decision = batch
                .decisions()
                .iter()
                .find(|decision| decision.file_id.row() == i as u32);
            let found = decision.map(|d| (d.outcome, d.rule.as_str(), d.reason.trouble.as_deref()));
            assert_eq!(found, *expected, "row {i}");
            assert_eq!(batch.is_kept(i), expected.is_none());
            assert!(decision.is_none_or(|decision| decision.stage == "list"));
        }
    }

    #[test]
    fn the_schema_stays_and_has_to_be_a_listing() {
        let listed = columns::listed();
        assert_eq!(Select::new().schema(&listed).ok(), Some(listed));
        assert!(Select::new().schema(&columns::contents()).is_err());
    }
}
