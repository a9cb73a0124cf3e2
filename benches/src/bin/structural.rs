//! How well structural shingles tell clones from strangers: recall on clones, false pairs among unrelated files.
//!
//! ```text
//!   python benches/structural/clones.py CLONES 300 FOLDER…
//!   cargo run --release -p stackmill-benches --bin structural -- CLONES [NGRAM MINIMUM]…
//! ```
//! A clone counts as found if it is as like its original as the threshold says, of the originals that are long enough to
//! be compared at all. Originals are strangers if they lie in different projects, told by the first `depth` folders; each
//! pair of strangers is compared exactly, so there is no luck in it. `near` is what word 5-grams find of the same.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use stackmill_dedup::near::shingle;
use stackmill_dedup::structural::Shingler;
use stackmill_schemas::{Error, Result};

const KINDS: [&str; 4] = ["renamed", "formatted", "commented", "all"];
const THRESHOLDS: [f64; 3] = [0.6, 0.7, 0.8];
/// Pairs of strangers that are shown.
const SHOWN: usize = 12;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (folder, numbers) = arguments
        .split_first()
        .ok_or_else(|| Error::config("say where the clones are"))?;
    let number = |text: &String| text.parse::<u32>().map_err(|error| Error::config(error.to_string()));
    let numbers = numbers.iter().map(number).collect::<Result<Vec<_>>>()?;
    let settings = if numbers.is_empty() {
        &[10, 100][..]
    } else {
        &numbers[..]
    };
    let clones = Clones::read(Path::new(folder))?;
    println!("words of 5 (`near`), at least 6");
    let mut words = shingle::Shingler::new(5);
    clones.measure(6, &mut |text, _| words.set(text).to_vec());
    for pair in settings.chunks_exact(2) {
        println!("tokens of {}, at least {}", pair[0], pair[1]);
        let mut tokens = Shingler::new(pair[0]);
        clones.measure(pair[1] as usize, &mut |text, language| {
            tokens.set(text, language).to_vec()
        });
    }
    Ok(())
}

/// A file: its name, its language, where it came from, its text.
struct File {
    name: String,
    language: &'static str,
    origin: String,
    text: Vec<u8>,
}

struct Clones {
    originals: Vec<File>,
    of: BTreeMap<&'static str, BTreeMap<String, Vec<u8>>>,
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::input(error.to_string()).context(path.display().to_string()))
}

fn language(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "py" => "Python",
        "rs" => "Rust",
        "c" => "C",
        "cpp" | "cc" | "h" => "C++",
        "java" => "Java",
        "js" => "JavaScript",
        "ts" => "TypeScript",
        "go" => "Go",
        "cs" => "C#",
        "php" => "PHP",
        _ => "Ruby",
    }
}

impl Clones {
    fn read(folder: &Path) -> Result<Self> {
        let names = String::from_utf8_lossy(&read(&folder.join("names.tsv"))?).into_owned();
        let mut originals = Vec::new();
        let mut of: BTreeMap<&str, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        for (name, origin) in names.lines().filter_map(|line| line.split_once('\t')) {
            originals.push(File {
                name: name.to_owned(),
                language: language(name),
                origin: origin.to_owned(),
                text: read(&folder.join("original").join(name))?,
            });
            for kind in KINDS {
                if let Ok(text) = read(&folder.join(kind).join(name)) {
                    of.entry(kind).or_default().insert(name.to_owned(), text);
                }
            }
        }
        Ok(Self { originals, of })
    }

