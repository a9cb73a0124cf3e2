//! The way to a server: every wait has an end, every byte is counted, and an interrupt is noticed between two reads.
//!
//! ```text
//!   http, https   gix's client ─► its own thread (reqwest) ─► Guarded body
//!   git           Socket, a second at a time               ─► Guarded
//! ```

use std::any::Any;
use std::io::{BufRead, Error as IoError, ErrorKind as Io, Read};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gix::protocol::transport::Protocol;
use gix::protocol::transport::client::blocking_io::Transport;
use gix::protocol::transport::client::blocking_io::http::reqwest::{Options as ClientOptions, Remote as Client};
use gix::protocol::transport::client::blocking_io::http::{
    self, GetResponse, Http, Options, PostBodyDataKind, PostResponse,
};
use gix::protocol::transport::client::git::ConnectMode;
use gix::protocol::transport::client::git::blocking_io::Connection;
use gix::url::Scheme;
use stackmill_schemas::context::Interrupt;
use stackmill_schemas::{Error, Result, TaskContext};

/// Longest wait for a socket before an interrupt is looked for.
const GLANCE: Duration = Duration::from_secs(1);

/// The port of `git://` where a URL names none.
const GIT_PORT: u16 = 9418;

/// What one exchange with a server may cost.
pub(super) struct Guard {
    interrupt: Arc<dyn Interrupt>,
    timeout_seconds: u64,
    left: AtomicU64,
    is_spent: AtomicBool,
}

impl Guard {
    /// At most `bytes` bytes, and `timeout_seconds` seconds without one.
    pub(super) fn new(bytes: u64, timeout_seconds: u64, cx: &TaskContext) -> Arc<Self> {
        Arc::new(Self {
            interrupt: cx.interrupt.clone(),
            timeout_seconds,
            left: AtomicU64::new(bytes),
            is_spent: AtomicBool::new(false),
        })
    }

    /// From now on, at most `bytes` more bytes.
    pub(super) fn allow(&self, bytes: u64) {
        self.left.store(bytes, Ordering::Relaxed);
    }

    /// Whether the server sent more than was allowed.
    pub(super) fn is_spent(&self) -> bool {
        self.is_spent.load(Ordering::Relaxed)
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }

    fn check(&self) -> std::io::Result<()> {
        match self.interrupt.is_raised() || self.is_spent() {
            // Of a kind that nobody takes for a read that should be tried again.
            true => Err(IoError::other("given up")),
            false => Ok(()),
        }
    }

    fn count(&self, bytes: usize) {
        let left = self.left.load(Ordering::Relaxed).checked_sub(bytes as u64);
        self.left.store(left.unwrap_or_default(), Ordering::Relaxed);
        self.is_spent.fetch_or(left.is_none(), Ordering::Relaxed);
    }
}

/// The way to the repository at `url`.
pub(super) fn connect(url: &gix::Url, guard: &Arc<Guard>) -> Result<Box<dyn Transport + Send>> {
    match (&url.scheme, url.host()) {
        (Scheme::Http | Scheme::Https, _) => {
            let mut web = Web {
                client: Client::default(),
                guard: guard.clone(),
            };
            // Nobody else may do it: the library has settings for the transport only where the repository has some.
            web.configure(&Options::default())
                .map_err(|error| Error::bug(format!("the HTTP client cannot be set up: {error}")))?;
            let transport = http::Transport::new_http(web, url.clone(), Protocol::V2, false);
            Ok(Box::new(transport))
        }
        (Scheme::Git, Some(host)) if url.user().is_none() => daemon(host, url, guard),
        _ => Err(Error::input("not a URL of http, https or git that can be read")),
    }
}

/// The way to a git daemon.
fn daemon(host: &str, url: &gix::Url, guard: &Arc<Guard>) -> Result<Box<dyn Transport + Send>> {
    let stream = dial(host, url.port.unwrap_or(GIT_PORT), guard).map_err(|error| unreachable(&error))?;
    let writer = stream.try_clone().map_err(|error| unreachable(&error))?;
    let reader = Guarded {
        inner: Socket {
            stream,
            guard: guard.clone(),
        },
        guard: guard.clone(),
    };
    let virtual_host = Some((host, url.port));
    let path = url.path.clone();
    let connection = Connection::new(
        reader,
        writer,
        Protocol::V2,
        path,
        virtual_host,
        ConnectMode::Daemon,
        false,
    );
    Ok(Box::new(connection))
}

/// Connects to the first address of a host that answers.
fn dial(host: &str, port: u16, guard: &Guard) -> std::io::Result<TcpStream> {
    let mut trouble = IoError::new(Io::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        guard.check()?;
        match TcpStream::connect_timeout(&address, guard.timeout()) {
            Ok(stream) => {
                stream.set_read_timeout(Some(GLANCE))?;
                stream.set_write_timeout(Some(guard.timeout()))?;
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
struct Socket {
    stream: TcpStream,
    guard: Arc<Guard>,
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        for _ in 0..self.guard.timeout_seconds {
            self.guard.check()?;
            match self.stream.read(buffer) {
                Err(error) if matches!(error.kind(), Io::WouldBlock | Io::TimedOut) => {}
                done => return done,
            }
        }
        let words = format!("the server said nothing for {} seconds", self.guard.timeout_seconds);
        Err(IoError::new(Io::TimedOut, words))
    }
}

/// A reader whose bytes are counted.
struct Guarded<R> {
    inner: R,
    guard: Arc<Guard>,
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

/// The library's HTTP client with our limits.
struct Web {
    client: Client,
    guard: Arc<Guard>,
}

impl Web {
    fn guarded<R>(&self, inner: R) -> Guarded<R> {
        Guarded {
            inner,
            guard: self.guard.clone(),
        }
    }
}

impl Http for Web {
    type Headers = Guarded<<Client as Http>::Headers>;
    type ResponseBody = Guarded<<Client as Http>::ResponseBody>;
    type PostBody = <Client as Http>::PostBody;

    fn get(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> gix::Result<GetResponse<Self::Headers, Self::ResponseBody>> {
        let GetResponse { headers, body } = self.client.get(url, base_url, headers)?;
        Ok(GetResponse {
            headers: self.guarded(headers),
            body: self.guarded(body),
        })
    }

    fn post(
        &mut self,
        url: &str,
        base_url: &str,
        headers: impl IntoIterator<Item = impl AsRef<str>>,
        kind: PostBodyDataKind,
    ) -> gix::Result<PostResponse<Self::Headers, Self::ResponseBody, Self::PostBody>> {
        let response = self.client.post(url, base_url, headers, kind)?;
        Ok(PostResponse {
            post_body: response.post_body,
            headers: self.guarded(response.headers),
            body: self.guarded(response.body),
        })
    }

    fn configure(&mut self, config: &dyn Any) -> gix::Result {
        let mut options = config.downcast_ref::<Options>().cloned().unwrap_or_default();
        let timeout = self.guard.timeout();
        let client = ClientOptions {
            configure_client: Some(Box::new(move |client| {
                Ok(client.connect_timeout(timeout).timeout(timeout))
            })),
            configure_request: None,
        };
        options.backend = Some(Arc::new(Mutex::new(client)));
        self.client.configure(&options)
    }

    fn redirected_base_url(&self) -> Option<String> {
        self.client.redirected_base_url()
    }
}
