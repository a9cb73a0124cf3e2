//! The repositories below a folder: thousands of clones are named by the one folder that holds them.
//!
//! ```text
//!   clones/ ─► host/owner/name/.git      a clone         not entered any further
//!           ─► owner/name.git/HEAD …     a bare one
//! ```
//! Links are not followed, and folders whose names start with a dot not entered, as a shell's `**` has it.

use std::io;
use std::path::{Path, PathBuf};

use stackmill_schemas::{Error, Result};

/// Deepest folder below the named one that may be a repository: `host/group/group/owner/name` and to spare.
const DEEPEST: usize = 8;

/// Whether a folder is a repository: a work tree with its `.git`, or a bare one.
pub(super) fn is_repository(path: &Path) -> bool {
    let has = |name: &str| path.join(name).symlink_metadata().is_ok();
    has(".git") || (path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir())
}

/// The repositories below `root`, sorted by path; at most `most` folders are looked at.
pub(super) fn below(root: &Path, most: u64) -> Result<Vec<PathBuf>> {
    let (mut found, mut seen) = (Vec::new(), 0);
    let mut left = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = left.pop() {
        seen += 1;
        if seen > most {
            return Err(
                Error::input(format!("`{}` holds more than {most} folders", root.display()))
                    .hint("raise `max-entries` of the source, or name folders further below"),
            );
        }
        if is_repository(&folder) {
            found.push(folder);
        } else if depth < DEEPEST {
            left.extend(folders(&folder)?.into_iter().map(|inner| (inner, depth + 1)));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The folders right in `folder`. One that may not be looked into is passed over, as a shell does.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let read = || -> io::Result<Vec<PathBuf>> {
        let mut inner = Vec::new();
        for child in std::fs::read_dir(folder)? {
            let child = child?;
            let is_hidden = child.file_name().as_encoded_bytes().starts_with(b".");
            if !is_hidden && child.file_type()?.is_dir() {
                inner.push(child.path());
            }
        }
        Ok(inner)
    };
    match read() {
        Ok(inner) => Ok(inner),
        Err(error) => Error::shortage(&error).map_or(Ok(Vec::new()), Err),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{git, repository, write};
    use super::*;

    #[test]
    fn clones_are_found_at_any_depth_but_not_in_each_other() {
        let root = tempfile::tempdir().expect("tempdir");
        let file: [(&str, &[u8]); 1] = [("a", b"x")];
        for name in ["b/owner/name", "a", "a/vendor/inner", ".hidden/name"] {
            repository(root.path(), name, &file);
        }
        git(root.path(), &["init", "-q", "--bare", "b/bare.git"]);
        write(&root.path().join("b/notes/HEAD"), b"no repository");
        repository(root.path(), &format!("c{}", "/d".repeat(DEEPEST - 1)), &file);
        repository(root.path(), &format!("e{}", "/d".repeat(DEEPEST)), &file);
        std::os::unix::fs::symlink(root.path(), root.path().join("b/loop")).expect("a link");
        let names = |most| {
            let found = below(root.path(), most).ok()?.into_iter();
            let name = |path: PathBuf| path.strip_prefix(root.path()).expect("below").display().to_string();
            Some(found.map(name).collect::<Vec<_>>())
        };
        let deepest = format!("c{}", "/d".repeat(DEEPEST - 1));
        assert_eq!(
            names(100),
            Some(vec!["a".into(), "b/bare.git".into(), "b/owner/name".into(), deepest])
        );
        assert_eq!(names(10), None);
    }
}
