//! The facts by name: which column each becomes, which are asked for, and the way from facts to columns and back.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder, StructBuilder, UInt32Builder};
use arrow_array::cast::AsArray as _;
use arrow_array::types::UInt32Type;
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, UInt64Array};
use arrow_schema::{DataType, Field, Fields};
use serde::{Deserialize, Serialize};

use stackmill_schemas::syntax::{Definition, DefinitionKind, Span, SyntaxFacts};
use stackmill_schemas::{FileRow, Result, columns};

/// UInt64, nullable: bytes inside syntax errors, plus one for each missing token.
pub const ERROR_BYTES: &str = "syntax_error_bytes";
/// UInt64, nullable: named nodes of the tree.
pub const NODES: &str = "syntax_nodes";
/// UInt64, nullable: depth of nested blocks.
pub const NESTING: &str = "syntax_nesting";
/// UInt64, nullable: functions, methods, classes and the like.
pub const DEFINITIONS: &str = "syntax_definitions";
/// UInt64, nullable: calls.
pub const CALLS: &str = "syntax_calls";
/// UInt64, nullable: lines of the longest function.
pub const FUNCTION_LINES: &str = "syntax_function_lines";
/// UInt64, nullable: bytes of the longest function.
pub const FUNCTION_BYTES: &str = "syntax_function_bytes";
/// UInt64, nullable: places that the grammar takes and the language's compiler refuses.
pub const REFUSED: &str = "syntax_refused";
/// List of structs (kind, start, end, name_start, name_end), nullable: definitions.
pub const DEFINITION_SPANS: &str = "syntax_definition_spans";
/// List of structs (start, end), nullable: imports.
pub const IMPORTS: &str = "syntax_imports";
/// List of structs (start, end), nullable: comments.
pub const COMMENTS: &str = "syntax_comments";
/// List of structs (start, end), nullable: comments and strings that document.
pub const DOCSTRINGS: &str = "syntax_docstrings";

/// A fact that a recipe can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// Bytes inside syntax errors.
    ErrorBytes,
    /// Named nodes.
    Nodes,
    /// Depth of nested blocks.
    Nesting,
    /// Number of definitions.
    Definitions,
    /// Number of calls.
    Calls,
    /// Lines of the longest function.
    FunctionLines,
    /// Bytes of the longest function.
    FunctionBytes,
    /// Number of places that the language's compiler refuses.
    Refused,
    /// Kind, place and name of each definition.
    DefinitionSpans,
    /// Place of each import.
    Imports,
    /// Place of each comment.
    Comments,
    /// Place of each comment or string that documents.
    Docstrings,
}

impl Fact {
    /// Every fact, in the order of their columns.
    pub const ALL: [Self; 12] = [
        Self::ErrorBytes,
        Self::Nodes,
        Self::Nesting,
        Self::Definitions,
        Self::Calls,
        Self::FunctionLines,
        Self::FunctionBytes,
        Self::Refused,
        Self::DefinitionSpans,
        Self::Imports,
        Self::Comments,
        Self::Docstrings,
    ];

    /// The column that it becomes.
    pub fn column(self) -> &'static str {
        match self {
            Self::ErrorBytes => ERROR_BYTES,
            Self::Nodes => NODES,
            Self::Nesting => NESTING,
            Self::Definitions => DEFINITIONS,
            Self::Calls => CALLS,
            Self::FunctionLines => FUNCTION_LINES,
            Self::FunctionBytes => FUNCTION_BYTES,
            Self::Refused => REFUSED,
            Self::DefinitionSpans => DEFINITION_SPANS,
            Self::Imports => IMPORTS,
            Self::Comments => COMMENTS,
            Self::Docstrings => DOCSTRINGS,
        }
    }

    /// Whether it says where in the text something is, so that a change of the text makes it wrong.
    pub fn is_spans(self) -> bool {
        self >= Self::DefinitionSpans
    }

    /// The column's field.
    pub(super) fn field(self) -> Field {
        let items = match self {
            Self::DefinitionSpans => definition_fields(),
            Self::Imports | Self::Comments | Self::Docstrings => span_fields(),
            _ => return Field::new(self.column(), DataType::UInt64, true),
        };
        let item = Field::new_list_field(DataType::Struct(items), true);
        Field::new(self.column(), DataType::List(Arc::new(item)), true)
    }

    fn number(self, facts: &SyntaxFacts) -> Option<u64> {
        match self {
            Self::ErrorBytes => facts.error_bytes,
            Self::Nodes => facts.nodes,
            Self::Nesting => facts.nesting,
            Self::Definitions => facts.definitions,
            Self::Calls => facts.calls,
            Self::FunctionLines => facts.function_lines,
            Self::FunctionBytes => facts.function_bytes,
            Self::Refused => facts.refused,
            Self::DefinitionSpans | Self::Imports | Self::Comments | Self::Docstrings => None,
        }
    }

    fn spans(self, facts: &SyntaxFacts) -> Option<&[Span]> {
        match self {
            Self::Imports => facts.imports.as_deref(),
            Self::Comments => facts.comments.as_deref(),
            Self::Docstrings => facts.docstrings.as_deref(),
            _ => None,
        }
    }

    /// Its column for files with these facts.
    pub(super) fn array(self, told: &[Option<SyntaxFacts>]) -> ArrayRef {
        let told = || told.iter().map(Option::as_ref);
        match self {
            Self::DefinitionSpans => definition_array(told().map(|facts| facts?.definition_spans.as_deref())),
            Self::Imports | Self::Comments | Self::Docstrings => span_array(told().map(|facts| self.spans(facts?))),
            _ => Arc::new(told().map(|facts| self.number(facts?)).collect::<UInt64Array>()),
        }
    }
}

