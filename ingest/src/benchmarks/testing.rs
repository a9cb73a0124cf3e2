//! What tests of readers share: rows are made up, for benchmarks stay out of the repository.

use stackmill_schemas::benchmark::{BenchmarkItem, Field};
use stackmill_schemas::error::{ErrorKind, Result};

fn items(name: &str, text: &str) -> Result<Vec<BenchmarkItem>> {
    // Rows of several lines are easier on the eye.
    super::read(name, &[("made.json".to_owned(), text.replace('\n', " ").into_bytes())])
}

/// The one item of a file.
pub(super) fn only(name: &str, text: &str) -> BenchmarkItem {
    let mut items = items(name, text).expect("a published layout");
    assert_eq!(items.len(), 1);
    items.remove(0)
}

/// All texts of a kind.
pub(super) fn fields(item: &BenchmarkItem, field: Field) -> Vec<&str> {
    let texts = item.fields.iter().filter(|(kind, _)| *kind == field);
    texts.map(|(_, text)| text.as_str()).collect()
}

/// Whether a row without one of `fields` is refused, and the field is named.
pub(super) fn is_named(name: &str, row: &str, fields: &[&str]) {
    for field in fields {
        let without = row.replace(&format!("\"{field}\":"), "\"other\":");
        assert_ne!(without, row, "{field}");
        let error = items(name, &without).expect_err(field);
        assert_eq!(error.kind(), ErrorKind::Input, "{field}");
        assert!(
            error.message().contains(&format!("field `{field}` is missing")),
            "{error}"
        );
    }
}
