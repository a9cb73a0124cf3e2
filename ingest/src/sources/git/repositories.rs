//! Which repositories a source names: paths, URLs, and lists of both with metadata that rides along.

use std::collections::BTreeMap;
use std::path::Path;

use stackmill_schemas::path::{escape, unescape};
use stackmill_schemas::{Error, Result};

use super::super::place::{Input, expand_one, location_of, name_of, path_from, path_of};
use super::super::{Setup, SourceConfig};
use super::lists::{Fields, Layout};
use super::{clones, lists, repository};
use crate::lists::Riding;
use crate::store::Uri;

/// Metadata that rides along, beside what `metadata` of the source names.
const METADATA: [&str; 3] = ["stars", "forks", "license"];

/// Names under which a list may have its locations, the likeliest first.
const LOCATIONS: [&str; 3] = ["url", "path", "repo"];

/// One repository as the recipe or a list names it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Repository {
    /// A URL, or a path relative to the recipe's folder as [`super::super::place`] writes it.
    pub(super) location: String,
    /// Its name, where a list says so.
    pub(super) name: Option<String>,
    /// What to read, where a list says so.
    pub(super) revision: Option<String>,
    /// `stars`, `forks`, `license`, and what else the source names.
    pub(super) metadata: BTreeMap<String, String>,
}

impl Repository {
    /// Whether it has to be cloned.
    pub(super) fn is_remote(&self) -> bool {
        is_elsewhere(&self.location)
    }

    /// What a list says; else `owner/name` of the URL, or of the URL that a clone came from; else the folder's name.
    pub(super) fn repo_name(&self, folder: &Path) -> Result<String> {
        Ok(match &self.name {
            Some(name) => name.clone(),
            None if self.is_remote() => name_of_url(&self.location),
            None => {
                let path = path_of(folder, &self.location);
                let origin = repository::origin(&path)?.filter(|url| is_elsewhere(url));
                origin.map_or_else(|| name_of_clone(&path), |url| name_of_url(&url))
            }
        })
    }
}

/// Whether a location is one of a repository elsewhere: a URL, or `user@host:path`.
pub(super) fn is_elsewhere(location: &str) -> bool {
    let is_url = ["https://", "http://", "git://"]
        .iter()
        .any(|scheme| location.starts_with(scheme));
    is_url || is_ssh(location)
}

/// The host of a repository elsewhere, with its port; empty where there is none.
pub(super) fn host_of(location: &str) -> &str {
    let place = match location.split_once("://") {
        Some((_, rest)) => rest.split(['/', '?', '#']).next(),
        None => location.split_once(':').map(|(place, _)| place),
    };
    let place = place.unwrap_or_default();
    place.rsplit_once('@').map_or(place, |(_, host)| host)
}

/// Refuses a URL that holds a password: it would be written into the lock and the ledger.
pub(super) fn check_url(location: &str) -> Result<()> {
    let place = location.split_once("://").map_or("", |(_, rest)| rest);
    let user = place.split(['/', '?', '#']).next().unwrap_or_default().rsplit_once('@');
    match user.is_some_and(|(user, _)| user.contains(':')) {
        true => Err(
            Error::config(format!("source: a URL of `{}` holds a password", host_of(location))).hint(
                "take it out and name it in STACKMILL_GIT_LOGINS or STACKMILL_NETRC (docs/guide/repositories.md)",
            ),
        ),
        false => Ok(()),
    }
}

/// The location that a `file` URL stands for, if `text` is one: it is read in place, like any path. As in git, `%2f` and
/// its kin stand for bytes.
fn location_of_file_url(text: &str) -> Option<Result<String>> {
    let path = text.strip_prefix("file://")?;
    let path = path.strip_prefix("localhost").unwrap_or(path);
    Some(match path.starts_with('/') {
        true => Ok(escape(&decoded(path.as_bytes()))),
        false => Err(Error::input(format!("`{text}` names no path of this machine"))
            .hint("a `file` URL has three slashes, as in `file:///srv/git/name.git`")),
    })
}

/// The bytes that a percent-encoded text stands for.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(code) if byte == b'%' => {
                bytes.push(code);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    bytes
}

/// Whether a location is reached with ssh: `ssh://…` or `user@host:path`.
fn is_ssh(location: &str) -> bool {
    let scp = location
        .split_once(':')
        .is_some_and(|(host, _)| host.contains('@') && !host.contains('/'));
    location.starts_with("ssh://") || scp
}

