//! How many bands of how many rows: the collision curve, and the cheapest point on it that keeps the recall.
//!
//! Two files whose sets have Jaccard index J agree in one register of the sketch with probability J, in all the rows of
//! a band with J^rows, and meet in at least one bucket with `1 − (1 − J^rows)^bands`. More rows compare fewer unlike
//! files, more bands find more like ones: so the planner takes the most rows for which a sketch of at most 256
//! registers reaches the recall, and then the fewest bands, plus an eighth (the curve is an expectation over
//! independent registers; a corpus is one draw).

use stackmill_schemas::{Error, Result};

use super::NearConfig;

/// Registers that a planned sketch has at most.
const REGISTERS: u32 = 256;
/// Registers that any sketch has at most.
const REGISTERS_MAX: u32 = 4096;
/// Rows that a band has at most.
const ROWS_MAX: u32 = 64;
/// Bytes that one band of one file sends to its bucket: bucket, rank, set hash.
const ENTRY_BYTES: u32 = 8 + 16 + 4;
/// Similarities at which the curve is told.
const CURVE: [f64; 8] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 0.9];
/// Similarity of files that have nothing to do with each other, roughly: shared headers and idioms.
const UNLIKE: f64 = 0.1;
/// Usual length of a file of source code, in bytes: 20,000 of crates and wheels have 11.9 kB on average.
const FILE_BYTES: u64 = 12_000;
/// Usual bytes of shingle sets, in hundredths of the text's: 4 for each distinct shingle, of which 12 bytes have one.
const SET_PERCENT: u64 = 35;

/// Bytes of text that are cut into words, shingles and sketches in a second of one core without vectors (record 0022).
const SKETCH_SPEED: u64 = 400_000_000;
/// Files that go from buckets to keepers in a second of one core, reading and writing scratch (records 0022, 0025).
const FILE_SPEED: u64 = 25_000;
/// Memory of a task of `near-buckets`: rows of one partition, and pairs.
const BUCKET_MEMORY: u64 = (128 + 64) << 20;
/// Bytes of an edge and the two files that it may bring, in `near-keepers`.
const EDGE_MEMORY: u64 = 360;
/// Recalls that are offered where the wished one takes too much room.
const OFFERS: [f64; 6] = [0.98, 0.95, 0.9, 0.8, 0.7, 0.5];

/// Bands of a sketch and rows of a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Banding {
    /// Bands of a sketch.
    pub bands: u32,
    /// Rows of a band.
    pub rows: u32,
}

impl Banding {
    /// Registers of the sketch.
    pub fn registers(self) -> u32 {
        self.bands * self.rows
    }
}

/// The chance that two files of Jaccard index `similarity` meet in a bucket: `1 − (1 − similarity^rows)^bands`.
pub fn probability(similarity: f64, bands: u32, rows: u32) -> f64 {
    1.0 - power(1.0 - power(similarity, rows), bands)
}

/// How many pairs become candidates, for pairs given as (Jaccard index, number of such pairs).
pub fn expected_candidates(pairs: &[(f64, f64)], bands: u32, rows: u32) -> f64 {
    pairs
        .iter()
        .map(|(similarity, count)| count * probability(*similarity, bands, rows))
        .sum()
}

/// The bands and rows that `config` names or, when it names none, those planned for its threshold and recall.
pub(super) fn banding(config: &NearConfig) -> Result<Banding> {
    match (config.bands, config.rows) {
        (Some(bands), Some(rows)) => named(Banding { bands, rows }),
        (None, None) => planned(config.threshold, config.recall).ok_or_else(|| {
            Error::config("stage `near`: no sketch of 256 registers reaches `recall` at this `threshold`")
                .hint("raise `threshold`, lower `recall`, or set `bands` and `rows`")
        }),
        _ => Err(Error::config("stage `near`: only one of `bands` and `rows` is set")
            .hint("set both, or neither and let `recall` choose them")),
    }
}

