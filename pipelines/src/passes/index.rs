//! The index of a release: what was found out about each file that was read, so that a later run need not read it again.
//!
//! ```text
//!   content ─► index-sketched/ ─┐                          ┌─ state: decided │ near │ refused │ kept
//!   known/  ────────────────────┼─► syntax ─► index/       │
//!   near-verify ─► index-pairs/ ┘             one row a file of the content pass, in file order
//!   compared    20 blob │ 8 similarity │ 8 met, little endian      one entry a pair that this file was the second of
//! ```
//! A file is known again by `key`: a hash of its blob and of all else that a listing tells the content pass.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, Int64Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, RecordBatch, StringArray, UInt32Array, UInt64Array,
    new_null_array,
};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use arrow_select::take::{take, take_record_batch};
use stackmill_schemas::{Decision, Error, FileId, Result, columns};
use xxhash_rust::xxh3::Xxh3Default;

use super::content::chunk_name;
use super::cut::Layout;
use super::listing::UNIT;
use crate::exchange::Spills;
use crate::job::Job;
use crate::stages::Stages;

/// Folder of the data set.
pub const TABLE: &str = "index";
/// Folder of what the content pass found out, by chunk.
pub const SKETCHED: &str = "index-sketched";
/// Folder of the pairs that were compared, by the home of the second file.
pub const PAIRS: &str = "index-pairs";
/// Folder of what an earlier release knows, by home.
pub const KNOWN: &str = "known";

/// Bytes of a compared pair.
const PAIR_BYTES: usize = 20 + 8 + 8;
/// Texts of a decision, in the order of its schema.
const TEXTS: [&str; 8] = [
    "outcome",
    "stage",
    "rule",
    "value",
    "limit",
    "because_kind",
    "because",
    "trouble",
];

/// How far a file has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The content pass has decided about it.
    Decided,
    /// It was a near-duplicate; nobody has parsed it.
    Near,
    /// The syntax pass has decided about it.
    Refused,
    /// It is in the corpus of this release, or of an earlier one.
    Kept,
}

impl State {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Decided, "decided"),
        (Self::Near, "near"),
        (Self::Refused, "refused"),
        (Self::Kept, "kept"),
    ];

    fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(state, _)| *state == self)
            .map_or("", |(_, word)| word)
    }

    fn parse(word: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(_, known)| *known == word);
        found
            .map(|(state, _)| *state)
            .ok_or_else(|| Error::input(format!("an index has the state `{word}`")).hint("it is of another version"))
    }
}

/// What is known of one file.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The file, in the run that reads this.
    pub file_id: FileId,
    /// What it is known by.
    pub key: [u8; 16],
    /// Its blob.
    pub blob: Option<[u8; 20]>,
    /// How far it came.
    pub state: State,
    /// What was decided, where the state says so.
    pub decision: Option<Decision>,
    /// Its language.
    pub language: Option<String>,
    /// Its license type.
    pub license: Option<String>,
    /// Its bands, if it was compared.
    pub bands: Option<Vec<u8>>,
    /// Pairs whose similarity is known.
    pub compared: Compared,
    /// Bytes of its text in the corpus.
    pub text_bytes: u64,
}

/// Similarities of a file to files before it, by blob; 0 below the threshold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Compared(Vec<([u8; 20], f64, u64)>);

impl Compared {
    /// Adds a pair; `met`: bits of the bands in which it meets, none where nobody asked.
    pub fn push(&mut self, blob: [u8; 20], similarity: f64, met: u64) {
        self.0.push((blob, similarity, met));
    }

    /// The similarity to a blob, if it was compared, and the bands in which both meet.
    pub fn find(&self, blob: &[u8; 20]) -> Option<(f64, u64)> {
        let at = self.0.binary_search_by(|pair| pair.0.cmp(blob)).ok()?;
        Some((self.0[at].1, self.0[at].2))
    }

    fn bytes(&mut self) -> Vec<u8> {
        self.0.sort_unstable_by_key(|pair| pair.0);
        self.0.dedup_by_key(|pair| pair.0);
        let pairs = self.0.iter();
        pairs
            .flat_map(|(blob, similarity, met)| {
                let numbers = similarity.to_le_bytes().into_iter().chain(met.to_le_bytes());
                blob.iter().copied().chain(numbers)
            })
            .collect()
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let (pairs, rest) = bytes.as_chunks::<PAIR_BYTES>();
        if !rest.is_empty() {
            return Err(Error::input("an index has a broken list of pairs"));
        }
        let pair = |pair: &[u8; PAIR_BYTES]| {
            let (blob, numbers) = pair.split_first_chunk::<20>().unwrap_or((&[0; 20], &[]));
            let similarity = numbers.first_chunk::<8>().copied().unwrap_or_default();
            let met = numbers.last_chunk::<8>().copied().unwrap_or_default();
            (*blob, f64::from_le_bytes(similarity), u64::from_le_bytes(met))
        };
        Ok(Self(pairs.iter().map(pair).collect()))
    }
}

