//! The contract of a rule: settings that know their name, their words, what they need, and how to become a check.
//!
//! # A rule outside the tree
//! Nothing of stackmill has to be touched: implement [`Rule`] and [`Check`] and hand the rule to
//! [`RuleSet::with`](crate::RuleSet::with). It runs after the built-in rules of its phase.
//! ```
//! use serde::{Deserialize, Serialize};
//! use stackmill_filters::{Check, Facts, Needs, Rule, RuleSet, Sample, rule};
//! use stackmill_schemas::{Error, FileRow, Result, Verdict};
//!
//! /// Drops files with many semicolons a line.
//! #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
//! #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
//! struct Semicolons {
//!     /// Most semicolons a line, on average.
//!     limit: f64,
//! }
//!
//! impl Default for Semicolons {
//!     fn default() -> Self {
//!         Self { limit: 2.0 }
//!     }
//! }
//!
//! impl Rule for Semicolons {
//!     const NAME: &'static str = "semicolons";
//!     const SUMMARY: &'static str = "drops files with many semicolons a line";
//!     const NEEDS: Needs = Needs::Content;
//!     type Check = Self;
//!
//!     fn build(self) -> Result<Self> {
//!         match self.limit > 0.0 {
//!             true => Ok(self),
//!             false => Err(Error::config("`limit` must be above 0")),
//!         }
//!     }
//! }
//!
//! impl Check for Semicolons {
//!     fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict {
//!         let semicolons = file.text().matches(';').count();
//!         rule::above(semicolons as f64 / facts.lines().max(1) as f64, self.limit)
//!     }
//! }
//!
//! let set = RuleSet::default().with(Semicolons::default())?;
//! assert!(set.stage(Needs::Content).is_some());
//! assert!(Sample::text("a; b; c;\n").dropped_by(Semicolons::default())?.is_some());
//! assert!(Sample::text("a; b;\n").dropped_by(Semicolons::default())?.is_none());
//! # Ok::<(), Error>(())
//! ```

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use stackmill_schemas::error::ErrorKind;
use stackmill_schemas::text::nearest;
use stackmill_schemas::{Error, FileRow, Measure, Reason, Result, Verdict};

use crate::facts::{Facts, is_space};
use crate::variants::{self, Parts};

/// What a rule must see; the planner cuts `[rules]` into phases by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Needs {
    /// Path, length, repository: nothing has been read.
    Listing,
    /// The decoded text, its language, its flags.
    Content,
    /// What a parse told.
    Syntax,
}

impl Needs {
    /// The three phases in running order.
    pub const ALL: [Self; 3] = [Self::Listing, Self::Content, Self::Syntax];

    /// The word used in recipes and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Listing => "listing",
            Self::Content => "content",
            Self::Syntax => "syntax",
        }
    }
}

/// A rule: its settings, with the source's published default.
pub trait Rule: Default + Serialize + DeserializeOwned {
    /// Key in `[rules]`, in kebab case.
    const NAME: &'static str;
    /// What is dropped, in one line without a full stop.
    const SUMMARY: &'static str;
    /// What it must see.
    const NEEDS: Needs;
    /// Columns it reads besides those that every batch of its phase has; a run without them is refused at the start.
    const COLUMNS: &'static [&'static str] = &[];
    /// Its running form.
    type Check: Check + 'static;

    /// Columns that these settings name; by default [`Rule::COLUMNS`].
    fn columns(&self) -> Vec<String> {
        words(Self::COLUMNS)
    }

    /// Refuses settings that make no sense; the message names the key.
    fn build(self) -> Result<Self::Check>;

    /// The same for rules whose settings name files: `open` reads one.
    fn build_with(self, _open: &mut Open<'_>) -> Result<Self::Check> {
        self.build()
    }
}

/// Reads a file that a rule's settings name: its name as written, and what it is, for messages.
pub type Open<'a> = dyn FnMut(&str, &str) -> Result<Vec<u8>> + 'a;

/// The running form of a rule; shared by all tasks.
pub trait Check: Send + Sync {
    /// Judges one file.
    fn check(&self, file: FileRow<'_>, facts: &mut Facts<'_>) -> Verdict;
}

/// `Drop` where `value` is above `limit`.
pub fn above<T: Into<Measure> + PartialOrd + Copy>(value: T, limit: T) -> Verdict {
    match value > limit {
        true => Verdict::Drop(Reason::measured(value, limit)),
        false => Verdict::Keep,
    }
}

