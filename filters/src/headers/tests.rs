//! Headers that go, comments that stay; and properties over real code.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use stackmill_schemas::stage::MapTask as _;

use super::*;
use crate::Sample;

fn strip(language: &str, text: &str) -> String {
    Headers::strip(language, text).unwrap_or_else(|| text.to_owned())
}

const APACHE: &str = "Licensed under the Apache License, Version 2.0 (the \"License\");\nyou may not use this file except in compliance with the License.\nYou may obtain a copy of the License at\n\n    http://www.apache.org/licenses/LICENSE-2.0\n\nUnless required by applicable law or agreed to in writing, software\ndistributed under the License is distributed on an \"AS IS\" BASIS,\nWITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.\nSee the License for the specific language governing permissions and\nlimitations under the License.\n";

fn commented(text: &str, sign: &str) -> String {
    text.lines()
        .map(|line| format!("{}\n", format!("{sign} {line}").trim_end()))
        .collect()
}

#[test]
fn headers_go_in_every_kind_of_comment() {
    let lines = |sign: &str| commented(&format!("Copyright 2020 Somebody, Inc.\n\n{APACHE}"), sign);
    let block = |open: &str, close: &str| format!("{open}\n{}{close}\n", commented(APACHE, " *"));
    for (language, header, code) in [
        ("C", lines("//"), "#include <stdio.h>\nint main() {}\n"),
        ("C", block("/*", " */"), "#include <stdio.h>\n"),
        ("Java", block("/**", " */"), "package a;\n"),
        ("Rust", lines("//"), "#![allow(dead_code)]\n"),
        ("Rust", lines("//"), "#[derive(Debug)]\nstruct A;\n"),
        ("Python", lines("#"), "\"\"\"Documents.\"\"\"\nimport a\n"),
        ("Python", lines("####"), "import a\n"),
        ("SQL", lines("--"), "select 1;\n"),
        ("Haskell", block("{-", "-}"), "module A where\n"),
        ("Lua", block("--[[", "]]"), "return 1\n"),
        ("Emacs Lisp", lines(";;;"), "(defun a ())\n"),
        ("TeX", lines("%"), "\\documentclass{a}\n"),
        ("OCaml", block("(*", "*)"), "let a = 1\n"),
        ("HTML", block("<!--", "-->"), "<html></html>\n"),
        ("Ruby", block("=begin", "=end"), "puts 1\n"),
    ] {
        assert_eq!(
            strip(language, &format!("{header}\n{code}")),
            code,
            "{language}\n{header}"
        );
        assert_eq!(
            strip(language, &format!("\u{feff}{header}{code}")),
            format!("\u{feff}{code}"),
            "{language}"
        );
    }
}

/// Mutation: ask for a year, or for the name of a license on its own.
#[test]
fn banners_and_short_statements_go() {
    for (language, header) in [
        (
            "JavaScript",
            "/*! jQuery v3 | (c) JS Foundation and other contributors | jquery.org/license */",
        ),
        (
            "CSS",
            "/*! normalize.css v8.0.1 | MIT License | github.com/necolas/normalize.css */",
        ),
        ("JavaScript", "/* @license MIT */"),
        ("C", "// Copyright The Foo Authors.\n// SPDX-License-Identifier: MIT"),
        ("C", "/* Copyright (C) 1990,\n   1991 Somebody and\n   Others */"),
        ("Python", "# Copyright 2020 Somebody and\n# Foo Project"),
        (
            "C",
            "/* Copyright (c) 1985-2020, University of Nowhere\n                 XYZ, Nowhere\n   All rights reserved. */",
        ),
        ("Java", "// (c) 2020 Somebody\n// The MIT License (MIT)"),
    ] {
        assert_eq!(strip(language, &format!("{header}\nlast\n")), "last\n", "{header}");
    }
}

/// Mutation: take lines below a claim for the end of a long name.
#[test]
fn of_a_run_only_the_claim_goes_where_documentation_is_a_paragraph_below() {
    let text = "# Copyright 2020 Somebody\n#\n# usage: foo [-x]\nimport a\n";
    assert_eq!(strip("Python", text), "# usage: foo [-x]\nimport a\n");
}

