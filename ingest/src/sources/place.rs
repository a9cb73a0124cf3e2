//! Places: wildcards become locations, locations become paths, files become hashes.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};
use sha2::{Digest, Sha256};
use stackmill_schemas::ids::hex;
use stackmill_schemas::path::{escape, unescape};
use stackmill_schemas::{Error, ErrorKind, Result, ResultExt, TaskContext};

use super::Setup;
use crate::store::{Chunks, Object, Reader, Stores, Uri};

/// As a shell has it: `*` and `?` stop at `/` and pass over names that start with a dot.
const MATCHING: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The locations that the source's strings name, sorted and each once; wildcards match what `wanted` says alone.
///
/// A location is a path relative to the recipe's folder, written as [`escape`] does, so that a lock holds on another
/// machine.
pub(super) fn expand(setup: &Setup, wanted: fn(&Path) -> bool) -> Result<Vec<String>> {
    let mut locations = Vec::new();
    for pattern in &setup.patterns {
        locations.extend(expand_one(setup, pattern, wanted)?);
    }
    locations.sort_unstable();
    locations.dedup();
    Ok(locations)
}

/// The locations that one string names; a path that exists is itself, whatever it looks like.
pub(super) fn expand_one(setup: &Setup, pattern: &str, wanted: fn(&Path) -> bool) -> Result<Vec<String>> {
    if Uri::is_store(pattern, true) {
        return expand_store(setup, pattern);
    }
    let has_wildcards = pattern.contains(['*', '?', '[']);
    if !has_wildcards || setup.folder.join(pattern).exists() {
        return Ok(vec![escape(pattern.as_bytes())]);
    }
    let folder = setup.folder.to_string_lossy();
    let full = match Path::new(pattern).is_absolute() {
        true => pattern.to_owned(),
        false => format!("{}/{pattern}", Pattern::escape(&folder)),
    };
    let paths = glob::glob_with(&full, MATCHING).map_err(|error| unreadable_pattern(setup, &error))?;
    let mut found = Vec::new();
    for path in paths {
        match path {
            Ok(path) if wanted(&path) => found.push(location_of(&setup.folder, &path)),
            Ok(_) => {}
            // A folder that may not be looked into is passed over, as a shell does.
            Err(error) => Error::shortage(error.error()).map_or(Ok(()), Err)?,
        }
    }
    some(setup, pattern, found)
}

/// The locations that match, of which there must be one.
fn some(setup: &Setup, pattern: &str, found: Vec<String>) -> Result<Vec<String>> {
    match found.is_empty() {
        true => Err(
            Error::input(format!("source: `{} = \"{pattern}\"` matches nothing", setup.key))
                .hint("relative paths start at the recipe's folder"),
        ),
        false => Ok(found),
    }
}

fn unreadable_pattern(setup: &Setup, error: &glob::PatternError) -> Error {
    Error::config(format!(
        "source: `{}` has a pattern that cannot be read: {error}",
        setup.key
    ))
    .hint("the wildcards are `*`, `**` and `?`")
}

/// The objects that one string names; its wildcards are looked for below the last folder without one.
fn expand_store(setup: &Setup, pattern: &str) -> Result<Vec<String>> {
    let Uri::Store(place) = Uri::parse(pattern)? else {
        return Err(Error::bug(format!("`{pattern}` is not in a store")));
    };
    let itself = vec![escape(pattern.trim_end_matches('/').as_bytes())];
    let Some(first) = place.key.find(['*', '?', '[']) else {
        return Ok(itself);
    };
    let wanted = Pattern::new(&place.key).map_err(|error| unreadable_pattern(setup, &error))?;
    let mut folder = place.clone();
    folder.key = place.key[..first]
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder)
        .to_owned();
    let listed = setup.stores.list(&folder)?;
    if listed.iter().any(|object| object.uri == Uri::Store(place.clone())) {
        return Ok(itself);
    }
    let keys = listed.iter().filter_map(|object| match &object.uri {
        Uri::Store(found) if wanted.matches_with(&found.key, MATCHING) => Some(escape(found.to_string().as_bytes())),
        _ => None,
    });
    some(setup, pattern, keys.collect())
}

