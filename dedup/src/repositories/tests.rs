//! The whole stage in one process, against a greedy comparison of all pairs by plain sets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::{BooleanArray, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array};
use proptest::prelude::*;
use stackmill_schemas::context::Homes;
use stackmill_schemas::stage::Exchange;
use stackmill_schemas::{Decision, FileId, columns};

use super::*;
use crate::harness::{Run, World, decisions_of, joined, run};
use crate::rows::optional_fixed_array;

/// A repository: stars, whether it is a fork, and the blobs of its files, of which 0 is none.
type Repo = (u8, bool, Vec<u8>);

/// Every repository's files: path i holds blob i of the list. Rows of repositories are mixed.
fn listing(repos: &[Repo]) -> RecordBatch {
    let mut rows: Vec<(usize, usize)> = Vec::new();
    for (number, (_, _, blobs)) in repos.iter().enumerate() {
        rows.extend((0..blobs.len()).map(|file| (file, number)));
    }
    rows.sort_unstable();
    let repo = |row: &(usize, usize)| &repos[row.1];
    let blob = |row: &(usize, usize)| Some(repo(row).2[row.0]).filter(|blob| *blob > 0).map(|blob| [blob; 20]);
    let blobs: Vec<Option<[u8; 20]>> = rows.iter().map(blob).collect();
    let text =
        |of: &dyn Fn(&(usize, usize)) -> String| Arc::new(StringArray::from_iter_values(rows.iter().map(of))) as _;
    let count = rows.len();
    RecordBatch::try_from_iter([
        (
            columns::FILE_ID,
            Arc::new(UInt64Array::from_iter_values(0..count as u64)) as _,
        ),
        (columns::REPO_NAME, text(&|row| format!("r{}", row.1))),
        (columns::REVISION_ID, text(&|_| "1".to_owned())),
        (columns::PATH, text(&|row| format!("p{}", row.0))),
        (columns::MODE, Arc::new(UInt32Array::from_value(0o100_644, count)) as _),
        (columns::LENGTH_BYTES, Arc::new(UInt64Array::from_value(9, count)) as _),
        (columns::BLOB_ID, optional_fixed_array(&blobs).expect("blobs")),
        (
            columns::STARS,
            Arc::new(Int64Array::from_iter_values(
                rows.iter().map(|row| i64::from(repo(row).0)),
            )) as _,
        ),
        (columns::FORKS, Arc::new(Int64Array::from(vec![None; count])) as _),
        (
            "fork",
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(repo(row).1)))) as _,
        ),
    ])
    .expect("listing")
}

/// Decisions, with each repository's number in the order of ranks, and its files.
fn decided(repos: &[Repo], config: &RepositoriesConfig, shape: Run) -> (Vec<Decision>, BTreeMap<FileId, String>) {
    let stage = config.build().expect("settings");
    let sets = run(&stage.gathering, &[listing(repos)], &World::default(), shape);
    let mut names = BTreeMap::new();
    let mut sides = vec![Vec::new(); shape.partitions as usize];
    for batch in &sets {
        let ids = columns::u64s(batch, columns::FILE_ID).expect("ids");
        let bytes = columns::binaries(batch, columns::SHINGLES).expect("sets");
        for row in 0..batch.num_rows() {
            let name = set::Set::read(bytes.value(row)).expect("a set").name;
            names.insert(FileId(ids.value(row)), String::from_utf8_lossy(name).into_owned());
            sides[FileId(ids.value(row)).split() as usize].push(batch.slice(row, 1));
        }
    }
    let sides = sides.iter().map(|rows| {
        if rows.is_empty() {
            Vec::new()
        } else {
            vec![joined(rows)]
        }
    });
    let world = World {
        homes: Homes::new((0..shape.partitions).map(|home| FileId::new(home, 0)).collect()),
        sides: sides.collect(),
    };
    let chain: [&dyn Exchange; 4] = [&stage.anchors, &stage.attach, &stage.containment, &stage.keepers];
    let rows = chain
        .into_iter()
        .fold(sets, |rows, exchange| run(exchange, &rows, &world, shape));
    (decisions_of(&rows), names)
}

/// Of each removed repository: whether a keeper has its very tree, and the share of its blobs there; in rank order.
fn oracle(repos: &[Repo], config: &RepositoriesConfig, order: &[usize]) -> BTreeMap<usize, (bool, f64)> {
    let blobs = |i: usize| -> BTreeSet<u8> { repos[i].2.iter().copied().filter(|blob| *blob > 0).collect() };
    let (mut kept, mut removed): (Vec<usize>, _) = (Vec::new(), BTreeMap::new());
    for &b in order {
        let own = blobs(b);
        let share = |a: &usize| own.intersection(&blobs(*a)).count() as f64 / own.len().max(1) as f64;
        let same = kept.iter().find(|a| repos[**a].2 == repos[b].2 && !own.is_empty());
        let near = kept
            .iter()
            .find(|a| own.len() >= config.minimum_files as usize && share(a) >= config.threshold);
        match same.or(near) {
            Some(a) => drop(removed.insert(b, (same.is_some(), share(a)))),
            None => kept.push(b),
        }
    }
    removed
}

proptest! {
    #[test]
    fn copies_are_removed_in_rank_order_whatever_the_partitions(
        repos in prop::collection::vec((0u8..3, any::<bool>(), prop::collection::vec(0u8..9, 0..8)), 1..12),
        twins in prop::collection::vec((0usize..12, 0u8..3), 0..4),
        shape in any::<Run>(),
        threshold in 0.3f64..=1.0,
    ) {
        let mut repos: Vec<Repo> = repos.into_iter().filter(|repo| !repo.2.is_empty()).collect();
        for (of, stars) in twins.into_iter().filter(|twin| twin.0 < repos.len()).collect::<Vec<_>>() {
            let twin = (stars, repos[of].1, repos[of].2.clone());
            repos.push(twin);
        }
        prop_assume!(!repos.is_empty());
        let config = RepositoriesConfig { threshold, minimum_files: 3, ..RepositoriesConfig::default() };
        let (decisions, names) = decided(&repos, &config, shape);
        let number = |id: FileId| names[&id][1..].trim_end_matches("@1").parse::<usize>().expect("a number");
        // Ids follow the hash of names, the last criterion.
        let mut order: Vec<usize> = names.keys().map(|id| number(*id)).collect();
        order.sort_by_key(|i| (repos[*i].1, u8::MAX - repos[*i].0, usize::MAX - repos[*i].2.len()));
        let found: BTreeMap<usize, (bool, f64)> = decisions
            .iter()
            .map(|decision| {
                let Some(stackmill_schemas::Measure::Text(value)) = &decision.reason.value else { panic!("no share") };
                (number(decision.file_id), (decision.rule == DUPLICATE, value.parse().expect("a share")))
            })
            .collect();
        prop_assert_eq!(found, oracle(&repos, &config, &order));
    }
}

#[test]
fn nonsense_is_refused() {
    let built = |edit: fn(&mut RepositoriesConfig)| {
        let mut config = RepositoriesConfig::default();
        edit(&mut config);
        config.build().is_ok()
    };
    assert!(built(|_| ()) && built(|config| config.keep.clear()));
    assert!(!built(|config| config.threshold = 0.0) && !built(|config| config.threshold = f64::NAN));
    assert!(!built(|config| config.minimum_files = 0));
    assert!(!built(
        |config| config.keep = vec![Criterion::Stars, Criterion::Fork, Criterion::Stars]
    ));
}
