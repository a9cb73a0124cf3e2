//! Real servers of git repositories on the loopback: `git http-backend` behind a server that can misbehave, and
//! `git daemon`.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How a server answers one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// As git does.
    None,
    /// This status line's tail, and these further header lines.
    Status(&'static str, &'static str),
    /// The connection is reset in the middle of the body.
    Reset,
    /// The body ends in the middle as if that was all.
    Truncated,
    /// A byte a moment, for ever.
    Drip,
    /// To itself.
    RedirectLoop,
    /// To the same path below `/moved`, which is served like the rest.
    Redirect,
    /// Bytes that are no protocol at all.
    Garbage,
    /// A pack's beginning, then sidebands of nothing without an end.
    Endless,
    /// A page for people.
    WrongType,
    /// Nothing is ever said.
    Silent,
}

/// What the server sees and does.
#[derive(Default)]
struct State {
    /// Faults of the next requests of either kind.
    greetings: Mutex<VecDeque<Fault>>,
    packs: Mutex<VecDeque<Fault>>,
    requests: AtomicU32,
    open: AtomicU32,
    most_open: AtomicU32,
    logins: Mutex<Vec<String>>,
}

/// `git http-backend` for all repositories below a folder.
pub struct HttpBackend {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    state: Arc<State>,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HttpBackend {
    /// Serves the repositories below `root` until the tests end.
    pub fn start(root: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("because this machine has a loopback address");
        let address = listener.local_addr().expect("because it is bound");
        let state = Arc::new(State::default());
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (root, state) = (root.clone(), shared.clone());
                std::thread::spawn(move || {
                    // A client that leaves early is its own business.
                    let _ = serve(stream, &root, &state);
                });
            }
        });
        Self {
            url: format!("http://{address}"),
            state,
        }
    }

    /// The next greetings (`info/refs`) meet these faults.
    pub fn greets(&self, faults: &[Fault]) {
        *locked(&self.state.greetings) = faults.iter().copied().collect();
    }

    /// The next requests for packs meet these faults.
    pub fn sends(&self, faults: &[Fault]) {
        *locked(&self.state.packs) = faults.iter().copied().collect();
    }

    /// Requests so far.
    pub fn requests(&self) -> u32 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// The most requests that were under way at once.
    pub fn most_open(&self) -> u32 {
        self.state.most_open.load(Ordering::SeqCst)
    }

    /// The `Authorization` headers so far.
    pub fn logins(&self) -> Vec<String> {
        locked(&self.state.logins).clone()
    }
}

/// One request, as far as git looks at it.
struct Request {
    method: String,
    path: String,
    query: String,
    kind: String,
    protocol: String,
    body: Vec<u8>,
}

fn serve(stream: TcpStream, root: &Path, state: &State) -> std::io::Result<()> {
    // Nothing is read ahead: what is left unread when a socket is closed makes the system reset the connection.
    let mut reader = BufReader::with_capacity(1, stream.try_clone()?);
    let mut request = read(&mut reader, state)?;
    state.requests.fetch_add(1, Ordering::SeqCst);
    let is_pack = request.body.windows(13).any(|words| words == b"command=fetch");
    let queue = match (is_pack, request.method == "GET") {
        (true, _) => Some(&state.packs),
        (_, true) => Some(&state.greetings),
        _ => None,
    };
    let fault = queue.and_then(|queue| locked(queue).pop_front()).unwrap_or(Fault::None);
    if let (Some(last), true) = (request.body.last_mut(), fault != Fault::Reset) {
        reader.read_exact(std::slice::from_mut(last))?;
    }
    let open = state.open.fetch_add(1, Ordering::SeqCst) + 1;
    state.most_open.fetch_max(open, Ordering::SeqCst);
    let reply = backend(root, &request);
    // Before the answer is on its way: whoever has it may be back with the next request at once.
    state.open.fetch_sub(1, Ordering::SeqCst);
    answer(stream, reader, &request, reply, fault)
}

fn read(reader: &mut BufReader<TcpStream>, state: &State) -> std::io::Result<Request> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut words = first.split_whitespace();
    let method = words.next().unwrap_or_default().to_owned();
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method,
        path: path.trim_start_matches("/moved").to_owned(),
        query: query.to_owned(),
        kind: String::new(),
        protocol: String::new(),
        body: Vec::new(),
    };
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let (name, value) = line.trim().split_once(':').unwrap_or((line.trim(), ""));
        match name.to_ascii_lowercase().as_str() {
            "" => break,
            "content-length" => length = value.trim().parse().unwrap_or(0),
            "content-type" => value.trim().clone_into(&mut request.kind),
            "git-protocol" => value.trim().clone_into(&mut request.protocol),
            "authorization" => locked(&state.logins).push(value.trim().to_owned()),
            _ => {}
        }
    }
    // The last byte is left: of a request of this protocol it is known.
    request.body = vec![b'0'; length];
    let most = length.saturating_sub(1);
    reader.read_exact(&mut request.body[..most])?;
    Ok(request)
}