/// A file that a source reads, on this machine or in a store.
#[derive(Clone, Debug)]
pub(super) struct Input {
    uri: Uri,
    stores: Stores,
}

impl std::fmt::Display for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.uri)
    }
}

impl Input {
    /// The file at a location of `setup`'s source.
    pub(super) fn of(setup: &Setup, location: &str) -> Result<Self> {
        let uri = match Uri::is_store(location, true) {
            true => Uri::parse(&String::from_utf8_lossy(&unescape(location)))?,
            false => Uri::Local(path_of(&setup.folder, location)),
        };
        Ok(Self {
            uri,
            stores: setup.stores.clone(),
        })
    }

    /// The file at `uri`.
    pub(super) fn at(uri: &Uri, stores: &Stores) -> Self {
        Self {
            uri: uri.clone(),
            stores: stores.clone(),
        }
    }

    /// A file of this machine.
    #[cfg(test)]
    pub(super) fn local(path: &Path) -> Self {
        Self {
            uri: Uri::Local(path.to_owned()),
            stores: Stores::default(),
        }
    }

    /// Its name without folders.
    pub(super) fn name(&self) -> String {
        self.uri.local().map_or_else(|| self.uri.file_name(), name_of)
    }

    /// What is there; an error that says so where nothing is.
    pub(super) fn look(&self) -> Result<Object> {
        match self.uri.local() {
            Some(path) if !path.is_file() => Err(not_there(path, "a file")),
            _ => self.stores.head(&self.uri),
        }
    }

    /// What stands for all of its bytes, and their number: their sha256, or what the store says.
    pub(super) fn revision(&self, cx: &TaskContext) -> Result<(String, u64)> {
        match self.uri.local() {
            Some(path) => sha256_of(path, cx),
            None => self.look().map(|object| (object.revision(), object.length)),
        }
    }

    /// The revision and the length, or the trouble with it. That a recipe names what is not there is an error; but of many
    /// web servers one may be away.
    pub(super) fn resolved(&self, cx: &TaskContext) -> Result<((String, u64), Option<String>)> {
        self.expected()?;
        found_or_trouble(self.settled(self.revision(cx)))
    }

    /// An error where nothing is, on this machine or in a store.
    pub(super) fn expected(&self) -> Result<()> {
        match self.is_web() {
            true => Ok(()),
            false => self.look().map(drop),
        }
    }

    /// What was found; a web server that has not answered in all attempts is trouble of what it should have given, as
    /// servers of repositories are. A store is one's own: it will be back.
    pub(super) fn settled<T>(&self, found: Result<T>) -> Result<T> {
        found.map_err(|error| match self.is_web() && error.kind() == ErrorKind::Source {
            true => error.settled(),
            false => error,
        })
    }

    fn is_web(&self) -> bool {
        matches!(&self.uri, Uri::Store(place) if place.scheme.is_web())
    }

    /// What stands for all of its bytes, as [`super::revision`] has it.
    pub(super) fn hashed(&self) -> Result<String> {
        super::revision(&self.uri, &self.stores)
    }

    /// Opens it to be read from front to back; with the revision, where the store knows it beforehand.
    pub(super) fn open(&self) -> Result<(Reader, Option<String>)> {
        match self.uri.local() {
            Some(path) => open_file(path).map(|file| (Reader::Local(file), None)),
            None => {
                let object = self.look()?;
                Ok((self.stores.reader(&object)?, Some(object.revision())))
            }
        }
    }

    /// Opens it to be read by ranges, as [`Input::open`].
    pub(super) fn chunks(&self) -> Result<(Chunks, Option<String>)> {
        match self.uri.local() {
            Some(path) => {
                let chunks = Chunks::of_file(open_file(path)?).map_err(|error| unreadable(path, &error))?;
                Ok((chunks, None))
            }
            None => {
                let object = self.look()?;
                Ok((self.stores.chunks(&object)?, Some(object.revision())))
            }
        }
    }

