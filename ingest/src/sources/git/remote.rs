//! Repositories elsewhere: which commit a revision is there, and a clone of that commit in the cache.
//!
//! ```text
//!   cache/git-<hash of URL>-<depth>-<longest blob>-<commit>   bare; appears whole, by renaming
//!   cache/.clone-XXXXXX                                       while it is being fetched
//!   cache/reports/<the same>.json                             what it took, or why there is none (`report`)
//! ```
//! A clone is named by all that says what is in it, so that another lock finds another clone, and a run that was
//! interrupted finds those that were finished. What a server may send, and how long it may say nothing, is limited
//! (`transport`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gix::ObjectId;
use stackmill_schemas::ids::hex;
use stackmill_schemas::{ContentHash, Error, ErrorKind, Result, ResultExt, TaskContext};

use super::super::SourceConfig;
use super::super::place::spare_descriptors;
use super::objects::Objects;
use super::report::{self, Spent};
use super::repositories::host_of;
use super::repository::{isolated, shortage, words};
use super::session::{Session, Wanted};
use super::transport::Guard;
use crate::network::{GLANCE, Network};

/// Most bytes that a server may say before it sends a repository (64 MiB): its references, of which we ask for two.
const MOST_REFERENCE_BYTES: u64 = 64 << 20;

/// Pause before the second attempt; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Longest pause before an attempt, whatever a server asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A repository elsewhere, and what it takes to reach it.
#[derive(Clone, Copy)]
pub(super) struct Elsewhere<'a> {
    /// Where it is.
    pub(super) url: &'a str,
    /// Limits.
    pub(super) config: &'a SourceConfig,
    /// The way.
    pub(super) network: &'a Network,
    /// The cache, and whether to stop.
    pub(super) cx: &'a TaskContext,
}