fn answer(
    mut stream: TcpStream,
    mut reader: BufReader<TcpStream>,
    request: &Request,
    (status, kind, body): (String, String, Vec<u8>),
    fault: Fault,
) -> std::io::Result<()> {
    let target = format!("{}?{}", request.path, request.query);
    match fault {
        Fault::Silent => return reader.read_line(&mut String::new()).map(|_| ()),
        Fault::Status(status, more) => {
            return write!(
                stream,
                "HTTP/1.1 {status}\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n"
            );
        }
        Fault::RedirectLoop => {
            return write!(
                stream,
                "HTTP/1.1 302 Found\r\nlocation: {target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
        }
        Fault::Redirect => {
            return write!(
                stream,
                "HTTP/1.1 301 Moved Permanently\r\nlocation: /moved{target}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
        }
        _ => {}
    }
    let kind = if fault == Fault::WrongType {
        "text/html"
    } else {
        kind.as_str()
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close\r\n"
    )?;
    let half = body.len() / 2;
    match fault {
        // `Reset` differs by the byte that was not read.
        Fault::Truncated => {
            write!(stream, "\r\n")?;
            stream.write_all(&body[..half])
        }
        Fault::Reset => {
            write!(stream, "content-length: {}\r\n\r\n", body.len())?;
            stream.write_all(&body[..half])
        }
        Fault::Garbage => write!(stream, "\r\n{}", "\u{1}garbage\u{ff}".repeat(1000)),
        Fault::Endless => {
            write!(stream, "\r\n000dpackfile\n")?;
            let line = [b"ffe0\x01".as_slice(), &[b'x'; 0xffe0 - 5]].concat();
            loop {
                stream.write_all(&line)?;
            }
        }
        Fault::Drip => {
            write!(stream, "\r\n")?;
            for byte in body.chunks(1).cycle() {
                stream.write_all(byte)?;
                std::thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        }
        _ => {
            write!(stream, "content-length: {}\r\n\r\n", body.len())?;
            stream.write_all(&body)
        }
    }
}

/// What `git http-backend` says: status, content type, body.
fn backend(root: &Path, request: &Request) -> (String, String, Vec<u8>) {
    let mut command = Command::new("git");
    command
        .arg("http-backend")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("PATH_INFO", &request.path)
        .env("QUERY_STRING", &request.query)
        .env("REQUEST_METHOD", &request.method)
        .env("CONTENT_TYPE", &request.kind)
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .env("GIT_PROTOCOL", &request.protocol)
        .env("REMOTE_ADDR", "127.0.0.1");
    let mut child = command.spawn().expect("because git is installed");
    let mut stdin = child.stdin.take().expect("because it was asked for");
    let _ = stdin.write_all(&request.body);
    drop(stdin);
    let output = child.wait_with_output().expect("because git ends").stdout;
    let end = output
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap_or(output.len());
    let head = String::from_utf8_lossy(&output[..end]).into_owned();
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.strip_prefix(name))
            .map(|value| value.trim().to_owned())
    };
    let status = header("Status:").unwrap_or_else(|| "200 OK".to_owned());
    let kind = header("Content-Type:").unwrap_or_else(|| "text/plain".to_owned());
    (status, kind, output.get(end + 4..).unwrap_or_default().to_vec())
}

/// `git daemon` for all repositories below a folder; ended when dropped.
pub struct Daemon {
    /// `git://127.0.0.1:PORT`
    pub url: String,
    child: Child,
}

impl Daemon {
    /// Starts it on a free port.
    pub fn start(root: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.expect("because this machine has a free port").port();
        let folder = Command::new("git")
            .arg("--exec-path")
            .output()
            .expect("because git is installed")
            .stdout;
        let folder = PathBuf::from(String::from_utf8_lossy(&folder).trim());
        let mut command = Command::new(folder.join("git-daemon"));
        command.args(["--export-all", "--reuseaddr", "--listen=127.0.0.1"]);
        command.args([format!("--port={port}"), format!("--base-path={}", root.display())]);
        let child = command
            .stderr(Stdio::null())
            .spawn()
            .expect("because git brings a daemon");
        let up = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        assert!(up, "the daemon does not listen at {port}");
        Self {
            url: format!("git://127.0.0.1:{port}"),
            child,
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
