//! Where something is: a path of this machine, or a place in an object store.

use std::fmt;
use std::path::{Path, PathBuf};

use stackmill_schemas::path::escape;
use stackmill_schemas::{Error, Result};

/// A parsed location. `Display` and `Debug` never show a secret, since none can be in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Uri {
    /// A path of this machine; `file://` URIs become one.
    Local(PathBuf),
    /// A place in an object store.
    Store(Location),
}

/// What kind of store, which one, and the key in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The kind.
    pub scheme: Scheme,
    /// The bucket or container; of an HTTP server host and port.
    pub bucket: String,
    /// Path inside, without `/` at either end; of an HTTP server as it stands in the URL.
    pub key: String,
}

/// The kinds of stores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Amazon S3 and what speaks like it.
    S3,
    /// Google Cloud Storage.
    Gs,
    /// Azure Blob Storage.
    Az,
    /// A web server without TLS: read only.
    Http,
    /// A web server: read only.
    Https,
}

impl Scheme {
    /// As it stands in a URI.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gs => "gs",
            Self::Az => "az",
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// Whether it is a plain web server, which is only read and cannot be listed.
    pub fn is_web(self) -> bool {
        matches!(self, Self::Http | Self::Https)
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::S3, Self::Gs, Self::Az, Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
    }
}

impl Uri {
    /// Reads `scheme://bucket/key`, `file:///path` or a path. Refuses schemes that nobody knows, user names and
    /// passwords (they would end up in manifests), queries, and keys that no store can hold.
    pub fn parse(text: &str) -> Result<Self> {
        let Some((scheme, rest)) = split_scheme(text) else {
            return Ok(Self::Local(PathBuf::from(text)));
        };
        if scheme.eq_ignore_ascii_case("file") {
            return local(rest);
        }
        let scheme = Scheme::parse(scheme).ok_or_else(|| {
            Error::config(format!(
                "`{}` is of a scheme that is not known",
                escape(scheme.as_bytes())
            ))
            .hint("a place is a path, or begins with s3://, gs://, az://, http://, https:// or file://")
        })?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.contains('@') {
            return Err(Error::config("a URI must not hold a user name or a password")
                .hint("set the variables that docs/guide/object-stores.md lists instead"));
        }
        if bucket.is_empty() {
            return Err(
                Error::config(format!("`{}://` names no bucket", scheme.as_str())).hint("write it as s3://bucket/key")
            );
        }
        if scheme.is_web() && key.contains(['?', '#']) {
            return Err(
                Error::config(format!("the URL at `{bucket}` has a query or a fragment"))
                    .hint("only plain paths of web servers are read"),
            );
        }
        let key = key.trim_end_matches('/');
        let is_odd = |part: &str| part.is_empty() || part == "." || part == "..";
        if !key.is_empty() && key.split('/').any(is_odd) {
            return Err(
                Error::config(format!("`{}` has an empty part, `.` or `..`", escape(text.as_bytes())))
                    .hint("write each part of the key once, with one `/` between"),
            );
        }
        let (bucket, key) = (bucket.to_owned(), key.to_owned());
        Ok(Self::Store(Location { scheme, bucket, key }))
    }

    /// As [`Uri::parse`], of a path from the command line, which may hold any bytes.
    pub fn of_path(path: &Path) -> Result<Self> {
        match path.to_str() {
            Some(text) => Self::parse(text),
            None => Ok(Self::Local(path.to_owned())),
        }
    }

    /// Whether `text` names a place in a store that sources are read from: `s3://`, `gs://` and `az://`, and with
    /// `web` also `http://` and `https://`.
    pub fn is_store(text: &str, web: bool) -> bool {
        let scheme = split_scheme(text).and_then(|(scheme, _)| Scheme::parse(scheme));
        scheme.is_some_and(|scheme| web || !scheme.is_web())
    }

    /// What `text` means here: a URI and an absolute path are themselves, anything else lies below.
    pub fn resolve(&self, text: &str) -> Result<Self> {
        match split_scheme(text) {
            None if !Path::new(text).is_absolute() => Ok(self.join(text)),
            _ => Self::parse(text),
        }
    }

    /// The place `relative` below this one; `.` and `..` of a store are followed in the text alone.
    #[must_use]
    pub fn join(&self, relative: &str) -> Self {
        match self {
            Self::Local(path) => Self::Local(path.join(relative)),
            Self::Store(location) => {
                let mut parts: Vec<&str> = location.key.split('/').filter(|part| !part.is_empty()).collect();
                for part in relative.split('/') {
                    match part {
                        "" | "." => {}
                        ".." => drop(parts.pop()),
                        part => parts.push(part),
                    }
                }
                let key = parts.join("/");
                Self::Store(Location {
                    key,
                    ..location.clone()
                })
            }
        }
    }

