//! Real source files as a corpus: chosen by name, so that versions of one file come together; exact copies only once.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::Int64Type;
use arrow_array::{Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use stackmill_benches::files_below;
use stackmill_schemas::fingerprint;
use xxhash_rust::xxh3::xxh3_128;

use super::Outcome;

/// Endings of files that are taken.
const ENDINGS: [&str; 14] = [
    "rs", "py", "js", "ts", "c", "h", "cc", "cpp", "hpp", "go", "java", "pyi", "sh", "md",
];
/// Lengths of files that are taken, in bytes.
const LENGTHS: std::ops::Range<usize> = 64..1 << 20;
/// Rows of a row group.
const GROUP: usize = 1000;

/// At most `most` texts of files below `folders`.
pub(crate) fn texts(folders: &[&str], most: usize) -> Vec<String> {
    let paths = folders
        .iter()
        .flat_map(|folder| files_below(Path::new(folder), u64::MAX));
    let wanted = |path: &Path| {
        path.extension()
            .is_some_and(|end| ENDINGS.iter().any(|known| end == *known))
    };
    let mut paths: Vec<_> = paths.filter(|path| wanted(path)).collect();
    paths.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        (fingerprint::seeded(7, name), path.clone())
    });
    let mut seen = HashSet::new();
    let texts = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    texts
        .filter(|text| LENGTHS.contains(&text.len()) && seen.insert(xxh3_128(text.as_bytes())))
        .take(most)
        .collect()
}

/// Writes texts as `repo_name`, `path`, `row`, `content`.
pub(crate) fn write(out: &Path, texts: &[String]) -> Outcome {
    let batch = |first: usize| {
        let rows = first..texts.len().min(first + GROUP);
        let names = rows.clone().map(|row| format!("corpus/{:03}", row / GROUP));
        RecordBatch::try_from_iter([
            ("repo_name", Arc::new(StringArray::from_iter_values(names)) as _),
            (
                "path",
                Arc::new(StringArray::from_iter_values(
                    rows.clone().map(|row| format!("{row:07}.txt")),
                )) as _,
            ),
            (
                "row",
                Arc::new(Int64Array::from_iter_values(rows.clone().map(|row| row as i64))) as _,
            ),
            (
                "content",
                Arc::new(StringArray::from_iter_values(rows.map(|row| &texts[row]))) as _,
            ),
        ])
    };
    let mut writer = ArrowWriter::try_new(std::fs::File::create(out)?, batch(0)?.schema(), None)?;
    for first in (0..texts.len()).step_by(GROUP) {
        writer.write(&batch(first)?)?;
        writer.flush()?;
    }
    writer.close()?;
    let bytes: usize = texts.iter().map(String::len).sum();
    println!("{} files, {:.1} MB", texts.len(), bytes as f64 / 1e6);
    Ok(())
}

/// The texts of such a corpus, by row.
pub(crate) fn read(corpus: &Path) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut texts = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(corpus)?)?.build()? {
        let batch = batch?;
        let column = |name| batch.column_by_name(name).ok_or("a column is missing");
        let rows = column("row")?.as_primitive::<Int64Type>();
        let contents = column("content")?.as_string::<i32>();
        for (row, text) in rows.values().iter().zip(contents) {
            if *row != texts.len() as i64 {
                return Err("rows are not in order".into());
            }
            texts.push(text.unwrap_or_default().to_owned());
        }
    }
    Ok(texts)
}
