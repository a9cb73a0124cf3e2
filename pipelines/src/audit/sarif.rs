//! Findings as SARIF 2.1.0, which code hosts and editors show beside the lines.

use std::io::Write;

use serde_json::json;
use stackmill_schemas::{Error, Result};

use super::findings::Finding;

/// Everything before the first result.
pub(super) const HEAD: &str = concat!(
    r#"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"tool":{"driver":{"name":"stackmill","version":""#,
    env!("CARGO_PKG_VERSION"),
    r#""}},"results":["#
);
/// Everything behind the last one.
pub(super) const TAIL: &str = "\n]}]}\n";

/// One more result.
pub(super) fn result(out: &mut impl Write, finding: &Finding<'_>, is_first: bool) -> Result<()> {
    let level = match finding.tier {
        "verbatim" | "normalised" => "error",
        "derivative" => "warning",
        _ => "note",
    };
    let result = json!({
        "ruleId": finding.benchmark,
        "level": level,
        "message": {"text": format!(
            "{} of item {} of benchmark {} ({}, {:.0}% of it)",
            finding.field, finding.item, finding.benchmark, finding.tier, finding.score * 100.0
        )},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": encoded(finding.path)},
            "region": {"startLine": finding.start_line, "endLine": finding.end_line}
        }}],
        "properties": {"id": finding.id, "repository": finding.repo_name, "family": finding.family, "score": finding.score},
    });
    out.write_all(if is_first { b"\n" } else { b",\n" })?;
    serde_json::to_writer(out, &result).map_err(|error| Error::bug(error.to_string()))
}

/// A path as a relative URI reference.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(encoded("a b/c%.py"), "a%20b/c%25.py");
        assert_eq!(encoded("é"), "%C3%A9");
    }
}
