//! Lists of repositories: text, CSV, JSON lines or Parquet, each row as texts by the list's own names.
//!
//! ```text
//!   .txt       one location a line, # comments       .csv       a line of names, then rows (RFC 4180)
//!   .jsonl     one object a line                     .parquet   columns of texts, numbers, dates, lists of texts
//! ```
//! All but Parquet may be compressed, which their first bytes tell, with the ending `.gz`, `.zst`, `.xz` or `.bz2`.

use std::collections::BTreeMap;
use std::io::Read as _;

use serde_json::Value;
use stackmill_schemas::{Error, Result, ResultExt as _};

use super::super::inflate::{Inflated, Limits, broken};
use super::super::place::Input;
use super::super::table::parquet_texts;

/// Longest list of repositories, inflated: 1 GiB.
const LONGEST_LIST: u64 = 1 << 30;

/// What one byte of a compressed list may become: columns that repeat themselves shrink well.
const LIST_RATIO: u64 = 2000;

/// A row: texts by the list's own names. The one text of a `.txt` list has the name `url`.
pub(super) type Fields = BTreeMap<String, String>;

/// Called with each row and where it stands.
type Each<'a> = dyn FnMut(Fields, &dyn Fn() -> String) -> Result<()> + 'a;

/// How a list is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Text,
    Csv,
    JsonLines,
    Parquet,
}

impl Layout {
    /// By the ending of a name; none where it is no list's.
    pub(super) fn of(name: &str) -> Option<Self> {
        let packed = [".gz", ".zst", ".xz", ".bz2"]
            .iter()
            .find_map(|ending| name.strip_suffix(ending));
        match (packed.unwrap_or(name).rsplit_once('.')?.1, packed) {
            ("txt", _) => Some(Self::Text),
            ("csv", _) => Some(Self::Csv),
            ("jsonl", _) => Some(Self::JsonLines),
            ("parquet", None) => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// Hands every row of a list to `each`; of a Parquet file only the columns `names`.
pub(super) fn rows(input: &Input, layout: Layout, names: &[&str], each: &mut Each<'_>) -> Result<()> {
    match layout {
        Layout::Parquet => {
            let mut bytes = 0;
            parquet_texts(input, names, &mut |number, fields| {
                bytes += fields.iter().map(|(name, text)| name.len() + text.len()).sum::<usize>() as u64;
                match bytes > LONGEST_LIST {
                    true => Err(too_long(input)),
                    false => each(fields, &|| format!("{input} row {}", number + 1)),
                }
            })
        }
        Layout::Csv => csv(input, each),
        Layout::Text => lines(input, each, &|line| {
            Ok(Some(Fields::from([("url".to_owned(), line.to_owned())])).filter(|_| !line.starts_with('#')))
        }),
        Layout::JsonLines => lines(input, each, &|line| match line.starts_with('#') {
            true => Ok(None),
            false => object(line).map(Some),
        }),
    }
}

fn too_long(input: &Input) -> Error {
    Error::input(format!("`{input}` is longer than {LONGEST_LIST} bytes")).hint("cut the list into several")
}

/// All of a list, inflated.
fn text(input: &Input) -> Result<String> {
    let limits = Limits {
        bytes: LONGEST_LIST,
        ratio: LIST_RATIO,
    };
    input.look()?;
    let mut text = Vec::new();
    let read = Inflated::open(input, limits)?.read_to_end(&mut text);
    read.map_err(|error| broken(&error))
        .with_context(|| input.to_string())?;
    String::from_utf8(text).map_err(|_| Error::input(format!("`{input}` is not UTF-8 text")))
}

fn lines(input: &Input, each: &mut Each<'_>, parse: &dyn Fn(&str) -> Result<Option<Fields>>) -> Result<()> {
    for (i, line) in text(input)?.lines().map(str::trim).enumerate() {
        let place = || format!("{input} line {}", i + 1);
        if line.is_empty() {
            continue;
        }
        if let Some(fields) = parse(line).map_err(|error| error.context(place()))? {
            each(fields, &place)?;
        }
    }
    Ok(())
}

fn csv(input: &Input, each: &mut Each<'_>) -> Result<()> {
    let text = text(input)?;
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let unreadable =
        |error: &csv::Error| Error::input(format!("not a table in CSV: {error}")).context(input.to_string());
    let names = reader.headers().map_err(|error| unreadable(&error))?.clone();
    for row in reader.records() {
        let row = row.map_err(|error| unreadable(&error))?;
        let line = row.position().map_or(0, csv::Position::line);
        let filled = names.iter().zip(&row).filter(|(_, text)| !text.is_empty());
        let fields = filled.map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
        each(fields, &|| format!("{input} line {line}"))?;
    }
    Ok(())
}

fn object(line: &str) -> Result<Fields> {
    let object: serde_json::Map<String, Value> =
        serde_json::from_str(line).map_err(|error| Error::input(format!("not a JSON object: {error}")))?;
    let texts = object.into_iter();
    Ok(texts
        .filter_map(|(name, value)| Some((name, text_of(&value)?)))
        .collect())
}

/// A value as text; lists of texts become an SPDX expression that asks for all of them.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(values) => {
            let texts: Vec<_> = values.iter().filter_map(text_of).collect();
            (!texts.is_empty()).then(|| texts.join(" AND "))
        }
        _ => None,
    }
}
