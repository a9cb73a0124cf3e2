//! Finds licenses by the full names of SPDX's list: `Zope Public License 2.1`, `Community Data License Agreement …`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use super::expression::Terms;
use super::notices::Notice;
use super::words::Normal;

/// Words that come and go within a name.
const FILLERS: &[&str] = &["the", "version", "versions", "ver", "v"];
/// First words of names that have patterns of their own, or that ordinary prose is full of.
const LEFT_OUT: &[&str] = &["gnu", "fair", "mit"];
/// Words without one of which a short name may be ordinary prose.
const TELLING: &[&str] = &["license", "licence", "domain"];
/// Words of a name that needs no such word.
const LONG: usize = 4;

struct Name {
    words: Vec<String>,
    id: &'static str,
    is_vague: bool,
}

/// Names by their first word, longest first.
static NAMES: LazyLock<HashMap<String, Vec<Name>>> = LazyLock::new(|| {
    let mut all: BTreeMap<Vec<String>, (bool, Reverse<&'static str>)> = BTreeMap::new();
    let mut add = |words: Vec<String>, is_vague: bool, id: &'static str| {
        let known = all.entry(words).or_insert((is_vague, Reverse(id)));
        *known = (*known).min((is_vague, Reverse(id)));
    };
    for license in spdx::identifiers::LICENSES {
        let words = words(license.full_name);
        let is_deprecated = spdx::license_id(license.name).is_none_or(spdx::LicenseId::is_deprecated);
        if is_deprecated || !is_name(&words) {
            continue;
        }
        // Without its version a name means the newest one, perhaps.
        if words.last().is_some_and(|word| is_version(word)) && is_name(&words[..words.len() - 1]) {
            add(words[..words.len() - 1].to_vec(), true, license.name);
        }
        add(words, false, license.name);
    }
    let mut by_first: HashMap<String, Vec<Name>> = HashMap::new();
    for (words, (is_vague, Reverse(id))) in all {
        let first = words.first().cloned().unwrap_or_default();
        by_first.entry(first).or_default().push(Name { words, id, is_vague });
    }
    by_first
        .values_mut()
        .for_each(|names| names.sort_by_key(|name| Reverse(name.words.len())));
    by_first
});

fn words(name: &str) -> Vec<String> {
    let normal = Normal::new(name);
    let words = normal.text().split(' ').filter(|word| !FILLERS.contains(word));
    words.map(|word| plain(word).to_owned()).collect()
}

fn is_name(words: &[String]) -> bool {
    let is_telling = words.iter().any(|word| TELLING.contains(&word.as_str()));
    let is_left_out = words.first().is_none_or(|word| LEFT_OUT.contains(&word.as_str()));
    !is_left_out && words.len() >= if is_telling { 2 } else { LONG }
}

fn is_version(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// `2.0` of `v2.0`.
fn plain(word: &str) -> &str {
    word.strip_prefix('v').filter(|rest| is_version(rest)).unwrap_or(word)
}

/// The full names in a normal text.
pub(crate) fn scan(text: &str) -> Vec<Notice> {
    let mut notices = Vec::new();
    let (mut at, mut reached) = (0, 0);
    for word in text.split(' ') {
        let start = at;
        at += word.len() + 1;
        let Some(names) = NAMES.get(word).filter(|_| start >= reached) else {
            continue;
        };
        let mut found = names.iter().filter_map(|name| Some((name, end(&text[start..], name)?)));
        let Some((name, length)) = found.next() else {
            continue;
        };
        reached = start + length;
        notices.extend(Terms::parse(name.id).map(|terms| Notice {
            terms,
            is_vague: name.is_vague,
            start,
            end: reached,
        }));
    }
    notices
}

/// Length of `name` at the start of `text`. Before a version, an abbreviation of the name may stand.
fn end(text: &str, name: &Name) -> Option<usize> {
    let mut length = 0;
    let mut rest = text.split(' ').inspect(|word| length += word.len() + 1);
    for wanted in &name.words {
        let mut word = rest.find(|word| !FILLERS.contains(word))?;
        if plain(word) != wanted && is_version(wanted) && word.len() <= 6 && !is_version(plain(word)) {
            word = rest.find(|word| !FILLERS.contains(word))?;
        }
        if plain(word) != wanted {
            return None;
        }
    }
    Some(length - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<(String, bool)> {
        let notices = scan(Normal::new(text).text());
        notices
            .iter()
            .map(|notice| (notice.terms.to_string(), notice.is_vague))
            .collect()
    }

    #[test]
    fn full_names_in_many_spellings() {
        for (text, id, is_vague) in [
            ("Ricoh Source Code Public License", "RSCPL", false),
            ("under the Zope Public License (ZPL) Version 2.1.", "ZPL-2.1", false),
            ("Zope Public License", "ZPL-2.1", true),
            ("license: Open LDAP Public License v2.2.1", "OLDAP-2.2.1", false),
            (
                "Community Data License Agreement Permissive 2.0",
                "CDLA-Permissive-2.0",
                false,
            ),
        ] {
            assert_eq!(ids(text), [(id.to_owned(), is_vague)], "{text}");
        }
    }

    #[test]
    fn ordinary_words_are_no_names() {
        for text in [
            "",
            "a license",
            "is a fair license",
            "the public license of x",
            "zope public",
        ] {
            assert!(ids(text).is_empty(), "{text}");
        }
    }
}
