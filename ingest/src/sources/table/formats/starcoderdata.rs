//! StarCoderData: Parquet with a file a row, of which about half have their metadata written in front of the code.
//!
//! ```text
//!   max_stars_repo_path max_stars_repo_name max_stars_count id content
//!   <reponame>o/n<filename>src/a.py<gh_stars>10-100⏎ code      each of the three may be missing
//! ```
//! Source: card of `bigcode/starcoderdata` and `preprocessing/add_content_with_meta.py` of `bigcode-project/bigcode-dataset`:
//! each part with a probability of 0.2, in this order, on a line of their own.

use super::{Format, PLAIN, names};

/// What may stand in front of the code, in order.
const TAGS: [&[u8]; 3] = [b"<reponame>", b"<filename>", b"<gh_stars>"];

pub(super) const FORMAT: Format = Format {
    names: names! {
        CONTENT: "content";
        PATH: "max_stars_repo_path";
        REPO_NAME: "max_stars_repo_name";
        STARS: "max_stars_count";
    },
    prefix,
    ..PLAIN
};

/// The first line where it begins with one of the tags.
fn prefix(content: &[u8]) -> usize {
    match TAGS.iter().any(|tag| content.starts_with(tag)) {
        true => memchr::memchr(b'\n', content).map_or(0, |end| end + 1),
        false => 0,
    }
}
