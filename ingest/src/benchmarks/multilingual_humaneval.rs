//! Multilingual HumanEval: `HumanEval_LANGUAGE_v1.jsonl`, HumanEval in 12 programming languages; rows are as in MBXP.
//!
//! ```text
//!   task_id             "HumanEval_java/12"                            ► id; HumanEval/12 is the family
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::error::Result;

use super::mbxp::item;
use super::{Benchmark, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "multilingual-humaneval",
    title: "Multilingual HumanEval",
    url: "https://github.com/amazon-science/mxeval",
    base: "https://raw.githubusercontent.com/amazon-science/mxeval/e09974f990eeaf0c0e8f2b5eaff4be66effb2c86/",
    files: include_str!("sums/multilingual_humaneval.sha256"),
    license: "MIT",
    layout: "HumanEval_LANGUAGE_v1.jsonl, any number of them",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    rows(sheet.text, |row| item(row, "HumanEval"))
}
