//! A small server in memory that speaks enough of S3, Google's XML interface and Azure blobs, and fails when told to.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What goes wrong with one request.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Refused with a status, a code and perhaps `Retry-After`.
    Status(u16, &'static str, Option<u32>),
    /// The connection is closed before anything is done.
    HangUp,
    /// The connection is reset while the request is being sent.
    Reset,
    /// Everything is done, and the connection is closed before the answer.
    LoseAnswer,
    /// The body ends after so many bytes.
    CutAt(usize),
}

/// An object with its metadata.
#[derive(Clone, Debug, Default)]
pub(super) struct Stored {
    pub(super) bytes: Vec<u8>,
    pub(super) metadata: BTreeMap<String, String>,
}

#[derive(Default)]
pub(super) struct State {
    /// By `bucket/key`.
    pub(super) objects: BTreeMap<String, Stored>,
    /// Parts by upload.
    uploads: BTreeMap<String, BTreeMap<String, Vec<u8>>>,
    /// Next faults for requests whose first line holds the word.
    pub(super) faults: VecDeque<(&'static str, Fault)>,
    /// First lines of all requests, and their ranges.
    pub(super) log: Vec<String>,
    /// Whether conditions are refused with 501.
    pub(super) knows_no_conditions: bool,
    /// Whether answers have no ETag.
    pub(super) has_no_etags: bool,
}

/// The server; it lives as long as the tests.
pub(super) struct Server {
    pub(super) address: String,
    state: Arc<Mutex<State>>,
}

struct Request {
    first: String,
    method: String,
    /// `bucket/key`, decoded.
    name: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// What the length header says of an answer to HEAD.
    length: Option<usize>,
}

impl Server {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::<Mutex<State>>::default();
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = shared.clone();
                std::thread::spawn(move || serve(stream, &state));
            }
        });
        Self { address, state }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn holds(&self, name: &str, bytes: &[u8]) {
        let stored = Stored {
            bytes: bytes.to_vec(),
            metadata: BTreeMap::new(),
        };
        self.state().objects.insert(name.to_owned(), stored);
    }

    pub(super) fn fails(&self, faults: &[(&'static str, Fault)]) {
        self.state().faults = faults.iter().cloned().collect();
    }

    /// Requests whose first line holds `word`.
    pub(super) fn asked(&self, word: &str) -> usize {
        self.state().log.iter().filter(|line| line.contains(word)).count()
    }
}

fn serve(mut stream: TcpStream, state: &Mutex<State>) -> Option<()> {
    let request = receive(&stream, state)?;
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    let range = request.headers.get("range").cloned().unwrap_or_default();
    state.log.push(format!("{} {range}", request.first));
    let is_due = state
        .faults
        .front()
        .is_some_and(|(word, _)| request.first.contains(word));
    let fault = if is_due {
        state.faults.pop_front().map(|(_, fault)| fault)
    } else {
        None
    };
    match fault {
        Some(Fault::HangUp | Fault::Reset) => return None,
        Some(Fault::Status(status, code, wait)) => {
            let mut answer = Answer::error(status, code);
            answer
                .headers
                .extend(wait.map(|wait| ("Retry-After".to_owned(), wait.to_string())));
            return send(&mut stream, &answer, usize::MAX);
        }
        _ => {}
    }
    let answer = state.answer(&request);
    drop(state);
    match fault {
        Some(Fault::LoseAnswer) => None,
        Some(Fault::CutAt(length)) => send(&mut stream, &answer, length),
        _ => send(&mut stream, &answer, usize::MAX),
    }
}

fn receive(stream: &TcpStream, state: &Mutex<State>) -> Option<Request> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|count| *count > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut headers = BTreeMap::new();
    while let Some((name, value)) = line()?.split_once(':') {
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers
        .get("content-length")
        .and_then(|length| length.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let front = state.faults.front();
        if front.is_some_and(|(word, fault)| first.contains(word) && matches!(fault, Fault::Reset)) {
            // Closing over bytes that nobody read resets the connection.
            state.faults.pop_front();
            return None;
        }
    }
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let name = String::from_utf8(super::super::uri::decoded(path)).ok()?;
    Some(Request {
        method,
        name: name.trim_matches('/').to_owned(),
        query: pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        headers,
        body,
        first,
    })
}

fn send(stream: &mut TcpStream, answer: &Answer, most: usize) -> Option<()> {
    let length = answer.length.unwrap_or(answer.body.len());
    let mut head = format!(
        "HTTP/1.1 {} x\r\nContent-Length: {length}\r\nConnection: close\r\n",
        answer.status
    );
    for (name, value) in &answer.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&answer.body[..answer.body.len().min(most)]).ok()?;
    stream.flush().ok()
}

