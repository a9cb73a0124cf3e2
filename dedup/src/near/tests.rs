//! The whole stage in one process, against a greedy comparison of all pairs by plain sets of words.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{Array as _, RecordBatch, StringArray, UInt64Array};
use proptest::prelude::*;
use stackmill_schemas::context::Homes;
use stackmill_schemas::stage::{InputSize, Map};
use stackmill_schemas::{Decision, FileBatch, FileId, Outcome, columns, text};

use super::*;
use crate::harness::{Run, World, decisions_of, run};
use crate::rows::{fixed_array, rank_array};
use stackmill_schemas::stage::Exchange;

/// A small corpus: texts in file order, with the high half of each file's rank, and the home of each file.
#[derive(Clone, Debug)]
struct Corpus {
    files: Vec<(String, u8)>,
    /// Files of a home.
    per_home: usize,
}

impl Corpus {
    fn rank(&self, i: usize) -> u128 {
        u128::from(self.files[i].1) << 64 | u128::from(self.file_id(i).0)
    }

    fn file_id(&self, i: usize) -> FileId {
        FileId::new((i / self.per_home) as u32, (i % self.per_home) as u32 * 3)
    }

    fn blob(&self, i: usize) -> [u8; 20] {
        [i as u8 + 1; 20]
    }

    /// The files of one home as the content phase sees them.
    fn home(&self, home: usize) -> RecordBatch {
        let rows = home * self.per_home..self.files.len().min((home + 1) * self.per_home);
        let texts = rows.clone().map(|i| self.files[i].0.as_str());
        let columns = [
            (
                columns::FILE_ID,
                Arc::new(UInt64Array::from_iter_values(rows.clone().map(|i| self.file_id(i).0))) as _,
            ),
            (columns::CONTENT, Arc::new(StringArray::from_iter_values(texts)) as _),
            (
                columns::BLOB_ID,
                fixed_array(rows.clone().map(|i| self.blob(i))).expect("blobs"),
            ),
            ("rank", rank_array(rows.map(|i| self.rank(i))).expect("ranks")),
        ];
        RecordBatch::try_from_iter(columns).expect("a home")
    }

    /// Runs the Map over every home: sketched rows, and the world with its side files.
    fn sketch(&self, near: &Near) -> (Vec<RecordBatch>, World) {
        let homes = self.files.len().div_ceil(self.per_home);
        let mut task = near.sketch.open(&World::default().context()).expect("open");
        let mut map = |home| {
            let batch = FileBatch::new(self.home(home)).expect("a batch");
            task.map(batch).expect("map").into_parts().0
        };
        let sketched: Vec<RecordBatch> = (0..homes).map(&mut map).collect();
        let side = |batch: &RecordBatch| {
            let names = [columns::FILE_ID, columns::BLOB_ID, columns::SHINGLES];
            let indices: Vec<usize> = names
                .iter()
                .map(|n| batch.schema().index_of(n).expect("column"))
                .collect();
            let batch = batch.project(&indices).expect("side");
            let half = batch.num_rows() / 2;
            vec![batch.slice(0, half), batch.slice(half, batch.num_rows() - half)]
        };
        let sides = sketched.iter().map(side).collect();
        let starts = (0..homes).map(|home| FileId::new(home as u32, 0)).collect();
        (
            sketched,
            World {
                homes: Homes::new(starts),
                sides,
            },
        )
    }

    fn edges(&self, near: &Near, shape: Run) -> Vec<RecordBatch> {
        let (mut rows, world) = self.sketch(near);
        let chain: [&dyn Exchange; 3] = [&near.buckets, &near.attach, &near.verify];
        for exchange in chain {
            rows = run(exchange, &rows, &world, shape);
        }
        rows
    }

    fn decisions(&self, config: &NearConfig, shape: Run) -> Vec<Decision> {
        let near = config.build().expect("settings");
        let edges = self.edges(&near, shape);
        decisions_of(&run(&near.keepers, &edges, &World::default(), shape))
    }

    /// Sets of word n-grams, plainly.
    fn sets(&self, ngram: usize) -> Vec<BTreeSet<Vec<Vec<u8>>>> {
        let set = |(text, _): &(String, u8)| {
            let words: Vec<_> = text::words(text.as_bytes())
                .map(|word| word.bytes.to_ascii_lowercase())
                .collect();
            words.windows(ngram).map(<[_]>::to_vec).collect()
        };
        self.files.iter().map(set).collect()
    }

