//! Tables of a recipe as settings of stages, and what is wrong with them in our words.

use serde::de::DeserializeOwned;
use stackmill_schemas::text::nearest;
use stackmill_schemas::{Error, Result};
use toml::{Table, Value};

/// The settings of a stage that is on where the key is missing.
pub(crate) fn unless_off<T: DeserializeOwned + Default>(table: &mut Table, key: &str) -> Result<Option<T>> {
    match table.contains_key(key) {
        true => optional(table, key),
        false => Ok(Some(T::default())),
    }
}

/// A key that is `true` unless it is `false`.
pub(crate) fn switch(table: &Table, key: &str) -> Result<bool> {
    match table.get(key) {
        None => Ok(true),
        Some(Value::Boolean(value)) => Ok(*value),
        Some(other) => {
            let words = format!("`{key}` is of type {}, not `true` or `false`", other.type_str());
            Err(Error::config(words).hint(format!("write `{key} = false` in front of all tables, or leave it out")))
        }
    }
}

pub(crate) fn section<T: DeserializeOwned + Default>(table: &mut Table, key: &str) -> Result<T> {
    Ok(optional(table, key)?.unwrap_or_default())
}

/// The settings of a stage: `None` where the key is missing or `false`; `true` means the defaults.
pub(crate) fn optional<T: DeserializeOwned + Default>(table: &mut Table, key: &str) -> Result<Option<T>> {
    match table.get(key) {
        None | Some(Value::Boolean(false)) => Ok(None),
        Some(Value::Boolean(true)) => Ok(Some(T::default())),
        Some(value @ Value::Table(_)) => typed(value)
            .map(Some)
            .map_err(|error| error.context(format!("stage `{key}`"))),
        Some(other) => Err(
            Error::config(format!("`{key}` is of type {}, not a table", other.type_str())).hint(format!(
                "write [{key}] and its settings below, or `{key} = true` for the defaults"
            )),
        ),
    }
}

pub(crate) fn typed<T: DeserializeOwned>(value: &Value) -> Result<T> {
    T::deserialize(value.clone()).map_err(|error| explain(&error.to_string(), culprit::<T>(value)))
}

/// The key whose value is refused even alone: settings have defaults, so one key is a whole table.
fn culprit<T: DeserializeOwned>(value: &Value) -> Option<&str> {
    let alone = |(key, value): &(&String, &Value)| Value::Table(Table::from_iter([((*key).clone(), (*value).clone())]));
    let mut entries = value.as_table()?.iter();
    entries
        .find(|entry| T::deserialize(alone(entry)).is_err())
        .map(|(key, _)| key.as_str())
}

/// Serde's "unknown field" in our words, with the nearest known one.
fn explain(message: &str, key: Option<&str>) -> Error {
    let first = message.lines().next().unwrap_or(message).trim();
    let Some((what, word, known)) = unknown(message) else {
        let place = key.map_or(String::new(), |key| format!("`{key}`: "));
        return Error::config(format!("{place}{first}"))
            .hint("docs/reference/recipe.md lists every setting and its type");
    };
    let place = key.filter(|_| what == "value").map(|key| format!(" of `{key}`"));
    let error = Error::config(format!("unknown {what} `{word}`{}", place.unwrap_or_default()));
    match nearest(word, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None if known.len() == 1 => error.hint(format!("`{}` is the only {what} there is", known[0])),
        None => error.hint(format!("one of {}", known.join(", "))),
    }
}

/// What serde does not know, the word, and those that it knows: they stand between the word and the place.
///
/// ```text
///   unknown variant `words`, expected `lines` or `tokens`⏎in `ngram-of`⏎
/// ```
fn unknown(message: &str) -> Option<(&'static str, &str, Vec<&str>)> {
    let (what, rest) = match message.strip_prefix("unknown field `") {
        Some(rest) => ("field", rest),
        None => ("value", message.strip_prefix("unknown variant `")?),
    };
    // The word is the user's own: it may hold anything.
    let (word, rest) = rest.rsplit_once("`, expected ")?;
    let known = rest.lines().next().unwrap_or_default();
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    (!known.is_empty()).then_some((what, word, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_no_words_to_choose_from() {
        for (message, expected) in [
            (
                "unknown variant `words`, expected `code`\nin `words`\n",
                Some(("value", "words", vec!["code"])),
            ),
            (
                "unknown variant `a`b\nc`, expected one of `x`, `y`, `z`\nin `keep`\n",
                Some(("value", "a`b\nc", vec!["x", "y", "z"])),
            ),
            (
                "unknown field `limt`, expected `limit` or `extensions`\n",
                Some(("field", "limt", vec!["limit", "extensions"])),
            ),
            ("unknown field `x`, there are no fields\nin `y`", None),
            ("invalid type: string \"high\", expected f64\nin `threshold`", None),
        ] {
            assert_eq!(unknown(message), expected, "{message}");
        }
    }
}
