//! HumanEval: `HumanEval.jsonl`, one problem a line.
//!
//! ```text
//!   task_id             "HumanEval/12"
//!   prompt              imports, helpers, signature, docstring     ► prompt
//!   canonical_solution  the body alone                             ► solution, behind the signature out of the prompt
//!   test                calls the function by the name `candidate` ► tests, once so and once by its own name
//!   entry_point         the function's name
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Prompt, Signature, Solution, Tests};
use stackmill_schemas::error::{Error, Result};

use super::{Benchmark, Parts, Row, Sheet, called, python_docstring, python_signature, rows};

/// The name under which the tests call the function.
const CANDIDATE: &str = "candidate";

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "humaneval",
    title: "HumanEval",
    url: "https://github.com/openai/human-eval",
    base: "https://raw.githubusercontent.com/openai/human-eval/6d43fb980f9fee3c892a914eda09951f772ad10d/",
    files: include_str!("sums/humaneval.sha256"),
    license: "MIT",
    layout: "HumanEval.jsonl",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let id = row.text("task_id")?;
    let (prompt, body) = (row.text("prompt")?, row.text("canonical_solution")?);
    let (test, name) = (row.text("test")?, row.text("entry_point")?);
    if id.is_empty() || name.is_empty() {
        return Err(Error::input("`task_id` or `entry_point` is empty"));
    }
    let signature = python_signature(&prompt, &name).to_owned();
    let solution = format!("{signature}\n{body}");
    Ok(Parts::of(id, Some("Python"))
        .with(Docstring, python_docstring(&prompt))
        .with(Prompt, prompt)
        .with(Signature, signature)
        .with(Solution, solution)
        .with(Tests, called(&test, CANDIDATE, &name))
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"task_id": "HumanEval/900", "canonical_solution": "    return len(harbour) - gull(n)\n",
        "prompt": "import math\r\n\r\n\r\ndef gull(n):\r\n    return n\r\n\r\ndef gulls(harbour: list,\r\n    n: int) -> int:\r\n    ''' Count the gulls.\r\n    '''\r\n",
        "test": "assert candidate([], 0) == 0", "entry_point": "gulls"}"#;

    #[test]
    fn an_item_has_its_fields() {
        let item = only("humaneval", ROW);
        let head = "def gulls(harbour: list,\n    n: int) -> int:";
        assert_eq!(
            (item.id.as_str(), item.family.as_str()),
            ("HumanEval/900", "HumanEval/900")
        );
        assert_eq!(fields(&item, Signature), [head]);
        assert_eq!(
            fields(&item, Solution),
            [format!("{head}\n    return len(harbour) - gull(n)\n")]
        );
        assert_eq!(
            fields(&item, Tests),
            ["assert candidate([], 0) == 0\nassert gulls([], 0) == 0"]
        );
        assert_eq!(fields(&item, Docstring), [" Count the gulls.\n    "]);
    }

    #[test]
    fn a_missing_field_is_named() {
        is_named(
            "humaneval",
            ROW,
            &["task_id", "prompt", "canonical_solution", "test", "entry_point"],
        );
        let sheet = Sheet {
            name: "x",
            text: &ROW.replace('\n', " ").replace("\"gulls\"", "\"\""),
        };
        assert!(read(&sheet).is_err_and(|error| error.message().contains("is empty")));
    }
}
