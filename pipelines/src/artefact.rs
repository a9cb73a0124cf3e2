//! Files in stores that a recipe names besides its sources, kept on this machine: many processes of a host read them.
//!
//! ```text
//!   CACHE/artefacts/<sha256 of URI and revision>        the sha256 of the bytes, as text
//!   CACHE/artefacts/<sha256 of the bytes>/<file name>   the bytes
//! ```
//! Both appear by renaming, so that processes do not have to wait for each other. What does not have the hash that it
//! should have is fetched again.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use stackmill_ingest::store::{Object, Stores, ours};
use stackmill_schemas::ids::hex;
use stackmill_schemas::{Error, Result, ResultExt as _};

use crate::workdir::make;

/// Bytes that are copied and hashed at a time.
const PIECE: usize = 1 << 20;

/// Where this machine keeps artefacts.
#[derive(Clone, Debug)]
pub struct Artefacts(PathBuf);

impl Artefacts {
    /// Below the cache folder.
    pub fn below(cache: &Path) -> Self {
        Self(cache.join("artefacts"))
    }

    /// A copy of `object` on this machine, under its own file name.
    pub fn copy(&self, object: &Object, stores: &Stores) -> Result<PathBuf> {
        let name = object.uri.file_name();
        let pointer = self.0.join(key(object));
        if let Some(copy) = self.kept(&pointer, &name)? {
            return Ok(copy);
        }
        make(&self.0)?;
        let mut part = self.part()?;
        let mut reader = stores.reader(object)?;
        let sha256 = copied(&mut reader, part.as_file_mut())
            .map_err(|error| ours(&error).unwrap_or_else(|| error.into()))
            .with_context(|| object.uri.to_string())?;
        let folder = self.0.join(&sha256);
        make(&folder)?;
        let copy = folder.join(&name);
        put(part, &copy)?;
        let mut text = self.part()?;
        text.write_all(sha256.as_bytes())
            .with_context(|| pointer.display().to_string())?;
        put(text, &pointer)?;
        Ok(copy)
    }

    /// What `pointer` leads to, if it is what it was.
    fn kept(&self, pointer: &Path, name: &str) -> Result<Option<PathBuf>> {
        let Some(sha256) = there(fs::read_to_string(pointer), pointer)? else {
            return Ok(None);
        };
        // Whatever else stands there leads nowhere.
        if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Ok(None);
        }
        let copy = self.0.join(&sha256).join(name);
        let Some(mut file) = there(File::open(&copy), &copy)? else {
            return Ok(None);
        };
        let found = copied(&mut file, &mut io::sink()).with_context(|| copy.display().to_string())?;
        Ok((found == sha256).then_some(copy))
    }

    fn part(&self) -> Result<tempfile::NamedTempFile> {
        tempfile::NamedTempFile::new_in(&self.0).with_context(|| self.0.display().to_string())
    }
}

/// The name under which the hash of what stands at a URI in one revision is kept.
fn key(object: &Object) -> String {
    hex(&Sha256::digest(format!("{}\n{}", object.uri, object.revision())))
}

/// Copies everything, and gives the SHA-256 of it.
fn copied(from: &mut impl Read, to: &mut impl Write) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let count = from.read(&mut piece)?;
        if count == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&piece[..count]);
        to.write_all(&piece[..count])?;
    }
}

fn put(part: tempfile::NamedTempFile, path: &Path) -> Result<()> {
    let put = part.persist(path).map_err(|error| Error::from(error.error));
    put.map(|_| ()).with_context(|| path.display().to_string())
}

/// None of what is not there.
fn there<T>(result: io::Result<T>, path: &Path) -> Result<Option<T>> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        // A damaged pointer may hold any bytes.
        Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
        other => other.map(Some).with_context(|| path.display().to_string()),
    }
}