/// The last two components of a URL's path.
fn name_of_url(url: &str) -> String {
    let (rest, end) = url.split_once("://").map_or((url, ':'), |(_, rest)| (rest, '/'));
    let rest = rest.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let rest = rest.strip_suffix(".git").unwrap_or(rest).trim_end_matches('/');
    let path = rest.split_once(end).map_or("", |(_host, path)| path);
    let mut components: Vec<_> = path
        .rsplit('/')
        .filter(|component| !component.is_empty())
        .take(2)
        .collect();
    components.reverse();
    match components.is_empty() {
        true => rest.to_owned(),
        false => components.join("/"),
    }
}

fn name_of_clone(path: &Path) -> String {
    let name = name_of(path);
    match (name.as_str(), path.parent()) {
        (".git", Some(parent)) if parent != Path::new("") => name_of(parent),
        _ => name
            .strip_suffix(".git")
            .or(name.strip_suffix(".bundle"))
            .filter(|stem| !stem.is_empty())
            .unwrap_or(&name)
            .to_owned(),
    }
}

/// Every repository that the source names, each location once (the first naming counts).
pub(super) fn named(setup: &Setup) -> Result<Vec<Repository>> {
    let mut found = Vec::new();
    for pattern in &setup.patterns {
        if is_elsewhere(pattern) {
            found.push(at(pattern.clone()));
            continue;
        }
        if let Some(location) = location_of_file_url(pattern) {
            found.push(at(location?));
            continue;
        }
        for location in expand_one(setup, pattern, |path| path.is_dir() || is_list(path) || is_bundle(path))? {
            match is_list(&path_of(&setup.folder, &location)) {
                true => found.extend(listed(setup, &location)?),
                false if Uri::is_store(&location, false) => return Err(not_on_disk(&location)),
                false => found.extend(local(setup, location)?),
            }
        }
    }
    found.sort_by(|a, b| a.location.cmp(&b.location));
    found.dedup_by(|b, a| a.location == b.location && a.revision == b.revision);
    Ok(found)
}

fn at(location: String) -> Repository {
    Repository {
        location,
        ..Repository::default()
    }
}

/// A repository of this machine, or all that lie below a folder that is none.
fn local(setup: &Setup, location: String) -> Result<Vec<Repository>> {
    let path = path_of(&setup.folder, &location);
    let below = match path.is_dir() && !clones::is_repository(&path) {
        true => clones::below(&path, setup.config.max_entries)?,
        false => Vec::new(),
    };
    Ok(match below.is_empty() {
        // What is wrong with it will be said of it.
        true => vec![at(location)],
        false => below.iter().map(|path| at(location_of(&setup.folder, path))).collect(),
    })
}

fn is_list(path: &Path) -> bool {
    layout(path).is_some() && !path.is_dir()
}

fn layout(path: &Path) -> Option<Layout> {
    Layout::of(path.file_name()?.to_str()?)
}

/// Whether a wildcard means it; one that is named may be called anything.
fn is_bundle(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "bundle") && path.is_file()
}

/// The repositories of a list; relative paths in it start at the list's own folder.
fn listed(setup: &Setup, location: &str) -> Result<Vec<Repository>> {
    let input = Input::of(setup, location)?;
    let path = path_from(unescape(location));
    let layout = layout(&path).ok_or_else(|| Error::bug(format!("`{location}` is no list")))?;
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    let mut found = Vec::new();
    lists::rows(&input, layout, &names(&setup.config), &mut |fields, place| {
        let repository = from_fields(&fields, &setup.config, &folder);
        found.push(repository.map_err(|error| error.context(place()))?);
        Ok(())
    })?;
    Ok(found)
}

/// Every name under which a list may say something.
fn names(config: &SourceConfig) -> Vec<&str> {
    let ours = ["name", "revision"].into_iter().chain(metadata(config));
    let ours = ours.map(|ours| theirs(config, ours));
    let location = config.repositories.get("location").map(String::as_str);
    ours.chain(location).chain(LOCATIONS).collect()
}

/// The name of ours in the list.
fn theirs<'a>(config: &'a SourceConfig, ours: &'a str) -> &'a str {
    config.repositories.get(ours).map_or(ours, String::as_str)
}

fn metadata(config: &SourceConfig) -> impl Iterator<Item = &str> {
    METADATA.into_iter().chain(config.metadata.iter().map(String::as_str))
}

fn located(text: &str, folder: &Path) -> Result<Repository> {
    check_url(text)?;
    let location = match location_of_file_url(text) {
        Some(location) => location?,
        None if is_elsewhere(text) => text.to_owned(),
        None => location_of(Path::new(""), &folder.join(text)),
    };
    match Uri::is_store(&location, false) {
        true => Err(not_on_disk(&location)),
        false => Ok(at(location)),
    }
}

/// Stores hold lists of repositories, not repositories.
fn not_on_disk(location: &str) -> Error {
    Error::input(format!(
        "`{location}` is in an object store, where no repository is read from"
    ))
    .hint("name its URL or a folder of this machine; lists in a store end in `.txt`, `.csv`, `.jsonl` or `.parquet`")
}

