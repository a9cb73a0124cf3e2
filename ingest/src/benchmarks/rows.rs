//! Rows of benchmarks' files: arrays of objects, or an object a line, with fields that are there or are named.

use serde_json::{Map, Value};
use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::error::{Error, Result, ResultExt};

use super::{MAX_ITEMS, MAX_LINE_BYTES};

/// Values of a list of arguments that are taken.
const MOST_EXAMPLES: usize = 64;
/// Longest value of a list of arguments that is taken, in bytes.
const LONGEST_EXAMPLE: usize = 1000;

/// One row of a benchmark's file.
pub(super) struct Row {
    values: Map<String, Value>,
}

/// Reads an array of objects, or an object on each line that is not blank, and hands each to `item`.
pub(super) fn rows(text: &str, item: impl FnMut(&Row) -> Result<BenchmarkItem>) -> Result<Vec<BenchmarkItem>> {
    match text.trim_start().starts_with('[') {
        true => array(text, item),
        false => lines(text, item),
    }
}

fn lines(text: &str, mut item: impl FnMut(&Row) -> Result<BenchmarkItem>) -> Result<Vec<BenchmarkItem>> {
    let mut out = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("line {}", number + 1);
        if line.len() > MAX_LINE_BYTES {
            return Err(Error::input(format!("longer than {MAX_LINE_BYTES} bytes")).context(place()));
        }
        if out.len() >= MAX_ITEMS {
            return Err(Error::input(format!("more than {MAX_ITEMS} items")));
        }
        let value = parsed(line).with_context(place)?;
        out.push(Row::new(value).and_then(|row| item(&row)).with_context(place)?);
    }
    Ok(out)
}

fn array(text: &str, mut item: impl FnMut(&Row) -> Result<BenchmarkItem>) -> Result<Vec<BenchmarkItem>> {
    let Value::Array(values) = parsed(text)? else {
        return Err(Error::bug("a text that begins with `[` is no array"));
    };
    if values.len() > MAX_ITEMS {
        return Err(Error::input(format!("more than {MAX_ITEMS} items")));
    }
    let rows = values.into_iter().enumerate();
    rows.map(|(number, value)| {
        let place = || format!("item {}", number + 1);
        Row::new(value).and_then(|row| item(&row)).with_context(place)
    })
    .collect()
}

/// JSON, and what Python writes for it: `NaN` and `Infinity` stand for nothing.
fn parsed(text: &str) -> Result<Value> {
    serde_json::from_str(text).or_else(|error| match NO_NUMBERS.iter().any(|word| text.contains(word)) {
        true => serde_json::from_str(&without_words(text)).map_err(not_json),
        false => Err(not_json(error)),
    })
}

/// What stands in a file for numbers that JSON cannot say.
const NO_NUMBERS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];

