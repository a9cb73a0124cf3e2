//! What the table of every rule may hold besides the rule's own settings: others by language and extension, and a share.
//!
//! ```text
//!   line-max = { limit = 1000,                                   # the rule's own
//!                by-extension = { json = false, fsh = { limit = 500 } },
//!                by-language  = { "HTML, XML" = { limit = 100000 }, "*" = true },
//!                drop-share   = 0.8 }                            # one in five of those that break it stays
//! ```
//! The most specific entry decides: an extension that is named, then a language that is named, then `*` of the
//! extensions, then `*` of the languages, then the rule's own settings. An entry is `true` (the rule's own settings),
//! `false` (the rule is off) or a table put over the rule's own settings.
//!
//! `drop-share` is decided by a hash of the content's id and the rule's name: equal contents share their fate, in every
//! run and on every machine.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use stackmill_schemas::fingerprint::seeded;
use stackmill_schemas::{Error, FileRow, Result, Verdict};

use crate::facts::Facts;
use crate::rule::{self, Check};

/// The key of settings by language.
pub(crate) const BY_LANGUAGE: &str = "by-language";
/// The key of settings by extension.
pub(crate) const BY_EXTENSION: &str = "by-extension";
/// The key of the share that is dropped.
pub(crate) const DROP_SHARE: &str = "drop-share";
/// All of them.
pub(crate) const KEYS: [&str; 3] = [BY_LANGUAGE, BY_EXTENSION, DROP_SHARE];

/// The entry that stands for whatever is not named.
const OTHERS: &str = "*";
/// Seed of the hash behind `drop-share`.
const SEED: u64 = 42;

/// A rule's table, cut in two.
pub(crate) struct Parts {
    /// The rule's own settings.
    pub(crate) own: Map<String, Value>,
    /// What this file is about, as written.
    pub(crate) common: Map<String, Value>,
}

impl Parts {
    /// Cuts `settings`.
    pub(crate) fn of(settings: &Value) -> Self {
        let table = settings.as_object().cloned().unwrap_or_default();
        let (common, own) = table.into_iter().partition(|(key, _)| KEYS.contains(&key.as_str()));
        Self { own, common }
    }
}

/// Builds the check of a table of the rule's own settings.
pub(crate) type Build<'a> = dyn FnMut(&Map<String, Value>) -> Result<Arc<dyn Check>> + 'a;

/// The check of the rule `name` with everything that its table says.
pub(crate) fn build(name: &'static str, parts: &Parts, build: &mut Build<'_>) -> Result<Arc<dyn Check>> {
    if parts.common.is_empty() {
        return build(&parts.own);
    }
    let whole = build(&parts.own)?;
    let mut entries = |key: &str| entries(key, parts, &whole, build);
    Ok(Arc::new(Varied {
        by_language: entries(BY_LANGUAGE)?,
        by_extension: entries(BY_EXTENSION)?,
        sampled: Sampled::new(name, &parts.common)?,
        whole,
    }))
}

/// `None`: off.
type Entry = Option<Arc<dyn Check>>;

fn entries(key: &str, parts: &Parts, whole: &Arc<dyn Check>, build: &mut Build<'_>) -> Result<BTreeMap<String, Entry>> {
    let mut found = BTreeMap::new();
    let table = match parts.common.get(key) {
        None => return Ok(found),
        Some(Value::Object(table)) => table,
        Some(other) => return Err(Error::config(format!("`{key}` is `{other}`, not a table"))),
    };
    for (names, settings) in table {
        let entry = match settings {
            Value::Bool(on) => on.then(|| Arc::clone(whole)),
            Value::Object(over) => Some(build(&put_over(&parts.own, over, key, names)?)?),
            other => {
                return Err(Error::config(format!("`{key}`: `{names}` is `{other}`"))
                    .hint("give a table of settings, `true` or `false`"));
            }
        };
        for name in names.split(',').map(|name| name.trim().to_lowercase()) {
            if found.insert(name.clone(), entry.clone()).is_some() {
                return Err(Error::config(format!("`{key}` names `{name}` twice")));
            }
        }
    }
    Ok(found)
}

fn put_over(own: &Map<String, Value>, over: &Map<String, Value>, key: &str, names: &str) -> Result<Map<String, Value>> {
    if let Some(nested) = over.keys().find(|nested| KEYS.contains(&nested.as_str())) {
        return Err(Error::config(format!("`{key}`: `{names}` has `{nested}`"))
            .hint(format!("`{nested}` goes beside `{key}`, not into it")));
    }
    let mut settings = own.clone();
    settings.extend(over.clone());
    Ok(settings)
}

/// A check that goes by language and extension.
struct Varied {
    whole: Arc<dyn Check>,
    by_language: BTreeMap<String, Entry>,
    by_extension: BTreeMap<String, Entry>,
    sampled: Sampled,
}

impl Varied {
    fn of(&self, file: FileRow<'_>) -> Option<&dyn Check> {
        let extension = lookup(&self.by_extension, Some(file.extension()));
        let language = lookup(&self.by_language, file.language());
        let entry = extension
            .or(language)
            .or_else(|| self.by_extension.get(OTHERS))
            .or_else(|| self.by_language.get(OTHERS));
        entry.map_or(Some(&*self.whole), Option::as_deref)
    }
}

fn lookup<'a>(entries: &'a BTreeMap<String, Entry>, name: Option<&str>) -> Option<&'a Entry> {
    match name {
        Some(name) if !entries.is_empty() => entries.get(&name.to_lowercase()),
        _ => None,
    }
}

