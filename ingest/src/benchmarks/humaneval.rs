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
        family: id.clone(),
        id,
        language: Some("Python".to_owned()),
        fields: vec![
            (Field::Prompt, prompt),
            (Field::Solution, solution),
            (Field::Tests, tests),
        ],
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

#[cfg(test)]
mod tests {
    use super::*;

    const PROMPT: &str = "import math\n\n\ndef gull(n):\n    return n\n\n\ndef gulls(harbour: list,\n          n: int) -> int:\n    ''' Count the gulls.\n    '''\n";

    fn row() -> String {
        serde_json::json!({
            "task_id": "HumanEval/900",
            "prompt": PROMPT.replace('\n', "\r\n"),
            "canonical_solution": "    return len(harbour) - gull(n)\n",
            "test": "def check(candidate):\n    assert candidate([], 0) == 0\n",
            "entry_point": "gulls",
        })
        .to_string()
    }

    #[test]
    fn an_item_has_three_fields() {
        let items = read(&row()).expect("the published layout");
        let solution = "def gulls(harbour: list,\n          n: int) -> int:\n    return len(harbour) - gull(n)\n";
        let tests = "def check(candidate):\n    assert candidate([], 0) == 0\n\n\
            def check(gulls):\n    assert gulls([], 0) == 0\n";
        let fields = [
            (Field::Prompt, PROMPT),
            (Field::Solution, solution),
            (Field::Tests, tests),
        ];
        assert_eq!(items[0].id, "HumanEval/900");
        assert_eq!(items[0].fields, fields.map(|(field, text)| (field, text.to_owned())));
    }

    #[test]
    fn the_signature_ends_at_the_docstring_or_with_the_prompt() {
        assert_eq!(signature("def f(x):\n    \"\"\" '''x''' \"\"\"", "f"), "def f(x):");
        assert_eq!(signature("def f(x):\n    pass\n", "f"), "def f(x):\n    pass");
        assert_eq!(signature("def fg(x):\n", "f"), "");
    }

    #[test]
    fn a_missing_field_is_named() {
        for field in ["task_id", "prompt", "canonical_solution", "test", "entry_point"] {
            let name = format!("\"{field}\":");
            let error = read(&row().replace(&name, "\"other\":")).expect_err("a field is missing");
            assert_eq!(error.message(), format!("field `{field}` is missing"));
            let error = read(&row().replace(&name, &format!("{name} 1, \"other\":"))).expect_err("a number");
            assert_eq!(error.message(), format!("field `{field}` is no text"));
        }
        assert!(read(&row().replace("\"gulls\"", "\"\"")).is_err());
    }
}
