//! The Map `headers`: comments at the top of a file that say nothing but copyright and license are taken out.
//!
//! ```text
//!   #!/usr/bin/env python            kept: interpreters read it
//!   # -*- coding: utf-8 -*-          kept
//!   # Copyright 2020 Somebody        ┐ a comment, or a run of line comments: out,
//!   # SPDX-License-Identifier: MIT   ┘ with the blank lines below it
//!
//!   # Turns apples into pears.       kept: it documents the code
//!   import apples                    here the top of the file ends
//! ```
//! A block goes as a whole or stays as a whole: it goes if at least one of its paragraphs is about copyright or a license,
//! and every other one is decoration, a file's name, or an author's. So does a run of line comments; where something else
//! is said in another paragraph of it, that one stays, and those go that leave no doubt. Comments for programs (`eslint`,
//! `go:build`, encodings, …), documentation in a form of its own (`///`, `#[…]`), code in front of or beside a comment, and
//! everything below the first line of code stay. Every loop goes over the top of the file once.
//!
//! Why: nine tenths of such headers are the same few texts, which a model learns by heart and writes in front of
//! everything. StarCoder (Li et al. 2023, arXiv 2305.06161) and OpenCoder (Huang et al. 2024, arXiv 2411.04905) take
//! them out, too; the words below are ours.

mod comments;
mod phrases;
mod rights;

use std::ops::Range;
use std::sync::Arc;

use arrow_array::{Array, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Error, FileBatch, FileColumns, Result, TaskContext, columns};

pub use comments::languages;
use comments::{Comment, is_directive, is_modeline};
use phrases::{ABBREVIATIONS, CERTAIN, CLAIMS, CLAUSES, LEGAL, OPENINGS, OWN_LINES, WEAK};

/// Name of the stage in recipes.
const STAGE: &str = "headers";

/// Settings of the stage `headers`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct HeadersConfig {
    /// Whether comments about copyright and licenses are taken out of the top of files.
    pub strip: bool,
}

impl HeadersConfig {
    /// The stage, if it does anything.
    pub fn build(&self) -> Option<Headers> {
        self.strip.then_some(Headers)
    }
}

/// Takes headers out of `content` and adds the column `header_bytes`.
#[derive(Clone, Copy, Debug)]
pub struct Headers;

impl Headers {
    /// The text without its header, and how many bytes are gone; none where nothing is taken out.
    ///
    /// ```
    /// use stackmill_filters::Headers;
    ///
    /// let text = "#!/bin/sh\n# Copyright 2020 Somebody\n\n# Says hello.\necho hello\n";
    /// let stripped = Headers::strip("Shell", text);
    /// assert_eq!(stripped.as_deref(), Some("#!/bin/sh\n# Says hello.\necho hello\n"));
    /// assert_eq!(Headers::strip("Markdown", "<!-- Copyright 2020 -->\n# Title\n"), None);
    /// ```
    pub fn strip(language: &str, text: &str) -> Option<String> {
        let syntax = comments::of(language)?;
        let (mut at, mut gone) = (0, Vec::new());
        loop {
            at += preamble(&text[at..]);
            // What stands before `<?php` is no code.
            if syntax.opened && !text[..at].contains("<?") {
                break;
            }
            at += blank(&text[at..]);
            let Some(comment) = syntax.comment(&text[at..]) else {
                break;
            };
            let end = at + comment.length;
            if comment.plain {
                gone.extend(headers(&comment).into_iter().map(|range| match at + range.end == end {
                    true if range.start == 0 => at..end + blank(&text[end..]),
                    _ => at + range.start..at + range.end,
                }));
            }
            at = end;
        }
        let mut rest = String::with_capacity(text.len());
        let mut from = 0;
        for range in &gone {
            // Empty lines between two paragraphs may be of both.
            rest.push_str(&text[from..range.start.max(from)]);
            from = range.end;
        }
        rest.push_str(&text[from..]);
        (!gone.is_empty()).then_some(rest)
    }
}

/// Bytes of blank lines.
fn blank(text: &str) -> usize {
    let lines = text.split_inclusive('\n').take_while(|line| line.trim().is_empty());
    lines.filter(|line| line.ends_with('\n')).map(str::len).sum()
}

/// Bytes of lines at the top that programs read: a mark of the encoding, an interpreter, a document's type, `<?php`.
fn preamble(text: &str) -> usize {
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let first = text[at..].split_inclusive('\n').next().unwrap_or_default();
    if first.starts_with("#!") && !first.starts_with("#![") {
        at += first.len();
    }
    for line in text[at..].split_inclusive('\n') {
        let words = line.trim().to_ascii_lowercase();
        let known = ["<?xml", "<!doctype", "@charset"]
            .iter()
            .any(|word| words.starts_with(word));
        let whole = (words.ends_with('>') || words.ends_with(';')) && !words.contains("<!--") && !words.contains("/*");
        let opens = matches!(words.as_str(), "<?php" | "<?hh" | "<?hh // strict" | "@echo off");
        if !(known && whole || opens) {
            break;
        }
        at += line.len();
    }
    at
}

