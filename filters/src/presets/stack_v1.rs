//! The Stack v1: permissively licensed text of known languages below a megabyte.

use serde_json::{Value, json};

use super::Preset;

pub(super) const PRESET: Preset = Preset {
    name: "stack-v1",
    summary: "The Stack v1.1 and v1.2",
    source: "Kocetkov et al. 2022, arXiv 2211.15533, and the data set's card",
    missing: &[
        "36 ambiguous extensions were left out; the card names these thirteen",
        "a file stays if any repository that holds it is permissive: here exact duplicates are decided first, and the keep \
         policy `license` gives the same",
        "near-duplicates and opt-outs are stages, or not here",
    ],
    quirks: &[],
    table,
};

fn table(_compat: bool) -> Value {
    json!({
        "maximum-size": { "limit": 1_000_000 },
        "extension": {
            "deny": [],
            "also-deny": ["asc", "b", "cgi", "ch", "cls", "d", "inc", "l", "m", "mod", "pp", "pro", "v"],
        },
        "license": { "allow": ["permissive"] },
        "language": {},
    })
}
