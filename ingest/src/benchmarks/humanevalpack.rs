//! HumanEvalPack: `LANGUAGE/data/humanevalpack.jsonl`, HumanEval-X with broken solutions and instructions.
//!
//! ```text
//!   as HumanEval-X, and
//!   buggy_solution      a solution that was broken on purpose          ► solution, a second one
//!   docstring           the documentation alone                        ► docstring
//!   instruction         the task in words, with the signature          ► prompt, a second one
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Prompt, Solution};
use stackmill_schemas::error::Result;

use super::humaneval_x::parts;
use super::{Benchmark, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "humanevalpack",
    title: "HumanEvalPack",
    url: "https://github.com/bigcode-project/octopack",
    base: "https://raw.githubusercontent.com/bigcode-project/octopack/e17a8f6470264286bc6a52eb8263582083bf3bf6/",
    files: include_str!("sums/humanevalpack.sha256"),
    license: "MIT",
    layout: "humanevalpack.jsonl of each language, any number of them",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let broken = format!("{}{}", row.text("declaration")?, row.text("buggy_solution")?);
    let instruction = row.text("instruction")?;
    Ok(parts(row)?.with(Solution, broken).with(Prompt, instruction).item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;
    use stackmill_schemas::benchmark::Field::Docstring;

    const ROW: &str = r#"{"task_id": "Rust/901", "prompt": "fn gulls(n: u8) -> u8 {\n", "declaration": "fn gulls(n: u8) -> u8 {\n", "docstring": "Count gulls.",
        "canonical_solution": "  n\n}", "buggy_solution": "  n + 1\n}", "test": "", "example_test": "", "instruction": "Write a function that counts gulls."}"#;

    #[test]
    fn a_broken_solution_is_a_solution_too() {
        let item = only("humanevalpack", ROW);
        assert_eq!(
            (item.family.as_str(), item.language.as_deref()),
            ("HumanEval/901", Some("Rust"))
        );
        assert_eq!(
            fields(&item, Solution),
            ["fn gulls(n: u8) -> u8 {\n  n\n}", "fn gulls(n: u8) -> u8 {\n  n + 1\n}"]
        );
        assert_eq!(fields(&item, Docstring), ["Count gulls."]);
        is_named("humanevalpack", ROW, &["task_id", "buggy_solution", "instruction"]);
    }
}