#[test]
fn what_programs_read_stays_and_headers_below_it_go() {
    for (language, above, below) in [
        (
            "Python",
            "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\n",
            "import a\n",
        ),
        ("Ruby", "# frozen_string_literal: true\n\n", "puts 1\n"),
        ("PHP", "<?php\n", "echo 1;\n"),
        ("XML", "<?xml version=\"1.0\"?>\n", "<a/>\n"),
        ("HTML", "<!DOCTYPE html>\n", "<p>\n"),
        ("Swift", "// swift-tools-version:5.3\n", "import A\n"),
        ("JavaScript", "/* eslint-disable no-console */\n", "a();\n"),
        ("TypeScript", "// @ts-check\n", "a();\n"),
        ("Go", "//go:build linux\n\n", "package a\n"),
        ("Shell", "#!/bin/sh\n", "echo\n"),
        ("CSS", "@charset \"utf-8\";\n", "a {}\n"),
        ("YAML", "#cloud-config\n", "a: 1\n"),
        ("Racket", "", "#lang racket\n"),
    ] {
        let (open, close) = match language {
            "XML" | "HTML" => ("<!-- ", " -->"),
            "Ruby" | "Python" | "Shell" | "YAML" => ("# ", ""),
            "Racket" => ("; ", ""),
            _ => ("/* ", " */"),
        };
        let header = format!("{open}Copyright (c) 2020 Somebody. All rights reserved.{close}\n");
        assert_eq!(
            strip(language, &format!("{above}{header}\n{below}")),
            format!("{above}{below}"),
            "{language}"
        );
    }
}

/// What is no license, in the form of the language that it is a line of.
const NO_LICENSE: &[(&str, &str)] = &[
    ("C", "#include <stdio.h>"),
    ("C", "#pragma once"),
    ("C", "#ifndef A_H"),
    ("C", "#define LICENSE 1"),
    ("C", "// clang-format off"),
    ("C", "/** Adds numbers. */"),
    ("C++", "#include \"a.h\""),
    ("C++", "/// Adds numbers."),
    ("Rust", "#[derive(Debug)]"),
    ("Rust", "#![no_std]"),
    ("Rust", "//! Copyright of books."),
    ("Rust", "/// Adds numbers."),
    ("Rust", "/*! Adds numbers. */"),
    ("Python", "#!/usr/bin/env python3"),
    ("Python", "# -*- coding: latin-1 -*-"),
    ("Python", "# encoding: utf-8"),
    ("Python", "\"\"\"Copyright of books.\"\"\""),
    ("Python", "# vim: set ts=4:"),
    ("Python", "# type: ignore"),
    ("Python", "# mypy: strict"),
    ("Python", "# pylint: disable=all"),
    ("Python", "# flake8: noqa"),
    ("Ruby", "#!/usr/bin/env ruby"),
    ("Ruby", "# frozen_string_literal: true"),
    ("Shell", "#!/bin/sh"),
    ("Shell", "# shellcheck disable=SC2086"),
    ("Go", "//go:build linux"),
    ("Go", "// +build linux"),
    ("Go", "//go:generate stringer"),
    ("Go", "// Package books counts pages."),
    ("JavaScript", "\"use strict\";"),
    ("JavaScript", "/* eslint-env node */"),
    ("JavaScript", "// @flow"),
    ("JavaScript", "/** @jsx h */"),
    ("TypeScript", "/// <reference path=\"a.d.ts\" />"),
    ("TypeScript", "// @ts-nocheck"),
    ("PHP", "declare(strict_types=1);"),
    ("PHP", "#[Attribute]"),
    ("HTML", "<!DOCTYPE html>"),
    ("HTML", "<title>Copyright</title>"),
    ("XML", "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"),
    ("CSS", "@charset \"utf-8\";"),
    ("SQL", "/*!40101 SET NAMES utf8 */;"),
    ("Haskell", "{-# LANGUAGE OverloadedStrings #-}"),
    ("Haskell", "-- | Counts pages."),
    ("OCaml", "(** Counts pages. *)"),
    ("Swift", "// swift-tools-version:5.9"),
    ("Kotlin", "@file:JvmName(\"A\")"),
    ("Java", "package a;"),
    ("Java", "/** Counts pages. */"),
    ("YAML", "%YAML 1.2"),
    ("YAML", "# yaml-language-server: $schema=a"),
    ("Dockerfile", "# syntax=docker/dockerfile:1"),
    ("Racket", "#lang racket"),
    ("TeX", "%!TEX program = xelatex"),
    ("Prolog", "%! a(+B) is det."),
    ("Assembly", "#include <asm.h>"),
    ("R", "#' Counts pages."),
    ("Lua", "--- Counts pages."),
    ("Emacs Lisp", ";;; a.el --- pages -*- lexical-binding: t -*-"),
    ("Fortran", "!$omp parallel"),
    ("PowerShell", "#requires -version 5"),
    ("Batchfile", "@echo off"),
    ("M4", "dnl Process this file with autoconf to get configure."),
    ("Forth", ": count ( n -- ) drop ;"),
    ("Roff Manpage", ".TH A 1"),
    ("INI", "[section]"),
    ("Markdown", "# Copyright"),
];

