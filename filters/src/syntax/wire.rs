//! The bytes between [`super::Parse`] and its worker: little endian, one answer a file, in order.
//!
//! ```text
//!   frame      length u32 │ payload
//!   request    ( grammar u32 │ facts wanted u16 │ steps allowed u64 │ of them inside errors u64 │ length u32 │ text )*
//!   answer     ( tag u8 │ … )*
//!                tag 0   bytes u64 │ 8 numbers u64, all ones where absent, in the order of `Fact`
//!                        │ definitions: list of kind, start, end, name's start, name's end (u32)
//!                        │ imports, comments, docstrings: lists of start, end (u32)
//!                tag 1   no such grammar
//!                tag 2   steps taken u64 │ steps allowed u64 (all steps, or those inside errors)
//!   list       length u32, all ones where absent │ rows
//! ```

use stackmill_schemas::syntax::{Definition, DefinitionKind, Parsed, Span, SyntaxFacts};
use stackmill_schemas::{Error, Result};

use super::facts::FactSet;

/// One file to parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Job<'a> {
    pub(super) grammar: u32,
    pub(super) wanted: FactSet,
    pub(super) steps: u64,
    pub(super) error_steps: u64,
    pub(super) text: &'a [u8],
}

const JOB_HEAD: usize = 26;
/// A number or a list that is absent.
const ABSENT: u32 = u32::MAX;

/// A request for all of `jobs`.
pub(super) fn request(jobs: &[Job<'_>]) -> Vec<u8> {
    let length = jobs.iter().map(|job| JOB_HEAD + job.text.len()).sum();
    let mut out = Vec::with_capacity(length);
    for job in jobs {
        out.extend_from_slice(&job.grammar.to_le_bytes());
        out.extend_from_slice(&job.wanted.bits().to_le_bytes());
        out.extend_from_slice(&job.steps.to_le_bytes());
        out.extend_from_slice(&job.error_steps.to_le_bytes());
        out.extend_from_slice(&(job.text.len() as u32).to_le_bytes());
        out.extend_from_slice(job.text);
    }
    out
}

/// The jobs of a request.
pub(super) fn jobs(mut request: &[u8]) -> Result<Vec<Job<'_>>> {
    let mut jobs = Vec::new();
    while !request.is_empty() {
        let grammar = u32::from_le_bytes(take(&mut request)?);
        let wanted = FactSet::from_bits(u16::from_le_bytes(take(&mut request)?));
        let steps = u64::from_le_bytes(take(&mut request)?);
        let error_steps = u64::from_le_bytes(take(&mut request)?);
        let length = u32::from_le_bytes(take(&mut request)?) as usize;
        let (text, rest) = request.split_at_checked(length).ok_or_else(truncated)?;
        request = rest;
        jobs.push(Job {
            grammar,
            wanted,
            steps,
            error_steps,
            text,
        });
    }
    Ok(jobs)
}

/// Adds one answer.
pub(super) fn answer(parsed: &Parsed, out: &mut Vec<u8>) {
    match parsed {
        Parsed::Facts(facts) => {
            out.push(0);
            put_facts(facts, out);
        }
        Parsed::NoGrammar | Parsed::Crashed(_) => out.push(1),
        Parsed::OverBudget(steps, limit) => {
            out.push(2);
            out.extend_from_slice(&steps.to_le_bytes());
            out.extend_from_slice(&limit.to_le_bytes());
        }
    }
}

fn put_facts(facts: &SyntaxFacts, out: &mut Vec<u8>) {
    out.extend_from_slice(&facts.bytes.to_le_bytes());
    let numbers = [
        facts.error_bytes,
        facts.nodes,
        facts.nesting,
        facts.definitions,
        facts.calls,
        facts.function_lines,
        facts.function_bytes,
        facts.refused,
    ];
    for number in numbers {
        out.extend_from_slice(&number.unwrap_or(u64::MAX).to_le_bytes());
    }
    let definition = |definition: &Definition, out: &mut Vec<u8>| {
        put(definition.kind as u32, out);
        put_span(&definition.span, out);
        put_span(&definition.name, out);
    };
    put_list(facts.definition_spans.as_deref(), definition, out);
    for spans in [&facts.imports, &facts.comments, &facts.docstrings] {
        put_list(spans.as_deref(), put_span, out);
    }
}