impl Check for Varied {
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
        let verdict = self.of(file).map_or(Verdict::Keep, |check| check.check(file, facts));
        match verdict {
            Verdict::Drop(_) if !self.sampled.takes(file) => Verdict::Keep,
            other => other,
        }
    }
}

/// Which of the files that break a rule are dropped.
struct Sampled {
    rule: &'static str,
    share: f64,
}

impl Sampled {
    fn new(rule: &'static str, common: &Map<String, Value>) -> Result<Self> {
        let share = match common.get(DROP_SHARE) {
            None => 1.0,
            Some(share) => share
                .as_f64()
                .ok_or_else(|| Error::config(format!("`{DROP_SHARE}` is `{share}`, not a number")))?,
        };
        rule::share(DROP_SHARE, share)?;
        Ok(Self { rule, share })
    }

    fn takes(&self, file: FileRow<'_>) -> bool {
        chance(self.rule, file) < self.share
    }
}

/// A number of 0 up to, not including, 1 by which the rule `name` chooses; copies have the same.
pub(crate) fn chance(name: &str, file: FileRow<'_>) -> f64 {
    let mut key = name.as_bytes().to_vec();
    match file.blob_id() {
        Some(blob) => key.extend(blob.0),
        None => key.extend(file.bytes()),
    }
    unit(seeded(SEED, &key))
}

/// A hash as a number of 0 up to, not including, 1: its upper 53 bits, which a float holds exactly.
fn unit(hash: u64) -> f64 {
    (hash >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Needs, RuleSet, Sample};

    fn dropped(settings: &Value, path: &str, language: &str, text: &str) -> bool {
        let config = serde_json::from_value(json!({ "line-max": settings })).expect("a table");
        let set = RuleSet::new(&config).expect("valid rules");
        let sample = Sample {
            text,
            ..Sample::path(path).language(language)
        };
        let mut stage = set.stage(Needs::Content).expect("one rule");
        use stackmill_schemas::stage::MapTask as _;
        let batch = stage.map(sample.batch().expect("a batch")).expect("no bug");
        !batch.is_kept(0)
    }

    #[test]
    fn the_most_specific_entry_decides() {
        let settings = json!({
            "limit": 10,
            "relaxed-languages": [],
            "by-extension": { "nb": false, "fsh": { "limit": 5 }, "py": true },
            "by-language": { "HTML, Xml": { "limit": 20 }, "Go": false, "python": false },
        });
        let text = |length| "x".repeat(length);
        let cases = [
            ("a.c", "C", 10, false),
            ("a.c", "C", 11, true),
            ("a.NB", "C", 99, false),
            ("a.fsh", "HTML", 6, true),
            ("a.x", "xml", 20, false),
            ("a.x", "XML", 21, true),
            ("a.go", "Go", 99, false),
            ("a.py", "Python", 11, true),
        ];
        for (path, language, length, expected) in cases {
            assert_eq!(
                dropped(&settings, path, language, &text(length)),
                expected,
                "{path} {language} {length}"
            );
        }
    }

    #[test]
    fn a_star_stands_for_the_others() {
        let settings =
            json!({ "limit": 10, "relaxed-languages": [], "by-language": { "*": false, "C": { "limit": 5 } } });
        assert!(dropped(&settings, "a", "C", "xxxxxx"));
        assert!(!dropped(&settings, "a", "Go", &"x".repeat(99)));
    }

    #[test]
    fn a_share_of_the_files_that_break_the_rule_is_dropped() {
        let count = |share: f64| {
            let settings = json!({ "limit": 10, "relaxed-languages": [], "drop-share": share });
            (0..400)
                .filter(|i| dropped(&settings, "a", "C", &format!("{i:020}")))
                .count()
        };
        assert_eq!((count(0.0), count(1.0)), (0, 400));
        // Four standard deviations of 400 throws at .8 are 32.
        assert!((288..=352).contains(&count(0.8)), "{}", count(0.8));
        assert_eq!(count(0.8), count(0.8));
        assert_eq!((unit(0), unit(u64::MAX) < 1.0), (0.0, true));
    }

    #[test]
    fn nonsense_is_named() {
        let text = |settings: Value| {
            let config = serde_json::from_value(json!({ "line-max": settings })).expect("a table");
            RuleSet::new(&config)
                .err()
                .map_or("accepted".to_owned(), |error| error.to_string())
        };
        let cases = [
            (json!({ "drop-share": 2 }), "`drop-share` is 2"),
            (json!({ "drop-share": "a" }), "not a number"),
            (json!({ "by-language": 3 }), "not a table"),
            (json!({ "by-language": { "C": 3 } }), "`C` is `3`"),
            (
                json!({ "by-language": { "C": { "limt": 3 } } }),
                "unknown setting `limt`",
            ),
            (json!({ "by-language": { "C": { "drop-share": 0.5 } } }), "goes beside"),
            (json!({ "by-extension": { "c, C": true } }), "names `c` twice"),
            (json!({ "by-langage": {} }), "did you mean `by-language`?"),
        ];
        for (settings, expected) in cases {
            let text = text(settings);
            assert!(text.contains(expected), "{text}");
        }
        let listing = serde_json::from_value(json!({ "minimum-size": { "by-language": { "C": false } } }));
        let error = RuleSet::new(&listing.expect("a table")).err().expect("refused");
        assert!(error.to_string().contains("not known yet"), "{error}");
    }
}
