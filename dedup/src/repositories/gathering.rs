//! The Exchange `repositories`: the files of a listing meet in their repositories.
//!
//! ```text
//!   scatter   name │ entry │ blob │ length │ file │ stars │ forks │ flags      to the partition by hash of the name
//!   gather    sort by (hash of the name, name); a run is a repository
//!   emit      file_id │ blob_id │ shingles │ rank │ files                      a repository is number i of its partition
//! ```
//! A repository is what has one name and revision, whichever source and split its rows come from. Its number follows the
//! hash of its name, as partitions do, so the order of repositories does not depend on how many partitions there are.
//! Memory of a gather: near 120 bytes a file of the partition.

use std::sync::Arc;

use arrow_array::{Array as _, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, UInt8Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Error, FileId, Result, TaskContext, columns, fingerprint};
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

use super::Criterion;
use super::set::{self, Blob};
use crate::rows::{BinaryColumn, FixedColumn, fixed_array, optional_fixed_array, partition_of, rank_array, write_u64s};

/// Files of one partition.
const FILES_PER_PARTITION: u64 = 1_000_000;
/// Seed of the hash of names: the stage's name.
const SEED: u64 = u64::from_le_bytes(*b"reposito");
/// Bytes of sets and file ids of one emitted batch; it may grow beyond by one repository.
const BATCH_BYTES: usize = 8 << 20;
/// Flags of a row.
const FORK: u8 = 1;
const ARCHIVED: u8 = 2;
/// Column of the numbers of a repository's files, u64 little endian.
pub const FILES: &str = "files";

/// Gathers the files of repositories: reads `file_id, repo_name, revision_id, path, mode, blob_id, length_bytes, stars,
/// forks`, and `fork` and `archived` where they are known.
#[derive(Clone, Debug)]
pub struct Gathering {
    keep: Vec<Criterion>,
}

impl Gathering {
    pub(super) fn new(keep: &[Criterion]) -> Self {
        Self { keep: keep.to_vec() }
    }

    /// The rank of a repository; lower is kept.
    fn rank(&self, repository: &Repository, id: FileId) -> u128 {
        let more = |count: i64, bits: u32| {
            let most = (1u64 << bits) - 1;
            (bits, most - u64::try_from(count).unwrap_or(0).min(most))
        };
        let high = self.keep.iter().fold(0u64, |high, criterion| {
            let (bits, value) = match criterion {
                Criterion::Fork => (1, u64::from(repository.flags & FORK != 0)),
                Criterion::Archived => (1, u64::from(repository.flags & ARCHIVED != 0)),
                Criterion::Stars => more(repository.stars, 22),
                Criterion::Forks => more(repository.forks, 20),
                Criterion::Files => more(repository.files.len() as i64, 20),
            };
            high << bits | value
        });
        u128::from(high) << 64 | u128::from(id.0)
    }
}

/// One file on its way to its repository.
struct Entry {
    hash: u64,
    name: Arc<str>,
    file: u64,
    entry: [u8; 16],
    blob: Option<Blob>,
    stars: i64,
    forks: i64,
    flags: u8,
}

/// What the files of one name amount to.
struct Repository {
    files: Vec<u64>,
    blobs: Vec<Blob>,
    tree: u128,
    stars: i64,
    forks: i64,
    flags: u8,
}

impl Repository {
    /// `entries`: all files of one name.
    fn of(entries: &[Entry]) -> Self {
        let mut tree: Vec<([u8; 16], Option<Blob>)> = entries.iter().map(|entry| (entry.entry, entry.blob)).collect();
        tree.sort_unstable();
        let mut hash = Xxh3::new();
        for (entry, blob) in &tree {
            hash.update(entry);
            hash.update(blob.as_ref().map_or(&[], |blob| blob.as_slice()));
        }
        let mut blobs: Vec<Blob> = entries.iter().filter_map(|entry| entry.blob).collect();
        blobs.sort_unstable();
        blobs.dedup();
        let mut files: Vec<u64> = entries.iter().map(|entry| entry.file).collect();
        files.sort_unstable();
        Self {
            files,
            blobs,
            tree: hash.digest128(),
            stars: entries.iter().map(|entry| entry.stars).max().unwrap_or(0),
            forks: entries.iter().map(|entry| entry.forks).max().unwrap_or(0),
            flags: entries.iter().fold(0, |flags, entry| flags | entry.flags),
        }
    }
}

