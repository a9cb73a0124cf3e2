//! What a file's history adds to its row: when it was in the repository, and where.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, ListBuilder, StringBuilder, StructBuilder, UInt32Builder};
use arrow_array::{ArrayRef, StructArray};
use arrow_buffer::NullBufferBuilder;
use arrow_schema::{DataType, Field, Fields};
use stackmill_schemas::path::escape;
use stackmill_schemas::{Error, Result, columns};

/// Most paths, and most renames, of one file that are recorded.
const MOST_RECORDED: usize = 1000;

/// Longest prefix of a path that is recorded.
const LONGEST_RECORDED: usize = 4097;

/// A commit that moved a file unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rename {
    pub(super) commit: String,
    pub(super) from: Vec<u8>,
    pub(super) to: Vec<u8>,
}

/// The history of one file; commits in hexadecimal, times in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Past {
    pub(super) first_commit: String,
    pub(super) first_time: i64,
    pub(super) first_author_time: i64,
    pub(super) last_commit: String,
    pub(super) last_time: i64,
    /// All paths that it had, in order.
    pub(super) paths: Vec<Vec<u8>>,
    /// In order of time.
    pub(super) renames: Vec<Rename>,
}

/// Gathers the column [`columns::HISTORY`].
pub(super) struct PastBuilder {
    known: NullBufferBuilder,
    commits: [StringBuilder; 2],
    times: [Int64Builder; 3],
    path_count: UInt32Builder,
    paths: ListBuilder<StringBuilder>,
    renames: ListBuilder<StructBuilder>,
    bytes: usize,
}

impl Default for PastBuilder {
    fn default() -> Self {
        let renames = StructBuilder::new(
            fields_of(columns::rename()),
            vec![
                Box::new(StringBuilder::new()),
                Box::new(StringBuilder::new()),
                Box::new(StringBuilder::new()),
            ],
        );
        let paths = ListBuilder::new(StringBuilder::new());
        Self {
            known: NullBufferBuilder::new(0),
            commits: Default::default(),
            times: Default::default(),
            path_count: UInt32Builder::new(),
            paths: paths.with_field(Field::new_list_field(DataType::Utf8, false)),
            renames: ListBuilder::new(renames).with_field(Field::new_list_field(columns::rename(), false)),
            bytes: 0,
        }
    }
}

impl PastBuilder {
    /// Adds the history of one file, or that it is not known.
    pub(super) fn append(&mut self, past: Option<&Past>) -> Result<()> {
        self.known.append(past.is_some());
        let text = |get: fn(&Past) -> &String| past.map_or("", |past| get(past));
        let number = |get: fn(&Past) -> i64| past.map_or(0, get);
        self.commits[0].append_value(text(|past| &past.first_commit));
        self.commits[1].append_value(text(|past| &past.last_commit));
        self.times[0].append_value(number(|past| past.first_time));
        self.times[1].append_value(number(|past| past.first_author_time));
        self.times[2].append_value(number(|past| past.last_time));
        self.path_count
            .append_value(past.map_or(0, |past| past.paths.len() as u32));
        for path in past.iter().flat_map(|past| &past.paths).take(MOST_RECORDED) {
            let path = recorded(path);
            self.bytes += path.len();
            self.paths.values().append_value(path);
        }
        self.paths.append(true);
        for rename in past.iter().flat_map(|past| &past.renames).take(MOST_RECORDED) {
            self.rename(rename)?;
        }
        self.renames.append(true);
        Ok(())
    }

    fn rename(&mut self, rename: &Rename) -> Result<()> {
        let values = self.renames.values();
        for (i, text) in [rename.commit.clone(), recorded(&rename.from), recorded(&rename.to)]
            .iter()
            .enumerate()
        {
            self.bytes += text.len();
            let builder = values.field_builder::<StringBuilder>(i);
            builder
                .ok_or_else(|| Error::bug("renames are texts"))?
                .append_value(text);
        }
        values.append(true);
        Ok(())
    }

    /// Bytes of paths and renames that have been added.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The column; the builder is empty again.
    pub(super) fn finish(&mut self) -> Result<ArrayRef> {
        self.bytes = 0;
        let [first, last] = &mut self.commits;
        let [first_time, author_time, last_time] = &mut self.times;
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(first.finish()),
            Arc::new(first_time.finish()),
            Arc::new(author_time.finish()),
            Arc::new(last.finish()),
            Arc::new(last_time.finish()),
            Arc::new(self.path_count.finish()),
            Arc::new(self.paths.finish()),
            Arc::new(self.renames.finish()),
        ];
        let array = StructArray::try_new(fields_of(columns::history()), arrays, self.known.finish())?;
        Ok(Arc::new(array))
    }
}

/// The fields of a struct's type.
pub(super) fn fields_of(data_type: DataType) -> Fields {
    match data_type {
        DataType::Struct(fields) => fields,
        _ => Fields::empty(),
    }
}

/// A path as tables have it.
pub(super) fn recorded(path: &[u8]) -> String {
    escape(&path[..path.len().min(LONGEST_RECORDED)])
}
