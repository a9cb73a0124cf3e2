//! CodeXGLUE: the test sets of its tasks, each in its own layout; all are functions of public repositories.
//!
//! ```text
//!   defect detection    {idx, func, target, project, commit_id}        ► solution
//!   clone detection     {idx, func}                                    ► solution
//!   web queries         {idx, doc, code}                               ► docstring, solution
//!   cloze tests         {idx, nl_tokens, pl_tokens}                    ► docstring, solution
//!   text to code        {nl, code}                                     ► docstring, solution; the code may be empty
//!   code to text        {repo, path, func_name, docstring, code}       ► docstring, solution
//! ```
//! Rows without an id are counted; ids stand behind the name of their file.

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Docstring, Solution};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "codexglue",
    title: "CodeXGLUE",
    url: "https://github.com/microsoft/CodeXGLUE",
    base: "https://raw.githubusercontent.com/microsoft/CodeXGLUE/ac74a62802a0dd159b3258c78a2df8ad36cdf2b9/",
    files: include_str!("sums/codexglue.sha256"),
    license: "C-UDA-1.0",
    layout: "test files of the tasks, any number of them",
    verified: true,
    corpus_material: true,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    let file = sheet.name.split('.').next().unwrap_or_default();
    let items = rows(sheet.text, item)?.into_iter().enumerate();
    let named = items.map(|(place, item)| {
        let own = if item.id.is_empty() { place.to_string() } else { item.id };
        let id = format!("CodeXGLUE/{file}/{own}");
        BenchmarkItem {
            family: id.clone(),
            id,
            ..item
        }
    });
    Ok(named.collect())
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let id = row
        .maybe("idx")
        .or_else(|| row.whole_number("idx").ok().map(|number| number.to_string()));
    let parts = Parts::of(id.unwrap_or_default(), None);
    let parts = match () {
        () if row.has("func") => parts.with(Solution, row.text("func")?),
        () if row.has("pl_tokens") => parts
            .with(Docstring, row.words("nl_tokens")?)
            .with(Solution, row.words("pl_tokens")?),
        () if row.has("nl") => parts.with(Docstring, row.text("nl")?).with(Solution, row.maybe("code")),
        () if row.has("docstring") => parts
            .with(Docstring, row.text("docstring")?)
            .with(Solution, row.text("code")?),
        () => parts
            .with(Docstring, row.text("doc")?)
            .with(Solution, row.text("code")?),
    };
    Ok(parts.item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    #[test]
    fn every_layout_gives_its_functions() {
        let rows = [
            (
                r#"{"idx": 3, "func": "int gulls();", "target": 0}"#,
                "CodeXGLUE/made/3",
                vec![],
                vec!["int gulls();"],
            ),
            (
                r#"{"idx": "web-1", "doc": "count gulls", "code": "def gulls(): 2"}"#,
                "CodeXGLUE/made/web-1",
                vec!["count gulls"],
                vec!["def gulls(): 2"],
            ),
            (
                r#"{"idx": "c-1", "nl_tokens": ["Count", "."], "pl_tokens": ["def", "f"]}"#,
                "CodeXGLUE/made/c-1",
                vec!["Count ."],
                vec!["def f"],
            ),
            (
                r#"{"nl": "count gulls", "code": ""}"#,
                "CodeXGLUE/made/0",
                vec!["count gulls"],
                vec![],
            ),
            (
                r#"{"docstring": "Count.", "code": "f()"}"#,
                "CodeXGLUE/made/0",
                vec!["Count."],
                vec!["f()"],
            ),
        ];
        for (row, id, words, code) in rows {
            let item = only("codexglue", row);
            assert_eq!(item.id, id);
            assert_eq!((fields(&item, Docstring), fields(&item, Solution)), (words, code));
        }
        is_named(
            "codexglue",
            r#"{"idx": "web-1", "doc": "count gulls", "code": "def gulls(): 2"}"#,
            &["doc", "code"],
        );
    }
}
