//! Drops files by what is known of their repository: any column of `[metadata]`, and `stars` and `forks`.
//!
//! # Why
//! Who stars, forks or archives a repository has judged it; forks repeat what their parent has. Which limits are right
//! depends on the corpus, so there are none by default.
//!
//! # Example
//! ```
//! use stackmill_filters::rules::metadata::{Config, Limit};
//! use stackmill_filters::{Sample, Rule};
//!
//! let popular = Config { minimum: [("stars".to_owned(), Limit::Number(10.0))].into(), ..Config::default() };
//! assert_eq!(popular.columns(), ["stars"]);
//! assert!(Sample::path("a.py").dropped_by(popular.clone())?.is_none(), "unknown is kept");
//! assert!(Sample::path("a.py").dropped_by(Config { unknown: false, ..popular })?.is_some());
//! # Ok::<(), stackmill_schemas::Error>(())
//! ```
//!
//! # Source
//! SantaCoder (Ben Allal et al. 2023, arXiv 2301.03988) tried a minimum of 5 stars, and found the model worse for it; no
//! limit is a default here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stackmill_schemas::{Error, FileRow, Measure, Reason, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{Check, Needs, Rule};

/// A limit: numbers are compared as numbers, texts as texts, as dates in ISO 8601 can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Limit {
    /// For columns of numbers.
    Number(f64),
    /// For columns of text.
    Text(String),
}

impl Limit {
    fn measure(&self) -> Measure {
        match self {
            Self::Number(number) => Measure::Number(*number),
            Self::Text(text) => Measure::Text(text.clone()),
        }
    }
}

/// One value, or several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// `archived = true`
    Flag(bool),
    /// `visibility = "private"`
    One(String),
    /// `topic = ["a", "b"]`
    Many(Vec<String>),
}

impl Values {
    fn holds(&self, value: &str) -> bool {
        match self {
            Self::Flag(flag) => value == if *flag { "true" } else { "false" },
            Self::One(one) => one.eq_ignore_ascii_case(value),
            Self::Many(many) => many.iter().any(|one| one.eq_ignore_ascii_case(value)),
        }
    }
}

/// Settings of `metadata`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// By column, the least that is kept.
    pub minimum: BTreeMap<String, Limit>,
    /// By column, the most that is kept.
    pub maximum: BTreeMap<String, Limit>,
    /// By column, values of which one is needed: `true`, `false`, a text or a list of texts, in any case.
    pub require: BTreeMap<String, Values>,
    /// By column, values that are dropped.
    pub forbid: BTreeMap<String, Values>,
    /// Whether files are kept of whose repository the column says nothing.
    pub unknown: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minimum: BTreeMap::new(),
            maximum: BTreeMap::new(),
            require: BTreeMap::new(),
            forbid: BTreeMap::new(),
            unknown: true,
        }
    }
}

impl Config {
    fn named(&self) -> impl Iterator<Item = &String> {
        let limits = self.minimum.keys().chain(self.maximum.keys());
        limits.chain(self.require.keys()).chain(self.forbid.keys())
    }
}

impl Rule for Config {
    const NAME: &'static str = "metadata";
    const SUMMARY: &'static str = "drops files by what is known of their repository";
    const NEEDS: Needs = Needs::Listing;
    type Check = Self;

    fn columns(&self) -> Vec<String> {
        self.named().cloned().collect()
    }

    fn build(self) -> Result<Self> {
        let idle = self.named().next().is_none();
        match idle && !self.unknown {
            true => Err(Error::config("`unknown` is false, and no column is named")
                .hint("name one, as in `minimum = { stars = 10 }`")),
            false => Ok(self),
        }
    }
}

impl Check for Config {
    fn check(&self, file: FileRow<'_>, _: &mut Facts<'_>) -> Verdict {
        let broken = self.named().find_map(|column| {
            let Some(value) = file.value(column) else {
                return (!self.unknown).then(|| reason(column, None, None));
            };
            self.broken(column, &value)
        });
        broken.map_or(Verdict::Keep, Verdict::Drop)
    }
}

