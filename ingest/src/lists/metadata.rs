//! Metadata of repositories out of tables, joined to files by their repository's name where they are listed.
//!
//! ```text
//!   keys     hash of the name u64 × 2 │ table u32 │ row u32      sorted: 24 bytes a repository
//!   values   one Arrow column each, a row a repository
//! ```
//! The first row of a repository counts; how many repeat one is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, Int64Builder, StringBuilder};
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::take::take;
use arrow_select::zip::zip;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stackmill_schemas::{Error, Result, ResultExt, columns};

use super::sheet::{Asked, read};
use super::{KEY_BYTES, Key, Place, find, hash, repository_key, settle};
use crate::detect::license::LicenseTree;
use crate::sources::Patterns;

/// What tells a repository's hash from others.
const REPOSITORY: u8 = b'r';

/// Names in common use of the column that names the repository, and of the columns that every listing has.
const IN_USE: [(&str, &[&str]); 4] = [
    (
        "key",
        &[
            "repo_name",
            "full_name",
            "name_with_owner",
            "nameWithOwner",
            "repository",
            "repo",
            "name",
        ],
    ),
    (
        "stars",
        &[
            "stars",
            "stargazers_count",
            "stargazerCount",
            "star_events_count",
            "stars_count",
        ],
    ),
    ("forks", &["forks", "forks_count", "forkCount", "fork_events_count"]),
    ("license", &["license", "licenses", "spdx_id", "license_id"]),
];

/// Most license texts whose meaning is remembered while a table is read.
const MOST_LICENSES: usize = 4096;

/// Type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Any text; dates, too, which sort by themselves in ISO 8601.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`, also written `1`, `0`, `yes`, `no`.
    Flag,
}

impl Kind {
    /// That of a column whose type nobody has set: a flag for `archived` and `fork`, else text.
    pub(super) fn usual(column: &str) -> Self {
        match column {
            "archived" | "fork" => Self::Flag,
            _ => Self::Text,
        }
    }

    pub(super) fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Number => DataType::Float64,
            Self::Flag => DataType::Boolean,
        }
    }
}

/// The `[metadata]` table of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct MetadataConfig {
    /// Tables with a row a repository: `.csv`, `.tsv`, `.jsonl` (each also with gzip or zstd) or `.parquet`.
    pub tables: Option<Patterns>,
    /// Our columns and their names there: `key`, `stars`, `forks` and `license` are looked for by names in common use; any
    /// other is a column of the data set. A dot reaches into objects of JSON lines: `license.spdx_id`.
    pub columns: BTreeMap<String, String>,
    /// Types of such columns; default: `flag` for `archived` and `fork`, else `text`.
    pub types: BTreeMap<String, Kind>,
    /// Most bytes of memory that all of it takes: 24 a repository and its values. Default 256 MiB.
    pub max_bytes: u64,
}

impl Default for MetadataConfig {
    fn default() -> Self {
        Self {
            tables: None,
            columns: BTreeMap::new(),
            types: BTreeMap::new(),
            max_bytes: 256 << 20,
        }
    }
}

impl MetadataConfig {
    /// The tables as the recipe names them; none is a config error.
    pub fn tables(&self) -> Result<&[String]> {
        match &self.tables {
            Some(tables) if !tables.as_slice().is_empty() => Ok(tables.as_slice()),
            _ => Err(Error::config("`tables` names no table").hint("tables = \"repositories.csv\"")),
        }
    }

    /// The columns that the data set gets: name and type.
    fn added(&self) -> Result<Vec<(String, Kind)>> {
        let own = |name: &&String| IN_USE.iter().all(|(known, _)| name.as_str() != *known);
        if let Some(name) = self
            .types
            .keys()
            .find(|name| !self.columns.contains_key(*name) || !own(name))
        {
            return Err(Error::config(format!("`types.{name}` is about no column of `columns`")));
        }
        let kind = |name: &String| self.types.get(name).copied().unwrap_or_else(|| Kind::usual(name));
        let added = self
            .columns
            .keys()
            .filter(own)
            .map(|name| free("columns", name).map(|()| (name.clone(), kind(name))));
        added.collect()
    }

