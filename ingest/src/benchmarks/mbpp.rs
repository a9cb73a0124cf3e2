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

use stackmill_schemas::benchmark::{BenchmarkItem, Field};
use stackmill_schemas::error::Result;

use super::{Benchmark, Row, json_array, json_lines};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "mbpp",
    title: "MBPP",
    url: "https://github.com/google-research/google-research/raw/master/mbpp/mbpp.jsonl",
    license: "CC-BY-4.0",
    layout: "mbpp.jsonl or sanitized-mbpp.json, also packed by gzip",
    read,
};

fn read(text: &str) -> Result<Vec<BenchmarkItem>> {
    if text.trim_start().starts_with('[') {
        json_array(text, item)
    } else {
        json_lines(text, item)
    }
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let sanitized = row.has("prompt") && !row.has("text");
    let (prompt, setup, challenge) = if sanitized {
        (row.text("prompt")?, row.texts("test_imports")?, String::new())
    } else {
        (row.text("text")?, row.text("test_setup_code")?, row.texts("challenge_test_list")?)
    };
    let tests = [setup, row.texts("test_list")?, challenge].join("\n");
    Ok(BenchmarkItem {
        id: format!("MBPP/{}", row.whole_number("task_id")?),
        fields: vec![(Field::Prompt, prompt), (Field::Solution, row.text("code")?), (Field::Tests, tests)],
    })
}
