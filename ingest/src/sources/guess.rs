//! Which kind of source a place is: by its scheme, its ending, or what lies there.

use std::collections::BTreeSet;
use std::path::Path;

use stackmill_schemas::{Error, Result};

use super::config::{Patterns, SourceConfig};
use super::git::{is_repository, is_url};
use crate::store::Uri;

/// Endings of the files that each kind of source reads; lists of repositories are for `git`.
const ENDINGS: &[(&str, &[&str])] = &[
    ("parquet", &[".parquet"]),
    ("jsonl", &[".jsonl", ".ndjson", ".json"]),
    ("archives", &[".tar", ".tgz", ".txz", ".tbz2", ".crate", ".zip", ".whl"]),
    ("git", &[".git", ".txt"]),
];

/// Endings that files of lines and tapes may have behind their own.
const PACKED: [&str; 4] = [".gz", ".zst", ".xz", ".bz2"];

/// What each kind looks like, for hints.
const KINDS: &str =
    "a folder, a clone or its URL, a `.txt` list of those, `.parquet`, `.jsonl`, or an archive such as `.tar.gz`";

/// The source that reads `place`: a path or a pattern, which start at the working directory, or a URI. Something that
/// cannot be told is an error that names the kinds there are.
///
/// A folder is a clone if it has what git keeps in one; if all folders in it are clones, it is those; if all files in it
/// are tables of one kind, it is those; else it is one folder of files. A `.jsonl` file is a table, not a list of repositories.
pub fn guess(place: &str) -> Result<SourceConfig> {
    let kind = by_ending(place);
    let is_table = kind.is_some_and(|kind| kind != "git");
    // Web servers have tables and repositories, object stores have no repositories.
    if Uri::is_store(place, is_table) {
        return kind
            .map(|kind| of(kind, place.to_owned()))
            .ok_or_else(|| unknown(place));
    }
    if is_url(place) {
        return Ok(of("git", place.to_owned()));
    }
    let full = std::path::absolute(place)?;
    let text = full.to_str().ok_or_else(|| unknown(place))?.to_owned();
    match (full.is_dir(), kind) {
        (true, _) if is_repository(&full) => Ok(of("git", text)),
        (true, _) if holds_clones(&full)? => Ok(of("git", format!("{}/*", glob::Pattern::escape(&text)))),
        (true, _) => match table_endings(&full)? {
            Some((kind, endings)) => Ok(below(kind, &text, endings)),
            None => Ok(of("directory", text)),
        },
        (false, Some(kind)) if full.is_file() || has_wildcards(place) => Ok(of(kind, text)),
        (false, _) if !full.exists() && !has_wildcards(place) => {
            Err(Error::input(format!("there is nothing at `{place}`")).hint(format!("an input is {KINDS}")))
        }
        _ => Err(unknown(place)),
    }
}

fn by_ending(place: &str) -> Option<&'static str> {
    let lower = place.trim_end_matches('/').to_ascii_lowercase();
    let plain = PACKED.iter().find_map(|packed| lower.strip_suffix(packed));
    let is_packed = |ending: &str| [".jsonl", ".ndjson", ".json", ".tar"].contains(&ending);
    let is_end = |ending: &str| {
        lower.ends_with(ending) || is_packed(ending) && plain.is_some_and(|plain| plain.ends_with(ending))
    };
    let ends = |endings: &[&str]| endings.iter().any(|ending| is_end(ending));
    ENDINGS.iter().find(|(_, endings)| ends(endings)).map(|(kind, _)| *kind)
}

fn has_wildcards(place: &str) -> bool {
    place.contains(['*', '?', '['])
}

/// Whether there are folders in `folder`, and all of them are clones.
fn holds_clones(folder: &Path) -> Result<bool> {
    let mut any = false;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            any = true;
            if !is_repository(&path) {
                return Ok(false);
            }
        }
    }
    Ok(any)
}

