//! Drops files that begin as XML documents do.
//!
//! # Why
//! A declaration of XML at the head of a file with another name says that it is data or generated markup, whatever
//! the extension promises.
//!
//! # Example
//! ```
//! use stackmill_filters::{Sample, rules::xml_head::Config};
//!
//! assert!(Sample::text("<?xml version=\"1.0\"?>\n<a/>").dropped_by(Config::default())?.is_some());
//! assert!(Sample::text("<a>the string <?xml?></a>").dropped_by(Config::default())?.is_none());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! StarCoder (Li et al. 2023, arXiv 2305.06161): `<?xml version=` in the first 100 characters, XSLT excepted;
//! DeepSeek-Coder (Guo et al. 2024, arXiv 2401.14196) and OpenCoder have the same.

use serde::{Deserialize, Serialize};
use stackmill_schemas::{FileRow, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check, Needs, Rule};

/// Settings of `xml-head`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Number of characters from the start in which the declaration counts.
    pub characters: u64,
    /// Languages that the rule leaves alone, as Linguist names them.
    pub exempt_languages: Vec<String>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            characters: 100,
            exempt_languages: rule::words(&["XSLT"]),
        }
    }
}

impl Rule for Config {
    const NAME: &'static str = "xml-head";
    const SUMMARY: &'static str = "drops files that begin as XML documents do";
    const NEEDS: Needs = Needs::Content;
    const COLUMNS: &'static [&'static str] = &["language"];
    type Check = Self;

    fn build(self) -> Result<Self> {
        rule::positive("characters", self.characters)?;
        Ok(self)
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _facts: &mut Facts<'_>) -> Verdict {
        let end = file
            .text()
            .char_indices()
            .nth(usize::try_from(self.characters).unwrap_or(usize::MAX));
        let head = &file.text()[..end.map_or(file.text().len(), |(at, _)| at)];
        match head.contains(DECLARATION) && !rule::on_list(&self.exempt_languages, file.language()) {
            true => Verdict::Drop(Reason::entry(DECLARATION)),
            false => Verdict::Keep,
        }
    }
}

/// How an XML document begins.
const DECLARATION: &str = "<?xml version=";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sample;

    #[test]
    fn limits_themselves_are_kept() {
        let cases = [
            ("<?xml version=".to_owned(), "C", false),
            ("<?xml version=".to_owned(), "XSLT", true),
            (" ".repeat(86) + "<?xml version=", "C", false),
            ("é".repeat(87) + "<?xml version=", "C", true),
            (String::new(), "C", true),
        ];
        for (text, language, kept) in cases {
            let reason = Sample::text(&text)
                .language(language)
                .dropped_by(Config::default())
                .expect("valid settings");
            assert_eq!(reason.is_none(), kept, "{text:?} {language}");
        }
    }
}
