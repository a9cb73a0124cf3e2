//! Which kind of source a place is: by its scheme, its ending, or what lies there.

use std::path::Path;

use stackmill_schemas::{Error, Result};

use super::config::{Patterns, SourceConfig};
use super::git::{is_repository, is_url};
use crate::store::Uri;

/// Endings of the files that each kind of source reads; lists of repositories are for `git`.
const ENDINGS: &[(&str, &[&str])] = &[
    ("parquet", &[".parquet"]),
    ("jsonl", &[".jsonl", ".jsonl.gz", ".jsonl.zst", ".ndjson"]),
    (
        "archives",
        &[
            ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.bz2", ".tar.xz", ".crate", ".zip",
        ],
    ),
    ("git", &[".git", ".txt"]),
];

/// What each kind looks like, for hints.
const KINDS: &str =
    "a folder, a clone or its URL, a `.txt` list of those, `.parquet`, `.jsonl`, or an archive such as `.tar.gz`";

/// The source that reads `place`: a path or a pattern, which start at the working directory, or a URI. Something that
/// cannot be told is an error that names the kinds there are.
///
/// A folder is a clone if it has what git keeps in one; if all folders in it are clones, it is those; else it is one
/// folder of files. A `.jsonl` file is a table, not a list of repositories.
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
        (true, _) => Ok(of("directory", text)),
        (false, Some(kind)) if full.is_file() || has_wildcards(place) => Ok(of(kind, text)),
        (false, _) if !full.exists() && !has_wildcards(place) => {
            Err(Error::input(format!("there is nothing at `{place}`")).hint(format!("an input is {KINDS}")))
        }
        _ => Err(unknown(place)),
    }
}

fn by_ending(place: &str) -> Option<&'static str> {
    let lower = place.trim_end_matches('/').to_ascii_lowercase();
    let ends = |endings: &[&str]| endings.iter().any(|ending| lower.ends_with(ending));
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
        for (name, expected) in [
            ("clones/a", "git"),
            ("clones/b.git", "git"),
            ("clones", "git"),
            ("mixed", "directory"),
            ("mixed/b", "directory"),
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
