//! A corpus of real files that every machine with Rust and Python has: Python's standard library and crate sources.
//!
//! It is copied once into the folder for tests under `target`, so that nothing changes it while it is read.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Most bytes and files of each half.
const PYTHON_FILES: usize = 1000;
const PYTHON_BYTES: u64 = 12 << 20;
const CRATES: usize = 80;
const CRATE_BYTES: u64 = 6 << 20;
/// Most bytes of all crates of the larger corpus, and of one of them: many files that are quickly read.
const MANY_BYTES: u64 = 7 << 20;
const MANY_CRATE_BYTES: u64 = 48 << 10;

const STAGES: &str = r#"
[rules]
preset = "stack-v2"
extension = true
vendored = true
parse-error-share = true
definitions-per-line = true
[repositories]
[near]
[structural]
action = "drop"
[blocks]
action = "cut"
lines = 20
[redact]
[decontaminate]
[tokenize]
sequence-length = 2048
"#;

/// The recipe over the whole corpus: about 3,000 files in many splits and chunks.
pub(crate) fn recipe() -> String {
    folder().join("recipe.toml").to_string_lossy().into_owned()
}

/// The same over some sixty files of it.
pub(crate) fn small_recipe() -> String {
    folder().join("small.toml").to_string_lossy().into_owned()
}

/// A recipe over more than 5,000 files of crates, several versions of some of them, and one file with an item of the
/// invented benchmark.
pub(crate) fn many_recipe() -> String {
    static RECIPE: OnceLock<String> = OnceLock::new();
    let recipe = RECIPE.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("many-corpus");
        let _ = fs::remove_dir_all(&folder);
        crates(&folder.join("crates"), usize::MAX, MANY_BYTES, MANY_CRATE_BYTES);
        let invented = stackmill_tests::root().join("examples/invented");
        copy(&invented.join("leak.py"), &folder.join("leaks/leak.py"));
        copy(&invented.join("benchmark.pack"), &folder.join("benchmark.pack"));
        let run = "[run]\nsplit-repositories = 20\ntask-bytes = 1_500_000\n";
        let sources = "[[source]]\nname = \"leaks\"\ndirectory = \"leaks\"\n[[source]]\nname = \"crates\"\narchives = \"crates/*.crate\"\n";
        let stages = STAGES.replace("[decontaminate]", "[decontaminate]\npacks = [\"benchmark.pack\"]");
        write(&folder.join("recipe.toml"), &format!("name = \"many\"\n{run}{sources}{stages}"));
        folder.join("recipe.toml").to_string_lossy().into_owned()
    });
    recipe.clone()
}

fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-corpus");
        // From scratch each time: another Python or other crates must not mix with these.
        let _ = fs::remove_dir_all(&folder);
        python(&folder.join("python"));
        crates(&folder.join("crates"), CRATES, CRATE_BYTES, CRATE_BYTES);
        let run = "[run]\nsplit-repositories = 9\nsplit-bytes = 3_000_000\ntask-bytes = 2_000_000\n";
        let sources = "[[source]]\nname = \"python\"\ndirectory = \"python/*\"\n[[source]]\nname = \"crates\"\narchives = \"crates/*.crate\"\n";
        write(&folder.join("recipe.toml"), &format!("name = \"real\"\n{run}{sources}{STAGES}"));
        let run = "[run]\nsplit-repositories = 1\ntask-bytes = 200_000\n";
        let sources = "[[source]]\ndirectory = [\"python/json\", \"python/email\", \"python/concurrent\", \"again/*\"]\n";
        copy_tree(&folder.join("python/json"), &folder.join("again/json"));
        write(&folder.join("small.toml"), &format!("name = \"small\"\n{run}{sources}{STAGES}"));
        folder
    })
}

fn write(path: &Path, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// Sources of Python's own library by name, in a folder for each of its packages.
fn python(to: &Path) {
    let script = "import sysconfig; print(sysconfig.get_paths()['stdlib'])";
    let output = Command::new(stackmill_tests::python())
        .args(["-c", script])
        .output()
        .expect("Python runs");
    let library = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let (mut files, mut bytes) = (0, 0);
    for path in sources_below(&library) {
        let below = path.strip_prefix(&library).expect("it lies below");
        let mut parts = below.components();
        let (first, more) = (parts.next(), parts.next().is_some());
        let Some(first) = first.map(|part| part.as_os_str().to_string_lossy().into_owned()) else {
            continue;
        };
        if ["site-packages", "test", "tests", "ensurepip"].contains(&first.as_str()) {
            continue;
        }
        bytes += path.metadata().map_or(0, |metadata| metadata.len());
        files += 1;
        if files > PYTHON_FILES || bytes > PYTHON_BYTES {
            break;
        }
        let place = if more {
            to.join(below)
        } else {
            to.join("modules").join(below)
        };
        copy(&path, &place);
    }
}

/// The first of the crates that building this workspace downloaded, by name, as long as there are bytes left;
/// those over `largest` bytes are left out.
fn crates(to: &Path, count: usize, most: u64, largest: u64) {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")))
        .expect("cargo has a home");
    let registries = fs::read_dir(home.join("registry/cache"))
        .into_iter()
        .flatten()
        .flatten();
    let mut all: Vec<PathBuf> = registries
        .flat_map(|registry| fs::read_dir(registry.path()))
        .flatten()
        .flatten()
        .map(|e| e.path())
        .collect();
    all.sort_by_key(|path| path.file_name().map(ToOwned::to_owned));
    let mut bytes = 0;
    for path in all
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "crate"))
        .take(count)
    {
        let length = path.metadata().map_or(0, |metadata| metadata.len());
        if length <= largest && bytes + length <= most {
            bytes += length;
            copy(&path, &to.join(path.file_name().expect("a file has a name")));
        }
    }
}

fn sources_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(sources_below(&path)),
            false => found.extend(path.extension().is_some_and(|ending| ending == "py").then_some(path)),
        }
    }
    found.sort();
    found
}

fn copy_tree(from: &Path, to: &Path) {
    for path in sources_below(from) {
        copy(&path, &to.join(path.strip_prefix(from).expect("it lies below")));
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().expect("a file lies in a folder")).expect("target can be written to");
    fs::copy(from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
}
