//! What an earlier audit found clean is not read again: its blobs are left out where files are listed.
//!
//! ```text
//!   PREVIOUS/summary.json    the same packs and limits? ─► else refused
//!   PREVIOUS/dataset/ledger  blobs in which nothing was found, or that are no text ─► OUT/previous.csv
//! ```
//! Files without a blob id (those of folders and of most tables) are read again, and so are those with findings: their
//! lines are wanted for the new page.

use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use arrow_array::{Array as _, RecordBatch};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value, json};
use stackmill_dedup::contamination::Pack;
use stackmill_schemas::{Error, Result, ResultExt as _, columns};

use super::DATASET;
use crate::output::Output;
use crate::workdir::{create_file, make};

/// The list of blobs that need not be read, in the folder of the new audit.
const LIST: &str = "previous.csv";

/// What two audits have to have in common: packs, program, and how files are read and judged.
pub fn basis(packs: &[Pack]) -> Value {
    let packs = packs.iter().map(Pack::info);
    json!({"program": env!("CARGO_PKG_VERSION"), "packs": packs.collect::<Vec<_>>()})
}

/// Writes the blobs that the audit at `previous` found clean into `out`, for an opt-out list; gives its path.
///
/// # Errors
/// Kind input: no finished audit is there, or one for other packs.
pub fn clean_blobs(previous: &Path, packs: &[Pack], out: &Path) -> Result<PathBuf> {
    let place = || format!("--previous: {}", previous.display());
    check(previous, packs).with_context(place)?;
    make(out)?;
    let path = out.join(LIST);
    let mut list = BufWriter::new(create_file(&path)?);
    list.write_all(b"blob_id\n")?;
    let data = Output::named(&previous.join(DATASET))?;
    for (part, _) in data.files("ledger")? {
        write_part(&data, &part, &mut list).with_context(|| part.clone())?;
    }
    list.flush()?;
    Ok(path)
}

fn check(previous: &Path, packs: &[Pack]) -> Result<()> {
    let bytes = std::fs::read(previous.join("summary.json")).map_err(|error| {
        Error::input(format!("it has no summary.json: {error}")).hint("name the folder of a finished audit")
    })?;
    let summary: Value =
        serde_json::from_slice(&bytes).map_err(|error| Error::input(format!("summary.json is broken: {error}")))?;
    match summary["basis"] == basis(packs) {
        true => Ok(()),
        false => Err(
            Error::input("it was made with other packs, or by another version of the program")
                .hint("name the same --benchmark, or leave --previous out"),
        ),
    }
}

fn write_part(data: &Output, part: &str, list: &mut impl std::io::Write) -> Result<()> {
    let damaged = |error: parquet::errors::ParquetError| Error::input(format!("not a ledger: {error}"));
    let chunks = data.stores().chunks(&data.stores().head(&data.uri().join(part))?)?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(chunks).map_err(damaged)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [columns::BLOB_ID, "stage", "rule"]);
    for batch in builder.with_projection(mask).build().map_err(damaged)? {
        write_batch(&batch?, list)?;
    }
    Ok(())
}

fn write_batch(batch: &RecordBatch, list: &mut impl std::io::Write) -> Result<()> {
    let columns = [columns::BLOB_ID, "stage", "rule"].map(|name| columns::strings(batch, name));
    let [blobs, stages, rules] = columns;
    let (blobs, stages, rules) = (blobs?, stages?, rules?);
    for row in (0..batch.num_rows()).filter(|&row| blobs.is_valid(row) && stages.is_valid(row) && rules.is_valid(row)) {
        if is_clean(stages.value(row), rules.value(row)) {
            writeln!(list, "{}", blobs.value(row))?;
        }
    }
    Ok(())
}

/// Whether a file that ended so would end so again, whatever its path.
fn is_clean(stage: &str, rule: &str) -> bool {
    matches!(
        (stage, rule),
        ("decontaminate", "no-finding") | ("decode", "binary") | ("opt-out", "blob")
    )
}
