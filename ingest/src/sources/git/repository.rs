//! A repository on this machine, opened without believing anything it says about itself.

use std::path::{Path, PathBuf};

use gix::ObjectId;
use stackmill_schemas::{Error, Result};

use super::super::place::{surely, trouble_of};

/// Most bytes that one object may take while it is decoded from a foreign repository (128 MiB), whatever its header
/// says; the large hosts of repositories do not take larger files.
pub(super) const MOST_OBJECT_BYTES: usize = 128 << 20;

/// Longest text of trouble that is recorded.
const LONGEST_WORDS: usize = 300;

/// Options that keep a repository to itself: no environment, no settings of the user or the system, and none of its
/// own beyond what its layout needs; no replaced objects.
pub(super) fn isolated() -> gix::open::Options {
    gix::open::Options::isolated()
        .with(gix::sec::Trust::Reduced)
        .config_overrides([
            "core.useReplaceRefs=false".to_owned(),
            "pack.threads=1".to_owned(),
            format!("gitoxide.objects.allocLimit={MOST_OBJECT_BYTES}"),
        ])
}

/// The commit that `revision` names in the clone at `path`, and the bytes that its objects take on disk.
pub(super) fn commit(path: &Path, revision: &str) -> Result<(ObjectId, u64)> {
    surely(|| resolved(path, revision))
}

fn resolved(path: &Path, revision: &str) -> Result<(ObjectId, u64)> {
    let repository = open(path)?;
    let trouble = |error: gix::Error| {
        shortage(&error).unwrap_or_else(|| match repository.head().is_ok_and(|head| head.is_unborn()) {
            true => Error::input("the repository has no commits"),
            false => Error::input(format!("revision `{revision}` cannot be read: {}", words(&error, path))),
        })
    };
    let found = repository.rev_parse_single(revision).map_err(trouble)?;
    let object = found.object().map_err(trouble)?;
    let commit = object.peel_to_kind(gix::object::Kind::Commit).map_err(trouble)?;
    Ok((commit.id, bytes_of(repository.objects.store_ref().path(), 2)?))
}

/// The address that the clone at `path` came from, as its own settings say; only its name is ever used.
pub(super) fn origin(path: &Path) -> Result<Option<String>> {
    let opened = trouble_of(surely(|| open(path)))?.ok();
    let url = opened.and_then(|repository| repository.config_snapshot().string("remote.origin.url"));
    Ok(url.map(|url| url.to_string()))
}

/// The folder of objects of the clone at `path`.
pub(super) fn objects_of(path: &Path) -> Result<PathBuf> {
    Ok(surely(|| open(path))?.objects.store_ref().path().to_owned())
}

fn open(path: &Path) -> Result<gix::Repository> {
    if !path.exists() {
        return Err(Error::input("there is no such repository").hint("relative paths start at the recipe's folder"));
    }
    gix::open_opts(path, isolated()).map_err(|error| {
        let broken = || format!("not a git repository that can be read: {}", words(&error, path));
        shortage(&error).unwrap_or_else(|| Error::input(broken()))
    })
}

/// Bytes of all files in a folder and `depth` levels below; what cannot be looked into has none.
fn bytes_of(folder: &Path, depth: u32) -> Result<u64> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return Error::shortage(&error).map_or(Ok(0), Err),
    };
    let mut bytes = 0;
    for entry in entries.flatten() {
        match entry.metadata() {
            Ok(metadata) if metadata.is_dir() && depth > 0 => bytes += bytes_of(&entry.path(), depth - 1)?,
            Ok(metadata) if metadata.is_file() => bytes += metadata.len(),
            _ => {}
        }
    }
    Ok(bytes)
}

/// The shortage of this machine that an error of the library comes from, if it does.
pub(super) fn shortage(error: &gix::Error) -> Option<Error> {
    error.iter_errors().find_map(Error::shortage)
}

/// What went wrong, outermost first, in one line that is the same on every machine: `hidden` is not named.
pub(super) fn words(error: &gix::Error, hidden: &Path) -> String {
    let mut parts: Vec<String> = Vec::new();
    for cause in error.iter_errors() {
        let text = cause
            .to_string()
            .replace(&*hidden.to_string_lossy(), "…")
            .replace(['\n', '\r'], " ");
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
    }
    let text = parts.join(": ");
    text.chars().take(LONGEST_WORDS).collect()
}
