//! Repositories elsewhere: which commit a revision is there, and a clone of that commit in the cache.
//!
//! ```text
//!   cache/git-<hash of URL>-<commit>     bare, depth 1; appears whole, by renaming
//!   cache/.clone-XXXXXX                  while it is being fetched
//! ```
//! A clone is named by URL and commit, so that another lock finds another clone. No credentials are asked for. What a
//! server may send, and how long it may say nothing, is limited (`transport`).

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::protocol::fetch::refmap::Mapping;
use gix::protocol::transport::client::blocking_io::Transport;
use gix::remote::Direction;
use gix::remote::fetch::{Shallow, Tags};
use stackmill_schemas::ids::hex;
use stackmill_schemas::{ContentHash, Error, ErrorKind, Result, ResultExt, TaskContext};

use super::super::SourceConfig;
use super::objects::Objects;
use super::repository::{isolated, shortage, words};
use super::transport::{self, Guard};

/// Most bytes that a server may say before it sends a repository (64 MiB): its references, of which we ask for two.
const MOST_REFERENCE_BYTES: u64 = 64 << 20;

/// Pause before the second attempt; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The commit that `revision` names in the repository at `url`: one exchange with the server, nothing is fetched.
pub(super) fn commit(url: &str, revision: &str, config: &SourceConfig, cx: &TaskContext) -> Result<ObjectId> {
    if let Some(id) = full_id(revision) {
        return Ok(id);
    }
    retrying(config.attempts, cx, || {
        let session = Session::new(config, cx)?;
        let mappings = session.references(url, &reference_names(revision), cx)?;
        mappings
            .iter()
            .find_map(|mapping| mapping.remote.peeled_id())
            .map(ToOwned::to_owned)
            .ok_or_else(|| match revision {
                "HEAD" => Error::input("the repository has no commits"),
                _ => Error::input(format!("the repository has no branch or tag `{revision}`")),
            })
    })
}

/// The folder of objects of a clone of `commit`, which is fetched unless the cache has it.
pub(super) fn cloned(url: &str, commit: ObjectId, config: &SourceConfig, cx: &TaskContext) -> Result<PathBuf> {
    let name = format!("git-{}-{commit}", hex(&ContentHash::of(url.as_bytes()).0));
    let clone = cx.cache.join(name);
    if !clone.exists() {
        retrying(config.attempts, cx, || {
            let session = Session::new(config, cx)?;
            session.fetch(url, commit, config.max_repository_bytes, cx)?;
            session.publish(&clone)
        })?;
    }
    Ok(clone.join("objects"))
}

fn full_id(revision: &str) -> Option<ObjectId> {
    ObjectId::from_hex(revision.as_bytes()).ok()
}

/// Where a server may keep `revision`, the likeliest first.
fn reference_names(revision: &str) -> Vec<String> {
    match revision == "HEAD" || revision.starts_with("refs/") {
        true => vec![revision.to_owned()],
        false => vec![format!("refs/heads/{revision}"), format!("refs/tags/{revision}")],
    }
}

/// Calls `work` until it succeeds, fails for good, or has failed `attempts` times.
fn retrying<T>(attempts: u32, cx: &TaskContext, mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let mut pause = FIRST_PAUSE;
    for _ in 1..attempts {
        match work() {
            Err(error) if error.is_transient() => {}
            done => return done,
        }
        cx.check()?;
        std::thread::sleep(pause);
        pause *= 2;
    }
    work()
}

/// The HTTP client panics where the program (or a test, or an embedder) has not chosen a TLS provider.
fn install_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // Another thread may be faster: any provider will do.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

/// A bare repository under a temporary name; gone when it is dropped, unless it was published.
struct Session {
    folder: tempfile::TempDir,
    repository: gix::Repository,
    guard: Arc<Guard>,
}

impl Session {
    fn new(config: &SourceConfig, cx: &TaskContext) -> Result<Self> {
        install_tls();
        std::fs::create_dir_all(&cx.cache).with_context(|| format!("clone cache {}", cx.cache.display()))?;
        let folder = tempfile::Builder::new().prefix(".clone-").tempdir_in(&cx.cache)?;
        let options = gix::create::Options::default();
        let repository =
            gix::ThreadSafeRepository::init_opts(folder.path(), gix::create::Kind::Bare, options, isolated())
                .map_err(|error| {
                    let broken = || Error::new(ErrorKind::Io, words(&error, folder.path()));
                    shortage(&error).unwrap_or_else(broken)
                })?
                .to_thread_local();
        let guard = Guard::new(MOST_REFERENCE_BYTES, config.timeout_seconds, cx);
        Ok(Self {
            folder,
            repository,
            guard,
        })
    }

