//! CodeParrot: gzipped JSON lines of Python files from BigQuery's copy of GitHub, and `github-code` of the same makers.
//!
//! ```text
//!   {"repo_name": "o/n", "path": "a.py", "copies": "3", "size": "120", "content": "…", "license": "mit", "hash": …}
//!   {"code": "…", "repo_name": "o/n", "path": "a.py", "language": "Python", "license": "mit", "size": 120}
//! ```
//! Source: cards of `codeparrot/codeparrot-clean-train` and `codeparrot/github-code`.

use super::{Format, PLAIN, names};

pub(super) const FORMAT: Format = Format {
    names: names! {
        CONTENT: "content" | "code";
        PATH: "path";
        REPO_NAME: "repo_name";
        LICENSE: "license";
    },
    ..PLAIN
};
