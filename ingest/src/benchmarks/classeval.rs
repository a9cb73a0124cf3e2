//! ClassEval: `ClassEval_data.json`, one class an item.
//!
//! ```text
//!   task_id             "ClassEval_12"                                 ► id and family
//!   skeleton            heads and docstrings                           ► prompt
//!   class_description                                                  ► docstring
//!   class_constructor                                                  ► signature
//!   solution_code                                                      ► solution
//!   test                                                               ► tests
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Prompt, Signature, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "classeval",
    title: "ClassEval",
    url: "https://github.com/FudanSELab/ClassEval",
    base: "https://raw.githubusercontent.com/FudanSELab/ClassEval/eaeac44d0d5dcd8a95feec50726d66fedc73a98f/",
    files: include_str!("sums/classeval.sha256"),
    license: "MIT",
    layout: "ClassEval_data.json",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    Ok(Parts::of(row.text("task_id")?, Some("Python"))
        .with(Prompt, row.text("skeleton")?)
        .with(Docstring, row.maybe("class_description"))
        .with(Signature, row.maybe("class_constructor"))
        .with(Solution, row.text("solution_code")?)
        .with(Tests, row.text("test")?)
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"[{"task_id": "ClassEval_901", "skeleton": "class Harbour:", "class_description": "A harbour.", "class_constructor": "class Harbour:",
        "solution_code": "class Harbour: pass", "test": "Harbour()"}]"#;

    #[test]
    fn a_class_is_an_item() {
        let item = only("classeval", ROW);
        assert_eq!(item.id, "ClassEval_901");
        assert_eq!(fields(&item, Docstring), ["A harbour."]);
        is_named("classeval", ROW, &["task_id", "skeleton", "solution_code", "test"]);
    }
}
