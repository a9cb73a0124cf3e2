//! Rows of a table on their way into a listing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use stackmill_schemas::lock::Unit;
use stackmill_schemas::path::escape;
use stackmill_schemas::{BlobId, Error, Result};

use super::super::contents::check;
use super::super::listing::{Inherited, Listing, Owner, Row, blob_id, mode};
use super::super::told::Told;
use super::events::Event;
use super::pulls::{ChangedFile, PullEvent};
use crate::detect::license::LicenseTree;

/// Most license texts whose meaning is remembered.
const MOST_LICENSES: usize = 4096;

/// One row as the table has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Record<'a> {
    pub(super) content: Option<Cow<'a, [u8]>>,
    pub(super) path: Option<Cow<'a, [u8]>>,
    pub(super) repo_name: Option<Cow<'a, [u8]>>,
    pub(super) revision_id: Option<Cow<'a, [u8]>>,
    pub(super) stars: Option<i64>,
    pub(super) forks: Option<i64>,
    pub(super) score: Option<f64>,
    pub(super) license: Option<String>,
    /// The part of the data set it belongs to.
    pub(super) set: Option<Cow<'a, [u8]>>,
    /// Several things said of it in one text.
    pub(super) meta: Option<Cow<'a, [u8]>>,
    /// The name of its content elsewhere; id and length of that.
    pub(super) key: Option<Cow<'a, [u8]>>,
    pub(super) git_id: Option<Cow<'a, [u8]>>,
    pub(super) length: Option<i64>,
    /// What happened in an issue.
    pub(super) events: Option<Vec<Event>>,
    /// What happened in a pull request, the files that it changes, and how many its repository has.
    pub(super) pull_events: Option<Vec<PullEvent>>,
    pub(super) changed_files: Option<Vec<ChangedFile>>,
    pub(super) siblings: Option<i64>,
    /// A file before and after a commit, and the first line of the commit's message.
    pub(super) before: Option<Cow<'a, [u8]>>,
    pub(super) after: Option<Cow<'a, [u8]>>,
    pub(super) subject: Option<Cow<'a, [u8]>>,
    /// What is told of it, for rules.
    pub(super) told: Option<Told>,
    /// Why it is none.
    pub(super) trouble: Option<String>,
    /// Why it is not wanted.
    pub(super) passed_over: Option<String>,
}

impl Record<'_> {
    /// Length and blob id of the content, or why there are none.
    fn hashed(&self) -> (u64, Result<BlobId, &'static str>) {
        match (&self.content, &self.key) {
            (Some(content), _) => {
                let hashed = blob_id(content).map_err(|_| "its hash shows a collision attack");
                (content.len() as u64, hashed)
            }
            (None, Some(_)) => {
                let id = self.git_id.as_deref().and_then(from_hex);
                let length = self.length.and_then(|length| u64::try_from(length).ok());
                match (length, id) {
                    (Some(length), Some(id)) => (length, Ok(id)),
                    _ => (
                        0,
                        Err("its content lies elsewhere, and the row does not tell its id and length"),
                    ),
                }
            }
            (None, None) => (0, Err("no content")),
        }
    }
}

/// A blob id from its 40 hexadecimal digits.
fn from_hex(digits: &[u8]) -> Option<BlobId> {
    let digits = digits
        .as_chunks::<2>()
        .0
        .iter()
        .take(usize::from(digits.len() == 40) * 20);
    let bytes = digits.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok().map(BlobId)
}

/// Where a content is in its unit.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// The row with this number.
    Row(u64),
    /// An item of the row's list of files.
    Item(u64, usize),
}

impl At {
    /// `number of the row << 32 | place in the list`, or [`check`] of the content.
    fn locator(self, content: Option<&[u8]>) -> Result<u64> {
        let (row, low) = match self {
            Self::Row(row) => (row, content.map_or(0, check)),
            Self::Item(row, item) => (row, item as u32),
        };
        match u32::try_from(row) {
            Ok(row) => Ok(u64::from(row) << 32 | u64::from(low)),
            Err(_) => Err(Error::input("over 4 billion rows").hint("cut the file in two")),
        }
    }
}

/// The number of the row that a locator says.
pub(super) fn row_of(locator: u64) -> u64 {
    locator >> 32
}

/// Turns rows of one unit into listing rows.
pub(super) struct Records<'a, 'e> {
    pub(super) unit: &'a Unit,
    file_name: String,
    listing: Listing<'a, 'e>,
    licenses: BTreeMap<String, Option<(String, String)>>,
}

impl<'a, 'e> Records<'a, 'e> {
    pub(super) fn new(unit: &'a Unit, file_name: String, listing: Listing<'a, 'e>) -> Self {
        Self {
            unit,
            file_name,
            listing,
            licenses: BTreeMap::new(),
        }
    }

    /// Adds a row, which has the `number` in the file.
    pub(super) fn push(&mut self, at: At, number: u64, record: Result<Record<'_>, String>) -> Result<()> {
        let (record, trouble) = match record {
            Ok(mut record) => {
                let trouble = record.trouble.take();
                (record, trouble)
            }
            Err(trouble) => (Record::default(), Some(trouble)),
        };
        let (length, hashed) = record.hashed();
        let locator = at.locator(record.content.as_deref())?;
        let (mode, trouble) = match &record.passed_over {
            Some(words) => (mode::NOT_WANTED, Some(words.clone())),
            None => (mode::FILE, trouble.or_else(|| hashed.err().map(str::to_owned))),
        };
        let path = path_of(record.path.as_deref(), number);
        let inherited = Inherited {
            license: record.license.and_then(|license| self.license(license, &path)),
            attributes: None,
        };
        let row = Row {
            path: &path,
            mode,
            length,
            blob: hashed.ok(),
            locator,
            trouble,
        };
        let repo_name = record.repo_name.as_deref().map(escape);
        let revision_id = record.revision_id.as_deref().map(escape);
        let owner = Owner {
            repo_name: repo_name.as_deref().unwrap_or(&self.file_name),
            revision_id: revision_id.as_deref().unwrap_or(&self.unit.revision_id),
            stars: record.stars,
            forks: record.forks,
            score: record.score,
            told: record.told.as_ref(),
        };
        self.listing.push(owner, row, &inherited)
    }

    /// What metadata says of the license.
    fn license(&mut self, license: String, path: &[u8]) -> Option<(String, String)> {
        if let Some(known) = self.licenses.get(&license) {
            return known.clone();
        }
        let found = LicenseTree::new(Some(&license)).inherited(path);
        if self.licenses.len() < MOST_LICENSES {
            self.licenses.insert(license, found.clone());
        }
        found
    }

    /// Hands on what is left.
    pub(super) fn finish(self) -> Result<()> {
        self.listing.finish()
    }
}

/// The path of a row: without `/` or `./` in front, `row-N` where there is none.
fn path_of(path: Option<&[u8]>, number: u64) -> Vec<u8> {
    let mut path = path.unwrap_or_default();
    while let Some(rest) = path.strip_prefix(b"/").or_else(|| path.strip_prefix(b"./")) {
        path = rest;
    }
    match path.is_empty() {
        true => format!("row-{number}").into_bytes(),
        false => path.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_path() {
        for (path, expected) in [
            (None, "row-7"),
            (Some("/"), "row-7"),
            (Some("/src/a.py"), "src/a.py"),
            (Some("./a"), "a"),
            (Some("a//b"), "a//b"),
        ] {
            assert_eq!(path_of(path.map(str::as_bytes), 7), expected.as_bytes());
        }
    }
}
