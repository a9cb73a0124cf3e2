//! HumanEval: `HumanEval.jsonl`, one problem a line.
//!
//! ```text
//!   task_id             "HumanEval/12"
//!   prompt              imports, helpers, signature, docstring     ► prompt
//!   canonical_solution  the body alone                             ► solution, behind the signature out of the prompt
//!   test                calls the function by the name `candidate` ► tests, once so and once by its own name
//!   entry_point         the function's name
//! ```

use stackmill_schemas::benchmark::{BenchmarkItem, Field};
use stackmill_schemas::error::{Error, Result};

use super::{Benchmark, Row, json_lines};

/// The name under which the tests call the function.
const CANDIDATE: &str = "candidate";

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "humaneval",
    title: "HumanEval",
    url: "https://github.com/openai/human-eval/raw/master/data/HumanEval.jsonl.gz",
    license: "MIT",
    layout: "HumanEval.jsonl, also packed by gzip",
    read,
};

fn read(text: &str) -> Result<Vec<BenchmarkItem>> {
    json_lines(text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let id = row.text("task_id")?;
    let (prompt, body) = (row.text("prompt")?, row.text("canonical_solution")?);
    let (test, name) = (row.text("test")?, row.text("entry_point")?);
    if id.is_empty() || name.is_empty() {
        return Err(Error::input("`task_id` or `entry_point` is empty"));
    }
    let solution = format!("{}\n{body}", signature(&prompt, &name));
    let tests = format!("{test}\n{}", test.replace(CANDIDATE, &name));
    Ok(BenchmarkItem {
        id,
        fields: vec![(Field::Prompt, prompt), (Field::Solution, solution), (Field::Tests, tests)],
    })
}

/// The `def` line of function `name`, up to its docstring: a solution is found by it where the docstring was removed.
fn signature<'a>(prompt: &'a str, name: &str) -> &'a str {
    let Some(start) = prompt.rfind(&format!("def {name}(")) else {
        return "";
    };
    let rest = &prompt[start..];
    let end = ["\"\"\"", "'''"].iter().filter_map(|quote| rest.find(quote)).min();
    rest[..end.unwrap_or(rest.len())].trim_end()
}
