//! MBPP: `mbpp.jsonl` with all 974 problems, or `sanitized-mbpp.json` with the 427 that were checked by hand.
//!
//! ```text
//!   mbpp.jsonl, one problem a line        sanitized-mbpp.json, one array
//!   task_id              11               task_id        11            ► id MBPP/11
//!   text                                  prompt                       ► prompt
//!   code                 CRLF             code                         ► solution
//!   test_setup_code                       test_imports   a list        ► tests
//!   test_list            a list           test_list      a list        ► tests
//!   challenge_test_list  a list                                        ► tests
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Prompt, Solution, Tests};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "mbpp",
    title: "MBPP",
    url: "https://github.com/google-research/google-research/tree/master/mbpp",
    base: "https://raw.githubusercontent.com/",
    files: include_str!("sums/mbpp.sha256"),
    license: "CC-BY-4.0",
    layout: "mbpp.jsonl or sanitized-mbpp.json",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, item)
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let sanitized = row.has("prompt") && !row.has("text");
    let (prompt, setup, challenge) = if sanitized {
        (row.text("prompt")?, row.texts("test_imports")?, String::new())
    } else {
        (
            row.text("text")?,
            row.text("test_setup_code")?,
            row.texts("challenge_test_list")?,
        )
    };
    let tests = [setup, row.texts("test_list")?, challenge].join("\n");
    Ok(
        Parts::of(format!("MBPP/{}", row.whole_number("task_id")?), Some("Python"))
            .with(Prompt, prompt)
            .with(Solution, row.text("code")?)
            .with(Tests, tests)
            .item(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"{"text": "Count the gulls.", "code": "def gulls():\r\n  return 2", "task_id": 901,
        "test_setup_code": "import sea", "test_list": ["assert gulls() == 2", "assert gulls() > 1"],
        "challenge_test_list": ["assert gulls() < 3"]}"#;
    const SANITIZED: &str = r#"[{"source_file": "x", "task_id": 901, "prompt": "Count the gulls.",
        "code": "def gulls():\n  return 2", "test_imports": ["import sea"], "test_list": ["assert gulls() == 2"]}]"#;

    fn one_line(text: &str) -> String {
        text.replace('\n', " ")
    }

    fn fields(text: &str) -> Vec<String> {
        let items = read(&Sheet {
            name: "x",
            text: &one_line(text),
        })
        .expect("a published layout");
        assert_eq!((items.len(), items[0].id.as_str()), (1, "MBPP/901"));
        let kinds: Vec<_> = items[0].fields.iter().map(|(field, _)| *field).collect();
        assert_eq!(kinds, [Prompt, Solution, Tests]);
        items[0].fields.iter().map(|(_, text)| text.clone()).collect()
    }

    #[test]
    fn both_layouts_are_read() {
        let tests = "import sea\nassert gulls() == 2\nassert gulls() > 1\nassert gulls() < 3";
        assert_eq!(fields(FULL), ["Count the gulls.", "def gulls():\n  return 2", tests]);
        let tests = "import sea\nassert gulls() == 2\n";
        assert_eq!(
            fields(SANITIZED),
            ["Count the gulls.", "def gulls():\n  return 2", tests]
        );
    }

    #[test]
    fn a_missing_field_is_named() {
        let missing = |text: &str, field: &str| {
            let text = one_line(text).replace(&format!("\"{field}\""), "\"other\"");
            assert_eq!(
                read(&Sheet { name: "x", text: &text })
                    .expect_err("it is missing")
                    .message(),
                format!("field `{field}` is missing")
            );
        };
        for field in [
            "text",
            "code",
            "task_id",
            "test_setup_code",
            "test_list",
            "challenge_test_list",
        ] {
            missing(FULL, field);
        }
        for field in ["code", "task_id", "test_imports", "test_list"] {
            missing(SANITIZED, field);
        }
    }

    #[test]
    fn a_field_of_another_type_is_named() {
        let refused = |from: &str, to: &str| {
            let text = one_line(FULL).replace(from, to);
            read(&Sheet { name: "x", text: &text })
                .expect_err("another type")
                .message()
                .to_owned()
        };
        assert_eq!(refused("901", "\"Mbpp/901\""), "field `task_id` is no whole number");
        assert_eq!(refused("901", "-1"), "field `task_id` is no whole number");
        assert_eq!(
            refused("\"assert gulls() > 1\"", "7"),
            "field `test_list` is no list of texts"
        );
        assert_eq!(refused("\"import sea\"", "null"), "field `test_setup_code` is no text");
    }
}
