//! Jupyter notebooks: JSON with cells becomes a script, or text, code and output in turn.
//!
//! ```text
//!   *.ipynb ─► document   cells of nbformat 2 to 4, and the language of the kernel
//!           ─► script     code as it is, Markdown as comments, magics commented out         language: the kernel's
//!           ─► cleaned    the same without magics, installations, boilerplate and empty lines            language: the kernel's
//!           ─► structured <jupyter_start><jupyter_text>…<jupyter_code>…<jupyter_output>…    language: as before
//! ```
//! The stage comes before `language`, so that rules, parsers and duplicates see code and not JSON. Ids, lengths and hashes
//! stay those of the file; its path stays `….ipynb`.
//!
//! Source: StarCoder (Li et al. 2023, arXiv 2305.06161), section 3.2, for `script` and `structured`; its model card for the
//! layout of the latter. The Stack v2 for `cleaned`: `kaggle` of bigcode-project/the-stack-v2.

mod cleaned;
mod document;
mod languages;
mod render;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{Array, StringArray};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use stackmill_schemas::file::Place;
use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{FileBatch, Outcome, Reason, Result, TaskContext, columns};

use self::document::Document;
use super::extended;

const STAGE: &str = "notebooks";

/// What a notebook becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Style {
    /// A program of the kernel's language: code cells as they are, Markdown as comments.
    #[default]
    Script,
    /// A program as The Stack v2 made it of Kaggle's notebooks: without magics, installations, boilerplate and empty lines; in
    /// Python where the kernel is not known.
    Cleaned,
    /// Text, code and output in turn, each behind its marker.
    Structured,
}

/// Settings of the stage `notebooks`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NotebookConfig {
    /// `script`, `cleaned` or `structured`.
    pub style: Style,
    /// Fewest cells of a notebook, empty ones counted. Default 1; The Stack v2 asks for 4.
    pub min_cells: usize,
    /// `structured`: longest output that is kept, in characters; longer ones count as empty. Default 1,000 (ours).
    pub max_output_characters: usize,
}

impl Default for NotebookConfig {
    fn default() -> Self {
        Self {
            style: Style::Script,
            min_cells: 1,
            max_output_characters: 1000,
        }
    }
}

/// What became of a notebook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Converted {
    /// Its text, and Linguist's name of the language that it is in, where it is a script in a known one.
    Text(String, Option<&'static str>),
    /// It has no code.
    NoCode,
    /// It has this many cells, which are too few.
    FewCells(usize),
    /// It is no notebook, and why.
    Malformed(String),
}

/// Converts the notebook that `text` is.
pub fn convert(text: &str, config: &NotebookConfig) -> Converted {
    let document = match Document::parse(text) {
        Ok(document) => document,
        Err(words) => return Converted::Malformed(words),
    };
    if !document.has_code() {
        return Converted::NoCode;
    }
    if document.cells.len() < config.min_cells {
        return Converted::FewCells(document.cells.len());
    }
    match config.style {
        Style::Script => Converted::Text(render::script(&document), document.language),
        Style::Cleaned => Converted::Text(cleaned::script(&document), document.language.or(Some("Python"))),
        Style::Structured => Converted::Text(render::structured(&document, config.max_output_characters), None),
    }
}

/// Replaces the `content` of notebooks and adds `notebook_language`, null for all other files.
///
/// A file that is no notebook in spite of its name fails (`malformed`), one without code, or with too few cells, is dropped
/// (`no-code`, `few-cells`).
#[derive(Clone, Debug)]
pub struct Notebooks {
    config: NotebookConfig,
}

impl Notebooks {
    /// The stage with these settings.
    pub fn new(config: NotebookConfig) -> Self {
        Self { config }
    }
}

fn added() -> Field {
    Field::new(columns::NOTEBOOK_LANGUAGE, DataType::Utf8, true)
}

impl Map for Notebooks {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        let needed = [(columns::PATH, DataType::Utf8), (columns::CONTENT, DataType::Utf8)];
        extended(input, &needed, vec![added()])
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(self.clone()))
    }
}

impl MapTask for Notebooks {
    fn map(&mut self, mut batch: FileBatch) -> Result<FileBatch> {
        let paths = columns::strings(batch.record(), columns::PATH)?.clone();
        let contents = columns::strings(batch.record(), columns::CONTENT)?.clone();
        let wanted = |batch: &FileBatch, i: usize| batch.is_kept(i) && contents.is_valid(i) && is_notebook(&paths, i);
        let rows = batch.num_rows();
        if !(0..rows).any(|i| wanted(&batch, i)) {
            return batch.with_column(added(), Arc::new(StringArray::new_null(rows)));
        }
        let mut content = StringBuilder::with_capacity(rows, contents.value_data().len());
        let mut languages = StringBuilder::new();
        for i in 0..rows {
            let converted = wanted(&batch, i).then(|| self.converted(&mut batch, i, contents.value(i)));
            match converted {
                None => {
                    content.append_option(contents.is_valid(i).then(|| contents.value(i)));
                    languages.append_null();
                }
                Some(converted) => {
                    content.append_option(converted.as_ref().map(|(text, _)| text));
                    languages.append_option(converted.and_then(|(_, language)| language));
                }
            }
        }
        let batch = batch.replace_content(content.finish())?;
        batch.with_column(added(), Arc::new(languages.finish()))
    }
}

impl Notebooks {
    /// Text and language of a notebook, or none and a decision.
    fn converted(&self, batch: &mut FileBatch, i: usize, text: &str) -> Option<(String, Option<&'static str>)> {
        let place = |rule| Place { stage: STAGE, rule };
        match convert(text, &self.config) {
            Converted::Text(text, language) => return Some((text, language)),
            Converted::NoCode => batch.decide(i, Outcome::Dropped, place("no-code"), Reason::default()),
            Converted::FewCells(cells) => {
                let reason = Reason::measured(cells as u64, self.config.min_cells as u64);
                batch.decide(i, Outcome::Dropped, place("few-cells"), reason);
            }
            Converted::Malformed(words) => {
                batch.decide(i, Outcome::Failed, place("malformed"), Reason::trouble(words));
            }
        }
        None
    }
}

fn is_notebook(paths: &StringArray, i: usize) -> bool {
    let ending = paths
        .is_valid(i)
        .then(|| paths.value(i))
        .and_then(|path| path.rsplit_once('.'));
    ending.is_some_and(|(_, ending)| ending.eq_ignore_ascii_case("ipynb"))
}
