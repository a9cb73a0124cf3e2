//! A repository on this machine, opened without believing anything it says about itself.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gix::ObjectId;
use stackmill_schemas::{Error, Result};

use super::super::place::{surely, trouble_of};

/// Most bytes that one object may take while it is decoded from a foreign repository (128 MiB), whatever its header
/// says; the large hosts of repositories do not take larger files.
pub(super) const MOST_OBJECT_BYTES: usize = 128 << 20;

/// References that are branches and tags.
const HISTORY_REFERENCES: [&str; 3] = ["refs/heads/", "refs/tags/", "refs/remotes/"];

/// Most different commits that branches and tags may name: they stand in the lock, 41 bytes each.
const MOST_TIPS: usize = 20_000;

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

/// What every branch and tag of the clone at `path` names, and `commit`: ids of commits, sorted, a space between them.
pub(super) fn tips(path: &Path, commit: ObjectId) -> Result<String> {
    let repository = surely(|| open(path))?;
    let trouble = |error: gix::Error| {
        let broken = || Error::input(format!("the references cannot be read: {}", words(&error, path)));
        shortage(&error).unwrap_or_else(broken)
    };
    let mut tips = BTreeSet::from([commit]);
    for reference in repository.references().map_err(trouble)?.all().map_err(trouble)? {
        let mut reference = reference.map_err(trouble)?;
        let name = reference.name().as_bstr().to_string();
        if !HISTORY_REFERENCES.iter().any(|folder| name.starts_with(folder)) {
            continue;
        }
        // What names a tree or nothing has no history.
        let id = reference.peel_to_id().map_err(trouble).ok();
        let object = id.and_then(|id| id.object().ok());
        tips.extend(
            object
                .filter(|object| object.kind == gix::object::Kind::Commit)
                .map(|object| object.id),
        );
        if tips.len() > MOST_TIPS {
            return Err(
                Error::input(format!("the repository has more than {MOST_TIPS} branches and tags"))
                    .hint("read one of them: `history = \"revision\"`"),
            );
        }
    }
    Ok(tips.iter().map(ObjectId::to_string).collect::<Vec<_>>().join(" "))
}

/// The error for a repository whose ids are of a kind that is not read.
pub(super) fn unread_ids(kind: &str) -> Error {
    Error::input(format!(
        "the repository has {kind} ids; only those with sha1 ids are read"
    ))
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
        let words = words(&error, path);
        let broken = || match words.contains("extensions.objectFormat") {
            true => unread_ids(if words.contains("sha256") { "sha256" } else { "unknown" }),
            false => Error::input(format!("not a git repository that can be read: {words}")),
        };
        shortage(&error).unwrap_or_else(broken)
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
