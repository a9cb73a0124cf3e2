//! Syntax: keepers are parsed, filtered once more, redacted, decontaminated, written to the corpus and tokenized.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::cast::AsArray as _;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array, UInt64Array, new_null_array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use stackmill_dedup::blocks::Cuts;
use stackmill_filters::syntax::Fact;
use stackmill_schemas::ids::hex;
use stackmill_schemas::manifest::Tally;
use stackmill_schemas::{Decision, FileBatch, FileId, Outcome, Result, TaskContext, columns};

use super::blocks;
use super::comparison::{self, Names, STRUCTURAL};
use super::content::{Reader, chunk_name};
use super::cut::{HAS_COPIES, Layout};
use super::index::{self, Remembering, State};
use super::left::{TEXT_BYTES, project, shard_columns};
use super::recall::reread;
use super::sketch::without;
use super::{DecisionWriter, Fused, Meter, Step, TaskReport, finish};
use crate::exchange::Scattering;
use crate::job::Job;
use crate::shard::ShardWriter;
use crate::table::TableWriter;

/// Column of a corpus position: number of the shard.
pub const SHARD: &str = "shard";
/// Column of a corpus position: row in the shard.
pub const ROW: &str = "row";
/// Column of tokens, as `tokenize` adds it.
const TOKENS: &str = "tokens";

/// The columns of the corpus, in order; those whose stage is off are left out.
const CORPUS: &[&str] = &[
    columns::REPO_NAME,
    columns::REVISION_ID,
    columns::PATH,
    columns::BLOB_ID,
    columns::CONTENT_HASH,
    columns::LANGUAGE,
    columns::LICENSE_EXPRESSION,
    columns::LICENSE_TYPE,
    columns::IS_VENDOR,
    columns::IS_GENERATED,
    columns::LENGTH_BYTES,
    columns::CONTENT,
    columns::STARS,
    columns::FORKS,
    columns::CLUSTER_ID,
    columns::STRUCTURAL_CLUSTER,
    columns::REDACTIONS,
    columns::HEADER_BYTES,
    columns::CUT_LINES,
    columns::FINDINGS,
    columns::HISTORY,
];

/// One task a chunk.
pub struct Syntax<'a> {
    /// The run.
    pub job: &'a Job,
    /// What the cut left.
    pub layout: &'a Layout,
}

/// Where kept files are in the corpus.
pub fn positions_schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new(columns::FILE_ID, DataType::UInt64, false),
        Field::new(SHARD, DataType::UInt32, true),
        Field::new(ROW, DataType::UInt32, true),
        Field::new("bytes", DataType::UInt64, false),
    ]))
}

impl Step for Syntax<'_> {
    fn name(&self) -> &'static str {
        "syntax"
    }

    fn tasks(&self) -> u32 {
        self.layout.chunks.len() as u32
    }

    fn run(&self, task: u32, cx: &TaskContext) -> Result<TaskReport> {
        let chunk = &self.layout.chunks[task as usize];
        let mut work = Task::open(self, task, cx)?;
        for batch in self.job.workdir.place.table(&format!("work/{}", chunk_name(chunk)))? {
            cx.check()?;
            work.shard_batch(&batch?)?;
        }
        if self.job.stages.previous.is_some() {
            work.earlier(&chunk_name(chunk))?;
        }
        work.commit()
    }

    fn spent(&self) -> Vec<String> {
        let stages = &self.job.stages;
        let (index, previous) = (stages.has_index(), stages.previous.is_some());
        let of_index = [index::SKETCHED, index::PAIRS].into_iter().filter(|_| index);
        let of_previous = [index::KNOWN, "survivors"].into_iter().filter(|_| previous);
        let spent = ["work", blocks::CUTS].into_iter().chain(of_index).chain(of_previous);
        spent.map(str::to_owned).collect()
    }
}

struct Task<'a> {
    job: &'a Job,
    cx: &'a TaskContext,
    number: u32,
    compared: Compared,
    cuts: Option<Cuts>,
    maps: Fused,
    meter: Meter,
    corpus: Option<ShardWriter>,
    positions: TableWriter,
    decisions: DecisionWriter,
    pack: Option<Scattering<'a>>,
    index: Option<Remembering>,
    report: TaskReport,
}

