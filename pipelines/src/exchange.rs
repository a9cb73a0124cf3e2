//! Exchanges on disk: every scattering task writes one file, sorted by partition and indexed; gather reads its slices.
//!
//! ```text
//!   WORK/<exchange>/NNNNN     ┌ segment ┬ segment ┬ … ┬ index (JSON) ┬ u64 xxh3 of the index ┬ u64 its length ┐
//!   segment                   an Arrow IPC stream of one partition's rows
//!   index                     [[partition, offset, length, xxh3 of the segment], …]
//! ```
//! Rows wait in memory until `FLUSH_BYTES` are there, so a task's memory does not grow with what it scatters.

use std::io::{Cursor, Write};

use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use serde::{Deserialize, Serialize};
use stackmill_schemas::context::{Batches, Homes, TaskContext};
use stackmill_schemas::stage::{Exchange, Scatter};
use stackmill_schemas::{Error, FileId, Result, columns};
use xxhash_rust::xxh3::xxh3_64;

use crate::place::{Place, Stored};
use crate::table;
use crate::workdir::{NewFile, Workdir};

/// Rows are written once this many bytes wait.
const FLUSH_BYTES: usize = 16 << 20;

/// Read at the end of a spill file at once: most indexes are shorter.
const TAIL_BYTES: u64 = 1 << 15;

type Index = Vec<(u32, u64, u64, u64)>;

/// What one task scatters into one exchange.
pub struct SpillWriter {
    file: NewFile,
    schema: SchemaRef,
    waiting: Vec<(RecordBatch, Vec<u32>)>,
    waiting_bytes: usize,
    index: Index,
    offset: u64,
}

impl SpillWriter {
    /// The spill file of task `task` in folder `name`.
    pub fn create(workdir: &Workdir, name: &str, task: u32, schema: SchemaRef) -> Result<Self> {
        let file = workdir.scratch(&format!("{name}/{task:05}"))?;
        Ok(Self {
            file,
            schema,
            waiting: Vec::new(),
            waiting_bytes: 0,
            index: Vec::new(),
            offset: 0,
        })
    }

    /// Sends each row to its partition.
    pub fn send(&mut self, rows: RecordBatch, partitions: &[u32]) -> Result<()> {
        if rows.num_rows() != partitions.len() {
            return Err(Error::bug(format!(
                "{} rows for {} partitions",
                rows.num_rows(),
                partitions.len()
            )));
        }
        if rows.num_rows() == 0 {
            return Ok(());
        }
        self.waiting_bytes += rows.get_array_memory_size() + 4 * partitions.len();
        self.waiting.push((rows, partitions.to_vec()));
        if self.waiting_bytes >= FLUSH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Sends decisions (or any rows with a `file_id`) to the homes of their files.
    pub fn send_home(&mut self, rows: RecordBatch, homes: &Homes) -> Result<()> {
        let ids = columns::u64s(&rows, columns::FILE_ID)?;
        let partitions: Vec<u32> = ids.values().iter().map(|&id| homes.of(FileId(id))).collect();
        self.send(rows, &partitions)
    }

    fn flush(&mut self) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        if waiting.is_empty() {
            return Ok(());
        }
        let all = concat_batches(&self.schema, waiting.iter().map(|(rows, _)| rows))?;
        let partitions: Vec<u32> = waiting
            .iter()
            .flat_map(|(_, partitions)| partitions.iter().copied())
            .collect();
        drop(waiting);
        let mut order: Vec<u32> = (0..partitions.len() as u32).collect();
        order.sort_by_key(|&row| partitions[row as usize]);
        for run in order.chunk_by(|&a, &b| partitions[a as usize] == partitions[b as usize]) {
            let rows = take_record_batch(&all, &UInt32Array::from(run.to_vec()))?;
            self.segment(partitions[run[0] as usize], &rows)?;
        }
        Ok(())
    }

    fn segment(&mut self, partition: u32, rows: &RecordBatch) -> Result<()> {
        let mut writer = table::stream_writer(Vec::new(), &self.schema)?;
        writer.write(rows)?;
        let bytes = writer.into_inner()?;
        self.file.write_all(&bytes)?;
        let length = bytes.len() as u64;
        self.index.push((partition, self.offset, length, xxh3_64(&bytes)));
        self.offset += length;
        Ok(())
    }

    /// Completes the file.
    pub fn commit(mut self) -> Result<()> {
        self.flush()?;
        let index = serde_json::to_vec(&self.index).map_err(|error| Error::bug(error.to_string()))?;
        self.file.write_all(&index)?;
        self.file.write_all(&xxh3_64(&index).to_le_bytes())?;
        self.file.write_all(&(index.len() as u64).to_le_bytes())?;
        self.file.commit()?;
        Ok(())
    }
}

