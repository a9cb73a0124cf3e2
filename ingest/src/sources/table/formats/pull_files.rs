//! Files that a pull request changes: which are written, and how much of them.
//!
//! ```text
//!   lines of the old file   ·····aaaaXXXXXbbb·····     X from the first changed line to the last
//!   base code                    aaaaXXXXXbbb          up to 31 lines around it, or the whole file
//!   hunk                          aaaXXXXXbbb          3 to 9 lines around it, as far as the base code goes at the front
//! ```
//!
//! Source: Lozhkov et al. 2024, arXiv 2402.19173, section 2.3; `process_commit_pairs.py` and `render.py` of
//! `bigcode-project/the-stack-v2`, from which the exception of documents from limits on lines is, and what a sign in
//! hexadecimal digits is: `\x`, which counts twice.

use std::sync::LazyLock;

use regex::Regex;
use stackmill_schemas::fingerprint::seeded;
use stackmill_schemas::text;

use super::super::pulls::ChangedFile;
use super::commitpack::{Change, SEED, Span, is_short, share, window};

/// Most characters and lines of a file.
const MOST_CHARACTERS: usize = 1_000_000;
const MOST_LINES: usize = 100_000;
/// Least share of letters and digits, and most of signs in hexadecimal digits.
const LETTERS: f64 = 0.25;
const HEXADECIMAL: f64 = 0.25;
/// Most characters of a line, on average and at all, but in documents.
const LINE_MEAN: usize = 100;
const LINE_MAX: usize = 1000;
const DOCUMENTS: [&str; 5] = ["Markdown", "reStructuredText", "RMarkdown", "RDoc", "AsciiDoc"];
/// Parts of paths of data that a program wrote, by language.
const DATA: [(&str, &[&str]); 2] = [
    ("YAML", &["pack", "lock", "yarn", "output", "swagger", "openapi"]),
    ("JSON", &["pack", "lock", "output"]),
];
/// Share of such files that is written; of those, too, that are more than half of all that is written.
const DATA_SHARE: f64 = 0.1;
/// Fewest lines around a change in a hunk, and how many more there may be.
const CONTEXT: (usize, u64) = (3, 7);

/// English words, which a document in Markdown needs.
static ENGLISH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\s+(the|be|to|of|and|that|have|with)\s+")
        .expect("because the pattern is a constant that a test compiles")
});

/// What is written of a file.
pub(super) struct Shown<'a> {
    pub(super) path: &'a str,
    pub(super) base: String,
    pub(super) hunk: String,
}

/// What is written of the files that are wanted.
pub(super) fn files_of<'a>(files: &'a [ChangedFile], change: &Change) -> Vec<Shown<'a>> {
    let wanted = files.iter().filter_map(|file| {
        let (before, after) = (file.before.as_deref()?, file.after.as_deref()?);
        let language = file.language.as_deref().unwrap_or_default();
        let path = file.path.as_deref().unwrap_or_default();
        (before != after && is_short(after) && is_wanted(before, language))
            .then(|| (language, shown(path, before, after, change)))
    });
    let wanted: Vec<_> = wanted.collect();
    let total: usize = wanted.iter().map(|(_, file)| file.base.chars().count()).sum();
    let kept = wanted
        .into_iter()
        .filter(|(language, file)| !is_left_out(language, file, total));
    kept.map(|(_, file)| file).collect()
}

/// Whether a file is code or text that somebody wrote.
fn is_wanted(before: &str, language: &str) -> bool {
    let characters = before.chars().count();
    let letters = before.chars().filter(|character| character.is_alphanumeric()).count();
    let hexadecimal = 2 * before.matches("\\x").count();
    if characters == 0 || characters > MOST_CHARACTERS {
        return false;
    }
    let share = |count: usize| count as f64 / characters as f64;
    let lengths: Vec<usize> = text::lines(before).map(|line| line.chars().count()).collect();
    let is_long =
        lengths.iter().sum::<usize>() > LINE_MEAN * lengths.len() || lengths.iter().any(|&length| length > LINE_MAX);
    share(letters) >= LETTERS
        && share(hexadecimal) <= HEXADECIMAL
        && lengths.len() <= MOST_LINES
        && (DOCUMENTS.contains(&language) || !is_long)
        && (language != "Markdown" || ENGLISH.is_match(before))
}

/// Whether a file of data is one of the many that are left out, by hash.
fn is_left_out(language: &str, file: &Shown<'_>, total: usize) -> bool {
    let Some((_, parts)) = DATA.iter().find(|(data, _)| *data == language) else {
        return false;
    };
    let is_most = 2 * file.base.chars().count() > total;
    let is_data = is_most || parts.iter().any(|part| file.path.contains(part));
    is_data && share(seeded(SEED, [file.path, "\0", &file.base].concat().as_bytes())) >= DATA_SHARE
}

