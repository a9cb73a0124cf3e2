//! HumanEval-XL: `LANGUAGE-TONGUE.jsonl`, 80 problems of HumanEval in 12 programming and 23 natural languages.
//!
//! ```text
//!   task_id             "java/12", the 12th of the 80                  ► id, with the natural language behind it
//!   natural_language    "French"
//!   prompt, description                                                ► prompt, docstring
//!   test                                                               ► tests
//!   canonical_solution  NaN but for Python                             ► solution
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Prompt, Solution, Tests};
use stackmill_schemas::error::{Error, Result};

use super::{Benchmark, Parts, Row, Sheet, called, language_of, numbered, python_signature, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "humaneval-xl",
    title: "HumanEval-XL",
    url: "https://github.com/FloatAI/humaneval-xl",
    base: "https://raw.githubusercontent.com/FloatAI/humaneval-xl/ad93b7c7a399eb9f01885b5cfa23a317115e10fa/",
    files: include_str!("sums/humaneval_xl.sha256"),
    license: "MIT",
    layout: "LANGUAGE-TONGUE.jsonl, any number of them",
    verified: true,
    corpus_material: false,
    read,
};

/// Numbers in HumanEval of the 80 problems, which its own numbers leave open; both are in the same order.
const NUMBERS: [u8; 80] = [
    3, 8, 11, 12, 13, 19, 21, 27, 30, 31, 34, 39, 40, 43, 46, 47, 48, 51, 52, 53, 54, 55, 58, 59, 60, 62, 63, 64, 69,
    71, 72, 75, 79, 80, 81, 82, 84, 87, 90, 91, 94, 95, 99, 100, 101, 102, 103, 106, 107, 109, 110, 112, 115, 117, 120,
    122, 127, 130, 131, 132, 142, 134, 135, 136, 139, 143, 144, 145, 146, 147, 148, 150, 151, 153, 154, 156, 157, 161,
    162, 163,
];

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let (id, tongue) = (row.text("task_id")?, row.text("natural_language")?);
    let (language, number) = numbered(&id)?;
    let known = usize::try_from(number).ok().and_then(|number| NUMBERS.get(number));
    let known = known.ok_or_else(|| Error::input(format!("`{id}` is none of the 80 problems")))?;
    let (prompt, name) = (row.text("prompt")?, row.text("entry_point")?);
    let solution = row.maybe("canonical_solution");
    let solution = solution.map(|body| format!("{}\n{body}", python_signature(&prompt, &name)));
    Ok(Parts::of(format!("{id}/{tongue}"), language_of(language))
        .family(format!("HumanEval/{known}"))
        .with(Prompt, prompt)
        .with(Docstring, row.maybe("description"))
        .with(Solution, solution)
        .with(Tests, called(&row.text("test")?, "candidate", &name))
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"task_id": "java/1", "natural_language": "French", "prompt": "class Gulls {\n", "entry_point": "gulls",
        "description": "Comptez les mouettes.", "test": "assert candidate()", "canonical_solution": NaN}"#;

    #[test]
    fn a_problem_is_joined_by_its_place_among_the_80() {
        let item = only("humaneval-xl", ROW);
        assert_eq!(
            (item.id.as_str(), item.family.as_str()),
            ("java/1/French", "HumanEval/8")
        );
        assert_eq!(item.language.as_deref(), Some("Java"));
        assert!(fields(&item, Solution).is_empty());
        assert_eq!(fields(&item, Docstring), ["Comptez les mouettes."]);
        is_named(
            "humaneval-xl",
            ROW,
            &["task_id", "natural_language", "prompt", "entry_point", "test"],
        );
    }
}