fn named(banding: Banding) -> Result<Banding> {
    let Banding { bands, rows } = banding;
    let fits = (1..=REGISTERS_MAX).contains(&bands)
        && (1..=ROWS_MAX).contains(&rows)
        && u64::from(bands) * u64::from(rows) <= u64::from(REGISTERS_MAX);
    if !fits {
        return Err(Error::config(format!(
            "stage `near`: `bands` = {bands} and `rows` = {rows} make no sketch"
        ))
        .hint("at least 1 of each, at most 64 rows, and bands × rows at most 4096"));
    }
    Ok(banding)
}

fn planned(threshold: f64, recall: f64) -> Option<Banding> {
    (1..=ROWS_MAX).rev().find_map(|rows| {
        let fewest = (1..=REGISTERS / rows).find(|bands| probability(threshold, *bands, rows) >= recall)?;
        let bands = fewest + fewest.div_ceil(8);
        (bands * rows <= REGISTERS).then_some(Banding { bands, rows })
    })
}

/// The settings in words: what is compared, what is found, what it costs.
pub(super) fn summary(config: &NearConfig, banding: Banding) -> String {
    let Banding { bands, rows } = banding;
    let chance = |similarity| 100.0 * probability(similarity, bands, rows);
    let threshold = config.threshold;
    format!(
        "jaccard >= {threshold} of word {}-grams; {bands} bands x {rows} rows find {:.1}% of pairs at {threshold}, and \
         compare {:.1}% at {:.2}, {:.2}% at {:.2}\n{}\neach file of {} shingles or more sends {} bytes to buckets",
        config.ngram,
        chance(threshold),
        chance(threshold * 0.7),
        threshold * 0.7,
        chance(threshold * 0.4),
        threshold * 0.4,
        curve(banding),
        config.minimum_shingles,
        bands * ENTRY_BYTES,
    )
}

/// The collision curve in a line.
fn curve(banding: Banding) -> String {
    let point = |similarity: f64| {
        let chance = 100.0 * probability(similarity, banding.bands, banding.rows);
        match chance {
            small if small < 0.01 => format!("{similarity} <0.01%"),
            _ => format!("{similarity} {chance:.2}%"),
        }
    };
    let points: Vec<String> = CURVE.iter().map(|similarity| point(*similarity)).collect();
    format!("chance to be compared, by similarity: {}", points.join(", "))
}

/// What near-duplicates of a corpus cost, by its length in bytes and what files usually are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Files, of the usual length.
    pub files: u64,
    /// Pairs of files with nothing in common that are compared all the same, by estimate: were one in ten shingles equal.
    pub unlike_pairs: f64,
    /// Rows of buckets on disk, before compression, in bytes.
    pub bucket_bytes: u64,
    /// Shingle sets on disk, before compression, in bytes.
    pub set_bytes: u64,
    /// Memory of one task, in bytes: the most that any step has at once, but for `near-keepers`.
    pub task_memory: u64,
    /// Memory of the one task that decides about all edges, in bytes, at `edges-at-once`.
    pub keepers_memory: u64,
    /// Processor seconds, pairs of unlike files left out.
    pub seconds: u64,
}

/// What may be had.
#[derive(Clone, Copy, Debug)]
pub struct Means {
    /// Memory of a run, the program's own left out, in bytes.
    pub memory: u64,
    /// Room in scratch, in bytes.
    pub scratch: u64,
}

impl Cost {
    pub(super) fn new(config: &NearConfig, banding: Banding, content_bytes: u64, task_bytes: u64) -> Self {
        let files = content_bytes.div_ceil(FILE_BYTES);
        let pairs = files as f64 * files.saturating_sub(1) as f64 / 2.0;
        Self {
            files,
            unlike_pairs: expected_candidates(&[(UNLIKE, pairs)], banding.bands, banding.rows),
            bucket_bytes: files.saturating_mul(u64::from(banding.bands * ENTRY_BYTES)),
            set_bytes: (content_bytes / 100).saturating_mul(SET_PERCENT),
            task_memory: BUCKET_MEMORY.max((task_bytes / 100).saturating_mul(SET_PERCENT) + (16 << 20)),
            keepers_memory: config.edges_at_once.saturating_mul(EDGE_MEMORY),
            seconds: content_bytes / SKETCH_SPEED + files / FILE_SPEED,
        }
    }

