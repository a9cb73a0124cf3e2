//! SantaCoder: Python, Java and JavaScript of The Stack v1.1.

use serde_json::{Value, json};

use super::{Preset, Quirk};

pub(super) const PRESET: Preset = Preset {
    name: "santacoder",
    summary: "SantaCoder, as trained in the end",
    source: "Ben Allal et al. 2023, arXiv 2301.03988, and `preprocessing/filtering.py` of bigcode-dataset",
    missing: &[
        "two filters were tried and left out: `stars` (5 in the paper, more than 5 in the code) and `characters-per-token` \
         (2.5 for Python, 2.9 for Java, 2.6 for JavaScript, with its own tokenizer)",
        "near-duplicates and personal information are stages",
    ],
    quirks: &[Quirk {
        rules: "comment-share",
        words: "the code wants the share strictly between its limits; the paper says from .01 to .8, limits included",
    }],
    table,
};

fn table(compat: bool) -> Value {
    let (minimum, maximum) = match compat {
        true => (0.01_f64.next_up(), 0.8_f64.next_down()),
        false => (0.01, 0.8),
    };
    json!({
        "language": { "allow": ["Python", "Java", "JavaScript"] },
        "line-max": { "limit": 1000, "relaxed-languages": [] },
        "line-mean": { "limit": 100.0, "exempt-languages": [] },
        "alnum-fraction": { "limit": 0.25 },
        "comment-share": { "minimum": minimum, "maximum": maximum },
    })
}
