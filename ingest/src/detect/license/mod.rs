//! Licenses: what a file, a directory and a repository say, as one SPDX expression a file, and what a policy makes of it.

mod policy;
mod tree;

pub use policy::LicensePolicy;
pub use tree::{LicenseTree, is_license_evidence};