/// The columns of the table.
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(fields()))
}

/// The same with the file before them: in scratch.
pub fn scratch_schema() -> SchemaRef {
    let mut fields = fields();
    fields.insert(0, Field::new(columns::FILE_ID, DataType::UInt64, false));
    Arc::new(Schema::new(fields))
}

fn fields() -> Vec<Field> {
    let mut fields = vec![
        Field::new("key", DataType::FixedSizeBinary(16), false),
        Field::new(columns::BLOB_ID, DataType::FixedSizeBinary(20), true),
        Field::new("state", DataType::Utf8, false),
    ];
    fields.extend(TEXTS.map(|name| Field::new(name, DataType::Utf8, true)));
    fields.extend([
        Field::new(columns::LANGUAGE, DataType::Utf8, true),
        Field::new(columns::LICENSE_TYPE, DataType::Utf8, true),
        Field::new(columns::BANDS, DataType::Binary, true),
        Field::new("compared", DataType::Binary, true),
        Field::new("text_bytes", DataType::UInt64, false),
    ]);
    fields
}

/// Entries as a table of scratch, pairs sorted.
pub fn to_record(entries: &mut [Entry]) -> Result<RecordBatch> {
    let mut arrays: Vec<ArrayRef> = vec![Arc::new(UInt64Array::from_iter_values(
        entries.iter().map(|entry| entry.file_id.0),
    ))];
    arrays.push(fixed(entries.iter().map(|entry| Some(entry.key)), 16)?);
    arrays.push(fixed(entries.iter().map(|entry| entry.blob), 20)?);
    let texts = |get: &dyn Fn(&Entry) -> Option<&str>| -> ArrayRef {
        Arc::new(entries.iter().map(get).collect::<StringArray>())
    };
    arrays.push(texts(&|entry| Some(entry.state.word())));
    let (mut decisions, mut places) = (Vec::new(), Vec::new());
    for entry in entries.iter() {
        places.push(entry.decision.is_some().then_some(decisions.len() as u32));
        decisions.extend(entry.decision.clone());
    }
    let (decisions, places) = (Decision::to_record(&decisions)?, UInt32Array::from(places));
    for name in TEXTS {
        arrays.push(take(columns::strings(&decisions, name)?, &places, None)?);
    }
    arrays.push(texts(&|entry| entry.language.as_deref()));
    arrays.push(texts(&|entry| entry.license.as_deref()));
    arrays.push(Arc::new(
        entries
            .iter()
            .map(|entry| entry.bands.as_deref())
            .collect::<BinaryArray>(),
    ));
    let pairs: Vec<Vec<u8>> = entries.iter_mut().map(|entry| entry.compared.bytes()).collect();
    arrays.push(Arc::new(BinaryArray::from_iter_values(pairs)));
    arrays.push(Arc::new(UInt64Array::from_iter_values(
        entries.iter().map(|entry| entry.text_bytes),
    )));
    Ok(RecordBatch::try_new(scratch_schema(), arrays)?)
}

/// The inverse of [`to_record`].
pub fn from_record(record: &RecordBatch) -> Result<Vec<Entry>> {
    let ids = columns::u64s(record, columns::FILE_ID)?;
    let (keys, blobs) = (
        columns::fixed(record, "key")?,
        columns::fixed(record, columns::BLOB_ID)?,
    );
    let texts = |name: &str| columns::strings(record, name);
    let (states, languages) = (texts("state")?, texts(columns::LANGUAGE)?);
    let licenses = texts(columns::LICENSE_TYPE)?;
    let (bands, pairs) = (
        columns::binaries(record, columns::BANDS)?,
        columns::binaries(record, "compared")?,
    );
    let bytes = columns::u64s(record, "text_bytes")?;
    let mut decisions = decisions(record)?.into_iter().peekable();
    let get = |array: &StringArray, row: usize| array.is_valid(row).then(|| array.value(row).to_owned());
    let entry = |row: usize| {
        let file_id = FileId(ids.value(row));
        Ok(Entry {
            file_id,
            key: keys
                .value(row)
                .try_into()
                .map_err(|_| Error::bug("a key is not 16 bytes"))?,
            blob: blobs.is_valid(row).then(|| blobs.value(row).try_into().ok()).flatten(),
            state: State::parse(states.value(row))?,
            decision: decisions.next_if(|(at, _)| *at == row).map(|(_, decision)| decision),
            language: get(languages, row),
            license: get(licenses, row),
            bands: bands.is_valid(row).then(|| bands.value(row).to_vec()),
            compared: Compared::parse(pairs.value(row))?,
            text_bytes: bytes.value(row),
        })
    };
    (0..record.num_rows()).map(entry).collect()
}