fn put(number: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn put_span(span: &Span, out: &mut Vec<u8>) {
    put(span.start, out);
    put(span.end, out);
}

fn put_list<T>(list: Option<&[T]>, one: impl Fn(&T, &mut Vec<u8>), out: &mut Vec<u8>) {
    put(list.map_or(ABSENT, |list| list.len() as u32), out);
    list.unwrap_or_default().iter().for_each(|item| one(item, out));
}

/// The answers of a response.
pub(super) fn answers(mut response: &[u8]) -> Result<Vec<Parsed>> {
    let mut answers = Vec::new();
    while !response.is_empty() {
        answers.push(one(&mut response)?);
    }
    Ok(answers)
}

fn one(response: &mut &[u8]) -> Result<Parsed> {
    let [tag] = take(response)?;
    match tag {
        0 => Ok(Parsed::Facts(Box::new(take_facts(response)?))),
        1 => Ok(Parsed::NoGrammar),
        2 => Ok(Parsed::OverBudget(take_u64(response)?, take_u64(response)?)),
        other => Err(Error::bug(format!(
            "parse worker sent an answer of unknown kind {other}"
        ))),
    }
}

fn take_facts(response: &mut &[u8]) -> Result<SyntaxFacts> {
    let bytes = take_u64(response)?;
    let mut number = || Ok::<_, Error>(Some(take_u64(response)?).filter(|number| *number != u64::MAX));
    Ok(SyntaxFacts {
        bytes,
        error_bytes: number()?,
        nodes: number()?,
        nesting: number()?,
        definitions: number()?,
        calls: number()?,
        function_lines: number()?,
        function_bytes: number()?,
        refused: number()?,
        definition_spans: take_list(response, take_definition)?,
        imports: take_list(response, take_span)?,
        comments: take_list(response, take_span)?,
        docstrings: take_list(response, take_span)?,
    })
}

fn take_list<T>(response: &mut &[u8], one: impl Fn(&mut &[u8]) -> Result<T>) -> Result<Option<Vec<T>>> {
    match take_u32(response)? {
        ABSENT => Ok(None),
        length => (0..length).map(|_| one(response)).collect::<Result<_>>().map(Some),
    }
}

fn take_definition(response: &mut &[u8]) -> Result<Definition> {
    let kind = DefinitionKind::ALL.get(take_u32(response)? as usize).copied();
    Ok(Definition {
        kind: kind.ok_or_else(|| Error::bug("parse worker sent a definition of unknown kind"))?,
        span: take_span(response)?,
        name: take_span(response)?,
    })
}

fn take_span(response: &mut &[u8]) -> Result<Span> {
    Ok(Span {
        start: take_u32(response)?,
        end: take_u32(response)?,
    })
}

fn take_u32(bytes: &mut &[u8]) -> Result<u32> {
    take(bytes).map(u32::from_le_bytes)
}

fn take_u64(bytes: &mut &[u8]) -> Result<u64> {
    take(bytes).map(u64::from_le_bytes)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Result<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk().ok_or_else(truncated)?;
    *bytes = rest;
    Ok(*head)
}

fn truncated() -> Error {
    Error::bug("a message between parser and worker is cut short")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_and_answers_survive_the_trip() {
        let sent = [
            Job {
                grammar: 1,
                wanted: FactSet::all(),
                steps: 9,
                error_steps: 8,
                text: b"x = 1",
            },
            Job {
                grammar: 0,
                wanted: FactSet::default(),
                steps: u64::MAX,
                error_steps: 0,
                text: b"",
            },
        ];
        assert_eq!(jobs(&request(&sent)).expect("whole"), sent);
        let parsed = [
            Parsed::Facts(Box::new(SyntaxFacts {
                bytes: 1,
                error_bytes: Some(2),
                nodes: None,
                calls: Some(4),
                definition_spans: Some(vec![Definition {
                    kind: DefinitionKind::Entry,
                    span: Span { start: 5, end: 9 },
                    name: Span { start: 6, end: 7 },
                }]),
                imports: Some(Vec::new()),
                comments: Some(vec![Span { start: 1, end: 2 }; 3]),
                ..SyntaxFacts::default()
            })),
            Parsed::NoGrammar,
            Parsed::OverBudget(8, 7),
        ];
        let mut bytes = Vec::new();
        parsed.iter().for_each(|parsed| answer(parsed, &mut bytes));
        assert_eq!(answers(&bytes).expect("whole"), parsed);
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_error_or_jobs(bytes in prop::collection::vec(0u8..3, 0..100)) {
            if let Ok(found) = jobs(&bytes) {
                prop_assert_eq!(request(&found), bytes);
            }
        }
    }
}
