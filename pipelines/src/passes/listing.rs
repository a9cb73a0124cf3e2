//! Listing: every path of a split, and what its name alone refuses.
//!
//! A repository that turns out unreadable half-way is one row, so its rows wait until all are there: in memory, and
//! beyond a few megabytes in scratch. Files are numbered in listing order; 65,536 of a split are a page, the
//! unit in which later passes look up what was decided about them.

use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
    new_null_array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_schemas::context::Homes;
use stackmill_schemas::file::Place;
use stackmill_schemas::lock::{Split, Unit};
use stackmill_schemas::manifest::Tally;
use stackmill_schemas::rank::{Criterion, Identity, Standing, Value, rank};
use stackmill_schemas::stage::{Emit, InputSize};
use stackmill_schemas::{Error, FileBatch, FileId, Outcome, Reason, Result, ResultExt, TaskContext, columns};

use super::{DecisionWriter, Fused, Meter, Step, TaskReport, finish};
use crate::job::Job;
use crate::local::process_digits;
use crate::shard::ShardWriter;
use crate::stages::Stages;
use crate::table::TableWriter;
use crate::workdir::Workdir;

/// Number of the unit in the lock: internal to scratch.
pub const UNIT: &str = "unit";
/// The keep policy's rank of the file: internal to scratch.
pub const RANK: &str = "rank";
/// Whether the file goes on after the listing: internal to scratch.
pub const SURVIVES: &str = "survives";
/// Files of one page: what is decided about them is held in memory at once.
pub const PAGE_FILES: u64 = 1 << 16;
/// Rows of one unit that wait in memory; more wait in scratch.
const SPOOL_BYTES: usize = 8 << 20;
/// No file over this is read, whatever the recipe says: a task holds its raw bytes, its text, its shingles and its
/// tokens in memory, about ten times the file, and must stay within its share of `--memory`.
const MAXIMUM_FILE_BYTES: u64 = 12 << 20;
/// Rows that go through the listing Maps at once.
const BATCH_ROWS: usize = 4096;

/// One task a split.
pub struct Listing<'a> {
    /// The run.
    pub job: &'a Job,
}

/// The columns of what a source lists, numbered.
pub fn numbered_schema() -> SchemaRef {
    let mut fields = vec![
        Arc::new(Field::new(columns::FILE_ID, DataType::UInt64, false)),
        Arc::new(Field::new(columns::SOURCE, DataType::Utf8, false)),
        Arc::new(Field::new(UNIT, DataType::UInt32, false)),
    ];
    fields.extend(columns::listed().fields().iter().cloned());
    Arc::new(Schema::new(fields))
}

impl Step for Listing<'_> {
    fn name(&self) -> &'static str {
        "list"
    }

    fn tasks(&self) -> u32 {
        self.job.splits.len() as u32
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let split = &self.job.splits[task as usize];
        let mut listing = Task::open(self.job, split, cx)?;
        for number in split.first..split.end {
            cx.check()?;
            let unit = &self.job.lock.units[number];
            listing
                .unit(number, unit)
                .with_context(|| format!("repository {}", unit.repo_name))?;
        }
        listing.commit()
    }

    fn spent(&self) -> Vec<String> {
        Vec::new()
    }
}

struct Task<'a> {
    job: &'a Job,
    cx: &'a TaskContext,
    split: u32,
    rows: u32,
    maps: Fused,
    meter: Meter,
    listing: TableWriter,
    decisions: DecisionWriter,
    commits: Option<ShardWriter>,
    report: TaskReport,
}

impl<'a> Task<'a> {
    fn open(job: &'a Job, split: &Split, cx: &'a TaskContext) -> Result<Self> {
        let schema = table_schema(&job.stages.listing_schema()?);
        let task = split.index;
        Ok(Self {
            job,
            cx,
            split: task,
            rows: 0,
            maps: Fused::open(&job.stages.listing, cx)?,
            meter: Meter::default(),
            listing: TableWriter::create(&job.workdir, &format!("listing/{task:05}"), &schema)?,
            decisions: DecisionWriter::create(&job.workdir, "listing-decisions", task)?,
            commits: None,
            report: TaskReport::default(),
        })
    }