/// Where rows are between those who scatter and those who gather them. Scratch knows, because a run cannot change it
/// half-way: rows that an engine carries are gone with its processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Carriage {
    /// All are in spill files.
    Files,
    /// Small ones are carried by a cluster engine.
    Engine,
}

/// Who carries scattered rows to their partitions; whoever it is, gather sees the same rows.
pub trait Carrier: Send + Sync {
    /// Takes what one task scatters.
    fn scatter(&self, workdir: &Workdir, target: Target<'_>, task: u32) -> Result<SpillWriter>;

    /// The rows of one partition.
    fn gather(&self, workdir: &Workdir, target: Target<'_>, partition: u32) -> Result<Batches<'static>>;
}

/// Spill files in scratch, which all tasks see.
#[derive(Clone, Copy, Debug)]
pub struct Files;

impl Carrier for Files {
    fn scatter(&self, workdir: &Workdir, target: Target<'_>, task: u32) -> Result<SpillWriter> {
        let exchange = target.exchange;
        SpillWriter::create(workdir, exchange.name(), task, exchange.keyed())
    }

    fn gather(&self, workdir: &Workdir, target: Target<'_>, partition: u32) -> Result<Batches<'static>> {
        Ok(Spills::new(workdir, target.exchange.name(), target.feeders).partition(partition))
    }
}

/// An exchange on its way: the contract's scatter, wired to a spill file.
pub struct Scattering<'a> {
    /// The exchange.
    pub exchange: &'a dyn Exchange,
    /// Its number of partitions.
    pub partitions: u32,
    /// Where files live.
    pub homes: &'a Homes,
    /// The spill file.
    pub spill: SpillWriter,
}

impl<'a> Scattering<'a> {
    /// Into `spill`, which the carrier gave.
    pub fn new(target: Target<'a>, spill: SpillWriter) -> Self {
        let Target {
            exchange,
            partitions,
            homes,
            ..
        } = target;
        Self {
            exchange,
            partitions,
            homes,
            spill,
        }
    }

    /// Scatters a batch.
    pub fn scatter(&mut self, batch: &RecordBatch, cx: &TaskContext) -> Result<()> {
        let spill = &mut self.spill;
        let mut send = |rows: RecordBatch, partitions: &[u32]| spill.send(rows, partitions);
        let mut to = Scatter {
            send: &mut send,
            partitions: self.partitions,
            homes: self.homes,
        };
        self.exchange.scatter(batch, &mut to, cx)
    }
}

/// Where scattered rows go.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The exchange.
    pub exchange: &'a dyn Exchange,
    /// Its number of partitions.
    pub partitions: u32,
    /// Where files live.
    pub homes: &'a Homes,
    /// Number of tasks that scatter into it.
    pub feeders: u32,
}

/// The spill files of an exchange, one of each task that fed it.
#[derive(Clone, Debug)]
pub struct Spills {
    place: Place,
    folder: String,
    files: u32,
}

impl Spills {
    /// Those of `files` tasks in folder `name`; 0 tasks for an exchange that is off.
    pub fn new(workdir: &Workdir, name: &str, files: u32) -> Self {
        Self {
            place: workdir.place.clone(),
            folder: name.to_owned(),
            files,
        }
    }

    /// The rows of one partition, in task order. A file that is gone is an error: its rows would vanish.
    pub fn partition(&self, partition: u32) -> Batches<'static> {
        self.rows(Some(partition))
    }

    /// The rows of all partitions.
    pub fn whole(&self) -> Batches<'static> {
        self.rows(None)
    }

    fn rows(&self, partition: Option<u32>) -> Batches<'static> {
        let (place, folder) = (self.place.clone(), self.folder.clone());
        Box::new((0..self.files).flat_map(move |task| {
            let slices = slices(&place, &format!("{folder}/{task:05}"), partition);
            slices.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
        }))
    }
}

/// The segments of one spill file as they are, each with its partition; read one after the other.
pub fn segments(place: &Place, path: &str) -> Result<impl Iterator<Item = Result<(u32, Vec<u8>)>> + use<>> {
    let file = place.stored(path)?;
    let index = read_index(&file)?;
    Ok(index
        .into_iter()
        .map(move |(partition, offset, length, hash)| Ok((partition, segment(&file, offset, length, hash)?))))
}

/// The rows of a segment.
pub fn segment_rows(segment: Vec<u8>) -> Result<Batches<'static>> {
    table::read_stream(Cursor::new(segment), "a carried segment".to_owned())
}

