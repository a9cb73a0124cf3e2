//! Scripts of Kaggle's notebooks in The Stack v2.

use serde_json::{Value, json};

use super::Preset;

pub(super) const PRESET: Preset = Preset {
    name: "stack-v2-kaggle",
    summary: "Kaggle notebooks of The Stack v2, as scripts: `[notebooks] style = \"cleaned\"`",
    source: "Lozhkov et al. 2024, arXiv 2402.19173, section 2.4, and `kaggle` of the-stack-v2",
    missing: &[
        "how a notebook becomes a script, and that it has four cells or more, are settings of `[notebooks]`",
        "5,000,000 characters are those of the cells alone there, written without line ends in ASCII; here the file's bytes",
        "Python's compiler is asked there; here a grammar, and what else the compiler is known to refuse; both are compared as `refused-syntax`. It refuses scripts of R, too, which the README names: to keep those, add R to `language`",
        "scripts are formatted with Black there; the head that Kaggle writes into notebooks is then cut where it is still whole, which it never is",
        "near-duplicates are a stage",
    ],
    quirks: &[],
    table,
};

/// The code asks for more than 100 characters of the script.
fn table(_compat: bool) -> Value {
    json!({
        "maximum-size": { "limit": 5_000_000 },
        "allowed-extension": { "allow": ["ipynb"] },
        "language": { "allow": ["Python"] },
        "character-count": { "minimum": 101 },
        "parse-error-share": { "limit": 0.0 },
        "refused-syntax": {},
    })
}