    /// The error for one that differs from what the lock says.
    pub(super) fn changed(&self) -> Error {
        changed_since_lock(Path::new(&self.to_string()))
    }
}

/// The location of a path: relative to `folder` where it lies inside.
pub(super) fn location_of(folder: &Path, path: &Path) -> String {
    escape(path.strip_prefix(folder).unwrap_or(path).as_os_str().as_bytes())
}

/// The path of a location.
pub(super) fn path_of(folder: &Path, location: &str) -> PathBuf {
    folder.join(path_from(unescape(location)))
}

/// A path from its bytes.
pub(super) fn path_from(bytes: Vec<u8>) -> PathBuf {
    PathBuf::from(OsString::from_vec(bytes))
}

/// The last component of a path as text; that of the folder it stands for where the path ends in `.` or `..`.
pub(super) fn name_of(path: &Path) -> String {
    let full = match path.file_name() {
        Some(_) => path.to_owned(),
        None => path.canonicalize().unwrap_or_else(|_| path.to_owned()),
    };
    escape(full.file_name().unwrap_or(OsStr::new("root")).as_bytes())
}

/// What is wrong with a file that cannot be read, in words that are the same on every machine; a shortage of this
/// machine is no trouble of the file.
pub(super) fn trouble_with(error: &std::io::Error) -> Error {
    Error::shortage(error).unwrap_or_else(|| Error::input(format!("it cannot be read: {}", error.kind())))
}

/// As [`trouble_with`], with the name of the file.
pub(super) fn unreadable(path: &Path, error: &std::io::Error) -> Error {
    trouble_with(error).context(path.display().to_string())
}

/// Opens a file; a missing one says so with its name.
pub(super) fn open_file(path: &Path) -> Result<File> {
    File::open(path).map_err(|error| unreadable(path, &error))
}

/// Descriptors that have to be free before a library is believed that something is not there.
const SPARE_DESCRIPTORS: usize = 32;

/// Reads again what seems to have permanent trouble, once there are descriptors to spare: libraries take a file that
/// cannot be opened for one that is missing, and tasks beside this one may have closed theirs since.
pub(super) fn surely<T>(mut read: impl FnMut() -> Result<T>) -> Result<T> {
    match read() {
        Err(error) if error.is_permanent_trouble() => {
            spare_descriptors()?;
            read()
        }
        done => done,
    }
}

/// An error where few descriptors are left.
pub(super) fn spare_descriptors() -> Result<()> {
    let opened: std::io::Result<Vec<File>> = (0..SPARE_DESCRIPTORS).map(|_| File::open("/")).collect();
    match opened.map_err(|error| Error::shortage(&error)) {
        Err(Some(shortage)) => Err(shortage),
        _ => Ok(()),
    }
}

/// The trouble of a file or unit in words, where an error is its own and permanent; other errors come back.
pub(super) fn trouble_of<T>(found: Result<T>) -> Result<Result<T, String>> {
    match found {
        Ok(value) => Ok(Ok(value)),
        Err(error) if error.is_permanent_trouble() => Ok(Err(error.message().to_owned())),
        Err(error) => Err(error),
    }
}

/// As [`trouble_of`], with a default in place of what was not found.
pub(super) fn found_or_trouble<T: Default>(found: Result<T>) -> Result<(T, Option<String>)> {
    Ok(match trouble_of(found)? {
        Ok(value) => (value, None),
        Err(trouble) => (T::default(), Some(trouble)),
    })
}

/// An error for what a recipe names and is not there: `kind` is what it should be.
pub(super) fn not_there(path: &Path, kind: &str) -> Error {
    Error::input(format!("`{}` is not {kind}", path.display())).hint("relative paths start at the recipe's folder")
}

