//! HumanEval-X: `humanevalx_LANGUAGE.jsonl`, HumanEval's problems in six programming languages.
//!
//! ```text
//!   task_id             "CPP/12"                                       ► id; HumanEval/12 is the family
//!   prompt              documentation and declaration                  ► prompt
//!   text, docstring     the documentation alone, where it is published ► docstring
//!   declaration         imports and the function's head                ► signature
//!   canonical_solution  the body alone                                 ► solution, behind the declaration
//!   test, example_test                                                 ► tests, examples
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Examples, Prompt, Signature, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, language_of, numbered, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "humaneval-x",
    title: "HumanEval-X",
    url: "https://github.com/THUDM/CodeGeeX2",
    base: "https://raw.githubusercontent.com/THUDM/CodeGeeX2/754a2082356dec1293826c03d2dc4fcc9e48f160/",
    files: include_str!("sums/humaneval_x.sha256"),
    license: "Apache-2.0",
    layout: "humanevalx_LANGUAGE.jsonl, any number of them",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

/// Of a row in the layout of HumanEval-X, which HumanEvalPack shares.
pub(super) fn parts(row: &Row) -> Result<Parts> {
    let id = row.text("task_id")?;
    let (language, number) = numbered(&id)?;
    let (declaration, family) = (row.text("declaration")?, format!("HumanEval/{number}"));
    let solution = format!("{declaration}{}", row.text("canonical_solution")?);
    Ok(Parts::of(id.clone(), language_of(language))
        .family(family)
        .with(Prompt, row.text("prompt")?)
        .with(Docstring, row.maybe("text").or_else(|| row.maybe("docstring")))
        .with(Signature, declaration)
        .with(Solution, solution)
        .with(Tests, row.text("test")?)
        .with(Examples, row.maybe("example_test")))
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    parts(row).map(Parts::item)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"task_id": "CPP/901", "prompt": "/* Count gulls. */\nint gulls(int n){\n", "declaration": "int gulls(int n){\n",
        "canonical_solution": "  return n;\n}", "test": "int main(){}", "example_test": "None"}"#;

    #[test]
    fn a_translation_belongs_to_its_problem() {
        let item = only("humaneval-x", ROW);
        assert_eq!((item.id.as_str(), item.family.as_str()), ("CPP/901", "HumanEval/901"));
        assert_eq!(item.language.as_deref(), Some("C++"));
        assert_eq!(fields(&item, Solution), ["int gulls(int n){\n  return n;\n}"]);
        assert!(fields(&item, Examples).is_empty(), "the word None stands for nothing");
        is_named(
            "humaneval-x",
            ROW,
            &["task_id", "prompt", "declaration", "canonical_solution", "test"],
        );
    }
}
