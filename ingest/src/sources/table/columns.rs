//! Whose column is which: ours under the names that data sets in common use give them.

use std::collections::BTreeMap;

use stackmill_schemas::{Error, Result};

use super::super::config::COLUMNS;

/// Number of our columns; those that a recipe can map come first.
pub(super) const COUNT: usize = COLUMNS.len() + 12;

/// Places of our columns in [`COLUMNS`].
pub(super) const CONTENT: usize = 0;
pub(super) const PATH: usize = 1;
pub(super) const REPO_NAME: usize = 2;
pub(super) const REVISION_ID: usize = 3;
pub(super) const STARS: usize = 4;
pub(super) const FORKS: usize = 5;
pub(super) const LICENSE: usize = 6;
/// What somebody else's model says of the file.
pub(super) const SCORE: usize = 7;
/// The part of the data set that a row belongs to.
pub(super) const SET: usize = 8;
/// Several things said of a row in one text.
pub(super) const META: usize = 9;
/// The name under which a content lies elsewhere.
pub(super) const KEY: usize = 10;
/// The git blob id of a content that lies elsewhere, in hexadecimal digits, and its length in bytes.
pub(super) const GIT_ID: usize = 11;
pub(super) const LENGTH: usize = 12;
/// What happened in an issue, one by one.
pub(super) const EVENTS: usize = 13;
/// A file before and after a commit, and the first line of the commit's message.
pub(super) const BEFORE: usize = 14;
pub(super) const AFTER: usize = 15;
pub(super) const SUBJECT: usize = 16;
/// What happened in a pull request, the files that it changes, and how many its repository has.
pub(super) const PULL_EVENTS: usize = 17;
pub(super) const CHANGED_FILES: usize = 18;
pub(super) const SIBLINGS: usize = 19;

/// Columns that say which file a row is, and its content's id and length: a table that lacks one that its format has is of
/// another format. All else may be missing.
const TELLING: [usize; 7] = [PATH, GIT_ID, LENGTH, EVENTS, BEFORE, SUBJECT, CHANGED_FILES];

/// Names in common use, the likeliest first: ours, The Stack v1 and v2, CodeParrot, and plain English.
const IN_USE: [&[&str]; COLUMNS.len()] = [
    &["content", "text", "code", "source_code"],
    &["path", "max_stars_repo_path", "file_path", "filepath", "filename"],
    &[
        "repo_name",
        "max_stars_repo_name",
        "repository_name",
        "repository",
        "repo",
    ],
    &[
        "revision_id",
        "max_stars_repo_head_hexsha",
        "commit_id",
        "commit",
        "revision",
    ],
    &["stars", "max_stars_count", "star_events_count", "stars_count"],
    &["forks", "max_forks_count", "fork_events_count", "forks_count"],
    &["license", "licenses", "max_stars_repo_licenses", "detected_licenses"],
    // No name is in common use, and a column that is called so may mean anything.
    &[],
];

/// The names in common use of our column `ours`.
pub(super) fn in_use(ours: usize) -> &'static [&'static str] {
    IN_USE.get(ours).copied().unwrap_or_default()
}

/// For each of our columns the names to look for, the likeliest first.
#[derive(Clone, Debug)]
pub(super) struct Names {
    ours: [Vec<String>; COUNT],
    /// Whether a recipe maps the column, or its format tells it by its name, so that it has to be there.
    is_needed: [bool; COUNT],
    /// The column without which a table is none: contents, the key of those elsewhere, or what they are made of.
    pub(super) content: usize,
}

