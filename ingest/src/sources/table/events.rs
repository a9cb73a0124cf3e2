//! Lists in a row, as the events of an issue: objects in JSON, that as text, or structs in Parquet.
//!
//! ```text
//!   events: [ {type, action, author, title, description}, {type, action, author, comment}, … ]
//! ```

use std::fmt;
use std::marker::PhantomData;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::{DataType, Fields};
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, Error as _, SeqAccess, Visitor};

use super::parquet::bytes_at;

/// Longest list of one row; a row with a longer one is trouble.
const MOST: usize = 100_000;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    pub(super) action: Option<String>,
    pub(super) author: Option<String>,
    pub(super) title: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) description: Option<String>,
    pub(super) text: Option<String>,
}

impl Event {
    /// What was written: a comment, else what opened the issue, else the text that data sets make of both.
    pub(super) fn take_text(&mut self) -> String {
        let parts = [self.comment.take(), self.description.take(), self.text.take()];
        let mut filled = parts.into_iter().flatten().filter(|text| !text.is_empty());
        filled.next().unwrap_or_default()
    }
}

/// One of a list in a row.
pub(super) trait Item: DeserializeOwned {
    /// Fields that are text where they are there; the first has to be.
    const TEXTS: &'static [&'static str];

    /// Item `at` of a list of structs.
    fn of(items: &StructArray, at: usize) -> Self;
}

/// The list of one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Items<T>(pub(super) Vec<T>);

impl<'de, T: Item> Deserialize<'de> for Items<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ItemsVisitor(PhantomData))
    }
}

struct ItemsVisitor<T>(PhantomData<T>);

impl<'de, T: Item> Visitor<'de> for ItemsVisitor<T> {
    type Value = Items<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Items<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element()? {
            if items.len() == MOST {
                return Err(A::Error::custom(too_many()));
            }
            items.push(item);
        }
        Ok(Items(items))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Items<T>, E> {
        parse(text.as_bytes()).map_err(E::custom)
    }
}

fn too_many() -> String {
    format!("more than {MOST} entries in a list")
}

/// A list written as text.
fn parse<T: Item>(json: &[u8]) -> Result<Items<T>, String> {
    let mut json = serde_json::Deserializer::from_slice(json);
    let items = json.deserialize_seq(ItemsVisitor(PhantomData));
    items
        .and_then(|items| json.end().map(|()| items))
        .map_err(|error| format!("no list of objects: {error}"))
}

/// Whether a column can hold such lists.
pub(super) fn is_list_of<T: Item>(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::Binary => true,
        DataType::List(item) => matches!(item.data_type(), DataType::Struct(fields) if are_right(T::TEXTS, fields)),
        _ => false,
    }
}

fn are_right(texts: &[&str], fields: &Fields) -> bool {
    let known = |name: &str| fields.iter().find(|field| field.name() == name);
    let is_text = |name: &&str| {
        known(name).is_none_or(|field| matches!(field.data_type(), DataType::Utf8 | DataType::Binary | DataType::Null))
    };
    texts.iter().all(is_text) && texts.first().is_some_and(|first| known(first).is_some())
}

/// The list of row `i`; none where it is null.
pub(super) fn list_at<T: Item>(array: &ArrayRef, i: usize) -> Option<Result<Vec<T>, String>> {
    if array.is_null(i) {
        return None;
    }
    let DataType::List(_) = array.data_type() else {
        return bytes_at(array, i).map(|json| parse(json).map(|items| items.0));
    };
    let items = array.as_list::<i32>().value(i);
    let items = items.as_struct();
    Some(match items.len() > MOST {
        true => Err(too_many()),
        false => Ok((0..items.len()).map(|at| T::of(items, at)).collect()),
    })
}

/// A field that is text.
pub(super) fn text_in(items: &StructArray, at: usize, name: &str) -> Option<String> {
    let bytes = bytes_at(items.column_by_name(name)?, at)?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

impl Item for Event {
    const TEXTS: &'static [&'static str] = &["author", "action", "title", "comment", "description", "text"];

    fn of(items: &StructArray, at: usize) -> Self {
        let text = |name: &str| text_in(items, at, name);
        Self {
            action: text("action"),
            author: text("author"),
            title: text("title"),
            comment: text("comment"),
            description: text("description"),
            text: text("text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stands_for_its_list() {
        let list = r#"[{"author": "a", "comment": "x", "more": [1, {"deep": null}]}, {"description": null}]"#;
        let events: Items<Event> = serde_json::from_str(list).expect("a list");
        assert_eq!(events.0.len(), 2);
        let text = serde_json::to_string(list).expect("text");
        assert_eq!(serde_json::from_str::<Items<Event>>(&text).expect("a text"), events);
        for odd in ["7", "null", "\"7\"", "\"[7]\"", "[{\"author\": 7}]", "\"[] []\"", "{}"] {
            assert!(serde_json::from_str::<Items<Event>>(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn events_are_counted_before_they_are_kept() {
        let list = |count: usize| format!("[{}]", vec!["{}"; count].join(","));
        assert!(parse::<Event>(list(MOST).as_bytes()).is_ok());
        assert!(
            parse::<Event>(list(MOST + 1).as_bytes())
                .expect_err("too many")
                .contains("more than")
        );
    }

    #[test]
    fn a_comment_comes_before_a_description() {
        let text = |json: &str| serde_json::from_str::<Event>(json).expect("an event").take_text();
        assert_eq!(text(r#"{"comment": "c", "description": "d"}"#), "c");
        assert_eq!(text(r#"{"comment": "", "description": "d", "text": "t"}"#), "d");
        assert_eq!(text(r#"{"text": "t"}"#), "t");
        assert_eq!(text("{}"), "");
    }
}
