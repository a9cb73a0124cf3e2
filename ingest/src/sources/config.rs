//! One `[[source]]` table of a recipe: what to read, and how much of it a stranger may make us read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, Result};

use super::table::{Change, Conversation};
use crate::lists::{Kind, Riding};

/// One string or a list of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Patterns {
    /// `git = "repos.jsonl"`
    One(String),
    /// `git = ["a", "b"]`
    Many(Vec<String>),
}

impl Patterns {
    /// The strings, in the order written.
    pub fn as_slice(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

/// How much of the past of a git repository is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum History {
    /// Every file that a commit holds which the revision can reach.
    Revision,
    /// As `Revision`, of every branch and tag, and of the revision itself.
    References,
}

/// One `[[source]]` table: exactly one of the keys `git`, `directory`, `archives`, `parquet`, `jsonl`, `warc`, and settings.
///
/// Paths are relative to the recipe's folder and may hold the wildcards `*`, `**` and `?`. Tables, archives, crawls and lists of
/// repositories may be in an object store, as [`crate::store`] reads them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SourceConfig {
    /// Name of the source in the ledger; default: the key of its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Git repositories: paths of local clones or of folders that hold some, URLs (`https`, `http`, `git`, `ssh`,
    /// `user@host:path`; `file` is a path), or lists of both: files that end in `.txt` (one a line, `#` comments), `.csv`,
    /// `.jsonl` (one object a line) or `.parquet` (see `repositories` and `metadata`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub git: Option<Patterns>,
    /// Plain folders; each match is one unit. `.git` folders inside are passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub directory: Option<Patterns>,
    /// Archives: tar files, plain or compressed with gzip, zstd, xz or bzip2 (`.crate` is one), and zip files (`.whl`);
    /// told apart by their first bytes, not by their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub archives: Option<Patterns>,
    /// Parquet files with one file of code a row; each row group is one unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parquet: Option<Patterns>,
    /// JSON-lines files (`.jsonl`, also compressed with gzip or zstd) with one file of code a line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jsonl: Option<Patterns>,
    /// Files of web crawls, WARC or WET (`.warc.gz`, `.wet.gz`, plain or compressed): blocks of code in pages, each a
    /// file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warc: Option<Patterns>,
    /// Git: branch, tag or commit to read where a list names none; default `HEAD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Git: reads the whole history: each distinct file that was ever there once, at the path it had last, with the
    /// columns of `history` in corpus and ledger. `"revision"`: what the revision can reach; `"references"`: what any
    /// branch or tag can reach, too. Of repositories elsewhere only that of the revision is cloned, with `depth = 0`.
    /// Default: the revision's files alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<History>,
    /// Git: publishes the table `commits`, one row for each commit that the revision (with `history = "references"`: any
    /// branch or tag) can reach. Names and addresses of people are in it as they are in the commits; default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub commits: bool,
    /// Git: names of the columns of a list, where they differ from ours: `location` (default `url`, `path` or `repo`),
    /// `name`, `revision`, `stars`, `forks`, `license`, and what `metadata` names.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub repositories: BTreeMap<String, String>,
    /// Git: further columns of a list that ride along with a repository, as `archived` or `pushed_at`: through the lock
    /// into every row of its files, for rules and the corpus.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub metadata: Vec<String>,
    /// Git: types of such columns; default: `flag` for `archived` and `fork`, else `text`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, Kind>,
    /// Directory and git: `repo_name` of every file, for a source of one folder or repository; default: the folder's name,
    /// or owner and name from the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repo_name: Option<String>,
    /// Tables: their names of our columns `content`, `path`, `repo_name`, `revision_id`, `stars`, `forks`, `license`,
    /// `score` (any number, for the rule of that name); columns that are not named here are looked for under names in
    /// common use, but for `score`, which is read only where it is named.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, String>,
    /// Tables: the published data set whose layout they have: `codeparrot`, `commitpack`, `github-issues`, `github-pull-requests`, `roots`,
    /// `starcoderdata`, `the-pile`, `the-stack-v1`, `the-stack-v2`, `the-stack-v3`; default: one file of code a row, columns under names in common use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Tables of a format that has sets: those that are wanted; rows of others are dropped as `not-wanted`. Default for
    /// `the-pile`: `Github`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<String>,
    /// Tables of a format without contents (`the-stack-v2`): where they are, with `{blob_id}` for the row's key; a file
    /// of this machine or an object of a store, plain or compressed with gzip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<String>,
    /// Tables of issues and pull requests (`github-issues`, `github-pull-requests`): what becomes of a conversation, as in `{ lines = 100 }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Conversation>,
    /// Tables of commits and pull requests (`commitpack`, `github-pull-requests`): how much of the changed file is written, as in `{ whole = 1.0 }`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Most entries of one unit (files and folders together); default 1,500,000. Each takes 24 (`directory`), 44 (`git`)
    /// or 52 bytes (`archives`) of memory while the unit is listed, its name, and its share of its folder's path; names
    /// and folders together at most 64 bytes an entry. With `history`, entries are distinct files (about 100 bytes each),
    /// the further paths and renames of each (16 to 30), and commits (90, twice that while they are looked for).
    pub max_entries: u64,
    /// Most bytes of one path; longer ones are recorded as trouble; default 4,096 (as in Linux).
    pub max_path_bytes: u64,
    /// Most bytes of one file; default 128 MiB. A longer file is trouble when it is read, a tar archive that holds one
    /// is not read at all; of a repository elsewhere it is trouble when it is listed, and servers that know filters do
    /// not even send it.
    pub max_entry_bytes: u64,
    /// Most bytes that one archive may inflate to; default 8 GiB.
    pub max_archive_bytes: u64,
    /// Most bytes that one compressed byte may become, judged from 16 MiB of output on; default 200.
    pub max_ratio: u64,
    /// Most bytes of one line of a JSON-lines file; longer ones are recorded as trouble; default 64 MiB.
    pub max_line_bytes: u64,
    /// Git: most bytes that a server may send for one clone; a repository with more is trouble; default 16 GiB.
    pub max_repository_bytes: u64,
    /// Git: seconds after which a server that cannot be reached, or says nothing, has failed an attempt; default 60.
    pub timeout_seconds: u64,
    /// How often a repository elsewhere is asked before its trouble counts; default 3.
    pub attempts: u32,
    /// Git: commits of history that a clone brings along, 0 for all; default 1, which is all that files need.
    pub depth: u32,
    /// Git: exchanges with one host at once, in one process; default 4.
    pub host_connections: u32,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            name: None,
            git: None,
            directory: None,
            archives: None,
            parquet: None,
            jsonl: None,
            warc: None,
            revision: None,
            history: None,
            commits: false,
            repositories: BTreeMap::new(),
            metadata: Vec::new(),
            types: BTreeMap::new(),
            repo_name: None,
            columns: BTreeMap::new(),
            format: None,
            sets: Vec::new(),
            contents: None,
            conversation: None,
            change: None,
            max_entries: 1_500_000,
            max_path_bytes: 4096,
            max_entry_bytes: 128 << 20,
            max_archive_bytes: 8 << 30,
            max_ratio: 200,
            max_line_bytes: 64 << 20,
            max_repository_bytes: 16 << 30,
            timeout_seconds: 60,
            attempts: 3,
            depth: 1,
            host_connections: 4,
        }
    }
}

