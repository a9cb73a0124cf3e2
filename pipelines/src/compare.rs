//! Two ledgers of the same listing, side by side: what became of each file here and there, counted by pairs of ends.
//!
//! Ledgers of one lock and one cut hold the same files in the same rows, so they are joined by walking both at once,
//! with one batch of each in memory.

use std::collections::BTreeMap;

use arrow_array::{Array, RecordBatch, StringArray, UInt64Array};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use serde::Serialize;
use stackmill_schemas::{Error, Result, columns};

use crate::output::Output;

/// How a kept file ends.
pub const KEPT: &str = "kept";

/// Columns of a ledger that are read.
const READ: [&str; 7] = [
    columns::REPO_NAME,
    columns::REVISION_ID,
    columns::PATH,
    columns::LENGTH_BYTES,
    "verdict",
    "stage",
    "rule",
];

/// The files that ended alike here and alike there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// Number of files.
    pub files: u64,
    /// Their raw bytes.
    pub bytes: u64,
    /// The first of them in listing order, as `repository:path`.
    pub examples: Vec<String>,
}

/// What became of the files in two runs: each end is `kept`, or `STAGE: RULE`.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// By end in the first and in the second run.
    pub pairs: BTreeMap<(String, String), Pair>,
    /// Repositories that neither could read.
    pub repositories_failed: u64,
}

impl Comparison {
    /// The sum of the pairs that `wanted` says, by whether each run kept them.
    pub fn sum(&self, wanted: impl Fn(bool, bool) -> bool) -> Pair {
        let mut sum = Pair::default();
        for ((a, b), pair) in &self.pairs {
            if wanted(a == KEPT, b == KEPT) {
                sum.files += pair.files;
                sum.bytes += pair.bytes;
            }
        }
        sum
    }
}

/// Compares the ledgers of two data sets; `examples`: paths of each pair at most.
pub fn compare(a: &Output, b: &Output, examples: usize) -> Result<Comparison> {
    let mut comparison = Comparison::default();
    let (parts, there) = (a.files("ledger")?, b.files("ledger")?);
    if parts
        .iter()
        .map(|(name, _)| name)
        .ne(there.iter().map(|(name, _)| name))
    {
        return Err(uneven());
    }
    for (part, _) in parts {
        let (mut left, mut right) = (Rows::open(a, &part)?, Rows::open(b, &part)?);
        loop {
            match (left.next()?, right.next()?) {
                (None, None) => break,
                (Some(one), Some(other)) if one.name() == other.name() => comparison.add(&one, &other, examples)?,
                _ => return Err(uneven()),
            }
        }
    }
    Ok(comparison)
}

/// Both were run by us over one lock, so that only an opt-out before a clone can be the reason.
fn uneven() -> Error {
    Error::input("the two ledgers are not about the same files").hint(
        "a repository elsewhere that one recipe leaves out by `[opt-out]` is not cloned: clone it and name the folder",
    )
}

impl Comparison {
    fn add(&mut self, one: &Row<'_>, other: &Row<'_>, examples: usize) -> Result<()> {
        let [repository, _, path] = one.name();
        let Some(path) = path else {
            self.repositories_failed += 1;
            return Ok(());
        };
        let pair = self.pairs.entry((one.end()?, other.end()?)).or_default();
        pair.files += 1;
        pair.bytes += one.bytes()?;
        if pair.examples.len() < examples {
            pair.examples.push(format!("{}:{path}", repository.unwrap_or_default()));
        }
        Ok(())
    }
}

/// The rows of one part of a ledger.
struct Rows {
    reader: ParquetRecordBatchReader,
    batch: Option<RecordBatch>,
    at: usize,
}

impl Rows {
    fn open(out: &Output, part: &str) -> Result<Self> {
        let uri = out.uri().join(part);
        let damaged = |error: parquet::errors::ParquetError| Error::input(format!("not a ledger: {error}"));
        let chunks = out.stores().chunks(&out.stores().head(&uri)?)?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(chunks).map_err(damaged)?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), READ);
        let reader = builder.with_projection(mask).build().map_err(damaged)?;
        Ok(Self {
            reader,
            batch: None,
            at: 0,
        })
    }

    fn next(&mut self) -> Result<Option<Row<'_>>> {
        self.at += 1;
        while self.batch.as_ref().is_none_or(|batch| self.at >= batch.num_rows()) {
            self.at = 0;
            self.batch = self.reader.next().transpose()?;
            if self.batch.is_none() {
                return Ok(None);
            }
        }
        let at = self.at;
        Ok(self.batch.as_ref().map(|batch| Row { batch, at }))
    }
}

/// One row of a ledger.
struct Row<'a> {
    batch: &'a RecordBatch,
    at: usize,
}

impl<'a> Row<'a> {
    fn text(&self, name: &str) -> Option<&'a str> {
        let column: &StringArray = columns::strings(self.batch, name).ok()?;
        column.is_valid(self.at).then(|| column.value(self.at))
    }

    /// Repository, revision, path.
    fn name(&self) -> [Option<&'a str>; 3] {
        [columns::REPO_NAME, columns::REVISION_ID, columns::PATH].map(|name| self.text(name))
    }

    fn bytes(&self) -> Result<u64> {
        let lengths: &UInt64Array = columns::u64s(self.batch, columns::LENGTH_BYTES)?;
        Ok(lengths.value(self.at))
    }

    fn end(&self) -> Result<String> {
        match (self.text("verdict"), self.text("stage"), self.text("rule")) {
            (Some(KEPT), _, _) => Ok(KEPT.to_owned()),
            (_, Some(stage), Some(rule)) => Ok(format!("{stage}: {rule}")),
            _ => Err(Error::bug("a row of a ledger without a verdict")),
        }
    }
}
