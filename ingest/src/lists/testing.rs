//! Tables in a temporary folder, for the tests of lists.

use std::path::Path;

use super::Named;
use crate::store::Uri;

/// Writes files; gives them as a recipe names them.
pub(super) fn tables(folder: &Path, files: &[(&str, &[u8])]) -> Vec<Named> {
    let write = |(name, bytes): &(&str, &[u8])| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("the folder can be written to");
        Named {
            name: (*name).to_owned(),
            uri: Uri::Local(path),
        }
    };
    files.iter().map(write).collect()
}
