//! The whole stage in one process, against all windows of lines of all pairs of files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{RecordBatch, StringArray, UInt32Array, UInt64Array};
use proptest::prelude::*;
use stackmill_schemas::context::Homes;
use stackmill_schemas::stage::{Exchange, Map as _};
use stackmill_schemas::{FileBatch, FileId, columns};

use super::*;
use crate::harness::{Run, World, run};
use crate::rows::{fixed_array, rank_array};

/// Files of a home.
const PER_HOME: usize = 3;

fn file_id(i: usize) -> FileId {
    FileId::new((i / PER_HOME) as u32, (i % PER_HOME) as u32)
}

/// A file: the high half of its rank, and its lines.
type File = (u8, Vec<u8>);

fn rank(files: &[File], i: usize) -> u128 {
    u128::from(files[i].0) << 64 | u128::from(file_id(i).0)
}

fn home(files: &[File], home: usize) -> RecordBatch {
    let rows = home * PER_HOME..files.len().min((home + 1) * PER_HOME);
    let text = |i: usize| {
        files[i]
            .1
            .iter()
            .map(|line| format!("line {line}\n"))
            .collect::<String>()
    };
    RecordBatch::try_from_iter([
        (
            columns::FILE_ID,
            Arc::new(UInt64Array::from_iter_values(rows.clone().map(|i| file_id(i).0))) as _,
        ),
        (
            columns::CONTENT,
            Arc::new(StringArray::from_iter_values(rows.clone().map(text))) as _,
        ),
        (
            columns::BLOB_ID,
            fixed_array(rows.clone().map(|i| [i as u8; 20])).expect("blobs"),
        ),
        ("rank", rank_array(rows.map(|i| rank(files, i))).expect("ranks")),
    ])
    .expect("a home")
}

/// (file, its line, other file, that one's line, lines) of every run that is told; lines are counted from 0.
fn found(files: &[File], lines: u32, shape: Run) -> Vec<(usize, usize, usize, usize, usize)> {
    let stage = BlocksConfig {
        lines,
        ..BlocksConfig::default()
    }
    .build()
    .expect("settings");
    let homes = files.len().div_ceil(PER_HOME);
    let mut task = stage.sketch.open(&World::default().context()).expect("open");
    let mut sketched = |i| {
        task.map(FileBatch::new(home(files, i)).expect("a batch"))
            .expect("map")
            .into_parts()
            .0
    };
    let sketches: Vec<RecordBatch> = (0..homes).map(&mut sketched).collect();
    let world = World {
        homes: Homes::new((0..homes).map(|home| FileId::new(home as u32, 0)).collect()),
        sides: sketches.iter().map(|batch| vec![batch.clone()]).collect(),
    };
    let chain: [&dyn Exchange; 3] = [&stage.anchors, &stage.attach, &stage.runs];
    let rows = chain
        .into_iter()
        .fold(sketches, |rows, exchange| run(exchange, &rows, &world, shape));
    let number = |id: u64| FileId(id).split() as usize * PER_HOME + FileId(id).row() as usize;
    let mut found = Vec::new();
    for batch in &rows {
        let [ids, others] = ["file_id", "other_file_id"].map(|name| columns::u64s(batch, name).expect("ids"));
        let of = |name| columns::u32s(batch, name).expect("lines");
        let [start, other, count] = ["start_line", "other_start_line", "lines"].map(of);
        for row in 0..ids.len() {
            let line = |numbers: &arrow_array::UInt32Array| numbers.value(row) as usize;
            found.push((
                number(ids.value(row)),
                line(start) - 1,
                number(others.value(row)),
                line(other) - 1,
                line(count),
            ));
        }
    }
    found.sort_unstable();
    found
}

/// The lines of each file that are in a block of an earlier one.
fn oracle(files: &[File], lines: usize) -> BTreeMap<usize, BTreeSet<usize>> {
    let mut covered: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    for b in 0..files.len() {
        for a in (0..files.len()).filter(|a| rank(files, *a) < rank(files, b)) {
            for (start, window) in files[b].1.windows(lines).enumerate() {
                if files[a].1.windows(lines).any(|other| other == window) {
                    covered.entry(b).or_default().extend(start..start + lines);
                }
            }
        }
    }
    covered
}

