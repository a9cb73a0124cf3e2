//! The `linguist-*` attributes of a repository's `.gitattributes` files.

/// What `.gitattributes` says of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileAttributes {
    /// `linguist-vendored`.
    pub vendored: Option<bool>,
    /// `linguist-generated`.
    pub generated: Option<bool>,
    /// `linguist-language`, as written.
    pub language: Option<String>,
}

/// All `.gitattributes` files of one revision.
#[derive(Clone, Debug, Default)]
pub struct Attributes {}

impl Attributes {
    /// No attributes yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `path` (raw bytes, from the repository's root) is a file that [`Attributes::add`] wants to see.
    pub fn is_attributes(path: &[u8]) -> bool {
        path.rsplit(|&byte| byte == b'/').next() == Some(b".gitattributes")
    }

    /// Adds one `.gitattributes` file.
    pub fn add(&mut self, _path: &[u8], _content: &[u8]) {}

    /// What holds for the file at `path`.
    pub fn of(&self, _path: &[u8]) -> FileAttributes {
        FileAttributes::default()
    }
}
