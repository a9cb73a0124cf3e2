//! Whether the interval of the estimated recall holds: for many seeds, what a run says beside what it found.
//!
//! ```text
//!   texts ─► sets ─┬► sketch of 0.9999999 ─► near-buckets ─► near-attach ─► near-verify ─► pairs there are
//!                  └► sketch of a seed    ─► near-buckets ─► near-attach ─► near-verify ─► pairs found, and said
//! ```
//! Every exchange is the product's, in memory, with one home. A pair is what the product compares: equal sets count with
//! the first of them alone.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::{BinaryArray, FixedSizeBinaryArray, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use stackmill::frames::memory::exchanged;
use stackmill::passes::left::side_schema;
use stackmill_dedup::near::quality::Found;
use stackmill_dedup::near::shingle::Shingler;
use stackmill_dedup::near::sketch::Sketcher;
use stackmill_dedup::near::{Near, NearConfig};
use stackmill_schemas::context::{Batches, Homes, SideFiles};
use stackmill_schemas::stage::{Exchange, InputSize};
use stackmill_schemas::{FileId, Result, TaskContext, columns};

/// Recall of the run that stands for the truth.
const ALL: f64 = 0.999_999_9;

/// Sets of all files, in one home.
struct Sets(Vec<RecordBatch>);

impl SideFiles for Sets {
    fn shingles(&self, _: u32) -> Result<Batches<'_>> {
        Ok(Box::new(self.0.iter().cloned().map(Ok)))
    }
}

/// `settings`: seeds, bands, rows (0 and 0: planned); then tables with a text column `content`.
pub(crate) fn bench(settings: [u32; 3], tables: &[&str]) -> crate::Outcome {
    let [seeds, bands, rows] = settings;
    let mut shingler = Shingler::new(NearConfig::default().ngram);
    let mut sets: Vec<Vec<u32>> = Vec::new();
    for table in tables {
        texts(Path::new(table), &mut |text| {
            sets.push(shingler.set(text.as_bytes()).to_vec());
        })?;
    }
    sets.retain(|set| set.len() >= NearConfig::default().minimum_shingles as usize);
    let cx = TaskContext {
        side: Arc::new(Sets(vec![side(&sets)?])),
        homes: Arc::new(Homes::new(vec![FileId(0)])),
        ..stackmill::run::bare_context(&crate::simulate::options(Path::new(""))?)
    };
    let truth = NearConfig {
        recall: ALL,
        ..NearConfig::default()
    };
    let there = found(&truth, &sets, &cx)?.pairs;
    println!("{} files, {there} pairs at {}", sets.len(), truth.threshold);
    let (mut held, mut said) = (0, 0);
    for seed in 0..u64::from(seeds) {
        let config = NearConfig {
            bands: (bands > 0).then_some(bands),
            rows: (rows > 0).then_some(rows),
            seed,
            ..NearConfig::default()
        };
        let found = found(&config, &sets, &cx)?;
        let share = (1e6 * found.pairs as f64 / there as f64).round() as u64;
        let percent = |millionths: u64| millionths as f64 / 1e4;
        let Some(recall) = config.build()?.curve.recall(&found) else {
            println!("seed {seed}: found {:.2}%; nothing is said", percent(share));
            continue;
        };
        let holds = (recall.low..=recall.high).contains(&share);
        (held, said) = (held + u32::from(holds), said + 1);
        println!(
            "seed {seed}: found {:.2}%, said {:.2}% ({:.2}% to {:.2}%){}",
            percent(share),
            percent(recall.estimate),
            percent(recall.low),
            percent(recall.high),
            if holds { "" } else { ", not held" }
        );
    }
    println!("{held} of {said} intervals hold what was found");
    Ok(())
}

fn texts(table: &Path, to: &mut dyn FnMut(&str)) -> crate::Outcome {
    for batch in ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(table)?)?.build()? {
        let batch = batch?;
        let column = batch.column_by_name("content").ok_or("there is no column `content`")?;
        match column.as_string_opt::<i32>() {
            Some(texts) => texts.iter().flatten().for_each(&mut *to),
            None => column.as_string::<i64>().iter().flatten().for_each(&mut *to),
        }
    }
    Ok(())
}

fn side(sets: &[Vec<u32>]) -> Result<RecordBatch> {
    let bytes = |set: &Vec<u32>| {
        set.iter()
            .flat_map(|element| element.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let blobs = vec![7u8; 20 * sets.len()];
    let arrays: [Arc<dyn arrow_array::Array>; 3] = [
        Arc::new(UInt64Array::from_iter_values(0..sets.len() as u64)),
        Arc::new(FixedSizeBinaryArray::try_new(20, blobs.into(), None)?),
        Arc::new(BinaryArray::from_iter_values(sets.iter().map(bytes))),
    ];
    Ok(RecordBatch::try_new(side_schema(), arrays.to_vec())?)
}

/// What a run by `config` finds.
fn found(config: &NearConfig, sets: &[Vec<u32>], cx: &TaskContext) -> Result<Found> {
    let near = config.build()?;
    let mut rows = vec![bands(config, sets)?];
    let size = InputSize {
        files: sets.len() as u64,
        bytes: 0,
        homes: 1,
    };
    let Near {
        buckets,
        attach,
        verify,
        ..
    } = &near;
    let chain: [&dyn Exchange; 3] = [buckets, attach, verify];
    for exchange in chain {
        rows = exchanged(exchange, &rows, size, cx)?;
    }
    let mut found = Found::default();
    rows.iter().try_for_each(|batch| near.curve.count(batch, &mut found))?;
    Ok(found)
}

fn bands(config: &NearConfig, sets: &[Vec<u32>]) -> Result<RecordBatch> {
    let mut sketcher = Sketcher::new(config.validate()?, config.seed);
    let mut of = |set: &Vec<u32>| {
        let mut bands = Vec::new();
        sketcher.bands(set, &mut bands);
        bands.iter().flat_map(|band| band.to_le_bytes()).collect::<Vec<u8>>()
    };
    let ranks = (0..sets.len() as u128).flat_map(u128::to_be_bytes).collect::<Vec<u8>>();
    let schema = Schema::new(vec![
        Field::new(columns::BANDS, DataType::Binary, true),
        Field::new("rank", DataType::FixedSizeBinary(16), false),
    ]);
    let arrays: [Arc<dyn arrow_array::Array>; 2] = [
        Arc::new(BinaryArray::from_iter_values(sets.iter().map(&mut of))),
        Arc::new(FixedSizeBinaryArray::try_new(16, ranks.into(), None)?),
    ];
    Ok(RecordBatch::try_new(Arc::new(schema), arrays.to_vec())?)
}
