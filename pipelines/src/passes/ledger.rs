//! The ledger: listing ⋈ decisions ⋈ positions, one row for every listed path; clusters beside it; and the counts.
//!
//! Everything is in file order or cut by page and chunk, so that the join holds no more than those at once.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, Float64Builder, StringBuilder};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use stackmill_ingest::lists::opt_out;
use stackmill_schemas::ids::hex;
use stackmill_schemas::manifest::Tally;
use stackmill_schemas::{Decision, Error, FileId, Outcome, Result, ResultExt, TaskContext, columns};

use super::content::chunk_name;
use super::cut::Layout;
use super::left::{notes_schema, project};
use super::listing::Listed;
use super::syntax::{Position, load_positions};
use super::verdicts::{Following, Pages, Verdicts, measured};
use super::{Chunk, Step, TaskReport, comparison, syntax};
use crate::job::Job;
use crate::shard::ShardWriter;

/// One task a split.
pub struct Ledger<'a> {
    /// The run.
    pub job: &'a Job,
    /// What the listing found.
    pub listed: &'a Listed,
    /// What the cut left.
    pub layout: &'a Layout,
}

/// What one split's ledger counts; the funnel is their sum.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Files listed (rows with a path).
    pub listed: u64,
    /// Rows of repositories that could not be read.
    pub repositories_failed: u64,
    /// Repositories that have opted out before they were cloned.
    pub repositories_opted_out: u64,
    /// Files in the corpus.
    pub kept: u64,
    /// What each rule did.
    pub rules: Vec<RuleCount>,
    /// Kept files by language.
    pub languages: BTreeMap<String, Tally>,
    /// Kept files by license type.
    pub licenses: BTreeMap<String, Tally>,
    /// Files left out because of each opt-out list.
    #[serde(default)]
    pub opt_outs: BTreeMap<String, u64>,
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

