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
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let unknown = first.starts_with("unknown field") || first.starts_with("unknown variant");
    let Some((word, known)) = quoted.split_first().filter(|_| unknown) else {
        let place = key.map_or(String::new(), |key| format!("`{key}`: "));
        return Error::config(format!("{place}{first}"))
            .hint("docs/reference/recipe.md lists every setting and its type");
    };
    let what = if first.starts_with("unknown field") {
        "field"
    } else {
        "value"
    };
    let error = Error::config(format!("unknown {what} `{word}`"));
    match nearest(word, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("one of {}", known.join(", "))),
    }
}
