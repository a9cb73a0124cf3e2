//! `report.html` of `stackmill dedup`: one page without scripts or anything fetched, every text escaped.

use std::fmt::Write as _;

use super::{BARS, Figures};
use crate::report;
use crate::units::count_text;

const HEAD: &str = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Duplicates</title>\n<style>\
body{font:15px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}\
table{border-collapse:collapse;width:100%}td,th{padding:.15em .6em;text-align:left;overflow-wrap:anywhere}\
td.n,th.n{text-align:right;white-space:nowrap}tr:nth-child(even){background:#f4f4f4}\
.bar{background:#47a;height:.9em}td.w{width:60%}</style></head><body>\n";

/// The page.
pub fn page(figures: &Figures, threshold: f64) -> String {
    let mut out = HEAD.to_owned();
    let _ = writeln!(
        out,
        "<h1>Duplicates</h1><p>Near-duplicates from a Jaccard index of {threshold} on.</p>"
    );
    table(&mut out, &numbers(figures));
    for line in report::near_lines(&figures.near) {
        let _ = writeln!(out, "<p>Near-duplicates: {}.</p>", escaped(&line));
    }
    out.push_str("<h2>Similarity of near-duplicates to their keepers</h2>\n");
    let bars = figures.similarities.iter().enumerate().filter(|(_, count)| **count > 0);
    let label = |at: usize| format!("{:.2} to {:.2}", at as f64 / BARS as f64, (at + 1) as f64 / BARS as f64);
    chart(
        &mut out,
        &bars.map(|(at, count)| (label(at), *count)).collect::<Vec<_>>(),
    );
    out.push_str("<h2>Clusters by number of rows</h2>\n");
    let sizes = figures.sizes.iter().map(|(size, count)| (sizes_text(*size), *count));
    chart(&mut out, &sizes.collect::<Vec<_>>());
    out.push_str("<h2>Largest clusters</h2>\n");
    let largest = figures.largest.iter();
    table(
        &mut out,
        &largest
            .map(|one| (format!("{}: {}", one.repo_name, one.path), one.rows))
            .collect::<Vec<_>>(),
    );
    out.push_str("</body></html>\n");
    out
}

/// The lines of the first table, on the page and in the terminal.
pub fn numbers(figures: &Figures) -> Vec<(String, u64)> {
    let mut lines = vec![
        ("rows".to_owned(), figures.rows),
        ("kept".to_owned(), figures.kept),
        ("removed, same bytes".to_owned(), figures.removed_exact),
        ("removed, similar".to_owned(), figures.removed_near),
        ("clusters".to_owned(), figures.clusters),
    ];
    lines.extend(
        figures
            .not_compared
            .iter()
            .map(|(why, count)| (format!("not compared, {why}"), *count)),
    );
    lines
}

fn sizes_text(size: u64) -> String {
    match size / 2 + 1 {
        least if least == size => size.to_string(),
        least => format!("{least} to {size}"),
    }
}

fn table(out: &mut String, lines: &[(String, u64)]) {
    out.push_str("<table>\n");
    for (name, count) in lines {
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td class=\"n\">{}</td></tr>",
            escaped(name),
            count_text(*count)
        );
    }
    out.push_str("</table>\n");
}

fn chart(out: &mut String, bars: &[(String, u64)]) {
    let most = bars.iter().map(|bar| bar.1).max().unwrap_or(0).max(1);
    out.push_str("<table>\n");
    for (label, count) in bars {
        let width = count * 100 / most;
        let _ = writeln!(
            out,
            "<tr><td>{label}</td><td class=\"n\">{}</td><td class=\"w\"><div class=\"bar\" style=\"width:{width}%\"></div></td></tr>",
            count_text(*count)
        );
    }
    out.push_str("</table>\n");
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
