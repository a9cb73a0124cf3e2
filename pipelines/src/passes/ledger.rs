//! The ledger: listing ⋈ decisions ⋈ positions, one row for every listed path; clusters beside it; and the counts.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, StringBuilder, UInt32Builder, UInt64Builder};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use stackmill_schemas::ids::hex;
use stackmill_schemas::manifest::Tally;
use stackmill_schemas::{Decision, Error, FileId, Outcome, Result, ResultExt, TaskContext, columns};

use super::content::{chunk_name, notes_schema, project};
use super::{Chunk, Step, TaskReport, listing, read_decisions, syntax};
use crate::job::Job;
use crate::shard::ShardWriter;
use crate::table;

/// One task a split.
pub struct Ledger<'a> {
    /// The run.
    pub job: &'a Job,
    /// All chunks of all splits.
    pub chunks: &'a [Chunk],
}

/// What one split's ledger counts; the funnel is their sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Files listed (rows with a path).
    pub listed: u64,
    /// Rows of repositories that could not be read.
    pub repositories_failed: u64,
    /// Files in the corpus.
    pub kept: u64,
    /// What each rule did.
    pub rules: Vec<RuleCount>,
    /// Kept files by language.
    pub languages: BTreeMap<String, Tally>,
    /// Kept files by license type.
    pub licenses: BTreeMap<String, Tally>,
}

/// What one rule of one stage did in one split.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleCount {
    /// The stage.
    pub stage: String,
    /// The rule.
    pub rule: String,
    /// Files dropped.
    pub dropped: u64,
    /// Files failed.
    pub failed: u64,
    /// The first of them, in words.
    pub example: Option<String>,
}

/// The columns of the ledger.
pub fn ledger_schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let number = |name: &str, data_type, nullable| Field::new(name, data_type, nullable);
    Arc::new(Schema::new(vec![
        text(columns::SOURCE, false),
        text(columns::REPO_NAME, false),
        text(columns::REVISION_ID, false),
        text(columns::PATH, true),
        number(columns::MODE, DataType::UInt32, false),
        number(columns::FILE_ID, DataType::UInt64, false),
        text(columns::BLOB_ID, true),
        number(columns::LENGTH_BYTES, DataType::UInt64, false),
        text(columns::LANGUAGE, true),
        text(columns::LICENSE_TYPE, true),
        text("verdict", false),
        text("stage", true),
        text("rule", true),
        text("value", true),
        text("limit", true),
        text("because", true),
        number("because_file_id", DataType::UInt64, true),
        text("trouble", true),
        number(syntax::SHARD, DataType::UInt32, true),
        number(syntax::ROW, DataType::UInt32, true),
    ]))
}

/// The columns of the clusters.
pub fn clusters_schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    Arc::new(Schema::new(vec![
        text(columns::CLUSTER_ID, false),
        text(columns::REPO_NAME, false),
        text(columns::REVISION_ID, false),
        text(columns::PATH, true),
        text(columns::BLOB_ID, true),
        Field::new("kept", DataType::Boolean, false),
        Field::new("similarity", DataType::Float64, false),
        text("kind", false),
    ]))
}

