//! CSEPrompts: `Academic.json`, `CodingSites.json` and `MCQ_Prompts.json`, exercises without solutions.
//!
//! ```text
//!   #                   a number; choices have none, and are counted   ► id CSEPrompts/Academic/12
//!   Prompt                                                             ► prompt
//!   Test Cases          inputs and outputs in words                    ► examples
//! ```

use stackmill_schemas::benchmark::BenchmarkItem;
use stackmill_schemas::benchmark::Field::{Examples, Prompt};
use stackmill_schemas::error::Result;

use super::{Benchmark, Parts, Row, Sheet, rows};

pub(super) const BENCHMARK: Benchmark = Benchmark {
    name: "cseprompts",
    title: "CSEPrompts",
    url: "https://github.com/mraihan-gmu/CSEPrompts",
    base: "https://raw.githubusercontent.com/mraihan-gmu/CSEPrompts/58d7ea011d8b7f659e10fdd6b099aae970598c34/",
    files: include_str!("sums/cseprompts.sha256"),
    license: "AGPL-3.0",
    layout: "Academic.json, CodingSites.json, MCQ_Prompts.json",
    verified: true,
    corpus_material: false,
    read,
};

fn read(sheet: &Sheet<'_>) -> Result<Vec<BenchmarkItem>> {
    let part = sheet.name.split('.').next().unwrap_or_default();
    let items = rows(sheet.text, item)?.into_iter().enumerate();
    let named = items.map(|(place, item)| {
        let number = if item.id.is_empty() {
            (place + 1).to_string()
        } else {
            item.id
        };
        let id = format!("CSEPrompts/{part}/{number}");
        BenchmarkItem {
            family: id.clone(),
            id,
            ..item
        }
    });
    Ok(named.collect())
}

fn item(row: &Row) -> Result<BenchmarkItem> {
    let number = match row.has("#") {
        true => row.whole_number("#")?.to_string(),
        false => String::new(),
    };
    Ok(Parts::of(number, None)
        .with(Prompt, row.text("Prompt")?)
        .with(Examples, row.maybe("Test Cases"))
        .item())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{fields, is_named, only};
    use super::*;

    const ROW: &str = r##"{"#": 12, "Prompt": "Count gulls.", "Test Cases": "Input: 2"}"##;

    #[test]
    fn ids_name_file_and_number() {
        let named = |text: &str| {
            let sheet = Sheet {
                name: "Academic.json",
                text,
            };
            read(&sheet).expect("the published layout").remove(0).id
        };
        assert_eq!(named(ROW), "CSEPrompts/Academic/12");
        assert_eq!(
            named(r#"{"Prompt": "How many?", "Answer": "2"}"#),
            "CSEPrompts/Academic/1"
        );
        assert_eq!(fields(&only("cseprompts", ROW), Examples), ["Input: 2"]);
        is_named("cseprompts", ROW, &["Prompt"]);
    }
}