impl Answer {
    fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            body: body.into(),
            length: None,
        }
    }

    fn error(status: u16, code: &str) -> Self {
        let body = format!("<Error><Code>{code}</Code><AWSAccessKeyId>AKIASECRET</AWSAccessKeyId></Error>");
        Self {
            status,
            ..Self::ok(body)
        }
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

fn etag(bytes: &[u8]) -> String {
    format!("\"{:016x}\"", stackmill_schemas::fingerprint::seeded(0, bytes))
}

impl State {
    fn answer(&mut self, request: &Request) -> Answer {
        let has = |key: &str| request.query.contains_key(key);
        let comp = request.query.get("comp").map(String::as_str);
        match request.method.as_str() {
            "GET" if has("list-type") || comp == Some("list") => self.list(request),
            "GET" | "HEAD" => self.get(request),
            "PUT" if has("partNumber") || comp == Some("block") => self.part(request),
            "PUT" => self.put(request, request.body.clone()),
            "POST" if has("uploads") => {
                let id = format!("upload{}", self.uploads.len());
                self.uploads.insert(id.clone(), BTreeMap::new());
                Answer::ok(format!(
                    "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                ))
            }
            "POST" if has("uploadId") => self.complete(request),
            "POST" if has("delete") => self.delete(request),
            "POST" if comp == Some("batch") => self.delete_batch(request),
            "DELETE" if has("uploadId") => Answer {
                status: 204,
                ..Answer::ok("")
            },
            "DELETE" => match self.objects.remove(&request.name) {
                Some(_) => Answer {
                    status: 204,
                    ..Answer::ok("")
                },
                None => Answer::error(404, "NoSuchKey"),
            },
            _ => Answer::error(400, "BadRequest"),
        }
    }

    /// S3 deletes by lists of keys.
    fn delete(&mut self, request: &Request) -> Answer {
        let body = String::from_utf8_lossy(&request.body);
        let key = body
            .split_once("<Key>")
            .and_then(|(_, rest)| Some(rest.split_once("</Key>")?.0));
        let key = key.unwrap_or_default();
        self.objects.remove(&format!("{}/{key}", request.name));
        Answer::ok(format!(
            "<DeleteResult><Deleted><Key>{key}</Key></Deleted></DeleteResult>"
        ))
    }

    /// Azure deletes by requests in the parts of a request.
    fn delete_batch(&mut self, request: &Request) -> Answer {
        let body = String::from_utf8_lossy(&request.body);
        let path = body
            .split_once("DELETE /")
            .and_then(|(_, rest)| rest.split([' ', '?']).next());
        let name = super::super::uri::decoded(path.unwrap_or_default());
        let status = match self.objects.remove(&*String::from_utf8_lossy(&name)) {
            Some(_) => "202 Accepted",
            None => "404 Not Found",
        };
        let part = format!("Content-Type: application/http\r\nContent-ID: 0\r\n\r\nHTTP/1.1 {status}\r\n\r\n");
        let answer = Answer {
            status: 202,
            ..Answer::ok(format!("--b\r\n{part}--b--\r\n"))
        };
        answer.with("Content-Type", "multipart/mixed; boundary=b")
    }

    fn get(&self, request: &Request) -> Answer {
        let Some(stored) = self.objects.get(&request.name) else {
            return Answer::error(404, "NoSuchKey");
        };
        let total = stored.bytes.len();
        let range = request
            .headers
            .get("range")
            .and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let (first, end) = match range {
            Some((first, last)) => {
                let end = last.parse::<usize>().map_or(total, |last| total.min(last + 1));
                (first.parse().unwrap_or(0), end)
            }
            None => (0, total),
        };
        let mut answer = Answer::ok(&stored.bytes[first..end]).with("Last-Modified", "Sat, 01 Nov 2025 00:00:00 GMT");
        if !self.has_no_etags {
            answer = answer.with("ETag", etag(&stored.bytes));
        }
        for (name, value) in &stored.metadata {
            answer = answer.with(name, value);
        }
        if range.is_some() {
            answer.status = 206;
            answer = answer.with("Content-Range", format!("bytes {first}-{}/{total}", end - 1));
        }
        if request.method == "HEAD" {
            answer.length = Some(total);
            answer.body.clear();
        }
        answer
    }

    /// The id of the upload that a part belongs to; Azure names blocks alone, so the object's name stands for it.
    fn upload(request: &Request) -> String {
        request.query.get("uploadId").unwrap_or(&request.name).clone()
    }

    fn part(&mut self, request: &Request) -> Answer {
        let number = request.query.get("partNumber").map(|number| format!("{number:0>8}"));
        let number = number
            .or_else(|| request.query.get("blockid").cloned())
            .unwrap_or_default();
        let parts = self.uploads.entry(Self::upload(request)).or_default();
        parts.insert(number, request.body.clone());
        Answer {
            status: 201,
            ..Answer::ok("")
        }
        .with("ETag", etag(&request.body))
    }

    fn complete(&mut self, request: &Request) -> Answer {
        let Some(parts) = self.uploads.get(&Self::upload(request)) else {
            return Answer::error(404, "NoSuchUpload");
        };
        let bytes = parts.values().flatten().copied().collect();
        let answer = self.put(request, bytes);
        match answer.status {
            200 | 201 => {
                self.uploads.remove(&Self::upload(request));
                Answer::ok("<CompleteMultipartUploadResult><ETag>\"x\"</ETag></CompleteMultipartUploadResult>")
            }
            _ => answer,
        }
    }

    fn put(&mut self, request: &Request, bytes: Vec<u8>) -> Answer {
        let bytes = match request.query.get("comp").map(String::as_str) {
            Some("blocklist") => {
                let (list, blocks) = (
                    String::from_utf8_lossy(&request.body),
                    self.uploads.remove(&request.name),
                );
                let ids = list
                    .split("<Uncommitted>")
                    .skip(1)
                    .filter_map(|rest| rest.split('<').next());
                let block = |id: &str| blocks.as_ref()?.get(&id.replace('=', "%3D")).cloned();
                ids.filter_map(block).flatten().collect()
            }
            _ => bytes,
        };
        let conditions = ["if-none-match", "x-goog-if-generation-match"];
        let is_conditional = conditions.iter().any(|name| request.headers.contains_key(*name));
        if is_conditional && self.knows_no_conditions {
            return Answer::error(501, "NotImplemented");
        }
        if is_conditional && self.objects.contains_key(&request.name) {
            let azure = request.headers.contains_key("x-ms-blob-type");
            return Answer::error(if azure { 409 } else { 412 }, "PreconditionFailed");
        }
        let kept = request.headers.iter().filter(|(name, _)| name.contains("-meta-"));
        let metadata = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        let tag = etag(&bytes);
        self.objects.insert(request.name.clone(), Stored { bytes, metadata });
        Answer {
            status: 201,
            ..Answer::ok("")
        }
        .with("ETag", tag)
        .with("x-goog-generation", "1")
    }

    fn list(&self, request: &Request) -> Answer {
        let folder = super::super::uri::decoded(request.query.get("prefix").map_or("", String::as_str));
        let prefix = format!("{}/{}", request.name, String::from_utf8_lossy(&folder));
        let below = |name: &str| name.strip_prefix(&format!("{}/", request.name)).map(str::to_owned);
        let flat = request.query.contains_key("delimiter");
        let mut out = String::new();
        let is_azure = request.query.contains_key("comp");
        for (name, stored) in self.objects.iter().filter(|(name, _)| name.starts_with(&prefix)) {
            if flat && name[prefix.len()..].contains('/') {
                continue;
            }
            let (key, length, tag) = (below(name).unwrap_or_default(), stored.bytes.len(), etag(&stored.bytes));
            let _ = match is_azure {
                true => write!(
                    out,
                    "<Blob><Name>{key}</Name><Properties><Last-Modified>Sat, 01 Nov 2025 00:00:00 GMT</Last-Modified>\
                     <Content-Length>{length}</Content-Length><Content-Type>x</Content-Type><Etag>{tag}</Etag></Properties></Blob>"
                ),
                false => write!(
                    out,
                    "<Contents><Key>{key}</Key><Size>{length}</Size><ETag>{tag}</ETag>\
                     <LastModified>2025-11-01T00:00:00.000Z</LastModified></Contents>"
                ),
            };
        }
        Answer::ok(match is_azure {
            true => format!("<EnumerationResults><Blobs>{out}</Blobs><NextMarker/></EnumerationResults>"),
            false => format!("<ListBucketResult>{out}</ListBucketResult>"),
        })
    }
}
