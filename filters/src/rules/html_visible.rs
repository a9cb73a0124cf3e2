//! Drops HTML pages that are mostly markup.
//!
//! # Why
//! A page of nothing but tags, scripts and styles is a template or an application's shell; what HTML adds to a corpus
//! is text with structure.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::html_visible::Config};
//!
//! let page = |text: &str| format!("<html><body><p>{text}</p></body></html>");
//! let dropped = |page: &str| Sample::text(page).language("HTML").dropped_by(Config::default());
//! assert!(dropped(&page(&"word ".repeat(30)))?.is_none());
//! assert!(dropped(&page("word"))?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! The Stack v2 (Lozhkov et al. 2024, arXiv 2402.19173), after StarCoder: visible text below 100 characters
//! or below 20 % of the file. The original reads pages with BeautifulSoup; this rule with a scanner of tags, comments,
//! scripts and styles, which counts a run of white space as one character.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `html-visible`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Fewest visible characters.
    pub minimum: u64,
    /// Smallest share of visible characters, 0 to 1.
    pub share: f64,
    /// Languages that the rule looks at, as Linguist names them.
    pub languages: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: 100,
            share: 0.2,
            languages: rule::words(&["HTML"]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "html-visible";
    const SUMMARY: &'static str = "drops HTML pages that are mostly markup";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::share("share", self.share)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        if !rule::on_list(&self.languages, file.language()) {
            return Verdict::Keep;
        }
        let visible = facts.visible();
        match rule::below(visible.characters, self.minimum) {
            Verdict::Keep => rule::below(visible.share(), self.share),
            dropped => dropped,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn both_limits_themselves_are_kept() {
        let page = |visible: usize, hidden: usize| format!("<{}>{}", "p".repeat(hidden - 2), "x".repeat(visible));
        let cases = [
            (page(100, 400), "HTML", true),
            (page(100, 401), "HTML", false),
            (page(99, 10), "HTML", false),
            (page(99, 10), "Vue", true),
            (String::new(), "HTML", false),
        ];
        for (text, language, kept) in cases {
            let reason = Sample::text(&text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text} {language}");
        }
    }
}