    fn asked(&self, added: &[(String, Kind)]) -> Vec<Asked> {
        let known = IN_USE.iter().map(|(ours, names)| match self.columns.get(*ours) {
            Some(name) => Asked {
                names: vec![name.clone()],
                required: true,
            },
            None => Asked {
                names: names.iter().map(|&name| name.to_owned()).collect(),
                required: *ours == "key",
            },
        });
        let added = added.iter().map(|(name, _)| Asked {
            names: vec![self.columns[name].clone()],
            required: true,
        });
        known.chain(added).collect()
    }
}

/// Refuses a name that the data set has already, or that could not be a column's; `setting` is where it stands.
pub(super) fn free(setting: &str, name: &str) -> Result<()> {
    let spelled = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !spelled {
        return Err(Error::config(format!("`{setting}` has a column `{name}`")).hint("use lower case, digits and `_`"));
    }
    let known = IN_USE.iter().any(|(known, _)| *known == name) || RESERVED.contains(&name);
    let taken = columns::ALL.contains(&name) || known || name.starts_with("syntax_");
    match taken {
        true => Err(Error::config(format!(
            "`{setting}` has a column `{name}`, which every data set has already"
        ))
        .hint("call it otherwise, as in `repository_language = \"language\"`")),
        false => Ok(()),
    }
}

/// Names of columns inside a run.
const RESERVED: [&str; 9] = [
    "unit",
    "rank",
    "survives",
    "has_copies",
    "tokens",
    "shard",
    "row",
    // What a lock says of a unit itself.
    "tips",
    "commit",
];

/// What tables say about repositories.
#[derive(Debug)]
pub struct Metadata {
    keys: Vec<Key>,
    /// `stars`, `forks`, `license`, then the columns that are added.
    values: RecordBatch,
    /// Rows of tables whose repository was named before.
    pub duplicates: u64,
}

impl Metadata {
    /// Reads all tables.
    pub fn load(config: &MetadataConfig, place: Place<'_>) -> Result<Self> {
        let mut reading = Reading::new(config)?;
        let asked = config.asked(&reading.added);
        for (number, table) in place.tables.iter().enumerate() {
            let mut take = |_: u64, cells: &[Option<String>]| reading.row(number as u32, cells);
            if table.uri.file_name().ends_with(".txt") {
                return Err(Error::config(format!("`{}` is no table with columns", table.name)));
            }
            read(&table.uri, place.stores, &asked, &mut take)?;
        }
        reading.finish()
    }

    /// Repositories that are known.
    pub fn repositories(&self) -> u64 {
        self.keys.len() as u64
    }

