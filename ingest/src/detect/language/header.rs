//! What a file says of itself: modelines of Vim and Emacs, and the interpreter of its first line.

use super::tables::{Name, TABLES};

/// Lines at either end of a file that are searched for modelines. Source: Linguist.
const MODELINE_LINES: usize = 5;
/// Bytes of one line that are searched: a modeline is short, a minified line is not.
const MODELINE_BYTES: usize = 1024;

/// The language that a Vim or Emacs modeline in the first or last lines names.
pub(crate) fn modeline(text: &str) -> Option<Name> {
    let bytes = text.as_bytes();
    let first = bytes.split(|&byte| byte == b'\n').take(MODELINE_LINES);
    let last = bytes.rsplit(|&byte| byte == b'\n').take(MODELINE_LINES);
    let lines: Vec<&[u8]> = first
        .chain(last)
        .map(|line| &line[..line.len().min(MODELINE_BYTES)])
        .collect();
    // A Vimball is an archive of files: the modelines in it are those of its members.
    if lines.iter().any(|line| line.starts_with(b"UseVimball")) {
        return None;
    }
    let lines = || lines.iter().filter_map(|line| std::str::from_utf8(line).ok());
    let mode = lines()
        .find_map(emacs_mode)
        .or_else(|| lines().find_map(vim_filetype))?;
    TABLES.by_alias(mode)
}

/// `-*- ruby -*-` or `-*- coding: utf-8; mode: ruby -*-`.
fn emacs_mode(line: &str) -> Option<&str> {
    let (_, after) = line.split_once("-*-")?;
    let (inner, _) = after.split_once("-*-")?;
    let inner = inner.trim();
    if !inner.is_empty() && !inner.contains([':', ';', ' ', '\t']) {
        return Some(inner);
    }
    inner.split(';').find_map(|variable| {
        // Variables before the last one may be separated by blanks alone.
        let (key, value) = variable.rsplit_once(':')?;
        let key = key.trim_end().rsplit([' ', '\t']).next()?;
        let value = value.split_whitespace().next()?;
        key.eq_ignore_ascii_case("mode").then_some(value)
    })
}

/// `vim: set ft=sh :`, `vi: ft=sh`, ` ex: syntax=sh`.
fn vim_filetype(line: &str) -> Option<&str> {
    ["vim", "Vim", "vi", "ex"].iter().find_map(|editor| {
        line.match_indices(editor).find_map(|(at, _)| {
            let before = line[..at].chars().next_back();
            let starts = matches!(before, Some(' ' | '\t')) || (before.is_none() && *editor != "ex");
            let rest = &line[at + editor.len()..];
            let options = starts.then(|| vim_options(rest, editor.ends_with('m')))??;
            vim_option_value(options)
        })
    })
}

/// What follows the colon; of the `set` form, what stands before the closing colon.
fn vim_options(rest: &str, may_have_version: bool) -> Option<&str> {
    let rest = if may_have_version {
        rest.trim_start_matches(['<', '=', '>'])
            .trim_start_matches(|c: char| c.is_ascii_digit())
    } else {
        rest
    };
    let options = rest.strip_prefix(':')?;
    let trimmed = options.trim_start_matches([' ', '\t']);
    let set = ["set ", "se ", "set\t", "se\t"]
        .iter()
        .find_map(|word| trimmed.strip_prefix(word));
    match set {
        Some(body) => body.split_once(':').map(|(body, _)| body),
        None => Some(options),
    }
}

/// The value of the last `filetype`, `ft` or `syntax` among the options.
fn vim_option_value(options: &str) -> Option<&str> {
    let is_separator = |c: char| c == ' ' || c == '\t' || c == ':';
    ["filetype", "ft", "syntax"]
        .iter()
        .flat_map(|key| options.match_indices(key).map(move |(at, _)| (at, key.len())))
        .filter(|&(at, _)| options[..at].chars().next_back().is_none_or(is_separator))
        .filter_map(|(at, length)| {
            let value = options[at + length..]
                .trim_start_matches([' ', '\t'])
                .strip_prefix('=')?;
            let end = value
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(value.len());
            let closed = value[end..]
                .chars()
                .next()
                .is_none_or(|c| c.is_whitespace() || c == ':');
            (end > 0 && closed).then_some((at, &value[..end]))
        })
        .max_by_key(|&(at, _)| at)
        .map(|(_, value)| value)
}

