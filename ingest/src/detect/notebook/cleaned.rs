//! A notebook as the program that The Stack v2 makes of Kaggle's.
//!
//! ```text
//!   neighbours of one kind are one ──► code      no line of a shell or for IPython, none of boilerplate, none too long, none empty
//!                                  ──► Markdown  no tags, no empty lines; behind `# `; behind an empty line; never the end
//! ```
//! Neighbours count as one where the former shows no text. An empty line follows what defines a function.
//!
//! Source: `kaggle/utils/processing_utils.py` of bigcode-project/the-stack-v2; the lists of words are its. There, which text
//! counts as none is drawn: one of five.

use super::document::{Cell, Document, Kind};

/// Longest line of code, in characters.
const LONGEST_LINE: usize = 600;
/// What the lines of a shell and of IPython begin with.
const COMMANDS: &[&str] = &["%", "!", "cd ", "pip ", "apt ", "wget "];
/// What lines of code hold that Kaggle wrote.
const CODE_BOILERPLATE: &[&str] = &[
    "This Python 3 environment comes",
    "here's several helpful packages to load",
    "defined by the kaggle/python docker image",
    "defined by the kaggle/python Docker image",
    "Copyright (C)",
];
/// What texts hold that Kaggle wrote.
const TEXT_BOILERPLATE: &[&str] = &[
    "IntroductionGreetings from the Kaggle bot!",
    "Kaggle bot",
    "Kaggle kerneler bot",
    "automatically-generated",
    "clicking run or pressing Shift+Enter",
    "https://www.kaggle.com/learn/python",
    "Thank You",
];

/// A program.
pub(super) fn script(document: &Document) -> String {
    let blocks = blocks(&document.cells);
    let wanted = match blocks.as_slice() {
        [wanted @ .., (Kind::Text, _)] => wanted,
        all => all,
    };
    let mut out = String::new();
    for (kind, text) in wanted {
        let text = match kind {
            Kind::Code => code(text),
            Kind::Text => comments(text),
            Kind::Raw => continue,
        };
        if !text.is_empty() {
            out.push_str(if *kind == Kind::Text { "\n" } else { "" });
            out.push_str(&text);
            out.push_str(if text.contains("def ") { "\n\n" } else { "\n" });
        }
    }
    out
}

/// Neighbours of one kind as one, where the former shows nothing.
fn blocks(cells: &[Cell]) -> Vec<(Kind, String)> {
    let cells: Vec<&Cell> = cells.iter().filter(|cell| !cell.text.is_empty()).collect();
    let groups = cells.chunk_by(|a, b| a.kind == b.kind && a.output.trim_matches('\n').is_empty());
    let texts = |group: &[&Cell]| {
        group
            .iter()
            .map(|cell| cell.text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    };
    groups.map(|group| (group[0].kind, texts(group))).collect()
}

fn code(text: &str) -> String {
    let is_wanted = |line: &&str| {
        let bare = line.trim();
        !(bare.is_empty()
            || COMMANDS.iter().any(|command| bare.starts_with(command))
            || CODE_BOILERPLATE.iter().any(|phrase| bare.contains(phrase))
            || bare.chars().nth(LONGEST_LINE).is_some())
    };
    text.split('\n').filter(is_wanted).collect::<Vec<_>>().join("\n")
}

fn comments(text: &str) -> String {
    let text = without_tags(text).replace("\r\n", "\n");
    if text.is_empty() || TEXT_BOILERPLATE.iter().any(|phrase| text.contains(phrase)) {
        return String::new();
    }
    // A run of line ends is one, also before the first line and behind the last.
    let empty = |is_there: bool| is_there.then_some("");
    let inner = text.split('\n').filter(|line| !line.is_empty());
    let lines = empty(text.starts_with('\n'))
        .into_iter()
        .chain(inner)
        .chain(empty(text.ends_with('\n')));
    let lines: Vec<String> = lines.map(|line| format!("# {}", line.trim())).collect();
    lines.join("\n")
}

/// Without what stands between `<` and the next `>` of the same line.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        while let Some((before, behind)) = rest.split_once('<')
            && let Some((_, after)) = behind.split_once('>')
        {
            out.push_str(before);
            rest = after;
        }
        out.push_str(rest);
    }
    out
}