impl Elsewhere<'_> {
    /// The name of what is kept of `commit`.
    fn name(&self, commit: &str) -> String {
        name(self.url, commit, self.config)
    }

    /// Calls `work` until it succeeds, fails for good, or has failed `attempts` times; one turn with the host is held
    /// meanwhile, also while a server that is busy is left alone. A host that was not there in all attempts for another
    /// repository is given one more for each, until it is there again.
    fn retrying<T>(&self, mut work: impl FnMut(&Arc<Guard>) -> Result<T>) -> (Result<T>, Spent) {
        let mut spent = Spent::default();
        let host = host_of(self.url);
        let turn = self.network.turn(host, self.config.host_connections, self.cx);
        let _turn = match turn {
            Ok(turn) => turn,
            Err(error) => return (Err(error), spent),
        };
        let attempts = match self.network.is_away(host) {
            true => 1,
            false => self.config.attempts,
        };
        let mut pause = FIRST_PAUSE;
        loop {
            let guard = Guard::new(MOST_REFERENCE_BYTES, self.config.timeout_seconds, self.cx);
            let result = work(&guard);
            spent.attempts += 1;
            spent.bytes += guard.received();
            let result = result.map_err(|error| blamed(error, spare_descriptors));
            match result {
                Err(error) if error.is_transient() && spent.attempts < attempts => {}
                done => {
                    self.network.found(host, guard.is_unreached());
                    return (done, spent);
                }
            }
            let asked = guard.trouble().and_then(|trouble| trouble.pause).unwrap_or_default();
            if let Err(error) = self.rest(pause.max(asked).min(LONGEST_PAUSE)) {
                return (Err(error), spent);
            }
            pause *= 2;
        }
    }

    /// Does nothing for a while.
    fn rest(&self, pause: Duration) -> Result<()> {
        let glances = pause.as_millis().div_ceil(GLANCE.as_millis());
        for _ in 0..glances {
            self.cx.check_requested()?;
            std::thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// The commit that `revision` names: one exchange with the server, nothing is fetched.
    pub(super) fn commit(&self, revision: &str) -> Result<ObjectId> {
        if let Ok(id) = ObjectId::from_hex(revision.as_bytes()) {
            return Ok(id);
        }
        let names = reference_names(revision);
        let (found, spent) = self.retrying(|guard| Session::open(self, guard)?.references(&names, self, guard));
        let found = found.and_then(|found| {
            found.ok_or_else(|| match revision {
                "HEAD" => Error::input("the repository has no commits"),
                _ => Error::input(format!("the repository has no branch or tag `{revision}`")),
            })
        });
        if let Err(error) = &found {
            self.report("", spent, Some(error))?;
        }
        found
    }

    /// The folder of objects of a clone of `commit`, which is fetched unless the cache has it.
    pub(super) fn cloned(&self, commit: ObjectId) -> Result<PathBuf> {
        let clone = self.cx.cache.join(self.name(&commit.to_string()));
        if !clone.exists() {
            let wanted = Wanted {
                commit,
                depth: self.config.depth,
                longest_blob: self.config.max_entry_bytes,
            };
            let (done, spent) = self.retrying(|guard| self.fetch(&wanted, &clone, guard));
            self.report(&commit.to_string(), spent, done.as_ref().err())?;
            done?;
        }
        Ok(clone.join("objects"))
    }

    fn fetch(&self, wanted: &Wanted, clone: &Path, guard: &Arc<Guard>) -> Result<()> {
        let mut session = Session::open(self, guard)?;
        let fresh = Fresh::new(&self.cx.cache)?;
        guard.allow(self.config.max_repository_bytes);
        session.fetch(wanted, fresh.path(), self, guard)?;
        drop(session);
        self.cx.check_requested()?;
        Objects::open(&fresh.path().join("objects"))?.tree_of(&wanted.commit)?;
        fresh.publish(clone)
    }

    /// Writes down what a clone took; an interrupt, or a shortage of this machine, says nothing about it.
    fn report(&self, commit: &str, spent: Spent, error: Option<&Error>) -> Result<()> {
        if error.is_some_and(|error| error.kind() != ErrorKind::Source && error.kind() != ErrorKind::Input) {
            return Ok(());
        }
        let folder = self.cx.cache.join(report::FOLDER);
        std::fs::create_dir_all(&folder).with_context(|| format!("clone cache {}", self.cx.cache.display()))?;
        let json = report::Clone::new(self.url, commit, spent, error).json()?;
        let fresh = tempfile::NamedTempFile::new_in(&folder)?;
        std::fs::write(fresh.path(), json)?;
        let kept = fresh.persist(folder.join(report::file_name(&self.name(commit))));
        kept.map(|_| ()).map_err(|error| Error::from(error.error))
    }
}

/// The error of an attempt; where this machine has no more descriptors, neither names nor servers are found.
fn blamed(error: Error, spare: impl FnOnce() -> Result<()>) -> Error {
    match error.is_transient() {
        true => spare().err().unwrap_or(error),
        false => error,
    }
}

/// The name of what is kept of a commit of a repository.
pub(super) fn name(url: &str, commit: &str, config: &SourceConfig) -> String {
    let url = hex(&ContentHash::of(url.as_bytes()).0);
    format!("git-{url}-{}-{}-{commit}", config.depth, config.max_entry_bytes)
}

/// Where a server may keep `revision`, the likeliest first.
fn reference_names(revision: &str) -> Vec<String> {
    match revision == "HEAD" || revision.starts_with("refs/") {
        true => vec![revision.to_owned()],
        false => vec![format!("refs/heads/{revision}"), format!("refs/tags/{revision}")],
    }
}

/// A bare repository under a temporary name; gone when it is dropped, unless it was published.
pub(super) struct Fresh(tempfile::TempDir);

impl Fresh {
    /// An empty repository in the cache.
    pub(super) fn new(cache: &Path) -> Result<Self> {
        std::fs::create_dir_all(cache).with_context(|| format!("clone cache {}", cache.display()))?;
        let folder = tempfile::Builder::new().prefix(".clone-").tempdir_in(cache)?;
        let options = gix::create::Options::default();
        gix::ThreadSafeRepository::init_opts(folder.path(), gix::create::Kind::Bare, options, isolated()).map_err(
            |error| {
                let broken = || Error::new(ErrorKind::Io, words(&error, folder.path()));
                shortage(&error).unwrap_or_else(broken)
            },
        )?;
        Ok(Self(folder))
    }

    /// Its folder.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Moves the clone to its final name; another task may have been faster.
    pub(super) fn publish(self, clone: &Path) -> Result<()> {
        let folder = self.0.keep();
        match std::fs::rename(&folder, clone) {
            Ok(()) => Ok(()),
            Err(error) => {
                let _ = std::fs::remove_dir_all(&folder);
                match clone.exists() {
                    true => Ok(()),
                    false => Err(Error::from(error).context(clone.display().to_string())),
                }
            }
        }
    }
}
