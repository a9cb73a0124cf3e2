//! `stackmill verify`

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::iter;

use serde_json::json;
use sha2::{Digest as _, Sha256};
use stackmill_ingest::store::{self, Reader};
use stackmill_schemas::ids::hex;
use stackmill_schemas::manifest::{FileEntry, Manifest};
use stackmill_schemas::{Error, Result};

use super::{print, print_json};
use crate::cli::DirArgs;
use crate::output::Output;
use crate::publish::{CARD, CLONES, MANIFEST, RUN};
use crate::units::{bytes_text, count_text};
use crate::workdir::TABLES;

pub(super) fn verify(args: &DirArgs) -> Result<u8> {
    let out = Output::named(&args.dir)?;
    let manifest = manifest(&out)?;
    let mut troubles: Vec<String> = Vec::new();
    for file in &manifest.files {
        if let Some(trouble) = trouble(&out, file)? {
            troubles.push(format!("{}: {trouble}", file.path));
        }
    }
    troubles.extend(strays(&out, &manifest)?);
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
        .context(out.place())
        .hint("run the recipe again with --replace, or copy the data set again"));
    }
    if !args.json {
        let bytes = bytes_text(manifest.files.iter().map(|file| file.length_bytes).sum());
        let rows = count_text(manifest.files.iter().filter_map(|file| file.rows).sum());
        let files = manifest.files.len();
        print(&format!(
            "{}: {files} files, {rows} rows, {bytes}: all as published\n",
            out.place()
        ))?;
    }
    Ok(0)
}

/// The manifest of a data set.
pub(super) fn manifest(out: &Output) -> Result<Manifest> {
    out.load(MANIFEST)?.ok_or_else(|| {
        Error::input("no data set is here: manifest.json is missing")
            .context(out.place())
            .hint("`stackmill status DIR` tells whether a run is unfinished; run it again to finish")
    })
}

/// How a file differs from what was published; `Err` only where the store cannot be asked.
fn trouble(out: &Output, file: &FileEntry) -> Result<Option<String>> {
    let found = match (out.folder(), out.find(&file.path)?) {
        (Some(folder), _) => File::open(folder.join(&file.path)).map(Reader::Local),
        (None, Some(object)) => Ok(out.stores().reader(&object)?),
        (None, None) => return Ok(Some("it is not there".to_owned())),
    };
    let (length, sha256) = match found.and_then(hash) {
        Ok(found) => found,
        Err(error) => {
            return match store::ours(&error) {
                Some(error) => Err(error),
                None => Ok(Some(error.to_string())),
            };
        }
    };
    Ok(if length != file.length_bytes {
        Some(format!("{length} bytes, {} in the manifest", file.length_bytes))
    } else if sha256 != file.sha256 {
        Some(format!("sha256 {sha256}, {} in the manifest", file.sha256))
    } else {
        None
    })
}

fn hash(mut file: Reader) -> std::io::Result<(u64, String)> {
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

fn strays(out: &Output, manifest: &Manifest) -> Result<Vec<String>> {
    let mut strays = Vec::new();
    let published: BTreeSet<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    for folder in iter::once("").chain(TABLES) {
        for (name, _) in out.files(folder)? {
            let known = [MANIFEST, RUN, CLONES, CARD].contains(&name.as_str()) || published.contains(name.as_str());
            if !known {
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
    let without_files = sum(&[total("repositories_failed"), total("repositories_opted_out")]);
    let ledger = rows("ledger/").saturating_sub(without_files);
    // What is kept is in this corpus, in that of an earlier release, or nowhere if the recipe says so.
    let held = total("previous_held");
    let corpus = match manifest.config["corpus"] == false {
        true => total("kept"),
        false => rows("corpus/").saturating_add(held),
    };
    (total("listed") != ends || ledger != ends || corpus != total("kept")).then(|| {
        format!(
            "manifest.json: {} listed, {ends} ended, {ledger} in the ledger, {} kept, {corpus} in the corpus",
            total("listed"),
            total("kept")
        )
    })
}