impl Exchange for Gathering {
    fn name(&self) -> &'static str {
        "repositories"
    }

    fn keyed(&self) -> SchemaRef {
        let field = |name: &str, data_type, nullable| Field::new(name, data_type, nullable);
        Arc::new(Schema::new(vec![
            field("name", DataType::Utf8, false),
            field("entry", DataType::FixedSizeBinary(16), false),
            field(columns::BLOB_ID, DataType::FixedSizeBinary(20), true),
            field(columns::LENGTH_BYTES, DataType::UInt64, false),
            field(columns::FILE_ID, DataType::UInt64, false),
            field(columns::STARS, DataType::Int64, true),
            field(columns::FORKS, DataType::Int64, true),
            field("flags", DataType::UInt8, false),
        ]))
    }

    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new(columns::FILE_ID, DataType::UInt64, false),
            Field::new(columns::BLOB_ID, DataType::FixedSizeBinary(20), true),
            Field::new(columns::SHINGLES, DataType::Binary, true),
            Field::new("rank", DataType::FixedSizeBinary(16), false),
            Field::new(FILES, DataType::Binary, true),
        ]))
    }

    fn partitions(&self, size: InputSize) -> u32 {
        u32::try_from(size.files.div_ceil(FILES_PER_PARTITION).max(1)).unwrap_or(u32::MAX)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, _: &TaskContext) -> Result<()> {
        let names = names(batch)?;
        let partitions: Vec<u32> = names
            .iter()
            .map(|name| partition_of(name_hash(name.unwrap_or_default()), to.partitions))
            .collect();
        let taken = |name: &str| {
            batch
                .column_by_name(name)
                .cloned()
                .ok_or_else(|| Error::schema(format!("no `{name}`")))
        };
        let columns = vec![
            Arc::new(names) as ArrayRef,
            entries(batch)?,
            taken(columns::BLOB_ID)?,
            taken(columns::LENGTH_BYTES)?,
            taken(columns::FILE_ID)?,
            taken(columns::STARS)?,
            taken(columns::FORKS)?,
            flags(batch),
        ];
        to.send(RecordBatch::try_new(self.keyed(), columns)?, &partitions)
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let index = partition.index;
        let mut entries = Vec::new();
        for batch in partition.batches {
            cx.check()?;
            read(&batch?, &mut entries)?;
        }
        entries.sort_unstable_by(|a, b| (a.hash, &a.name, a.file).cmp(&(b.hash, &b.name, b.file)));
        let mut rows = Rows::default();
        let repositories = entries.chunk_by(|a, b| a.name == b.name);
        for (number, files) in (0u32..).zip(repositories) {
            cx.check()?;
            let repository = Repository::of(files);
            let id = FileId::new(index, number);
            rows.push(id, self.rank(&repository, id), &repository, &files[0].name)?;
            if rows.bytes() >= BATCH_BYTES {
                emit.emit(std::mem::take(&mut rows).finish(self.schema())?)?;
            }
        }
        emit.emit(rows.finish(self.schema())?)
    }
}

fn name_hash(name: &str) -> u64 {
    fingerprint::seeded(SEED, name.as_bytes())
}

/// Name and revision of each row.
fn names(batch: &RecordBatch) -> Result<StringArray> {
    let repos = columns::strings(batch, columns::REPO_NAME)?;
    let revisions = columns::strings(batch, columns::REVISION_ID)?;
    let name = |row| format!("{}@{}", repos.value(row), revisions.value(row));
    Ok(StringArray::from_iter_values((0..batch.num_rows()).map(name)))
}

