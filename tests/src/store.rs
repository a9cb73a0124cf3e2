//! An object store to test against: moto's S3 server, and a proxy before it that makes trouble when told to.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use crate::python;

/// Ends itself when whoever started it is gone.
const SERVER: &str = r#"
import os, sys, threading
from moto.server import main
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
main(["-H", "127.0.0.1", "-p", sys.argv[1]])
"#;

/// The server wants a signature, and does not look at it.
const SIGNED: &str = "Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, \
                      SignedHeaders=host, Signature=0";

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bucket on a server of this machine.
#[derive(Clone, Debug)]
pub struct Bucket {
    address: String,
    name: String,
}

impl Bucket {
    /// A new bucket of that name.
    pub fn new(name: &str) -> Self {
        let this = Self {
            address: server().to_owned(),
            name: name.to_owned(),
        };
        let (status, body) = this.ask("PUT", "", b"");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
        this
    }

    /// Host and port of the server.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The URI of a key.
    pub fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    /// Puts an object, whatever was there.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        let (status, body) = self.ask("PUT", &format!("/{key}"), bytes);
        assert_eq!(status, 200, "{key}: {}", String::from_utf8_lossy(&body));
    }

    /// The bytes of an object.
    pub fn get(&self, key: &str) -> Vec<u8> {
        let (status, body) = self.ask("GET", &format!("/{key}"), b"");
        assert_eq!(status, 200, "{key}");
        body
    }

    /// All objects by key.
    pub fn objects(&self) -> BTreeMap<String, Vec<u8>> {
        let (status, body) = self.ask("GET", "?list-type=2", b"");
        assert_eq!(status, 200);
        let text = String::from_utf8(body).expect("because S3 lists in XML");
        let keys = text
            .split("<Key>")
            .skip(1)
            .filter_map(|rest| rest.split("</Key>").next());
        keys.map(|key| (key.to_owned(), self.get(key))).collect()
    }

    fn ask(&self, method: &str, target: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let head = format!(
            "{method} /{}{target} HTTP/1.1\r\nHost: {}\r\n{SIGNED}\r\nContent-Type: application/octet-stream\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.name,
            self.address,
            body.len()
        );
        let mut stream = TcpStream::connect(&self.address).expect("because the server runs");
        stream
            .write_all(&[head.as_bytes(), body].concat())
            .expect("because the server listens");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("because the server answers");
        let (head, body) = split_head(&answer);
        (status_of(head), body.to_vec())
    }
}