/// Rows that have a decision, with it.
fn decisions(record: &RecordBatch) -> Result<Vec<(usize, Decision)>> {
    let outcomes = columns::strings(record, "outcome")?;
    let rows: Vec<u32> = (0..record.num_rows() as u32)
        .filter(|&row| outcomes.is_valid(row as usize))
        .collect();
    let decided = take_record_batch(record, &UInt32Array::from(rows.clone()))?;
    let schema = Decision::schema();
    let array = |field: &Arc<Field>| match decided.column_by_name(field.name()) {
        Some(column) => column.clone(),
        None => new_null_array(field.data_type(), rows.len()),
    };
    let decided = RecordBatch::try_new(schema.clone(), schema.fields().iter().map(array).collect())?;
    let decisions = Decision::from_record(&decided)?;
    Ok(rows.into_iter().map(|row| row as usize).zip(decisions).collect())
}

fn fixed<const N: usize>(values: impl Iterator<Item = Option<[u8; N]>>, width: i32) -> Result<ArrayRef> {
    let array = FixedSizeBinaryArray::try_from_sparse_iter_with_size(values, width)?;
    Ok(Arc::new(array))
}

/// What is known of the files of a home by an earlier release, in file order; nothing where none is named.
pub fn known(job: &Job, home: u32) -> Result<Vec<Entry>> {
    let Some(previous) = &job.stages.previous else {
        return Ok(Vec::new());
    };
    let mut entries = Vec::new();
    for batch in Spills::new(&job.workdir, KNOWN, previous.partitions()).partition(home) {
        entries.extend(from_record(&batch?)?);
    }
    entries.sort_unstable_by_key(|entry| entry.file_id);
    Ok(entries)
}

/// What files are known by: a hash of all columns of a listing that the content pass may read. Contents, revisions and what
/// the keep policy alone asks for are left out: the blob stands for the first, the others decide nothing here.
#[derive(Clone, Debug)]
pub struct Keys(Vec<String>);

impl Keys {
    /// For the listing of these stages.
    pub fn new(stages: &Stages) -> Result<Self> {
        let elsewhere = [
            columns::FILE_ID,
            columns::SOURCE,
            columns::REVISION_ID,
            columns::LOCATOR,
            columns::TROUBLE,
            columns::HISTORY,
            columns::STARS,
            columns::FORKS,
            UNIT,
        ];
        let further = stages.known.fields();
        let is_elsewhere = |name: &str| elsewhere.contains(&name) || further.iter().any(|field| field.name() == name);
        let schema = stages.listing_schema()?;
        let names = schema.fields().iter().map(|field| field.name().clone());
        Ok(Self(names.filter(|name| !is_elsewhere(name)).collect()))
    }

    /// The key of each row.
    pub fn of(&self, record: &RecordBatch) -> Result<Vec<[u8; 16]>> {
        let mut hashers = vec![Xxh3Default::new(); record.num_rows()];
        for name in &self.0 {
            let column = record.column_by_name(name);
            let column = column.ok_or_else(|| Error::bug(format!("the listing has lost `{name}`")))?;
            for (row, hasher) in hashers.iter_mut().enumerate() {
                hasher.update(&[u8::from(column.is_valid(row))]);
                if column.is_valid(row) {
                    hash_value(column, row, hasher)?;
                }
            }
        }
        Ok(hashers.iter().map(|hasher| hasher.digest128().to_be_bytes()).collect())
    }
}

fn hash_value(column: &ArrayRef, row: usize, hasher: &mut Xxh3Default) -> Result<()> {
    let mut bytes = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    match column.data_type() {
        DataType::Utf8 => bytes(column.as_string::<i32>().value(row).as_bytes()),
        DataType::FixedSizeBinary(_) => bytes(column.as_fixed_size_binary().value(row)),
        DataType::Binary => bytes(column.as_binary::<i32>().value(row)),
        DataType::Boolean => bytes(&[u8::from(column.as_boolean().value(row))]),
        DataType::UInt32 => bytes(&column.as_primitive::<UInt32Type>().value(row).to_le_bytes()),
        DataType::UInt64 => bytes(&column.as_primitive::<UInt64Type>().value(row).to_le_bytes()),
        DataType::Int64 => bytes(&column.as_primitive::<Int64Type>().value(row).to_le_bytes()),
        DataType::Float64 => bytes(&column.as_primitive::<Float64Type>().value(row).to_le_bytes()),
        other => return Err(Error::bug(format!("a listing has a column of type {other}"))),
    }
    Ok(())
}

/// What becomes the index of one chunk.
pub struct Remembering {
    entries: Vec<Entry>,
    fates: HashMap<FileId, Fate>,
}

enum Fate {
    Refused(Decision),
    Kept(u64),
}

