//! Where our columns are in a Parquet file: at its root, in a struct, or in the list of files of a repository's row.
//!
//! ```text
//!   content                  Root      a column
//!   github_metadata.stars    Child     a field of a struct
//!   files[].content          Item      a field of the structs in a list
//! ```

use std::borrow::Cow;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, Fields, SchemaRef};
use stackmill_schemas::Result;

use super::columns::{
    AFTER, BEFORE, CHANGED_FILES, CONTENT, COUNT, EVENTS, FORKS, GIT_ID, KEY, LENGTH, LICENSE, META, PATH, PULL_EVENTS,
    REPO_NAME, REVISION_ID, SCORE, SET, SIBLINGS, STARS, SUBJECT, wrong_type,
};
use super::events::list_at;
use super::formats::Layout;
use super::parquet::{bytes_at, is_right, license_at, number_at, score_at};
use super::record::{At, Record};

/// Where one of our columns is, by names.
#[derive(Clone, Debug)]
enum Place {
    Root(String),
    Child(String, String),
    Item(String),
}

/// Where our columns are.
pub(super) struct Columns {
    places: [Option<Place>; COUNT],
    /// Places of the columns that are read, at the root.
    roots: Vec<usize>,
    /// The column that lists the files of a repository.
    pub(super) files: Option<String>,
}

/// The column that lists the files of a repository, where a row is one; with the fields of a file.
pub(super) fn grouped_by<'a>(schema: &'a SchemaRef, layout: &Layout) -> Option<(&'static str, &'a Fields)> {
    let name = layout.format.files?;
    let DataType::List(item) = schema.field_with_name(name).ok()?.data_type() else {
        return None;
    };
    match item.data_type() {
        DataType::Struct(fields) => Some((name, fields)),
        _ => None,
    }
}

impl Columns {
    /// Finds our columns: all, or only those without which there is no content.
    pub(super) fn resolve(schema: &SchemaRef, layout: &Layout, content_only: bool) -> Result<Self> {
        let files = grouped_by(schema, layout);
        let known = places(schema, files);
        let names: Vec<&str> = known.iter().map(|(name, _, _)| name.as_str()).collect();
        let mut columns = Self {
            places: [const { None }; COUNT],
            roots: Vec::new(),
            files: files.map(|(name, _)| name.to_owned()),
        };
        for ours in (0..COUNT).filter(|&ours| !content_only || layout.is_made() || ours == layout.names.content) {
            let Some(at) = layout.names.resolve(ours, &names)? else {
                continue;
            };
            let (name, data_type, place) = &known[at];
            if !is_right(ours, data_type) {
                return Err(wrong_type(ours, name, &data_type.to_string()));
            }
            let root = match place {
                Place::Root(root) | Place::Child(root, _) => root.as_str(),
                Place::Item(_) => files.map_or("", |(name, _)| name),
            };
            columns.roots.push(schema.index_of(root)?);
            columns.places[ours] = Some(place.clone());
        }
        Ok(columns)
    }

    /// Places of the columns that are read, at the root.
    pub(super) fn roots(&self) -> impl Iterator<Item = usize> {
        self.roots.iter().copied()
    }

    /// Where a file is found again.
    pub(super) fn at(&self, row: u64, item: usize) -> At {
        match self.files {
            Some(_) => At::Item(row, item),
            None => At::Row(row),
        }
    }

    /// The place in the list of files that a locator says.
    pub(super) fn item(&self, locator: u64) -> usize {
        match self.files {
            Some(_) => locator as u32 as usize,
            None => 0,
        }
    }

    /// Our columns of one batch.
    pub(super) fn of(&self, batch: &RecordBatch) -> Cells {
        let files = self.files.as_ref().and_then(|name| batch.column_by_name(name)).cloned();
        let items = files
            .as_ref()
            .map(|files| files.as_list::<i32>().values().as_struct().clone());
        let array = |place: &Place| match place {
            Place::Root(name) => batch.column_by_name(name).cloned(),
            Place::Child(root, name) => batch.column_by_name(root)?.as_struct().column_by_name(name).cloned(),
            Place::Item(name) => items.as_ref()?.column_by_name(name).cloned(),
        };
        Cells {
            arrays: std::array::from_fn(|ours| array(self.places[ours].as_ref()?)),
            is_item: std::array::from_fn(|ours| matches!(self.places[ours], Some(Place::Item(_)))),
            is_grouped: self.files.is_some(),
            files,
        }
    }
}

