//! Exchanges on disk: every scattering task writes one file, sorted by partition and indexed; gather reads its slices.
//!
//! ```text
//!   WORK/<exchange>/NNNNN     ┌ segment ┬ segment ┬ … ┬ index (JSON) ┬ u64 length of the index ┐
//!   segment                   an Arrow IPC stream of one partition's rows
//!   index                     [[partition, offset, length], …]
//! ```
//! Rows wait in memory until [`FLUSH_BYTES`] are there, so a task's memory does not grow with what it scatters.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::SchemaRef;
use arrow_select::concat::concat_batches;
use arrow_select::take::take_record_batch;
use stackmill_schemas::context::{Batches, Homes, TaskContext};
use stackmill_schemas::stage::{Exchange, Scatter};
use stackmill_schemas::{Error, FileId, Result, ResultExt, columns};

use crate::table;
use crate::workdir::{NewFile, Workdir};

/// Rows are written once this many bytes wait.
const FLUSH_BYTES: usize = 24 << 20;

type Index = Vec<(u32, u64, u64)>;

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
        self.index.push((partition, self.offset, bytes.len() as u64));
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Completes the file.
    pub fn commit(mut self) -> Result<()> {
        self.flush()?;
        let index = serde_json::to_vec(&self.index).map_err(|error| Error::bug(error.to_string()))?;
        self.file.write_all(&index)?;
        self.file.write_all(&(index.len() as u64).to_le_bytes())?;
        self.file.commit()?;
        Ok(())
    }
}

/// An exchange on its way to disk: the contract's scatter, wired to a spill file.
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
    /// Opens the spill file of `task`.
    pub fn create(workdir: &Workdir, to: Target<'a>, task: u32) -> Result<Self> {
        let Target {
            exchange,
            partitions,
            homes,
        } = to;
        let spill = SpillWriter::create(workdir, exchange.name(), task, exchange.keyed())?;
        Ok(Self {
            exchange,
            partitions,
            homes,
            spill,
        })
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
}

/// One partition of the spill files in `folder`, in task order; an exchange that nobody fed is empty.
pub fn partition(folder: &Path, partition: u32) -> Result<Batches<'static>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if !path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with('.'))
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(Box::new(files.into_iter().flat_map(move |path| {
        match slices(&path, partition) {
            Ok(batches) => batches,
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    })))
}

fn slices(path: &Path, partition: u32) -> Result<Batches<'static>> {
    let place = path.display().to_string();
    let mut file = File::open(path).with_context(|| place.clone())?;
    let index = read_index(&mut file).with_context(|| place.clone())?;
    let path = path.to_owned();
    let wanted = index.into_iter().filter(move |entry| entry.0 == partition);
    Ok(Box::new(wanted.flat_map(move |(_, offset, length)| {
        match slice(&path, offset, length) {
            Ok(batches) => batches,
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    })))
}

fn read_index(file: &mut File) -> Result<Index> {
    let end = file.seek(SeekFrom::End(-8))?;
    let mut length = [0; 8];
    file.read_exact(&mut length)?;
    let length = u64::from_le_bytes(length);
    let start = end
        .checked_sub(length)
        .ok_or_else(|| Error::input("scratch is damaged: spill index"))?;
    file.seek(SeekFrom::Start(start))?;
    let mut json = Vec::new();
    file.take(length).read_to_end(&mut json)?;
    serde_json::from_slice(&json).map_err(|error| Error::input(format!("scratch is damaged: {error}")))
}

fn slice(path: &Path, offset: u64, length: u64) -> Result<Batches<'static>> {
    let place = path.display().to_string();
    let mut file = File::open(path).with_context(|| place.clone())?;
    file.seek(SeekFrom::Start(offset))?;
    table::read_stream(BufReader::new(file.take(length)), place)
}