    /// Lists a unit. One that would have to be cloned and has opted out is not asked for; it is one row without a path, as
    /// is one with permanent trouble.
    fn unit(&mut self, number: usize, unit: &Unit) -> Result<()> {
        if let Some((place, entry)) = self.job.opted_out(unit) {
            self.report.left_out += 1;
            return self.alone((number, unit), Outcome::Dropped, place, Reason::entry(entry));
        }
        let found = match &unit.trouble {
            Some(trouble) => Err(Error::input(trouble.clone())),
            None => self.listed(unit).and_then(|rows| Ok((rows, self.commits(unit)?))),
        };
        match found {
            Ok((rows, commits)) => {
                rows.drain(|batch| self.batch(number, unit, &batch))?;
                commits.drain(|batch| self.publish(&batch))
            }
            Err(error) if is_permanent(&error) => self.troubled(number, unit, error.message()),
            Err(error) => Err(error),
        }
    }

    fn listed(&mut self, unit: &Unit) -> Result<Spool> {
        let source = self.job.source(&unit.source)?;
        let mut spool = Spool::new(self.job, "listing-spool", self.split, columns::listed());
        let mut keep = |batch: RecordBatch| spool.push(batch);
        let cx = self.cx;
        self.meter
            .charge("source", 0, || source.list(unit, &mut Emit(&mut keep), cx))?;
        Ok(spool)
    }

    /// The commits of a unit, if its source is asked for them.
    fn commits(&mut self, unit: &Unit) -> Result<Spool> {
        let source = self.job.source(&unit.source)?;
        let mut spool = Spool::new(self.job, "commits-spool", self.split, columns::commits());
        let mut keep = |batch: RecordBatch| spool.push(batch);
        let cx = self.cx;
        if source.has_commits() {
            self.meter
                .charge("commits", 0, || source.commits(unit, &mut Emit(&mut keep), cx))?;
        }
        Ok(spool)
    }

    fn publish(&mut self, commits: &RecordBatch) -> Result<()> {
        let shard = match &mut self.commits {
            Some(shard) => shard,
            None => {
                let path = format!("commits/part-{:05}.parquet", self.split);
                let shard = ShardWriter::create(&self.job.workdir, &path, &commits.schema())?;
                self.commits.insert(shard)
            }
        };
        shard.write(commits)
    }

    fn batch(&mut self, number: usize, unit: &Unit, batch: &RecordBatch) -> Result<()> {
        for start in (0..batch.num_rows()).step_by(BATCH_ROWS) {
            let part = batch.slice(start, BATCH_ROWS.min(batch.num_rows() - start));
            let part = self.number(number, unit, &part)?;
            let mut files = self.maps.map(FileBatch::new(part)?, &self.meter)?;
            refuse_giants(&mut files)?;
            self.write(files)?;
        }
        Ok(())
    }

    fn number(&mut self, number: usize, unit: &Unit, rows: &RecordBatch) -> Result<RecordBatch> {
        let count = rows.num_rows();
        let first = self.rows;
        self.rows = u32::try_from(count)
            .ok()
            .and_then(|count| first.checked_add(count))
            .ok_or_else(|| {
                Error::input("over 4 billion files in one split").hint("lower `split-repositories` under [run]")
            })?;
        let ids = (first..self.rows).map(|row| FileId::new(self.split, row).0);
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from_iter_values(ids)),
            Arc::new(StringArray::from_iter_values(std::iter::repeat_n(&unit.source, count))),
            Arc::new(UInt32Array::from_value(number as u32, count)),
        ];
        arrays.extend(rows.columns().iter().cloned());
        let lengths = columns::u64s(rows, columns::LENGTH_BYTES)?;
        self.report.input.files += count as u64;
        self.report.input.bytes += lengths.values().iter().sum::<u64>();
        let numbered = RecordBatch::try_new(numbered_schema(), arrays).context("what a source lists")?;
        self.job.stages.known.join(&numbered, unit)
    }

    fn write(&mut self, files: FileBatch) -> Result<()> {
        let ranks = ranks(&self.job.stages, files.record())?;
        let survives = files.kept_mask();
        let files = files
            .with_column(rank_field(), Arc::new(ranks))?
            .with_column(survives_field(), Arc::new(survives))?;
        self.listing.write(files.record())?;
        self.decisions.write(&finish(files)?.1)
    }

    fn troubled(&mut self, number: usize, unit: &Unit, trouble: &str) -> Result<()> {
        self.report.troubled.push((unit.repo_name.clone(), trouble.to_owned()));
        let place = Place {
            stage: "list",
            rule: "unreadable-repository",
        };
        self.alone((number, unit), Outcome::Failed, place, Reason::trouble(trouble))
    }

    /// One row for a whole unit, and what is decided about it.
    fn alone(
        &mut self,
        (number, unit): (usize, &Unit),
        outcome: Outcome,
        place: Place<'_>,
        reason: Reason,
    ) -> Result<()> {
        let rows = row_of_unit(unit, reason.trouble.as_deref())?;
        let numbered = self.number(number, unit, &rows)?;
        self.report.input.files -= 1;
        let mut record = FileBatch::new(numbered)?;
        for map in &self.job.stages.listing {
            let schema = map.schema(&record.record().schema())?;
            for field in schema.fields().iter().skip(record.record().num_columns()) {
                let empty = match field.data_type() {
                    DataType::Boolean => Arc::new(arrow_array::BooleanArray::from(vec![false])) as ArrayRef,
                    other => new_null_array(other, 1),
                };
                record = record.with_column(field.as_ref().clone(), empty)?;
            }
        }
        record.decide(0, outcome, place, reason);
        self.write(record)
    }

    fn commit(mut self) -> Result<TaskReport> {
        self.listing.commit()?;
        self.decisions.commit()?;
        self.report
            .published
            .extend(self.commits.map(ShardWriter::commit).transpose()?);
        self.report.costs = self.meter.costs();
        Ok(self.report)
    }
}