/// The kind of the tables that a folder has, and their endings, if it has nothing else; what begins with `.` or `_` does
/// not count.
fn table_endings(folder: &Path) -> Result<Option<(&'static str, BTreeSet<String>)>> {
    let mut found: Option<(&str, BTreeSet<String>)> = None;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        let kind = by_ending(&name).filter(|kind| ["parquet", "jsonl"].contains(kind) && entry.path().is_file());
        let Some((kind, at)) = kind.zip(name.find('.')) else {
            return Ok(None);
        };
        let (known, endings) = found.get_or_insert((kind, BTreeSet::new()));
        if *known != kind {
            return Ok(None);
        }
        endings.insert(name[at..].to_owned());
    }
    Ok(found)
}

/// The tables of a folder.
fn below(kind: &str, folder: &str, endings: BTreeSet<String>) -> SourceConfig {
    let folder = glob::Pattern::escape(folder);
    let pattern = |ending: String| format!("{folder}/*{}", glob::Pattern::escape(&ending));
    let patterns = Some(Patterns::Many(endings.into_iter().map(pattern).collect()));
    let mut config = SourceConfig::default();
    match kind {
        "parquet" => config.parquet = patterns,
        _ => config.jsonl = patterns,
    }
    config
}

fn unknown(place: &str) -> Error {
    Error::input(format!("cannot tell what `{place}` is")).hint(format!("an input is {KINDS}"))
}

fn of(kind: &str, place: String) -> SourceConfig {
    let place = Some(Patterns::One(place));
    let mut config = SourceConfig::default();
    match kind {
        "git" => config.git = place,
        "directory" => config.directory = place,
        "archives" => config.archives = place,
        "parquet" => config.parquet = place,
        _ => config.jsonl = place,
    }
    config
}

#[cfg(test)]
mod tests {
    use super::super::testing::write;
    use super::*;

    fn kind(place: &str) -> String {
        match guess(place) {
            Ok(config) => config.name().to_owned(),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn places_elsewhere_are_told_by_their_names() {
        for (place, expected) in [
            ("https://h/o/n.git", "git"),
            ("https://h/o/n", "git"),
            ("https://h/x.parquet", "parquet"),
            ("git://h/x.parquet", "git"),
            ("s3://b/x/*.jsonl.zst", "jsonl"),
            ("s3://b/x-00001.json.gz", "jsonl"),
            ("s3://b/x.parquet.gz", "cannot tell what `s3://b/x.parquet.gz` is"),
            ("s3://b/a.tar.xz", "archives"),
            ("s3://b/a.tar.gz", "archives"),
            ("s3://b/repos.txt", "git"),
            ("s3://b/x", "cannot tell what `s3://b/x` is"),
            ("no/such/*.PARQUET", "parquet"),
            ("no/such/*", "cannot tell what `no/such/*` is"),
            ("no/such.parquet", "there is nothing at `no/such.parquet`"),
        ] {
            assert_eq!(kind(place), expected, "{place}");
        }
    }

    #[test]
    fn folders_are_clones_folders_of_clones_or_files() {
        let folder = tempfile::tempdir().expect("tempdir");
        let at = |name: &str| folder.path().join(name);
        for clone in ["clones/a/.git", "clones/b.git", "mixed/a/.git"] {
            write(&at(&format!("{clone}/HEAD")), b"ref: refs/heads/main\n");
            write(&at(&format!("{clone}/objects/x")), b"");
            write(&at(&format!("{clone}/refs/x")), b"");
        }
        write(&at("mixed/b/main.c"), b"");
        write(&at("odd.file"), b"");
        for file in [
            "tables/a.parquet",
            "tables/_SUCCESS",
            "rows/a.jsonl",
            "rows/b.jsonl.gz",
            "both/a.parquet",
            "both/b.py",
        ] {
            write(&at(file), b"");
        }
        for (name, expected) in [
            ("clones/a", "git"),
            ("clones/b.git", "git"),
            ("clones", "git"),
            ("mixed", "directory"),
            ("mixed/b", "directory"),
            ("tables", "parquet"),
            ("rows", "jsonl"),
            ("both", "directory"),
        ] {
            assert_eq!(kind(&at(name).to_string_lossy()), expected, "{name}");
        }
        let clones = guess(&at("clones").to_string_lossy()).expect("clones");
        assert!(
            clones
                .git
                .is_some_and(|patterns| patterns.as_slice()[0].ends_with("/clones/*"))
        );
        assert!(kind(&at("odd.file").to_string_lossy()).starts_with("cannot tell"));
    }
}
