//! MultiPL-E: `humaneval-LANGUAGE.jsonl`, HumanEval and MBPP compiled to other programming languages.
//!
//! ```text
//!   name                "HumanEval_89_encrypt" or "mbpp_2_similar"     ► family HumanEval/89; id cpp/HumanEval/89
//!   language            "cpp", "go_test.go"
//!   prompt, tests                                                      ► prompt, tests
//! ```
//! Published beside them is a file in the layout of HumanEval-X for Python (`task_id` "Python/12").

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Prompt, Tests};
use stackmill_schemas::error::{Error, Result};

use super::{Benchmark, Parts, Row, Sheet, humaneval_x, language_of, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "multipl-e",
    title: "MultiPL-E",
    url: "https://github.com/nuprl/MultiPL-E",
    base: "https://raw.githubusercontent.com/deepseek-ai/DeepSeek-Coder/2f9fd85927c669dae3c0fbb2d607274023af243e/",
    files: include_str!("sums/multipl_e.sha256"),
    license: "BSD-3-Clause with restrictions",
    layout: "humaneval-LANGUAGE.jsonl or mbpp-LANGUAGE.jsonl, any number of them",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    if !row.has("name") && row.has("declaration") {
        return humaneval_x::parts(row).map(Parts::item);
    }
    let (name, language) = (row.text("name")?, row.text("language")?);
    let language = language.split('_').next().unwrap_or_default();
    let family = family(&name)?;
    Ok(Parts::of(format!("{language}/{family}"), language_of(language))
        .family(family)
        .with(Prompt, row.text("prompt")?)
        .with(Tests, row.text("tests")?)
        .item())
}

/// `HumanEval_89_encrypt` is HumanEval/89, `mbpp_2_similar` is MBPP/2.
fn family(name: &str) -> Result<String> {
    let mut words = name.split('_');
    let benchmark = match words.next() {
        Some("HumanEval") => "HumanEval",
        Some("mbpp") => "MBPP",
        _ => return Err(Error::input(format!("`{name}` is the name of no problem"))),
    };
    let number: Option<u32> = words.next().and_then(|word| word.parse().ok());
    let number = number.ok_or_else(|| Error::input(format!("`{name}` has no number")))?;
    Ok(format!("{benchmark}/{number}"))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"name": "mbpp_901_gulls", "language": "go_test.go", "prompt": "func gulls() {", "tests": "func TestGulls() {}"}"#;

    #[test]
    fn names_hold_the_family() {
        let item = only("multipl-e", ROW);
        assert_eq!((item.id.as_str(), item.family.as_str()), ("go/MBPP/901", "MBPP/901"));
        assert_eq!(item.language.as_deref(), Some("Go"));
        assert_eq!(fields(&item, Tests), ["func TestGulls() {}"]);
        assert_eq!(
            only("multipl-e", &ROW.replace("mbpp", "HumanEval")).family,
            "HumanEval/901"
        );
        for name in ["gulls_1_x", "mbpp_x_y", "mbpp"] {
            assert!(family(name).is_err_and(|error| error.message().contains(name)));
        }
        is_named("multipl-e", ROW, &["name", "language", "prompt", "tests"]);
    }
}
