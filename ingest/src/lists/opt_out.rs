//! Who has opted out: users, repositories, files and blobs on lists; such files are decided about before anything else.
//!
//! ```text
//!   entry    hash of what it names u64 × 2 │ list u32 │ line u32      sorted: 24 bytes an entry
//! ```
//! Names of users and repositories are compared without regard to case (ASCII), as the large hosts do; paths are not.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use stackmill_schemas::file::Place as DecidedBy;
use stackmill_schemas::path::escape;
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Error, FileBatch, FileColumns, FileRow, Outcome, Reason, Result, TaskContext, columns};

use super::sheet::{Asked, read};
use super::{KEY_BYTES, Key, Place, find, hash, repository_key, settle};
use crate::sources::Patterns;

/// Name of the stage, in recipes and in the ledger.
pub const STAGE: &str = "opt-out";

/// What an entry names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Everything of one owner.
    User,
    /// A repository.
    Repository,
    /// A path, or a folder, in one repository or in all.
    Path,
    /// A content, wherever it is.
    Blob,
}

impl Kind {
    /// The rule in the ledger.
    fn rule(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Repository => "repository",
            Self::Path => "path",
            Self::Blob => "blob",
        }
    }
}

/// The `[opt-out]` table of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct OptOutConfig {
    /// Lists: `.csv`, `.tsv`, `.jsonl` and `.parquet` with columns `user`, `repository`, `path`, `blob_id` of which each
    /// row fills some; `.txt` with one name a line.
    pub lists: Option<Patterns>,
    /// Most bytes of memory that the lists take together: 24 an entry. Default 256 MiB.
    pub max_bytes: u64,
}

impl Default for OptOutConfig {
    fn default() -> Self {
        Self {
            lists: None,
            max_bytes: 256 << 20,
        }
    }
}

impl OptOutConfig {
    /// The lists as the recipe names them; none is a config error.
    pub fn lists(&self) -> Result<&[String]> {
        match &self.lists {
            Some(lists) if !lists.as_slice().is_empty() => Ok(lists.as_slice()),
            _ => Err(Error::config("`lists` names no list").hint("lists = \"opt-out.csv\"")),
        }
    }
}

/// Drops files whose owners do not want them used: rules `user`, `repository`, `path` and `blob`, with list and line.
#[derive(Clone, Debug)]
pub struct OptOut {
    entries: Arc<[Key]>,
    kinds: BTreeSet<Kind>,
    lists: Arc<[String]>,
}

impl OptOut {
    /// Reads all lists.
    pub fn load(config: &OptOutConfig, place: Place<'_>) -> Result<Self> {
        let columns = [
            ("user", &["user", "owner", "login"][..]),
            ("repository", &["repository", "repo", "repo_name", "full_name"]),
            ("path", &["path", "file"]),
            ("blob", &["blob_id", "blob", "sha1_git"]),
        ];
        let asked = columns.map(|(_, names)| Asked {
            names: names.iter().map(|&name| name.to_owned()).collect(),
            required: false,
        });
        let (mut entries, mut kinds) = (Vec::new(), BTreeSet::new());
        for (number, list) in place.tables.iter().enumerate() {
            let name = list.uri.file_name().to_ascii_lowercase();
            let is_text = name.trim_end_matches(".gz").trim_end_matches(".zst").ends_with(".txt");
            let mut take = |line: u64, cells: &[Option<String>]| {
                let (kind, name) = match (is_text, cells) {
                    (true, [Some(line), ..]) => guessed(line)?,
                    (_, [user, repository, path, blob]) => named([user, repository, path, blob].map(Option::as_deref))?,
                    _ => return Err(Error::bug("a row without its cells")),
                };
                let row = u32::try_from(line).map_err(|_| Error::input("over 4 billion lines"))?;
                kinds.insert(kind);
                entries.push(Key {
                    hash: hash(kind as u8, name.as_bytes()),
                    list: number as u32,
                    row,
                });
                fits(entries.len(), config.max_bytes)
            };
            read(&list.uri, place.stores, &asked, &mut take)?;
        }
        settle(&mut entries);
        Ok(Self {
            entries: entries.into(),
            kinds,
            lists: place.tables.iter().map(|list| list.name.clone()).collect(),
        })
    }

