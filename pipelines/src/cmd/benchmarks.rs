//! `stackmill benchmarks`

use std::path::Path;

use sha2::{Digest as _, Sha256};
use stackmill_dedup::contamination::{Pack, PackSource, build_pack};
use stackmill_ingest::benchmarks;
use stackmill_ingest::store::Uri;
use stackmill_schemas::ids::hex;
use stackmill_schemas::{Error, Result, ResultExt};

use super::print;
use crate::cli::BenchmarksCommand;
use crate::environment;
use crate::workdir::write_file;

pub(super) fn benchmarks(command: &BenchmarksCommand) -> Result<u8> {
    match command {
        BenchmarksCommand::Build {
            layout,
            name,
            from,
            out,
        } => build(layout, name.as_deref(), from, out),
        BenchmarksCommand::Show { pack } => show(pack),
    }
    .map(|()| 0)
}

fn build(layout: &str, name: Option<&str>, from: &Path, out: &Path) -> Result<()> {
    let benchmark = benchmarks::find(layout)?;
    let from = Uri::of_path(from)?;
    let bytes = benchmarks::load(&from, &environment::stores()?)?;
    let items = benchmarks::read(layout, &bytes).with_context(|| from.to_string())?;
    let sha256 = hex(&Sha256::digest(&bytes));
    // The publisher's address and licence are only known of the publisher's own benchmark.
    let (url, license) = if name.is_none() {
        (benchmark.url, benchmark.license)
    } else {
        ("", "")
    };
    let source = PackSource {
        url: url.to_owned(),
        license: license.to_owned(),
        sha256,
    };
    let pack = build_pack(name.unwrap_or(layout), &source, &items)?;
    write_file(out, &pack)?;
    print(&format!(
        "{}: {} items, {} bytes\n",
        out.display(),
        items.len(),
        pack.len()
    ))
}

fn show(name: &str) -> Result<()> {
    let pack = match Pack::shipped(name) {
        Some(pack) => pack,
        None => {
            let bytes = std::fs::read(name).map_err(|error| {
                Error::input(format!("no pack `{name}` ships, and no such file can be read: {error}"))
                    .hint("`stackmill list benchmarks` names those that ship")
            })?;
            Pack::parse(&bytes).context(name)?
        }
    };
    let info = pack.info();
    let text = format!(
        "{}: {} items, {} fields, {} hashes of {}-grams of words, format {}\nsource  {}\nlicense {}\nsha256  {}\n",
        info.name,
        info.items,
        info.fields,
        info.ngrams,
        info.ngram_words,
        info.version,
        info.url,
        info.license,
        info.sha256
    );
    print(&text)
}
