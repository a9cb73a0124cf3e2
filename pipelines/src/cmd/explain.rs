//! `stackmill explain`: a rule's own documentation, or one file's whole story.

use std::path::Path;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, RecordBatch};
use arrow_cast::display::array_value_to_string;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Map, Value};
use stackmill_filters::RULES;
use stackmill_ingest::store::Uri;
use stackmill_schemas::text::nearest;
use stackmill_schemas::{Error, FileId, Result};

use super::{print, print_json, verify};
use crate::cli::ExplainArgs;
use crate::output::Output;

pub(super) fn explain(args: &ExplainArgs) -> Result<u8> {
    match &args.file {
        Some(file) => story(&Output::named(Path::new(&args.what))?, file, args.json),
        None if is_place(&args.what) && RULES.iter().all(|rule| rule.name != args.what) => {
            Err(Error::config("which file?").hint(format!("stackmill explain {} REPO:PATH", args.what)))
        }
        None => rule(&args.what, args.json),
    }
    .map(|()| 0)
}

fn is_place(what: &str) -> bool {
    Path::new(what).is_dir() || Uri::is_store(what, true)
}

fn rule(name: &str, as_json: bool) -> Result<()> {
    let Some(rule) = RULES.iter().find(|rule| rule.name == name) else {
        let error = Error::config(format!("no rule is called `{name}`"));
        return Err(match nearest(name, RULES.iter().map(|rule| rule.name)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`stackmill list rules` names them all"),
        });
    };
    let defaults = rule.default_settings();
    if as_json {
        let documentation = Value::String(rule.documentation());
        return print_json(
            &serde_json::json!({"name": rule.name, "documentation": documentation, "defaults": defaults}),
        );
    }
    let settings = serde_json::to_string_pretty(&defaults).map_err(|error| Error::bug(error.to_string()))?;
    print(&format!(
        "{} ({})\n\n{}\n\nDefaults: {settings}\n",
        rule.name,
        rule.needs.as_str(),
        rule.documentation().trim()
    ))
}

/// A row of the ledger, by column.
type Row = Map<String, Value>;

fn story(out: &Output, file: &str, as_json: bool) -> Result<()> {
    verify::manifest(out)?;
    let rows = find(out, file)?;
    if rows.is_empty() {
        return Err(Error::input(format!("`{file}` is not in the ledger"))
            .context(out.place())
            .hint("write it as REPO:PATH, as in the columns repo_name and path"));
    }
    if as_json {
        return print_json(&rows);
    }
    let told: Vec<String> = rows.iter().map(|row| tell(out, row)).collect::<Result<_>>()?;
    print(&told.join("\n"))
}

/// Every ledger row of that repository and path; a colon may be part of either.
fn find(out: &Output, file: &str) -> Result<Vec<Row>> {
    let cuts: Vec<(&str, &str)> = file
        .match_indices(':')
        .map(|(at, _)| (&file[..at], &file[at + 1..]))
        .collect();
    let mut found = Vec::new();
    for (part, _) in out.files("ledger")? {
        for batch in batches(out, &part)? {
            let (repos, paths) = (text(&batch, "repo_name")?, text(&batch, "path")?);
            for row in 0..batch.num_rows() {
                if paths.is_valid(row) && cuts.contains(&(repos.value(row), paths.value(row))) {
                    found.push(values(&batch, row)?);
                }
            }
        }
    }
    Ok(found)
}

fn batches(out: &Output, part: &str) -> Result<impl Iterator<Item = RecordBatch>> {
    let uri = out.uri().join(part);
    let place = uri.to_string();
    let damaged = |error: &dyn std::fmt::Display| Error::input(format!("not a ledger: {error}")).context(place.clone());
    let chunks = out.stores().chunks(&out.stores().head(&uri)?)?;
    let file = chunks.clone();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(ParquetRecordBatchReaderBuilder::build);
    let blamed = |error: &dyn std::fmt::Display| chunks.trouble().unwrap_or_else(|| damaged(error));
    let batches: std::result::Result<Vec<_>, _> = reader.map_err(|error| blamed(&error))?.collect();
    Ok(batches.map_err(|error| blamed(&error))?.into_iter())
}

fn text<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a arrow_array::StringArray> {
    stackmill_schemas::columns::strings(batch, name)
}

fn values(batch: &RecordBatch, row: usize) -> Result<Row> {
    let mut out = Row::new();
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        let value = if column.is_null(row) {
            Value::Null
        } else if let Some(numbers) = column.as_primitive_opt::<UInt64Type>() {
            numbers.value(row).into()
        } else if let Some(numbers) = column.as_primitive_opt::<UInt32Type>() {
            numbers.value(row).into()
        } else {
            array_value_to_string(column, row)?.into()
        };
        out.insert(field.name().clone(), value);
    }
    Ok(out)
}

fn tell(out_of: &Output, row: &Row) -> Result<String> {
    let get = |name: &str| match row.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => "–".to_owned(),
    };
    let mode = row.get("mode").and_then(Value::as_u64).unwrap_or(0);
    let mut out = format!(
        "{}: {}\n  listed    source {}, revision {}, mode {mode:o}, {} bytes, blob {}\n",
        get("repo_name"),
        get("path"),
        get("source"),
        get("revision_id"),
        get("length_bytes"),
        get("blob_id")
    );
    out.push_str(&format!(
        "  detected  language {}, license type {}\n",
        get("language"),
        get("license_type")
    ));
    match get("verdict").as_str() {
        "kept" => out.push_str(&format!(
            "  kept      corpus/part-{:0>5}.parquet, row {}\n",
            get("shard"),
            get("row")
        )),
        verdict => out.push_str(&format!(
            "  {verdict:<9} by stage `{}`, rule `{}`\n",
            get("stage"),
            get("rule")
        )),
    }
    for (name, label) in [
        ("value", "value"),
        ("limit", "limit"),
        ("because", "because"),
        ("trouble", "trouble"),
    ] {
        if row.get(name).is_some_and(|value| !value.is_null()) {
            out.push_str(&format!("  {label:<9} {}\n", get(name)));
        }
    }
    if let Some(other) = row.get("because_file_id").and_then(Value::as_u64) {
        out.push_str(&format!("  keeper    {}\n", name_of(out_of, FileId(other))?));
    }
    Ok(out)
}

/// A file's name by its id: part and row of the ledger are split and row of the id.
fn name_of(out: &Output, file: FileId) -> Result<String> {
    let part = format!("ledger/part-{:05}.parquet", file.split());
    let mut row = file.row() as usize;
    for batch in batches(out, &part)? {
        if row < batch.num_rows() {
            let (repo, path) = (text(&batch, "repo_name")?, text(&batch, "path")?);
            return Ok(format!(
                "{}: {} ({})",
                repo.value(row),
                path.value(row),
                text(&batch, "verdict")?.value(row)
            ));
        }
        row -= batch.num_rows();
    }
    Err(Error::input(format!("the ledger has no file {file}")))
}