fn span_fields() -> Fields {
    let number = |name: &str| Field::new(name, DataType::UInt32, false);
    [number("start"), number("end")].into_iter().collect()
}

fn definition_fields() -> Fields {
    let number = |name: &str| Field::new(name, DataType::UInt32, false);
    [
        Field::new("kind", DataType::Utf8, false),
        number("start"),
        number("end"),
        number("name_start"),
        number("name_end"),
    ]
    .into_iter()
    .collect()
}

fn push_numbers(row: &mut StructBuilder, first: usize, numbers: &[u32]) {
    for (at, number) in numbers.iter().enumerate() {
        if let Some(builder) = row.field_builder::<UInt32Builder>(first + at) {
            builder.append_value(*number);
        }
    }
    row.append(true);
}

fn span_array<'a>(files: impl Iterator<Item = Option<&'a [Span]>>) -> ArrayRef {
    let mut list = ListBuilder::new(StructBuilder::from_fields(span_fields(), 0));
    for spans in files {
        for span in spans.unwrap_or_default() {
            push_numbers(list.values(), 0, &[span.start, span.end]);
        }
        list.append(spans.is_some());
    }
    Arc::new(list.finish())
}

fn definition_array<'a>(files: impl Iterator<Item = Option<&'a [Definition]>>) -> ArrayRef {
    let mut list = ListBuilder::new(StructBuilder::from_fields(definition_fields(), 0));
    for definitions in files {
        for Definition { kind, span, name } in definitions.unwrap_or_default() {
            if let Some(kinds) = list.values().field_builder::<StringBuilder>(0) {
                kinds.append_value(kind.as_str());
            }
            push_numbers(list.values(), 1, &[span.start, span.end, name.start, name.end]);
        }
        list.append(definitions.is_some());
    }
    Arc::new(list.finish())
}

/// A set of facts: what a parse is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FactSet(u16);

impl FactSet {
    /// All of them.
    pub fn all() -> Self {
        Fact::ALL.into_iter().collect()
    }

    /// The facts whose columns are among these.
    pub fn of_columns<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let facts = names.filter_map(|name| Fact::ALL.into_iter().find(|fact| fact.column() == name));
        facts.collect()
    }

    /// Whether a fact is asked for.
    pub fn has(self, fact: Fact) -> bool {
        self.0 & (1 << fact as u16) != 0
    }

    /// Whether any of these is asked for.
    pub fn has_any(self, facts: &[Fact]) -> bool {
        facts.iter().any(|fact| self.has(*fact))
    }

    /// Whether nothing is asked for.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The facts of the set, in the order of their columns.
    pub fn iter(self) -> impl Iterator<Item = Fact> {
        Fact::ALL.into_iter().filter(move |fact| self.has(*fact))
    }

    /// Those of either set.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set as bits, for the way to the worker.
    pub(super) fn bits(self) -> u16 {
        self.0
    }

    /// The set that has these bits.
    pub(super) fn from_bits(bits: u16) -> Self {
        Self(bits)
    }
}

impl FromIterator<Fact> for FactSet {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Self {
        Self(facts.into_iter().fold(0, |bits, fact| bits | (1 << fact as u16)))
    }
}