/// The keep policy's rank of every row of a listing.
pub fn ranks(stages: &Stages, record: &RecordBatch) -> Result<FixedSizeBinaryArray> {
    let ids = columns::u64s(record, columns::FILE_ID)?;
    let licenses = columns::strings(record, columns::INHERITED_LICENSE)?;
    let paths = columns::strings(record, columns::PATH)?;
    let repositories = columns::strings(record, columns::REPO_NAME)?;
    let blobs = columns::fixed(record, columns::BLOB_ID)?;
    let (stars, forks) = (
        columns::i64s(record, columns::STARS)?,
        columns::i64s(record, columns::FORKS)?,
    );
    let known = |counts: &Int64Array, row: usize| counts.is_valid(row).then(|| counts.value(row));
    let flags = ["archived", "fork", columns::IS_VENDOR].map(|name| columns::booleans(record, name).ok());
    let named = stages.keep.iter().filter_map(|criterion| match criterion {
        Criterion::Column { name, .. } => Some(
            record
                .column_by_name(name)
                .ok_or_else(|| Error::bug(format!("no `{name}`"))),
        ),
        _ => None,
    });
    let named: Vec<&ArrayRef> = named.collect::<Result<_>>()?;
    let mut bytes = Vec::with_capacity(16 * record.num_rows());
    for row in 0..record.num_rows() {
        let license = stages
            .license_policy
            .classify(licenses.is_valid(row).then(|| licenses.value(row)));
        let [archived, fork, vendored] =
            flags.map(|flags| flags.is_some_and(|flags| flags.is_valid(row) && flags.value(row)));
        let standing = Standing {
            license,
            stars: known(stars, row),
            forks: known(forks, row),
            archived,
            fork,
            vendored,
            depth: paths.value(row).matches('/').count(),
            columns: named
                .iter()
                .map(|column| value(column, Some(row)))
                .collect::<Option<_>>()
                .unwrap_or_default(),
            identity: Identity {
                repository: repositories.value(row),
                path: paths.value(row),
                blob: if blobs.is_valid(row) { blobs.value(row) } else { &[] },
            },
        };
        bytes.extend(rank(&stages.keep, &standing, FileId(ids.value(row))).to_be_bytes());
    }
    Ok(FixedSizeBinaryArray::try_new(16, bytes.into(), None)?)
}

/// What a row has in a column that a keep policy may name; none for a type that has no order here, and what is missing
/// for no row.
pub fn value(column: &ArrayRef, row: Option<usize>) -> Option<Value<'_>> {
    let row = row.filter(|row| column.is_valid(*row));
    Some(match column.data_type() {
        DataType::Int64 => Value::Number(row.map(|row| column.as_primitive::<Int64Type>().value(row) as f64)),
        DataType::UInt64 => Value::Number(row.map(|row| column.as_primitive::<UInt64Type>().value(row) as f64)),
        DataType::Float64 => Value::Number(row.map(|row| column.as_primitive::<Float64Type>().value(row))),
        DataType::Boolean => Value::Flag(row.map(|row| column.as_boolean().value(row))),
        DataType::Utf8 => Value::Day(row.map(|row| column.as_string::<i32>().value(row))),
        _ => return None,
    })
}

/// Trouble that is the repository's own and will be there the next time, too.
fn is_permanent(error: &Error) -> bool {
    error.is_permanent_trouble()
}

/// Refuses files that a task has no memory for.
pub fn refuse_giants(files: &mut FileBatch) -> Result<()> {
    let lengths = columns::u64s(files.record(), columns::LENGTH_BYTES)?.clone();
    for row in 0..files.num_rows() {
        if lengths.value(row) > MAXIMUM_FILE_BYTES {
            let reason = Reason::measured(lengths.value(row), MAXIMUM_FILE_BYTES);
            files.decide(
                row,
                Outcome::Failed,
                Place {
                    stage: "list",
                    rule: "too-large-to-read",
                },
                reason,
            );
        }
    }
    Ok(())
}

