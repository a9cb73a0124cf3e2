//! What a run says at its end: the funnel, the languages, the licenses.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stackmill_schemas::manifest::{FunnelRow, Manifest, Tally};

use crate::stages::Stages;
use crate::units::{bytes_text, count_text};

/// Rows of the language table.
const LANGUAGES_SHOWN: usize = 12;

/// `(stage, rule)` in running order, as far as rules are known by name.
pub fn running_order(stages: &Stages) -> Vec<(String, String)> {
    let listed = |phase: &str, rules: &serde_json::Value| -> Vec<(String, String)> {
        let rules = rules["rules"].as_array().into_iter().flatten();
        let of_phase = rules.filter(|rule| rule["needs"].as_str() == Some(phase));
        of_phase
            .filter_map(|rule| Some(("rules".to_owned(), rule["rule"].as_str()?.to_owned())))
            .collect()
    };
    let any = |stage: &str| vec![(stage.to_owned(), String::new())];
    let phases = [
        any("opt-out"),
        any("list"),
        listed("listing", &stages.rules),
        any("repositories"),
        any("exact"),
        any("read"),
        any("decode"),
        listed("content", &stages.rules),
        any("near"),
        any("structural"),
        any("blocks"),
        any("parse"),
        listed("syntax", &stages.rules),
        any("decontaminate"),
    ];
    phases.into_iter().flatten().collect()
}

/// Where a stage's rule stands in the running order; unknown ones stand last.
pub fn place(order: &[(String, String)], stage: &str, rule: &str) -> usize {
    let exact = order.iter().position(|(s, r)| s == stage && r == rule);
    exact
        .or_else(|| order.iter().position(|(s, r)| s == stage && r.is_empty()))
        .unwrap_or(order.len())
}

/// The funnel and the tables of languages and licenses, as text.
pub fn tables(manifest: &Manifest) -> String {
    let mut out = funnel(manifest);
    out.push('\n');
    out.push_str(&tally_table("language", &sorted(&manifest.languages), LANGUAGES_SHOWN));
    out.push('\n');
    out.push_str(&tally_table("license type", &sorted(&manifest.licenses), usize::MAX));
    out.push_str(&lists(manifest));
    out.push_str(&near(manifest));
    out
}

fn near(manifest: &Manifest) -> String {
    let lines = near_lines(&manifest.totals);
    match lines.is_empty() {
        true => String::new(),
        false => format!("\nnear duplicates: {}\n", lines.join("\n")),
    }
}

/// What totals say of near-duplicates: how many pairs were found, of how many there are, by estimate; and how many of the
/// removed files are as alike as asked for.
pub fn near_lines(totals: &BTreeMap<String, u64>) -> Vec<String> {
    let total = |name: &str| totals.get(name).copied();
    let share = |name: &str| total(name).map(|millionths| format!("{:.2}%", millionths as f64 / 1e4));
    let recall = share("near_recall_millionths");
    let ends = share("near_recall_millionths_low").zip(share("near_recall_millionths_high"));
    let Some(pairs) = total("near_pairs") else {
        return Vec::new();
    };
    let recall = match recall.zip(ends) {
        _ if pairs == 0 => "no pairs were found, so no share is estimated".to_owned(),
        Some((recall, (low, high))) => format!(
            "{} pairs compared and found alike; estimated share of all such pairs {recall} (95%: {low} to {high})",
            count_text(pairs)
        ),
        None => format!(
            "{} pairs compared and found alike; no share is estimated: with these bands and rows, they say too little of \
             those that were missed",
            count_text(pairs)
        ),
    };
    let mut lines = vec![recall];
    lines.extend(precision(totals));
    lines
}

/// Of removed files, how many are as alike as asked for: counted, not estimated.
fn precision(totals: &BTreeMap<String, u64>) -> Option<String> {
    let total = |name: &str| totals.get(name).copied();
    let removed = total("near_removed").filter(|removed| *removed > 0)?;
    let of = |alike: u64| {
        let percent = 100.0 * alike as f64 / removed as f64;
        format!(
            "{} of {} removed files ({percent:.2}%)",
            count_text(alike),
            count_text(removed)
        )
    };
    match (total("near_removed_like_keeper"), total("near_removed_like_neighbour")) {
        (Some(alike), _) => Some(format!(
            "{} were compared with their keepers and reach the threshold",
            of(alike)
        )),
        (_, Some(alike)) => Some(format!(
            "{} reach the threshold with the first file that they were compared with, which in a chain is not the keeper",
            of(alike)
        )),
        _ => None,
    }
}

