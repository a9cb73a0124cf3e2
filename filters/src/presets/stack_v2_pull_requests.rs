//! Pull requests of The Stack v2.

use serde_json::{Value, json};

use super::{Preset, Quirk};

pub(super) const PRESET: Preset = Preset {
    name: "stack-v2-pull-requests",
    summary: "pull requests of The Stack v2: `format = \"github-pull-requests\"`",
    source: "Lozhkov et al. 2024, arXiv 2402.19173, section 2.3, and `pull_requests_and_issues` of the-stack-v2",
    missing: &[
        "which files of a pull request are written, and how much of them, is a matter of the source; languages are not \
         chosen there (`language_labels.csv`: 1116 of 1295)",
        "one set of changed files for each pull request, with one hunk a file: later heads are not written",
        "pull requests without a first set of files are not told from others without files",
        "which of a share is dropped is chosen by hash here, by a generator of random numbers there",
        "opt-outs of single users are not there; licenses are a rule",
    ],
    quirks: &[Quirk {
        rules: "character-count",
        words: "the code keeps up to 1,000,000 characters; the models were trained on up to 100,000",
    }],
    table,
};

fn table(compat: bool) -> Value {
    let most = if compat { 1_000_000 } else { 100_000 };
    json!({
        "pull-state": {},
        "pull-title": { "minimum": 10 },
        "pull-description": { "minimum": 20 },
        "pull-share": { "first": 0.8, "last": 0.1, "limit": 1000 },
        "license": { "allow": ["permissive", "no_license"] },
        "character-count": { "minimum": 200, "maximum": most },
    })
}
