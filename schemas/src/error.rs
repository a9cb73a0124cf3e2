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
    /// The local file system refused.
    Io,
    /// A declared budget (memory, scratch) or the disk is used up.
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

    /// Adds what the user can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.inner.hint = Some(hint.into());
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

    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Whether a retry may help.
    pub fn is_transient(&self) -> bool {
        self.inner.transient
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
        use std::io::ErrorKind as Io;
        match error.kind() {
            Io::StorageFull | Io::QuotaExceeded => Self::resource(format!("out of disk space ({error})")).hint(
                "free some space, point --scratch elsewhere or allow a larger --scratch-budget, \
                     then run the same command again to resume",
            ),
            _ => Self::new(ErrorKind::Io, error.to_string()),
        }
    }
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
