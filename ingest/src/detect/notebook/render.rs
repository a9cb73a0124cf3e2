//! A notebook as one text.

use super::document::{Cell, Document, Kind};
use super::languages;

/// Stands for an output that is empty, or too long. Source: StarCoder's vocabulary.
const NO_OUTPUT: &str = "<empty_output>";

/// A program: cells with an empty line between them.
pub(super) fn script(document: &Document) -> String {
    let comment = languages::comment(document.language);
    let is_python = document.language == Some("Python");
    let mut out = String::new();
    for cell in document.cells.iter().filter(|cell| !cell.text.trim().is_empty()) {
        if !out.is_empty() {
            out.push('\n');
        }
        let is_foreign = is_python && cell.text.trim_start().starts_with("%%");
        for line in cell.text.trim_end().split('\n') {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let is_magic = is_python && line.trim_start().starts_with(['%', '!']);
            match cell.kind {
                Kind::Code if !is_foreign && !is_magic => out.push_str(line),
                _ => push_comment(&mut out, comment, line),
            }
            out.push('\n');
        }
    }
    out
}

fn push_comment(out: &mut String, comment: &str, line: &str) {
    out.push_str(comment);
    if !line.is_empty() {
        out.push(' ');
        out.push_str(line);
    }
}

/// Text, code and output in turn. Neighbours of one kind are one; of their outputs the last counts.
pub(super) fn structured(document: &Document, most: usize) -> String {
    let cells: Vec<&Cell> = document
        .cells
        .iter()
        .filter(|cell| !cell.text.trim().is_empty())
        .collect();
    let mut out = "<jupyter_start>".to_owned();
    for neighbours in cells.chunk_by(|a, b| (a.kind == Kind::Code) == (b.kind == Kind::Code)) {
        let texts: Vec<&str> = neighbours.iter().map(|cell| cell.text.trim_end()).collect();
        let is_code = neighbours[0].kind == Kind::Code;
        out.push_str(if is_code { "<jupyter_code>" } else { "<jupyter_text>" });
        out.push_str(&texts.join("\n"));
        if is_code {
            let output = neighbours.last().map_or("", |cell| cell.output.trim());
            let is_short = !output.is_empty() && output.chars().nth(most).is_none();
            out.push_str("<jupyter_output>");
            out.push_str(if is_short { output } else { NO_OUTPUT });
        }
    }
    out
}
