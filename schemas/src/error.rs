//! One error type for the whole program: what kind, where, why, and what to do about it.

use std::fmt;

/// Shorthand used by every crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Whose fault it is; `pipelines::exit` maps each kind to one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The recipe or a flag says something that makes no sense.
    Config,
    /// Columns do not fit together: found before the first byte is read.
    Schema,
    /// Input on this machine is missing, corrupt, or not what the lock says.
    Input,
    /// A source elsewhere cannot be reached.
    Source,
    /// The local file system refused what is ours: scratch, cache, output.
    Io,
    /// A declared budget (memory, scratch) is used up, or what this machine has: disk, memory, open files, processes.
    Resource,
    /// Somebody asked us to stop.
    Interrupted,
    /// Our own mistake.
    Bug,
}

/// An error with its kind, its place (outermost first) and, where there is one, a hint.
#[derive(Debug)]
pub struct Error {
    inner: Box<Inner>,
}

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<String>,
    hint: Option<String>,
    transient: bool,
}

impl Error {
    /// An error of `kind`; `message` is lower case, without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let inner = Inner {
            kind,
            message: message.into(),
            context: Vec::new(),
            hint: None,
            transient: false,
        };
        Self { inner: Box::new(inner) }
    }

    /// [`ErrorKind::Config`].
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// [`ErrorKind::Input`].
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// [`ErrorKind::Source`].
    pub fn source(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Source, message)
    }

    /// [`ErrorKind::Schema`].
    pub fn schema(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Schema, message)
    }

    /// [`ErrorKind::Resource`].
    pub fn resource(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Resource, message)
    }

    /// [`ErrorKind::Bug`].
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Bug, message)
    }

    /// Adds what the user can do. A shortage keeps its own hint: what was tried when it struck is not to blame.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        if self.kind() != ErrorKind::Resource || self.inner.hint.is_none() {
            self.inner.hint = Some(hint.into());
        }
        self
    }

    /// Says what the user can do in other words, if it is known.
    #[must_use]
    pub fn map_hint(mut self, words: impl FnOnce(String) -> String) -> Self {
        self.inner.hint = self.inner.hint.map(words);
        self
    }

    /// Adds where it happened; the outermost place is added last.
    #[must_use]
    pub fn context(mut self, place: impl Into<String>) -> Self {
        self.inner.context.insert(0, place.into());
        self
    }

    /// Marks trouble that may go away by itself: network, 5xx, throttling.
    #[must_use]
    pub fn transient(mut self) -> Self {
        self.inner.transient = true;
        self
    }

    /// Takes trouble that might have gone away by itself for what it is now: everything was tried.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.inner.transient = false;
        self
    }

    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Whether a retry may help.
    pub fn is_transient(&self) -> bool {
        self.inner.transient
    }

    /// Whether it is trouble of what was read alone, and will be there the next time, too: no shortage of this machine,
    /// no outage, no mistake of ours.
    pub fn is_permanent_trouble(&self) -> bool {
        matches!(self.kind(), ErrorKind::Input | ErrorKind::Source) && !self.is_transient()
    }

    /// The shortage of this machine that `error` comes from, if it does: whatever was read when it struck is not to blame.
    pub fn shortage(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            let io = error.downcast_ref::<std::io::Error>();
            if let Some((message, hint)) = io.and_then(shortage_of) {
                return Some(Self::resource(message).hint(hint));
            }
            let wrapped = io.and_then(std::io::Error::get_ref);
            next = wrapped.map(|inner| inner as _).or_else(|| error.source());
        }
        None
    }

    /// The cause alone, without places and hint.
    pub fn message(&self) -> &str {
        &self.inner.message
    }

    /// Where it happened, the outermost place first.
    pub fn places(&self) -> &[String] {
        &self.inner.context
    }

    /// What the user can do, if known.
    pub fn hint_text(&self) -> Option<&str> {
        self.inner.hint.as_deref()
    }
}

