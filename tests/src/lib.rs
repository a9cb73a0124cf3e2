//! The harness of the black-box tests: corpora from text, a sandbox to run the program in, and its data sets read back.
//!
//! ```text
//!   Tree      "-- path" lines and what follows them ─► folder, git repository, tar file
//!   Sandbox   a temporary folder that is also HOME; runs the program and gives back code, output, errors
//!   Bucket    an object store of this machine; a Proxy before it makes trouble
//!   Web       a web server of files, some of which it refuses
//!   HttpBackend, Daemon   git's own servers, which can be made to misbehave
//!   Dataset   manifest, rows of its tables, hashes of its files
//! ```

mod dataset;
mod git_server;
mod sandbox;
mod store;
mod tree;
mod web;

use std::path::{Path, PathBuf};

pub use dataset::{Dataset, Row, sha256};
pub use git_server::{Daemon, Fault, HttpBackend};
pub use sandbox::{Ran, Sandbox};
pub use store::{Bucket, Proxy, Trouble};
pub use tree::{Tree, git};
pub use web::{Page, Web};

/// The root of the repository.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("because this crate lies in a folder of the root")
        .to_owned()
}

/// The program under test: it lies two folders above the tests' own executable, in the same profile's folder.
pub fn program() -> PathBuf {
    let own = std::env::current_exe().expect("because a running test has a path");
    let program = own
        .ancestors()
        .nth(2)
        .map(|profile| profile.join("stackmill"))
        .unwrap_or_default();
    assert!(
        program.is_file(),
        "{} is missing: `cargo build --release -p stackmill` makes it",
        program.display()
    );
    program
}

/// Python with the packages of `tests/requirements.txt`.
pub fn python() -> PathBuf {
    let python = root().join(".venv/bin/python");
    assert!(
        python.is_file(),
        "{} is missing: `make .venv/ready` makes it",
        python.display()
    );
    python
}

/// Says on standard error that a test could not try something here, and why.
#[expect(clippy::print_stderr, reason = "this is where tests tell people what they left out")]
pub fn skipped(what: &str, why: &str) {
    eprintln!("skipped: {what}: {why}");
}
