//! LiveCodeBench, code generation: `test.jsonl` and its later parts.
//!
//! ```text
//!   question_id                                                        ► id LiveCodeBench/…
//!   question_content                                                   ► prompt
//!   starter_code                                                       ► signature
//!   public_test_cases   [{"input": …, "output": …}], as JSON           ► examples
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Examples, Prompt, Signature};
use stackmill_schemas::error::{Error, Result};

use super::{Benchmark, Parts, Row, Sheet, paired, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "livecodebench",
    title: "LiveCodeBench",
    url: "https://huggingface.co/datasets/livecodebench/code_generation_lite/resolve/main/test.jsonl",
    base: "https://huggingface.co/datasets/livecodebench/code_generation_lite/resolve/main/",
    files: "-  test.jsonl",
    license: "CC-BY-4.0",
    layout: "test.jsonl, test2.jsonl, …",
    verified: false,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    Ok(
        Parts::of(format!("LiveCodeBench/{}", row.text("question_id")?), Some("Python"))
            .with(Prompt, row.text("question_content")?)
            .with(Signature, row.maybe("starter_code"))
            .with(Examples, cases(&row.text("public_test_cases")?)?)
            .item(),
    )
}

fn cases(text: &str) -> Result<String> {
    #[derive(serde::Deserialize)]
    struct Case {
        input: String,
        output: String,
    }
    let cases: Vec<Case> = serde_json::from_str(text)
        .map_err(|error| Error::input(format!("field `public_test_cases` holds no cases: {error}")))?;
    let (inputs, outputs): (Vec<_>, Vec<_>) = cases.into_iter().map(|case| (case.input, case.output)).unzip();
    Ok(paired(&inputs, &outputs))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"question_id": "9001_A", "question_content": "Count gulls.", "starter_code": "class Solution:",
        "public_test_cases": "[{\"input\": \"1\", \"output\": \"2\", \"testtype\": \"stdin\"}]"}"#;

    #[test]
    fn public_cases_are_examples() {
        let item = only("livecodebench", ROW);
        assert_eq!(item.id, "LiveCodeBench/9001_A");
        assert_eq!(fields(&item, Examples), ["1 2"]);
        is_named(
            "livecodebench",
            ROW,
            &["question_id", "question_content", "public_test_cases"],
        );
        assert!(cases("{}").is_err());
    }
}
