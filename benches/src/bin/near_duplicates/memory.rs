//! Texts in memory to removed rows, verified, in one thread: the stages as Python calls them on tables, beside gaoya.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::types::UInt64Type;
use arrow_array::{Array as _, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use serde_json::json;
use stackmill::frames::{Names, Tables, duplicates};
use stackmill::run::bare_context;
use stackmill::stages::Stages;
use stackmill::units::Share;
use stackmill::{Options, Recipe, Uri};
use stackmill_benches::{machine, processor_seconds};

use super::Outcome;
use super::truth::Truth;

/// Turns of each, one after the other.
const TURNS: usize = 3;

type Removed = BTreeMap<u32, Option<u32>>;
type Tool = fn(&[String]) -> Result<Removed, String>;

pub(crate) fn bench(texts: &[String]) -> Outcome {
    let tools: [(&str, Tool); 2] = [("stackmill", ours), ("gaoya 0.2.2", gaoya)];
    let mut seconds: HashMap<&str, Vec<f64>> = HashMap::new();
    let mut removed: HashMap<&str, Removed> = HashMap::new();
    for _ in 0..TURNS {
        for (name, tool) in tools {
            let before = processor_seconds();
            match tool(texts) {
                Ok(rows) => drop(removed.insert(name, rows)),
                Err(why) => return Err(why.into()),
            }
            seconds.entry(name).or_default().push(processor_seconds() - before);
        }
    }
    let truth = Truth::new(texts);
    let megabytes = texts.iter().map(String::len).sum::<usize>() as f64 / 1e6;
    println!("{}: {} files, {megabytes:.1} MB, one thread", machine(), texts.len());
    for (name, _) in tools {
        let seconds = seconds.get_mut(name).ok_or("no turn")?;
        seconds.sort_by(f64::total_cmp);
        println!("{name}: {:.2} s CPU ({seconds:.2?})", seconds[TURNS / 2]);
        truth.judge(&removed[name]);
    }
    Ok(())
}

fn ours(texts: &[String]) -> Result<Removed, String> {
    let told = |error: stackmill_schemas::Error| error.to_string();
    let schema = Arc::new(Schema::new(vec![Field::new("content", DataType::Utf8, false)]));
    let groups = texts.chunks(1000).map(|texts| {
        let column = Arc::new(StringArray::from_iter_values(texts));
        RecordBatch::try_new(schema.clone(), vec![column]).map_err(|error| error.to_string())
    });
    let batches = groups.collect::<Result<Vec<_>, _>>()?;
    let recipe = Recipe::of_stages(&json!({"near": {"threshold": 0.7}})).map_err(told)?;
    let stages = Stages::build(&recipe).map_err(told)?;
    let names = Names {
        content: "content".to_owned(),
        path: "path".to_owned(),
    };
    let found = duplicates(&stages, names, &Tables { schema, batches }, &bare_context(&options())).map_err(told)?;
    let mut removed = Removed::new();
    let mut row = 0;
    for batch in &found.batches {
        let keepers = batch
            .column_by_name("keeper")
            .ok_or("no keepers")?
            .as_primitive::<UInt64Type>();
        for i in 0..batch.num_rows() {
            if keepers.is_valid(i) && keepers.value(i) != row {
                removed.insert(row as u32, Some(keepers.value(i) as u32));
            }
            row += 1;
        }
    }
    Ok(removed)
}

/// One thread, and no workers.
fn options() -> Options {
    Options {
        out: Uri::Local(PathBuf::new()),
        scratch: None,
        scratch_budget: u64::MAX,
        memory: u64::MAX,
        threads: 1,
        batch_rows: 256,
        sample: Share(1.0),
        replace: false,
        update: false,
        cache: std::env::temp_dir(),
    }
}

/// Its index over kept files, asked before each file is added: 42 bands of 6, the curve that the product has; what it finds
/// is held against the exact sets of grams.
#[cfg(feature = "gaoya")]
fn gaoya(texts: &[String]) -> Result<Removed, String> {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};

    use gaoya::minhash::{MinHashIndex, MinHasher as _, MinHasher32};

    let (bands, width) = (42, 6);
    let hasher = MinHasher32::new(bands * width);
    let mut index: MinHashIndex<u32, u32> = MinHashIndex::new(bands, width, 0.6);
    let mut sets: Vec<Vec<u64>> = Vec::new();
    let mut removed = Removed::new();
    for (row, text) in texts.iter().enumerate() {
        let lower = text.to_lowercase();
        let words = lower.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        let hashed = words.windows(5).map(|gram| {
            let mut state = DefaultHasher::new();
            gram.hash(&mut state);
            state.finish()
        });
        let mut set: Vec<u64> = hashed.collect();
        set.sort_unstable();
        set.dedup();
        sets.push(set);
        let row = row as u32;
        let set = &sets[row as usize];
        if set.is_empty() {
            continue;
        }
        let signature = hasher.create_signature(set.iter());
        let mut found: Vec<u32> = index.query_owned(&signature).into_iter().collect();
        found.sort_unstable();
        let keeper = found
            .into_iter()
            .find(|kept| jaccard(set, &sets[*kept as usize]) >= 0.7);
        match keeper {
            Some(keeper) => drop(removed.insert(row, Some(keeper))),
            None => index.insert(row, signature),
        }
    }
    Ok(removed)
}

#[cfg(feature = "gaoya")]
fn jaccard(a: &[u64], b: &[u64]) -> f64 {
    let (mut i, mut j, mut both) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => i += 1,
            std::cmp::Ordering::Greater => j += 1,
            std::cmp::Ordering::Equal => (i, j, both) = (i + 1, j + 1, both + 1),
        }
    }
    f64::from(both) / (a.len() + b.len() - both as usize) as f64
}

#[cfg(not(feature = "gaoya"))]
fn gaoya(_: &[String]) -> Result<Removed, String> {
    Err("build with `--features gaoya`".to_owned())
}