fn from_fields(fields: &Fields, config: &SourceConfig, folder: &Path) -> Result<Repository> {
    let get = |ours: &str| fields.get(theirs(config, ours)).cloned();
    let location = match config.repositories.contains_key("location") {
        true => get("location"),
        false => LOCATIONS.iter().find_map(|&name| fields.get(name).cloned()),
    };
    let location = location.ok_or_else(|| {
        Error::input("no repository is named")
            .hint("each row has `url`, `path` or `repo`, or the name that `repositories.location` gives")
    })?;
    let metadata = metadata(config).filter_map(|ours| Some((ours.to_owned(), get(ours)?)));
    let metadata: BTreeMap<_, _> = metadata.collect();
    Riding::of_one(config)?.check(&metadata)?;
    Ok(Repository {
        name: get("name").map(|name| escape(name.as_bytes())),
        revision: get("revision"),
        metadata,
        ..located(&location, folder)?
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray};
    use parquet::arrow::ArrowWriter;

    use super::super::super::testing::{repository, setup, write};
    use super::*;

    fn repository_in(folder: &Path, name: &str) {
        repository(folder, name, &[("a", b"x")]);
    }

    #[test]
    fn urls_and_paths_have_names() {
        for (location, name) in [
            ("https://example.com/owner/name.git", "owner/name"),
            ("https://example.com/group/owner/name/", "owner/name"),
            ("http://example.com/name?x=1", "name"),
            ("git://example.com", "example.com"),
            ("ssh://me@example.com:22/owner/name.git", "owner/name"),
            ("git@example.com:owner/name.git", "owner/name"),
            ("git@example.com:name", "name"),
            ("clones/name.git", "name"),
            ("clones/name/.git", "name"),
            ("/srv/name", "name"),
        ] {
            let found = at(location.into()).repo_name(Path::new("/recipes"));
            assert_eq!(found.expect("a name"), name, "{location}");
        }
        assert_eq!(host_of("https://me@h:81/o/n"), "h:81");
        assert_eq!((host_of("git@h:o/n"), host_of("git://h")), ("h", "h"));
        let error = check_url("https://me:secret@h/o/n").expect_err("a password");
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(check_url("https://me@h/a:b@c").is_ok() && check_url("git@h:o/n").is_ok());
        assert!(is_ssh("git@example.com:owner/name.git") && is_ssh("ssh://x/y"));
        assert!(!is_ssh("https://me@example.com:8080/y") && !is_ssh("folder/a@b:c"));
    }

    #[test]
    fn file_urls_are_paths() {
        for (url, location) in [
            ("file:///srv/git/name.git", Some("/srv/git/name.git")),
            ("file://localhost/srv/name", Some("/srv/name")),
            ("file:///a%20b/%2", Some("/a b/%2")),
            ("file:///a%fFb/%+1", Some("/a\\xffb/%+1")),
            ("file://host/srv/name", None),
            ("file://", None),
        ] {
            let setup = setup(Path::new("/recipes"), "git", url);
            let found = named(&setup).ok().map(|found| found[0].location.clone());
            assert_eq!(found.as_deref(), location, "{url}");
            let listed = located(url, Path::new("lists")).ok();
            assert_eq!(
                listed.map(|repository| repository.location).as_deref(),
                location,
                "{url}"
            );
        }
    }

    #[test]
    fn lists_bring_metadata_along() {
        let folder = tempfile::tempdir().expect("tempdir");
        write(
            &folder.path().join("lists/a.txt"),
            b"# mirrors\nhttps://h/o/one\n\n  ../clones/two \n/abs/three\n",
        );
        let json = br#"{"url": "https://h/o/four", "stars": 12, "license": ["MIT", "ISC"], "name": "o/4", "other": {}}
{"path": "five", "revision": "v1", "forks": null}
"#;
        write(&folder.path().join("lists/b.jsonl"), json);
        let found = named(&setup(folder.path(), "git", "lists/*")).expect("readable lists");
        let names: Vec<_> = found
            .iter()
            .map(|r| (r.location.as_str(), r.repo_name(folder.path()).expect("a name")))
            .collect();
        assert_eq!(
            names,
            [
                ("/abs/three", "three".to_owned()),
                ("https://h/o/four", "o/4".into()),
                ("https://h/o/one", "o/one".into()),
                ("lists/../clones/two", "two".into()),
                ("lists/five", "five".into()),
            ]
        );
        assert_eq!(
            found[1].metadata,
            [("license".into(), "MIT AND ISC".into()), ("stars".into(), "12".into())].into()
        );
        assert_eq!((found[4].revision.as_deref(), found[4].metadata.len()), (Some("v1"), 0));
    }

    #[test]
    fn every_layout_of_a_list_says_the_same() {
        let folder = tempfile::tempdir().expect("tempdir");
        let columns: [(&str, ArrayRef); 5] = [
            (
                "repo",
                Arc::new(StringArray::from(vec![Some("https://h/o/one"), Some("two")])),
            ),
            ("stars", Arc::new(Int32Array::from(vec![Some(7), None]))),
            ("archived", Arc::new(BooleanArray::from(vec![Some(false), Some(true)]))),
            (
                "pushed",
                Arc::new(TimestampMicrosecondArray::from(vec![Some(1_700_000_000_000_000), None])),
            ),
            ("unused", Arc::new(StringArray::from(vec![Some("x"), None]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let mut parquet = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut parquet, batch.schema(), None).expect("a writer");
        writer.write(&batch).expect("in memory");
        writer.close().expect("in memory");
        let csv = b"\xef\xbb\xbfrepo,stars,archived,pushed,unused\r\nhttps://h/o/one,7,false,2023-11-14T22:13:20,\"a\n\"\"b\"\"\"\r\ntwo,,true,,\r\n";
        let json = br#"{"repo": "https://h/o/one", "stars": 7, "archived": false, "pushed": "2023-11-14T22:13:20"}
{"repo": "two", "archived": true, "stars": null}"#;
        let packed = zstd::encode_all(&csv[..], 3).expect("zstd");
        let lists: [(&str, &[u8]); 4] = [
            ("a.parquet", &parquet),
            ("b.csv", csv),
            ("c.jsonl", json),
            ("d.csv.zst", &packed),
        ];
        let found = lists.map(|(name, stored)| {
            write(&folder.path().join(name), stored);
            let mut setup = setup(folder.path(), "git", name);
            setup.config.metadata = vec!["archived".into(), "pushed".into()];
            named(&setup).expect(name)
        });
        let metadata: Vec<_> = found[0][0]
            .metadata
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            metadata,
            [("archived", "false"), ("pushed", "2023-11-14T22:13:20"), ("stars", "7")]
        );
        assert_eq!((found[0].len(), found[0][1].location.as_str()), (2, "two"));
        assert!(found.iter().all(|list| *list == found[0]), "{found:?}");
        write(&folder.path().join("e.csv"), b"repo,stars\nx\n");
        let error = named(&setup(folder.path(), "git", "e.csv"))
            .expect_err("a row is too short")
            .to_string();
        assert!(error.contains("line: 2"), "{error}");
    }

    #[test]
    fn a_folder_of_clones_is_all_of_them() {
        let folder = tempfile::tempdir().expect("tempdir");
        for name in ["clones/o/b", "clones/a"] {
            repository_in(folder.path(), name);
        }
        write(&folder.path().join("empty/x/y"), b"");
        let locations = |pattern: &str| -> Vec<String> {
            let found = named(&setup(folder.path(), "git", pattern)).expect("named");
            found.into_iter().map(|repository| repository.location).collect()
        };
        assert_eq!(locations("clones/"), ["clones/a", "clones/o/b"]);
        assert_eq!(locations("c*s/*"), ["clones/a", "clones/o/b"]);
        assert_eq!(locations("clones/a"), ["clones/a"]);
        assert_eq!(locations("empty"), ["empty"]);
    }

    #[test]
    fn keys_of_a_list_can_be_renamed() {
        let folder = tempfile::tempdir().expect("tempdir");
        write(
            &folder.path().join("a.jsonl"),
            br#"{"clone_url": "https://h/o/n", "stargazers": 3}"#,
        );
        let mut setup = setup(folder.path(), "git", "a.jsonl");
        setup.config.repositories = [("location", "clone_url"), ("stars", "stargazers")]
            .map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()))
            .into();
        let found = named(&setup).expect("readable");
        assert_eq!(
            (found[0].location.as_str(), found[0].metadata["stars"].as_str()),
            ("https://h/o/n", "3")
        );
    }

    #[test]
    fn broken_lists_say_where() {
        let folder = tempfile::tempdir().expect("tempdir");
        write(
            &folder.path().join("a.jsonl"),
            b"{\"url\": \"https://h/o/n\"}\n{\"stars\": 1}\n",
        );
        let error = named(&setup(folder.path(), "git", "a.jsonl"))
            .expect_err("no location")
            .to_string();
        assert!(
            error.contains("line 2") && error.contains("no repository is named"),
            "{error}"
        );
        write(&folder.path().join("b.txt"), b"https://me:secret@h/o/n\n");
        assert!(named(&setup(folder.path(), "git", "b.txt")).is_err());
        assert!(named(&setup(folder.path(), "git", "missing.txt")).is_err());
    }
}