impl Config {
    /// Why a value is not wanted, if it is not.
    fn broken(&self, column: &str, value: &Measure) -> Option<Reason> {
        let limited = |limits: &BTreeMap<String, Limit>, wanted: fn(std::cmp::Ordering) -> bool| {
            let limit = limits.get(column)?;
            let order = match (value, limit) {
                (Measure::Number(value), Limit::Number(limit)) => value.partial_cmp(limit),
                (value, Limit::Text(limit)) => Some(value.to_string().as_str().cmp(limit)),
                (Measure::Text(value), Limit::Number(limit)) => {
                    value.parse().ok().and_then(|value: f64| value.partial_cmp(limit))
                }
            };
            // What cannot be compared is unknown.
            let kept = order.map_or(self.unknown, wanted);
            (!kept).then(|| reason(column, Some(value.clone()), Some(limit.measure())))
        };
        let text = value.to_string();
        let lacks = self.require.get(column).is_some_and(|values| !values.holds(&text));
        let bears = self.forbid.get(column).is_some_and(|values| values.holds(&text));
        limited(&self.minimum, std::cmp::Ordering::is_ge)
            .or_else(|| limited(&self.maximum, std::cmp::Ordering::is_le))
            .or_else(|| (lacks || bears).then(|| reason(column, Some(value.clone()), None)))
    }
}

fn reason(column: &str, value: Option<Measure>, limit: Option<Measure>) -> Reason {
    Reason {
        value,
        limit,
        ..Reason::entry(column)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, UInt64Array};
    use stackmill_schemas::FileColumns;

    use super::*;

    /// What becomes of a repository with these values.
    fn verdict(config: &Config, stars: Option<i64>, archived: Option<bool>, pushed: Option<&str>) -> Option<String> {
        let record = RecordBatch::try_from_iter([
            ("file_id", Arc::new(UInt64Array::from(vec![0])) as ArrayRef),
            ("stars", Arc::new(Int64Array::from(vec![stars]))),
            ("archived", Arc::new(BooleanArray::from(vec![archived]))),
            ("pushed_at", Arc::new(StringArray::from(vec![pushed]))),
        ]);
        let record = record.expect("columns of one length");
        let file = FileColumns::new(&record).expect("ids").row(0);
        match config
            .clone()
            .build()
            .expect("valid settings")
            .check(file, &mut Facts::new("", None))
        {
            Verdict::Keep => None,
            Verdict::Drop(reason) | Verdict::Failed(reason) => Some(format!(
                "{:?} {} {}",
                reason.because,
                reason.value.map_or_else(String::new, |value| value.to_string()),
                reason.limit.map_or_else(String::new, |limit| limit.to_string())
            )),
        }
    }

    fn config(toml: &str) -> Config {
        toml::from_str(toml).expect("valid settings")
    }

    #[test]
    fn limits_hold_on_both_sides() {
        let limits = config("minimum = { stars = 10 }\nmaximum = { stars = 100, pushed_at = \"2024-12-31\" }");
        for (stars, pushed, kept) in [
            (Some(9), None, false),
            (Some(10), None, true),
            (Some(100), None, true),
            (Some(101), None, false),
            (None, None, true),
            (Some(50), Some("2024-12-31"), true),
            (Some(50), Some("2025-01-01"), false),
        ] {
            assert_eq!(
                verdict(&limits, stars, None, pushed).is_none(),
                kept,
                "{stars:?} {pushed:?}"
            );
        }
        let strict = Config {
            unknown: false,
            ..limits
        };
        assert!(verdict(&strict, None, None, Some("2024")).is_some());
        assert_eq!(
            verdict(&strict, Some(9), None, Some("2024")).as_deref(),
            Some("Some(Entry(\"stars\")) 9 10")
        );
    }

    #[test]
    fn values_are_required_and_forbidden() {
        let rules = config("forbid = { archived = true }\nrequire = { pushed_at = [\"Today\", \"now\"] }");
        for (archived, pushed, kept) in [
            (Some(true), None, false),
            (Some(false), None, true),
            (None, Some("TODAY"), true),
            (None, Some("later"), false),
        ] {
            assert_eq!(
                verdict(&rules, None, archived, pushed).is_none(),
                kept,
                "{archived:?} {pushed:?}"
            );
        }
        assert_eq!(rules.columns(), ["pushed_at", "archived"]);
        assert!(config("unknown = false").build().is_err());
    }
}