/// Opt-out lists with the files that each left out, and what is known of repositories.
fn lists(manifest: &Manifest) -> String {
    let mut out = String::new();
    if !manifest.opt_outs.is_empty() {
        let mut lines = vec![["opt-out list", "files"].map(str::to_owned)];
        lines.extend(
            manifest
                .opt_outs
                .iter()
                .map(|(list, files)| [list.clone(), count_text(*files)]),
        );
        let _ = write!(out, "\n{}", aligned(&lines));
    }
    if let Some(known) = manifest.totals.get("metadata_repositories") {
        let total = |name: &str| count_text(manifest.totals.get(name).copied().unwrap_or(0));
        let _ = writeln!(
            out,
            "\nmetadata of {} repositories ({} rows repeated one), {} of them read here",
            count_text(*known),
            total("metadata_duplicates"),
            total("repositories_with_metadata")
        );
    }
    out
}

fn funnel(manifest: &Manifest) -> String {
    let total = |name: &str| manifest.totals.get(name).copied().unwrap_or(0);
    let mut rows = vec![["stage: rule", "files in", "dropped", "failed", "share", "example"].map(str::to_owned)];
    let listed = count_text(total("listed"));
    rows.push([
        "listed".to_owned(),
        listed,
        String::new(),
        String::new(),
        String::new(),
        String::new(),
    ]);
    rows.extend(manifest.funnel.iter().map(funnel_row));
    let kept = [
        count_text(total("kept")),
        String::new(),
        String::new(),
        share(total("kept"), total("listed")),
    ];
    let [files, dropped, failed, part] = kept;
    rows.push([
        "kept".to_owned(),
        files,
        dropped,
        failed,
        part,
        bytes_text(total("kept_bytes")),
    ]);
    let mut out = aligned(&rows);
    let failed = total("repositories_failed");
    if failed > 0 {
        let _ = writeln!(
            out,
            "{failed} of {} repositories could not be read",
            count_text(total("repositories"))
        );
    }
    let left_out = total("repositories_opted_out");
    if left_out > 0 {
        let _ = writeln!(
            out,
            "{} repositories have opted out and were not cloned",
            count_text(left_out)
        );
    }
    out
}

fn funnel_row(row: &FunnelRow) -> [String; 6] {
    let none_if_zero = |count| if count == 0 { String::new() } else { count_text(count) };
    let mut example = row.example.clone().unwrap_or_default();
    if example.chars().count() > 72 {
        example = format!("{}…", example.chars().take(71).collect::<String>());
    }
    [
        format!("{}: {}", row.stage, row.rule),
        none_if_zero(row.files_in),
        none_if_zero(row.dropped),
        none_if_zero(row.failed),
        share(row.dropped + row.failed, row.files_in),
        example,
    ]
}

fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        String::new()
    } else {
        format!("{:.1}%", 100.0 * part as f64 / whole as f64)
    }
}

fn sorted(tallies: &std::collections::BTreeMap<String, Tally>) -> Vec<(&String, &Tally)> {
    let mut rows: Vec<_> = tallies.iter().collect();
    rows.sort_by_key(|(name, tally)| (std::cmp::Reverse(tally.bytes), name.as_str()));
    rows
}

fn tally_table(title: &str, rows: &[(&String, &Tally)], most: usize) -> String {
    let mut lines = vec![[title, "files", "size"].map(str::to_owned)];
    let line = |name: &str, tally: Tally| [name.to_owned(), count_text(tally.files), bytes_text(tally.bytes)];
    lines.extend(rows.iter().take(most).map(|(name, tally)| line(name, **tally)));
    if rows.len() > most {
        let rest = rows[most..].iter().fold(Tally::default(), |sum, (_, tally)| Tally {
            files: sum.files + tally.files,
            bytes: sum.bytes + tally.bytes,
        });
        lines.push(line(&format!("({} more)", rows.len() - most), rest));
    }
    aligned(&lines)
}

/// Columns side by side: the first and last to the left, numbers to the right.
pub fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = " ".repeat(widths[column] - cell.chars().count());
            let left = column == 0 || (column + 1 == N && N > 3);
            let _ = if left {
                write!(line, "{cell}{pad}  ")
            } else {
                write!(line, "{pad}{cell}  ")
            };
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