/// The column [`RANK`].
pub fn rank_field() -> Field {
    Field::new(RANK, DataType::FixedSizeBinary(16), false)
}

fn survives_field() -> Field {
    Field::new(SURVIVES, DataType::Boolean, false)
}

/// The columns of the listing table.
pub fn table_schema(schema: &SchemaRef) -> SchemaRef {
    let mut fields = schema.fields().to_vec();
    fields.extend([Arc::new(rank_field()), Arc::new(survives_field())]);
    Arc::new(Schema::new(fields))
}

fn row_of_unit(unit: &Unit, trouble: Option<&str>) -> Result<RecordBatch> {
    let schema = columns::listed();
    let arrays = schema.fields().iter().map(|field| -> ArrayRef {
        match field.name().as_str() {
            columns::REPO_NAME => Arc::new(StringArray::from(vec![unit.repo_name.as_str()])),
            columns::REVISION_ID => Arc::new(StringArray::from(vec![unit.revision_id.as_str()])),
            columns::TROUBLE => Arc::new(StringArray::from(vec![trouble])),
            columns::MODE => Arc::new(UInt32Array::from(vec![0])),
            columns::LENGTH_BYTES | columns::LOCATOR => Arc::new(UInt64Array::from(vec![0])),
            _ => new_null_array(field.data_type(), 1),
        }
    });
    RecordBatch::try_new(schema.clone(), arrays.collect()).context("the row of a repository")
}

/// One unit's rows until all of them are there.
struct Spool {
    /// For what only this task reads.
    here: Workdir,
    path: String,
    schema: SchemaRef,
    waiting: Vec<RecordBatch>,
    waiting_bytes: usize,
    table: Option<TableWriter>,
}

impl Spool {
    fn new(job: &Job, folder: &str, split: u32, schema: SchemaRef) -> Self {
        Self {
            here: job.workdir.here(),
            // Another attempt at the same task may be under way elsewhere.
            path: format!("{folder}/{split:05}-{}", process_digits()),
            schema,
            waiting: Vec::new(),
            waiting_bytes: 0,
            table: None,
        }
    }

    fn push(&mut self, batch: RecordBatch) -> Result<()> {
        self.waiting_bytes += batch.get_array_memory_size();
        self.waiting.push(batch);
        if self.waiting_bytes < SPOOL_BYTES {
            return Ok(());
        }
        let table = match &mut self.table {
            Some(table) => table,
            None => {
                let table = TableWriter::create(&self.here, &self.path, &self.schema)?;
                self.table.insert(table)
            }
        };
        self.waiting_bytes = 0;
        self.waiting.drain(..).try_for_each(|batch| table.write(&batch))
    }

    /// Hands on every row, in order.
    fn drain(self, mut hand_on: impl FnMut(RecordBatch) -> Result<()>) -> Result<()> {
        if let Some(table) = self.table {
            table.commit()?;
            for batch in self.here.place.table(&self.path)? {
                hand_on(batch?)?;
            }
            self.here.discard(&self.path)?;
        }
        self.waiting.into_iter().try_for_each(hand_on)
    }
}

/// What the listing found, all splits together.
#[derive(Default)]
pub struct Listed {
    /// Number of files, and of pages.
    pub size: InputSize,
    /// The pages, as homes of files.
    pub pages: Homes,
    /// The homes of repositories, if copies of them are looked for.
    pub repositories: Homes,
}

impl Listed {
    /// From the reports of all listing tasks, in order.
    pub fn of(reports: &[TaskReport]) -> Self {
        let starts = (0..).zip(reports).flat_map(|(split, report)| {
            let rows = report.input.files + report.troubled.len() as u64 + report.left_out;
            let first = move |page| FileId::new(split, (page * PAGE_FILES) as u32);
            (0..rows.div_ceil(PAGE_FILES).max(1)).map(first)
        });
        let pages = Homes::new(starts.collect());
        let Tally { files, bytes } = listed(reports);
        let homes = pages.count();
        Self {
            size: InputSize { files, bytes, homes },
            pages,
            repositories: Homes::default(),
        }
    }
}

/// Files and bytes of all listing reports.
pub fn listed(reports: &[TaskReport]) -> Tally {
    reports.iter().fold(Tally::default(), |sum, report| Tally {
        files: sum.files + report.input.files,
        bytes: sum.bytes + report.input.bytes,
    })
}