impl Step for Ledger<'_> {
    fn name(&self) -> &'static str {
        "ledger"
    }

    fn tasks(&self) -> u32 {
        self.job.splits.len() as u32
    }

    fn run(&self, split: u32, cx: &TaskContext) -> Result<TaskReport> {
        let facts = Facts::load(self.job, self.chunks, split, cx)?;
        let workdir = &self.job.workdir;
        let mut ledger = ShardWriter::create(workdir, &format!("ledger/part-{split:05}.parquet"), &ledger_schema())?;
        let mut clusters = Clusters::default();
        let mut counts = Counting::default();
        for batch in table::read(&workdir.work.join(format!("listing/{split:05}")))? {
            cx.check()?;
            let batch = batch?;
            let ends = facts.ends(&batch)?;
            ledger.write(&ledger_batch(&batch, &facts, &ends)?)?;
            clusters.add(&batch, &facts, &ends)?;
            counts.add(&batch, &facts, &ends)?;
        }
        let mut report = TaskReport {
            published: vec![ledger.commit()?],
            ..TaskReport::default()
        };
        if clusters.rows > 0 {
            let path = format!("clusters/part-{split:05}.parquet");
            let mut shard = ShardWriter::create(workdir, &path, &clusters_schema())?;
            shard.write(&clusters.finish()?)?;
            report.published.push(shard.commit()?);
        }
        report.counts = Some(counts.finish());
        Ok(report)
    }

    fn spent(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Everything that is known of one split's files beside their listing.
struct Facts {
    decisions: HashMap<u64, Decision>,
    keepers: HashMap<u64, Vec<Decision>>,
    positions: HashMap<u64, (u32, u32, u64)>,
    notes: HashMap<u64, (Option<String>, Option<String>)>,
}

/// What became of one row: its decision, or its place in the corpus.
#[derive(Clone, Copy)]
enum End<'a> {
    Kept(u32, u32, u64),
    Gone(&'a Decision),
}

impl Facts {
    fn load(job: &Job, chunks: &[Chunk], split: u32, cx: &TaskContext) -> Result<Self> {
        let work = &job.workdir.work;
        let mut all = listing::decisions(job, split)?;
        all.extend(read_decisions(job.exact_decisions().partition(split))?);
        let near = job.near_decisions(&cx.homes);
        let (mut positions, mut notes) = (HashMap::new(), HashMap::new());
        for (number, chunk) in chunks.iter().enumerate().filter(|(_, chunk)| chunk.split == split) {
            for pass in ["content-decisions", "syntax-decisions"] {
                all.extend(read_decisions(table::read(&work.join(format!("{pass}/{number:05}")))?)?);
            }
            all.extend(read_decisions(near.partition(number as u32))?);
            positions.extend(syntax::load_positions(job, number as u32)?);
            load_notes(job, chunk, &mut notes)?;
        }
        let mut this = Self {
            decisions: HashMap::new(),
            keepers: HashMap::new(),
            positions,
            notes,
        };
        all.into_iter().try_for_each(|decision| this.decide(decision))?;
        Ok(this)
    }

    fn decide(&mut self, decision: Decision) -> Result<()> {
        let id = decision.file_id.0;
        if decision.outcome == Outcome::Kept {
            self.keepers.entry(id).or_default().push(decision);
            return Ok(());
        }
        match self.decisions.insert(id, decision) {
            Some(first) => Err(Error::bug(format!(
                "file {} has two verdicts, one by `{}`",
                FileId(id),
                first.stage
            ))),
            None => Ok(()),
        }
    }

    /// Each row's one end; a row with none or two is our own mistake.
    fn ends(&self, batch: &RecordBatch) -> Result<Vec<End<'_>>> {
        let ids = columns::u64s(batch, columns::FILE_ID)?.values();
        let end = |id: &u64| match (self.positions.get(id), self.decisions.get(id)) {
            (Some(&(shard, row, bytes)), None) => Ok(End::Kept(shard, row, bytes)),
            (None, Some(decision)) => Ok(End::Gone(decision)),
            (None, None) => Err(Error::bug(format!("file {} vanished", FileId(*id)))),
            (Some(_), Some(d)) => Err(Error::bug(format!(
                "file {} is kept and {}",
                FileId(*id),
                d.outcome.as_str()
            ))),
        };
        ids.iter().map(end).collect()
    }

    fn note(&self, id: u64) -> (Option<&str>, Option<&str>) {
        self.notes.get(&id).map_or((None, None), |(language, license)| {
            (language.as_deref(), license.as_deref())
        })
    }
}

type Notes = HashMap<u64, (Option<String>, Option<String>)>;

fn load_notes(job: &Job, chunk: &Chunk, notes: &mut Notes) -> Result<()> {
    for batch in table::read(&job.workdir.work.join(format!("notes/{}", chunk_name(chunk))))? {
        let batch = project(&batch?, &notes_schema())?;
        let ids = columns::u64s(&batch, columns::FILE_ID)?;
        let languages = columns::strings(&batch, columns::LANGUAGE)?;
        let licenses = columns::strings(&batch, columns::LICENSE_TYPE)?;
        let get = |array: &StringArray, row| array.is_valid(row).then(|| array.value(row).to_owned());
        notes.extend((0..batch.num_rows()).map(|row| (ids.value(row), (get(languages, row), get(licenses, row)))));
    }
    Ok(())
}