    /// (file, keeper, similarity) of every removed file, by comparing all pairs.
    fn oracle(&self, config: &NearConfig) -> Vec<(FileId, FileId, f64)> {
        let sets = self.sets(config.ngram as usize);
        let mut order: Vec<usize> = (0..sets.len()).collect();
        order.retain(|i| sets[*i].len() >= config.minimum_shingles as usize);
        order.sort_by_key(|i| self.rank(*i));
        let (mut kept, mut removed) = (Vec::new(), Vec::new());
        for b in order {
            let near = kept.iter().map(|a| (*a, jaccard(&sets[*a], &sets[b])));
            match near.clone().find(|(_, similarity)| *similarity >= config.threshold) {
                Some((a, similarity)) => removed.push((self.file_id(b), self.file_id(a), similarity)),
                None => kept.push(b),
            }
        }
        removed.sort_by_key(|found| found.0);
        removed
    }
}

fn jaccard<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> f64 {
    a.intersection(b).count() as f64 / a.union(b).count() as f64
}

fn removed(decisions: &[Decision]) -> Vec<(FileId, FileId, f64)> {
    let dropped = decisions.iter().filter(|d| d.outcome == Outcome::Dropped);
    dropped
        .map(|d| {
            let (keeper, similarity) = d.because_file().expect("a file");
            (d.file_id, keeper, similarity)
        })
        .collect()
}

/// Families of texts: a base, and a few words replaced; blanks and case vary, which no shingle sees.
fn corpora() -> impl Strategy<Value = Corpus> {
    let edits = prop::collection::vec((0usize..30, 0u8..4), 0..6);
    let file = (0u8..3, edits, 0usize..3, 0u8..3, 0usize..31);
    let build = |(family, edits, blanks, standing, short): (u8, Vec<(usize, u8)>, usize, u8, usize)| {
        let mut words: Vec<String> = (0..30).map(|i| format!("w{}_{family}", i * (i + 1) % 23)).collect();
        edits.iter().for_each(|(at, word)| words[*at] = format!("X{word}"));
        words.truncate(if short < 4 { short } else { 30 });
        let text = words.join([" ", "\n", ", "][blanks]);
        (if blanks == 1 { text.to_uppercase() } else { text }, standing)
    };
    let files = prop::collection::vec(file.prop_map(build), 1..30);
    (files, 1usize..8).prop_map(|(files, per_home)| Corpus { files, per_home })
}

