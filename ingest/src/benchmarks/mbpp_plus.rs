//! MBPP+: `MbppPlus.jsonl`, 378 problems of MBPP with more tests, and solutions that were written anew.
//!
//! ```text
//!   task_id             "Mbpp/12"                                      ► id; MBPP/12 is the family
//!   prompt              the task and one assertion, in quotes          ► prompt
//!   canonical_solution                                                 ► solution
//!   assertion                                                          ► tests
//!   base_input          arguments of MBPP's own tests                  ► examples
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Examples, Prompt, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, numbered, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "mbpp-plus",
    title: "MBPP+",
    url: "https://github.com/evalplus/mbppplus_release",
    base: "https://raw.githubusercontent.com/evalplus/mbppplus_release/dadf43da556a00f7bacd71cb154f2932757d9144/",
    files: include_str!("sums/mbpp_plus.sha256"),
    license: "Apache-2.0",
    layout: "MbppPlus.jsonl",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let id = row.text("task_id")?;
    let (_, number) = numbered(&id)?;
    Ok(Parts::of(id.clone(), Some("Python"))
        .family(format!("MBPP/{number}"))
        .with(Prompt, row.text("prompt")?)
        .with(Solution, row.text("canonical_solution")?)
        .with(Tests, row.text("assertion")?)
        .with(Examples, row.arguments("base_input")?)
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"task_id": "Mbpp/901", "prompt": "Count gulls.", "canonical_solution": "def gulls(n): return n",
        "assertion": "assert gulls(2) == 2", "base_input": [[2]]}"#;

    #[test]
    fn ids_lead_to_the_original() {
        let item = only("mbpp-plus", ROW);
        assert_eq!((item.id.as_str(), item.family.as_str()), ("Mbpp/901", "MBPP/901"));
        assert_eq!(fields(&item, Examples), ["[2]"]);
        is_named(
            "mbpp-plus",
            ROW,
            &["task_id", "prompt", "canonical_solution", "assertion", "base_input"],
        );
    }
}