fn ledger_batch(listing: &RecordBatch, facts: &Facts, ends: &[End<'_>]) -> Result<RecordBatch> {
    let ids = columns::u64s(listing, columns::FILE_ID)?;
    let decision = |end: &End<'_>| match end {
        End::Gone(decision) => Some((*decision).clone()),
        End::Kept(..) => None,
    };
    let decisions: Vec<Option<Decision>> = ends.iter().map(decision).collect();
    let texts = |get: &dyn Fn(usize) -> Option<String>| -> ArrayRef {
        let mut builder = StringBuilder::new();
        (0..ends.len()).for_each(|row| builder.append_option(get(row)));
        Arc::new(builder.finish())
    };
    let of = |get: &dyn Fn(&Decision) -> Option<String>| texts(&|row| decisions[row].as_ref().and_then(get));
    let mut because = UInt64Builder::new();
    let (mut shards, mut rows) = (UInt32Builder::new(), UInt32Builder::new());
    for (end, decision) in ends.iter().zip(&decisions) {
        because.append_option(decision.as_ref().and_then(Decision::because_file).map(|(id, _)| id.0));
        let place = if let End::Kept(shard, row, _) = end {
            Some((*shard, *row))
        } else {
            None
        };
        shards.append_option(place.map(|(shard, _)| shard));
        rows.append_option(place.map(|(_, row)| row));
    }
    let listed = |name: &str| {
        listing
            .column_by_name(name)
            .cloned()
            .ok_or_else(|| Error::bug(format!("no `{name}`")))
    };
    let arrays: Vec<ArrayRef> = vec![
        listed(columns::SOURCE)?,
        listed(columns::REPO_NAME)?,
        listed(columns::REVISION_ID)?,
        listed(columns::PATH)?,
        listed(columns::MODE)?,
        listed(columns::FILE_ID)?,
        Arc::new(blob_texts(listing)?),
        listed(columns::LENGTH_BYTES)?,
        texts(&|row| facts.note(ids.value(row)).0.map(str::to_owned)),
        texts(&|row| facts.note(ids.value(row)).1.map(str::to_owned)),
        texts(&|row| {
            Some(
                decisions[row]
                    .as_ref()
                    .map_or("kept", |d| d.outcome.as_str())
                    .to_owned(),
            )
        }),
        of(&|d| Some(d.stage.clone())),
        of(&|d| Some(d.rule.clone())),
        of(&|d| d.reason.value.as_ref().map(ToString::to_string)),
        of(&|d| d.reason.limit.as_ref().map(ToString::to_string)),
        of(&Decision::because_text),
        Arc::new(because.finish()),
        of(&|d| d.reason.trouble.clone()),
        Arc::new(shards.finish()),
        Arc::new(rows.finish()),
    ];
    RecordBatch::try_new(ledger_schema(), arrays).context("the ledger")
}

fn blob_texts(listing: &RecordBatch) -> Result<StringArray> {
    let blobs = columns::fixed(listing, columns::BLOB_ID)?;
    Ok((0..blobs.len())
        .map(|row| blobs.is_valid(row).then(|| hex(blobs.value(row))))
        .collect())
}

#[derive(Default)]
struct Clusters {
    ids: StringBuilder,
    places: [StringBuilder; 4],
    kept: BooleanBuilder,
    similarity: Float64Builder,
    kind: StringBuilder,
    rows: usize,
}