/// The segments of a partition, or all.
fn slices(place: &Place, path: &str, partition: Option<u32>) -> Result<Batches<'static>> {
    let file = place.stored(path)?;
    let index = read_index(&file)?;
    let wanted = index
        .into_iter()
        .filter(move |entry| partition.is_none_or(|wanted| entry.0 == wanted));
    Ok(Box::new(wanted.flat_map(move |(_, offset, length, hash)| {
        let rows =
            segment(&file, offset, length, hash).and_then(|rows| table::read_stream(Cursor::new(rows), file.name()));
        rows.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    })))
}

/// The index, in one read where it is not long.
fn read_index(file: &Stored) -> Result<Index> {
    let changed = || table::damaged(&table::CHANGED).context(file.name());
    let whole = file.length()?;
    let tail_start = whole.saturating_sub(TAIL_BYTES);
    let tail = file.range(tail_start, whole - tail_start)?;
    let (rest, footer) = tail.split_last_chunk::<16>().ok_or_else(changed)?;
    let (hash, length) = footer.split_at(8);
    let number = |bytes: &[u8]| {
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    };
    let (hash, length) = (number(hash), number(length));
    let start = (whole - 16).checked_sub(length).ok_or_else(changed)?;
    let json = match start.checked_sub(tail_start) {
        Some(at) => rest[at as usize..].to_vec(),
        None => file.range(start, length)?,
    };
    if xxh3_64(&json) != hash {
        return Err(changed());
    }
    serde_json::from_slice(&json).map_err(|error| table::damaged(&error).context(file.name()))
}

/// One segment, at most about `FLUSH_BYTES`; its hash is checked before it is parsed.
fn segment(file: &Stored, offset: u64, length: u64, hash: u64) -> Result<Vec<u8>> {
    let bytes = file.range(offset, length)?;
    match xxh3_64(&bytes) == hash {
        true => Ok(bytes),
        false => Err(table::damaged(&table::CHANGED).context(file.name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::UInt64Array;
    use arrow_schema::{DataType, Field, Schema};
    use std::sync::Arc;

    fn rows(ids: std::ops::Range<u64>) -> RecordBatch {
        let schema = Schema::new(vec![Field::new(columns::FILE_ID, DataType::UInt64, false)]);
        RecordBatch::try_new(Arc::new(schema), vec![Arc::new(UInt64Array::from_iter_values(ids))]).expect("one column")
    }

    fn spill(workdir: &Workdir, task: u32, ids: std::ops::Range<u64>) {
        let rows = rows(ids);
        let odd: Vec<u32> = columns::u64s(&rows, columns::FILE_ID)
            .expect("ids")
            .values()
            .iter()
            .map(|id| (id % 2) as u32)
            .collect();
        let mut writer = SpillWriter::create(workdir, "x", task, rows.schema()).expect("made");
        writer.send(rows, &odd).expect("sent");
        writer.commit().expect("committed");
    }

    fn gathered(spills: &Spills, partition: u32) -> Result<Vec<u64>> {
        let mut ids = Vec::new();
        for batch in spills.partition(partition) {
            ids.extend(columns::u64s(&batch?, columns::FILE_ID)?.values());
        }
        Ok(ids)
    }

    #[test]
    fn rows_come_back_in_task_order_or_not_at_all() {
        let folder = std::env::temp_dir().join(format!("stackmill-exchange-{}", std::process::id()));
        let workdir = Workdir::create(&folder, &folder, u64::MAX).expect("the temporary folder can be written to");
        spill(&workdir, 1, 10..14);
        spill(&workdir, 0, 0..3);
        spill(&workdir, 2, 90..99);
        let two = Spills::new(&workdir, "x", 2);
        assert_eq!(gathered(&two, 0).ok(), Some(vec![0, 2, 10, 12]));
        assert_eq!(gathered(&two, 1).ok(), Some(vec![1, 11, 13]));
        assert_eq!(gathered(&Spills::new(&workdir, "x", 0), 0).ok(), Some(vec![]));
        assert!(
            gathered(&Spills::new(&workdir, "x", 4), 0).is_err(),
            "a task's file is gone"
        );
        let path = folder.join("x/00001");
        let whole = std::fs::read(&path).expect("there");
        for at in (0..whole.len()).step_by(7) {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            std::fs::write(&path, &bent).expect("written");
            assert!(gathered(&two, 0).is_err() || gathered(&two, 1).is_err(), "byte {at}");
            std::fs::write(&path, &whole[..at]).expect("written");
            assert!(gathered(&two, 0).is_err(), "cut at {at}");
        }
        std::fs::remove_dir_all(folder).expect("deleted");
    }
}
