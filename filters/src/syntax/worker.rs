//! The worker's side: parses what a request holds, one parser a grammar, and tells facts.

use std::io::{Read, Write};
use std::ops::ControlFlow;

use tree_sitter::{Language, ParseOptions, ParseState, Parser, Tree};

use stackmill_schemas::syntax::Parsed;
use stackmill_schemas::{Error, Result};

use super::grammars::{Grammar, grammars};
use super::meanings::Meanings;
use super::tree;
use super::wire::{self, Job};

/// Answers requests until `input` ends: the whole life of a `stackmill parse-worker`.
///
/// One frame in, one frame out; a frame is its length as u32, little endian, then so many bytes.
pub fn serve(input: &mut dyn Read, output: &mut dyn Write) -> Result<()> {
    let mut worker = Worker::default();
    let mut request = Vec::new();
    while read_frame(input, &mut request)? {
        let answer = worker.answer(&request)?;
        output.write_all(&(answer.len() as u32).to_le_bytes())?;
        output.write_all(&answer)?;
        output.flush()?;
    }
    Ok(())
}

/// Reads one frame; `false` where the input ends before it.
fn read_frame(input: &mut dyn Read, frame: &mut Vec<u8>) -> Result<bool> {
    frame.clear();
    let mut head = Vec::with_capacity(4);
    (&mut *input).take(4).read_to_end(&mut head)?;
    if head.is_empty() {
        return Ok(false);
    }
    let head: [u8; 4] = head.try_into().map_err(|_| cut_short())?;
    let length = u32::from_le_bytes(head);
    let read = (&mut *input).take(u64::from(length)).read_to_end(frame)?;
    match read == length as usize {
        true => Ok(true),
        false => Err(cut_short()),
    }
}

fn cut_short() -> Error {
    Error::input("a frame to the parse worker is cut short")
}

/// Parsers of one process, by grammar.
#[derive(Default)]
pub struct Worker {
    parsers: Vec<Option<Ready>>,
}

/// A parser with what its grammar calls things.
struct Ready {
    parser: Parser,
    meanings: Meanings,
}

impl Ready {
    fn new(grammar: &'static Grammar) -> Result<Self> {
        let language = Language::new(grammar.function);
        let mut parser = Parser::new();
        parser
            .set_language(&language)
            .map_err(|error| Error::bug(format!("grammar of {}: {error}", grammar.language)))?;
        let meanings = Meanings::new(grammar, &language);
        Ok(Self { parser, meanings })
    }
}

impl Worker {
    /// Answers one request, both without their frames.
    pub fn answer(&mut self, request: &[u8]) -> Result<Vec<u8>> {
        let mut answer = Vec::new();
        for job in wire::jobs(request)? {
            wire::answer(&self.parse(job)?, &mut answer);
        }
        Ok(answer)
    }

    fn parse(&mut self, job: Job<'_>) -> Result<Parsed> {
        let number = job.grammar as usize;
        let Some(grammar) = grammars().nth(number) else {
            return Ok(Parsed::NoGrammar);
        };
        if self.parsers.len() <= number {
            self.parsers.resize_with(number + 1, || None);
        }
        let ready = match &mut self.parsers[number] {
            Some(ready) => ready,
            empty => empty.insert(Ready::new(grammar)?),
        };
        Ok(match tree_within(&mut ready.parser, job) {
            Ok(tree) => Parsed::Facts(Box::new(tree::facts(&tree, job.text, &ready.meanings, job.wanted))),
            Err((steps, limit)) => Parsed::OverBudget(steps, limit),
        })
    }
}

