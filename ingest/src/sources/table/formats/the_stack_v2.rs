//! The Stack v2: Parquet with a file a row, or (`train-full-ids`, `train-smol-ids`) a repository a row; no contents.
//!
//! ```text
//!   blob_id       SHA-1 of the content: its name in Software Heritage's store, `content/{blob_id}`, gzipped there
//!   content_id    git's id of the blob, which is our `blob_id`
//!   directory_id path detected_licenses license_type repo_name snapshot_id revision_id branch_name … src_encoding
//!   length_bytes  of the content
//!   files[]       in a repository's row: the same of each of its files
//! ```
//! Since id and length are known, a run lists and removes duplicates before it brings a single content.
//!
//! Source: cards of `bigcode/the-stack-v2` and `bigcode/the-stack-v2-train-full-ids`; the documentation of Software
//! Heritage's data set, "Contents on S3".

use super::super::columns::KEY;
use super::{Format, PLAIN, names};

pub(super) const FORMAT: Format = Format {
    names: names! {
        KEY: "blob_id";
        GIT_ID: "content_id";
        LENGTH: "length_bytes";
        PATH: "path";
        REPO_NAME: "repo_name";
        REVISION_ID: "revision_id";
        STARS: "star_events_count";
        FORKS: "fork_events_count";
        LICENSE: "detected_licenses";
    },
    files: Some("files"),
    content: KEY,
    ..PLAIN
};
