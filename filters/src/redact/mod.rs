//! The Map `redact`: addresses and private keys become placeholders; how many goes to the column `redactions`.
//!
//! | kind | found | placeholder |
//! |---|---|---|
//! | `email` | e-mail addresses under domains that exist | `<EMAIL>` |
//! | `ipv4`, `ipv6` | addresses of the public internet | `<IP_ADDRESS>` |
//! | `private_key` | PEM blocks of private keys, whole | `<KEY>` |
//!
//! The placeholders are those of StarCoder (Li et al. 2023, arXiv 2305.06161), so that one tokenizer serves
//! both. Names and passwords need a model and are not looked for. Every scanner is linear, looks only where `@`, a dot
//! between digits, a colon or `-----BEGIN` stands, and is written by hand because each must look around: what an
//! address is depends on what is beside it.

mod address;
mod email;
mod key;

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int32Array, StringArray, StructArray};
use arrow_schema::{DataType, Field, Fields, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{FileBatch, Result, TaskContext, columns};

/// Name of the stage in recipes.
const STAGE: &str = "redact";

/// What is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An e-mail address.
    Email,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// A PEM block of a private key.
    PrivateKey,
}

impl Kind {
    /// In the order of the column's fields.
    pub const ALL: [Self; 4] = [Self::Email, Self::Ipv4, Self::Ipv6, Self::PrivateKey];

    /// Name of its field in the column `redactions`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::PrivateKey => "private_key",
        }
    }

    /// What stands in its place.
    pub fn placeholder(self) -> &'static str {
        match self {
            Self::Email => "<EMAIL>",
            Self::Ipv4 | Self::Ipv6 => "<IP_ADDRESS>",
            Self::PrivateKey => "<KEY>",
        }
    }
}

/// A stretch of text to be replaced, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// Appends what it finds in a text.
type Scanner = fn(&str, &mut Vec<Span>);

/// Settings of the stage `redact`: one switch a kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RedactConfig {
    /// E-mail addresses.
    pub email: bool,
    /// Public IPv4 addresses.
    pub ipv4: bool,
    /// Public IPv6 addresses.
    pub ipv6: bool,
    /// PEM blocks of private keys.
    pub private_key: bool,
}

impl Default for RedactConfig {
    fn default() -> Self {
        Self {
            email: true,
            ipv4: true,
            ipv6: true,
            private_key: true,
        }
    }
}

/// Replaces what its settings name in `content` and adds the column `redactions`.
#[derive(Clone, Debug)]
pub struct Redact {
    config: RedactConfig,
}

impl Redact {
    /// Any settings make sense.
    pub fn new(config: RedactConfig) -> Result<Self> {
        Ok(Self { config })
    }

    /// What would be replaced in `text`: in order, not overlapping.
    ///
    /// ```
    /// use stackmill_filters::{Redact, RedactConfig, redact::Kind};
    ///
    /// let text = "ask joe@stackmill.dev, not @joe or joe@example.com";
    /// let [span] = Redact::new(RedactConfig::default())?.spans(text)[..] else { panic!() };
    /// assert_eq!((&text[span.start..span.end], span.kind), ("joe@stackmill.dev", Kind::Email));
    /// # Ok::<(), stackmill_schemas::Error>(())
    /// ```
    pub fn spans(&self, text: &str) -> Vec<Span> {
        let mut spans = Vec::new();
        let scanners: [(bool, Scanner); 4] = [
            (self.config.private_key, key::find),
            (self.config.email, email::find),
            (self.config.ipv4, address::find_v4),
            (self.config.ipv6, address::find_v6),
        ];
        for (_, find) in scanners.iter().filter(|(wanted, _)| *wanted) {
            find(text, &mut spans);
        }
        spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end)));
        let mut end = 0;
        spans.retain(|span| {
            span.start >= end && {
                end = span.end;
                true
            }
        });
        spans
    }

    /// `text` with placeholders, and how many of each kind; nothing where there is nothing to replace.
    pub fn redact(&self, text: &str) -> Option<(String, [i32; 4])> {
        let spans = self.spans(text);
        if spans.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(text.len());
        let mut counts = [0; 4];
        let mut at = 0;
        for span in spans {
            out.push_str(&text[at..span.start]);
            out.push_str(span.kind.placeholder());
            counts[span.kind as usize] += 1;
            at = span.end;
        }
        out.push_str(&text[at..]);
        Some((out, counts))
    }
}

