//! The way to a server: every wait has an end, every byte is counted, and an interrupt is noticed within a glance.
//!
//! ```text
//!   http, https   gix's protocol ─► web: one request after the other       ─► Guarded body
//!   git           Socket to the daemon, a glance at a time                  ─► Guarded
//!   ssh           Socket to the user's `ssh`, a glance at a time            ─► Guarded
//! ```

use std::io::{BufRead, Error as IoError, ErrorKind as Io, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gix::protocol::transport::Protocol;
use gix::protocol::transport::client::blocking_io::{Transport, http};
use gix::protocol::transport::client::git::ConnectMode;
use gix::protocol::transport::client::git::blocking_io::Connection;
use gix::url::Scheme;
use stackmill_schemas::context::Interrupt;
use stackmill_schemas::{Error, Result, TaskContext};

use super::ssh;
use super::web::Web;
use crate::network::{GLANCE, Network, Program};

/// The port of `git://` where a URL names none.
const GIT_PORT: u16 = 9418;

/// Bytes that a server must bring for each second that we wait for it, once the grace is over.
const LEAST_RATE: u64 = 1024;

/// Silent times that a server is granted in all, whatever it brings.
const GRACE: u32 = 10;

/// Why an exchange failed, where we know better than the library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    /// In words.
    pub(super) words: String,
    /// Whether it may go away by itself.
    pub(super) is_transient: bool,
    /// How long the server asks us to wait.
    pub(super) pause: Option<Duration>,
}

/// What one exchange with a server may cost, and what it did.
pub(super) struct Guard {
    interrupt: Arc<dyn Interrupt>,
    timeout: Duration,
    left: AtomicU64,
    received: AtomicU64,
    is_spent: AtomicBool,
    is_unreached: AtomicBool,
    told: Mutex<Told>,
}

/// What was learned on the way.
#[derive(Default)]
struct Told {
    waited: Duration,
    trouble: Option<Trouble>,
    shortage: Option<Error>,
    program: Option<Box<dyn Program>>,
}

impl Guard {
    /// At most `bytes` bytes, and `timeout_seconds` seconds without one.
    pub(super) fn new(bytes: u64, timeout_seconds: u64, cx: &TaskContext) -> Arc<Self> {
        Arc::new(Self {
            interrupt: cx.interrupt.clone(),
            timeout: Duration::from_secs(timeout_seconds),
            left: AtomicU64::new(bytes),
            received: AtomicU64::new(0),
            is_spent: AtomicBool::new(false),
            is_unreached: AtomicBool::new(false),
            told: Mutex::default(),
        })
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on, at most `bytes` more bytes.
    pub(super) fn allow(&self, bytes: u64) {
        self.left.store(bytes, Ordering::Relaxed);
    }

    /// Whether the server sent more than was allowed.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed)
    }

    /// Bytes that came.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// Longest silence.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Remembers what went wrong, the first time; gives the error that the library sees, which it will not try again.
    pub(super) fn fail(&self, words: impl Into<String>, is_transient: bool, pause: Option<Duration>) -> IoError {
        let words = words.into();
        let seen = IoError::other(words.clone());
        self.told().trouble.get_or_insert(Trouble {
            words,
            is_transient,
            pause,
        });
        seen
    }

    /// As [`fail`](Self::fail) for an error of a connection; a shortage of this machine is remembered apart.
    pub(super) fn broke(&self, error: &(dyn std::error::Error + 'static), words: String) -> IoError {
        match Error::shortage(error) {
            Some(shortage) => {
                self.told().shortage.get_or_insert(shortage);
                IoError::other(words)
            }
            None => self.fail(words, true, None),
        }
    }

    /// The shortage of this machine that the exchange ended by, if one did.
    pub(super) fn shortage(&self) -> Option<Error> {
        self.told().shortage.take()
    }

    /// Takes note that nobody was there to speak to.
    pub(super) fn unreached(&self) {
        self.is_unreached.store(true, Ordering::Relaxed);
    }

    /// Whether nobody was there to speak to.
    pub(super) fn is_unreached(&self) -> bool {
        self.is_unreached.load(Ordering::Relaxed)
    }

    /// What went wrong, as far as we know.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.told().trouble.clone()
    }

    /// Ends the program that this exchange went through, if one did; its complaint.
    pub(super) fn complaint(&self) -> Option<String> {
        let program = self.told().program.take();
        program.map(|mut program| program.end())
    }

    fn check(&self) -> std::io::Result<()> {
        match self.interrupt.is_requested() || self.is_spent() {
            // Of a kind that nobody takes for a read that should be tried again.
            true => Err(IoError::other("given up")),
            false => Ok(()),
        }
    }

    fn count(&self, bytes: usize) {
        let left = self.left.load(Ordering::Relaxed).checked_sub(bytes as u64);
        self.left.store(left.unwrap_or_default(), Ordering::Relaxed);
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        self.is_spent.fetch_or(left.is_none(), Ordering::Relaxed);
    }

    /// Asks `glance`, which takes a moment, until it has something; gives up after too long a silence, or when all the
    /// waiting together brought too little.
    pub(super) fn wait<T>(&self, mut glance: impl FnMut() -> std::io::Result<Option<T>>) -> std::io::Result<T> {
        let start = Instant::now();
        loop {
            self.check()?;
            if let Some(found) = glance()? {
                self.spend(start.elapsed())?;
                return Ok(found);
            }
            if start.elapsed() >= self.timeout {
                let words = format!("the server said nothing for {} seconds", self.timeout.as_secs());
                return Err(self.fail(words, true, None));
            }
        }
    }

