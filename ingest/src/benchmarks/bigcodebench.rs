//! BigCodeBench: `BigCodeBench.jsonl`, tasks that call libraries.
//!
//! ```text
//!   task_id             "BigCodeBench/12"                              ► id and family
//!   prompt              imports, head, docstring                       ► prompt
//!   instruction         the task in words                              ► docstring
//!   prompt_wo_doc       imports and head                               ► signature
//!   canonical_solution  the body alone                                 ► solution, behind the head
//!   test                                                               ► tests
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Prompt, Signature, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "bigcodebench",
    title: "BigCodeBench",
    url: "https://github.com/bigcode-project/bigcodebench-annotation",
    base: "https://raw.githubusercontent.com/bigcode-project/bigcodebench-annotation/a3b89850db670d7302571142b881e4f85eef18e3/",
    files: include_str!("sums/bigcodebench.sha256"),
    license: "Apache-2.0",
    layout: "BigCodeBench.jsonl",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let head = row
        .maybe("prompt_wo_doc")
        .or_else(|| row.maybe("code_prompt"))
        .unwrap_or_default();
    let solution = format!("{head}\n{}", row.text("canonical_solution")?);
    let prompt = row.maybe("prompt").or_else(|| row.maybe("complete_prompt"));
    Ok(Parts::of(row.text("task_id")?, Some("Python"))
        .with(Prompt, prompt)
        .with(
            Docstring,
            row.maybe("instruction").or_else(|| row.maybe("instruct_prompt")),
        )
        .with(Signature, head)
        .with(Solution, solution)
        .with(Tests, row.text("test")?)
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"task_id": "BigCodeBench/9001", "prompt": "def task_func():\n    'Count gulls.'\n", "prompt_wo_doc": "def task_func():",
        "instruction": "Count gulls.", "canonical_solution": "    return 2", "test": "assert task_func() == 2"}"#;

    #[test]
    fn the_head_stands_before_the_solution() {
        let item = only("bigcodebench", ROW);
        assert_eq!(item.family, "BigCodeBench/9001");
        assert_eq!(fields(&item, Solution), ["def task_func():\n    return 2"]);
        assert_eq!(fields(&item, Docstring), ["Count gulls."]);
        is_named("bigcodebench", ROW, &["task_id", "canonical_solution", "test"]);
    }
}