    fn measure(&self, minimum: usize, set: &mut dyn FnMut(&[u8], &str) -> Vec<u32>) {
        let (start, bytes) = (
            Instant::now(),
            self.originals.iter().map(|file| file.text.len()).sum::<usize>(),
        );
        let sets: Vec<Vec<u32>> = self
            .originals
            .iter()
            .map(|file| set(&file.text, file.language))
            .collect();
        let rate = bytes as f64 / start.elapsed().as_secs_f64() / 1e6;
        let compared = sets.iter().filter(|set| set.len() >= minimum).count();
        println!(
            "  {compared} of {} originals are compared; {rate:.0} MB/s with sorted sets",
            sets.len()
        );
        for (kind, clones) in &self.of {
            let mut by_language: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
            for (file, one) in self.originals.iter().zip(&sets).filter(|(_, set)| set.len() >= minimum) {
                if let Some(text) = clones.get(&file.name) {
                    let other = set(text, file.language);
                    let index = if other.len() < minimum {
                        0.0
                    } else {
                        jaccard(one, &other)
                    };
                    by_language.entry(file.language).or_default().push(index);
                }
            }
            let all: Vec<f64> = by_language.values().flatten().copied().collect();
            let found = THRESHOLDS.map(|threshold| found(&all, threshold));
            println!(
                "  {kind:<10} {:>5} clones, found at .6 .7 .8: {}",
                all.len(),
                found.join(" ")
            );
            let each = by_language
                .iter()
                .map(|(language, all)| format!("{language} {}", self::found(all, THRESHOLDS[1])));
            println!("             at .7: {}", each.collect::<Vec<_>>().join(", "));
        }
        self.strangers(minimum, &sets);
    }

    /// Pairs of different projects, through an inverted index of shingles that few files have.
    fn strangers(&self, minimum: usize, sets: &[Vec<u32>]) {
        let mut holders: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (file, set) in (0u32..).zip(sets).filter(|(_, set)| set.len() >= minimum) {
            set.iter()
                .for_each(|shingle| holders.entry(*shingle).or_default().push(file));
        }
        let mut common: BTreeMap<(u32, u32), usize> = BTreeMap::new();
        for files in holders.values() {
            for (i, a) in files.iter().enumerate() {
                for b in &files[i + 1..] {
                    *common.entry((*a, *b)).or_default() += 1;
                }
            }
        }
        let index = |(a, b): (u32, u32), common: usize| {
            common as f64 / (sets[a as usize].len() + sets[b as usize].len() - common) as f64
        };
        let mut pairs: Vec<(f64, u32, u32)> = common
            .iter()
            .map(|(pair, count)| (index(*pair, *count), pair.0, pair.1))
            .collect();
        pairs.retain(|(index, a, b)| *index >= THRESHOLDS[0] && self.project(*a) != self.project(*b));
        pairs.sort_by(|x, y| y.0.total_cmp(&x.0).then((x.1, x.2).cmp(&(y.1, y.2))));
        let counts = THRESHOLDS.map(|threshold| pairs.iter().filter(|pair| pair.0 >= threshold).count().to_string());
        println!("  strangers, pairs at .6 .7 .8: {}", counts.join(" "));
        for (index, a, b) in pairs.iter().take(SHOWN) {
            let (a, b) = (&self.originals[*a as usize], &self.originals[*b as usize]);
            println!("    {index:.2} {} {}", a.origin, b.origin);
        }
    }

    /// The folder that a file came from, without the version of a package.
    fn project(&self, file: u32) -> &str {
        let origin = &self.originals[file as usize].origin;
        let project = origin.split('/').nth(3).unwrap_or(origin);
        let version = project
            .rfind('-')
            .filter(|at| project[at + 1..].starts_with(|c: char| c.is_ascii_digit()));
        &project[..version.unwrap_or(project.len())]
    }
}

fn jaccard(a: &[u32], b: &[u32]) -> f64 {
    let (mut i, mut j, mut common) = (0, 0, 0);
    while i < a.len() && j < b.len() {
        common += usize::from(a[i] == b[j]);
        let (x, y) = (a[i], b[j]);
        i += usize::from(x <= y);
        j += usize::from(y <= x);
    }
    common as f64 / (a.len() + b.len() - common).max(1) as f64
}

/// Share of pairs that are as alike as `threshold`.
fn found(indices: &[f64], threshold: f64) -> String {
    let found = indices.iter().filter(|index| **index >= threshold).count();
    format!("{:.1}%", 100.0 * found as f64 / indices.len().max(1) as f64)
}