    /// Scratch of all at once, before compression, in bytes.
    pub fn scratch(&self) -> u64 {
        self.bucket_bytes.saturating_add(self.set_bytes)
    }

    /// Refuses what cannot be had, with what could be.
    pub(super) fn check(&self, config: &NearConfig, means: Means) -> Result<()> {
        let mib = |bytes: u64| bytes.div_ceil(1 << 20);
        if self.task_memory > means.memory {
            let message = format!(
                "a task of `near` takes {} MiB of memory, and {} MiB are there",
                mib(self.task_memory),
                mib(means.memory)
            );
            return Err(Error::resource(message).hint("raise --memory, or lower `task-bytes` under [run]"));
        }
        if self.keepers_memory > means.memory {
            let message = format!(
                "`edges-at-once` = {} takes {} MiB of memory, and {} MiB are there",
                config.edges_at_once,
                mib(self.keepers_memory),
                mib(means.memory)
            );
            let fit = means.memory / EDGE_MEMORY;
            return Err(Error::resource(message).hint(format!("lower it to {fit}: decisions stay the same")));
        }
        if self.scratch() > means.scratch {
            let message = format!(
                "`near` takes up to {} MiB of scratch at a recall of {}, and {} MiB are there",
                mib(self.scratch()),
                config.recall,
                mib(means.scratch)
            );
            return Err(Error::resource(message).hint(self.offer(config, means)));
        }
        Ok(())
    }

    /// The highest recall that fits, in words.
    fn offer(&self, config: &NearConfig, means: Means) -> String {
        let room = format!("give --scratch-budget {}M", self.scratch().div_ceil(1 << 20));
        let bytes = |recall: &f64| {
            let banding = planned(config.threshold, *recall)?;
            Some(self.files.saturating_mul(u64::from(banding.bands * ENTRY_BYTES)) + self.set_bytes)
        };
        let is_lower = |recall: &&f64| **recall < config.recall;
        let fits = |recall: &&f64| bytes(recall).is_some_and(|bytes| bytes <= means.scratch);
        match OFFERS
            .iter()
            .filter(is_lower)
            .find(fits)
            .filter(|_| config.bands.is_none())
        {
            Some(recall) => format!("{room}, or set `recall = {recall}`"),
            None => room,
        }
    }
}

