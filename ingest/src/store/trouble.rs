//! Trouble with stores in our words: what a user can do about it, and no secret in it.

use std::fmt::Display;

use object_store::Error as Theirs;
use object_store::client::HttpError;
use stackmill_schemas::Error;

use super::http::{NoCredentials, Refused, cause};

/// Where variables and endpoints are explained.
const GUIDE: &str = "docs/guide/object-stores.md lists the variables that give credentials and endpoints";

/// The error for what went wrong at `place`.
pub(super) fn explained(place: &dyn Display, error: &Theirs) -> Error {
    if let Some(refused) = cause::<Refused>(error) {
        return of_refusal(place, refused);
    }
    if cause::<NoCredentials>(error).is_some() {
        return Error::input(format!("`{place}` needs credentials, and there are none")).hint(GUIDE);
    }
    match error {
        Theirs::NotFound { .. } => not_there(place),
        Theirs::Precondition { .. } => changed(place),
        Theirs::NotSupported { .. } | Theirs::NotImplemented { .. } => {
            Error::input(format!("the store of `{place}` cannot do this"))
        }
        _ if cause::<HttpError>(error).is_some() => transient(format!(
            "`{place}` cannot be reached: the connection failed or broke off"
        )),
        // Their words may hold a signed address.
        _ => Error::source(format!("the store of `{place}` gave an answer that is not understood")).hint(GUIDE),
    }
}

fn of_refusal(place: &dyn Display, refused: &Refused) -> Error {
    match refused.status {
        _ if refused.is_transient() => transient(format!("`{place}` cannot be reached: {refused}")),
        400 | 401 | 403 => Error::input(format!("access to `{place}` is refused: {refused}")).hint(GUIDE),
        _ => Error::source(format!("the store of `{place}` refuses: {refused}")).hint(GUIDE),
    }
}

fn transient(words: String) -> Error {
    Error::source(words)
        .transient()
        .hint("run the same command again to resume")
}

/// The error for an object that does not exist.
pub(super) fn not_there(place: &dyn Display) -> Error {
    Error::input(format!("`{place}` is not there")).hint("check the bucket, the key and the endpoint")
}

/// The error for an object that is another one than a moment ago.
pub(super) fn changed(place: &dyn Display) -> Error {
    Error::input(format!("`{place}` changed while it was read")).hint("run with `--update` to accept what is there now")
}

/// Our error in an error of reading, as a copy: readers of formats wrap what their input says.
pub fn ours(error: &std::io::Error) -> Option<Error> {
    let wrapped = error.get_ref()?;
    cause::<Carried>(wrapped).map(|carried| copy(&carried.0))
}

/// A copy of an error, without its places.
pub(super) fn copy(error: &Error) -> Error {
    let mut copy = Error::new(error.kind(), error.message());
    if let Some(hint) = error.hint_text() {
        copy = copy.hint(hint);
    }
    match error.is_transient() {
        true => copy.transient(),
        false => copy,
    }
}

/// An error of reading that [`ours`] finds again.
pub(super) fn carried(error: Error) -> std::io::Error {
    std::io::Error::other(Carrier(Carried(error)))
}

/// Our error inside of an error of reading.
#[derive(Debug)]
struct Carried(Error);

impl Display for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.message())
    }
}

impl std::error::Error for Carried {}

/// Names our error as its cause: `tar` wraps errors so that nothing but their causes is left.
#[derive(Debug)]
struct Carrier(Carried);

impl Display for Carrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Carrier {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_errors_come_back_out_of_others() {
        let error = || carried(Error::source("gone").transient().hint("again"));
        // As `tar` wraps: a new error with the same kind, whose cause is the cause of the old one.
        #[derive(Debug)]
        struct Wrapper(std::io::Error);
        impl Display for Wrapper {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("failed to read entry")
            }
        }
        impl std::error::Error for Wrapper {
            fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                std::error::Error::source(&self.0)
            }
        }
        for wrapped in [error(), std::io::Error::new(error().kind(), Wrapper(error()))] {
            let found = ours(&wrapped).expect("ours");
            assert_eq!(
                (found.message(), found.hint_text(), found.is_transient()),
                ("gone", Some("again"), true)
            );
        }
        assert!(ours(&std::io::Error::other("theirs")).is_none());
    }
}
