//! CoSQA: `cosqa-*.json`, questions people asked beside functions of public repositories; and `code_idx_map.txt`.
//!
//! ```text
//!   idx                 "cosqa-train-12"                               ► id
//!   doc                 the question                                   ► docstring
//!   code                a function out of a public repository          ► solution
//!   {code: number, …}   the map of all functions                       ► solution, id CoSQA/code-12
//! ```

use std::collections::BTreeMap;

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Solution};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "cosqa",
    title: "CoSQA",
    url: "https://github.com/Jun-jie-Huang/CoCLR",
    base: "https://raw.githubusercontent.com/Jun-jie-Huang/CoCLR/14ebcacf9e9bc3e7109102632bc63047876f27d2/",
    files: include_str!("sums/cosqa.sha256"),
    license: "MIT",
    layout: "cosqa-dev.json, cosqa-retrieval-*.json, code_idx_map.txt",
    verified: true,
    corpus_material: true,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    if let Ok(map) = serde_json::from_str::<BTreeMap<String, u64>>(sheet.text) {
        let items = map.into_iter().map(|(code, number)| {
            let id = format!("CoSQA/code-{number}");
            Parts::of(id, Some("Python")).with(Solution, code).item()
        });
        return Ok(items.collect());
    }
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    Ok(Parts::of(row.text("idx")?, Some("Python"))
        .with(Docstring, row.text("doc")?)
        .with(Solution, row.text("code")?)
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"[{"idx": "cosqa-dev-9001", "doc": "python count gulls", "code": "def gulls(): return 2"}]"#;

    #[test]
    fn questions_and_functions_are_items() {
        let item = only("cosqa", ROW);
        assert_eq!(fields(&item, Docstring), ["python count gulls"]);
        assert_eq!(only("cosqa", r#"{"def gulls(): return 2": 12}"#).id, "CoSQA/code-12");
        is_named("cosqa", ROW, &["idx", "doc", "code"]);
    }
}
