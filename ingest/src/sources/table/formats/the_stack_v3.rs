//! The Stack v3, training part: Parquet with a repository a row, whose files and contents are a list in it.
//!
//! ```text
//!   repo_path repo_id commit_id github_metadata{branch, …, is_fork, forked_from, stars, forks, …} num_files
//!   files[]{content_id, content, size_bytes, file_path, file_timestamp, language, is_vendor, license_type, …}
//! ```
//! Source: card of `HuggingFaceCode/stack-v3-train`.

use super::{Format, PLAIN, names};

pub(super) const FORMAT: Format = Format {
    names: names! {
        CONTENT: "content";
        PATH: "file_path";
        REPO_NAME: "repo_path";
        REVISION_ID: "commit_id";
        STARS: "github_metadata.stars";
        FORKS: "github_metadata.forks";
        LICENSE: "detected_licenses";
    },
    files: Some("files"),
    ..PLAIN
};