/// What [`crate::Parse`] left in a batch.
pub(crate) struct SyntaxColumns<'a> {
    numbers: Vec<(Fact, &'a UInt64Array)>,
    lists: Vec<(Fact, &'a ListArray)>,
}

impl<'a> SyntaxColumns<'a> {
    /// Those columns of `record` that are there.
    pub(crate) fn new(record: &'a RecordBatch) -> Result<Self> {
        let there = || {
            Fact::ALL
                .into_iter()
                .filter(|fact| record.column_by_name(fact.column()).is_some())
        };
        let numbers = there().filter(|fact| !fact.is_spans());
        let lists = there().filter(|fact| fact.is_spans());
        Ok(Self {
            numbers: numbers
                .map(|fact| Ok((fact, columns::u64s(record, fact.column())?)))
                .collect::<Result<_>>()?,
            lists: lists
                .map(|fact| Ok((fact, columns::typed(record, fact.column())?)))
                .collect::<Result<_>>()?,
        })
    }

    /// The facts of a row; `None` where it was not parsed.
    pub(crate) fn facts(&self, i: usize, file: FileRow<'_>) -> Option<SyntaxFacts> {
        let mut facts = SyntaxFacts::default();
        for (fact, column) in self.numbers.iter().filter(|(_, column)| column.is_valid(i)) {
            let slot = match fact {
                Fact::ErrorBytes => &mut facts.error_bytes,
                Fact::Nodes => &mut facts.nodes,
                Fact::Nesting => &mut facts.nesting,
                Fact::Definitions => &mut facts.definitions,
                Fact::Calls => &mut facts.calls,
                Fact::FunctionLines => &mut facts.function_lines,
                Fact::Refused => &mut facts.refused,
                _ => &mut facts.function_bytes,
            };
            *slot = Some(column.value(i));
        }
        for (fact, column) in self.lists.iter().filter(|(_, column)| column.is_valid(i)) {
            let rows = column.value(i);
            match fact {
                Fact::Imports => facts.imports = Some(spans_of(&rows, 0)),
                Fact::Comments => facts.comments = Some(spans_of(&rows, 0)),
                Fact::Docstrings => facts.docstrings = Some(spans_of(&rows, 0)),
                _ => facts.definition_spans = Some(definitions_of(&rows)),
            }
        }
        (facts != SyntaxFacts::default()).then(|| SyntaxFacts {
            bytes: file.text().len() as u64,
            ..facts
        })
    }
}

/// The spans in two columns of `rows`, from `first` on.
fn spans_of(rows: &ArrayRef, first: usize) -> Vec<Span> {
    let column = |at: usize| rows.as_struct().column(at).as_primitive::<UInt32Type>().values();
    let pairs = column(first).iter().zip(column(first + 1));
    pairs
        .map(|(start, end)| Span {
            start: *start,
            end: *end,
        })
        .collect()
}

fn definitions_of(rows: &ArrayRef) -> Vec<Definition> {
    let kinds = rows.as_struct().column(0).as_string::<i32>();
    let kind = |word: Option<&str>| DefinitionKind::ALL.into_iter().find(|kind| Some(kind.as_str()) == word);
    let places = spans_of(rows, 1).into_iter().zip(spans_of(rows, 3));
    let definitions = kinds.iter().zip(places);
    definitions
        .filter_map(|(word, (span, name))| {
            Some(Definition {
                kind: kind(word)?,
                span,
                name,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_what_was_put_in() {
        let set: FactSet = [Fact::Calls, Fact::Docstrings].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [Fact::Calls, Fact::Docstrings]);
        assert_eq!(FactSet::from_bits(set.bits()), set);
        assert_eq!(FactSet::of_columns([CALLS, "content", DOCSTRINGS].into_iter()), set);
        assert_eq!(FactSet::all().iter().collect::<Vec<_>>(), Fact::ALL);
        assert!(FactSet::default().is_empty() && !FactSet::default().has_any(&Fact::ALL));
    }

    #[test]
    fn facts_survive_the_way_through_columns() {
        let span = |start, end| Span { start, end };
        let told = SyntaxFacts {
            bytes: 9,
            error_bytes: Some(0),
            nodes: Some(2),
            nesting: Some(3),
            definitions: Some(4),
            calls: Some(5),
            function_lines: Some(6),
            function_bytes: Some(7),
            refused: Some(8),
            definition_spans: Some(vec![Definition {
                kind: DefinitionKind::Macro,
                span: span(0, 9),
                name: span(2, 3),
            }]),
            imports: Some(vec![]),
            comments: Some(vec![span(1, 2), span(4, 8)]),
            docstrings: None,
        };
        let files = [Some(told.clone()), None];
        let sample = crate::Sample::text("123456789").batch().expect("a batch");
        let record = sample.record();
        let rows = arrow_select::concat::concat_batches(&record.schema(), [record, record]).expect("one schema");
        let mut batch = stackmill_schemas::FileBatch::new(rows).expect("ids");
        for fact in Fact::ALL {
            batch = batch
                .with_column(fact.field(), fact.array(&files))
                .expect("a new column");
        }
        let columns = SyntaxColumns::new(batch.record()).expect("columns of their types");
        let rows = stackmill_schemas::FileColumns::new(batch.record()).expect("columns");
        assert_eq!(columns.facts(0, rows.row(0)), Some(told));
        assert_eq!(columns.facts(1, rows.row(1)), None);
    }
}
