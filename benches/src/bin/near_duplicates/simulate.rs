//! Near-duplicates of invented sketches, at a size of which no corpus is at hand: every exchange of the product, spilled.
//!
//! ```text
//!   bands of a slice ─► near-buckets ─► pairs ─► near-attach ─► near-verify ─► edges ─► turns ─► components ─► near-keepers
//! ```
//! One task after the other in one thread, so that seconds are the processor's and memory that of one task. Bands come in
//! slices, so that rows of buckets need not all lie on disk at once; a run has all of them there.
//!
//! Files in 16 are 13 alone, 2 in clusters of two to ninety, and 1 in clusters of 20,000, which fill buckets beyond
//! `bucket-limit`; of these there is one in EVERY periods. Two files of a cluster share 17 of 23 shingles: they meet in a
//! band with the chance 0.74^6.

use std::path::Path;
use std::sync::Arc;

use arrow_array::{BinaryArray, FixedSizeBinaryArray, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Schema};
use stackmill::clock::thread_seconds;
use stackmill::exchange::{SpillWriter, Spills};
use stackmill::job::Options;
use stackmill::passes::left::side_schema;
use stackmill::workdir::{Workdir, folder_bytes};
use stackmill_dedup::near::components::{Labels, Star, Turn};
use stackmill_dedup::near::{Near, NearConfig};
use stackmill_schemas::context::{Batches, Homes, SideFiles};
use stackmill_schemas::fingerprint::seeded;
use stackmill_schemas::stage::{Emit, Exchange, InputSize, Partition, Scatter};
use stackmill_schemas::{FileId, Result, TaskContext, columns};

/// Files of a home, as a run cuts them at most.
const HOME: u64 = 1 << 16;
/// Files scattered at once.
const BATCH: u64 = 1 << 12;
/// Bands of a slice.
const SLICE: u32 = 3;
/// Files that repeat one pattern of clusters.
const PERIOD: u64 = 320_000;
/// Chance of 65,536 that a file has its cluster's band: 0.74^6.
const MEETS: u64 = 10_761;

/// The cluster of a file, if it is in one; one of `every` periods has its large cluster.
fn cluster(file: u64, every: u64) -> Option<u64> {
    let (period, at) = (file / PERIOD, file % PERIOD);
    match at % 16 {
        // 20,000 of a period.
        0 => (period % every == 0).then_some(period << 32),
        // 40,000 of a period, 200 after each other in clusters of one size.
        1 | 2 => {
            let number = 2 * (at / 16) + at % 16 - 1;
            Some((period << 32) | (1 + number / (2 + (number / 200) % 89)))
        }
        _ => None,
    }
}

fn rank(file: u64) -> u128 {
    u128::from(seeded(1, &file.to_le_bytes())) << 64 | u128::from(file)
}

fn hash(seed: u64, a: u64, b: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&a.to_le_bytes());
    bytes[8..].copy_from_slice(&b.to_le_bytes());
    seeded(seed, &bytes)
}

/// The bucket of a file in a band: its cluster's, or its own.
fn bucket(file: u64, band: u64, every: u64) -> u64 {
    let own = hash(2, file, band);
    let hash = match cluster(file, every).filter(|_| own & 0xFFFF < MEETS.isqrt() * 256) {
        Some(cluster) => hash(3, cluster, band),
        None => own,
    };
    hash & !1 | u64::from(band == 0)
}

/// Sets of invented files.
struct Sets {
    files: u64,
    every: u64,
}

impl SideFiles for Sets {
    fn shingles(&self, home: u32) -> Result<Batches<'_>> {
        let first = u64::from(home) * HOME;
        let end = self.files.min(first + HOME);
        Ok(Box::new(
            (first..end)
                .step_by(BATCH as usize)
                .map(move |first| sets(first..end.min(first + BATCH), self.every)),
        ))
    }
}