    /// Whether there is anything about a repository.
    pub fn knows(&self, repository: &str) -> bool {
        self.find(repository).is_some()
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> u64 {
        self.keys.len() as u64 * KEY_BYTES + self.values.get_array_memory_size() as u64
    }

    /// The columns that are added to a listing.
    pub fn fields(&self) -> Vec<Field> {
        let fields = self.values.schema();
        fields
            .fields()
            .iter()
            .skip(3)
            .map(|field| field.as_ref().clone())
            .collect()
    }

    /// A listing's columns after [`Metadata::join`].
    pub fn schema(&self, listing: &Schema) -> SchemaRef {
        let fields = listing.fields().iter().cloned();
        Arc::new(Schema::new(
            fields
                .chain(self.fields().into_iter().map(Arc::new))
                .collect::<Vec<_>>(),
        ))
    }

    fn find(&self, repository: &str) -> Option<u32> {
        find(&self.keys, hash(REPOSITORY, repository_key(repository).as_bytes())).map(|key| key.row)
    }

    /// A listing with what is known of its repositories: `stars`, `forks` and the inherited license where it has none,
    /// and the columns that are added.
    pub fn join(&self, listing: &RecordBatch) -> Result<RecordBatch> {
        let names = columns::strings(listing, columns::REPO_NAME)?;
        let mut last: Option<(&str, Option<u32>)> = None;
        let rows = (0..names.len()).map(|i| {
            let name = names.value(i);
            let found = last
                .filter(|(known, _)| *known == name)
                .map_or_else(|| self.find(name), |(_, row)| row);
            last = Some((name, found));
            found
        });
        let rows: UInt32Array = rows.collect();
        let values = self.values.columns().iter().map(|column| take(column, &rows, None));
        let values = values.collect::<Result<Vec<_>, _>>()?;
        with(listing, &values, self.schema(&listing.schema()))
    }

    /// A listing of one repository, with values that are given by hand instead; what is not given is null.
    pub fn given(&self, listing: &RecordBatch, values: &BTreeMap<String, Value>) -> Result<RecordBatch> {
        let fields = self.values.schema();
        let columns = fields.fields().iter().enumerate().map(|(at, field)| {
            let mut column = Column::of(field.data_type());
            let text = values.get(field.name()).filter(|_| at >= 3).map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            for _ in 0..listing.num_rows() {
                column.push(field.name(), text.as_deref())?;
            }
            Ok(column.finish())
        });
        with(
            listing,
            &columns.collect::<Result<Vec<_>>>()?,
            self.schema(&listing.schema()),
        )
    }
}

/// Fills `stars`, `forks` and the license where they are null, and adds the other columns.
fn with(listing: &RecordBatch, values: &[ArrayRef], schema: SchemaRef) -> Result<RecordBatch> {
    let mut arrays = listing.columns().to_vec();
    let input = listing.schema();
    for (name, value) in [
        (columns::STARS, 0),
        (columns::FORKS, 1),
        (columns::INHERITED_LICENSE, 2),
    ] {
        let at = input.index_of(name)?;
        let missing: BooleanArray = (0..listing.num_rows()).map(|i| Some(arrays[at].is_null(i))).collect();
        if name == columns::INHERITED_LICENSE {
            let source: StringArray = (0..listing.num_rows())
                .map(|i| values[value].is_valid(i).then_some("metadata"))
                .collect();
            let evidence = input.index_of(columns::LICENSE_EVIDENCE)?;
            arrays[evidence] = zip(&missing, &source, &arrays[evidence])?;
        }
        arrays[at] = zip(&missing, &values[value], &arrays[at])?;
    }
    arrays.extend(values[3..].iter().cloned());
    RecordBatch::try_new(schema, arrays).context("metadata of repositories")
}

/// A column being read.
pub(super) enum Column {
    Text(StringBuilder),
    Integer(Int64Builder),
    Number(Float64Builder),
    Flag(BooleanBuilder),
}

impl Column {
    /// An empty one.
    pub(super) fn of(data_type: &DataType) -> Self {
        match data_type {
            DataType::Int64 => Self::Integer(Int64Builder::new()),
            DataType::Float64 => Self::Number(Float64Builder::new()),
            DataType::Boolean => Self::Flag(BooleanBuilder::new()),
            _ => Self::Text(StringBuilder::new()),
        }
    }

    /// Adds a value, which has to be of the column's type; gives the bytes that it takes.
    pub(super) fn push(&mut self, name: &str, text: Option<&str>) -> Result<u64> {
        let wrong = |what: &str| {
            Error::input(format!("`{name}` is `{}`, not {what}", text.unwrap_or_default())).hint(format!(
                "its type is set under `types`, as in `types.{name} = \"text\"`"
            ))
        };
        match self {
            Self::Text(builder) => builder.append_option(text),
            Self::Integer(builder) => {
                // As pandas writes them where some are missing.
                let parse = |text: &str| {
                    text.strip_suffix(".0")
                        .unwrap_or(text)
                        .parse()
                        .map_err(|_| wrong("a whole number"))
                };
                builder.append_option(text.map(parse).transpose()?);
            }
            Self::Number(builder) => {
                let parse = |text: &str| {
                    text.parse()
                        .ok()
                        .filter(|value: &f64| value.is_finite())
                        .ok_or_else(|| wrong("a number"))
                };
                builder.append_option(text.map(parse).transpose()?);
            }
            Self::Flag(builder) => {
                let parse = |text: &str| match text.to_ascii_lowercase().as_str() {
                    "true" | "1" | "yes" | "t" => Ok(true),
                    "false" | "0" | "no" | "f" => Ok(false),
                    _ => Err(wrong("true or false")),
                };
                builder.append_option(text.map(parse).transpose()?);
            }
        }
        Ok(match self {
            Self::Text(_) => 5 + text.map_or(0, str::len) as u64,
            _ => 9,
        })
    }

