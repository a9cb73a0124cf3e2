//! All black-box tests in one binary: each module is one topic.

mod audit;
mod bad_input;
mod clones;
mod comparisons;
mod contracts;
mod dedup;
mod determinism;
mod grammars;
mod history;
mod incremental;
mod inputs;
mod keep;
mod memory;
mod pipeline;
mod ranks;
mod readers;
mod real;
mod recipes;
mod sources;
mod stores;
mod tidy;

/// JSON with its lines, for snapshots.
fn pretty(json: &str) -> String {
    let value: serde_json::Value = serde_json::from_str(json).expect("JSON");
    serde_json::to_string_pretty(&value).expect("JSON")
}
