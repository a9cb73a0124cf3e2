//! Chooses between languages that share an extension by the words that are theirs, then by popularity.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use regex::bytes::Regex;

use super::heuristics::compile;
use super::tables::Name;
use super::words::{Hint, POPULAR, WORDS};

/// Bytes of a file that are weighed: what a language looks like shows early, and every hint is one more pass.
const WEIGHED_BYTES: usize = 16 * 1024;
/// A hint counts this often at most, so that one habit does not drown all others.
const MOST_OCCURRENCES: usize = 4;

/// A language's hints, compiled at first use.
struct Words {
    hints: &'static [Hint],
    compiled: OnceLock<Vec<(u32, Regex)>>,
}

static BY_LANGUAGE: LazyLock<HashMap<&'static str, Words>> = LazyLock::new(|| {
    let entry = |&(name, hints): &(&'static str, &'static [Hint])| {
        (
            name,
            Words {
                hints,
                compiled: OnceLock::new(),
            },
        )
    };
    WORDS.iter().map(entry).collect()
});

impl Words {
    /// Sum over hints of weight times occurrences.
    fn score(&self, content: &[u8]) -> u32 {
        let compiled = self.compiled.get_or_init(|| {
            let compile = |&(weight, pattern): &Hint| Some((weight, compile(std::iter::once(pattern))?));
            self.hints.iter().filter_map(compile).collect()
        });
        let count = |regex: &Regex| regex.find_iter(content).take(MOST_OCCURRENCES).count() as u32;
        compiled.iter().map(|(weight, regex)| weight * count(regex)).sum()
    }
}

/// The candidate whose words weigh most, and by how much it leads.
pub(crate) fn heaviest(candidates: &[Name], content: &[u8]) -> Option<(Name, u32)> {
    let content = &content[..content.len().min(WEIGHED_BYTES)];
    let mut scores: Vec<(u32, Name)> = candidates
        .iter()
        .map(|name| (BY_LANGUAGE.get(name).map_or(0, |words| words.score(content)), *name))
        .collect();
    scores.sort_by_key(|&(score, name)| (std::cmp::Reverse(score), unpopularity(name)));
    match scores.as_slice() {
        [] => None,
        [(score, name)] => Some((name, *score)),
        [(first, name), (second, _), ..] => Some((name, first - second)),
    }
}

/// Rank in the list of popular languages; those that are not on it come last, in order of names.
fn unpopularity(name: Name) -> (usize, Name) {
    let rank = POPULAR.iter().position(|popular| *popular == name);
    (rank.unwrap_or(POPULAR.len()), name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use linguist::definitions::LANGUAGES;

    #[test]
    fn every_hint_compiles_and_every_language_exists() {
        for (name, hints) in WORDS {
            assert!(LANGUAGES.contains_key(*name), "{name}");
            for (weight, pattern) in *hints {
                assert!(
                    *weight > 0 && compile(std::iter::once(*pattern)).is_some(),
                    "{name}: {pattern}"
                );
            }
        }
        assert!(POPULAR.iter().all(|name| LANGUAGES.contains_key(*name)));
    }

    #[test]
    fn words_decide_then_popularity() {
        let choose = |candidates: &[Name], text: &str| heaviest(candidates, text.as_bytes()).map(|(name, _)| name);
        assert_eq!(choose(&["V", "Verilog"], "fn main() {\n\tmut a := 1\n}\n"), Some("V"));
        assert_eq!(
            choose(&["V", "Verilog"], "wire a;\nassign a = b;\nendmodule\n"),
            Some("Verilog")
        );
        assert_eq!(choose(&["Smalltalk", "C#"], ""), Some("C#"));
        assert_eq!(choose(&["Zig", "XML"], "\0\u{1}"), Some("XML"));
        assert_eq!(choose(&[], "x"), None);
    }

    #[test]
    fn a_repeated_word_counts_four_times_at_most() {
        let once = heaviest(&["TSQL"], b"GO\n").map(|(_, score)| score);
        let often = heaviest(&["TSQL"], "GO\n".repeat(100).as_bytes()).map(|(_, score)| score);
        assert_eq!(often, once.map(|score| score * 4));
    }
}