/// Our names of the columns of a table.
pub(super) const COLUMNS: &[&str] = &[
    "content",
    "path",
    "repo_name",
    "revision_id",
    "stars",
    "forks",
    "license",
    "score",
];

/// Our names of the keys of a list of repositories.
pub(super) const REPOSITORY_KEYS: &[&str] = &["location", "name", "revision", "stars", "forks", "license"];

/// Contents are held in Arrow arrays with 32-bit offsets.
const LARGEST_ENTRY: u64 = 1 << 30;

impl SourceConfig {
    /// Name of the source in the ledger.
    pub fn name(&self) -> &str {
        match (&self.name, self.kinds().next()) {
            (Some(name), _) => name,
            (None, Some((key, _))) => key,
            (None, None) => "source",
        }
    }

    /// The keys that say what to read, of those that are set.
    fn kinds(&self) -> impl Iterator<Item = (&'static str, &Patterns)> {
        [
            ("git", &self.git),
            ("directory", &self.directory),
            ("archives", &self.archives),
            ("parquet", &self.parquet),
            ("jsonl", &self.jsonl),
            ("warc", &self.warc),
        ]
        .into_iter()
        .filter_map(|(key, patterns)| patterns.as_ref().map(|patterns| (key, patterns)))
    }

    /// The one key that says what to read, and its strings; refuses settings that make no sense.
    pub(super) fn kind(&self) -> Result<(&'static str, &[String])> {
        let kinds: Vec<_> = self.kinds().collect();
        let [(key, patterns)] = kinds[..] else {
            return Err(wrong_number_of_kinds(&kinds));
        };
        if patterns.as_slice().iter().all(|pattern| pattern.trim().is_empty()) {
            return Err(Error::config(format!("source: `{key}` is empty"))
                .hint("name what to read, as in `git = \"repos.txt\"`"));
        }
        self.refuse_settings_of_others(key)?;
        refuse_unknown("columns", &self.columns, COLUMNS)?;
        let further = self.metadata.iter().map(String::as_str);
        let known: Vec<&str> = REPOSITORY_KEYS.iter().copied().chain(further).collect();
        refuse_unknown("repositories", &self.repositories, &known)?;
        Riding::of_one(self)?;
        self.refuse_limits()?;
        Ok((key, patterns.as_slice()))
    }