    /// The folder that it lies in; a bucket lies in itself.
    #[must_use]
    pub fn parent(&self) -> Self {
        match self {
            Self::Local(path) => match path.parent() {
                Some(folder) if !folder.as_os_str().is_empty() => Self::Local(folder.to_owned()),
                _ => Self::Local(PathBuf::from(".")),
            },
            Self::Store(location) => {
                let key = location
                    .key
                    .rsplit_once('/')
                    .map_or("", |(folder, _)| folder)
                    .to_owned();
                Self::Store(Location {
                    key,
                    ..location.clone()
                })
            }
        }
    }

    /// The last part of its path, escaped as paths of repositories are; that of the bucket where there is no key.
    pub fn file_name(&self) -> String {
        use std::os::unix::ffi::OsStrExt as _;
        match self {
            Self::Local(path) => escape(path.file_name().unwrap_or_default().as_bytes()),
            Self::Store(location) if location.key.is_empty() => location.bucket.clone(),
            Self::Store(location) => escape(location.key.rsplit('/').next().unwrap_or_default().as_bytes()),
        }
    }

    /// The path, if it is on this machine.
    pub fn local(&self) -> Option<&Path> {
        match self {
            Self::Local(path) => Some(path),
            Self::Store(_) => None,
        }
    }
}

fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let is_scheme = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    (scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_scheme)).then_some((scheme, rest))
}

/// The path of `file://HOST/path`, where the host is empty or this machine.
fn local(rest: &str) -> Result<Uri> {
    use std::os::unix::ffi::OsStringExt as _;
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return Err(
            Error::config("a file:// URI must hold an absolute path of this machine")
                .hint("write it as file:///folder/file, or as a plain path"),
        );
    }
    Ok(Uri::Local(PathBuf::from(std::ffi::OsString::from_vec(decoded(path)))))
}

/// The bytes of a URL's path: `%20` is a blank.
pub(super) fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let hex = |byte: u8| char::from(byte).to_digit(16);
        let pair = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        match pair {
            Some((high, low)) => {
                out.push((high * 16 + low) as u8);
                rest = &tail[2..];
            }
            None => {
                out.push(*first);
                rest = tail;
            }
        }
    }
    out
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => write!(f, "{}", path.display()),
            Self::Store(location) => write!(f, "{location}"),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.bucket)?;
        match self.key.is_empty() {
            true => Ok(()),
            false => write!(f, "/{}", self.key),
        }
    }
}

impl fmt::Debug for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        Uri::parse(text).expect("a place")
    }

    #[test]
    fn places_are_told_apart() {
        for (text, shown, parent, name) in [
            ("s3://b/a/c.parquet", "s3://b/a/c.parquet", "s3://b/a", "c.parquet"),
            ("S3://b/a/", "s3://b/a", "s3://b", "a"),
            ("gs://b", "gs://b", "gs://b", "b"),
            ("az://box/x y", "az://box/x y", "az://box", "x y"),
            (
                "https://h:8080/a%20b",
                "https://h:8080/a%20b",
                "https://h:8080",
                "a%20b",
            ),
            ("file:///a/b%20c", "/a/b c", "/a", "b c"),
            ("file://localhost/a", "/a", "/", "a"),
            ("a/b", "a/b", "a", "b"),
            ("b", "b", ".", "b"),
        ] {
            let place = uri(text);
            let told = (place.to_string(), place.parent().to_string(), place.file_name());
            assert_eq!(told, (shown.into(), parent.into(), name.into()), "{text}");
            assert_eq!(place.local().is_none(), Uri::is_store(text, true), "{text}");
        }
        assert!(
            Uri::is_store("s3://b", false) && !Uri::is_store("https://b", false) && !Uri::is_store("git://b", true)
        );
    }

    #[test]
    fn places_that_make_no_sense_are_refused_without_secrets() {
        for text in [
            "ftp://h/x",
            "s3://",
            "s3:///x",
            "s3://b//x",
            "s3://b/a/../x",
            "https://me:secret@h/x",
            "https://h/x?token=secret",
            "file://elsewhere/x",
        ] {
            let error = Uri::parse(text).expect_err(text);
            assert_eq!(error.kind(), stackmill_schemas::ErrorKind::Config, "{text}");
            assert!(
                error.hint_text().is_some() && !error.to_string().contains("secret"),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn relative_places_start_at_their_base() {
        for (base, text, found) in [
            ("s3://b/a", "x/y", "s3://b/a/x/y"),
            ("s3://b/a", "./../x", "s3://b/x"),
            ("s3://b/a", "../../../x", "s3://b/x"),
            ("s3://b/a", "gs://c/x", "gs://c/x"),
            ("s3://b/a", "/x", "/x"),
            ("/a", "x", "/a/x"),
            ("/a", "s3://b/x", "s3://b/x"),
        ] {
            assert_eq!(
                uri(base).resolve(text).expect("a place").to_string(),
                found,
                "{base} {text}"
            );
        }
    }
}