fn counts_fields() -> Fields {
    Kind::ALL
        .iter()
        .map(|kind| Field::new(kind.as_str(), DataType::Int32, false))
        .collect()
}

fn counts_field() -> Field {
    Field::new(columns::REDACTIONS, DataType::Struct(counts_fields()), false)
}

impl Map for Redact {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        crate::stage::text_content(input)?;
        let content = Field::new(columns::CONTENT, DataType::Utf8, true);
        let replaced = |field: &Arc<Field>| match field.name() == columns::CONTENT {
            true => Arc::new(content.clone()),
            false => Arc::clone(field),
        };
        let fields = input.fields().iter().map(replaced).chain([Arc::new(counts_field())]);
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }

    fn open(&self, _cx: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(self.clone()))
    }
}

impl MapTask for Redact {
    fn map(&mut self, batch: FileBatch) -> Result<FileBatch> {
        let texts = columns::strings(batch.record(), columns::CONTENT)?;
        let redacted: Vec<Option<(String, [i32; 4])>> = (0..batch.num_rows())
            .map(|i| {
                (batch.is_kept(i) && texts.is_valid(i))
                    .then(|| self.redact(texts.value(i)))
                    .flatten()
            })
            .collect();
        let content = match redacted.iter().any(Option::is_some) {
            true => (0..batch.num_rows())
                .map(|i| text_of(texts, i, &redacted[i]))
                .collect::<StringArray>(),
            false => texts.clone(),
        };
        let counts = Kind::ALL.map(|kind| {
            let count = |redacted: &Option<(String, [i32; 4])>| {
                redacted.as_ref().map_or(0, |(_, counts)| counts[kind as usize])
            };
            Arc::new(
                redacted
                    .iter()
                    .map(|redacted| Some(count(redacted)))
                    .collect::<Int32Array>(),
            ) as ArrayRef
        });
        let counts = StructArray::try_new(counts_fields(), counts.to_vec(), None)?;
        batch
            .replace_content(content)?
            .with_column(counts_field(), Arc::new(counts))
    }
}

fn text_of<'a>(texts: &'a StringArray, i: usize, redacted: &'a Option<(String, [i32; 4])>) -> Option<&'a str> {
    match redacted {
        Some((text, _)) => Some(text),
        None => texts.is_valid(i).then(|| texts.value(i)),
    }
}