/// What comparisons decided about this chunk's files.
#[derive(Default)]
struct Compared {
    gone: HashSet<u64>,
    keepers: HashSet<u64>,
    /// Cluster of a file, by structure; there if the stage is on.
    structural: Option<HashMap<u64, String>>,
}

impl Compared {
    fn load(job: &Job, layout: &Layout, task: u32) -> Result<Self> {
        let mut this = Self {
            structural: job.stages.structural.is_some().then(HashMap::new),
            ..Self::default()
        };
        for names in comparison::ALL {
            for batch in job.decisions(names, layout).partition(task) {
                for decision in Decision::from_record(&batch?)? {
                    this.note(names, &decision);
                }
            }
        }
        Ok(this)
    }

    fn note(&mut self, names: &Names, decision: &Decision) {
        let id = decision.file_id.0;
        match (decision.outcome, &mut self.structural) {
            (Outcome::Kept, Some(structural)) if names.index == STRUCTURAL.index => {
                structural.extend(decision.because_text().map(|cluster| (id, cluster)));
            }
            (Outcome::Kept, _) => drop(self.keepers.insert(id)),
            _ => drop(self.gone.insert(id)),
        }
    }

    /// The clusters of files, by structure.
    fn structural(&self, files: &RecordBatch) -> Result<Option<ArrayRef>> {
        let Some(structural) = &self.structural else {
            return Ok(None);
        };
        let ids = columns::u64s(files, columns::FILE_ID)?.values().iter();
        let clusters = ids.map(|id| structural.get(id).map(String::as_str));
        Ok(Some(Arc::new(clusters.collect::<StringArray>())))
    }
}

impl<'a> Task<'a> {
    fn open(step: &Syntax<'a>, task: u32, cx: &'a TaskContext) -> Result<Self> {
        let (job, layout) = (step.job, step.layout);
        let workdir = &job.workdir;
        let positions = TableWriter::create(workdir, &format!("positions/{task:05}"), &positions_schema())?;
        Ok(Self {
            job,
            cx,
            number: task,
            compared: Compared::load(job, layout, task)?,
            cuts: blocks::load_cuts(job, task)?,
            maps: Fused::open(&job.stages.syntax, cx)?,
            meter: Meter::default(),
            corpus: None,
            positions,
            decisions: DecisionWriter::create(workdir, "syntax-decisions", task)?,
            pack: job
                .pack_target(layout)
                .map(|target| job.scatter(target, task))
                .transpose()?,
            index: match job.stages.has_index() {
                true => Some(Remembering::open(job, layout, task)?),
                false => None,
            },
            report: TaskReport::default(),
        })
    }

    /// Files that an earlier release knows: what became of them there stands, but for those that are kept now and were
    /// near-duplicates then.
    fn earlier(&mut self, name: &str) -> Result<()> {
        let mut promoted = BTreeSet::new();
        let mut held = Vec::new();
        let mut refused = Vec::new();
        for entry in index::known(self.job, self.number)? {
            match entry.state {
                _ if self.compared.gone.contains(&entry.file_id.0) => {}
                State::Decided => {}
                State::Near => drop(promoted.insert(entry.file_id)),
                State::Refused => refused.extend(entry.decision),
                State::Kept => held.push((entry.file_id.0, entry.text_bytes)),
            }
        }
        self.report.input.files += (held.len() + refused.len()) as u64;
        self.decisions.write(&refused)?;
        self.report.held = self.hold(&held)?;
        if promoted.is_empty() {
            return Ok(());
        }
        let (job, cx) = (self.job, self.cx);
        let mut reader = Reader::open(job, cx)?;
        self.report.reread = reread(&mut reader, (job, name), &promoted, &mut |files| {
            let shard = files.project(&shard_columns(&files.schema()))?;
            self.shard_batch(&shard)
        })?;
        Ok(())
    }