/// What a paragraph is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum About {
    License,
    Nothing,
    Else,
}

/// The bytes of a comment that say nothing but copyright and license: all of it, some paragraphs, or none.
fn headers(comment: &Comment<'_>) -> Vec<Range<usize>> {
    let mut found = false;
    let paragraphs: Vec<(Range<usize>, About)> = paragraphs(&comment.lines)
        .map(|lines| {
            let about = about(&comment.lines[lines.clone()], found);
            found |= about == About::License;
            (lines, about)
        })
        .collect();
    let all = paragraphs.iter().all(|(_, about)| *about != About::Else);
    match (found, all) {
        (false, _) => Vec::new(),
        (true, true) => std::iter::once(0..comment.length).collect(),
        (true, false) => paragraphs
            .chunk_by(|(_, one), (_, other)| (*one == About::Else) == (*other == About::Else))
            .filter_map(|chunk| license_of(chunk, &comment.lines))
            .filter_map(|lines| comment.bytes(with_empty_lines(&comment.lines, lines)))
            .collect(),
    }
}

/// From the first to the last paragraph of a license, where one of them leaves no doubt.
fn license_of(chunk: &[(Range<usize>, About)], lines: &[&str]) -> Option<Range<usize>> {
    let licenses = || chunk.iter().filter(|(_, about)| *about == About::License);
    let certain = licenses().any(|(paragraph, _)| is_certain(&lines[paragraph.clone()]));
    let (first, last) = (licenses().next()?, licenses().next_back()?);
    certain.then_some(first.0.start..last.0.end)
}

/// Runs of lines that are no decoration.
fn paragraphs<'a>(lines: &'a [&str]) -> impl Iterator<Item = Range<usize>> + 'a {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += lines[at..].iter().take_while(|line| is_decoration(line)).count();
        let start = at;
        at += lines[at..].iter().take_while(|line| !is_decoration(line)).count();
        (at > start).then_some(start..at)
    })
}

/// A paragraph with the empty lines below it, or above the last one.
fn with_empty_lines(lines: &[&str], paragraph: Range<usize>) -> Range<usize> {
    let empty = |line: &&&str| line.is_empty();
    let below = lines[paragraph.end..].iter().take_while(empty).count();
    let end = paragraph.end + below;
    match end == lines.len() {
        true => paragraph.start - lines[..paragraph.start].iter().rev().take_while(empty).count()..end,
        false => paragraph.start..end,
    }
}

/// Whether a paragraph is a copyright or a license itself, and not about one.
fn is_certain(paragraph: &[&str]) -> bool {
    let lower = paragraph.join(" ").to_lowercase();
    let claims = |line: &&str| CLAIMS.iter().any(|word| line.to_lowercase().starts_with(word));
    paragraph.iter().any(claims) || CERTAIN.iter().any(|phrase| lower.contains(phrase))
}

fn is_decoration(line: &str) -> bool {
    !line.chars().any(char::is_alphanumeric)
}

/// What a paragraph is about; once a license was found above it, words of the law are more of it.
fn about(paragraph: &[&str], mut found: bool) -> About {
    if paragraph.iter().any(|line| is_directive(line)) {
        return About::Else;
    }
    let lines: Vec<&str> = paragraph.iter().filter(|line| !is_modeline(line)).copied().collect();
    let mut about = About::Nothing;
    if found && matches!(paragraph, ["or" | "and" | "and/or"]) {
        return About::Nothing;
    }
    // A title may stand above the law without a full stop.
    let opening = lines.iter().find(|line| !is_credit(line));
    let opens = |line: &&str| {
        let lower = line.to_lowercase();
        let holds = [CLAUSES, LEGAL, WEAK].iter().any(|phrases| holds_any(&lower, phrases));
        holds || rights::states(line) || OPENINGS.iter().any(|words| lower.starts_with(words))
    };
    if !opening.is_none_or(opens) {
        return About::Else;
    }
    // A name may go on below a claim; what it is, is told by what comes next.
    let (mut above, mut is_open) = (String::new(), false);
    for sentence in sentences(&lines) {
        let lower = sentence.to_lowercase();
        let is_more = || holds_any(&lower, CLAUSES) || found && rights::goes_on(&lower);
        if rights::states(&sentence) || !rights::tells(&lower) && is_more() {
            (about, found, is_open) = (About::License, true, false);
        } else if !is_credit(&sentence) {
            is_open |= !rights::is_rest(&above, &sentence);
            if about == About::Nothing || is_open && !rights::may_be_name(&sentence) {
                return About::Else;
            }
        }
        above = sentence;
    }
    if is_open { About::Else } else { about }
}

