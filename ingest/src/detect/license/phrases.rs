//! How texts name licenses: what a phrase is, and the words around names. Patterns see the normal text: lower case, single spaces, no punctuation but points in
//! numbers (`http://www.apache.org/licenses/LICENSE-2.0` reads `http www apache org licenses license 2.0`).

/// Phrases and the license that they name.
pub(crate) struct Phrase {
    /// The expression; `{}` stands for the version.
    pub(crate) id: &'static str,
    /// Versions that there are, as alternatives of a pattern; empty: the license has none.
    pub(crate) versions: &'static str,
    /// The version where a name has none, or none that exists; empty: then the phrase says nothing.
    pub(crate) default: &'static str,
    /// What names the license; with a version behind it, if there are any.
    pub(crate) names: &'static [&'static str],
    /// What names it with a version only, which may also stand inside, at `{}`.
    pub(crate) short: &'static [&'static str],
    /// Whether the phrase names a family only.
    pub(crate) is_vague: bool,
}

/// What may stand between a name and its version.
const BETWEEN: &str = r"(?: [a-z]{2,5})?(?: the license)?(?: as published)?(?: versions?| ver| v)? ?v?";

impl Phrase {
    /// The phrase as a pattern of whole words, whose groups are versions.
    pub(crate) fn pattern(&self) -> String {
        let names = self.names.join("|");
        if self.versions.is_empty() {
            return whole(&names);
        }
        let version = format!("({})", self.versions);
        let named = (!names.is_empty()).then(|| format!("(?:{names})(?:{BETWEEN}{version}(?-u:\\b))?"));
        let short = self.short.iter().map(|short| match short.split_once("{}") {
            Some((before, after)) => format!("{before}{version}{after}"),
            None => format!("{short} ?(?:version |v ?)?{version}"),
        });
        whole(&named.into_iter().chain(short).collect::<Vec<_>>().join("|"))
    }
}

fn whole(pattern: &str) -> String {
    format!(r"(?-u:\b)(?:{pattern})(?-u:\b)")
}

/// What stands before an identifier that is meant as one, whatever ordinary word it may be.
pub(crate) const SURE_PREFIX: &str = r"(?-u:\b)(?:spdx license identifier|license id(?:entifier)?|licenseid|licenses nuget org|spdx org licenses|choosealicense com licenses|opensource org licenses?) ";

/// What stands before an identifier that looks like one.
pub(crate) const ID_PREFIX: &str = r"(?-u:\b)(?:spdx|licenses?(?: (?:is|are|type|expression|name|osi approved|under|the))*|licensed (?:under|as)(?: the)?|under the(?: terms of(?: the)?)?) ";

/// Words in which a version is written, and how the identifier writes them; longer ones first.
pub(crate) const SPELLINGS: &[(&str, &str)] = &[
    ("attribution", "by"),
    ("noncommercial", "nc"),
    ("non commercial", "nc"),
    ("sharealike", "sa"),
    ("share alike", "sa"),
    ("noderivatives", "nd"),
    ("no derivatives", "nd"),
    ("noderivs", "nd"),
    ("no derivs", "nd"),
    (" works", ""),
    (" public", ""),
    (" license", ""),
    (" international", ""),
    (" version", ""),
    (" v", " "),
];

/// Single words that name a license only beside other names or where licenses are spoken of: `MIT/GPL2`, `BSD or Apache`.
/// All are vague, for none has a version.
pub(crate) const BARE: &[(&str, &str)] = &[
    ("mit", "MIT"),
    ("expat", "MIT"),
    ("bsd", "BSD-3-Clause"),
    ("apache", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    ("isc", "ISC"),
    ("zlib", "Zlib"),
    ("boost", "BSL-1.0"),
    ("mpl", "MPL-2.0"),
    ("epl", "EPL-1.0"),
    ("cddl", "CDDL-1.0"),
    ("unlicense", "Unlicense"),
    ("artistic", "Artistic-1.0-Perl"),
    ("ruby", "Ruby"),
];

/// Words of the GNU family: names beside which a bare word counts. They are looked for elsewhere.
pub(crate) const PARTNERS: &[&str] = &[
    "gpl", "lgpl", "agpl", "gpl2", "gpl3", "gplv2", "gplv3", "gplv2+", "gplv3+",
];

#[cfg(test)]
mod tests {
    use super::super::wordings::PHRASES;
    use super::*;
    use crate::detect::license::expression::Terms;

    #[test]
    fn every_phrase_names_a_known_license() {
        for phrase in PHRASES {
            assert!(regex::Regex::new(&phrase.pattern()).is_ok(), "{}", phrase.id);
            let versions = ["", "B", "1.0", "1.0.0", "BY-4.0", "Noncommercial", phrase.default];
            let known = |version: &&str| Terms::parse(&phrase.id.replace("{}", version)).is_some();
            assert!(versions.iter().any(known), "{}", phrase.id);
        }
        assert!(BARE.iter().all(|(_, id)| Terms::parse(id).is_some()));
    }
}
