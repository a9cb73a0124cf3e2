//! RepoBench: rows of its tables as JSON lines; each is a place in a public repository.
//!
//! ```text
//!   repo_name, file_path                                               ► id RepoBench/owner/name/path#12
//!   import_statement, cropped_code                                     ► prompt
//!   next_line                                                          ► solution
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Prompt, Solution};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "repobench",
    title: "RepoBench",
    url: "https://huggingface.co/datasets/tianyang/repobench_python_v1.1",
    base: "",
    files: "",
    license: "CC-BY-4.0",
    layout: "Parquet, or JSON lines of its rows",
    verified: false,
    corpus_material: true,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    let items = rows(sheet.text, item)?.into_iter().enumerate();
    let numbered = items.map(|(number, item)| {
        let id = format!("{}#{number}", item.id);
        BenchmarkItem { id, ..item }
    });
    Ok(numbered.collect())
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let (repository, path) = (row.text("repo_name")?, row.text("file_path")?);
    let (imports, code) = (row.text("import_statement")?, row.text("cropped_code")?);
    let next = row.text("next_line")?;
    Ok(Parts::of(format!("RepoBench/{repository}/{path}"), None)
        .with(Prompt, format!("{imports}\n{code}"))
        .with(Solution, format!("{code}\n{next}"))
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r#"{"repo_name": "sea/gulls", "file_path": "count.py", "import_statement": "import sea", "cropped_code": "n = 1", "next_line": "n += 1"}"#;

    #[test]
    fn a_place_in_a_file_is_an_item() {
        let item = only("repobench", ROW);
        assert_eq!(
            (item.id.as_str(), item.family.as_str()),
            ("RepoBench/sea/gulls/count.py#0", "RepoBench/sea/gulls/count.py")
        );
        assert_eq!(fields(&item, Solution), ["n = 1\nn += 1"]);
        is_named(
            "repobench",
            ROW,
            &[
                "repo_name",
                "file_path",
                "import_statement",
                "cropped_code",
                "next_line",
            ],
        );
    }
}
