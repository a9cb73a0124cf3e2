//! CodeContests: rows of its tables as JSON lines.
//!
//! ```text
//!   name                                                               ► id CodeContests/…
//!   description                                                        ► prompt
//!   public_tests        {"input": […], "output": […]}                  ► examples
//!   solutions           {"language": […], "solution": […]}             ► solution, the first few
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Examples, Prompt, Solution};
use stackmill_schemas::error::Result;

use super::apps::SOLUTIONS;
use super::{Benchmark, Parts, Row, Sheet, paired, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "codecontests",
    title: "CodeContests",
    url: "https://huggingface.co/datasets/deepmind/code_contests",
    base: "https://huggingface.co/datasets/deepmind/code_contests/resolve/main/",
    files: "-  data/test-00000-of-00001-9c49eeff30aacaa8.parquet
-  data/valid-00000-of-00001-5e672c5751f060d3.parquet",
    license: "CC-BY-4.0",
    layout: "Parquet, or JSON lines of its rows",
    verified: false,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let (tests, solutions) = (row.object("public_tests")?, row.object("solutions")?);
    let (inputs, outputs) = (tests.list("input")?, tests.list("output")?);
    let mut parts = Parts::of(format!("CodeContests/{}", row.text("name")?), None)
        .with(Prompt, row.text("description")?)
        .with(Examples, paired(&inputs, &outputs));
    for solution in solutions.list("solution")?.into_iter().take(SOLUTIONS) {
        parts = parts.with(Solution, solution);
    }
    Ok(parts.item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"name": "9001_A. Gulls", "description": "Count gulls.", "public_tests": {"input": ["1\n"], "output": ["2\n"]},
        "solutions": {"language": [3], "solution": ["print(2)"]}}"#;

    #[test]
    fn tests_and_solutions_are_lists() {
        let item = only("codecontests", ROW);
        assert_eq!(item.id, "CodeContests/9001_A. Gulls");
        assert_eq!(
            (fields(&item, Examples), fields(&item, Solution)),
            (vec!["1 2"], vec!["print(2)"])
        );
        is_named(
            "codecontests",
            ROW,
            &["name", "description", "public_tests", "input", "solutions", "solution"],
        );
    }
}