/// Settings under which no candidate is missed: a pair at the threshold fails to meet with probability 2^-64.
fn complete() -> NearConfig {
    NearConfig {
        threshold: 0.5,
        ngram: 2,
        bands: Some(64),
        rows: Some(1),
        minimum_shingles: 3,
        ..NearConfig::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Mutations that turn this red: not sorting edges in `keeper`, chaining over removed files, routing by the wrong
    /// file in `near-attach`, pairing equal sets with their first alone without passing its keeper on.
    #[test]
    fn decisions_are_those_of_comparing_all_pairs(corpus in corpora(), shape in any::<Run>()) {
        let config = complete();
        let decisions = corpus.decisions(&config, shape);
        prop_assert_eq!(removed(&decisions), corpus.oracle(&config));
    }

    /// Mutation: compare the bands of one file with those of another seed, or forget to clear those of the last file a.
    #[test]
    fn edges_tell_in_which_bands_they_meet(corpus in corpora(), shape in any::<Run>()) {
        let near = complete().build().expect("settings");
        let bands: BTreeMap<FileId, Vec<u8>> = corpus
            .sketch(&near)
            .0
            .iter()
            .flat_map(|batch| {
                let ids = columns::u64s(batch, columns::FILE_ID).expect("ids").values().to_vec();
                let bands = columns::binaries(batch, columns::BANDS).expect("bands").clone();
                (0..ids.len()).map(move |i| (FileId(ids[i]), bands.value(i).to_vec())).collect::<Vec<_>>()
            })
            .collect();
        let met = |a: &[u8], b: &[u8]| {
            let pairs = a.chunks(8).zip(b.chunks(8)).take(64).enumerate();
            pairs.fold(0u64, |bits, (band, (a, b))| bits | u64::from(a == b) << band)
        };
        for edges in corpus.edges(&near, shape) {
            let told = columns::u64s(&edges, "met").expect("a column");
            let similarities = columns::f64s(&edges, "similarity").expect("a column");
            for row in 0..edges.num_rows() {
                let file = |name| {
                    let rank = columns::fixed(&edges, name).expect("ranks").value(row).try_into().expect("16 bytes");
                    stackmill_schemas::rank::file_of(u128::from_be_bytes(rank))
                };
                let expected = met(&bands[&file("rank_a")], &bands[&file("rank_b")]);
                let told = told.is_valid(row).then(|| told.value(row));
                prop_assert_eq!(told, (similarities.value(row) < 1.0).then_some(expected));
            }
        }
    }

    #[test]
    fn every_keeper_has_one_note_and_names_its_cluster(corpus in corpora(), shape in any::<Run>()) {
        let decisions = corpus.decisions(&complete(), shape);
        let keepers: BTreeSet<FileId> = removed(&decisions).iter().map(|found| found.1).collect();
        let notes: Vec<&Decision> = decisions.iter().filter(|d| d.outcome == Outcome::Kept).collect();
        prop_assert_eq!(notes.iter().map(|d| d.file_id).collect::<Vec<_>>(), Vec::from_iter(keepers));
        prop_assert!(notes.iter().all(|d| d.because_file() == Some((d.file_id, 1.0))));
        let blobs: BTreeMap<FileId, String> = (0..corpus.files.len())
            .map(|i| (corpus.file_id(i), stackmill_schemas::BlobId(corpus.blob(i)).to_string()))
            .collect();
        for decision in &decisions {
            let (keeper, _) = decision.because_file().expect("a file");
            prop_assert_eq!(decision.because_text(), blobs.get(&keeper).cloned());
            prop_assert_eq!((decision.stage.as_str(), decision.rule.as_str()), ("near", "near-duplicate"));
        }
    }

    /// With few bands and small buckets pairs are missed, but always the same ones, and no removal is ever wrong.
    #[test]
    fn order_batches_and_partitions_never_show(corpus in corpora(), one in any::<Run>(), other in any::<Run>()) {
        let config = NearConfig { bands: Some(3), rows: Some(2), bucket_limit: 3, bucket_first: 2, ..complete() };
        let decisions = corpus.decisions(&config, one);
        prop_assert_eq!(&decisions, &corpus.decisions(&config, other));
        let near = config.build().expect("settings");
        prop_assert_eq!(corpus.edges(&near, one), corpus.edges(&near, other));
        let removed = removed(&decisions);
        let gone: BTreeSet<FileId> = removed.iter().map(|found| found.0).collect();
        let sets = corpus.sets(2);
        let set = |file: FileId| (0..sets.len()).find(|i| corpus.file_id(*i) == file).map(|i| &sets[i]);
        for (file, keeper, similarity) in removed {
            let (a, b) = (set(keeper).expect("a file"), set(file).expect("a file"));
            prop_assert!(!gone.contains(&keeper));
            prop_assert_eq!(similarity, jaccard(a, b));
            prop_assert!(similarity >= config.threshold);
        }
    }
}

/// The first file in keep order of each component of files that share a band.
fn components(corpus: &Corpus, near: &Near) -> BTreeMap<FileId, FileId> {
    let (sketched, _) = corpus.sketch(near);
    let of_home = |batch: &RecordBatch| -> Vec<Option<Vec<u8>>> {
        let bands = columns::binaries(batch, columns::BANDS).expect("bands");
        bands.iter().map(|bands| bands.map(<[u8]>::to_vec)).collect()
    };
    let bands: Vec<Option<Vec<u8>>> = sketched.iter().flat_map(of_home).collect();
    let meet = |a: usize, b: usize| {
        let (Some(a), Some(b)) = (&bands[a], &bands[b]) else {
            return false;
        };
        // The last number is the set's own.
        let count = a.len() / 8 - 1;
        a.chunks(8).zip(b.chunks(8)).take(count).any(|(a, b)| a == b)
    };
    let mut first: Vec<usize> = (0..bands.len()).collect();
    // Names of components spread until nothing changes.
    while (0..bands.len()).fold(false, |changed, a| {
        (0..bands.len()).filter(|b| meet(a, *b)).fold(changed, |changed, b| {
            let nearer = corpus.rank(first[a]) < corpus.rank(first[b]);
            if nearer {
                first[b] = first[a];
            }
            changed || nearer
        })
    }) {}
    let gone = (0..bands.len()).filter(|i| first[*i] != *i);
    gone.map(|i| (corpus.file_id(i), corpus.file_id(first[i]))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Mutations: verify after all; keep greedily; take the latest of a component.
    #[test]
    fn unverified_components_keep_one_file_each(corpus in corpora(), shape in any::<Run>()) {
        let config = NearConfig {
            verify: false,
            keep: Keep::OnePerComponent,
            bands: Some(6),
            rows: Some(2),
            ..complete()
        };
        let decisions = corpus.decisions(&config, shape);
        let removed: BTreeMap<FileId, FileId> = removed(&decisions).iter().map(|found| (found.0, found.1)).collect();
        prop_assert_eq!(removed, components(&corpus, &config.build().expect("settings")));
    }
}

#[test]
fn short_and_masked_files_have_no_sketch() {
    let texts = [
        "one two three four five six seven eight nine",
        "one two three four five six seven eight nine ten",
    ];
    let corpus = Corpus {
        files: texts.iter().map(|text| ((*text).to_owned(), 0)).collect(),
        per_home: 2,
    };
    let near = NearConfig::default().build().expect("defaults");
    let (sketched, _) = corpus.sketch(&near);
    let bands = columns::binaries(&sketched[0], columns::BANDS).expect("bands");
    let shingles = columns::binaries(&sketched[0], columns::SHINGLES).expect("shingles");
    let lengths = |array: &arrow_array::BinaryArray| array.iter().map(|v| v.map(<[u8]>::len)).collect::<Vec<_>>();
    assert_eq!(lengths(bands), [None, Some(43 * 8)]);
    assert_eq!(lengths(shingles), [None, Some(6 * 4)]);

    let mut batch = FileBatch::new(corpus.home(0)).expect("a batch");
    batch.decide(1, Outcome::Dropped, PLACE, Default::default());
    let mut task = near.sketch.open(&World::default().context()).expect("open");
    let batch = task.map(batch).expect("map");
    let bands = columns::binaries(batch.record(), columns::BANDS).expect("bands");
    assert_eq!(lengths(bands), [None, None]);
}

#[test]
fn the_map_adds_its_columns_once_and_to_text_alone() {
    let near = NearConfig::default().build().expect("defaults");
    let corpus = Corpus {
        files: vec![(String::new(), 0)],
        per_home: 1,
    };
    let before = corpus.home(0);
    let (sketched, _) = corpus.sketch(&near);
    let schema = near.sketch.schema(&before.schema()).expect("schema");
    assert_eq!(sketched[0].schema(), schema);
    assert!(near.sketch.schema(&schema).is_err());
    let without_text = before.project(&[0]).expect("ids");
    assert!(near.sketch.schema(&without_text.schema()).is_err());
}

#[test]
fn bands_of_other_settings_are_refused() {
    let near = NearConfig::default().build().expect("defaults");
    let other = NearConfig {
        bands: Some(9),
        rows: Some(6),
        ..NearConfig::default()
    };
    let text = (0..40).map(|i| format!("w{i} ")).collect();
    let (sketched, world) = Corpus {
        files: vec![(text, 0)],
        per_home: 1,
    }
    .sketch(&near);
    let mut send = |_: RecordBatch, _: &[u32]| Ok(());
    let homes = Homes::default();
    let mut to = stackmill_schemas::stage::Scatter {
        send: &mut send,
        partitions: 1,
        homes: &homes,
    };
    let outcome = other
        .build()
        .expect("settings")
        .buckets
        .scatter(&sketched[0], &mut to, &world.context());
    assert!(outcome.is_err_and(|error| error.message().contains("42 bands instead of 9")));
}

#[test]
fn partitions_follow_the_input_alone() {
    let near = NearConfig::default().build().expect("defaults");
    let size = |files, homes| InputSize { files, homes, bytes: 0 };
    let buckets = |files| near.buckets.partitions(size(files, 1));
    assert_eq!([buckets(0), buckets(12_483), buckets(12_484)], [1, 1, 2]);
    assert_eq!([300_000, 1_597_830, 1_597_831].map(buckets), [16, 16, 17]);
    assert_eq!(
        [near.attach.partitions(size(0, 0)), near.verify.partitions(size(9, 7))],
        [1, 7]
    );
    assert_eq!(near.keepers.partitions(size(1 << 40, 99)), 1);
}

#[test]
fn settings_read_from_a_recipe_are_checked() {
    let read = |json: &str| serde_json::from_str::<NearConfig>(json);
    let config = read(r#"{"threshold": 0.8, "minimum-shingles": 3 }"#).expect("known keys");
    assert_eq!((config.threshold, config.minimum_shingles, config.ngram), (0.8, 3, 5));
    assert!(config.validate().is_ok());
    assert!(read(r#"{"treshold": 0.8}"#).is_err());
}
