//! Named policies: which licenses count as permissive.

use stackmill_schemas::Result;
use stackmill_schemas::license::LicenseType;

/// Which licenses count as permissive.
#[derive(Clone, Debug)]
pub struct LicensePolicy {}

impl LicensePolicy {
    /// Names that [`LicensePolicy::named`] knows.
    pub const NAMES: &[&str] = &["blue-oak-2025"];

    /// The policy called `name`.
    pub fn named(_name: &str) -> Result<Self> {
        Ok(Self {})
    }

    /// The type of a file under `expression`.
    pub fn classify(&self, _expression: Option<&str>) -> LicenseType {
        LicenseType::NoLicense
    }
}
