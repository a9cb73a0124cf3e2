//! The kernel beside xxh3-128: the same buffers, one process, one core, in turns; medians.

use std::hint::black_box;
use std::time::Instant;

use stackmill_benches::machine;
use stackmill_dedup::near::NearConfig;
use stackmill_dedup::near::kernel::Level;
use stackmill_dedup::near::shingle::Shingler;
use stackmill_dedup::near::sketch::Sketcher;
use xxhash_rust::xxh3::xxh3_128;

use super::Outcome;

/// Turns of each.
const TURNS: usize = 9;

pub(crate) fn bench(texts: &[String]) -> Outcome {
    let bytes: usize = texts.iter().map(String::len).sum();
    println!("{}; {} files, {:.1} MB", machine(), texts.len(), bytes as f64 / 1e6);
    for level in [Level::Portable, Level::Avx2, Level::Avx512] {
        if level.is_here() {
            measure(texts, level)?;
        }
    }
    Ok(())
}

fn measure(texts: &[String], level: Level) -> Outcome {
    let config = NearConfig::default();
    let bytes: usize = texts.iter().map(String::len).sum();
    let mut shingler = Shingler::at(config.ngram, level);
    let mut sketcher = Sketcher::at(config.validate()?, config.seed, level);
    let (mut times, mut shingles): ([Vec<f64>; 3], usize) = Default::default();
    let mut bands = Vec::new();
    for _ in 0..TURNS {
        let [hash, set, all] = &mut times;
        timed(hash, texts, |text| _ = black_box(xxh3_128(text)));
        shingles = 0;
        timed(set, texts, |text| shingles += black_box(shingler.set(text)).len());
        timed(all, texts, |text| {
            let set = shingler.set(text);
            bands.clear();
            sketcher.bands(set, &mut bands);
            black_box((set, &bands));
        });
    }
    let [hash, set, all] = times.map(median);
    println!("{level:?}: {shingles} distinct shingles in all");
    for (name, seconds) in [("xxh3-128", hash), ("set", set), ("set and sketch", all)] {
        println!(
            "  {name:<15} {:>7.0} MB/s  {:>6.2} ns a shingle  1/{:.1} of xxh3-128",
            bytes as f64 / 1e6 / seconds,
            seconds * 1e9 / shingles as f64,
            seconds / hash
        );
    }
    Ok(())
}

fn timed(times: &mut Vec<f64>, texts: &[String], mut work: impl FnMut(&[u8])) {
    let start = seconds();
    texts.iter().for_each(|text| work(text.as_bytes()));
    times.push(seconds() - start);
}

/// Processor seconds of this thread where Linux tells them, so that a loaded machine counts less; else of the clock.
fn seconds() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told
        .split_whitespace()
        .next()
        .and_then(|field| field.parse::<f64>().ok());
    static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    nanoseconds.map_or_else(|| START.elapsed().as_secs_f64(), |time| time / 1e9)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
