//! mHumanEval: `mHumanEval-TONGUE-LANGUAGE.json` and the experts' files, HumanEval's prompts in 204 natural languages.
//!
//! ```text
//!   task_id             "HumanEval/12" or "HumanEval_12"; not in the experts' files, whose 164 rows stand in HumanEval's order
//!   nl, pl              "deu_Latn", "python"
//!   prompt              documentation in that language, and signature  ► prompt, docstring
//!   canonical_solution  or canonical_solutions                         ► solution, where it is code of its own
//!   test or tests       HumanEval's                                    ► tests
//! ```
//!
//! Files of another number of rows (`mini`, `B500`, `R500`, `T500`) are samples of these, without ids, and give nothing.

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Prompt, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, language_of, python_docstring, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "mhumaneval",
    title: "mHumanEval",
    url: "https://github.com/mraihan-gmu/mHumanEval-Benchmark",
    base: "https://raw.githubusercontent.com/mraihan-gmu/mHumanEval-Benchmark/b4ac5b3f59bb8a9b27fabd2d63080963995b1388/",
    files: include_str!("sums/mhumaneval.sha256"),
    license: "Apache-2.0",
    layout: "mHumanEval-TONGUE-LANGUAGE.json, any number of them",
    verified: true,
    corpus_material: false,
    read,
};

/// Rows of a file whose rows stand in HumanEval's order.
const ROWS: usize = 164;

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    let all = rows(sheet.text, item)?;
    if all.iter().all(|item| item.id.is_empty()) && all.len() != ROWS {
        return Ok(Vec::new());
    }
    let file = sheet.name.trim_end_matches(".json");
    let numbered = all
        .into_iter()
        .enumerate()
        .map(|(number, item)| match item.id.is_empty() {
            true => BenchmarkItem {
                id: format!("HumanEval/{number}/{file}"),
                family: format!("HumanEval/{number}"),
                ..item
            },
            false => item,
        });
    Ok(numbered.collect())
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let prompt = row.text("prompt")?;
    let solution = row
        .maybe("canonical_solution")
        .or_else(|| row.maybe("canonical_solutions"));
    let known = row.maybe("task_id").map(|id| id.replace('_', "/"));
    let [tongue, language] = ["nl", "pl"].map(|key| row.maybe(key).unwrap_or_default());
    let language = language.split('_').next().unwrap_or_default();
    let id = known.as_ref().map(|known| format!("{known}/{tongue}/{language}"));
    Ok(Parts::of(id.unwrap_or_default(), language_of(language))
        .family(known.unwrap_or_default())
        .with(Docstring, python_docstring(&prompt))
        .with(Prompt, prompt)
        .with(Solution, solution)
        .with(Tests, row.maybe("tests").map_or_else(|| row.text("test"), Ok)?)
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"task_id": "HumanEval/9", "nl": "deu_Latn", "pl": "python", "prompt": "def gulls():\n  ''' Zähle Möwen. '''\n",
        "canonical_solution": "  return 2", "test": "assert candidate() == 2"}"#;

    #[test]
    fn a_row_with_an_id_is_joined_by_it() {
        let item = only("mhumaneval", ROW);
        assert_eq!(
            (item.id.as_str(), item.family.as_str()),
            ("HumanEval/9/deu_Latn/python", "HumanEval/9")
        );
        assert_eq!(fields(&item, Docstring), [" Zähle Möwen. "]);
        is_named("mhumaneval", ROW, &["prompt", "test"]);
    }

    #[test]
    fn rows_without_ids_stand_in_order_or_are_left_out() {
        let row = ROW.replace("\n", " ").replace(r#""task_id": "HumanEval/9","#, "");
        let of = |count| {
            let text = vec![row.as_str(); count].join("\n");
            let sheet = Sheet {
                name: "mHuamnEval-Expert_deu.json",
                text: &text,
            };
            read(&sheet).expect("the published layout")
        };
        let all = of(ROWS);
        assert_eq!((all.len(), all[7].family.as_str()), (ROWS, "HumanEval/7"));
        assert!(of(ROWS - 1).is_empty());
    }
}
