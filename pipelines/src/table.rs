//! Tables between steps: Arrow IPC streams, zstd-compressed, in scratch.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::SchemaRef;
use stackmill_schemas::context::Batches;
use stackmill_schemas::{Error, Result, ResultExt};

use crate::workdir::{NewFile, Workdir};

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
        self.writer.into_inner()?.commit()?;
        Ok(self.rows)
    }
}

/// An IPC stream into `target`.
pub fn stream_writer<W: Write>(target: W, schema: &SchemaRef) -> Result<StreamWriter<W>> {
    let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))?;
    Ok(StreamWriter::try_new_with_options(target, schema, options)?)
}

/// The batches of a table.
pub fn read(path: &Path) -> Result<Batches<'static>> {
    let place = path.display().to_string();
    let file = File::open(path).with_context(|| place.clone())?;
    read_stream(BufReader::with_capacity(1 << 16, file), place)
}

/// The batches of an IPC stream that `place` names in errors.
pub fn read_stream<R: Read + 'static>(stream: R, place: String) -> Result<Batches<'static>> {
    let corrupt = |place: &str, error: &dyn std::fmt::Display| {
        Error::input(format!("scratch is damaged: {error}"))
            .context(place)
            .hint("run again with --replace to start over")
    };
    let reader = StreamReader::try_new(stream, None).map_err(|error| corrupt(&place, &error))?;
    Ok(Box::new(
        reader.map(move |batch| batch.map_err(|error| corrupt(&place, &error))),
    ))
}