    fn refuse_settings_of_others(&self, key: &str) -> Result<()> {
        let tables = &["parquet", "jsonl"];
        let settings: [(&str, bool, &[&str]); 13] = [
            ("format", self.format.is_some(), tables),
            ("sets", !self.sets.is_empty(), tables),
            ("contents", self.contents.is_some(), tables),
            ("conversation", self.conversation.is_some(), tables),
            ("change", self.change.is_some(), tables),
            ("revision", self.revision.is_some(), &["git"]),
            ("history", self.history.is_some(), &["git"]),
            ("commits", self.commits, &["git"]),
            ("repositories", !self.repositories.is_empty(), &["git"]),
            ("metadata", !self.metadata.is_empty(), &["git"]),
            ("types", !self.types.is_empty(), &["git"]),
            ("repo-name", self.repo_name.is_some(), &["directory", "git"]),
            ("columns", !self.columns.is_empty(), tables),
        ];
        match settings.iter().find(|(_, set, kinds)| *set && !kinds.contains(&key)) {
            Some((setting, _, kinds)) => Err(Error::config(format!("source: `{setting}` says nothing about `{key}`"))
                .hint(format!("`{setting}` is a setting of `{}`", kinds.join("` and `")))),
            None => Ok(()),
        }
    }

    fn refuse_limits(&self) -> Result<()> {
        let limits = [
            ("max-entries", self.max_entries, u64::from(u32::MAX)),
            ("max-path-bytes", self.max_path_bytes, 4096),
            ("max-entry-bytes", self.max_entry_bytes, LARGEST_ENTRY),
            ("max-archive-bytes", self.max_archive_bytes, u64::MAX),
            ("max-ratio", self.max_ratio, u64::MAX),
            ("max-line-bytes", self.max_line_bytes, LARGEST_ENTRY),
            ("max-repository-bytes", self.max_repository_bytes, u64::MAX),
            ("timeout-seconds", self.timeout_seconds, 3600),
            ("attempts", u64::from(self.attempts), 100),
            ("host-connections", u64::from(self.host_connections), 1024),
        ];
        match limits.iter().find(|(_, limit, most)| *limit == 0 || limit > most) {
            Some((key, limit, most)) => {
                Err(Error::config(format!("source: `{key}` is {limit}")).hint(format!("`{key}` goes from 1 to {most}")))
            }
            None => Ok(()),
        }
    }
}

fn wrong_number_of_kinds(kinds: &[(&'static str, &Patterns)]) -> Error {
    let hint = "a [[source]] has exactly one of `git`, `directory`, `archives`, `parquet`, `jsonl`, `warc`";
    match kinds {
        [] => Error::config("source: nothing says what to read").hint(hint),
        many => {
            let keys: Vec<_> = many.iter().map(|(key, _)| *key).collect();
            Error::config(format!("source: `{}` are set at once", keys.join("` and `"))).hint(hint)
        }
    }
}

fn refuse_unknown(setting: &str, map: &BTreeMap<String, String>, known: &[&str]) -> Result<()> {
    match map.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(
            Error::config(format!("source: `{setting}` has an unknown name `{key}`"))
                .hint(format!("the names are `{}`", known.join("`, `"))),
        ),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(path: &str) -> SourceConfig {
        SourceConfig {
            git: Some(Patterns::One(path.into())),
            ..SourceConfig::default()
        }
    }

    #[test]
    fn one_key_says_what_to_read() {
        let config = git("repos.txt");
        assert_eq!(config.name(), "git");
        assert_eq!(
            config.kind().map(|(key, patterns)| (key, patterns.to_vec())).ok(),
            Some(("git", vec!["repos.txt".into()]))
        );
        let named = SourceConfig {
            name: Some("mirror".into()),
            ..config
        };
        assert_eq!(named.name(), "mirror");
    }

    #[test]
    fn nonsense_is_refused_with_a_hint() {
        let both = SourceConfig {
            jsonl: Some(Patterns::One("a".into())),
            ..git("b")
        };
        let columns = SourceConfig {
            columns: [("content".to_owned(), "code".to_owned())].into(),
            ..git("b")
        };
        let unknown = SourceConfig {
            columns: [("contents".to_owned(), "code".to_owned())].into(),
            parquet: Some(Patterns::One("a".into())),
            ..SourceConfig::default()
        };
        let zero = SourceConfig {
            max_entries: 0,
            ..git("b")
        };
        let too_large = SourceConfig {
            max_entry_bytes: LARGEST_ENTRY + 1,
            ..git("b")
        };
        for (config, words) in [
            (SourceConfig::default(), "nothing says"),
            (both, "`git` and `jsonl`"),
            (git(" "), "empty"),
            (columns, "`columns` says nothing about `git`"),
            (unknown, "unknown name `contents`"),
            (zero, "`max-entries` is 0"),
            (too_large, "`max-entry-bytes`"),
        ] {
            let error = config.kind().expect_err(words);
            assert!(error.message().contains(words), "{error}");
            assert!(error.hint_text().is_some(), "{error}");
        }
    }

    #[test]
    fn a_table_of_the_recipe_is_read_and_typing_errors_are_refused() {
        let parse = |json: &str| serde_json::from_str::<SourceConfig>(json);
        let config = parse(r#"{"git": ["a", "b"], "max-ratio": 7}"#).expect("valid");
        assert_eq!(config.git, Some(Patterns::Many(vec!["a".into(), "b".into()])));
        assert_eq!(config.max_ratio, 7);
        assert!(parse(r#"{"gti": "a"}"#).is_err());
        let json = serde_json::to_string(&config).expect("serializable");
        assert_eq!(parse(&json).expect("round trip"), config);
    }
}
