//! Audits: which items of benchmarks are in a corpus, where, and what of each benchmark is left clean.
//!
//! ```text
//!   inputs ─► a run whose corpus is the files in which something was found     OUT/dataset: ledger of every file
//!          ─► read shard by shard, in order                                    findings
//!          ─► tables    OUT/findings.parquet, findings.jsonl, findings.sarif
//!          ─► tallies   OUT/summary.json, OUT/clean/BENCHMARK.txt              summary, chance
//!          ─► page      OUT/audit.html                                         page
//! ```
//! What an earlier audit found clean need not be read again: `previous`. The run is an ordinary one: bounded memory, resumed after a kill, the same bytes whatever the number of threads.

pub mod chance;
pub mod findings;
pub mod page;
pub mod previous;
mod sarif;
pub mod summary;

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use stackmill_dedup::contamination::Pack;
use stackmill_schemas::{Error, Result};

use crate::output::Output;
use crate::workdir::{create_file, make, write_file};
use findings::{Finding, FindingTable, Rows};
use page::{Page, Texts};
use summary::Summary;

/// The folder of the run inside an audit.
pub const DATASET: &str = "dataset";

/// Writes everything that an audit says of the data set of its run into `out`.
pub fn write(data: &Output, packs: &[Pack], texts: &Texts, out: &Path) -> Result<Summary> {
    let mut summary = Summary::of(packs, data)?;
    let mut page = Page::default();
    let mut table = FindingTable::create(&out.join("findings.parquet"))?;
    let (mut lines, mut sarif) = (
        create(&out.join("findings.jsonl"))?,
        create(&out.join("findings.sarif"))?,
    );
    sarif.write_all(sarif::HEAD.as_bytes())?;
    let mut count = 0;
    for row in Rows::open(data)? {
        let row = row?;
        summary.chance.count(&row);
        let is_real = |finding: &Finding<'_>| !summary.chance.has(finding);
        let findings: Vec<Finding<'_>> = row.findings().filter(is_real).collect();
        for finding in findings {
            table.add(&finding)?;
            serde_json::to_writer(&mut lines, &finding).map_err(|error| Error::bug(error.to_string()))?;
            lines.write_all(b"\n")?;
            sarif::result(&mut sarif, &finding, count == 0)?;
            summary.count(&finding);
            count += 1;
        }
        page.add(&row, texts, &summary);
    }
    table.finish()?;
    lines.flush()?;
    sarif.write_all(sarif::TAIL.as_bytes())?;
    sarif.flush()?;
    summary.finish();
    write_clean(&summary, &out.join("clean"))?;
    let json = serde_json::to_vec_pretty(&summary).map_err(|error| Error::bug(error.to_string()))?;
    write_file(&out.join("summary.json"), &json)?;
    write_file(&out.join("audit.html"), page.html(&summary)?.as_bytes())?;
    Ok(summary)
}

fn write_clean(summary: &Summary, folder: &Path) -> Result<()> {
    make(folder)?;
    for benchmark in &summary.benchmarks {
        let ids: String = benchmark.clean_items.iter().map(|id| format!("{id}\n")).collect();
        write_file(&folder.join(format!("{}.txt", benchmark.name)), ids.as_bytes())?;
    }
    Ok(())
}

fn create(path: &Path) -> Result<BufWriter<File>> {
    create_file(path).map(BufWriter::new)
}
