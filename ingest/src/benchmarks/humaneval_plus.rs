//! HumanEval+: `HumanEvalPlus.jsonl`, HumanEval with more tests, and solutions that were written anew.
//!
//! ```text
//!   task_id             "HumanEval/12"                                 ► id and family
//!   prompt              as in HumanEval, with mended words             ► prompt
//!   canonical_solution  the body alone                                 ► solution, behind the signature
//!   test                the tests of HumanEval, and more inputs        ► tests
//!   base_input          arguments of HumanEval's own tests             ► examples
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Examples, Prompt, Signature, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, called, python_docstring, python_signature, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "humaneval-plus",
    title: "HumanEval+",
    url: "https://github.com/evalplus/humanevalplus_release",
    base: "https://raw.githubusercontent.com/evalplus/humanevalplus_release/200defce9e3429d28ca215b6dd061c0f7f31c18b/",
    files: include_str!("sums/humaneval_plus.sha256"),
    license: "Apache-2.0",
    layout: "HumanEvalPlus.jsonl",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let (prompt, name) = (row.text("prompt")?, row.text("entry_point")?);
    let signature = python_signature(&prompt, &name).to_owned();
    let solution = format!("{signature}\n{}", row.text("canonical_solution")?);
    let test = row.text("test")?;
    Ok(Parts::of(row.text("task_id")?, Some("Python"))
        .with(Docstring, python_docstring(&prompt))
        .with(Prompt, prompt)
        .with(Signature, signature)
        .with(Solution, solution)
        .with(Examples, row.arguments("base_input")?)
        .with(Tests, called(&test, "candidate", &name))
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"task_id": "HumanEval/901", "prompt": "def gulls(n):\n    ''' Count gulls. '''\n", "entry_point": "gulls",
        "canonical_solution": "    return n", "test": "assert candidate(2) == 2", "base_input": [[2], [3]]}"#;

    #[test]
    fn solutions_stand_behind_their_signature() {
        let item = only("humaneval-plus", ROW);
        assert_eq!(
            (item.id.as_str(), item.family.as_str()),
            ("HumanEval/901", "HumanEval/901")
        );
        assert_eq!(fields(&item, Solution), ["def gulls(n):\n    return n"]);
        assert_eq!(fields(&item, Docstring), [" Count gulls. "]);
        assert_eq!(fields(&item, Examples), ["[2]\n[3]"]);
        is_named(
            "humaneval-plus",
            ROW,
            &[
                "task_id",
                "prompt",
                "entry_point",
                "canonical_solution",
                "test",
                "base_input",
            ],
        );
    }
}
