//! A small program in each language, and what is told of it: bytes are right where letters have several of them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use stackmill_schemas::syntax::{Parsed, Span, SyntaxFacts};

use super::facts::FactSet;
use super::grammars::{Grammar, find, grammars};
use super::wire::{self, Job};
use super::worker::Worker;

/// The sample of a grammar: `samples/LANGUAGE.EXTENSION.txt`.
fn sample(grammar: &Grammar) -> (PathBuf, String) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/syntax/grammars/samples");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("the folder of samples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .expect("a name in UTF-8");
            let path = name.strip_suffix(".txt").expect("samples end in .txt");
            let (language, _) = path.rsplit_once('.').expect("an extension");
            let found = find(Some(language), path).and_then(|at| grammars().nth(at as usize));
            language == grammar.language && found.is_some_and(|found| std::ptr::eq(found, grammar))
        })
        .collect();
    paths.sort();
    let path = paths
        .into_iter()
        .next()
        .unwrap_or_else(|| panic!("no sample of {}", grammar.language));
    let text = std::fs::read_to_string(&path).expect("a sample in UTF-8");
    (path, text)
}

fn told(number: usize, text: &str, wanted: FactSet) -> SyntaxFacts {
    let job = Job {
        grammar: number as u32,
        wanted,
        steps: 1000,
        error_steps: 1000,
        text: text.as_bytes(),
    };
    let response = Worker::default().answer(&wire::request(&[job])).expect("grammars load");
    match wire::answers(&response).expect("whole answers").pop() {
        Some(Parsed::Facts(facts)) => *facts,
        other => panic!("{other:?}"),
    }
}

/// Facts with the texts that their spans cut out.
fn rendered(facts: &SyntaxFacts, text: &str) -> String {
    let cut = |span: &Span| {
        text.get(span.start as usize..span.end as usize)
            .expect("whole characters")
    };
    let first_line = |span: &Span| cut(span).lines().next().unwrap_or_default().to_owned();
    let mut out = String::new();
    let number = |fact: Option<u64>| fact.map_or("-".to_owned(), |number| number.to_string());
    for (name, fact) in [
        ("error bytes", facts.error_bytes),
        ("nodes", facts.nodes),
        ("nesting", facts.nesting),
        ("definitions", facts.definitions),
        ("calls", facts.calls),
        ("function lines", facts.function_lines),
        ("function bytes", facts.function_bytes),
    ] {
        let _ = writeln!(out, "{name}: {}", number(fact));
    }
    for definition in facts.definition_spans.iter().flatten() {
        let (name, span) = (cut(&definition.name), first_line(&definition.span));
        let _ = writeln!(out, "{} {name} | {span}", definition.kind.as_str());
    }
    for (name, spans) in [
        ("import", &facts.imports),
        ("comment", &facts.comments),
        ("docstring", &facts.docstrings),
    ] {
        if spans.is_none() {
            let _ = writeln!(out, "{name}s: -");
        }
        for span in spans.iter().flatten() {
            let _ = writeln!(out, "{name} | {}", first_line(span));
        }
    }
    out
}

#[test]
fn each_language_tells_its_facts() {
    for (number, grammar) in grammars().enumerate() {
        let (path, text) = sample(grammar);
        let facts = told(number, &text, FactSet::all());
        assert_eq!(facts.error_bytes, Some(0), "{}: the sample parses", path.display());
        assert!(!text.is_ascii(), "{}: some letters have several bytes", path.display());
        let stem = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .expect("a name in UTF-8");
        let name = stem
            .replace('#', "sharp")
            .replace('+', "plus")
            .replace(' ', "-")
            .to_lowercase();
        insta::assert_snapshot!(name, rendered(&facts, &text));
    }
}

/// A fact is the same alone as among all others, and what was not asked for is absent.
#[test]
fn facts_do_not_depend_on_each_other() {
    for (number, grammar) in grammars().enumerate() {
        let (path, text) = sample(grammar);
        let all = told(number, &text, FactSet::all());
        let joined = super::Fact::ALL
            .into_iter()
            .fold(SyntaxFacts::default(), |joined, fact| {
                let alone = told(number, &text, [fact].into_iter().collect());
                SyntaxFacts {
                    bytes: alone.bytes,
                    error_bytes: joined.error_bytes.or(alone.error_bytes),
                    nodes: joined.nodes.or(alone.nodes),
                    nesting: joined.nesting.or(alone.nesting),
                    definitions: joined.definitions.or(alone.definitions),
                    calls: joined.calls.or(alone.calls),
                    function_lines: joined.function_lines.or(alone.function_lines),
                    function_bytes: joined.function_bytes.or(alone.function_bytes),
                    refused: joined.refused.or(alone.refused),
                    definition_spans: joined.definition_spans.or(alone.definition_spans),
                    imports: joined.imports.or(alone.imports),
                    comments: joined.comments.or(alone.comments),
                    docstrings: joined.docstrings.or(alone.docstrings),
                }
            });
        assert_eq!(joined, all, "{}", path.display());
        let nothing = told(number, &text, FactSet::default());
        assert_eq!(
            nothing,
            SyntaxFacts {
                bytes: text.len() as u64,
                ..SyntaxFacts::default()
            }
        );
    }
}