/// Mutation: take `never` out of `Syntax::is_never`, or a word out of `DIRECTIVES`.
#[test]
fn lines_that_are_no_license_stay_above_and_below_one() {
    for (language, line) in NO_LICENSE {
        let (open, close) = signs(language);
        let header = format!("{open}Copyright (c) 2020 Somebody. All rights reserved.{close}\n");
        for text in [
            format!("{line}\n\n{header}\nlast\n"),
            format!("{header}\n{line}\n\nlast\n"),
            format!("{line}\n{header}last\n"),
            format!("{header}{line}\nlast\n"),
        ] {
            let stripped = strip(language, &text);
            let stays = |wanted: &str| stripped.lines().any(|found| found == wanted);
            assert!(stays(line) && stays("last"), "{language}: {text}becomes {stripped}");
        }
    }
}

/// How a comment begins and ends.
fn signs(language: &str) -> (&'static str, &'static str) {
    match language {
        "Python" | "Ruby" | "Shell" | "YAML" | "Dockerfile" | "R" | "PowerShell" | "INI" => ("# ", ""),
        "HTML" | "XML" | "Markdown" => ("<!-- ", " -->"),
        "Haskell" | "Lua" => ("-- ", ""),
        "OCaml" => ("(* ", " *)"),
        "Racket" | "Emacs Lisp" => ("; ", ""),
        "TeX" | "Prolog" => ("% ", ""),
        "Fortran" => ("! ", ""),
        "Batchfile" => ("rem ", ""),
        "M4" => ("dnl ", ""),
        "Forth" => ("\\ ", ""),
        "Roff Manpage" => (".\\\" ", ""),
        _ => ("/* ", " */"),
    }
}

#[test]
fn of_a_run_of_line_comments_the_license_goes_alone() {
    for (text, stripped) in [
        (
            "// Copyright 2017 Somebody.\n//\n// Licensed under the MIT license.\n//\n// Counts pages.\nint a;\n",
            "// Counts pages.\nint a;\n",
        ),
        (
            "// Counts pages.\n//\n// Copyright (c) 2017 Somebody\nint a;\n",
            "// Counts pages.\nint a;\n",
        ),
        (
            "// Above.\n//\n// Copyright (c) 2017 A\n//\n// or\n//\n// SPDX-License-Identifier: MIT\n//\n// Below.\nint a;\n",
            "// Above.\n//\n// Below.\nint a;\n",
        ),
    ] {
        assert_eq!(strip("C", text), stripped);
    }
    for text in [
        // About copyright, but none.
        "// Adds a copyright to files.\n//\n// Counts pages.\nint a;\n",
        // In the paragraph of something else.
        "// Counts pages\n// Copyright (c) 2017 Somebody\n//\n// Reads books.\nint a;\n",
        "// Counts pages\n// this file is in the public domain\nint a;\n",
        "/* Counts pages.\n *\n * Copyright (c) 2017 Somebody\n */\nint a;\n",
    ] {
        assert_eq!(strip("C", text), text);
    }
}

