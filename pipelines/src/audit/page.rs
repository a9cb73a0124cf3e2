//! `audit.html`: everything an audit found, in one file that needs no network.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;
use stackmill_schemas::benchmark::{BenchmarkItem, Field};
use stackmill_schemas::{Error, Result};

use super::findings::Row;
use super::summary::Summary;

/// Findings that the page holds; the tables hold all.
const MOST: usize = 5000;
/// Lines of a file that are shown around a finding, and characters of a line.
const LINES: usize = 40;
const WIDTH: usize = 200;
/// Characters of a benchmark's text that are shown.
const TEXT: usize = 6000;

const TEMPLATE: &str = include_str!("page.html");

/// Texts of benchmarks whose own files are at hand, by name and item.
#[derive(Debug, Default)]
pub struct Texts(BTreeMap<(String, String), Vec<(Field, String)>>);

impl Texts {
    /// Adds the items of a benchmark.
    pub fn add(&mut self, benchmark: &str, items: Vec<BenchmarkItem>) {
        let texts = items
            .into_iter()
            .map(|item| ((benchmark.to_owned(), item.id), item.fields));
        self.0.extend(texts);
    }

    fn of(&self, benchmark: &str, item: &str, field: &str) -> Option<String> {
        let fields = self.0.get(&(benchmark.to_owned(), item.to_owned()))?;
        let texts = fields.iter().filter(|(kind, _)| kind.to_string() == field);
        let text: Vec<_> = texts.map(|(_, text)| text.as_str()).collect();
        (!text.is_empty()).then(|| text.join("\n\n").chars().take(TEXT).collect())
    }
}

/// One row of the page.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    repo: String,
    path: String,
    benchmark: String,
    item: String,
    family: String,
    field: String,
    tier: String,
    score: f64,
    start: u64,
    end: u64,
    license: Option<String>,
    language: Option<String>,
    commit: Option<String>,
    since: Option<i64>,
    first_shown: u64,
    lines: Vec<String>,
    text: Option<String>,
}

/// The page on its way.
#[derive(Debug, Default)]
pub struct Page {
    shown: Vec<Shown>,
    left_out: u64,
}

impl Page {
    /// One more file.
    pub fn add(&mut self, row: &Row, texts: &Texts, summary: &Summary) {
        for finding in row.findings().filter(|finding| !summary.chance.has(finding)) {
            if self.shown.len() >= MOST {
                self.left_out += 1;
                continue;
            }
            let (first_shown, lines) = lines(row.content(), finding.start_line, finding.end_line);
            self.shown.push(Shown {
                text: texts.of(finding.benchmark, finding.item, &finding.field),
                id: finding.id.to_owned(),
                repo: finding.repo_name.to_owned(),
                path: finding.path.to_owned(),
                benchmark: finding.benchmark.to_owned(),
                item: finding.item.to_owned(),
                family: finding.family.to_owned(),
                field: finding.field.clone(),
                tier: finding.tier.to_owned(),
                score: finding.score,
                start: finding.start_line,
                end: finding.end_line,
                license: finding.license.map(str::to_owned),
                language: finding.language.map(str::to_owned),
                commit: finding.first_commit.map(str::to_owned),
                since: finding.first_commit_time,
                first_shown,
                lines,
            });
        }
    }

    /// The page. All text reaches it as JSON inside a script, without any `<`: nothing of a corpus is taken for markup.
    pub fn html(&self, summary: &Summary) -> Result<String> {
        let data = json!({"summary": summary, "findings": self.shown, "left_out": self.left_out});
        let data = serde_json::to_string(&data).map_err(|error| Error::bug(error.to_string()))?;
        let data = data
            .replace('<', "\\u003c")
            .replace('\u{2028}', "\\u2028")
            .replace('\u{2029}', "\\u2029");
        Ok(TEMPLATE.replace("\"DATA\"", &data))
    }
}

/// The lines of a finding, with what is around them; the number of the first.
fn lines(text: &str, start: u64, end: u64) -> (u64, Vec<String>) {
    let first = start.saturating_sub(3).max(1);
    let count = (end + 3).saturating_sub(first) as usize;
    let lines = text.lines().skip(first as usize - 1).take(count.min(LINES));
    (first, lines.map(|line| line.chars().take(WIDTH).collect()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_with_their_neighbours_and_cut() {
        let text: String = (1..=100).map(|number| format!("line {number}\n")).collect();
        let (first, shown) = lines(&text, 10, 12);
        assert_eq!((first, shown.len(), shown[0].as_str()), (7, 8, "line 7"));
        let (first, shown) = lines(&text, 1, 100);
        assert_eq!((first, shown.len()), (1, LINES));
        assert_eq!(lines("x", 9, 9), (6, Vec::new()));
        assert_eq!(lines(&"é".repeat(500), 1, 1).1[0].chars().count(), WIDTH);
    }
}
