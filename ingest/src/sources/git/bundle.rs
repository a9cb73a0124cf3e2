//! Bundles: one file with references and a pack, unpacked once into the cache as a bare repository.
//!
//! ```text
//!   # v3 git bundle                  or v2
//!   @object-format=sha1              v3: what a reader must know
//!   -<id> <comment>                  a commit that the reader must have already: refused
//!   <id> refs/heads/main             what is in it
//!                                    an empty line, then the pack
//!
//!   cache/bundle-<hash of path, length and time of change>/{HEAD,config,packed-refs,refs/,objects/pack/}
//! ```

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use gix::ObjectId;
use gix::odb::pack::Bundle;
use gix::odb::pack::bundle::write::Options;
use stackmill_schemas::ids::hex;
use stackmill_schemas::{ContentHash, Error, Result, TaskContext};

use super::super::SourceConfig;
use super::super::place::surely;
use super::objects::HASH;
use super::remote::Fresh;
use super::repository::{MOST_OBJECT_BYTES, shortage, words};

/// Longest head of a bundle (64 MiB): half a million references.
const LONGEST_HEAD: u64 = 64 << 20;

/// Longest line that says what a bundle is.
const LONGEST_SIGNATURE: u64 = 64;

/// Where a bundle without a `HEAD` is read, the likeliest first.
const HEADS: [&str; 3] = ["HEAD", "refs/heads/main", "refs/heads/master"];

/// Whether a path is a bundle: a file that starts as one.
pub(super) fn is_bundle(path: &Path) -> Result<bool> {
    if !path.is_file() {
        return Ok(false);
    }
    surely(|| {
        let mut line = Vec::new();
        let mut file = BufReader::new(File::open(path)?).take(LONGEST_SIGNATURE);
        file.read_until(b'\n', &mut line)?;
        Ok(version_of(&line).is_some())
    })
}

/// The repository that a bundle was unpacked to, now or before.
pub(super) fn unpacked(path: &Path, config: &SourceConfig, cx: &TaskContext) -> Result<PathBuf> {
    let facts = fs::metadata(path)?;
    let full = path.canonicalize()?;
    let key = format!(
        "{} {} {}.{}",
        full.display(),
        facts.len(),
        facts.mtime(),
        facts.mtime_nsec()
    );
    let place = cx
        .cache
        .join(format!("bundle-{}", hex(&ContentHash::of(key.as_bytes()).0)));
    if place.exists() {
        return Ok(place);
    }
    if facts.len() > config.max_repository_bytes {
        return Err(Error::input(format!(
            "the bundle has more than {} bytes",
            config.max_repository_bytes
        ))
        .hint("raise `max-repository-bytes` of the source if it is not hostile"));
    }
    cx.check()?;
    let fresh = Fresh::new(&cx.cache)?;
    unpack(path, fresh.path())?;
    fresh.publish(&place)?;
    Ok(place)
}

fn unpack(path: &Path, folder: &Path) -> Result<()> {
    let mut file = BufReader::new(File::open(path)?);
    let head = Head::read(&mut file)?;
    let packs = folder.join("objects/pack");
    let lines = head.references.iter().filter(|(name, _)| is_name(name));
    let lines: String = lines.map(|(name, id)| format!("{id} {name}\n")).collect();
    fs::write(folder.join("packed-refs"), lines)?;
    fs::write(folder.join("HEAD"), format!("{}\n", head.default()?))?;
    let options = Options {
        thread_limit: Some(1),
        alloc_limit_bytes: Some(MOST_OBJECT_BYTES),
        ..Options::default()
    };
    let interrupt = AtomicBool::new(false);
    let progress = &mut gix::progress::Discard;
    let no_base = None::<gix::odb::Handle>;
    let written = Bundle::write_to_directory(&mut file, Some(&packs), progress, &interrupt, no_base, HASH, options);
    let broken = |error: gix::Error| {
        let broken = || Error::input(format!("the pack of the bundle is broken: {}", words(&error, folder)));
        shortage(&error).unwrap_or_else(broken)
    };
    written.map(|_| ()).map_err(broken)
}

/// What stands before the pack.
struct Head {
    /// Names and ids, by name.
    references: Vec<(String, ObjectId)>,
}

impl Head {
    fn read(file: &mut impl BufRead) -> Result<Self> {
        let mut file = file.take(LONGEST_HEAD);
        let mut references = Vec::new();
        let version = version_of(&line_of(&mut file)?).ok_or_else(|| broken("it does not start as one"))?;
        loop {
            let line = line_of(&mut file)?;
            let Some(text) = line.strip_suffix(b"\n") else {
                return Err(broken("its head breaks off"));
            };
            let text = String::from_utf8_lossy(text);
            match text.chars().next() {
                None => break,
                Some('@') if version == 3 => known(&text[1..])?,
                Some('-') => {
                    return Err(Error::input("the bundle goes on from commits that it does not hold")
                        .hint("make it whole, as with `git bundle create FILE --all`"));
                }
                Some(_) => references.push(reference(&text).ok_or_else(|| broken("it names no references"))?),
            }
        }
        references.sort();
        Ok(Self { references })
    }

    /// The commit that is read where no revision is named.
    fn default(&self) -> Result<ObjectId> {
        let named = HEADS
            .iter()
            .find_map(|name| self.references.iter().find(|(reference, _)| reference == name));
        let found = named.or(self.references.first());
        found
            .map(|(_, id)| *id)
            .ok_or_else(|| Error::input("the repository has no commits"))
    }
}

fn version_of(line: &[u8]) -> Option<u32> {
    match line {
        b"# v2 git bundle\n" => Some(2),
        b"# v3 git bundle\n" => Some(3),
        _ => None,
    }
}

fn line_of(file: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut line = Vec::new();
    file.read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Refuses what a version 3 demands of its reader and we do not know. What a filter left out is missing later on.
fn known(capability: &str) -> Result<()> {
    match capability.split_once('=') {
        Some(("object-format", "sha1")) | Some(("filter", _)) => Ok(()),
        Some(("object-format", other)) => Err(super::repository::unread_ids(other)),
        _ => Err(Error::input(format!(
            "the bundle asks for `{capability}`, which is not supported"
        ))),
    }
}

fn reference(line: &str) -> Option<(String, ObjectId)> {
    let (id, name) = line.split_once(' ')?;
    Some((name.to_owned(), ObjectId::from_hex(id.as_bytes()).ok()?))
}

/// Whether a reference may be written down: names that are no names would make the others unreadable.
fn is_name(name: &str) -> bool {
    name.starts_with("refs/") && gix::validate::reference::name(name.into()).is_ok()
}

fn broken(words: &str) -> Error {
    Error::input(format!("not a bundle that can be read: {words}"))
}