impl Names {
    /// Names as a recipe maps them, else as `known` has them; a column that is mapped to nothing (`""`) is not looked
    /// for. Of a published format, the columns that tell one file from another have to be there.
    pub(super) fn new(
        mapped: &BTreeMap<String, String>,
        known: fn(usize) -> &'static [&'static str],
        (is_published, content): (bool, usize),
    ) -> Result<Self> {
        if mapped.get("content").is_some_and(String::is_empty) {
            return Err(Error::config("source: `columns.content` is empty").hint("a table has to have contents"));
        }
        let mapping = |i: usize| COLUMNS.get(i).and_then(|name| mapped.get(*name));
        let ours: [Vec<String>; COUNT] = std::array::from_fn(|i| match mapping(i) {
            Some(name) if name.is_empty() => Vec::new(),
            Some(name) => vec![name.clone()],
            None => known(i).iter().map(|&name| name.to_owned()).collect(),
        });
        let is_needed = |i: usize| i == content || mapping(i).is_some() || is_published && TELLING.contains(&i);
        Ok(Self {
            is_needed: std::array::from_fn(|i| is_needed(i) && !ours[i].is_empty()),
            ours,
            content,
        })
    }

    /// Whether something inside the object or struct `name` is looked for.
    pub(super) fn looks_into(&self, name: &str) -> bool {
        let inside = |known: &String| known.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.ours.iter().flatten().any(inside)
    }

    /// Names of our column `ours`, the likeliest first.
    pub(super) fn of(&self, ours: usize) -> &[String] {
        &self.ours[ours]
    }

    /// Which of our columns `name` may be, and how likely (0 is the likeliest).
    pub(super) fn find(&self, name: &str) -> Option<(usize, usize)> {
        self.ours
            .iter()
            .enumerate()
            .find_map(|(i, names)| Some((i, names.iter().position(|known| known == name)?)))
    }

    /// Which of `theirs` is our column `ours`; those that a recipe maps, or its format needs, have to be there.
    pub(super) fn resolve(&self, ours: usize, theirs: &[&str]) -> Result<Option<usize>> {
        let names = self.of(ours);
        let found = names
            .iter()
            .find_map(|name| theirs.iter().position(|their| their == name));
        if found.is_none() && self.is_needed[ours] {
            let shown = &theirs[..theirs.len().min(MOST_SHOWN)];
            let more = if shown.len() < theirs.len() { ", …" } else { "" };
            let words = format!(
                "there is no column `{}` among `{}`{more}",
                names.join("` or `"),
                shown.join("`, `")
            );
            return Err(Error::input(words).hint(format!(
                "map ours to one of them, as in `columns = {{ {} = \"…\" }}`",
                COLUMNS.get(ours).unwrap_or(&COLUMNS[CONTENT])
            )));
        }
        Ok(found)
    }
}

/// A number of stars that is stored as a fraction, as pandas does where some are missing.
pub(super) fn whole(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64)
}

/// Most columns of a table that an error names.
const MOST_SHOWN: usize = 20;

/// Whether one of our columns is a name, for which a number may stand.
pub(super) fn is_named(ours: usize) -> bool {
    [PATH, REPO_NAME, REVISION_ID].contains(&ours)
}

/// An error for a column that is not what it should be.
pub(super) fn wrong_type(ours: usize, theirs: &str, is: &str) -> Error {
    let should = match ours {
        STARS | FORKS | LENGTH | SCORE | SIBLINGS => "a number",
        LICENSE => "text or a list of texts",
        EVENTS | PULL_EVENTS | CHANGED_FILES => "a list of objects",
        _ => "text",
    };
    let name = COLUMNS.get(ours).copied().unwrap_or("of its format");
    Error::input(format!("column `{theirs}` ({name}) is {is}, not {should}")).hint(format!(
        "map another column, as in `columns = {{ {name} = \"…\" }}`, or none with \"\""
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_mapping_or_by_names_in_use() {
        let guessed = Names::new(&BTreeMap::new(), in_use, (false, CONTENT)).expect("defaults");
        let theirs = ["max_stars_repo_path", "text", "content"];
        assert_eq!(guessed.resolve(CONTENT, &theirs).ok(), Some(Some(2)));
        assert_eq!(guessed.resolve(PATH, &theirs).ok(), Some(Some(0)));
        assert_eq!(guessed.resolve(STARS, &theirs).ok(), Some(None));
        assert!(
            guessed
                .resolve(CONTENT, &["body"])
                .expect_err("none")
                .message()
                .contains("`body`")
        );
        let map = [("content", "text"), ("path", ""), ("stars", "likes")];
        let mapped = Names::new(
            &map.map(|(a, b)| (a.to_owned(), b.to_owned())).into(),
            in_use,
            (false, CONTENT),
        )
        .expect("valid");
        assert_eq!(mapped.resolve(CONTENT, &theirs).ok(), Some(Some(1)));
        assert_eq!(mapped.resolve(PATH, &theirs).ok(), Some(None));
        assert!(mapped.resolve(STARS, &theirs).is_err());
        assert_eq!((mapped.find("likes"), mapped.find("stars")), (Some((STARS, 0)), None));
    }

    #[test]
    fn no_name_in_use_is_that_of_two_columns() {
        let names = Names::new(&BTreeMap::new(), in_use, (false, CONTENT)).expect("defaults");
        for (i, known) in IN_USE.iter().enumerate() {
            assert!(known.first().is_none_or(|first| *first == COLUMNS[i]));
            assert!(
                known
                    .iter()
                    .enumerate()
                    .all(|(rank, name)| names.find(name) == Some((i, rank)))
            );
        }
    }
}
