//! Named policies: which licenses count as permissive.

use stackmill_schemas::license::LicenseType;
use stackmill_schemas::{Error, Result};

use super::expression::Terms;
use super::permissive::{BLUE_OAK_15, PUBLIC_DOMAIN_KINDS, SCANCODE_2024};

/// Which licenses count as permissive. An expression is permissive if it can be satisfied with such licenses alone:
/// of `A OR B` one suffices, of `A AND B` both are needed. Exceptions (`WITH`) only add permissions and do not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LicensePolicy {
    lists: &'static [&'static [&'static str]],
    /// In place of these lists, where there are any.
    own: Vec<String>,
}

impl LicensePolicy {
    /// Names that [`LicensePolicy::named`] knows.
    ///
    /// * `blue-oak-15`: version 15 of the Blue Oak Council's list, ratings Model to Lead, and dedications to the public
    ///   domain.
    /// * `stack-v2`: the same, and what ScanCode calls permissive or public domain, as The Stack v2 did.
    pub const NAMES: &[&str] = &["blue-oak-15", "stack-v2"];

    /// The policy called `name`.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "blue-oak-15" => Ok(Self::published(&[BLUE_OAK_15, PUBLIC_DOMAIN_KINDS])),
            "stack-v2" => Ok(Self::published(&[BLUE_OAK_15, PUBLIC_DOMAIN_KINDS, SCANCODE_2024])),
            other => Err(Error::config(format!("`policy`: there is no license policy `{other}`"))
                .hint(format!("policies are: {}", Self::NAMES.join(", ")))),
        }
    }

    fn published(lists: &'static [&'static [&'static str]]) -> Self {
        Self { lists, own: Vec::new() }
    }

    /// A policy of one's own: these licenses count, by their SPDX identifiers.
    pub fn of(licenses: &[String]) -> Result<Self> {
        let id = |name: &String| match Terms::parse(name) {
            Some(Terms::One(id)) => Ok(id),
            _ => Err(Error::config(format!("`permissive`: `{name}` is no license"))
                .hint("give identifiers of SPDX, as MIT or Apache-2.0")),
        };
        let own = licenses.iter().map(id).collect::<Result<_>>()?;
        Ok(Self { lists: &[], own })
    }

    /// The type of a file under `expression`. What cannot be read is not permissive; no expression is no license.
    pub fn classify(&self, expression: Option<&str>) -> LicenseType {
        match expression {
            None => LicenseType::NoLicense,
            Some(text) if Terms::parse(text).is_some_and(|terms| terms.satisfied(&|id| self.allows(id))) => {
                LicenseType::Permissive
            }
            Some(_) => LicenseType::NonPermissive,
        }
    }

    fn allows(&self, license: &str) -> bool {
        let id = license.split(" WITH ").next().unwrap_or(license);
        let id = id.strip_suffix('+').unwrap_or(id);
        self.lists.iter().any(|list| list.contains(&id)) || self.own.iter().any(|own| own == id || own == license)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_weighed_by_their_operators() {
        let policy = LicensePolicy::named("blue-oak-15").expect("known");
        for (expression, license_type) in [
            (None, LicenseType::NoLicense),
            (Some("MIT"), LicenseType::Permissive),
            (Some("MIT OR GPL-3.0-only"), LicenseType::Permissive),
            (Some("MIT AND GPL-3.0-only"), LicenseType::NonPermissive),
            (Some("(GPL-2.0 OR Apache-2.0) AND ISC"), LicenseType::Permissive),
            (Some("Apache-2.0 WITH LLVM-exception"), LicenseType::Permissive),
            (
                Some("GPL-2.0-only WITH Classpath-exception-2.0"),
                LicenseType::NonPermissive,
            ),
            (Some("Apache-2.0+"), LicenseType::Permissive),
            (Some("LicenseRef-scancode-public-domain"), LicenseType::Permissive),
            (Some("LicenseRef-other"), LicenseType::NonPermissive),
            (Some("MPL-2.0"), LicenseType::NonPermissive),
            (Some("who knows"), LicenseType::NonPermissive),
            (Some(""), LicenseType::NonPermissive),
        ] {
            assert_eq!(policy.classify(expression), license_type, "{expression:?}");
        }
    }

    #[test]
    fn a_list_of_ones_own_stands_alone() {
        let policy = LicensePolicy::of(&["mit".into(), "MPL-2.0".into(), "GPL-2.0".into()]).expect("known");
        for (expression, license_type) in [
            ("MIT", LicenseType::Permissive),
            ("MPL-2.0 AND MIT", LicenseType::Permissive),
            ("GPL-2.0-only", LicenseType::Permissive),
            ("Apache-2.0", LicenseType::NonPermissive),
            ("Apache-2.0 OR MIT", LicenseType::Permissive),
        ] {
            assert_eq!(policy.classify(Some(expression)), license_type, "{expression}");
        }
        assert_eq!(policy.classify(None), LicenseType::NoLicense);
        for name in ["", "who knows", "MIT OR ISC"] {
            assert!(LicensePolicy::of(&[name.to_owned()]).is_err(), "{name}");
        }
    }

    #[test]
    fn policies_are_named() {
        for name in LicensePolicy::NAMES {
            assert!(LicensePolicy::named(name).is_ok());
        }
        let error = LicensePolicy::named("blue-oak").expect_err("unknown");
        assert!(error.to_string().contains("`policy`") && error.hint_text().is_some());
        let wide = LicensePolicy::named("stack-v2").expect("known");
        assert_eq!(wide.classify(Some("Bitstream-Vera")), LicenseType::Permissive);
    }

    #[test]
    fn lists_hold_known_identifiers_in_order() {
        for list in [BLUE_OAK_15, PUBLIC_DOMAIN_KINDS, SCANCODE_2024] {
            assert!(list.is_sorted());
            let known = |id: &&str| id.starts_with("LicenseRef-") || spdx::license_id(id).is_some();
            assert!(list.iter().all(known), "{:?}", list.iter().find(|id| !known(id)));
        }
    }
}