impl ErrorKind {
    /// The word for programs: `config`, `schema`, `input`, `source`, `io`, `resource`, `interrupted`, `bug`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Config => "config",
            Self::Schema => "schema",
            Self::Input => "input",
            Self::Source => "source",
            Self::Io => "io",
            Self::Resource => "resource",
            Self::Interrupted => "interrupted",
            Self::Bug => "bug",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)?;
        if !self.inner.context.is_empty() {
            write!(f, "\n  in {}", self.inner.context.join(", "))?;
        }
        match &self.inner.hint {
            Some(hint) => write!(f, "\n\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::shortage(&error).unwrap_or_else(|| Self::new(ErrorKind::Io, error.to_string()))
    }
}

/// `ENFILE` and `EMFILE`, for which the standard library has no names; the same numbers on every Unix.
const OUT_OF_FILES: [i32; 2] = [23, 24];

/// What this machine has no more of, and what its owner can do.
fn shortage_of(error: &std::io::Error) -> Option<(String, &'static str)> {
    use std::io::ErrorKind as Io;
    let (what, hint) = match error.kind() {
        Io::StorageFull | Io::QuotaExceeded => (
            "disk space",
            "free some space, point --scratch elsewhere or allow a larger --scratch-budget, \
             then run the same command again to resume",
        ),
        Io::OutOfMemory => (
            "memory",
            "use fewer --threads or less --memory, then run the same command again to resume",
        ),
        // What a system that has no more processes or threads to give says.
        Io::WouldBlock => (
            "processes",
            "allow more processes (`ulimit -u`) or use fewer --threads, then run the same command again to resume",
        ),
        _ if error.raw_os_error().is_some_and(|code| OUT_OF_FILES.contains(&code)) => (
            "open files",
            "allow more open files (`ulimit -n`) or use fewer --threads, then run the same command again to resume",
        ),
        _ => return None,
    };
    Some((format!("out of {what} ({error})"), hint))
}

impl From<arrow_schema::ArrowError> for Error {
    fn from(error: arrow_schema::ArrowError) -> Self {
        match error {
            arrow_schema::ArrowError::IoError(_, io) => io.into(),
            other => Self::bug(other.to_string()),
        }
    }
}

/// Adds a place to whatever went wrong.
pub trait ResultExt<T> {
    /// Converts to [`Error`] and adds where it happened.
    fn context(self, place: impl Into<String>) -> Result<T>;
    /// As [`ResultExt::context`], for a place that costs something to build.
    fn with_context<S: Into<String>>(self, place: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: Into<Error>> ResultExt<T> for std::result::Result<T, E> {
    fn context(self, place: impl Into<String>) -> Result<T> {
        self.map_err(|error| error.into().context(place))
    }

    fn with_context<S: Into<String>>(self, place: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|error| error.into().context(place()))
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn shortages_of_the_machine_are_told_from_trouble_with_a_file() {
        // ENOMEM, ENFILE, EMFILE, ENOSPC; EIO, ENOENT, EACCES.
        let kind = |code| Error::from(io::Error::from_raw_os_error(code)).kind();
        assert_eq!([12, 23, 24, 28].map(kind), [ErrorKind::Resource; 4]);
        assert_eq!([5, 2, 13].map(kind), [ErrorKind::Io; 3]);
        let error = Error::from(io::Error::from_raw_os_error(24));
        assert!(error.message().contains("open files"));
        let error = error.hint("look elsewhere");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("ulimit -n")));
        assert!(!error.is_permanent_trouble());
    }

    #[test]
    fn a_shortage_is_found_below_other_errors() {
        let wrapped = |code| io::Error::other(io::Error::other(io::Error::from_raw_os_error(code)));
        assert!(Error::shortage(&wrapped(24)).is_some());
        assert!(Error::shortage(&wrapped(5)).is_none());
        assert!(Error::shortage(&fmt::Error).is_none());
    }

    #[test]
    fn only_what_was_read_has_permanent_trouble() {
        let permanent = [
            Error::input("a"),
            Error::source("a"),
            Error::source("a").transient().settled(),
        ];
        assert!(permanent.iter().all(Error::is_permanent_trouble));
        let others = [
            Error::source("a").transient(),
            Error::resource("a"),
            Error::resource("a").transient().settled(),
            Error::new(ErrorKind::Io, "a"),
            Error::new(ErrorKind::Interrupted, "a"),
            Error::bug("a"),
            Error::config("a"),
            Error::schema("a"),
        ];
        assert!(!others.iter().any(Error::is_permanent_trouble));
    }
}
