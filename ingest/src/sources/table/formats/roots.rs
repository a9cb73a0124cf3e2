//! ROOTS, the code part: texts with what is known of each written as a Python dictionary in one text.
//!
//! ```text
//!   {"text": "…", "meta": "{'repo_name': 'o/n', 'path': 'src/a.c', 'license': 'gpl-3.0'}"}
//! ```
//! Source: `sourcing/code_dataset/processing.py` of `bigscience-workshop/data-preparation`, `setup_meta`. That script
//! says of itself that it kept only GPL-licensed code where it meant to remove it: mind the licenses.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::record::Record;
use super::{Format, PLAIN, Settings, names};

pub(super) const FORMAT: Format = Format {
    names: names! {
        CONTENT: "text";
        META: "meta";
    },
    describe,
    ..PLAIN
};

/// Longest dictionary that is read.
const LONGEST: usize = 64 << 10;

fn describe(record: &mut Record<'_>, _: &Settings) {
    let Some(meta) = record.meta.as_deref().filter(|meta| meta.len() <= LONGEST) else {
        return;
    };
    let mut said = dictionary(&String::from_utf8_lossy(meta));
    let mut bytes = |name: &str| said.remove(name).map(|text| Cow::Owned(text.into_bytes()));
    (record.repo_name, record.path) = (bytes("repo_name"), bytes("path"));
    record.license = said.remove("license").filter(|license| !license.is_empty());
}

/// The texts of a Python dictionary of texts, as far as it is one.
fn dictionary(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut rest = text.trim().strip_prefix('{').unwrap_or_default();
    while let Some((name, after)) = literal(rest) {
        let Some((value, after)) = after.trim_start().strip_prefix(':').and_then(literal) else {
            break;
        };
        found.insert(name, value);
        rest = after.trim_start().strip_prefix(',').unwrap_or_default();
    }
    found
}

/// A Python literal of a text, and what follows it.
fn literal(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                other => other,
            }),
            end if end == quote => return Some((value, &text[at + 1..])),
            plain => value.push(plain),
        }
    }
    None
}
