//! Issues of StarCoderData.

use serde_json::{Value, json};

use super::{Preset, Quirk};

pub(super) const PRESET: Preset = Preset {
    name: "starcoderdata-issues",
    summary: "issues of StarCoderData: `format = \"github-issues\"`",
    source: "Li et al. 2023, arXiv 2305.06161, and `preprocessing/filtering_issues.py` of bigcode-dataset",
    missing: &[
        "quoted mail, long comments, bots and names of users are settings of the source (`conversation`)",
        "conversations of pull requests are in the same tables there, and are kept",
    ],
    quirks: &[USERS],
    table,
};

/// What both codes do.
pub(super) const USERS: Quirk = Quirk {
    rules: "conversation-users",
    words: "the code keeps issues of one user up to 7000 characters; StarCoder2's paper, which retells it, says fewer than 7000",
};

/// StarCoderData and The Stack v2 have the same numbers.
pub(super) fn table(compat: bool) -> Value {
    let characters = if compat { 7000 } else { 6999 };
    json!({
        "conversation-size": { "minimum": 200 },
        "conversation-users": { "minimum": 2, "characters": characters, "events": 10 },
    })
}