    /// The references of the server among `names`, in the order of `names`.
    fn references(&self, url: &str, names: &[String], cx: &TaskContext) -> Result<Vec<Mapping>> {
        let (remote, transport) = self.remote(url, names)?;
        let (map, _) = remote
            .to_connection_with_transport(transport)
            .with_credentials(|_| Ok(None))
            .ref_map(gix::progress::Discard, Default::default())
            .map_err(|error| self.trouble(&error, cx))?;
        let mut mappings = map.mappings;
        let place = |mapping: &Mapping| {
            let found = mapping.remote.as_name().map(|name| name.to_str_lossy().into_owned());
            names
                .iter()
                .position(|name| found.as_ref() == Some(name))
                .unwrap_or(names.len())
        };
        mappings.sort_by_key(place);
        Ok(mappings)
    }

    /// Fetches `commit` without its history: at most `bytes` bytes.
    fn fetch(&self, url: &str, commit: ObjectId, bytes: u64, cx: &TaskContext) -> Result<()> {
        let (remote, transport) = self.remote(url, &[commit.to_string()])?;
        let depth = std::num::NonZeroU32::MIN;
        remote
            .to_connection_with_transport(transport)
            .with_credentials(|_| Ok(None))
            .prepare_fetch(gix::progress::Discard, Default::default())
            .and_then(|fetch| {
                self.guard.allow(bytes);
                fetch
                    .with_shallow(Shallow::DepthAtRemote(depth))
                    .receive(gix::progress::Discard, &AtomicBool::new(false))
            })
            .map_err(|error| self.trouble(&error, cx))?;
        cx.check()?;
        Objects::open(&self.folder.path().join("objects"))?
            .tree_of(&commit)
            .map(|_| ())
    }

    /// What to ask the server for, and the way to it.
    fn remote(&self, url: &str, names: &[String]) -> Result<(gix::Remote<'_>, Box<dyn Transport + Send>)> {
        let remote = self
            .repository
            .remote_at_without_url_rewrite(url)
            .map(|remote| remote.with_fetch_tags(Tags::None))
            .and_then(|remote| remote.with_refspecs(names.iter().map(String::as_str), Direction::Fetch))
            .and_then(|remote| Ok((remote.sanitized_url_and_version(Direction::Fetch)?.0, remote)));
        let (url, remote) = remote.map_err(|error| {
            Error::input(format!(
                "not a URL that can be read: {}",
                words(&error, self.folder.path())
            ))
        })?;
        Ok((remote, transport::connect(&url, &self.guard)?))
    }

    /// Moves the clone to its final name; another task may have been faster.
    fn publish(self, clone: &Path) -> Result<()> {
        drop(self.repository);
        let folder = self.folder.keep();
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

    /// Our error for one of the network: transient where asking again may help.
    fn trouble(&self, error: &gix::Error, cx: &TaskContext) -> Error {
        if let Err(interrupted) = cx.check() {
            return interrupted;
        }
        if self.guard.is_spent() {
            return Error::source("the server sends more bytes than one repository may have")
                .hint("raise `max-repository-bytes` of the source if it is not hostile");
        }
        let text = words(error, self.folder.path());
        match shortage(error) {
            Some(shortage) => shortage,
            None if is_transient(error) => Error::source(text)
                .transient()
                .hint("check the network, then run the same command again to resume"),
            None => Error::source(text),
        }
    }
}

/// Whether a network error may go away by itself: no connection, hang-up, time-out, 429, 5xx.
fn is_transient(error: &gix::Error) -> bool {
    let http = error
        .iter_errors()
        .find_map(|cause| cause.downcast_ref::<reqwest::Error>());
    match http.and_then(reqwest::Error::status) {
        Some(status) => status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS,
        None => http.is_some_and(|http| !http.is_builder() && !http.is_redirect()) || error.can_retry_lenient(),
    }
}