    /// Number of different entries.
    pub fn entries(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Bytes of memory.
    pub fn bytes(&self) -> u64 {
        self.entries() * KEY_BYTES
    }

    /// The rule and the entry that leave out a whole repository, if its name or its owner is on a list.
    pub fn repository(&self, repo_name: &str) -> Option<(DecidedBy<'static>, String)> {
        let repository = repository_key(repo_name);
        let listed = |kind: Kind, name: &str| Some((kind, find(&self.entries, hash(kind as u8, name.as_bytes()))?));
        let user = users(&repository).find_map(|user| listed(Kind::User, user));
        let (kind, key) = user.or_else(|| listed(Kind::Repository, &repository))?;
        Some(self.because(kind, key))
    }

    fn because(&self, kind: Kind, key: &Key) -> (DecidedBy<'static>, String) {
        let place = DecidedBy {
            stage: STAGE,
            rule: kind.rule(),
        };
        let list = &self.lists[key.list as usize];
        (place, format!("{list} line {}", key.row))
    }

    /// The entry that names a file: the widest kind first.
    fn verdict(&self, file: FileRow<'_>) -> Option<(Kind, &Key)> {
        let repository = repository_key(file.repo_name());
        self.kinds.iter().find_map(|&kind| {
            let listed = |name: &[u8]| find(&self.entries, hash(kind as u8, name)).map(|key| (kind, key));
            match kind {
                Kind::User => users(&repository).find_map(|user| listed(user.as_bytes())),
                Kind::Repository => listed(repository.as_bytes()),
                Kind::Path => places(file.path()).find_map(|path| {
                    listed(format!("{repository}:{path}").as_bytes()).or_else(|| listed(format!(":{path}").as_bytes()))
                }),
                Kind::Blob => listed(file.blob_id()?.to_string().as_bytes()),
            }
        })
    }
}

fn fits(entries: usize, most: u64) -> Result<()> {
    match entries as u64 * KEY_BYTES > most {
        true => {
            Err(Error::resource(format!("the lists take more than {most} bytes"))
                .hint("raise `max-bytes` under [opt-out]"))
        }
        false => Ok(()),
    }
}

/// Who owns a repository: what stands before its name, and the outermost group of that.
fn users(repository: &str) -> impl Iterator<Item = &str> {
    let owner = repository.rsplit_once('/').map(|(owner, _)| owner);
    let first = owner.and_then(|owner| owner.split_once('/')).map(|(first, _)| first);
    owner.into_iter().chain(first)
}

/// A path, and the folders around it, which end in `/`.
fn places(path: &str) -> impl Iterator<Item = &str> {
    let folders = path.match_indices('/').map(|(at, _)| &path[..=at]);
    folders.chain((!path.is_empty()).then_some(path))
}

/// The most precise that a row of columns names: a blob, a path, a repository, a user.
fn named([user, repository, path, blob]: [Option<&str>; 4]) -> Result<(Kind, String)> {
    let repository = repository.map(|name| match (name.contains('/'), user) {
        (false, Some(user)) => repository_key(&format!("{user}/{name}")),
        _ => repository_key(name),
    });
    Ok(match (blob, path, repository, user) {
        (Some(blob), ..) => (Kind::Blob, digits(blob).ok_or_else(|| not_a_blob(blob))?),
        (_, Some(path), repository, None) | (_, Some(path), repository @ Some(_), _) => {
            let path = escape(path.trim_start_matches('/').as_bytes());
            (Kind::Path, format!("{}:{path}", repository.unwrap_or_default()))
        }
        (_, Some(path), None, Some(_)) => {
            return Err(Error::input(format!(
                "`{path}` is a path of a user, but of which repository?"
            )));
        }
        (_, None, Some(repository), _) => (Kind::Repository, repository),
        (_, None, None, Some(user)) => (Kind::User, user_key(user)),
        (None, None, None, None) => {
            return Err(Error::input("the row names nothing")
                .hint("a list has at least one of the columns `user`, `repository`, `path`, `blob_id`"));
        }
    })
}

/// What a line of text names: 40 digits are a blob, `repository:path` is a file, a name with `/` is a repository, and one
/// without is a user.
fn guessed(line: &str) -> Result<(Kind, String)> {
    let bare = line.split_once("://").map_or(line, |(_, rest)| rest);
    if let Some(blob) = digits(line) {
        return Ok((Kind::Blob, blob));
    }
    match (bare.split_once(':'), bare.contains('/')) {
        (Some((_, path)), _) if !path.starts_with(|c: char| c.is_ascii_digit()) => {
            let repository = &line[..line.len() - path.len() - 1];
            named([None, Some(repository), Some(path), None])
        }
        (_, true) if line.contains("://") && repository_key(line).split('/').count() < 2 => {
            named([Some(&repository_key(line)), None, None, None])
        }
        (_, true) => named([None, Some(line), None, None]),
        (_, false) => named([Some(line), None, None, None]),
    }
}

fn user_key(user: &str) -> String {
    repository_key(user.trim_start_matches('@'))
}

fn digits(text: &str) -> Option<String> {
    let is_id = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| text.to_ascii_lowercase())
}

fn not_a_blob(text: &str) -> Error {
    Error::input(format!("`{text}` is no blob id")).hint("a git blob id has 40 hexadecimal digits")
}

impl Map for OptOut {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        for name in [columns::REPO_NAME, columns::PATH, columns::BLOB_ID] {
            input.field_with_name(name)?;
        }
        Ok(Arc::new(input.clone()))
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(self.clone()))
    }
}

impl MapTask for OptOut {
    fn map(&mut self, mut batch: FileBatch) -> Result<FileBatch> {
        let record = batch.record().clone();
        let files = FileColumns::new(&record)?;
        for i in 0..record.num_rows() {
            if let Some((kind, key)) = self.verdict(files.row(i)).filter(|_| batch.is_kept(i)) {
                let (place, entry) = self.because(kind, key);
                batch.decide(i, Outcome::Dropped, place, Reason::entry(entry));
            }
        }
        Ok(batch)
    }
}

#[cfg(test)]
mod tests;
