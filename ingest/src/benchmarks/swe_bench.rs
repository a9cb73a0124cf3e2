//! SWE-bench: rows of its tables as JSON lines; issues of public repositories with the patches that ended them.
//!
//! ```text
//!   instance_id         "owner__name-123"                              ► id
//!   problem_statement   the issue                                      ► prompt
//!   patch               a diff                                         ► solution
//!   test_patch          a diff                                         ► tests
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Prompt, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "swe-bench",
    title: "SWE-bench",
    url: "https://huggingface.co/datasets/princeton-nlp/SWE-bench",
    base: "https://huggingface.co/datasets/princeton-nlp/SWE-bench/resolve/main/",
    files: "-  data/dev-00000-of-00001.parquet
-  data/test-00000-of-00001.parquet",
    license: "MIT",
    layout: "Parquet, or JSON lines of its rows",
    verified: false,
    corpus_material: true,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    Ok(Parts::of(row.text("instance_id")?, None)
        .with(Prompt, row.text("problem_statement")?)
        .with(Solution, row.text("patch")?)
        .with(Tests, row.text("test_patch")?)
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"instance_id": "sea__gulls-9001", "problem_statement": "Gulls are miscounted.", "patch": "+n", "test_patch": "+assert n"}"#;

    #[test]
    fn patches_are_solution_and_tests() {
        let item = only("swe-bench", ROW);
        assert_eq!(item.family, "sea__gulls-9001");
        assert_eq!(fields(&item, Tests), ["+assert n"]);
        is_named(
            "swe-bench",
            ROW,
            &["instance_id", "problem_statement", "patch", "test_patch"],
        );
    }
}
