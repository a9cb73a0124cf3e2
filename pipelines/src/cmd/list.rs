//! `stackmill list`

use serde_json::json;
use stackmill_dedup::contamination::SHIPPED;
use stackmill_filters::{PRESETS, RULES};
use stackmill_ingest::benchmarks::{BENCHMARKS, Benchmark};
use stackmill_schemas::Result;

use super::{print, print_json};
use crate::cli::{ListArgs, Listed};
use crate::report::aligned;

pub(super) fn list(args: &ListArgs) -> Result<u8> {
    match args.what {
        Listed::Rules => rules(args.json),
        Listed::Presets => presets(args.json),
        Listed::Benchmarks => benchmarks(args.json),
        Listed::Grammars => grammars(args.json),
    }
    .map(|()| 0)
}

fn rules(as_json: bool) -> Result<()> {
    if as_json {
        let rules = RULES.iter().map(|rule| {
            json!({"name": rule.name, "summary": rule.summary, "needs": rule.needs.as_str(), "defaults": rule.default_settings()})
        });
        return print_json(&rules.collect::<Vec<_>>());
    }
    let mut rows = vec![["rule", "needs", "what it drops", ""].map(str::to_owned)];
    rows.extend(
        RULES
            .iter()
            .map(|rule| [rule.name, rule.needs.as_str(), rule.summary, ""].map(str::to_owned)),
    );
    print(&columns(&rows))
}

fn presets(as_json: bool) -> Result<()> {
    if as_json {
        let presets = PRESETS.iter().map(|preset| {
            json!({
                "name": preset.name,
                "summary": preset.summary,
                "source": preset.source,
                "rules": preset.rules(false),
                "compat": preset.rules(true),
            })
        });
        return print_json(&presets.collect::<Vec<_>>());
    }
    let mut rows = vec![["preset", "rules", "what it reproduces", ""].map(str::to_owned)];
    rows.extend(PRESETS.iter().map(|preset| {
        let count = preset.rules(false).len().to_string();
        [preset.name.to_owned(), count, preset.summary.to_owned(), String::new()]
    }));
    print(&columns(&rows))
}

fn benchmarks(as_json: bool) -> Result<()> {
    let shipped = |name: &str| if SHIPPED.contains(&name) { "shipped" } else { "" };
    if as_json {
        let all = BENCHMARKS.iter().map(benchmark);
        return print_json(&all.collect::<Vec<_>>());
    }
    let remarks = |b: &Benchmark| match (b.verified, b.corpus_material) {
        (true, false) => "",
        (true, true) => "ordinary code: only reported",
        (false, false) => "unverified: tried on made-up rows only",
        (false, true) => "unverified: tried on made-up rows only; ordinary code: only reported",
    };
    let mut rows = vec![["benchmark", "pack", "title", "remarks"].map(str::to_owned)];
    rows.extend(
        BENCHMARKS
            .iter()
            .map(|b| [b.name, shipped(b.name), b.title, remarks(b)].map(str::to_owned)),
    );
    print(&columns(&rows))
}

/// One row a grammar: which are there depends on how the program was built.
fn grammars(as_json: bool) -> Result<()> {
    let mut all: Vec<_> = stackmill_filters::syntax::grammars().collect();
    all.sort_by_key(|grammar| (grammar.language, grammar.suffix));
    if as_json {
        let rows = all.iter().map(
            |grammar| json!({"language": grammar.language, "dialects": grammar.dialects, "suffix": grammar.suffix}),
        );
        return print_json(&rows.collect::<Vec<_>>());
    }
    let mut rows = vec![["language", "dialects", "paths", ""].map(str::to_owned)];
    rows.extend(all.iter().map(|grammar| {
        let dialects = grammar.dialects.join(", ");
        [grammar.language, &dialects, grammar.suffix, ""].map(str::to_owned)
    }));
    print(&columns(&rows))
}

fn benchmark(b: &Benchmark) -> serde_json::Value {
    let files = b
        .published()
        .map(|file| json!({"address": file.address, "sha256": file.sha256}));
    json!({
        "name": b.name, "title": b.title, "pack": SHIPPED.contains(&b.name), "url": b.url, "license": b.license,
        "layout": b.layout, "files": files.collect::<Vec<_>>(), "verified": b.verified, "corpus_material": b.corpus_material,
    })
}

/// Text columns, all to the left.
fn columns(rows: &[[String; 4]]) -> String {
    let padded = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [padded(0), padded(1), padded(2), 0];
    let pad = |row: &[String; 4]| {
        let mut cells = row.clone();
        for (cell, width) in cells.iter_mut().zip(widths) {
            *cell = format!("{cell:<width$}");
        }
        cells
    };
    aligned(&rows.iter().map(pad).collect::<Vec<_>>())
}