/// Every column with its name, as formats and recipes call it, and its type; those of files come first.
fn places(schema: &SchemaRef, files: Option<(&str, &Fields)>) -> Vec<(String, DataType, Place)> {
    let mut found = Vec::new();
    for field in files.map(|(_, fields)| fields).into_iter().flatten() {
        let name = field.name().clone();
        found.push((name.clone(), field.data_type().clone(), Place::Item(name)));
    }
    for field in schema.fields() {
        let name = field.name().clone();
        found.push((name.clone(), field.data_type().clone(), Place::Root(name.clone())));
        if let DataType::Struct(inner) = field.data_type() {
            found.extend(inner.iter().map(|child| {
                let place = Place::Child(name.clone(), child.name().clone());
                (format!("{name}.{}", child.name()), child.data_type().clone(), place)
            }));
        }
    }
    found
}

/// Our columns of one batch.
pub(super) struct Cells {
    arrays: [Option<ArrayRef>; COUNT],
    is_item: [bool; COUNT],
    is_grouped: bool,
    files: Option<ArrayRef>,
}

impl Cells {
    /// Files of a row.
    pub(super) fn items(&self, row: usize) -> usize {
        match &self.files {
            Some(files) if files.is_valid(row) => files.as_list::<i32>().value_length(row) as usize,
            _ => usize::from(!self.is_grouped),
        }
    }

    /// The array of one of our columns, and where the file's value is in it.
    fn cell(&self, ours: usize, row: usize, item: usize) -> Option<(&ArrayRef, usize)> {
        let array = self.arrays[ours].as_ref()?;
        let first = match (&self.files, self.is_item[ours]) {
            (Some(files), true) => files.as_list::<i32>().value_offsets()[row] as usize + item,
            _ => row,
        };
        Some((array, first))
    }

    /// The bytes of one of our columns.
    pub(super) fn bytes(&self, ours: usize, row: usize, item: usize) -> Option<&[u8]> {
        let (array, at) = self.cell(ours, row, item)?;
        bytes_at(array, at)
    }

    /// A file.
    pub(super) fn record(&self, row: usize, item: usize) -> Record<'_> {
        let text = |ours: usize| self.bytes(ours, row, item).map(Cow::Borrowed);
        let number = |ours: usize| self.cell(ours, row, item).and_then(|(array, at)| number_at(array, at));
        let name = |ours: usize| text(ours).or_else(|| Some(Cow::Owned(number(ours)?.to_string().into_bytes())));
        let events = self.cell(EVENTS, row, item).and_then(|(array, at)| list_at(array, at));
        let pull_events = self
            .cell(PULL_EVENTS, row, item)
            .and_then(|(array, at)| list_at(array, at));
        let changed_files = self
            .cell(CHANGED_FILES, row, item)
            .and_then(|(array, at)| list_at(array, at));
        let mut trouble = None;
        Record {
            content: text(CONTENT),
            path: name(PATH),
            repo_name: name(REPO_NAME),
            revision_id: name(REVISION_ID),
            stars: number(STARS),
            forks: number(FORKS),
            score: self.cell(SCORE, row, item).and_then(|(array, at)| score_at(array, at)),
            license: self
                .cell(LICENSE, row, item)
                .and_then(|(array, at)| license_at(array, at)),
            set: text(SET),
            meta: text(META),
            key: text(KEY),
            git_id: text(GIT_ID),
            length: number(LENGTH),
            events: readable(events, &mut trouble),
            pull_events: readable(pull_events, &mut trouble),
            changed_files: readable(changed_files, &mut trouble),
            siblings: number(SIBLINGS),
            before: text(BEFORE),
            after: text(AFTER),
            subject: text(SUBJECT),
            told: None,
            trouble,
            passed_over: None,
        }
    }
}

/// A list that can be read; why another cannot is noted.
fn readable<T>(list: Option<Result<Vec<T>, String>>, trouble: &mut Option<String>) -> Option<Vec<T>> {
    list?.map_err(|error| *trouble = Some(error)).ok()
}
