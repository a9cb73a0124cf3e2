//! Keep or drop one file; rewrite it only to take out license headers and to redact.
//!
//! ```text
//!   [rules] of a recipe ──► RuleSet ──► FilterStage (listing) ─► FilterStage (content) ─► FilterStage (syntax)
//!                              ▲              path, length           Facts: one pass          columns of Parse
//!   rules/<rule>.rs ──► RULES ─┤
//!   presets/<preset>.rs ───────┘              variants: other settings by language and extension, shares by hash
//!   headers    Headers: comments at the top that say nothing but copyright and license are taken out
//!   syntax     Parse ──► request ──► worker process: the only place that parses ──► syntax_* columns
//!   redact     Redact: addresses and keys become placeholders; counts go to the column `redactions`
//! ```
//!
//! A rule is one file under `rules/` and one word in `rules! { … }`; a rule outside the tree goes through
//! [`RuleSet::with`]. [`Sample`] judges one made-up file, for tests and examples.
#![deny(missing_docs)]

pub mod facts;
pub mod fasttext;
pub mod headers;
pub mod presets;
pub mod redact;
pub mod rule;
pub mod rules;
pub mod sample;
mod set;
mod stage;
pub mod syntax;
mod variants;

pub use facts::Facts;
pub use headers::{Headers, HeadersConfig};
pub use presets::{PRESETS, Preset, Quirk};
pub use redact::{Redact, RedactConfig};
pub use rule::{Check, Needs, Open, Rule, RuleInfo, Setting};
pub use rules::RULES;
pub use sample::Sample;
pub use set::{Explain, RuleSet, RulesConfig};
pub use stage::FilterStage;
pub use syntax::{Parse, ParseConfig};