#[test]
fn everything_else_stays() {
    for (language, text) in [
        ("Markdown", "<!-- Copyright 2020 Somebody -->\n# Title\n"),
        ("Text", "Copyright 2020 Somebody\n"),
        ("C", "#include <a.h>\n/* Copyright 2020 Somebody */\n"),
        ("C", "int a; // Copyright 2020 Somebody\n"),
        ("C", "/* Copyright 2020 Somebody */ int a;\n"),
        ("C", "/* Copyright 2020 Somebody\nint a;\n"),
        ("C", "// Copyright 2020 Somebody \\\nint a;\nint b;\n"),
        ("C", "/* Copyright /* 2020 */ Somebody */\nint a;\n"),
        ("C", "/* Parses numbers.\n *\n * Copyright 2020 Somebody\n */\nint a;\n"),
        (
            "C",
            "/* Copyright 2020 Somebody\n * Turns a license agreement into a tree of its clauses and those of its parts.\n * The parser is slow. */\nint a;\n",
        ),
        (
            "Python",
            "# Copyright 2020 Somebody\n# This module parses numbers of any base.\nimport a\n",
        ),
        (
            "Python",
            "# Copyright 2020 Somebody. Licensed under MIT.\n# This module parses numbers of any base.\nimport a\n",
        ),
        ("Python", "\"\"\"Copyright 2020 Somebody\"\"\"\nimport a\n"),
        ("Rust", "//! Copyright 2020 Somebody\nfn a() {}\n"),
        ("Rust", "/// Copyright 2020 Somebody\nfn a() {}\n"),
        ("Rust", "#![doc = \"Copyright 2020\"]\n"),
        ("Haskell", "{-# LANGUAGE Copyright #-}\nmodule A where\n"),
        ("JavaScript", "/* eslint-disable */\na();\n"),
        (
            "JavaScript",
            "/* Copyright 2020 Somebody\n\n eslint-env node */\na();\n",
        ),
        ("SQL", "/*! Copyright 2020 */\nselect 1;\n"),
        ("R", "#' Copyright 2020 Somebody\na <- 1\n"),
        ("PHP", "// Copyright 2020 Somebody\n<?php\n"),
        ("C", ""),
        ("C", "// Adds numbers\nint add();\n"),
        (
            "Java",
            "/** This parses the Copyright field of the license. */\nclass A {}\n",
        ),
        ("JavaScript", "// Detects the MIT license in a text.\na();\n"),
        (
            "Go",
            "// Copyright headers and licenses of files are compared.\npackage a\n",
        ),
        (
            "C",
            "// Copyright 2020 Somebody\n// Returns the copyright notice\nint a;\n",
        ),
        ("Python", "# Copyright 2020 Somebody\n# usage: foo [-x]\nimport a\n"),
        ("Python", "# Copyright 2020 Somebody\n# License manager\nimport a\n"),
        (
            "C",
            "/* This file is (C) 2008 Somebody\n * It may be distributed, but is not GPL\n * This file implements a machine\n */\nint a;\n",
        ),
        (
            "Java",
            "/**\n * Copyright of a book.\n *\n * @param year of it\n */\nclass A {}\n",
        ),
    ] {
        assert_eq!(Headers::strip(language, text), None, "{language}: {text}");
    }
}

#[test]
fn the_column_counts_bytes_of_kept_rows() {
    let text = "# Copyright 2020 Sömebody\n\nx = 1\n";
    let sample = Sample::text(text).language("Python");
    let promised = Headers
        .schema(&sample.batch().expect("a batch").record().schema())
        .expect("it fits");
    let after = Headers.map(sample.batch().expect("a batch")).expect("no bug");
    assert_eq!(after.record().schema(), promised);
    let bytes = columns::u64s(after.record(), columns::HEADER_BYTES).expect("added");
    let content = columns::strings(after.record(), columns::CONTENT).expect("text");
    assert_eq!((bytes.value(0), content.value(0)), (28, "x = 1\n"));
    let other = Headers
        .map(Sample::text(text).language("Markdown").batch().expect("a batch"))
        .expect("no bug");
    assert_eq!(
        columns::u64s(other.record(), columns::HEADER_BYTES)
            .expect("added")
            .value(0),
        0
    );
    assert!(HeadersConfig::default().build().is_none() && HeadersConfig { strip: true }.build().is_some());
}

#[test]
fn languages_are_named_once() {
    let names = languages();
    assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{names:?}");
}

fn anything() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("# Copyright 2020 A\n"),
        Just("// Copyright 2020 A\n"),
        Just("/* Copyright 2020 A */"),
        Just("/*"),
        Just("*/"),
        Just("\n"),
        Just(" "),
        Just("# words about code\n"),
        Just("// words about code\n"),
        Just("#!/bin/sh\n"),
        Just("code\n"),
        Just("<?php\n"),
        Just("--[["),
        Just("]]"),
        Just("-- (c) 2020 A\n"),
        Just("{-"),
        Just("-}"),
        Just("é\u{feff}"),
        Just("# pylint: disable=all\n"),
        Just("# or\n"),
        Just("#\n"),
        Just("//\n"),
        Just("// SPDX-License-Identifier: MIT\n"),
        Just("# See the license for details of it.\n"),
        Just("///\n"),
        Just("<!-- (c) 2020 -->\n"),
        Just("; (c) 2020 A\n"),
        Just("\\"),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn stripping_twice_is_stripping_once(text in anything()) {
        for language in ["C", "Rust", "Python", "PHP", "Lua", "SQL", "Haskell", "HTML", "Scheme", "Ruby"] {
            let once = strip(language, &text);
            prop_assert_eq!(Headers::strip(language, &once), None, "{}", language);
        }
    }
}