/// Bytes of the first line that are read for an interpreter.
const SHEBANG_BYTES: usize = 512;

/// The program that the first line names, without folder and minor version: `#!/usr/bin/env python3.11` is `python3`.
pub(crate) fn interpreter(text: &str) -> Option<&str> {
    let line = text.strip_prefix("#!")?.split('\n').next()?;
    let mut words = line.get(..SHEBANG_BYTES).unwrap_or(line).split_whitespace();
    let mut program = base_name(words.next()?);
    if program == "env" {
        program = base_name(words.find(|word| !word.starts_with('-') && !word.contains('='))?);
    }
    if program == "osascript" && words.any(|word| word.starts_with("-l")) {
        return None;
    }
    if program == "sh" {
        program = executed(text).unwrap_or(program);
    }
    Some(without_minor_version(program))
}

/// `exec tclsh "$0" "$@"` in the first lines: the shell only starts the real interpreter.
fn executed(text: &str) -> Option<&str> {
    text.split('\n').take(MODELINE_LINES).find_map(|line| {
        let (_, call) = line.split_once("exec ")?;
        let mut words = call.split([' ', '\t', '"', '\'']).filter(|word| !word.is_empty());
        let program = words.next()?;
        (words.next()? == "$0" && words.next()?.starts_with("$@")).then(|| base_name(program))
    })
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn without_minor_version(program: &str) -> &str {
    match program.rsplit_once('.') {
        Some((stem, minor)) if !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit()) => stem,
        _ => program,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emacs_modelines() {
        for (line, mode) in [
            ("# -*- ruby -*-", Some("ruby")),
            ("/* -*-C++-*- */", Some("C++")),
            ("; -*- mode: Lisp; coding: utf-8 -*-", Some("Lisp")),
            ("// -*- tab-width: 4; mode : js -*-", Some("js")),
            ("// -*- coding: utf-8 mode: js -*-", Some("js")),
            ("# -*- coding: utf-8 -*-", None),
            ("# -*- ruby", None),
            ("# -*--*-", None),
        ] {
            assert_eq!(emacs_mode(line), mode, "{line}");
        }
    }

    #[test]
    fn vim_modelines() {
        for (line, filetype) in [
            ("# vim: ft=sh", Some("sh")),
            ("# vim: set ft=sh :", Some("sh")),
            ("# vim: set ft=sh", None),
            ("/* vim:ts=4:filetype=c: */", Some("c")),
            ("// vi: syntax =rust", Some("rust")),
            ("// vi: syntax = rust", None),
            ("# vim600: ft=ruby", Some("ruby")),
            ("# vim>=702: ft=ruby", Some("ruby")),
            ("ex: ft=ruby", None),
            (" ex: ft=ruby", Some("ruby")),
            ("vim: ft=first ft=second", Some("second")),
            ("# xvim: ft=sh", None),
            ("# vim: ft=", None),
            ("# vim: ft=a.b", None),
            ("# vim: shift=4", None),
        ] {
            assert_eq!(vim_filetype(line), filetype, "{line}");
        }
    }

    #[test]
    fn modelines_stand_at_either_end() {
        let far = "x\n".repeat(5);
        assert_eq!(modeline("# vim: ft=ruby\n"), Some("Ruby"));
        assert_eq!(modeline(&format!("{far}# vim: ft=ruby\n{far}")), None);
        assert_eq!(modeline(&format!("{far}# vim: ft=ruby\nx\nx")), Some("Ruby"));
        assert_eq!(modeline("UseVimball\n# vim: ft=ruby\n"), None);
        assert_eq!(modeline("# vim: ft=nosuchlanguage\n"), None);
    }

    #[test]
    fn interpreters() {
        for (text, program) in [
            ("#!/bin/sh\n", Some("sh")),
            ("#! /usr/bin/perl -w\n", Some("perl")),
            ("#!/usr/bin/env python3.11\n", Some("python3")),
            ("#!/usr/bin/env -S FOO=1 --x node --flag\n", Some("node")),
            ("#!/usr/bin/env", None),
            ("#!", None),
            (" #!/bin/sh", None),
            ("#!/bin/sh\nexec tclsh \"$0\" \"$@\"\n", Some("tclsh")),
            ("#!/usr/bin/osascript -l JavaScript\n", None),
            ("#!/usr/bin/osascript\n", Some("osascript")),
        ] {
            assert_eq!(interpreter(text), program, "{text}");
        }
    }
}