    /// Files, with the bytes of their texts, that are kept and not in this corpus.
    fn hold(&mut self, held: &[(u64, u64)]) -> Result<Tally> {
        let bytes = UInt64Array::from_iter_values(held.iter().map(|(_, bytes)| *bytes));
        let nowhere = || new_null_array(&DataType::UInt32, held.len());
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(UInt64Array::from_iter_values(held.iter().map(|(id, _)| *id))),
            nowhere(),
            nowhere(),
            Arc::new(bytes),
        ];
        self.positions
            .write(&RecordBatch::try_new(positions_schema(), arrays)?)?;
        let bytes = held.iter().map(|(_, bytes)| bytes).sum();
        self.report.input.bytes += bytes;
        let files = held.len() as u64;
        Ok(Tally { files, bytes })
    }

    fn shard_batch(&mut self, batch: &RecordBatch) -> Result<()> {
        let keepers = without(batch, &self.compared.gone)?;
        self.report.input.files += keepers.num_rows() as u64;
        if keepers.num_rows() == 0 {
            return Ok(());
        }
        let clusters = self.clusters(&keepers)?;
        let field = Field::new(columns::CLUSTER_ID, DataType::Utf8, true);
        let structural = self.compared.structural(&keepers)?;
        let mut files = FileBatch::new(keepers)?.with_column(field, clusters)?;
        if let Some(structural) = structural {
            let field = Field::new(columns::STRUCTURAL_CLUSTER, DataType::Utf8, true);
            files = files.with_column(field, structural)?;
        }
        if let Some(cuts) = &self.cuts {
            files = cuts.attach(files)?;
        }
        let (kept, decisions) = finish(self.maps.map(files, &self.meter)?)?;
        self.decisions.write(&decisions)?;
        if let Some(index) = &mut self.index {
            index.refuse(&decisions);
        }
        self.keep(&kept)
    }

    /// A keeper's cluster is named after its own blob.
    fn clusters(&self, files: &RecordBatch) -> Result<ArrayRef> {
        let ids = columns::u64s(files, columns::FILE_ID)?;
        let copies = columns::booleans(files, HAS_COPIES)?;
        let blobs = columns::fixed(files, columns::BLOB_ID)?;
        let mut out = StringBuilder::new();
        for row in 0..files.num_rows() {
            let keeper = copies.value(row) || self.compared.keepers.contains(&ids.value(row));
            out.append_option((keeper && blobs.is_valid(row)).then(|| hex(blobs.value(row))));
        }
        Ok(Arc::new(out.finish()))
    }

    fn keep(&mut self, kept: &RecordBatch) -> Result<()> {
        if kept.num_rows() == 0 {
            return Ok(());
        }
        if !self.job.stages.corpus {
            let ids = columns::u64s(kept, columns::FILE_ID)?.values().iter();
            let files: Vec<(u64, u64)> = ids.copied().zip(text_bytes(kept)?).collect();
            return self.hold(&files).map(drop);
        }
        let published = corpus_batch(kept, self.job)?;
        let corpus = match &mut self.corpus {
            Some(corpus) => corpus,
            None => {
                let path = format!("corpus/part-{:05}.parquet", self.number);
                self.corpus
                    .insert(ShardWriter::create(&self.job.workdir, &path, &published.schema())?)
            }
        };
        let first = corpus.rows() as u32;
        self.meter.charge("corpus", 0, || corpus.write(&published))?;
        let positions = self.positions(kept, first)?;
        self.positions.write(&positions)?;
        let Some(pack) = &mut self.pack else { return Ok(()) };
        let tokens = token_rows(kept, &positions)?;
        self.meter.charge("pack", 0, || pack.scatter(&tokens, self.cx))
    }

    fn positions(&mut self, kept: &RecordBatch, first: u32) -> Result<RecordBatch> {
        let count = kept.num_rows();
        let bytes = UInt64Array::from(text_bytes(kept)?);
        self.report.input.bytes += bytes.values().iter().sum::<u64>();
        let ids = kept.column_by_name(columns::FILE_ID).cloned();
        if let Some(index) = &mut self.index {
            let files = columns::u64s(kept, columns::FILE_ID)?.values().iter();
            files
                .zip(bytes.values())
                .for_each(|(id, bytes)| index.keep(FileId(*id), *bytes));
        }
        let rows: UInt32Array = (first..first + count as u32).map(Some).collect();
        let shard = UInt32Array::from_value(self.number, count);
        let ids = ids.ok_or_else(|| stackmill_schemas::Error::bug("files without ids"))?;
        Ok(RecordBatch::try_new(
            positions_schema(),
            vec![ids, Arc::new(shard), Arc::new(rows), Arc::new(bytes)],
        )?)
    }

    fn commit(mut self) -> Result<TaskReport> {
        if let Some(corpus) = self.corpus {
            self.report.published.push(corpus.commit()?);
        }
        if let Some(index) = self.index.take() {
            let path = format!("{}/part-{:05}.parquet", index::TABLE, self.number);
            let mut table = ShardWriter::create(&self.job.workdir, &path, &index::schema())?;
            table.write(&index.finish()?)?;
            self.report.published.push(table.commit()?);
        }
        self.positions.commit()?;
        self.decisions.commit()?;
        if let Some(pack) = self.pack {
            pack.spill.commit()?;
        }
        self.report.costs = self.meter.costs();
        Ok(self.report)
    }
}