/// `Drop` where `value` is below `limit`.
pub fn below<T: Into<Measure> + PartialOrd + Copy>(value: T, limit: T) -> Verdict {
    match value < limit {
        true => Verdict::Drop(Reason::measured(value, limit)),
        false => Verdict::Keep,
    }
}

/// The first of `verdicts` that is not to keep.
pub(crate) fn first(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let mut verdicts = verdicts.into_iter();
    verdicts
        .find(|verdict| *verdict != Verdict::Keep)
        .unwrap_or(Verdict::Keep)
}

/// `part / whole`, or 0 where there is no whole.
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    match whole {
        0 => 0.0,
        _ => part as f64 / whole as f64,
    }
}

/// Whether a line holds one of `words`: as whole words, or `anywhere`, in any case, as parts of words too.
pub(crate) fn mentions(line: &str, words: &[String], anywhere: bool) -> bool {
    if anywhere {
        let line = line.to_lowercase();
        return words.iter().any(|word| line.contains(&word.to_lowercase()));
    }
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let is_whole = |at: usize, word: &str| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        !before.ends_with(is_word) && !after.starts_with(is_word)
    };
    words
        .iter()
        .any(|word| line.match_indices(word.as_str()).any(|(at, word)| is_whole(at, word)))
}

/// Runs of letters, digits and `_`, and runs of whatever else is not white space.
pub(crate) fn word_runs(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(is_space);
        let first = is_word(rest.chars().next()?);
        let ends = |character: char| is_space(character) || is_word(character) != first;
        let (run, after) = rest.split_at(rest.find(ends).unwrap_or(rest.len()));
        rest = after;
        Some(run)
    })
}

/// Words as Python's `split` cuts them.
pub(crate) fn cut_at_space(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_space).filter(|word| !word.is_empty())
}

/// Refuses a list with an empty entry, which everything holds, or without any.
pub(crate) fn filled(key: &str, list: &[String]) -> Result<()> {
    match list.is_empty() || list.iter().any(String::is_empty) {
        true => Err(Error::config(format!("`{key}` is empty, or has an empty entry"))),
        false => Ok(()),
    }
}

/// Refuses a share outside 0 to 1.
pub(crate) fn share(key: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::config(format!("`{key}` is {value}, which is not a share")).hint("give a number from 0 to 1"))
}

/// Refuses a limit of 0, which would drop every file.
pub(crate) fn positive(key: &str, value: u64) -> Result<()> {
    if value > 0 {
        return Ok(());
    }
    Err(Error::config(format!("`{key}` is 0, which would drop every file")).hint("give a number above 0"))
}

/// Whether `language` is on the list; an unknown language never is.
pub(crate) fn on_list(list: &[String], language: Option<&str>) -> bool {
    language.is_some_and(|language| list.iter().any(|entry| entry.eq_ignore_ascii_case(language)))
}

/// Owned copies of a list of words, for defaults.
pub(crate) fn words(list: &[&str]) -> Vec<String> {
    list.iter().map(|&word| word.to_owned()).collect()
}

/// A rule of the table: everything that listings, documentation and recipes need to know about it.
#[derive(Clone, Copy)]
pub struct RuleInfo {
    /// Key in `[rules]`.
    pub name: &'static str,
    /// What is dropped, in one line.
    pub summary: &'static str,
    /// What it must see.
    pub needs: Needs,
    source: &'static str,
    make: fn(&Value, &mut Open<'_>) -> Result<Running>,
    defaults: fn() -> Value,
}

/// One setting of a rule, as its source file documents it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Setting {
    /// Key in the rule's table.
    pub name: String,
    /// What it means, with its unit.
    pub words: String,
    /// The default.
    pub default: Value,
}

impl RuleInfo {
    /// Describes rule `R`, whose file reads `source`.
    pub(crate) const fn of<R: Rule>(source: &'static str) -> Self {
        Self {
            name: R::NAME,
            summary: R::SUMMARY,
            needs: R::NEEDS,
            source,
            make: make::<R>,
            defaults: settings_of::<R>,
        }
    }

