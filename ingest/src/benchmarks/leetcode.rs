//! LeetCode contests, as DeepSeek-Coder's authors published them: `YYYYMMDD-Jul.jsonl`.
//!
//! ```text
//!   task_id             "weekly-contest-381-…"                         ► id LeetCode/weekly-contest-381-…
//!   prompt              task in quotes, and the head of the class      ► prompt
//!   prompt_sft          the task in words, with examples               ► docstring
//!   test                                                               ► tests
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Prompt, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "leetcode",
    title: "LeetCode contests (DeepSeek)",
    url: "https://github.com/deepseek-ai/DeepSeek-Coder",
    base: "https://raw.githubusercontent.com/deepseek-ai/DeepSeek-Coder/2f9fd85927c669dae3c0fbb2d607274023af243e/",
    files: include_str!("sums/leetcode.sha256"),
    license: "MIT",
    layout: "20240121-Jul.jsonl",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let prompt = row.maybe("prompt");
    let words = row.text("prompt_sft")?;
    Ok(Parts::of(format!("LeetCode/{}", row.text("task_id")?), Some("Python"))
        .with(Prompt, prompt)
        .with(Docstring, words)
        .with(Tests, row.text("test")?)
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"task_id": "weekly-contest-9-gulls", "prompt": "class Solution:", "prompt_sft": "Count gulls.", "test": "assert Solution()"}"#;

    #[test]
    fn contests_have_names() {
        let item = only("leetcode", ROW);
        assert_eq!(item.family, "LeetCode/weekly-contest-9-gulls");
        assert_eq!(fields(&item, Docstring), ["Count gulls."]);
        is_named("leetcode", ROW, &["task_id", "prompt_sft", "test"]);
    }
}