/// Hash of path and mode of each row.
fn entries(batch: &RecordBatch) -> Result<ArrayRef> {
    let paths = columns::strings(batch, columns::PATH)?;
    let modes = columns::u32s(batch, columns::MODE)?;
    let mut bytes = Vec::new();
    let mut hash = |row: usize| {
        bytes.clear();
        bytes.extend(modes.value(row).to_le_bytes());
        bytes.extend(paths.value(row).as_bytes());
        xxh3_128(&bytes).to_be_bytes()
    };
    fixed_array((0..batch.num_rows()).map(&mut hash))
}

fn flags(batch: &RecordBatch) -> ArrayRef {
    let known = |name| columns::booleans(batch, name).ok();
    let is_set =
        |flags: Option<&BooleanArray>, row: usize| flags.is_some_and(|flags| flags.is_valid(row) && flags.value(row));
    let [fork, archived] = ["fork", "archived"].map(known);
    let flags = (0..batch.num_rows())
        .map(|row| (FORK * u8::from(is_set(fork, row))) | (ARCHIVED * u8::from(is_set(archived, row))));
    Arc::new(UInt8Array::from_iter_values(flags))
}

fn read(batch: &RecordBatch, into: &mut Vec<Entry>) -> Result<()> {
    let names = columns::strings(batch, "name")?;
    let hashed = FixedColumn::<16>::of(batch, "entry")?;
    let blobs = FixedColumn::<20>::of(batch, columns::BLOB_ID)?;
    let lengths = columns::u64s(batch, columns::LENGTH_BYTES)?;
    let files = columns::u64s(batch, columns::FILE_ID)?;
    let (stars, forks) = (
        columns::i64s(batch, columns::STARS)?,
        columns::i64s(batch, columns::FORKS)?,
    );
    let flags = columns::typed::<UInt8Array>(batch, "flags")?;
    let count = |counts: &Int64Array, row: usize| if counts.is_valid(row) { counts.value(row) } else { 0 };
    let mut name: Arc<str> = Arc::from("");
    for row in 0..batch.num_rows() {
        // Rows of a repository mostly stand together: its name is there once.
        if *name != *names.value(row) {
            name = Arc::from(names.value(row));
        }
        into.push(Entry {
            hash: name_hash(&name),
            name: Arc::clone(&name),
            file: files.value(row),
            entry: hashed.get(row).ok_or_else(|| Error::schema("an entry is null"))?,
            blob: blobs.get(row).map(|id| set::blob(id, lengths.value(row))),
            stars: count(stars, row),
            forks: count(forks, row),
            flags: flags.value(row),
        });
    }
    Ok(())
}

/// The batch of repositories in the making.
#[derive(Default)]
struct Rows {
    ids: Vec<u64>,
    ranks: Vec<u128>,
    sets: BinaryColumn,
    files: BinaryColumn,
}

impl Rows {
    fn push(&mut self, id: FileId, rank: u128, repository: &Repository, name: &str) -> Result<()> {
        self.ids.push(id.0);
        self.ranks.push(rank);
        self.sets
            .push_with(|bytes| set::write(bytes, repository.tree, &repository.blobs, name))?;
        self.files.push_with(|bytes| write_u64s(bytes, &repository.files))
    }

    fn bytes(&self) -> usize {
        self.sets.len_bytes() + self.files.len_bytes()
    }

    fn finish(self, schema: SchemaRef) -> Result<RecordBatch> {
        let blobs: Vec<Option<[u8; 20]>> = vec![None; self.ids.len()];
        let columns = vec![
            Arc::new(UInt64Array::from(self.ids)) as ArrayRef,
            optional_fixed_array(&blobs)?,
            self.sets.finish()?,
            rank_array(self.ranks.into_iter())?,
            self.files.finish()?,
        ];
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}