fn shown<'a>(path: &'a str, before: &str, after: &str, change: &Change) -> Shown<'a> {
    let span = Span::of(before, after);
    let (old, new): (Vec<&str>, Vec<&str>) = (text::lines(before).collect(), text::lines(after).collect());
    let id = [path, before, after]
        .map(|text| seeded(SEED, text.as_bytes()).to_le_bytes())
        .concat();
    let window = window(&id, change);
    let start = window.map_or(0, |(above, _)| span.first.saturating_sub(above));
    let end = window.map_or(old.len(), |(_, below)| (span.old_end + below).min(old.len()));
    let context = CONTEXT.0 + (seeded(SEED + 3, &id) % CONTEXT.1) as usize;
    Shown {
        path,
        base: old.get(start..end).unwrap_or_default().join("\n"),
        hunk: hunk((&old, &new), span, start, context),
    }
}

/// The change, with `context` lines around it, in the form of `diff -u`; lines are counted from `start` on.
fn hunk((old, new): (&[&str], &[&str]), span: Span, start: usize, context: usize) -> String {
    let first = span.first.saturating_sub(context).max(start);
    let last = (span.old_end + context).min(old.len());
    let after = last - span.old_end;
    let at = first - start + 1;
    let (removed, added) = (last - first, span.new_end + after - first);
    let mut lines = vec![format!("@@ -{at},{removed} +{at},{added} @@")];
    let mut push = |sign: &str, part: &[&str]| lines.extend(part.iter().map(|line| format!("{sign}{line}")));
    push(" ", &old[first..span.first]);
    push("-", &old[span.first..span.old_end]);
    push("+", &new[span.first..span.new_end]);
    push(" ", &old[span.old_end..last]);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn files_that_nobody_wrote_are_left_out() {
        for (text, language, wanted) in [
            ("a = 1", "Python", true),
            ("", "Python", false),
            ("(((a", "Python", true),
            ("((((a", "Python", false),
            ("\\x1\\x2\\x3\\x4", "C", false),
            (&"a".repeat(100), "C", true),
            (&"a".repeat(101), "C", false),
            (&"a".repeat(101), "RDoc", true),
            (&format!("{}{}", "a".repeat(1000), "\n".repeat(20)), "C", true),
            (&format!("{}{}", "a".repeat(1001), "\n".repeat(20)), "C", false),
            ("Worte ohne Ende", "Markdown", false),
            ("Words of no end", "Markdown", true),
            (&"a\n".repeat(100_000), "C", true),
            (&"a\n".repeat(100_001), "C", false),
            (&"a".repeat(1_000_001), "RDoc", false),
        ] {
            assert_eq!(
                is_wanted(text, language),
                wanted,
                "{} {language}",
                &text[..text.len().min(20)]
            );
        }
    }

    #[test]
    fn files_without_two_sides_are_not_there() {
        let file = |before: Option<&str>, after: Option<&str>| ChangedFile {
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            ..ChangedFile::default()
        };
        let files = [
            file(Some("a"), None),
            file(None, Some("a")),
            file(Some("a"), Some("a")),
            file(Some("a"), Some("b")),
        ];
        assert_eq!(files_of(&files, &Change::default()).len(), 1);
    }

    #[test]
    fn nine_in_ten_files_of_data_go() {
        let kept = |path: &str, language: &str| {
            let of = |number: usize| ChangedFile {
                path: Some(format!("{number}/{path}")),
                language: Some(language.to_owned()),
                before: Some(format!("a: {number}\n")),
                after: Some("b: 1\n".to_owned()),
            };
            files_of(&(0..1000).map(of).collect::<Vec<_>>(), &Change::default()).len()
        };
        assert!((70..130).contains(&kept("package.json", "JSON")));
        assert_eq!(
            (
                kept("a.json", "JSON"),
                kept("yarn.json", "JSON"),
                kept("package.py", "Python")
            ),
            (1000, 1000, 1000)
        );
        assert!((70..130).contains(&kept("yarn.yml", "YAML")));
    }

    proptest! {
        /// Broken by hand: with `new_end` for `old_end` in the first push, lines of the old file are missing.
        #[test]
        fn a_hunk_turns_the_old_lines_into_the_new_ones(before in "[ab\n]{1,40}", after in "[ab\n]{1,40}", whole in 0_u8..2) {
            let change = Change { whole: f64::from(whole), context: 5 };
            let shown = shown("a", &before, &after, &change);
            let lines: Vec<&str> = shown.hunk.split('\n').skip(1).collect();
            let side = |sign: char| lines.iter().filter(|line| line.starts_with([' ', sign])).map(|line| &line[1..]).collect::<Vec<_>>();
            let (old, new): (Vec<&str>, Vec<&str>) = (text::lines(&before).collect(), text::lines(&after).collect());
            let (removed, added) = (side('-'), side('+'));
            let at = (0..=old.len() - removed.len()).any(|at| {
                let front = &old[..at];
                let back = &old[at + removed.len()..];
                old[at..].starts_with(&removed) && [front, &added[..], back].concat() == new
            });
            prop_assert!(at, "{:?}", shown.hunk);
            let counts = [format!(",{} +", removed.len()), format!(",{} @@", added.len())];
            prop_assert!(counts.iter().all(|count| shown.hunk.contains(count)), "{:?}", shown.hunk);
        }
    }
}
