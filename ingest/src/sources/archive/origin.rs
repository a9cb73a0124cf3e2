//! The repository and the commit that an archive was made from, where git noted it.
//!
//! `git archive` writes the commit into the archive: a tar file begins with a global pax header whose key `comment` it
//! is, a zip file's comment is it. GitHub and GitLab hand out such archives under one folder:
//!
//! ```text
//!   owner-name-2ef7bde/         GitHub, /repos/owner/name/tarball: the commit cut short
//!   name-1.4.2/  name-main/     GitHub, /owner/name/archive: a tag without its `v`, or a branch
//!   name-main-2ef7bde…/         GitLab: branch or tag, then the whole commit
//! ```
//!
//! Owner and name cannot be told apart where either holds a hyphen: they are then one name, hyphens and all.

use stackmill_schemas::path::escape;

/// Least hexadecimal digits that are a commit cut short, as in git.
const SHORTEST: usize = 7;

/// Branches that are taken off a folder's name.
const BRANCHES: [&str; 6] = ["main", "master", "HEAD", "develop", "dev", "trunk"];

/// What an archive says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Origin {
    /// The commit, in hexadecimal digits.
    pub(super) commit: Option<String>,
    /// The folder that its first entry is, or lies in.
    folder: String,
}

impl Origin {
    /// From what was noted, and the path of the first entry. What is not the id of a commit was not noted by git.
    pub(super) fn new(noted: Option<Vec<u8>>, first: &[u8]) -> Self {
        let commit = noted.and_then(|noted| String::from_utf8(noted).ok());
        let folder = first.split(|&byte| byte == b'/').next().unwrap_or_default();
        Self {
            commit: commit.filter(|commit| is_hex(commit) && matches!(commit.len(), 40 | 64)),
            folder: match folder.len() < first.len() {
                true => escape(folder),
                false => String::new(),
            },
        }
    }

    /// The repository; none where git noted no commit, or the archive has no folder.
    pub(super) fn repo_name(&self) -> Option<String> {
        let commit = self.commit.as_deref()?;
        let name = match self.folder.rsplit_once('-') {
            Some((rest, last)) if last == commit => without_revision(rest).to_owned(),
            Some((rest, last)) if last.len() >= SHORTEST && commit.starts_with(last) => with_owner(rest),
            _ => without_revision(&self.folder).to_owned(),
        };
        Some(name).filter(|name| !name.is_empty() && !matches!(name.as_str(), "." | ".."))
    }
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `owner/name` where there is one hyphen to be a slash.
fn with_owner(folder: &str) -> String {
    match folder.split_once('-') {
        Some((owner, name)) if !name.contains('-') => format!("{owner}/{name}"),
        _ => folder.to_owned(),
    }
}

/// A folder's name without its branch, or its version: what begins with a digit behind the first hyphen that has one.
fn without_revision(folder: &str) -> &str {
    let is_version = |rest: &str| {
        let rest = rest.strip_prefix('v').unwrap_or(rest);
        rest.starts_with(|first: char| first.is_ascii_digit())
    };
    let mut hyphens = folder.match_indices('-').map(|(at, _)| at);
    let version = hyphens.clone().find(|&at| is_version(&folder[at + 1..]));
    let branch = hyphens.next_back().filter(|&at| BRANCHES.contains(&&folder[at + 1..]));
    version.or(branch).map_or(folder, |at| &folder[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "2ef7bde608ce5404e97d5f042f95f89f1c232871";

    #[test]
    fn folders_have_names_of_repositories() {
        let whole = format!("name-main-{COMMIT}/a");
        let bare = format!("two-words-{COMMIT}/");
        for (first, name) in [
            ("owner-name-2ef7bde/", Some("owner/name")),
            ("owner-two-words-2ef7bde/a", Some("owner-two-words")),
            ("name-2ef7b/a", Some("name")),
            ("name-abcdef/a", Some("name-abcdef")),
            ("name-1.4.2/a", Some("name")),
            ("two-words-v2.0-rc1/a", Some("two-words")),
            ("two-words-main/a", Some("two-words")),
            ("two-words/a", Some("two-words")),
            ("name-2-d-main/a", Some("name")),
            (&whole, Some("name")),
            (&bare, Some("two-words")),
            ("file", None),
            ("../a", None),
            ("", None),
        ] {
            let origin = Origin::new(Some(COMMIT.into()), first.as_bytes());
            assert_eq!(origin.repo_name().as_deref(), name, "{first}");
        }
    }

    #[test]
    fn only_what_git_noted_counts() {
        for noted in [
            None,
            Some(b"made by hand".to_vec()),
            Some(COMMIT.as_bytes()[1..].to_vec()),
            Some(vec![0xff; 40]),
        ] {
            let origin = Origin::new(noted, b"owner-name-2ef7bde/a");
            assert_eq!((origin.repo_name(), origin.commit), (None, None));
        }
    }
}
