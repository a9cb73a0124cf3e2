//! CRUXEval: `cruxeval.jsonl`, small functions with an input and an output.
//!
//! ```text
//!   id                  "sample_12"                                    ► id CRUXEval/sample_12
//!   code                                                               ► solution
//!   input, output                                                      ► tests, examples
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Examples, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "cruxeval",
    title: "CRUXEval",
    url: "https://github.com/facebookresearch/cruxeval",
    base: "https://raw.githubusercontent.com/facebookresearch/cruxeval/190faf16d175b5847b0af05d937872b1fb395942/",
    files: include_str!("sums/cruxeval.sha256"),
    license: "MIT",
    layout: "cruxeval.jsonl",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let (input, output) = (row.text("input")?, row.text("output")?);
    Ok(Parts::of(format!("CRUXEval/{}", row.text("id")?), Some("Python"))
        .with(Solution, row.text("code")?)
        .with(Tests, format!("assert f({input}) == {output}"))
        .with(Examples, format!("({input}) {output}"))
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"id": "sample_9001", "code": "def f(n):\n    return n", "input": "2", "output": "2"}"#;

    #[test]
    fn input_and_output_make_a_test() {
        let item = only("cruxeval", ROW);
        assert_eq!(item.id, "CRUXEval/sample_9001");
        assert_eq!(fields(&item, Tests), ["assert f(2) == 2"]);
        is_named("cruxeval", ROW, &["id", "code", "input", "output"]);
    }
}
