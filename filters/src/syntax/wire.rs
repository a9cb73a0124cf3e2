//! The bytes between [`super::Parse`] and its worker: little endian, one answer a file, in order.
//!
//! ```text
//!   frame      length u32 │ payload
//!   request    ( grammar u32 │ steps allowed u64 │ of them inside errors u64 │ length u32 │ text )*
//!   answer     ( tag u8 │ a u64 │ b u64 │ c u64 │ d u64 )*
//!                tag 0   bytes, error bytes, nodes, definitions
//!                tag 1   no such grammar
//!                tag 2   steps taken, steps allowed (all steps, or those inside errors)
//! ```

use stackmill_schemas::syntax::{Parsed, SyntaxFacts};
use stackmill_schemas::{Error, Result};

/// One file to parse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Job<'a> {
    pub(super) grammar: u32,
    pub(super) steps: u64,
    pub(super) error_steps: u64,
    pub(super) text: &'a [u8],
}

const JOB_HEAD: usize = 24;
const ANSWER: usize = 33;

/// A request for all of `jobs`.
pub(super) fn request(jobs: &[Job<'_>]) -> Vec<u8> {
    let length = jobs.iter().map(|job| JOB_HEAD + job.text.len()).sum();
    let mut out = Vec::with_capacity(length);
    for job in jobs {
        out.extend_from_slice(&job.grammar.to_le_bytes());
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
        let steps = u64::from_le_bytes(take(&mut request)?);
        let error_steps = u64::from_le_bytes(take(&mut request)?);
        let length = u32::from_le_bytes(take(&mut request)?) as usize;
        let (text, rest) = request.split_at_checked(length).ok_or_else(truncated)?;
        request = rest;
        jobs.push(Job {
            grammar,
            steps,
            error_steps,
            text,
        });
    }
    Ok(jobs)
}

/// Adds one answer.
pub(super) fn answer(parsed: &Parsed, out: &mut Vec<u8>) {
    let (tag, numbers) = match parsed {
        Parsed::Facts(facts) => (0, [facts.bytes, facts.error_bytes, facts.nodes, facts.definitions]),
        Parsed::NoGrammar | Parsed::Crashed(_) => (1, [0; 4]),
        Parsed::OverBudget(steps, limit) => (2, [*steps, *limit, 0, 0]),
    };
    out.push(tag);
    numbers
        .iter()
        .for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
}

/// The answers of a response.
pub(super) fn answers(response: &[u8]) -> Result<Vec<Parsed>> {
    let (answers, rest) = response.as_chunks::<ANSWER>();
    if !rest.is_empty() {
        return Err(truncated());
    }
    answers.iter().map(|answer| one(answer)).collect()
}

fn one(mut answer: &[u8]) -> Result<Parsed> {
    let [tag] = take(&mut answer)?;
    let mut number = || take(&mut answer).map(u64::from_le_bytes);
    let [a, b, c, d] = [number()?, number()?, number()?, number()?];
    match tag {
        0 => Ok(Parsed::Facts(SyntaxFacts {
            bytes: a,
            error_bytes: b,
            nodes: c,
            definitions: d,
        })),
        1 => Ok(Parsed::NoGrammar),
        2 => Ok(Parsed::OverBudget(a, b)),
        other => Err(Error::bug(format!(
            "parse worker sent an answer of unknown kind {other}"
        ))),
    }
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
                steps: 9,
                error_steps: 8,
                text: b"x = 1",
            },
            Job {
                grammar: 0,
                steps: u64::MAX,
                error_steps: 0,
                text: b"",
            },
        ];
        assert_eq!(jobs(&request(&sent)).expect("whole"), sent);
        let parsed = [
            Parsed::Facts(SyntaxFacts {
                bytes: 1,
                error_bytes: 2,
                nodes: 3,
                definitions: 4,
            }),
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