/// The one server of this process.
fn server() -> &'static str {
    static SERVING: OnceLock<(String, Child)> = OnceLock::new();
    let (address, _) = SERVING.get_or_init(|| {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("because this machine has a loopback address");
        let child = Command::new(python())
            .args(["-c", SERVER, &address.port().to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("because Python starts");
        let start = std::time::Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(start.elapsed() < PATIENCE, "moto's server does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        (address.to_string(), child)
    });
    address
}

/// What a proxy does to one request.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// Refuses with a status, a code, and perhaps seconds to wait.
    Status(u16, &'static str, Option<u32>),
    /// Closes the connection before anything is done.
    HangUp,
    /// Has it done, and closes the connection before the answer.
    LoseAnswer,
    /// Gives so many bytes of the answer, its head among them, and closes the connection.
    CutAt(usize),
    /// Answers late, in milliseconds.
    Late(u64),
}

#[derive(Debug, Default)]
struct Plan {
    /// For the next requests whose first line holds the word.
    next: VecDeque<(&'static str, Trouble)>,
    /// For every so-manieth request, in turn.
    every: Option<(usize, Vec<Trouble>)>,
    requests: usize,
    bytes: usize,
}

/// A proxy before a server; it lives as long as the tests.
#[derive(Clone, Debug)]
pub struct Proxy {
    address: String,
    plan: Arc<Mutex<Plan>>,
}

impl Proxy {
    /// A proxy before the server of `bucket` that makes no trouble yet.
    pub fn before(bucket: &Bucket) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("because this machine has a loopback address");
        let address = listener.local_addr().expect("because it is bound").to_string();
        let plan = Arc::<Mutex<Plan>>::default();
        let (shared, upstream) = (plan.clone(), bucket.address.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (plan, upstream) = (shared.clone(), upstream.clone());
                std::thread::spawn(move || pass(stream, &upstream, &plan));
            }
        });
        Self { address, plan }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Makes trouble for the next requests whose first lines hold these words, in this order.
    pub fn troubles(&self, next: &[(&'static str, Trouble)]) {
        self.plan().next = next.iter().cloned().collect();
    }

    /// Makes trouble for every `count`-th request, each kind in turn; none at all if there is no kind.
    pub fn every(&self, count: usize, kinds: &[Trouble]) {
        self.plan().every = (!kinds.is_empty()).then(|| (count, kinds.to_vec()));
    }

    /// Whether all trouble that was planned has been made.
    pub fn is_calm(&self) -> bool {
        self.plan().next.is_empty()
    }

    /// Requests so far, and bytes of their answers.
    pub fn passed(&self) -> (usize, usize) {
        let plan = self.plan();
        (plan.requests, plan.bytes)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Plan {
    fn trouble(&mut self, first: &str) -> Option<Trouble> {
        self.requests += 1;
        if self.next.front().is_some_and(|(word, _)| first.contains(word)) {
            return self.next.pop_front().map(|(_, trouble)| trouble);
        }
        let (count, kinds) = self.every.as_ref()?;
        self.requests
            .is_multiple_of(*count)
            .then(|| kinds[self.requests / count % kinds.len()].clone())
    }
}

/// Passes one request on; whoever hangs up early is not our business.
fn pass(mut client: TcpStream, upstream: &str, plan: &Mutex<Plan>) -> Option<()> {
    let request = request(&client)?;
    let first = String::from_utf8_lossy(request.split(|byte| *byte == b'\n').next()?).into_owned();
    let trouble = plan.lock().unwrap_or_else(PoisonError::into_inner).trouble(&first);
    match &trouble {
        Some(Trouble::HangUp) => return None,
        Some(Trouble::Status(status, code, wait)) => {
            let body = format!("<Error><Code>{code}</Code><AWSAccessKeyId>AKIATESTKEY</AWSAccessKeyId></Error>");
            let wait = wait.map_or(String::new(), |wait| format!("Retry-After: {wait}\r\n"));
            let head = format!(
                "HTTP/1.1 {status} x\r\n{wait}Connection: close\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            return client.write_all((head + &body).as_bytes()).ok();
        }
        Some(Trouble::Late(milliseconds)) => std::thread::sleep(Duration::from_millis(*milliseconds)),
        _ => {}
    }
    let mut server = TcpStream::connect(upstream).ok()?;
    server.write_all(&request).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    plan.lock().unwrap_or_else(PoisonError::into_inner).bytes += answer.len();
    match trouble {
        Some(Trouble::LoseAnswer) => None,
        Some(Trouble::CutAt(length)) => client.write_all(&answer[..answer.len().min(length)]).ok(),
        _ => client.write_all(&answer).ok(),
    }
}

/// A request as it came, but for its wish to keep the connection.
fn request(stream: &TcpStream) -> Option<Vec<u8>> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        match line.trim().is_empty() {
            true => break,
            false if lower.starts_with("connection:") => {}
            false => head.extend(line.into_bytes()),
        }
    }
    head.extend(b"Connection: close\r\n\r\n");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    head.extend(body);
    Some(head)
}

fn split_head(answer: &[u8]) -> (&[u8], &[u8]) {
    let end = answer
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap_or(answer.len());
    (&answer[..end], answer.get(end + 4..).unwrap_or_default())
}

fn status_of(head: &[u8]) -> u16 {
    let text = String::from_utf8_lossy(head);
    text.split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0)
}
