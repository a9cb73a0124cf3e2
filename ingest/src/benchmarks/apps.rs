//! APPS: `test.jsonl`, programming contests with tests and many solutions.
//!
//! ```text
//!   id or problem_id    a number                                       ► id APPS/12
//!   question                                                           ► prompt
//!   solutions           a list of texts, itself written as JSON        ► solution, the first few
//!   input_output        {"inputs": […], "outputs": […]}, as JSON       ► examples
//!   starter_code                                                       ► signature
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Examples, Prompt, Signature, Solution};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, pairs, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "apps",
    title: "APPS",
    url: "https://huggingface.co/datasets/codeparrot/apps/resolve/main/test.jsonl",
    base: "https://huggingface.co/datasets/codeparrot/apps/resolve/main/",
    files: "-  test.jsonl",
    license: "MIT",
    layout: "test.jsonl",
    verified: false,
    corpus_material: false,
    read,
};

/// Solutions of a problem that are taken: they are alike, and there are hundreds.
pub(super) const SOLUTIONS: usize = 4;

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let number = row.whole_number("id").or_else(|_| row.whole_number("problem_id"))?;
    let mut parts = Parts::of(format!("APPS/{number}"), Some("Python"))
        .with(Prompt, row.text("question")?)
        .with(Signature, row.maybe("starter_code"))
        .with(Examples, row.maybe("input_output").map(|text| pairs(&text)));
    for solution in row.embedded("solutions")?.into_iter().take(SOLUTIONS) {
        parts = parts.with(Solution, solution);
    }
    Ok(parts.item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"id": 9001, "question": "Count gulls.", "solutions": "[\"print(2)\", \"print(1 + 1)\"]", "starter_code": "",
        "input_output": "{\"inputs\": [\"1\\n\"], \"outputs\": [\"2\\n\"]}"}"#;

    #[test]
    fn lists_in_texts_are_read() {
        let item = only("apps", ROW);
        assert_eq!(item.id, "APPS/9001");
        assert_eq!(fields(&item, Solution), ["print(2)", "print(1 + 1)"]);
        assert_eq!(fields(&item, Examples), ["1 2"]);
        is_named("apps", ROW, &["question", "solutions"]);
    }
}