impl Remembering {
    /// What the content pass, an earlier release and comparisons know of the files of chunk `task`.
    pub fn open(job: &Job, layout: &Layout, task: u32) -> Result<Self> {
        let mut entries = known(job, task)?;
        let place = &job.workdir.place;
        for batch in place.table(&format!("{SKETCHED}/{}", chunk_name(&layout.chunks[task as usize])))? {
            entries.extend(from_record(&batch?)?);
        }
        entries.sort_unstable_by_key(|entry| entry.file_id);
        for batch in place.table(&format!("{PAIRS}/{task:05}"))? {
            remember_pairs(&batch?, &mut entries)?;
        }
        let fates = HashMap::new();
        Ok(Self { entries, fates })
    }

    /// Takes note of what the syntax pass decided.
    pub fn refuse(&mut self, decisions: &[Decision]) {
        let fates = decisions
            .iter()
            .map(|decision| (decision.file_id, Fate::Refused(decision.clone())));
        self.fates.extend(fates);
    }

    /// Takes note of a file in the corpus, of so many bytes of text.
    pub fn keep(&mut self, file: FileId, bytes: u64) {
        self.fates.insert(file, Fate::Kept(bytes));
    }

    /// The rows of the index.
    pub fn finish(mut self) -> Result<RecordBatch> {
        for entry in &mut self.entries {
            match self.fates.remove(&entry.file_id) {
                Some(Fate::Kept(bytes)) => (entry.state, entry.text_bytes) = (State::Kept, bytes),
                Some(Fate::Refused(decision)) => (entry.state, entry.decision) = (State::Refused, Some(decision)),
                None => {}
            }
        }
        let mut rows = to_record(&mut self.entries)?;
        rows.remove_column(0);
        Ok(rows)
    }
}

/// Adds what `near-verify` and an earlier release say of pairs; older sayings are forgotten where there are new ones.
fn remember_pairs(pairs: &RecordBatch, entries: &mut [Entry]) -> Result<()> {
    let (ranks, blobs) = (columns::fixed(pairs, "rank_b")?, columns::fixed(pairs, "blob_a")?);
    let similarities = columns::f64s(pairs, "similarity")?;
    let met = columns::u64s(pairs, "met")?;
    for row in (0..pairs.num_rows()).filter(|&row| blobs.is_valid(row)) {
        let file = file_of(ranks.value(row))?;
        let at = entries.binary_search_by_key(&file, |entry| entry.file_id);
        let at = at.map_err(|_| Error::bug(format!("file {file} was compared far from home")))?;
        let blob = blobs
            .value(row)
            .try_into()
            .map_err(|_| Error::bug("a blob id is not 20 bytes"))?;
        let met = if met.is_valid(row) { met.value(row) } else { 0 };
        entries[at].compared.push(blob, similarities.value(row), met);
    }
    Ok(())
}

/// The file in the bytes of a rank.
pub fn file_of(rank: &[u8]) -> Result<FileId> {
    let bytes = rank.try_into().map_err(|_| Error::bug("a rank is not 16 bytes"))?;
    Ok(stackmill_schemas::rank::file_of(u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use stackmill_schemas::{Outcome, Reason};

    #[test]
    fn entries_survive_a_trip_through_arrow() {
        let decision = Decision {
            file_id: FileId(7),
            outcome: Outcome::Dropped,
            stage: "rules".to_owned(),
            rule: "line-max".to_owned(),
            reason: Reason::measured(3u64, 2u64),
        };
        let entry = |id, state, decision: Option<Decision>| Entry {
            file_id: FileId(id),
            key: [id as u8; 16],
            blob: (id != 8).then_some([9; 20]),
            state,
            decision,
            language: Some("Rust".to_owned()),
            license: None,
            bands: (id == 8).then(|| vec![1, 2]),
            compared: Compared(vec![([2; 20], 0.75, 5), ([1; 20], 0.0, 0)]),
            text_bytes: id,
        };
        let mut entries = [
            entry(6, State::Kept, None),
            entry(7, State::Decided, Some(decision)),
            entry(8, State::Near, None),
        ];
        let record = to_record(&mut entries).expect("a table");
        let back = from_record(&record).expect("entries");
        let told = |entries: &[Entry]| format!("{entries:?}").replace("Number(3)", "").replace("Number(2)", "");
        assert_eq!(back.len(), 3);
        assert_eq!(told(&back[..1]), told(&entries[..1]));
        assert_eq!(told(&back[2..]), told(&entries[2..]));
        let rule = back[1]
            .decision
            .as_ref()
            .map(|decision| (decision.rule.as_str(), decision.file_id.0));
        assert_eq!(rule, Some(("line-max", 7)));
        assert_eq!(back[0].compared.find(&[2; 20]), Some((0.75, 5)));
        assert_eq!(back[0].compared.find(&[3; 20]), None);
    }
}