/// The tree, or the steps taken and allowed where it would take more.
fn tree_within(parser: &mut Parser, job: Job<'_>) -> std::result::Result<Tree, (u64, u64)> {
    let (mut steps, mut error_steps) = (0, 0);
    let mut progress = |state: &ParseState| {
        steps += 1;
        error_steps += u64::from(state.has_error());
        match steps > job.steps || error_steps > job.error_steps {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let mut read = |offset: usize, _| job.text.get(offset..).unwrap_or_default();
    let tree = parser.parse_with_options(&mut read, None, Some(options));
    tree.ok_or_else(|| {
        parser.reset(); // otherwise the next parse would resume this one
        match error_steps > job.error_steps {
            true => (error_steps, job.error_steps),
            false => (steps, job.steps),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::facts::FactSet;
    use super::*;

    fn parse(language: &str, text: &str, steps: u64) -> Parsed {
        let grammar = super::super::grammars::find(Some(language), "").expect("a grammar");
        Worker::default()
            .parse(Job {
                grammar,
                wanted: FactSet::all(),
                steps,
                error_steps: steps,
                text: text.as_bytes(),
            })
            .expect("grammars load")
    }

    fn told(language: &str, text: &str) -> (u64, u64, u64) {
        match parse(language, text, 1000) {
            Parsed::Facts(facts) => {
                let number = |fact: Option<u64>| fact.expect("asked for");
                (
                    number(facts.error_bytes),
                    number(facts.nodes),
                    number(facts.definitions),
                )
            }
            other => panic!("{other:?}"),
        }
    }

    /// Each text was asked of CPython 3.11's `compile`.
    #[test]
    fn what_python_refuses_is_counted() {
        for (text, refused) in [
            ("print 'a'\n", 1),
            ("print('a')\nexec('a')\n", 0),
            ("print >>f, 'a'\n", 2),
            ("exec 'a'\n", 1),
            ("for a in b:\nc\n", 1),
            ("if a:\n    # nothing\n    pass\nelse: pass\n", 0),
            ("if a:\n    # nothing\nb\n", 1),
            ("return 1\n", 1),
            ("def f():\n    return 1\nyield 2\nlambda: (yield)\nawait x\n", 2),
            ("class A:\n    async def f(self):\n        await x\n        yield\n", 0),
            ("# a\n b\n", 1),
            ("a = 1; b = 2\n\n\nc = (1,\n  2)\n", 0),
            ("'doc'\n# a\nfrom __future__ import a\nfrom __future__ import b\n", 0),
            ("import a\nfrom __future__ import b\n", 1),
        ] {
            match parse("Python", text, 1000) {
                Parsed::Facts(facts) => assert_eq!(facts.refused, Some(refused), "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
        match parse("Ruby", "print 'a'\n", 1000) {
            Parsed::Facts(facts) => assert_eq!(facts.refused, None),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn definitions_and_errors_are_counted() {
        assert_eq!(told("Python", "").2, 0);
        assert_eq!(
            told("Python", "class A:\n    def f(self):\n        return lambda: 1\n").2,
            2
        );
        assert_eq!(
            told(
                "Rust",
                "struct A; trait T { fn g(); } impl T for A { fn g() {} } macro_rules! m { () => {} }"
            )
            .2,
            5
        );
        assert_eq!(
            told(
                "JavaScript",
                "class A { m() {} }\nfunction f() { return () => 1 }\nfunction* g() {}"
            )
            .2,
            4
        );
        assert_eq!(told("Python", "x = 1\n"), (0, 5, 0));
        assert_eq!(told("Rust", "fn f() { g(1 }").0, 1);
        let (error_bytes, ..) = told("Python", "x = 1\n))) ((( $$$ ]]]\n");
        assert!((3..=23).contains(&error_bytes), "{error_bytes}");
    }

    #[test]
    fn errors_inside_errors_count_once() {
        for text in [
            "}}}}",
            "fn f( { ) ( [ } fn",
            "<<<<<<< a\nfn f() {}\n=======\nfn g() {}\n>>>>>>> b\n",
        ] {
            let Parsed::Facts(facts) = parse("Rust", text, 1000) else {
                panic!("{text}")
            };
            assert!(
                facts.error_bytes > Some(0) && facts.error_bytes <= Some(facts.bytes),
                "{text}: {facts:?}"
            );
        }
    }

    #[test]
    fn a_cancelled_parse_leaves_no_trace() {
        let long = "x = [1, 2, 3]\n".repeat(500);
        let grammar = super::super::grammars::find(Some("Python"), "").expect("a grammar");
        let mut worker = Worker::default();
        let mut run = |text: &str, steps| {
            worker
                .parse(Job {
                    grammar,
                    wanted: FactSet::all(),
                    steps,
                    error_steps: steps,
                    text: text.as_bytes(),
                })
                .expect("grammars load")
        };
        assert_eq!(run(&long, 3), Parsed::OverBudget(4, 3));
        let Parsed::Facts(facts) = run("x = 1\n", 3) else {
            panic!("a short text is parsed")
        };
        let counts = (facts.bytes, facts.nodes, facts.error_bytes);
        assert_eq!(counts, (6, Some(5), Some(0)));
    }

    #[test]
    fn frames_are_answered_until_the_input_ends() {
        let request = wire::request(&[Job {
            grammar: u32::MAX,
            wanted: FactSet::all(),
            steps: 10,
            error_steps: 10,
            text: b"x = 1\n",
        }]);
        let frame = [&(request.len() as u32).to_le_bytes()[..], &request[..]].concat();
        let mut output = Vec::new();
        serve(&mut [&frame[..], &frame[..]].concat().as_slice(), &mut output).expect("whole frames");
        assert_eq!(output.len(), 2 * (4 + 1));
        for cut in [1, 3, 4, 10] {
            assert!(serve(&mut &frame[..cut], &mut Vec::new()).is_err(), "{cut}");
        }
    }
}
