//! `stackmill verify`

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::iter;
use std::path::Path;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use stackmill_schemas::ids::hex;
use stackmill_schemas::manifest::{FileEntry, Manifest};
use stackmill_schemas::{Error, Result, ResultExt};

use super::{print, print_json};
use crate::cli::DirArgs;
use crate::publish::{CARD, MANIFEST, RUN};
use crate::units::{bytes_text, count_text};
use crate::workdir::{TABLES, load_json};

pub(super) fn verify(args: &DirArgs) -> Result<u8> {
    let manifest = manifest(&args.dir)?;
    let mut troubles: Vec<String> = Vec::new();
    for file in &manifest.files {
        if let Err(trouble) = same(&args.dir, file) {
            troubles.push(format!("{}: {trouble}", file.path));
        }
    }
    troubles.extend(strays(&args.dir, &manifest)?);
    troubles.extend(sums(&manifest));
    if args.json {
        print_json(&json!({"files": manifest.files.len(), "fingerprint": manifest.fingerprint, "troubles": troubles}))?;
    }
    if !troubles.is_empty() {
        let listed = troubles.iter().take(20).cloned().collect::<Vec<_>>().join("\n  ");
        return Err(Error::input(format!(
            "{} of this data set's files are not what was published:\n  {listed}",
            troubles.len()
        ))
        .context(args.dir.display().to_string())
        .hint("run the recipe again with --replace, or copy the data set again"));
    }
    if !args.json {
        let bytes = bytes_text(manifest.files.iter().map(|file| file.length_bytes).sum());
        let rows = count_text(manifest.files.iter().filter_map(|file| file.rows).sum());
        let files = manifest.files.len();
        print(&format!(
            "{}: {files} files, {rows} rows, {bytes}: all as published\n",
            args.dir.display()
        ))?;
    }
    Ok(0)
}

/// The manifest of a data set.
pub(super) fn manifest(dir: &Path) -> Result<Manifest> {
    load_json(&dir.join(MANIFEST))?.ok_or_else(|| {
        Error::input("no data set is here: manifest.json is missing")
            .context(dir.display().to_string())
            .hint("`stackmill status DIR` tells whether a run is unfinished; run it again to finish")
    })
}

fn same(dir: &Path, file: &FileEntry) -> std::result::Result<(), String> {
    let path = dir.join(&file.path);
    let (length, sha256) = hash(&path).map_err(|error| error.to_string())?;
    if length != file.length_bytes {
        return Err(format!("{length} bytes, {} in the manifest", file.length_bytes));
    }
    if sha256 != file.sha256 {
        Err(format!("sha256 {sha256}, {} in the manifest", file.sha256))
    } else {
        Ok(())
    }
}

fn hash(path: &Path) -> std::io::Result<(u64, String)> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok((length, hex(&hasher.finalize())));
        }
        hasher.update(&buffer[..read]);
        length += read as u64;
    }
}

fn strays(dir: &Path, manifest: &Manifest) -> Result<Vec<String>> {
    let mut strays = Vec::new();
    let published: BTreeSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    for folder in iter::once("").chain(TABLES) {
        let path = dir.join(folder);
        if !path.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(&path).with_context(|| path.display().to_string())? {
            let entry = entry?;
            let name = Path::new(folder).join(entry.file_name()).display().to_string();
            let known = [MANIFEST, RUN, CARD].contains(&name.as_str()) || published.contains(name.as_str());
            if entry.path().is_file() && !known {
                strays.push(format!("{name}: not in the manifest"));
            }
        }
    }
    strays.sort();
    Ok(strays)
}

fn sums(manifest: &Manifest) -> Option<String> {
    let total = |name: &str| manifest.totals.get(name).copied().unwrap_or(0);
    let rows = |folder: &str| -> u64 {
        let files = manifest.files.iter().filter(|file| file.path.starts_with(folder));
        files.filter_map(|file| file.rows).fold(0, u64::saturating_add)
    };
    let sum = |counts: &[u64]| counts.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
    let ends = sum(&[total("kept"), total("dropped"), total("failed")]);
    let ledger = rows("ledger/").saturating_sub(total("repositories_failed"));
    (total("listed") != ends || ledger != ends || rows("corpus/") != total("kept")).then(|| {
        format!(
            "manifest.json: {} listed, {ends} ended, {ledger} in the ledger",
            total("listed")
        )
    })
}