fn holds_any(text: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| text.contains(phrase))
}

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The sentences of a paragraph: a line that begins with a copyright is one for itself.
fn sentences(lines: &[&str]) -> Vec<String> {
    let mut sentences = vec![String::new()];
    let longest = lines.iter().map(|line| line.len()).max().unwrap_or_default();
    let mut is_short = false;
    for line in lines {
        // Nobody breaks a line early in the middle of a sentence, and goes on with a capital; nor does one of a license
        // go on with what code does.
        let goes_on = !is_short && !rights::tells(&line.to_lowercase());
        if !goes_on && line.starts_with(char::is_uppercase) {
            sentences.push(String::new());
        }
        is_short = line.len() < longest / 2;
        let lower = line.to_lowercase();
        let alone = OWN_LINES.iter().any(|word| lower.starts_with(word)) || is_credit(line);
        if alone {
            sentences.push((*line).to_owned());
            sentences.push(String::new());
            continue;
        }
        for word in line.split_whitespace() {
            let ends = |word: &str| {
                let word = word.to_lowercase();
                let bare = word.trim_end_matches(['.', '"', ')', '\'']);
                word.len() > bare.len() && word.contains('.') && bare.len() > 3 && !ABBREVIATIONS.contains(&bare)
            };
            if let Some(last) = sentences.last_mut() {
                last.push_str(word);
                last.push(' ');
            }
            if ends(word) {
                sentences.push(String::new());
            }
        }
    }
    sentences.retain(|sentence| !sentence.trim().is_empty());
    sentences
}

/// Whether a line is a file's name, an address, or says who wrote it.
fn is_credit(line: &str) -> bool {
    let lower = line.to_lowercase();
    let named = [
        "author",
        "@author",
        "written by",
        "created by",
        "contact",
        "maintainer",
        "email",
        "e-mail",
        "url:",
        "homepage",
        "www:",
        "web:",
        "website",
        "part of ",
        "contributed by",
        "contributed to",
        "modified by",
        "originally written by",
        "maintained by",
        "@date",
        "@version",
        "originally from",
        "version:",
    ];
    let file = words(line) == 1 && line.contains('.') && !line.ends_with('.');
    is_decoration(line) || file || words(line) <= 12 && named.iter().any(|word| lower.starts_with(word))
}

/// The column `header_bytes`.
fn header_field() -> Field {
    Field::new(columns::HEADER_BYTES, DataType::UInt64, true)
}

impl Map for Headers {
    fn name(&self) -> &str {
        STAGE
    }

    fn schema(&self, input: &Schema) -> Result<SchemaRef> {
        crate::stage::text_content(input)?;
        if input.field_with_name(columns::LANGUAGE).is_err() {
            return Err(Error::schema("stage `headers` needs column `language`"));
        }
        let fields = input.fields().iter().cloned().chain([Arc::new(header_field())]);
        Ok(Arc::new(Schema::new(fields.collect::<Vec<_>>())))
    }

    fn open(&self, _: &TaskContext) -> Result<Box<dyn MapTask>> {
        Ok(Box::new(*self))
    }
}

impl MapTask for Headers {
    fn map(&mut self, batch: FileBatch) -> Result<FileBatch> {
        let files = FileColumns::new(batch.record())?;
        let stripped: Vec<Option<String>> = (0..batch.num_rows())
            .map(|i| {
                let file = batch.is_kept(i).then(|| files.row(i))?;
                Self::strip(file.language()?, file.text())
            })
            .collect();
        let texts = columns::strings(batch.record(), columns::CONTENT)?;
        let bytes: UInt64Array = (0..batch.num_rows())
            .map(|i| {
                let length = |text: &String| files.row(i).text().len() - text.len();
                batch.is_kept(i).then(|| stripped[i].as_ref().map_or(0, length) as u64)
            })
            .collect();
        let content = match stripped.iter().any(Option::is_some) {
            true => (0..batch.num_rows())
                .map(|i| {
                    stripped[i]
                        .as_deref()
                        .or_else(|| texts.is_valid(i).then(|| texts.value(i)))
                })
                .collect::<StringArray>(),
            false => texts.clone(),
        };
        batch
            .replace_content(content)?
            .with_column(header_field(), Arc::new(bytes))
    }
}

#[cfg(test)]
mod tests;
