//! The Stack 1.0 to 1.2: Parquet with a file a row; of several copies, the one whose repository has most stars.
//!
//! ```text
//!   hexsha size ext lang max_stars_repo_{path,name,head_hexsha,licenses} max_stars_count …
//!   max_issues_… max_forks_{repo_…,count,…} content avg_line_length max_line_length alphanum_fraction
//! ```
//! Source: card of `bigcode/the-stack`. Forks are those of the copy with most forks, which may be another repository.

use super::{Format, PLAIN, names};

pub(super) const FORMAT: Format = Format {
    names: names! {
        CONTENT: "content";
        PATH: "max_stars_repo_path";
        REPO_NAME: "max_stars_repo_name";
        REVISION_ID: "max_stars_repo_head_hexsha";
        STARS: "max_stars_count";
        FORKS: "max_forks_count";
        LICENSE: "max_stars_repo_licenses";
    },
    ..PLAIN
};
