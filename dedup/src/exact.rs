//! Exact duplicates: files of one git blob id and length, decided before a content is read.
//!
//! ```text
//!   scatter   (blob id, length, rank) of every listed file ► partition by hash of the blob id          44 bytes a file
//!   gather    sort; the first of each group is its keeper, the others are dropped because of it
//! ```
//! A git blob id is a content hash (SHA-1 with collision detection); the length guards it once more.

use std::sync::Arc;

use arrow_array::{RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use stackmill_schemas::file::Place;
use stackmill_schemas::rank::{self, Criterion};
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{Decision, Result, TaskContext, columns, fingerprint};

use crate::duplicate::{Duplicate, check_policy, emit_decisions};
use crate::rows::{FixedColumn, fixed_array, partition_of, rank_array};

/// Files of one partition: near 50 MB of keys, and 70 MB of decisions if all are duplicates.
const FILES_PER_PARTITION: u64 = 1_000_000;
/// Seed of the partitioning hash: the stage's name.
const SEED: u64 = u64::from_le_bytes(*b"exact   ");
/// Where the decisions are taken.
const PLACE: Place<'static> = Place {
    stage: "exact",
    rule: "exact-duplicate",
};

/// Settings of the stage `exact`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExactConfig {
    /// Which of the duplicates is kept: criteria in order, the listing's order last. Default: license, stars, forks,
    /// path, after The Stack v2 (Lozhkov et al. 2024).
    pub keep: Vec<Criterion>,
}

impl Default for ExactConfig {
    fn default() -> Self {
        Self {
            keep: rank::default_policy(),
        }
    }
}

impl ExactConfig {
    /// The Exchange; a policy that makes no sense is a config error.
    pub fn build(&self) -> Result<Exact> {
        check_policy(PLACE.stage, &self.keep)?;
        Ok(Exact(()))
    }
}

/// The Exchange `exact`: reads `blob_id`, `length_bytes` and `rank` of the listing and emits decisions. Rows without a
/// blob id are no file's duplicates.
#[derive(Clone, Debug)]
pub struct Exact(());

/// What is sorted: equal files stand together, the keeper first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    blob: [u8; 20],
    length: u64,
    rank: u128,
}

impl Exchange for Exact {
    fn name(&self) -> &str {
        "exact"
    }

    fn keyed(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new(columns::BLOB_ID, DataType::FixedSizeBinary(20), false),
            Field::new(columns::LENGTH_BYTES, DataType::UInt64, false),
            Field::new("rank", DataType::FixedSizeBinary(16), false),
        ]))
    }

    fn schema(&self) -> SchemaRef {
        Decision::schema()
    }

    fn partitions(&self, size: InputSize) -> u32 {
        u32::try_from(size.files.div_ceil(FILES_PER_PARTITION).max(1)).unwrap_or(u32::MAX)
    }

    fn scatter(&self, batch: &RecordBatch, to: &mut Scatter<'_>, _: &TaskContext) -> Result<()> {
        let keys = keys_of(batch)?;
        let partitions: Vec<u32> = keys
            .iter()
            .map(|key| partition_of(fingerprint::seeded(SEED, &key.blob), to.partitions))
            .collect();
        let columns = vec![
            fixed_array(keys.iter().map(|key| key.blob))?,
            Arc::new(UInt64Array::from_iter_values(keys.iter().map(|key| key.length))),
            rank_array(keys.iter().map(|key| key.rank))?,
        ];
        to.send(RecordBatch::try_new(self.keyed(), columns)?, &partitions)
    }

    fn gather(&self, partition: Partition<'_>, emit: &mut Emit<'_>, cx: &TaskContext) -> Result<()> {
        let mut keys = Vec::new();
        for batch in partition.batches {
            cx.check()?;
            keys.extend(keys_of(&batch?)?);
        }
        keys.sort_unstable();
        let duplicates = keys
            .chunk_by(|a, b| (a.blob, a.length) == (b.blob, b.length))
            .filter(|group| group.len() > 1)
            .flat_map(|group| group.iter().map(|key| duplicate(&group[0], key)))
            .collect();
        emit_decisions(duplicates, PLACE, None, emit)
    }
}

