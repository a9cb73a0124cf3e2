//! MBXP: `mbLANGUAGE_release_v1.jsonl`, MBPP in 13 programming languages; multilingual HumanEval has its layout.
//!
//! ```text
//!   task_id             "MBJP/12"                                      ► id; MBPP/12 is the family
//!   language            "java"
//!   prompt, description                                                ► prompt, docstring
//!   canonical_solution  null for many languages                        ► solution
//!   test                                                               ► tests
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Prompt, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, language_of, numbered, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "mbxp",
    title: "MBXP",
    url: "https://github.com/amazon-science/mxeval",
    base: "https://raw.githubusercontent.com/amazon-science/mxeval/e09974f990eeaf0c0e8f2b5eaff4be66effb2c86/",
    files: include_str!("sums/mbxp.sha256"),
    license: "CC-BY-4.0",
    layout: "mbLANGUAGE_release_v1.jsonl, any number of them",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, |row| item(row, "MBPP"))
}

/// A row whose number is that of a problem of `family`.
pub(super) fn item(row: &Row, family: &str) -> Result<BenchmarkItem> {
    let id = row.text("task_id")?;
    let (_, number) = numbered(&id)?;
    let language = row.text("language")?;
    Ok(Parts::of(id.clone(), language_of(&language))
        .family(format!("{family}/{number}"))
        .with(Prompt, row.text("prompt")?)
        .with(Docstring, row.maybe("description"))
        .with(Solution, row.maybe("canonical_solution"))
        .with(Tests, row.text("test")?)
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"task_id": "MBJP/901", "language": "java", "prompt": "class Gulls {", "description": "Count gulls.",
        "canonical_solution": null, "test": "class Main {}"}"#;

    #[test]
    fn numbers_are_those_of_the_original() {
        let item = only("mbxp", ROW);
        assert_eq!((item.id.as_str(), item.family.as_str()), ("MBJP/901", "MBPP/901"));
        assert_eq!(fields(&item, Docstring), ["Count gulls."]);
        assert!(fields(&item, Solution).is_empty());
        let other = only("multilingual-humaneval", &ROW.replace("MBJP", "HumanEval_java"));
        assert_eq!(other.family, "HumanEval/901");
        is_named("mbxp", ROW, &["task_id", "language", "prompt", "test"]);
    }
}