    /// The head of the rule's file as Markdown: what, why, example, source.
    pub fn documentation(&self) -> String {
        let head = self.source.lines().map_while(|line| line.strip_prefix("//!"));
        head.map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The settings with their defaults.
    pub fn default_settings(&self) -> Value {
        (self.defaults)()
    }

    /// Every setting with its words, in the order of the file.
    pub fn settings(&self) -> Vec<Setting> {
        let defaults = self.default_settings();
        let fields = self
            .source
            .lines()
            .map(str::trim)
            .skip_while(|line| *line != "pub struct Config {")
            .skip(1);
        let mut words: Vec<&str> = Vec::new();
        let mut settings = Vec::new();
        for line in fields.take_while(|line| *line != "}") {
            if let Some(text) = line.strip_prefix("/// ") {
                words.push(text);
            } else if let Some((name, _)) = line.strip_prefix("pub ").and_then(|field| field.split_once(':')) {
                let name = name.replace('_', "-");
                let default = defaults[&name].clone();
                settings.push(Setting {
                    name,
                    words: words.join(" "),
                    default,
                });
                words.clear();
            }
        }
        settings
    }

    /// Builds the check from settings; keys that are missing have their defaults.
    pub(crate) fn build(&self, settings: &Value, open: &mut Open<'_>) -> Result<Running> {
        (self.make)(settings, open)
    }
}

/// A rule that is switched on.
#[derive(Clone)]
pub(crate) struct Running {
    pub(crate) name: &'static str,
    pub(crate) needs: Needs,
    pub(crate) columns: Vec<String>,
    pub(crate) settings: Value,
    pub(crate) check: Arc<dyn Check>,
}

impl Running {
    /// The running form of `rule`.
    pub(crate) fn new<R: Rule>(rule: R) -> Result<Self> {
        let settings = serde_json::to_value(&rule).map_err(|error| trouble::<R>(&error.to_string()))?;
        let columns = rule.columns();
        let check = rule.build().map_err(named::<R>)?;
        Ok(Self {
            name: R::NAME,
            needs: R::NEEDS,
            columns,
            settings,
            check: Arc::new(check),
        })
    }
}

fn settings_of<R: Rule>() -> Value {
    serde_json::to_value(R::default()).unwrap_or_default()
}

fn make<R: Rule>(settings: &Value, open: &mut Open<'_>) -> Result<Running> {
    let parts = Parts::of(settings);
    let by_language = parts.common.contains_key(variants::BY_LANGUAGE);
    if by_language && R::NEEDS == Needs::Listing {
        let error = trouble::<R>(&format!("`{}`: the language is not known yet", variants::BY_LANGUAGE));
        return Err(error.hint(format!("`{}` is known: the name gives it", variants::BY_EXTENSION)));
    }
    let mut columns = Vec::new();
    let mut variant = |own: &Map<String, Value>| {
        let rule = rule_of::<R>(own)?;
        columns.extend(rule.columns());
        Ok(Arc::new(rule.build_with(open)?) as Arc<dyn Check>)
    };
    let check = variants::build(R::NAME, &parts, &mut variant).map_err(named::<R>)?;
    let mut settings = serde_json::to_value(rule_of::<R>(&parts.own)?).unwrap_or_default();
    if let Value::Object(table) = &mut settings {
        table.extend(parts.common);
    }
    columns.extend(by_language.then(|| "language".to_owned()));
    columns.sort();
    columns.dedup();
    Ok(Running {
        name: R::NAME,
        needs: R::NEEDS,
        columns,
        settings,
        check,
    })
}

/// The settings as their type; keys that are missing have their defaults.
fn rule_of<R: Rule>(settings: &Map<String, Value>) -> Result<R> {
    let known = settings_of::<R>();
    let known: Vec<&str> = known
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key.as_str())
        .collect();
    if let Some(key) = settings.keys().find(|key| !known.contains(&key.as_str())) {
        let error = Error::config(format!("unknown setting `{key}`"));
        return Err(match nearest(key, known.into_iter().chain(variants::KEYS)) {
            Some(near) => error.hint(format!("did you mean `{near}`? {}", explain::<R>())),
            None => error.hint(explain::<R>()),
        });
    }
    serde_json::from_value(Value::Object(settings.clone()))
        .map_err(|error| Error::config(error.to_string()).hint(explain::<R>()))
}

/// The error with the rule's name before its words.
fn named<R: Rule>(error: Error) -> Error {
    if error.kind() != ErrorKind::Config {
        return error.context(format!("rule `{}`", R::NAME));
    }
    let named = trouble::<R>(error.message());
    match error.hint_text() {
        Some(hint) => named.hint(hint),
        None => named,
    }
}

fn trouble<R: Rule>(words: &str) -> Error {
    Error::config(format!("rule `{}`: {words}", R::NAME))
}

fn explain<R: Rule>() -> String {
    format!("`stackmill explain {}` shows the settings", R::NAME)
}