fn keys_of(batch: &RecordBatch) -> Result<Vec<Key>> {
    let blobs = FixedColumn::<20>::of(batch, columns::BLOB_ID)?;
    let lengths = columns::u64s(batch, columns::LENGTH_BYTES)?;
    let ranks = FixedColumn::<16>::of(batch, "rank")?;
    let with_blob = (0..batch.num_rows()).filter_map(|i| blobs.get(i).map(|blob| (i, blob)));
    with_blob
        .map(|(i, blob)| {
            Ok(Key {
                blob,
                length: lengths.value(i),
                rank: ranks.rank(i)?,
            })
        })
        .collect()
}

fn duplicate(keeper: &Key, key: &Key) -> Duplicate {
    Duplicate {
        file: rank::file_of(key.rank),
        keeper: rank::file_of(keeper.rank),
        blob: Some(keeper.blob),
        similarity: 1.0,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use stackmill_schemas::{FileId, Outcome};

    use super::*;
    use crate::harness::{Run, World, decisions_of, run};
    use crate::rows::optional_fixed_array;

    /// (blob, length, high half of the rank) of a file.
    type Row = (Option<u8>, u64, u8);

    fn listing(rows: &[Row]) -> RecordBatch {
        let blobs: Vec<_> = rows.iter().map(|row| row.0.map(|blob| [blob; 20])).collect();
        let ranks = (0u128..).zip(rows).map(|(i, row)| u128::from(row.2) << 64 | i);
        RecordBatch::try_from_iter([
            (
                "file_id",
                Arc::new(UInt64Array::from_iter_values(0..rows.len() as u64)) as _,
            ),
            ("blob_id", optional_fixed_array(&blobs).expect("blobs")),
            (
                "length_bytes",
                Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| row.1))) as _,
            ),
            ("rank", rank_array(ranks).expect("ranks")),
        ])
        .expect("listing")
    }

    /// (file, keeper) of every file that is in a group of two or more, in file order.
    fn oracle(rows: &[Row]) -> Vec<(FileId, FileId)> {
        let mut groups: BTreeMap<(u8, u64), Vec<(u8, u64)>> = BTreeMap::new();
        for (i, (blob, length, standing)) in rows.iter().enumerate() {
            if let Some(blob) = blob {
                groups.entry((*blob, *length)).or_default().push((*standing, i as u64));
            }
        }
        let mut found = Vec::new();
        for group in groups.values().filter(|group| group.len() > 1) {
            let keeper = group.iter().min().expect("a group").1;
            found.extend(group.iter().map(|(_, file)| (FileId(*file), FileId(keeper))));
        }
        found.sort_unstable();
        found
    }

    proptest! {
        #[test]
        fn groups_keep_their_first_whatever_the_order_and_the_partitions(
            rows in prop::collection::vec((prop::option::weighted(0.9, 0u8..6), 0u64..3, 0u8..4), 0..40),
            shape in any::<Run>(),
        ) {
            let exact = ExactConfig::default().build().expect("defaults");
            let world = World::default();
            let decisions = decisions_of(&run(&exact, &[listing(&rows)], &world, shape));
            let found: Vec<_> = decisions.iter().map(|d| (d.file_id, d.because_file().expect("a file").0)).collect();
            prop_assert_eq!(found, oracle(&rows));
            for decision in &decisions {
                let (keeper, similarity) = decision.because_file().expect("a file");
                let outcome = if keeper == decision.file_id { Outcome::Kept } else { Outcome::Dropped };
                let blob = rows[keeper.0 as usize].0.expect("a blob");
                prop_assert_eq!(decision.outcome, outcome);
                prop_assert_eq!(decision.because_text(), Some(format!("{blob:02x}").repeat(20)));
                prop_assert_eq!((decision.stage.as_str(), decision.rule.as_str()), ("exact", "exact-duplicate"));
                prop_assert_eq!(similarity, 1.0);
            }
        }
    }

    #[test]
    fn partitions_follow_the_number_of_files() {
        let exact = ExactConfig::default().build().expect("defaults");
        let partitions = |files| {
            exact.partitions(InputSize {
                files,
                ..InputSize::default()
            })
        };
        assert_eq!([partitions(0), partitions(1_000_000), partitions(1_000_001)], [1, 1, 2]);
    }
}