/// Whether a byte belongs to an ASCII word.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Whether the letter at `at` belongs to an escape such as `\n` before it, and so to nothing after it.
fn is_escape_letter(bytes: &[u8], at: usize) -> bool {
    matches!(bytes[at], b'n' | b'r' | b't') && at > 0 && bytes[at - 1] == b'\\'
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatch;
    use proptest::prelude::*;
    use stackmill_schemas::file::Place;
    use stackmill_schemas::{Outcome, Reason};

    use super::*;
    use crate::Sample;

    fn redacted(config: RedactConfig, text: &str) -> String {
        Redact { config }
            .redact(text)
            .map_or_else(|| text.to_owned(), |(text, _)| text)
    }

    #[test]
    fn each_kind_has_its_placeholder_and_switch() {
        let text = format!(
            "a@stackmill.dev 51.15.16.17 2a00:1450:4001:81b::200e\n-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC".repeat(2)
        );
        let all = RedactConfig::default();
        assert_eq!(
            redacted(all.clone(), &text),
            "<EMAIL> <IP_ADDRESS> <IP_ADDRESS>\n<KEY>\n"
        );
        assert_eq!(
            Redact { config: all }.redact(&text).map(|(_, counts)| counts),
            Some([1, 1, 1, 1])
        );
        let none = RedactConfig {
            email: false,
            ipv4: false,
            ipv6: false,
            private_key: false,
        };
        assert_eq!(redacted(none.clone(), &text), text);
        assert!(
            redacted(
                RedactConfig {
                    email: true,
                    ..none.clone()
                },
                &text
            )
            .starts_with("<EMAIL> 51.15")
        );
        assert!(
            redacted(RedactConfig { ipv6: true, ..none }, &text)
                .starts_with("a@stackmill.dev 51.15.16.17 <IP_ADDRESS>")
        );
    }

    #[test]
    fn kept_rows_change_and_masked_rows_do_not() {
        let texts: StringArray = [Some("x@stackmill.dev"), None, Some("plain"), Some("y@stackmill.dev")]
            .into_iter()
            .collect();
        let ids = arrow_array::UInt64Array::from_iter_values(0..4);
        let columns = [("file_id", Arc::new(ids) as ArrayRef), ("content", Arc::new(texts))];
        let record = RecordBatch::try_from_iter(columns).expect("columns of one length");
        let mut batch = FileBatch::new(record).expect("ids");
        batch.decide(3, Outcome::Dropped, Place { stage: "s", rule: "r" }, Reason::default());
        let mut redact = Redact::new(RedactConfig::default()).expect("any settings");
        let promised = redact.schema(&batch.record().schema()).expect("columns fit");
        let after = redact.map(batch).expect("no bug");
        assert_eq!(after.record().schema(), promised);
        let texts = columns::strings(after.record(), "content").expect("text");
        assert_eq!(
            texts.iter().collect::<Vec<_>>(),
            [Some("<EMAIL>"), None, Some("plain"), Some("y@stackmill.dev")]
        );
        let counts: &StructArray = columns::typed(after.record(), "redactions").expect("added");
        let emails: &Int32Array = counts.column(0).as_any().downcast_ref().expect("Int32");
        assert_eq!(emails.values(), &[1, 0, 0, 0]);
    }

    #[test]
    fn a_batch_without_hits_has_the_same_columns() {
        let batch = Sample::text("nothing here").batch().expect("a batch");
        let mut redact = Redact::new(RedactConfig::default()).expect("any settings");
        let promised = redact.schema(&batch.record().schema()).expect("columns fit");
        assert_eq!(redact.map(batch).expect("no bug").record().schema(), promised);
        assert!(redact.schema(&Schema::empty()).is_err());
    }

    /// Pieces that meet each other in unforeseen ways.
    fn soup() -> impl Strategy<Value = String> {
        let pool = [
            "joe",
            "@",
            "stackmill.dev",
            ".",
            "51",
            "2a00",
            ":",
            "::",
            "1",
            "\\n",
            "\"",
            " ",
            "\n",
            "é",
            "-----BEGIN ",
            "PRIVATE KEY-----",
            "-----END ",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCMIIE",
            "/",
            "v",
            "<EMAIL>",
            "=",
            "git@",
            "a.b@",
        ];
        prop::collection::vec(prop::sample::select(pool.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn spans_are_in_order_and_on_character_borders(text in soup()) {
            let spans = Redact { config: RedactConfig::default() }.spans(&text);
            let mut end = 0;
            for span in spans {
                prop_assert!(span.start >= end && span.end > span.start);
                prop_assert!(text.get(span.start..span.end).is_some());
                end = span.end;
            }
        }

        #[test]
        fn placeholders_are_left_alone(text in soup()) {
            let once = redacted(RedactConfig::default(), &text);
            let placeholders = |text: &str| text.matches("<EMAIL>").count() + text.matches("<KEY>").count();
            // An address less may close a block whose key holds other placeholders.
            prop_assert!(once.contains("-----BEGIN ") || placeholders(&redacted(RedactConfig::default(), &once)) >= placeholders(&once));
        }
    }
}
