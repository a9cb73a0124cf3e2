//! License evidence of a whole revision: which expression each file inherits from the directories above it.

/// Whether the file at `path` (raw bytes, from the repository's root) is one that [`LicenseTree::add`] wants to see.
pub fn is_license_evidence(path: &[u8]) -> bool {
    path.rsplit(|&byte| byte == b'/').next() == Some(b"LICENSE")
}

/// License evidence of one revision.
#[derive(Clone, Debug, Default)]
pub struct LicenseTree {}

impl LicenseTree {
    /// A tree whose last resort is what the source's metadata says.
    pub fn new(_metadata_license: Option<&str>) -> Self {
        Self::default()
    }

    /// Adds one file for which [`is_license_evidence`] holds.
    pub fn add(&mut self, _path: &[u8], _content: &[u8]) {}

    /// `(SPDX expression, path of the evidence or "metadata")` that the file at `path` inherits.
    pub fn inherited(&self, _path: &[u8]) -> Option<(String, String)> {
        None
    }
}