proptest! {
    #[test]
    fn blocks_are_those_of_all_pairs(
        pieces in prop::collection::vec(prop::collection::vec(0u8..12, 3..14), 1..5),
        shapes in prop::collection::vec((0u8..3, prop::collection::vec((0usize..5, prop::option::of(0u8..12)), 0..4)), 1..9),
        lines in 4u32..9,
        shape in any::<Run>(),
    ) {
        let file = |(standing, parts): (u8, Vec<(usize, Option<u8>)>)| {
            let part = |(piece, more): (usize, Option<u8>)| pieces[piece % pieces.len()].iter().copied().chain(more).collect::<Vec<_>>();
            (standing, parts.into_iter().flat_map(part).collect::<Vec<u8>>())
        };
        let files: Vec<File> = shapes.into_iter().map(file).collect();
        let mut covered: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (b, start, a, other, count) in found(&files, lines, shape) {
            prop_assert!(count >= lines as usize && rank(&files, a) < rank(&files, b));
            prop_assert_eq!(&files[b].1[start..start + count], &files[a].1[other..other + count]);
            covered.entry(b).or_default().extend(start..start + count);
        }
        prop_assert_eq!(covered, oracle(&files, lines as usize));
    }
}

#[test]
fn nonsense_is_refused() {
    let built = |lines| {
        BlocksConfig {
            lines,
            ..BlocksConfig::default()
        }
        .build()
        .is_ok()
    };
    assert!(built(4) && built(100_000));
    assert!(!built(3) && !built(100_001));
}

proptest! {
    #[test]
    fn what_is_cut_is_what_is_not_told(lines in prop::collection::vec("[ab]{0,2}\r?\n", 0..30), spans in prop::collection::vec((0u32..30, 1u32..9), 0..5)) {
        let (starts, ends): (Vec<u32>, Vec<u32>) = spans.iter().map(|(start, count)| (start + 1, start + count)).unzip();
        let runs = RecordBatch::try_from_iter([
            (columns::FILE_ID, Arc::new(UInt64Array::from(vec![7; spans.len()])) as _),
            ("start_line", Arc::new(UInt32Array::from(starts)) as _),
            ("end_line", Arc::new(UInt32Array::from(ends)) as _),
        ]).expect("runs");
        let mut cuts = Cuts::default();
        cuts.add(&runs).expect("runs");
        let texts = [lines.concat() + "end", "other\n".to_owned()];
        let files = RecordBatch::try_from_iter([
            (columns::FILE_ID, Arc::new(UInt64Array::from(vec![7, 8])) as _),
            (columns::CONTENT, Arc::new(StringArray::from(texts.to_vec())) as _),
        ]).expect("files");
        let files = cuts.attach(FileBatch::new(files).expect("ids")).expect("a column");
        let cut = Cut.open(&World::default().context()).expect("a task").map(files).expect("texts");
        let is_cut = |line: usize| spans.iter().any(|(start, count)| (*start..start + count).contains(&(line as u32)));
        let all = lines.iter().map(String::as_str).chain(["end"]).enumerate();
        let rest: String = all.clone().filter(|(line, _)| !is_cut(*line)).map(|(_, text)| text).collect();
        prop_assert_eq!(columns::strings(cut.record(), columns::CONTENT).expect("texts").value(0), rest.as_str());
        let counts = columns::u32s(cut.record(), columns::CUT_LINES).expect("counts");
        prop_assert_eq!(counts.value(0) as usize, all.filter(|(line, _)| is_cut(*line)).count());
        prop_assert_eq!((counts.value(1), cut.is_kept(1)), (0, true));
        prop_assert_eq!(cut.is_kept(0), counts.value(0) == 0 || !rest.trim().is_empty());
    }
}
