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
//! A comment goes as a whole or stays as a whole: it goes if at least one of its paragraphs is about copyright or a
//! license, and every other one is decoration, a file's name, or an author's. Comments for programs (`eslint`, `go:build`,
//! encodings, …), documentation in a form of its own (`///`, `#[…]`), code in front of or beside a comment, and everything
//! below the first line of code stay. Every loop goes over the top of the file once.
//!
//! Why: nine tenths of such headers are the same few texts, which a model learns by heart and writes in front of
//! everything. StarCoder (Li et al. 2023, arXiv 2305.06161) and OpenCoder (Huang et al. 2024, arXiv 2411.04905) take
//! them out, too; the words below are ours.

mod comments;

use std::sync::Arc;

use arrow_array::{Array, StringArray, UInt64Array};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};

use stackmill_schemas::stage::{Map, MapTask};
use stackmill_schemas::{Error, FileBatch, FileColumns, Result, TaskContext, columns};

pub use comments::languages;
use comments::{Comment, is_directive, is_modeline};

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
            if comment.plain && is_header(&comment) {
                gone.push(at..end + blank(&text[end..]));
            }
            at = end;
        }
        let mut rest = String::with_capacity(text.len());
        let mut from = 0;
        for range in &gone {
            rest.push_str(&text[from..range.start]);
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
        let whole = words.ends_with('>') || words.ends_with(';');
        if !(known && whole && !words.contains("<!--") && !words.contains("/*") || words == "<?php" || words == "<?hh")
        {
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

/// Whether a comment is about copyright and licenses, and nothing else.
fn is_header(comment: &Comment<'_>) -> bool {
    let mut found = false;
    for paragraph in comment.lines.split(|line| is_decoration(line)) {
        match about(paragraph) {
            About::License => found = true,
            About::Nothing => {}
            About::Else => return false,
        }
    }
    found
}

fn is_decoration(line: &str) -> bool {
    !line.chars().any(char::is_alphanumeric)
}

fn about(paragraph: &[&str]) -> About {
    if paragraph.iter().any(|line| is_directive(line)) {
        return About::Else;
    }
    let lines: Vec<&str> = paragraph.iter().filter(|line| !is_modeline(line)).copied().collect();
    let mut about = About::Nothing;
    for sentence in sentences(&lines) {
        if LICENSES.iter().chain(CLAUSES).any(|phrase| sentence.contains(phrase)) {
            about = About::License;
        } else if !is_credit(&sentence) && (about == About::Nothing || words(&sentence) > LONGEST_REST) {
            return About::Else;
        }
    }
    about
}

/// Words of a rest that may follow a line about copyright without saying anything: the end of a long name.
const LONGEST_REST: usize = 3;

fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

/// The sentences of a paragraph in lower case: a line that begins with a copyright is one for itself.
fn sentences(lines: &[&str]) -> Vec<String> {
    let mut sentences = vec![String::new()];
    for line in lines {
        let lower = line.to_lowercase();
        let alone = OWN_LINES.iter().any(|word| lower.starts_with(word)) || is_credit(line);
        if alone {
            sentences.push(lower);
            sentences.push(String::new());
            continue;
        }
        for word in lower.split_whitespace() {
            let ends = |word: &str| {
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

/// What a line begins with that is a sentence for itself.
const OWN_LINES: &[&str] = &[
    "copyright",
    "(c)",
    "©",
    "spdx-",
    "@license",
    "@copyright",
    "\\copyright",
    ":copyright:",
    "license:",
];

/// Words with a dot that end no sentence.
const ABBREVIATIONS: &[&str] = &["corp", "dept", "univ", "prof", "e.g", "i.e"];

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
    ];
    let file = words(line) == 1 && line.contains('.') && !line.ends_with('.');
    is_decoration(line) || file || words(line) <= 12 && named.iter().any(|word| lower.starts_with(word))
}

/// Phrases that a paragraph about copyright or a license has.
const LICENSES: &[&str] = &[
    "copyright",
    "(c) 19",
    "(c) 20",
    "© 19",
    "© 20",
    "spdx-license-identifier",
    "spdx-filecopyrighttext",
    "all rights reserved",
    "licensed under",
    "licensed to the apache",
    "permission is hereby granted",
    "permission to use, copy, modify",
    "redistribution and use in source",
    "this source code is licensed",
    "governed by a bsd-style",
    "governed by an mit-style",
    "this source code form is subject to the terms",
    "this program is free software",
    "this library is free software",
    "this file is free software",
    "this software is free software",
    "is free software: you can redistribute",
    "is free software; you can redistribute",
    "this file is part of",
    "dual licensed",
    "dual-licensed",
    "public domain",
    "released under the",
    "distributed under the terms",
    "distributed under the boost",
    "subject to the license",
    "license: ",
    "@license",
    "license agreement",
    "under the mit license",
    "under the apache license",
    "mit license",
    "bsd license",
    "apache license",
    "general public license",
    "mozilla public license",
    "eclipse public license",
    "boost software license",
    "creative commons",
    "cc0",
    "unlicense",
    "this work is licensed",
    "proprietary and confidential",
    "this software is provided",
];

/// Phrases of the other paragraphs of such texts.
const CLAUSES: &[&str] = &[
    "you may not use this file except",
    "you may obtain a copy",
    "unless required by applicable law",
    "you should have received a copy",
    "without even the implied warranty",
    "without warranties or conditions",
    "redistributions of source code must",
    "redistributions in binary form must",
    "neither the name",
    "without any express or",
    "the above copyright notice",
    "the software is provided",
    "this software is provided by",
    "in no event shall",
    "in no event will",
    "the origin of this software must not",
    "altered source versions must",
    "this notice may not be removed",
    "as published by the free software foundation",
    "see the license for the specific",
    "free software foundation, inc",
    "see the file license",
    "see license",
    "see the license",
    "license file",
    "copying file",
    "full license",
    "www.apache.org/licenses",
    "opensource.org/licenses",
    "www.gnu.org/licenses",
    "mozilla.org/mpl",
    "you can obtain one at",
    "as is\" without warranty",
    "without warranty of any kind",
    "without any warranty",
    "see the notice file",
    "contributor license agreements",
    "you may choose",
    "prior written permission",
    "this permission notice",
    "granted to anyone to use this software",
    "acknowledg",
    "all such copies",
    "version 2.0 (the \"license\")",
];

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