    fn spend(&self, waited: Duration) -> std::io::Result<()> {
        let waited = {
            let mut told = self.told();
            told.waited += waited;
            told.waited
        };
        let earned = Duration::from_secs(self.received() / LEAST_RATE);
        match waited > self.timeout * GRACE + earned {
            true => Err(self.fail(
                format!("the server sends less than {LEAST_RATE} bytes a second"),
                true,
                None,
            )),
            false => Ok(()),
        }
    }
}

/// The way to the repository at `url`.
pub(super) fn connect(url: &gix::Url, network: &Network, guard: &Arc<Guard>) -> Result<Box<dyn Transport + Send>> {
    match (&url.scheme, url.host()) {
        (Scheme::Http | Scheme::Https, Some(_)) => {
            let web = Web::new(network, guard)?;
            let transport = http::Transport::new_http(web, url.clone(), Protocol::V2, false);
            Ok(Box::new(transport))
        }
        (Scheme::Git, Some(host)) if url.user().is_none() => daemon(host, url, guard),
        (Scheme::Ssh, Some(_)) => shell(url, network, guard),
        _ => Err(Error::input("not a URL of http, https, git or ssh that can be read")),
    }
}

/// The way to a git daemon.
fn daemon(host: &str, url: &gix::Url, guard: &Arc<Guard>) -> Result<Box<dyn Transport + Send>> {
    let stream = dial(host, url.port.unwrap_or(GIT_PORT), guard).map_err(|error| {
        guard.unreached();
        unreachable(&error)
    })?;
    let writer = stream.try_clone().map_err(|error| unreachable(&error))?;
    let (reader, virtual_host) = (Guarded::socket(stream, guard), Some((host, url.port)));
    let path = url.path.clone();
    let mode = ConnectMode::Daemon;
    let connection = Connection::new(reader, writer, Protocol::V2, path, virtual_host, mode, false);
    Ok(Box::new(connection))
}

/// The way through the user's `ssh`.
fn shell(url: &gix::Url, network: &Network, guard: &Arc<Guard>) -> Result<Box<dyn Transport + Send>> {
    let arguments = ssh::arguments(url, guard.timeout().as_secs())?;
    let ssh = network
        .ssh()
        .ok_or_else(|| Error::input("`ssh` cannot be started from here"))?;
    let talk = ssh.start(&arguments).map_err(|error| {
        Error::shortage(&error).unwrap_or_else(|| {
            Error::input(format!("`ssh` cannot be started: {error}")).hint("install OpenSSH's client, or use https")
        })
    })?;
    guard.told().program = Some(talk.program);
    let writer = prepared(&talk.stream, guard).map_err(|error| unreachable(&error))?;
    let (reader, path, mode) = (
        Guarded::socket(talk.stream, guard),
        url.path.clone(),
        ConnectMode::Process,
    );
    let nowhere = None::<(&str, Option<u16>)>;
    let connection = Connection::new(reader, writer, Protocol::V2, path, nowhere, mode, false);
    Ok(Box::new(connection))
}

fn prepared(stream: &UnixStream, guard: &Guard) -> std::io::Result<UnixStream> {
    stream.set_read_timeout(Some(GLANCE))?;
    stream.set_write_timeout(Some(guard.timeout))?;
    stream.try_clone()
}

/// Connects to the first address of a host that answers.
fn dial(host: &str, port: u16, guard: &Guard) -> std::io::Result<TcpStream> {
    let mut trouble = IoError::new(Io::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        guard.check()?;
        match TcpStream::connect_timeout(&address, guard.timeout) {
            Ok(stream) => {
                stream.set_read_timeout(Some(GLANCE))?;
                stream.set_write_timeout(Some(guard.timeout))?;
                return Ok(stream);
            }
            Err(error) => trouble = error,
        }
    }
    Err(trouble)
}

/// A server that cannot be reached may be there later.
fn unreachable(error: &IoError) -> Error {
    Error::shortage(error).unwrap_or_else(|| {
        Error::source(format!("the server cannot be reached: {error}"))
            .transient()
            .hint("check the network, then run the same command again to resume")
    })
}

/// A socket that is given up when nothing comes for too long.
pub(super) struct Socket<S> {
    stream: S,
    guard: Arc<Guard>,
}

impl<S: Read> Read for Socket<S> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let (stream, guard) = (&mut self.stream, &self.guard);
        guard.wait(|| match stream.read(buffer) {
            Err(error) if matches!(error.kind(), Io::WouldBlock | Io::TimedOut | Io::Interrupted) => Ok(None),
            Err(error) => Err(guard.broke(&error, format!("the connection broke: {error}"))),
            Ok(count) => Ok(Some(count)),
        })
    }
}

/// A reader whose bytes are counted.
pub(super) struct Guarded<R> {
    inner: R,
    guard: Arc<Guard>,
}

impl<S: Read + Write> Guarded<Socket<S>> {
    fn socket(stream: S, guard: &Arc<Guard>) -> Self {
        let guard = guard.clone();
        Self {
            inner: Socket {
                stream,
                guard: guard.clone(),
            },
            guard,
        }
    }
}

impl<R> Guarded<R> {
    /// `inner`, counted by `guard`.
    pub(super) fn new(inner: R, guard: &Arc<Guard>) -> Self {
        let guard = guard.clone();
        Self { inner, guard }
    }
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.guard.check()?;
        let count = self.inner.read(buffer)?;
        self.guard.count(count);
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Guarded<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.guard.check()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.guard.count(count);
        self.inner.consume(count);
    }
}
