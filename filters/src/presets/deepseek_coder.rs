//! DeepSeek-Coder: the rules that its paper names.

use serde_json::{Value, json};

use super::Preset;

pub(super) const PRESET: Preset = Preset {
    name: "deepseek-coder",
    summary: "DeepSeek-Coder, the rules before deduplication",
    source: "Guo et al. 2024, arXiv 2401.14196, section 2.1",
    missing: &[
        "87 languages are kept, which the paper lists and this preset does not: add `language`",
        "files are ordered by what they depend on, and near-duplicates told by repository",
        "a compiler and a model of quality screen what is left, of which nothing was published",
    ],
    quirks: &[],
    table,
};

fn table(_compat: bool) -> Value {
    json!({
        "xml-head": {},
        "line-max": { "limit": 1000, "relaxed-languages": [] },
        "line-mean": { "limit": 100.0, "exempt-languages": [] },
        "character-count": { "by-language": { "*": false, "JSON, YAML": { "minimum": 50, "maximum": 5000 } } },
        "alpha-fraction": { "limit": 0.25, "alnum-languages": [] },
        "html-visible": { "minimum": 100, "share": 0.2 },
    })
}