    /// The values so far.
    pub(super) fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut builder) => Arc::new(builder.finish()),
            Self::Integer(mut builder) => Arc::new(builder.finish()),
            Self::Number(mut builder) => Arc::new(builder.finish()),
            Self::Flag(mut builder) => Arc::new(builder.finish()),
        }
    }
}

/// Tables being read.
struct Reading {
    added: Vec<(String, Kind)>,
    names: Vec<String>,
    columns: Vec<Column>,
    keys: Vec<Key>,
    bytes: u64,
    most: u64,
    licenses: BTreeMap<String, Option<String>>,
}

impl Reading {
    fn new(config: &MetadataConfig) -> Result<Self> {
        let added = config.added()?;
        let known = [
            ("stars", Kind::Integer),
            ("forks", Kind::Integer),
            ("license", Kind::Text),
        ];
        let all: Vec<(String, Kind)> = known
            .map(|(name, kind)| (name.to_owned(), kind))
            .into_iter()
            .chain(added.clone())
            .collect();
        Ok(Self {
            added,
            columns: all.iter().map(|(_, kind)| Column::of(&kind.data_type())).collect(),
            names: all.into_iter().map(|(name, _)| name).collect(),
            keys: Vec::new(),
            bytes: 0,
            most: config.max_bytes,
            licenses: BTreeMap::new(),
        })
    }

    fn row(&mut self, table: u32, cells: &[Option<String>]) -> Result<()> {
        let (Some(Some(name)), rest) = (cells.first(), cells.get(1..).unwrap_or_default()) else {
            return Err(Error::input("the row names no repository"));
        };
        let row = u32::try_from(self.keys.len()).map_err(|_| Error::input("over 4 billion repositories"))?;
        let hash = hash(REPOSITORY, repository_key(name).as_bytes());
        self.keys.push(Key { hash, list: table, row });
        self.bytes += KEY_BYTES;
        for (at, cell) in rest.iter().enumerate() {
            let license = if at == 2 { self.license(cell.as_deref()) } else { None };
            let value = if at == 2 { license.as_deref() } else { cell.as_deref() };
            self.bytes += self.columns[at].push(&self.names[at], value)?;
        }
        match self.bytes > self.most {
            true => Err(Error::resource(format!(
                "the metadata of repositories takes more than {} bytes",
                self.most
            ))
            .hint("raise `max-bytes` under [metadata], or leave out columns and repositories")),
            false => Ok(()),
        }
    }

    /// The SPDX expression that a license text of a table means.
    fn license(&mut self, text: Option<&str>) -> Option<String> {
        let text = text?;
        if let Some(known) = self.licenses.get(text) {
            return known.clone();
        }
        let found = LicenseTree::new(Some(text))
            .inherited(b"file")
            .map(|(expression, _)| expression);
        if self.licenses.len() < MOST_LICENSES {
            self.licenses.insert(text.to_owned(), found.clone());
        }
        found
    }

    fn finish(self) -> Result<Metadata> {
        let Self {
            names,
            columns,
            mut keys,
            ..
        } = self;
        let duplicates = settle(&mut keys);
        let arrays: Vec<ArrayRef> = columns.into_iter().map(Column::finish).collect();
        let fields = names
            .iter()
            .zip(&arrays)
            .map(|(name, array)| Field::new(name, array.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Ok(Metadata {
            keys,
            values: RecordBatch::try_new(schema, arrays).context("metadata of repositories")?,
            duplicates,
        })
    }
}

#[cfg(test)]
mod tests;
