//! Tables between steps: Arrow IPC streams in scratch, compressed.
//!
//! ```text
//!   WORK/<step>/NNNNN     ┌ Arrow IPC stream ┬ u64 xxh3 of it ┐
//! ```
//! The hash is checked before anything is parsed: a table is as it was written, or the run stops.

use std::fs::File;
use std::io::{BufReader, Read, Seek as _, Write};

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::{DataType, FieldRef, SchemaRef};
use stackmill_schemas::context::Batches;
use stackmill_schemas::{Error, Result, ResultExt, columns};
use xxhash_rust::xxh3::Xxh3Default;

use crate::workdir::{NewFile, START_OVER, Workdir};

/// What is said of a file whose hash does not fit.
pub const CHANGED: &str = "a file is not as it was written";

/// A table being written.
pub struct TableWriter {
    writer: StreamWriter<NewFile>,
    rows: u64,
}

impl TableWriter {
    /// A new table in scratch.
    pub fn create(workdir: &Workdir, path: &str, schema: &SchemaRef) -> Result<Self> {
        Ok(Self {
            writer: stream_writer(workdir.scratch(path)?, schema)?,
            rows: 0,
        })
    }

    /// Appends rows.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        if batch.num_rows() > 0 {
            self.writer.write(batch)?;
            self.rows += batch.num_rows() as u64;
        }
        Ok(())
    }

    /// Completes the table; gives its number of rows.
    pub fn commit(self) -> Result<u64> {
        self.writer.into_inner()?.seal()?.commit()?;
        Ok(self.rows)
    }
}

/// An IPC stream into `target`.
pub fn stream_writer<W: Write>(target: W, schema: &SchemaRef) -> Result<StreamWriter<W>> {
    let options = IpcWriteOptions::default().try_with_compression(compression(schema))?;
    Ok(StreamWriter::try_new_with_options(target, schema, options)?)
}

/// Nothing for sets of hashes, which stay as long as they are; LZ4 for texts and lists, which zstd makes a tenth smaller in
/// three times the time; zstd for rows of numbers, which LZ4 leaves five times as long.
fn compression(schema: &SchemaRef) -> Option<CompressionType> {
    let has = |name| schema.column_with_name(name).is_some();
    let is_list = |field: &FieldRef| field.data_type() == &DataType::Binary;
    match has(columns::CONTENT) {
        false if has(columns::SHINGLES) => None,
        false if !schema.fields().iter().any(is_list) => Some(CompressionType::ZSTD),
        _ => Some(CompressionType::LZ4_FRAME),
    }
}

/// The batches of a table, which `place` names in errors.
pub fn read(mut file: File, place: String) -> Result<Batches<'static>> {
    let length = sealed(&mut file).with_context(|| place.clone())?;
    read_stream(BufReader::with_capacity(1 << 16, file.take(length)), place)
}

/// The length of what stands before the seal, which must fit it.
fn sealed(file: &mut File) -> Result<u64> {
    let length = file.metadata()?.len().checked_sub(8).ok_or_else(|| damaged(&CHANGED))?;
    let mut hasher = Xxh3Default::new();
    let mut buffer = vec![0; 1 << 16];
    let mut payload = file.take(length);
    loop {
        match payload.read(&mut buffer)? {
            0 => break,
            read => hasher.update(&buffer[..read]),
        }
    }
    let mut seal = [0; 8];
    file.read_exact(&mut seal)?;
    file.rewind()?;
    if hasher.digest() == u64::from_le_bytes(seal) {
        Ok(length)
    } else {
        Err(damaged(&CHANGED))
    }
}

/// Scratch is not as a task left it.
pub fn damaged(why: &dyn std::fmt::Display) -> Error {
    Error::input(format!("scratch is damaged: {why}")).hint(START_OVER)
}

/// The batches of an IPC stream that `place` names in errors.
pub fn read_stream<R: Read + 'static>(stream: R, place: String) -> Result<Batches<'static>> {
    let reader = StreamReader::try_new(stream, None).map_err(|error| damaged(&error).context(&*place))?;
    Ok(Box::new(reader.map(move |batch| {
        batch.map_err(|error| damaged(&error).context(&*place))
    })))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use arrow_array::UInt32Array;
    use arrow_schema::{DataType, Field, Schema};

    #[test]
    fn a_table_is_as_it_was_written_or_refused() {
        let folder = std::env::temp_dir().join(format!("stackmill-table-{}", std::process::id()));
        let workdir = Workdir::create(&folder, &folder, u64::MAX).expect("the temporary folder can be written to");
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::UInt32, false)]));
        let rows = RecordBatch::try_new(schema.clone(), vec![Arc::new(UInt32Array::from_iter_values(0..9))]);
        let rows = rows.expect("one column");
        let mut table = TableWriter::create(&workdir, "t", &schema).expect("made");
        table.write(&rows).expect("written");
        table.commit().expect("committed");
        let path = folder.join("t");
        let read = || workdir.place.table("t");
        let back: Result<Vec<RecordBatch>> = read().and_then(Iterator::collect);
        assert_eq!(back.ok(), Some(vec![rows]));
        let whole = std::fs::read(&path).expect("there");
        for at in 0..whole.len() {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            for bytes in [&bent[..], &whole[..at]] {
                std::fs::write(&path, bytes).expect("written");
                assert!(read().is_err(), "byte {at}");
            }
        }
        std::fs::remove_dir_all(folder).expect("deleted");
    }
}