/// `base` to the power of `exponent` by repeated multiplication: the same bits on every machine, unlike `powf`.
fn power(base: f64, exponent: u32) -> f64 {
    (0..exponent).fold(1.0, |product, _| product * base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn banding_of(edit: impl FnOnce(&mut NearConfig)) -> Result<Banding> {
        let mut config = NearConfig::default();
        edit(&mut config);
        config.validate()
    }

    #[test]
    fn the_curve_has_its_published_points() {
        // Points of published settings, each at the threshold its authors name.
        for (similarity, bands, rows, percent) in [
            (0.7, 25, 10, 51.0),
            (0.85, 13, 19, 46.0),
            (0.8, 9, 13, 40.0),
            (0.75, 14, 8, 77.0),
        ] {
            assert!(
                (100.0 * probability(similarity, bands, rows) - percent).abs() < 0.6,
                "{bands} x {rows}"
            );
        }
        assert_eq!([probability(0.0, 42, 6), probability(1.0, 42, 6)], [0.0, 1.0]);
    }

    #[test]
    fn the_default_plan_is_42_bands_of_6_rows() {
        let banding = banding_of(|_| ()).expect("defaults");
        assert_eq!(banding, Banding { bands: 42, rows: 6 });
        assert_eq!(banding.registers(), 252);
    }

    #[test]
    fn every_plan_keeps_its_recall_within_256_registers() {
        for percent in 5..=100 {
            let threshold = f64::from(percent) / 100.0;
            let banding = planned(threshold, 0.99).expect("a plan");
            assert!(
                probability(threshold, banding.bands, banding.rows) >= 0.99,
                "{threshold}"
            );
            assert!(banding.registers() <= REGISTERS);
        }
        assert_eq!(planned(0.01, 0.99), None);
    }

    #[test]
    fn nonsense_is_refused() {
        for (bands, rows) in [(Some(1), None), (None, Some(1)), (Some(0), Some(1)), (Some(1), Some(0))] {
            assert!(banding_of(|config| (config.bands, config.rows) = (bands, rows)).is_err());
        }
        assert!(banding_of(|config| (config.bands, config.rows) = (Some(64), Some(64))).is_ok());
        assert!(banding_of(|config| (config.bands, config.rows) = (Some(65), Some(64))).is_err());
        assert!(banding_of(|config| (config.bands, config.rows) = (Some(1), Some(65))).is_err());
        assert!(banding_of(|config| (config.bands, config.rows) = (Some(u32::MAX), Some(2))).is_err());
        for threshold in [0.0, -1.0, 1.1, f64::NAN] {
            assert!(banding_of(|config| config.threshold = threshold).is_err());
        }
        for recall in [0.0, 1.0, f64::NAN] {
            assert!(banding_of(|config| config.recall = recall).is_err());
        }
        assert!(banding_of(|config| config.ngram = 0).is_err() && banding_of(|config| config.ngram = 65).is_err());
        assert!(banding_of(|config| config.minimum_shingles = 0).is_err());
        assert!(banding_of(|config| config.bucket_first = 1025).is_err());
        assert!(banding_of(|config| config.bucket_first = 0).is_err());
    }

    #[test]
    fn costs_grow_with_the_corpus_and_unlike_pairs_with_its_square() {
        let banding = Banding { bands: 42, rows: 6 };
        let cost = |bytes| Cost::new(&NearConfig::default(), banding, bytes, 64 << 20);
        let [none, small, large] = [0, 12_000_000, 24_000_000].map(cost);
        assert_eq!((none.files, none.bucket_bytes, none.unlike_pairs), (0, 0, 0.0));
        assert_eq!((small.files, small.bucket_bytes), (1000, 1_176_000));
        assert_eq!(large.bucket_bytes, 2 * small.bucket_bytes);
        assert!((3.99..4.01).contains(&(large.unlike_pairs / small.unlike_pairs)));
    }

    /// Mutation: offer a recall that does not fit either.
    #[test]
    fn what_cannot_be_had_is_refused_with_what_could_be() {
        let config = NearConfig::default();
        let cost = config.cost(12_000_000_000, 64 << 20).expect("defaults");
        let check = |memory, scratch| config.fits(&cost, Means { memory, scratch });
        assert!(check(8 << 30, u64::MAX).is_ok());
        assert!(check(100 << 20, u64::MAX).is_err_and(|error| error.message().contains("192 MiB")));
        let tight = check(200 << 20, u64::MAX).expect_err("edges do not fit");
        assert!(
            tight.hint_text().is_some_and(|hint| hint.contains("582542")),
            "{tight:?}"
        );
        let full = check(8 << 30, cost.scratch() - 1).expect_err("no room");
        assert!(
            full.hint_text()
                .is_some_and(|hint| hint.ends_with("or set `recall = 0.98`")),
            "{full:?}"
        );
        let none = check(8 << 30, 1).expect_err("no room at all");
        assert!(
            none.hint_text().is_some_and(|hint| !hint.contains("recall")),
            "{none:?}"
        );
        let large = config.cost(1, 4 << 30).expect("defaults");
        assert!(large.task_memory > 1 << 30);
    }

    #[test]
    fn candidates_are_a_weighted_sum() {
        assert_eq!(expected_candidates(&[(1.0, 3.0), (0.0, 9.0)], 42, 6), 3.0);
    }

    #[test]
    fn the_summary_says_what_is_found_and_what_it_costs() {
        let summary = NearConfig::default().summary();
        assert!(
            summary.contains("42 bands x 6 rows find 99.5% of pairs at 0.7"),
            "{summary}"
        );
        assert!(summary.contains("1176 bytes"), "{summary}");
        let nonsense = NearConfig {
            ngram: 0,
            ..NearConfig::default()
        };
        assert!(nonsense.summary().contains("`ngram`"));
    }
}
