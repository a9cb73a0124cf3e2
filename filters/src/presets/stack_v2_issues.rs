//! Issues of The Stack v2, which follow those of StarCoderData.

use super::Preset;
use super::starcoderdata_issues::{USERS, table};

pub(super) const PRESET: Preset = Preset {
    name: "stack-v2-issues",
    summary: "issues of The Stack v2: `format = \"github-issues\"`",
    source: "Lozhkov et al. 2024, arXiv 2402.19173, section 2.2, and `issues` of the-stack-v2, which names the code of StarCoderData",
    missing: &[
        "quoted mail, long comments, bots and names of users are settings of the source (`conversation`)",
        "the paper cuts long comments to 100 lines, the code to 80: `conversation = { lines = 100 }`",
    ],
    quirks: &[USERS],
    table,
};