fn sets(files: std::ops::Range<u64>, every: u64) -> Result<RecordBatch> {
    let set = |file: u64| {
        let cluster = cluster(file, every);
        let mut set: Vec<u32> = (0..20)
            .map(|at| match cluster {
                Some(cluster) if at < 17 => hash(4, cluster, at),
                _ => hash(5, file, at),
            })
            .map(|element| (element >> 32) as u32)
            .collect();
        set.sort_unstable();
        set.iter()
            .flat_map(|element| element.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let blobs: Vec<u8> = files
        .clone()
        .flat_map(|file| [file.to_le_bytes(), [7; 8]].concat().into_iter().chain([0; 4]))
        .collect();
    let sets = BinaryArray::from_iter_values(files.clone().map(set));
    let arrays: [Arc<dyn arrow_array::Array>; 3] = [
        Arc::new(UInt64Array::from_iter_values(files)),
        Arc::new(FixedSizeBinaryArray::try_new(20, blobs.into(), None)?),
        Arc::new(sets),
    ];
    Ok(RecordBatch::try_new(side_schema(), arrays.to_vec())?)
}

/// What all steps have at hand.
struct World {
    workdir: Workdir,
    near: Near,
    cx: TaskContext,
    size: InputSize,
    every: u64,
    disk: u64,
}

/// Runs `files` invented files through near-duplicates; one of `every` periods has its large cluster.
pub(crate) fn bench(files: u64, every: u64, folder: &Path) -> crate::Outcome {
    let homes = Homes::new((0..files.div_ceil(HOME)).map(|home| FileId(home * HOME)).collect());
    let size = InputSize {
        files,
        bytes: 0,
        homes: homes.count(),
    };
    let cx = TaskContext {
        side: Arc::new(Sets { files, every }),
        homes: Arc::new(homes),
        ..stackmill::run::bare_context(&options(folder)?)
    };
    let near = NearConfig {
        bands: Some(SLICE),
        rows: Some(6),
        ..NearConfig::default()
    }
    .build()?;
    let folder = folder.join(format!("stackmill-simulated-{}", std::process::id()));
    let workdir = Workdir::create(&folder, &folder, u64::MAX)?;
    let mut world = World {
        workdir,
        near,
        cx,
        size,
        every,
        disk: 0,
    };
    let outcome = world.all(&folder);
    std::fs::remove_dir_all(&folder)?;
    outcome?;
    Ok(())
}

pub(crate) fn options(folder: &Path) -> Result<Options> {
    Ok(Options {
        out: stackmill_ingest::store::Uri::of_path(folder)?,
        scratch: None,
        scratch_budget: u64::MAX,
        memory: 4 << 30,
        threads: 1,
        batch_rows: 256,
        sample: stackmill::units::Share(1.0),
        replace: false,
        update: false,
        cache: folder.to_owned(),
    })
}

impl World {
    fn all(&mut self, folder: &Path) -> Result<()> {
        let slices = NearConfig::default().validate()?.bands.div_ceil(SLICE);
        for slice in 0..slices {
            self.buckets(slice)?;
            self.told(folder, &format!("slice {} of {slices} in pairs", slice + 1));
        }
        let edges = self.edges(slices)?;
        self.told(folder, &format!("{edges} edges"));
        let (number, partitions) = self.turns(folder)?;
        let decisions = self.keepers((number, partitions), edges)?;
        self.told(folder, &format!("{decisions} decisions"));
        let (seconds, files) = (thread_seconds(), self.size.files as f64);
        println!(
            "{files} files: {:.2} us a file, {:.0} bytes of scratch a file at most, peak {} MiB",
            seconds * 1e6 / files,
            self.disk as f64 / files,
            crate::peak_mib()
        );
        Ok(())
    }

    fn told(&mut self, folder: &Path, what: &str) {
        let bytes = folder_bytes(folder);
        self.disk = self.disk.max(bytes);
        println!(
            "{what}: after {:.1} s, {} MiB on disk, peak {} MiB",
            thread_seconds(),
            bytes >> 20,
            crate::peak_mib()
        );
    }

    fn scatter(
        &self,
        exchange: &dyn Exchange,
        (spill, partitions): (&mut SpillWriter, u32),
        rows: &RecordBatch,
    ) -> Result<()> {
        let mut to = Scatter {
            send: &mut |rows, to| spill.send(rows, to),
            partitions,
            homes: &self.cx.homes,
        };
        exchange.scatter(rows, &mut to, &self.cx)
    }

    /// The bands of a slice become pairs.
    fn buckets(&mut self, slice: u32) -> Result<()> {
        let (buckets, attach) = (&self.near.buckets, &self.near.attach);
        let partitions = buckets.partitions(self.size);
        let mut spill = SpillWriter::create(&self.workdir, "buckets", 0, buckets.keyed())?;
        for first in (0..self.size.files).step_by(BATCH as usize) {
            let rows = bands(first..self.size.files.min(first + BATCH), (slice, self.every))?;
            self.scatter(buckets, (&mut spill, partitions), &rows)?;
        }
        spill.commit()?;
        let mut pairs = SpillWriter::create(&self.workdir, "pairs", slice, attach.keyed())?;
        let spills = Spills::new(&self.workdir, "buckets", 1);
        for index in 0..partitions {
            let partition = Partition {
                index,
                batches: spills.partition(index),
            };
            let mut emit = |rows: RecordBatch| self.scatter(attach, (&mut pairs, self.size.homes), &rows);
            buckets.gather(partition, &mut Emit(&mut emit), &self.cx)?;
        }
        pairs.commit()?;
        self.disk = self.disk.max(folder_bytes(self.workdir.place.local()));
        self.workdir.discard("buckets")
    }

    /// Pairs become edges; gives how many.
    fn edges(&mut self, slices: u32) -> Result<u64> {
        let (attach, verify) = (&self.near.attach, &self.near.verify);
        let mut attached = SpillWriter::create(&self.workdir, "attached", 0, verify.keyed())?;
        let pairs = Spills::new(&self.workdir, "pairs", slices);
        for index in 0..self.size.homes {
            let partition = Partition {
                index,
                batches: pairs.partition(index),
            };
            let mut emit = |rows: RecordBatch| self.scatter(verify, (&mut attached, self.size.homes), &rows);
            attach.gather(partition, &mut Emit(&mut emit), &self.cx)?;
        }
        attached.commit()?;
        self.disk = self.disk.max(folder_bytes(self.workdir.place.local()));
        self.workdir.discard("pairs")?;
        let components = self.near.components;
        let partitions = components.partitions(self.size.files);
        let mut edges = SpillWriter::create(&self.workdir, "1", 0, components.edge_schema())?;
        let mut count = 0;
        let attached = Spills::new(&self.workdir, "attached", 1);
        for index in 0..self.size.homes {
            let partition = Partition {
                index,
                batches: attached.partition(index),
            };
            let mut emit = |rows: RecordBatch| {
                count += rows.num_rows() as u64;
                routed(&mut edges, partitions, Turn::Small, &rows)
            };
            verify.gather(partition, &mut Emit(&mut emit), &self.cx)?;
        }
        edges.commit()?;
        self.workdir.discard("attached")?;
        Ok(count)
    }

    /// Turns until none moves a row; gives the number of the spill with stars, and its feeders.
    fn turns(&mut self, folder: &Path) -> Result<(u32, u32)> {
        let components = self.near.components;
        let partitions = components.partitions(self.size.files);
        for number in 1.. {
            let (turn, next) = if number % 2 == 1 {
                (Turn::Small, Turn::Large)
            } else {
                (Turn::Large, Turn::Small)
            };
            let feeders = if number == 1 { 1 } else { partitions };
            let spills = Spills::new(&self.workdir, &number.to_string(), feeders);
            let mut moved = 0;
            for partition in 0..partitions {
                let mut star = Star::new(turn, partition, partitions);
                spills.partition(partition).try_for_each(|rows| star.see(&rows?))?;
                let name = (number + 1).to_string();
                let mut spill = SpillWriter::create(&self.workdir, &name, partition, components.star_schema())?;
                let mut send = |rows: RecordBatch| routed(&mut spill, partitions, next, &rows);
                for rows in spills.partition(partition) {
                    star.turn(&rows?, &mut Emit(&mut send))?;
                }
                moved += star.finish(&mut Emit(&mut send))?;
                spill.commit()?;
            }
            if number > 1 {
                self.workdir.discard(&number.to_string())?;
            }
            self.told(folder, &format!("turn {number} moved {moved} rows"));
            if turn == Turn::Large && moved == 0 {
                return Ok((number + 1, partitions));
            }
        }
        Ok((1, 1))
    }

    /// Edges by component become decisions; gives how many.
    fn keepers(&mut self, (number, feeders): (u32, u32), edges: u64) -> Result<u64> {
        let deciders = self.near.components.deciders(edges);
        let keepers = &mut self.near.several_keepers;
        keepers.within(3 << 30);
        let mut spill = SpillWriter::create(&self.workdir, "keepers", 0, keepers.keyed())?;
        for partition in 0..feeders {
            let mut labels = Labels::default();
            let stars = Spills::new(&self.workdir, &number.to_string(), feeders);
            stars.partition(partition).try_for_each(|rows| labels.see(&rows?))?;
            for rows in Spills::new(&self.workdir, "1", 1).partition(partition) {
                let mut to = Scatter {
                    send: &mut |rows, to| spill.send(rows, to),
                    partitions: deciders,
                    homes: &Homes::default(),
                };
                labels.scatter(&rows?, &mut to)?;
            }
        }
        spill.commit()?;
        let mut decisions = 0;
        for index in 0..deciders {
            let batches = Spills::new(&self.workdir, "keepers", 1).partition(index);
            let mut emit = |rows: RecordBatch| {
                decisions += rows.num_rows() as u64;
                Ok(())
            };
            keepers.gather(Partition { index, batches }, &mut Emit(&mut emit), &self.cx)?;
        }
        Ok(decisions)
    }
}

fn routed(spill: &mut SpillWriter, partitions: u32, turn: Turn, rows: &RecordBatch) -> Result<()> {
    let mut to = Scatter {
        send: &mut |rows, to| spill.send(rows, to),
        partitions,
        homes: &Homes::default(),
    };
    turn.scatter(rows, &mut to)
}

/// The bands of a slice, as a sketch leaves them.
fn bands(files: std::ops::Range<u64>, (slice, every): (u32, u64)) -> Result<RecordBatch> {
    let of = |file: u64| {
        let bands = (0..u64::from(SLICE)).map(|band| bucket(file, u64::from(slice * SLICE) + band, every));
        bands
            .chain([hash(6, file, 0)])
            .flat_map(u64::to_le_bytes)
            .collect::<Vec<u8>>()
    };
    let ranks: Vec<u8> = files.clone().flat_map(|file| rank(file).to_be_bytes()).collect();
    let fields = vec![
        Field::new("rank", DataType::FixedSizeBinary(16), false),
        Field::new(columns::BANDS, DataType::Binary, true),
    ];
    let ranks = FixedSizeBinaryArray::try_new(16, ranks.into(), None)?;
    let bands = BinaryArray::from_iter_values(files.map(of));
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        vec![Arc::new(ranks), Arc::new(bands)],
    )?)
}