/// Hexadecimal sha256 and length of a file.
pub(super) fn sha256_of(path: &Path, cx: &TaskContext) -> Result<(String, u64)> {
    let mut hashing = Hashing::new(open_file(path)?);
    hashing.drain(cx).with_context(|| path.display().to_string())?;
    Ok(hashing.finish())
}

/// The trouble of what differs from what the lock says.
pub const CHANGED: &str = "changed since the lock was written";

/// The error for a file that differs from what the lock says.
pub(super) fn changed_since_lock(path: &Path) -> Error {
    Error::input(CHANGED)
        .hint("run with `--update` to accept what is there now")
        .context(path.display().to_string())
}

/// A reader that hashes what passes through.
pub(super) struct Hashing<R> {
    inner: R,
    /// None where nobody asks for the hash.
    sha256: Option<Sha256>,
    length: u64,
}

impl<R: Read> Hashing<R> {
    /// Hashes what is read from `inner`.
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            sha256: Some(Sha256::new()),
            length: 0,
        }
    }

    /// Counts what is read, and hashes none of it.
    pub(super) fn without_hash(inner: R) -> Self {
        Self {
            inner,
            sha256: None,
            length: 0,
        }
    }

    /// Reads what is left.
    pub(super) fn drain(&mut self, cx: &TaskContext) -> Result<()> {
        let mut buffer = vec![0; 1 << 20];
        while self.read(&mut buffer).map_err(|error| trouble_with(&error))? > 0 {
            cx.check()?;
        }
        Ok(())
    }

    /// Bytes that passed.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Hexadecimal sha256, empty where it was not asked for, and length of what passed.
    pub(super) fn finish(self) -> (String, u64) {
        let hash = self.sha256.map(|sha256| hex(sha256.finalize().as_slice()));
        (hash.unwrap_or_default(), self.length)
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(&buffer[..count]);
        }
        self.length += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{context, setup, write};
    use super::*;

    #[test]
    fn wildcards_find_what_is_wanted_in_order() {
        let folder = tempfile::tempdir().expect("tempdir");
        for name in ["b.tar", "a.tar", "a.txt", "x/c.tar", ".hidden.tar", "odd[1].tar"] {
            write(&folder.path().join(name), b"");
        }
        let find = |pattern: &str| expand(&setup(folder.path(), "archives", pattern), Path::is_file);
        assert_eq!(
            find("*.tar").ok(),
            Some(vec!["a.tar".into(), "b.tar".into(), "odd[1].tar".into()])
        );
        assert_eq!(find("**/c.tar").ok(), Some(vec!["x/c.tar".into()]));
        assert_eq!(find("odd[1].tar").ok(), Some(vec!["odd[1].tar".into()]));
        assert_eq!(find("missing.tar").ok(), Some(vec!["missing.tar".into()]));
        assert!(
            find("*.zip")
                .expect_err("nothing")
                .message()
                .contains("matches nothing")
        );
        assert_eq!(
            find("***").expect_err("pattern").kind(),
            stackmill_schemas::ErrorKind::Config
        );
    }

    #[test]
    fn locations_come_back_as_paths() {
        let folder = Path::new("/recipes");
        let odd = folder.join(path_from(b"a\\b\xff".to_vec()));
        assert_eq!(path_of(folder, &location_of(folder, &odd)), odd);
        assert_eq!(location_of(folder, Path::new("/elsewhere/x")), "/elsewhere/x");
        assert_eq!(path_of(folder, "/elsewhere/x"), Path::new("/elsewhere/x"));
        assert_eq!(name_of(Path::new("a/b.tar")), "b.tar");
        assert_eq!(name_of(Path::new("/")), "root");
    }

    #[test]
    fn files_are_hashed_as_sha256sum_does() {
        let folder = tempfile::tempdir().expect("tempdir");
        write(&folder.path().join("a"), b"abc");
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            sha256_of(&folder.path().join("a"), &context(folder.path())).ok(),
            Some((expected.into(), 3))
        );
    }
}