/// Language of a file of the registry, by its ending.
fn language_of(path: &Path) -> Option<&'static str> {
    let endings = [
        ("rs", "Rust"),
        ("py", "Python"),
        ("js", "JavaScript"),
        ("ts", "TypeScript"),
        ("c", "C"),
        ("h", "C"),
        ("cc", "C++"),
        ("cpp", "C++"),
        ("hpp", "C++"),
        ("go", "Go"),
        ("java", "Java"),
        ("rb", "Ruby"),
        ("sh", "Shell"),
        ("toml", "TOML"),
        ("yml", "YAML"),
        ("lua", "Lua"),
        ("sql", "SQL"),
        ("html", "HTML"),
        ("css", "CSS"),
        ("cs", "C#"),
        ("php", "PHP"),
        ("hs", "Haskell"),
        ("swift", "Swift"),
        ("kt", "Kotlin"),
        ("S", "Assembly"),
        ("asm", "Assembly"),
        ("cmake", "CMake"),
    ];
    let ending = path.extension()?.to_str()?;
    endings
        .iter()
        .find(|(known, _)| *known == ending)
        .map(|(_, language)| *language)
}

/// Files of crates that building this workspace downloaded, in order, each with its language and text.
fn registry() -> impl Iterator<Item = (PathBuf, &'static str, String)> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let mut waiting = vec![home.unwrap_or_default().join("registry/src")];
    std::iter::from_fn(move || {
        while let Some(path) = waiting.pop() {
            let Ok(entries) = std::fs::read_dir(&path) else {
                return Some(path);
            };
            let mut below: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            below.sort_by(|a, b| b.cmp(a));
            waiting.extend(below);
        }
        None
    })
    .filter_map(|path| Some((language_of(&path)?, path)))
    .filter_map(|(language, path)| Some((std::fs::read_to_string(&path).ok()?, language, path)))
    .filter(|(text, _, _)| text.len() < 200_000)
    .map(|(text, language, path)| (path, language, text))
}

/// Kinds and texts of a tree's leaves, comments left out; none where the language has no grammar.
fn leaves(language: &str, text: &str) -> Option<Vec<(String, String)>> {
    let grammar = crate::syntax::grammars().find(|grammar| grammar.language == language)?;
    let mut parser = tree_sitter::Parser::new();
    parser
        .set_language(&tree_sitter::Language::new(grammar.function))
        .expect("a grammar that fits");
    let tree = parser.parse(text, None)?;
    let (mut leaves, mut waiting) = (Vec::new(), vec![tree.root_node()]);
    while let Some(node) = waiting.pop() {
        if node.kind().contains("comment") {
            continue;
        }
        let children = (0..node.child_count()).rev().filter_map(|i| node.child(i));
        let before = waiting.len();
        waiting.extend(children);
        if waiting.len() == before {
            leaves.push((node.kind().to_owned(), text[node.byte_range()].to_owned()));
        }
    }
    Some(leaves)
}

/// Mutation: give `Rust` the comments of `C`, or take `is_never` out of `Syntax::run`.
#[test]
fn real_code_parses_as_before() {
    const MOST: usize = 400;
    let (mut changed, mut parsed) = (BTreeMap::<&str, usize>::new(), 0);
    for (path, language, text) in registry().take(20_000) {
        let Some(stripped) =
            Headers::strip(language, &text).filter(|_| changed.get(language).is_none_or(|&n| n < MOST))
        else {
            continue;
        };
        *changed.entry(language).or_default() += 1;
        assert_eq!(
            Headers::strip(language, &stripped),
            None,
            "{} is stripped twice",
            path.display()
        );
        if let (Some(before), Some(after)) = (leaves(language, &text), leaves(language, &stripped)) {
            assert!(before == after, "{} does not parse as before", path.display());
            parsed += 1;
        }
    }
    assert!(
        parsed >= 100,
        "there are crates with headers in every registry: {changed:?}"
    );
}
