//! `stackmill benchmarks`

use std::path::Path;

use sha2::{Digest as _, Sha256};
use stackmill_dedup::contamination::{Pack, PackSource, build_pack};
use stackmill_ingest::benchmarks::{self, BENCHMARKS};
use stackmill_schemas::ids::hex;
use stackmill_schemas::text::nearest;
use stackmill_schemas::{Error, Result, ResultExt};

use super::print;
use crate::cli::BenchmarksCommand;
use crate::workdir::write_file;

pub fn benchmarks(command: &BenchmarksCommand) -> Result<u8> {
    match command {
        BenchmarksCommand::Build { name, from, out } => build(name, from, out),
        BenchmarksCommand::Show { pack } => show(pack),
    }
    .map(|()| 0)
}

fn build(name: &str, from: &Path, out: &Path) -> Result<()> {
    let Some(benchmark) = BENCHMARKS.iter().find(|benchmark| benchmark.name == name) else {
        let error = Error::config(format!("no benchmark is called `{name}`"));
        return Err(match nearest(name, BENCHMARKS.iter().map(|benchmark| benchmark.name)) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("`stackmill list benchmarks` names them all"),
        });
    };
    let bytes = std::fs::read(from)
        .map_err(|error| Error::input(format!("cannot read it: {error}")).context(from.display().to_string()))?;
    let items = benchmarks::read(name, &bytes).with_context(|| from.display().to_string())?;
    let sha256 = hex(&Sha256::digest(&bytes));
    let source = PackSource { url: benchmark.url.to_owned(), license: benchmark.license.to_owned(), sha256 };
    let pack = build_pack(name, &source, &items);
    write_file(out, &pack)?;
    print(&format!("{}: {} items, {} bytes\n", out.display(), items.len(), pack.len()))
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
    print(&format!("{}\n", pack.info()))
}
