//! The Pile: JSON lines, compressed with zstd, of texts from 22 sets, of which one is code.
//!
//! ```text
//!   {"text": "…", "meta": {"pile_set_name": "Github"}}
//! ```
//! A text has no name and no repository. Rows of sets that are not wanted are passed over, each with its line in the
//! ledger. Source: The Pile (Gao et al. 2020, arXiv 2101.00027) and its published files `train/NN.jsonl.zst`.

use super::{Format, PLAIN, names};

pub(super) const FORMAT: Format = Format {
    names: names! {
        CONTENT: "text";
        SET: "meta.pile_set_name";
    },
    sets: &["Github"],
    ..PLAIN
};
