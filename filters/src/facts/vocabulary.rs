//! Words of a text and how they repeat: number, length, variety, n-grams.
//!
//! ```text
//!   "Foo.bar(x) // Größe"  ─►  foo bar x größe          lower case, ASCII punctuation separates
//!   "a — b"                ─►  a — b                    a run of other signs is a word of its own
//! ```
//! These are the words that OpenCoder's filters count after normalising a text (its code also rewrites compatibility
//! characters and full-width punctuation, which is not done here). A word is kept as a 64-bit hash and its length.

use std::collections::BTreeMap;

use stackmill_schemas::fingerprint::seeded;

use super::signs::is_space;

/// The words of a file, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    words: Vec<Word>,
    characters: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Word {
    hash: u64,
    characters: u32,
}

impl Vocabulary {
    /// Cuts `text` into words.
    pub(super) fn of(text: &str) -> Self {
        let lower = text.to_lowercase();
        let words: Vec<Word> = words(&lower)
            .map(|word| Word {
                hash: seeded(0, word.as_bytes()),
                characters: u32::try_from(word.chars().count()).unwrap_or(u32::MAX),
            })
            .collect();
        let characters = words.iter().map(|word| u64::from(word.characters)).sum();
        Self { words, characters }
    }

    /// Number of words.
    pub fn count(&self) -> u64 {
        self.words.len() as u64
    }

    /// Mean length of a word in characters; 0 where there is none.
    pub fn mean_length(&self) -> f64 {
        super::share(self.characters, self.count())
    }

    /// Distinct words by all words; 0 where there is none.
    pub fn unique_share(&self) -> f64 {
        super::share(self.counts().len() as u64, self.count())
    }

    /// Entropy of the distribution of words, in nats; 0 where there is none.
    pub fn entropy(&self) -> f64 {
        let total = self.count() as f64;
        let of = |count: u64| {
            let share = count as f64 / total;
            -share * share.ln()
        };
        self.counts().into_values().map(of).sum()
    }

    /// Characters of the most frequent n-gram, all its occurrences together, by all characters of words. 0 where no
    /// n-gram occurs twice; of equally frequent ones the first counts.
    pub fn top_share(&self, n: usize) -> f64 {
        let grams = self.grams(n);
        let groups = grams.chunk_by(|a, b| a.0 == b.0).filter(|group| group.len() > 1);
        let top = groups.max_by_key(|group| (group.len(), std::cmp::Reverse(group[0].1)));
        let Some(top) = top else { return 0.0 };
        let length: u64 = self.words[top[0].1..][..n]
            .iter()
            .map(|word| u64::from(word.characters))
            .sum();
        super::share(length * top.len() as u64, self.characters)
    }

    /// Characters of words that are part of an n-gram that occurs twice or more, by all characters of words.
    pub fn repeated_share(&self, n: usize) -> f64 {
        let grams = self.grams(n);
        let mut starts: Vec<usize> = grams
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|group| group.len() > 1)
            .flat_map(|group| group.iter().map(|gram| gram.1))
            .collect();
        starts.sort_unstable();
        let (mut covered, mut done) = (0, 0);
        for start in starts {
            let fresh = &self.words[done.max(start)..start + n];
            covered += fresh.iter().map(|word| u64::from(word.characters)).sum::<u64>();
            done = start + n;
        }
        super::share(covered, self.characters)
    }

    /// Every n-gram as a hash and where it starts, sorted.
    fn grams(&self, n: usize) -> Vec<(u64, usize)> {
        let mut bytes = Vec::with_capacity(8 * n);
        let hash = |window: &[Word]| {
            bytes.clear();
            window.iter().for_each(|word| bytes.extend(word.hash.to_le_bytes()));
            seeded(0, &bytes)
        };
        let hashes = self.words.windows(n.max(1)).map(hash);
        let mut grams: Vec<(u64, usize)> = hashes.enumerate().map(|(at, hash)| (hash, at)).collect();
        grams.sort_unstable();
        grams
    }

    fn counts(&self) -> BTreeMap<u64, u64> {
        let mut counts = BTreeMap::new();
        for word in &self.words {
            *counts.entry(word.hash).or_default() += 1;
        }
        counts
    }
}

/// What a character of a text is to words.
#[derive(PartialEq)]
enum Kind {
    Letter,
    Sign,
    Gap,
}

fn kind(character: char) -> Kind {
    match character {
        c if c.is_alphanumeric() => Kind::Letter,
        c if c.is_ascii_punctuation() || is_space(c) => Kind::Gap,
        _ => Kind::Sign,
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|character| kind(character) == Kind::Gap);
        let first = kind(rest.chars().next()?);
        let end = rest.find(|character| kind(character) != first).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_are_runs_of_letters_or_of_signs() {
        let found: Vec<_> = words("foo_bar(x1) — größe…!").collect();
        assert_eq!(found, ["foo", "bar", "x1", "—", "größe", "…"]);
        let vocabulary = Vocabulary::of("Aa aa b");
        assert_eq!((vocabulary.count(), vocabulary.mean_length()), (3, 5.0 / 3.0));
        assert_eq!(vocabulary.unique_share(), 2.0 / 3.0);
        let expected = -(2.0_f64 / 3.0) * (2.0_f64 / 3.0).ln() - (1.0_f64 / 3.0) * (1.0_f64 / 3.0).ln();
        assert!((vocabulary.entropy() - expected).abs() < 1e-12);
        let empty = Vocabulary::of("(-)");
        assert_eq!(
            (
                empty.count(),
                empty.mean_length(),
                empty.unique_share(),
                empty.entropy()
            ),
            (0, 0.0, 0.0, 0.0)
        );
    }

    #[test]
    fn repeated_n_grams_count_their_characters() {
        let vocabulary = Vocabulary::of("aa b aa b ccc");
        // "aa b" twice: 6 of 9 characters; "b aa" once.
        assert_eq!(vocabulary.top_share(2), 6.0 / 9.0);
        assert_eq!(vocabulary.repeated_share(2), 6.0 / 9.0);
        assert_eq!((vocabulary.top_share(3), vocabulary.repeated_share(3)), (0.0, 0.0));
        assert_eq!((vocabulary.top_share(9), vocabulary.repeated_share(9)), (0.0, 0.0));
        // Overlaps count once: every word is covered, the top n-gram counts each of its four occurrences.
        let same = Vocabulary::of("a a a a a");
        assert_eq!((same.repeated_share(2), same.top_share(2)), (1.0, 8.0 / 5.0));
    }

    proptest! {
        #[test]
        fn shares_agree_with_a_count_over_texts(words in prop::collection::vec("[ab]{1,2}", 0..40), n in 1_usize..5) {
            let vocabulary = Vocabulary::of(&words.join(" "));
            let mut covered = vec![false; words.len()];
            let grams: Vec<&[String]> = words.windows(n).collect();
            for (at, gram) in grams.iter().enumerate() {
                if grams.iter().filter(|other| *other == gram).count() > 1 {
                    covered[at..at + n].fill(true);
                }
            }
            let total: usize = words.iter().map(String::len).sum();
            let repeated: usize = words.iter().zip(&covered).filter(|(_, covered)| **covered).map(|(word, _)| word.len()).sum();
            let expected = if total == 0 { 0.0 } else { repeated as f64 / total as f64 };
            prop_assert_eq!(vocabulary.repeated_share(n), expected);
        }
    }
}