/// The same with `null` for each of them outside strings.
fn without_words(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len() + 64), text);
    let (mut quoted, mut escaped) = (false, false);
    while let Some(c) = rest.chars().next() {
        if let Some(behind) = NO_NUMBERS.iter().find_map(|word| rest.strip_prefix(word))
            && !quoted
        {
            out.push_str("null");
            rest = behind;
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn not_json(error: serde_json::Error) -> Error {
    Error::input(format!("not JSON: {error}"))
}

impl Row {
    fn new(value: Value) -> Result<Self> {
        match value {
            Value::Object(values) => Ok(Self { values }),
            _ => Err(Error::input("not a JSON object")),
        }
    }

    /// Whether there is such a field, itself or inside another: `a.b`.
    pub(super) fn has(&self, field: &str) -> bool {
        inside(&self.values, field).is_some()
    }

    /// A text, a number, or a list of them, one a line; none where it is missing, `null` or blank.
    pub(super) fn any(&self, field: &str) -> Option<String> {
        let text = plain(inside(&self.values, field)?).replace("\r\n", "\n");
        (!text.trim().is_empty()).then_some(text)
    }

    fn value(&self, field: &str) -> Result<&Value> {
        self.values.get(field).ok_or_else(|| {
            Error::input(format!("field `{field}` is missing")).hint("is this the benchmark's own file?")
        })
    }

    /// A text, with `\n` for every line end.
    pub(super) fn text(&self, field: &str) -> Result<String> {
        let text = self
            .value(field)?
            .as_str()
            .ok_or_else(|| Error::input(format!("field `{field}` is no text")))?;
        Ok(text.replace("\r\n", "\n"))
    }

    /// A list of texts, one a line.
    pub(super) fn texts(&self, field: &str) -> Result<String> {
        let refused = || Error::input(format!("field `{field}` is no list of texts"));
        let list = self.value(field)?.as_array().ok_or_else(refused)?;
        let texts = list
            .iter()
            .map(|value| value.as_str().ok_or_else(refused))
            .collect::<Result<Vec<_>>>()?;
        Ok(texts.join("\n").replace("\r\n", "\n"))
    }

    /// A number from 0; tables of texts have its digits.
    pub(super) fn whole_number(&self, field: &str) -> Result<u64> {
        let value = self.value(field)?;
        value
            .as_u64()
            .or_else(|| value.as_str()?.parse().ok())
            .ok_or_else(|| Error::input(format!("field `{field}` is no whole number")))
    }

    /// A text that may be missing, `null`, blank, or a word for nothing.
    pub(super) fn maybe(&self, field: &str) -> Option<String> {
        let text = self.text(field).ok()?;
        (!matches!(text.trim(), "" | "None" | "nan")).then_some(text)
    }

    /// A list of texts.
    pub(super) fn list(&self, field: &str) -> Result<Vec<String>> {
        list(self.value(field)?).ok_or_else(|| Error::input(format!("field `{field}` is no list of texts")))
    }

    /// A list of texts with a blank after each.
    pub(super) fn words(&self, field: &str) -> Result<String> {
        Ok(self.list(field)?.join(" "))
    }

    /// A list of texts that is itself written as JSON.
    pub(super) fn embedded(&self, field: &str) -> Result<Vec<String>> {
        let text = self.text(field)?;
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        let value = serde_json::from_str(&text)
            .map_err(not_json)
            .with_context(|| format!("field `{field}`"))?;
        list(&value).ok_or_else(|| Error::input(format!("field `{field}` holds no list of texts")))
    }

    /// An object inside.
    pub(super) fn object(&self, field: &str) -> Result<Row> {
        match self.value(field)? {
            Value::Object(values) => Ok(Row { values: values.clone() }),
            _ => Err(Error::input(format!("field `{field}` is no object"))),
        }
    }

    /// A list of values as JSON, one a line; the first ones, for some are generated by the thousand.
    pub(super) fn arguments(&self, field: &str) -> Result<String> {
        let refused = || Error::input(format!("field `{field}` is no list"));
        let values = self.value(field)?.as_array().ok_or_else(refused)?;
        let lines = values.iter().take(MOST_EXAMPLES).map(Value::to_string);
        let short = lines.filter(|line| line.len() <= LONGEST_EXAMPLE);
        Ok(short.collect::<Vec<_>>().join("\n"))
    }
}

/// A value by its name, or by that of an object, a dot, and a name inside it.
fn inside<'a>(values: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    values.get(field).or_else(|| {
        let (outer, inner) = field.split_once('.')?;
        inside(values.get(outer)?.as_object()?, inner)
    })
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

fn list(value: &Value) -> Option<Vec<String>> {
    let texts = value.as_array()?.iter().map(|value| value.as_str().map(str::to_owned));
    texts.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_nothing_but_in_strings() {
        let text = r#"{"NaN": NaN, "a\\": [-Infinity, "\"Infinity", Infinity]}"#;
        assert_eq!(
            without_words(text),
            r#"{"NaN": null, "a\\": [null, "\"Infinity", null]}"#
        );
        assert!(parsed("NaNa").is_err_and(|error| error.message().starts_with("not JSON")));
    }

    #[test]
    fn words_for_nothing_are_nothing() {
        let value = serde_json::json!({"a": "None", "b": " ", "c": null, "d": "x\r\ny", "e": "nan"});
        let row = Row::new(value).expect("an object");
        let texts = ["a", "b", "c", "d", "e", "f"].map(|field| row.maybe(field));
        assert_eq!(texts, [None, None, None, Some("x\ny".to_owned()), None, None]);
    }
}