/// Bytes of the text of each file.
fn text_bytes(kept: &RecordBatch) -> Result<Vec<u64>> {
    if kept.schema().index_of(TEXT_BYTES).is_ok() {
        return Ok(columns::u64s(kept, TEXT_BYTES)?.values().to_vec());
    }
    let content = columns::strings(kept, columns::CONTENT)?;
    Ok((0..kept.num_rows())
        .map(|row| content.value_length(row) as u64)
        .collect())
}

fn token_rows(kept: &RecordBatch, positions: &RecordBatch) -> Result<RecordBatch> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (record, name) in [
        (kept, columns::REPO_NAME),
        (positions, SHARD),
        (positions, ROW),
        (kept, TOKENS),
    ] {
        let at = record.schema().index_of(name)?;
        fields.push(Arc::clone(&record.schema().fields()[at]));
        arrays.push(record.column(at).clone());
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// The columns to publish: of history only if a source reads it, then the facts of syntax that the recipe names, then
/// what lists of repositories and `[metadata]` added.
fn corpus_columns(job: &Job) -> Vec<String> {
    let (has_history, facts) = (job.has_history(), &job.recipe.parse.columns);
    let columns = CORPUS.iter().copied();
    let columns = columns.filter(|name| has_history || *name != columns::HISTORY);
    let facts = Fact::ALL.into_iter().filter(|fact| facts.contains(fact));
    let added = job.stages.known.fields();
    let named = columns.chain(facts.map(Fact::column)).map(str::to_owned);
    named
        .chain(added.into_iter().map(|field| field.name().clone()))
        .collect()
}

/// The published columns; ids and hashes become hexadecimal text.
fn corpus_batch(kept: &RecordBatch, job: &Job) -> Result<RecordBatch> {
    let schema = kept.schema();
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for name in &corpus_columns(job) {
        let Ok(at) = schema.index_of(name) else { continue };
        let field = schema.field(at);
        if let Some(fixed) = kept.column(at).as_fixed_size_binary_opt() {
            let texts = (0..fixed.len()).map(|row| fixed.is_valid(row).then(|| hex(fixed.value(row))));
            arrays.push(Arc::new(texts.collect::<StringArray>()));
            fields.push(Field::new(name, DataType::Utf8, field.is_nullable()));
        } else {
            arrays.push(kept.column(at).clone());
            fields.push(field.clone());
        }
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?)
}

/// A kept file's place in the corpus, and its bytes of content.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    /// Number of the shard; none where an earlier release has the text.
    pub shard: Option<u32>,
    /// Row in the shard.
    pub row: Option<u32>,
    /// Bytes of content.
    pub bytes: u64,
}

/// Adds the positions of one chunk's kept files.
pub fn load_positions(job: &Job, task: u32, positions: &mut HashMap<FileId, Position>) -> Result<()> {
    for batch in job.workdir.place.table(&format!("positions/{task:05}"))? {
        let batch = project(&batch?, &positions_schema())?;
        let (ids, bytes) = (
            columns::u64s(&batch, columns::FILE_ID)?,
            columns::u64s(&batch, "bytes")?,
        );
        let (shards, rows) = (columns::u32s(&batch, SHARD)?, columns::u32s(&batch, ROW)?);
        let position = |i| Position {
            shard: shards.is_valid(i).then(|| shards.value(i)),
            row: rows.is_valid(i).then(|| rows.value(i)),
            bytes: bytes.value(i),
        };
        positions.extend((0..batch.num_rows()).map(|i| (FileId(ids.value(i)), position(i))));
    }
    Ok(())
}

/// Files and bytes that reached the corpus.
pub fn kept(reports: &[TaskReport]) -> Tally {
    super::listing::listed(reports)
}
