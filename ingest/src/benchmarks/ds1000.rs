//! DS-1000: `ds1000.jsonl`, questions about seven libraries; many are variations of each other.
//!
//! ```text
//!   (line)              from 0                                         ► id DS1000/12
//!   metadata            library, perturbation_origin_id                ► family DS1000/Pandas/12
//!   prompt                                                             ► prompt
//!   reference_code                                                     ► solution
//!   code_context        holds the tests                                ► tests
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Prompt, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "ds1000",
    title: "DS-1000",
    url: "https://github.com/xlang-ai/DS-1000",
    base: "https://raw.githubusercontent.com/yassine-turin/ds1000-codegen-eval/1eea362fa5eb7bc862eb6022e53df3a9d391ac2b/",
    files: include_str!("sums/ds1000.sha256"),
    license: "CC-BY-SA-4.0",
    layout: "ds1000.jsonl",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    let items = rows(sheet.text, item)?.into_iter().enumerate();
    let numbered = items.map(|(number, item)| BenchmarkItem {
        id: format!("DS1000/{number}"),
        ..item
    });
    Ok(numbered.collect())
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let metadata = row.object("metadata")?;
    let (library, origin) = (
        metadata.text("library")?,
        metadata.whole_number("perturbation_origin_id")?,
    );
    Ok(Parts::of(String::new(), Some("Python"))
        .family(format!("DS1000/{library}/{origin}"))
        .with(Prompt, row.text("prompt")?)
        .with(Solution, row.text("reference_code")?)
        .with(Tests, row.text("code_context")?)
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"metadata": {"library": "Pandas", "perturbation_origin_id": 7}, "prompt": "How many gulls?", "reference_code": "len(gulls)",
        "code_context": "import gulls"}"#;

    #[test]
    fn variations_are_one_family() {
        let item = only("ds1000", ROW);
        assert_eq!(
            (item.id.as_str(), item.family.as_str()),
            ("DS1000/0", "DS1000/Pandas/7")
        );
        assert_eq!(fields(&item, Solution), ["len(gulls)"]);
        is_named(
            "ds1000",
            ROW,
            &[
                "metadata",
                "library",
                "perturbation_origin_id",
                "prompt",
                "reference_code",
                "code_context",
            ],
        );
    }
}
