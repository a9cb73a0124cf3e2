//! What the program's exit code means.

use stackmill_schemas::{Error, ErrorKind};

/// `(code, meaning)`, as documented in the guide.
pub const CODES: &[(u8, &str)] = &[
    (0, "done"),
    (1, "a bug in stackmill"),
    (2, "usage: a flag or argument is wrong"),
    (3, "the recipe is invalid"),
    (4, "inputs are missing, damaged, or not what the lock says"),
    (5, "some tasks failed; run again to resume"),
    (6, "out of disk, memory or a declared budget"),
    (7, "a source cannot be reached, or too many repositories failed"),
    (8, "an audit has found what `--deny` names"),
    (130, "interrupted; run again to resume"),
];

/// The exit code of an error.
pub fn code(error: &Error) -> u8 {
    match error.kind() {
        ErrorKind::Bug => 1,
        ErrorKind::Config | ErrorKind::Schema => 3,
        ErrorKind::Input => 4,
        ErrorKind::Source if error.is_transient() => 5,
        ErrorKind::Source => 7,
        ErrorKind::Io | ErrorKind::Resource => 6,
        ErrorKind::Interrupted => 130,
    }
}
