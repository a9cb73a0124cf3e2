//! The parts of a notebook that count: its cells, their outputs as text, and the language.
//!
//! ```text
//!   nbformat 4      {cells: [{cell_type, source, outputs: [{text | data: {"text/plain"}}]}], metadata: {kernelspec, …}}
//!   nbformat 2, 3   {worksheets: [{cells: [{cell_type, input | source, outputs: [{text}]}]}]}
//! ```
//! A text may be written as one, or as a list of lines.
//!
//! Source: the schemas `nbformat.v4.schema.json` and `nbformat.v3.schema.json` of the Jupyter project.

use serde::Deserialize;

use super::languages;

/// Most cells of a notebook.
const MOST_CELLS: usize = 100_000;

/// What a cell is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Code,
    /// Markdown and headings.
    Text,
    /// What is handed on as it is, and anything else.
    Raw,
}

/// A cell.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) kind: Kind,
    pub(super) text: String,
    /// Its outputs as text, one after the other.
    pub(super) output: String,
}

/// A notebook.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) cells: Vec<Cell>,
    /// Linguist's name of the language.
    pub(super) language: Option<&'static str>,
}

impl Document {
    /// Reads a notebook, or says why it is none.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let raw = Self::read(text).map_err(|error| format!("not a notebook: {error}"))?;
        let is_old = raw.worksheets.is_some();
        let cells = match (raw.cells, raw.worksheets) {
            (Some(cells), _) => cells,
            (None, Some(sheets)) => sheets.into_iter().flat_map(|sheet| sheet.cells).collect(),
            (None, None) => return Err("not a notebook: it has no cells".to_owned()),
        };
        if cells.len() > MOST_CELLS {
            return Err(format!("more than {MOST_CELLS} cells"));
        }
        let metadata = raw.metadata.unwrap_or_default();
        let of_cell = cells.iter().find_map(|cell| cell.language.as_deref());
        // Before the kernel was noted, there was one.
        let otherwise = is_old.then_some("python");
        let language = metadata
            .names()
            .chain(of_cell)
            .chain(otherwise)
            .find_map(languages::named);
        Ok(Self {
            cells: cells.into_iter().map(Cell::from).collect(),
            language,
        })
    }

    /// Python writes numbers that JSON does not have into outputs: they are taken for null.
    fn read(text: &str) -> serde_json::Result<RawDocument> {
        serde_json::from_str(text).or_else(|error| match without_bare_numbers(text) {
            Some(mended) => serde_json::from_str(&mended).map_err(|_| error),
            None => Err(error),
        })
    }

    /// Whether a code cell holds anything.
    pub(super) fn has_code(&self) -> bool {
        self.cells
            .iter()
            .any(|cell| cell.kind == Kind::Code && !cell.text.trim().is_empty())
    }
}

/// `text` with null for each `NaN`, `Infinity` and `-Infinity` outside strings, if there is any.
fn without_bare_numbers(text: &str) -> Option<String> {
    const NUMBERS: [&str; 3] = ["NaN", "Infinity", "-Infinity"];
    let (mut out, mut rest, mut is_string) = (String::new(), text, false);
    while let Some(at) = rest.find(['"', '\\', 'N', 'I', '-']) {
        let (before, behind) = rest.split_at(at);
        out.push_str(before);
        let number = NUMBERS.iter().find(|number| !is_string && behind.starts_with(**number));
        // What an escape escapes is one character of ASCII in a valid text.
        let length = match (number, behind.as_bytes()[0]) {
            (Some(number), _) => number.len(),
            (None, b'\\') if behind.is_char_boundary(2) => 2,
            _ => 1,
        };
        is_string ^= behind.starts_with('"');
        out.push_str(if number.is_some() { "null" } else { &behind[..length] });
        rest = &behind[length..];
    }
    out.push_str(rest);
    (out != text).then_some(out)
}

#[derive(Deserialize)]
struct RawDocument {
    cells: Option<Vec<RawCell>>,
    worksheets: Option<Vec<Sheet>>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Sheet {
    #[serde(default)]
    cells: Vec<RawCell>,
}

#[derive(Default, Deserialize)]
struct Metadata {
    language_info: Option<Info>,
    kernelspec: Option<Info>,
}

#[derive(Deserialize)]
struct Info {
    language: Option<String>,
    name: Option<String>,
}

impl Metadata {
    /// What may name the language, the surest first.
    fn names(&self) -> impl Iterator<Item = &str> {
        let [info, kernel] = [&self.language_info, &self.kernelspec].map(Option::as_ref);
        let names = [
            info.and_then(|info| info.name.as_deref()),
            kernel.and_then(|kernel| kernel.language.as_deref()),
            kernel.and_then(|kernel| kernel.name.as_deref()),
        ];
        names.into_iter().flatten()
    }
}

#[derive(Deserialize)]
struct RawCell {
    cell_type: String,
    source: Option<Lines>,
    input: Option<Lines>,
    language: Option<String>,
    #[serde(default)]
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    text: Option<Lines>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "text/plain")]
    plain: Option<Lines>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Lines {
    One(String),
    Many(Vec<String>),
}

impl Lines {
    fn joined(self) -> String {
        match self {
            Self::One(text) => text,
            Self::Many(lines) => lines.concat(),
        }
    }
}

impl From<RawCell> for Cell {
    fn from(raw: RawCell) -> Self {
        let outputs = raw.outputs.into_iter();
        let texts = outputs.filter_map(|output| output.text.or_else(|| output.data?.plain));
        Self {
            kind: match raw.cell_type.as_str() {
                "code" => Kind::Code,
                "markdown" | "heading" => Kind::Text,
                _ => Kind::Raw,
            },
            text: raw.source.or(raw.input).map(Lines::joined).unwrap_or_default(),
            output: texts.map(Lines::joined).collect::<Vec<_>>().join("\n"),
        }
    }
}