/// The columns of the ledger; `history` only where a source reads it.
pub fn ledger_schema(has_history: bool) -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let number = |name: &str, data_type, nullable| Field::new(name, data_type, nullable);
    let mut fields = vec![
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
    ];
    if has_history {
        fields.push(Field::new(columns::HISTORY, columns::history(), true));
    }
    Arc::new(Schema::new(fields))
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
        let mut facts = Facts::open(self, split)?;
        let workdir = &self.job.workdir;
        let schema = ledger_schema(self.job.has_history());
        let mut ledger = ShardWriter::create(workdir, &format!("ledger/part-{split:05}.parquet"), &schema)?;
        let mut clusters: Option<ShardWriter> = None;
        let mut counts = Counting::default();
        for batch in workdir.place.table(&format!("listing/{split:05}"))? {
            cx.check()?;
            let batch = batch?;
            let fates = facts.fates(&batch)?;
            ledger.write(&ledger_batch(&schema, &batch, &fates)?)?;
            counts.add(&batch, &fates)?;
            let members = Members::of(&batch, &fates)?;
            if members.num_rows() > 0 {
                let clusters = match &mut clusters {
                    Some(clusters) => clusters,
                    None => {
                        let path = format!("clusters/part-{split:05}.parquet");
                        clusters.insert(ShardWriter::create(workdir, &path, &clusters_schema())?)
                    }
                };
                clusters.write(&members)?;
            }
        }
        facts.finish()?;
        let mut published = vec![ledger.commit()?];
        published.extend(clusters.map(ShardWriter::commit).transpose()?);
        Ok(TaskReport {
            published,
            counts: Some(counts.finish()),
            ..TaskReport::default()
        })
    }

    fn spent(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What is known of one split's files beside their listing, as far as the walk over it has come.
struct Facts<'a> {
    step: &'a Ledger<'a>,
    listing: Following,
    pages: [Pages<'a>; 2],
    /// Number of the chunk that is loaded next, and the one after this split's last.
    chunks: Range<u32>,
    verdicts: Verdicts,
    positions: HashMap<FileId, Position>,
    notes: HashMap<FileId, Note>,
}

/// What became of one row, and what the ledger says of it besides.
struct Fate {
    end: End,
    keeper_of: Vec<Decision>,
    note: Note,
}

/// Its decision, or its place in the corpus.
enum End {
    Kept(Position),
    Gone(Decision),
}

impl End {
    fn position(&self) -> Option<Position> {
        match self {
            Self::Kept(position) => Some(*position),
            Self::Gone(_) => None,
        }
    }

    fn decision(&self) -> Option<&Decision> {
        match self {
            Self::Kept(_) => None,
            Self::Gone(decision) => Some(decision),
        }
    }
}

#[derive(Default)]
struct Note {
    language: Option<String>,
    license: Option<String>,
}

impl<'a> Facts<'a> {
    fn open(step: &'a Ledger<'a>, split: u32) -> Result<Self> {
        let place = &step.job.workdir.place;
        let chunk = |split| step.layout.chunks.partition_point(|chunk| chunk.split < split) as u32;
        Ok(Self {
            step,
            listing: Following::new(place.table(&format!("listing-decisions/{split:05}"))?),
            pages: [
                Pages::new(step.listed, step.job.repository_decisions(step.listed), split),
                Pages::new(step.listed, step.job.exact_decisions(step.listed), split),
            ],
            chunks: chunk(split)..chunk(split + 1),
            verdicts: Verdicts::default(),
            positions: HashMap::new(),
            notes: HashMap::new(),
        })
    }

    /// Each row's one fate; a row with none or two is our own mistake.
    fn fates(&mut self, batch: &RecordBatch) -> Result<Vec<Fate>> {
        let ids = columns::u64s(batch, columns::FILE_ID)?.values();
        if let Some(&last) = ids.last() {
            self.upto(FileId(last))?;
        }
        ids.iter().map(|&id| self.fate(FileId(id))).collect()
    }

    /// Loads what there is about files up to `last`, and not much more.
    fn upto(&mut self, last: FileId) -> Result<()> {
        self.listing.upto(last, &mut self.verdicts)?;
        for pages in &mut self.pages {
            pages.upto(last, &mut self.verdicts)?;
        }
        let chunks = &self.step.layout.chunks;
        while !self.chunks.is_empty() && chunks[self.chunks.start as usize].first <= last.0 {
            let number = self.chunks.start;
            self.chunks.start += 1;
            self.load(number, &chunks[number as usize])?;
        }
        Ok(())
    }

    fn load(&mut self, number: u32, chunk: &Chunk) -> Result<()> {
        let job = self.step.job;
        for pass in ["content-decisions", "syntax-decisions"] {
            self.verdicts
                .add(job.workdir.place.table(&format!("{pass}/{number:05}"))?)?;
        }
        for names in comparison::ALL {
            self.verdicts
                .add(job.decisions(names, self.step.layout).partition(number))?;
        }
        load_positions(job, number, &mut self.positions)?;
        load_notes(job, chunk, &mut self.notes)
    }

    fn fate(&mut self, id: FileId) -> Result<Fate> {
        let (verdict, keeper_of) = self.verdicts.take(id);
        let end = match (self.positions.remove(&id), verdict) {
            (Some(position), None) => End::Kept(position),
            (None, Some(decision)) => End::Gone(decision),
            (None, None) => return Err(Error::bug(format!("file {id} vanished"))),
            (Some(_), Some(d)) => return Err(Error::bug(format!("file {id} is kept and {}", d.outcome.as_str()))),
        };
        let note = self.notes.remove(&id).unwrap_or_default();
        Ok(Fate { end, keeper_of, note })
    }

    fn finish(self) -> Result<()> {
        match self.positions.len() {
            0 => self.verdicts.finish(),
            left => Err(Error::bug(format!("{left} files of the corpus were never listed"))),
        }
    }
}

fn load_notes(job: &Job, chunk: &Chunk, notes: &mut HashMap<FileId, Note>) -> Result<()> {
    for batch in job.workdir.place.table(&format!("notes/{}", chunk_name(chunk)))? {
        let batch = project(&batch?, &notes_schema())?;
        let ids = columns::u64s(&batch, columns::FILE_ID)?;
        let languages = columns::strings(&batch, columns::LANGUAGE)?;
        let licenses = columns::strings(&batch, columns::LICENSE_TYPE)?;
        let get = |array: &StringArray, row| array.is_valid(row).then(|| array.value(row).to_owned());
        let note = |row| Note {
            language: get(languages, row),
            license: get(licenses, row),
        };
        notes.extend((0..batch.num_rows()).map(|row| (FileId(ids.value(row)), note(row))));
    }
    Ok(())
}

/// A column of texts, one a row.
fn texts<'a, T: AsRef<str>>(fates: &'a [Fate], get: impl Fn(&'a Fate) -> Option<T>) -> ArrayRef {
    Arc::new(fates.iter().map(get).collect::<StringArray>())
}

fn ledger_batch(schema: &SchemaRef, listing: &RecordBatch, fates: &[Fate]) -> Result<RecordBatch> {
    let of = |get: &dyn Fn(&Decision) -> Option<String>| texts(fates, |fate| fate.end.decision().and_then(get));
    let because = |fate: &Fate| fate.end.decision()?.because_file().map(|(id, _)| id.0);
    let place = |get: fn(Position) -> Option<u32>| -> ArrayRef {
        let places = fates.iter().map(|fate| fate.end.position().and_then(get));
        Arc::new(places.collect::<UInt32Array>())
    };
    let listed = |name: &str| {
        listing
            .column_by_name(name)
            .cloned()
            .ok_or_else(|| Error::bug(format!("no `{name}`")))
    };
    let verdict = |fate: &Fate| Some(fate.end.decision().map_or("kept", |decision| decision.outcome.as_str()));
    let mut arrays: Vec<ArrayRef> = vec![
        listed(columns::SOURCE)?,
        listed(columns::REPO_NAME)?,
        listed(columns::REVISION_ID)?,
        listed(columns::PATH)?,
        listed(columns::MODE)?,
        listed(columns::FILE_ID)?,
        Arc::new(blob_texts(listing)?),
        listed(columns::LENGTH_BYTES)?,
        texts(fates, |fate| fate.note.language.as_deref()),
        texts(fates, |fate| fate.note.license.as_deref()),
        texts(fates, verdict),
        of(&|d| Some(d.stage.clone())),
        of(&|d| Some(d.rule.clone())),
        of(&|d| d.reason.value.as_ref().map(ToString::to_string)),
        of(&|d| d.reason.limit.as_ref().map(ToString::to_string)),
        of(&Decision::because_text),
        Arc::new(fates.iter().map(because).collect::<UInt64Array>()),
        of(&|d| d.reason.trouble.clone()),
        place(|position| position.shard),
        place(|position| position.row),
    ];
    if schema.column_with_name(columns::HISTORY).is_some() {
        arrays.push(listed(columns::HISTORY)?);
    }
    RecordBatch::try_new(schema.clone(), arrays).context("the ledger")
}

fn blob_texts(listing: &RecordBatch) -> Result<StringArray> {
    let blobs = columns::fixed(listing, columns::BLOB_ID)?;
    Ok((0..blobs.len())
        .map(|row| blobs.is_valid(row).then(|| hex(blobs.value(row))))
        .collect())
}

/// Rows of the clusters, one for every membership.
#[derive(Default)]
struct Members {
    ids: StringBuilder,
    places: [StringBuilder; 4],
    kept: BooleanBuilder,
    similarity: Float64Builder,
    kind: StringBuilder,
}

impl Members {
    /// The memberships of the files of one batch.
    fn of(listing: &RecordBatch, fates: &[Fate]) -> Result<RecordBatch> {
        let mut this = Self::default();
        let blobs = blob_texts(listing)?;
        let [repo, revision, path] = [columns::REPO_NAME, columns::REVISION_ID, columns::PATH];
        let texts = [
            columns::strings(listing, repo)?,
            columns::strings(listing, revision)?,
            columns::strings(listing, path)?,
            &blobs,
        ];
        for (row, fate) in fates.iter().enumerate() {
            let gone = fate.end.decision().filter(|decision| decision.because_file().is_some());
            for member in fate.keeper_of.iter().chain(gone) {
                for (builder, array) in this.places.iter_mut().zip(texts) {
                    builder.append_option(array.is_valid(row).then(|| array.value(row)));
                }
                this.member(member, fate.end.position().is_some());
            }
        }
        this.finish()
    }

    fn member(&mut self, decision: &Decision, kept: bool) {
        self.ids.append_value(decision.because_text().unwrap_or_default());
        self.kept.append_value(kept);
        self.similarity
            .append_value(decision.because_file().map_or(1.0, |(_, similarity)| similarity));
        self.kind.append_value(&decision.stage);
    }

    fn finish(mut self) -> Result<RecordBatch> {
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
    fn add(&mut self, listing: &RecordBatch, fates: &[Fate]) -> Result<()> {
        let paths = columns::strings(listing, columns::PATH)?;
        let repos = columns::strings(listing, columns::REPO_NAME)?;
        for (row, fate) in fates.iter().enumerate() {
            if paths.is_null(row) {
                match fate.end.decision().map(|decision| decision.outcome) {
                    Some(Outcome::Dropped) => self.counts.repositories_opted_out += 1,
                    _ => self.counts.repositories_failed += 1,
                }
                continue;
            }
            self.counts.listed += 1;
            match &fate.end {
                End::Kept(position) => self.keep(&fate.note, position.bytes),
                End::Gone(decision) => self.lose(decision, repos.value(row), paths.value(row)),
            }
        }
        Ok(())
    }

    fn keep(&mut self, note: &Note, bytes: u64) {
        self.counts.kept += 1;
        let tallies = [
            (&mut self.counts.languages, &note.language),
            (&mut self.counts.licenses, &note.license),
        ];
        for (tallies, key) in tallies {
            let key = key.clone().unwrap_or_else(|| "(unknown)".to_owned());
            let tally = tallies.entry(key).or_default();
            tally.files += 1;
            tally.bytes += bytes;
        }
    }

    fn lose(&mut self, decision: &Decision, repo: &str, path: &str) {
        if decision.stage == opt_out::STAGE {
            let because = decision.because_text().unwrap_or_default();
            let list = because.rsplit_once(" line ").map_or("", |(list, _)| list);
            *self.counts.opt_outs.entry(list.to_owned()).or_default() += 1;
        }
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