impl Clusters {
    fn add(&mut self, listing: &RecordBatch, facts: &Facts, ends: &[End<'_>]) -> Result<()> {
        let ids = columns::u64s(listing, columns::FILE_ID)?;
        let blobs = blob_texts(listing)?;
        let mut names = Vec::new();
        for name in [columns::REPO_NAME, columns::REVISION_ID, columns::PATH] {
            names.push(columns::strings(listing, name)?);
        }
        for (row, end) in ends.iter().enumerate() {
            let own = facts.keepers.get(&ids.value(row)).into_iter().flatten();
            let gone = if let End::Gone(decision) = end {
                Some(*decision)
            } else {
                None
            };
            for member in own.chain(gone.filter(|decision| decision.because_file().is_some())) {
                let texts = [names[0], names[1], names[2], &blobs];
                for (builder, array) in self.places.iter_mut().zip(texts) {
                    builder.append_option(array.is_valid(row).then(|| array.value(row)));
                }
                self.member(member, matches!(end, End::Kept(..)));
            }
        }
        Ok(())
    }

    fn member(&mut self, decision: &Decision, kept: bool) {
        self.ids.append_value(decision.because_text().unwrap_or_default());
        self.kept.append_value(kept);
        self.similarity
            .append_value(decision.because_file().map_or(1.0, |(_, similarity)| similarity));
        self.kind.append_value(&decision.stage);
        self.rows += 1;
    }

    fn finish(&mut self) -> Result<RecordBatch> {
        let [repo, revision, path, blob] = &mut self.places;
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(self.ids.finish()),
            Arc::new(repo.finish()),
            Arc::new(revision.finish()),
            Arc::new(path.finish()),
            Arc::new(blob.finish()),
            Arc::new(self.kept.finish()),
            Arc::new(self.similarity.finish()),
            Arc::new(self.kind.finish()),
        ];
        RecordBatch::try_new(clusters_schema(), arrays).context("clusters")
    }
}

#[derive(Default)]
struct Counting {
    counts: Counts,
    rules: BTreeMap<(String, String), RuleCount>,
}

impl Counting {
    fn add(&mut self, listing: &RecordBatch, facts: &Facts, ends: &[End<'_>]) -> Result<()> {
        let ids = columns::u64s(listing, columns::FILE_ID)?;
        let paths = columns::strings(listing, columns::PATH)?;
        let repos = columns::strings(listing, columns::REPO_NAME)?;
        for (row, end) in ends.iter().enumerate() {
            if paths.is_null(row) {
                self.counts.repositories_failed += 1;
                continue;
            }
            self.counts.listed += 1;
            match end {
                End::Kept(_, _, bytes) => self.keep(facts.note(ids.value(row)), *bytes),
                End::Gone(decision) => self.lose(decision, repos.value(row), paths.value(row)),
            }
        }
        Ok(())
    }

    fn keep(&mut self, (language, license): (Option<&str>, Option<&str>), bytes: u64) {
        self.counts.kept += 1;
        let tallies = [
            (&mut self.counts.languages, language),
            (&mut self.counts.licenses, license),
        ];
        for (tallies, key) in tallies {
            let tally = tallies.entry(key.unwrap_or("(unknown)").to_owned()).or_default();
            tally.files += 1;
            tally.bytes += bytes;
        }
    }

    fn lose(&mut self, decision: &Decision, repo: &str, path: &str) {
        let key = (decision.stage.clone(), decision.rule.clone());
        let count = self.rules.entry(key).or_insert_with(|| RuleCount {
            stage: decision.stage.clone(),
            rule: decision.rule.clone(),
            example: Some(format!("{repo}: {path}{}", measured(decision))),
            ..RuleCount::default()
        });
        match decision.outcome {
            Outcome::Failed => count.failed += 1,
            _ => count.dropped += 1,
        }
    }

    fn finish(mut self) -> Counts {
        self.counts.rules = self.rules.into_values().collect();
        self.counts
    }
}

/// ` (value 1200, limit 1000)`, as far as there is something to say.
pub fn measured(decision: &Decision) -> String {
    let reason = &decision.reason;
    let parts = [
        reason.value.as_ref().map(|value| format!("value {value}")),
        reason.limit.as_ref().map(|limit| format!("limit {limit}")),
        reason.trouble.clone(),
        decision.because_text().map(|text| format!("because of {text}")),
    ];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    if said.is_empty() {
        String::new()
    } else {
        format!(" ({})", said.join(", "))
    }
}
